package api

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

// tokenKeyBits is the length of an RS256 key; RFC 7518, section 3.3, demands at least this.
const tokenKeyBits = 2048

// A TokenKey signs access tokens. Whoever keeps it with the directory keeps the tokens valid over a restart. It is safe
// for concurrent use.
type TokenKey struct {
	private *rsa.PrivateKey
	signer  jose.Signer
	public  jose.JSONWebKeySet
}

// NewTokenKey makes an RSA key.
func NewTokenKey() (*TokenKey, error) {
	private, err := rsa.GenerateKey(rand.Reader, tokenKeyBits)
	if err != nil {
		return nil, fmt.Errorf("make token key: %w", err)
	}
	return tokenKey(private)
}

// ParseTokenKey reads what Encode returned.
func ParseTokenKey(encoded []byte) (*TokenKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(encoded)
	if err != nil {
		return nil, fmt.Errorf("parse token key: %w", err)
	}
	private, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("parse token key: a %T is no RSA key", parsed)
	}
	return tokenKey(private)
}

// Encode returns the private key as PKCS #8, DER: a secret.
func (k *TokenKey) Encode() ([]byte, error) { return x509.MarshalPKCS8PrivateKey(k.private) }

func tokenKey(private *rsa.PrivateKey) (*TokenKey, error) {
	public := jose.JSONWebKey{Key: private.Public(), Algorithm: string(jose.RS256), Use: "sig"}
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("name token key: %w", err)
	}
	public.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", public.KeyID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: private}, options)
	if err != nil {
		return nil, fmt.Errorf("use token key: %w", err)
	}
	return &TokenKey{private: private, signer: signer, public: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}}}, nil
}

// claims of an access token, beside the registered ones.
type claims struct {
	jwt.Claims
	Client       string `json:"client_id"`
	Environment  string `json:"env"`
	Organization string `json:"org"`
}

// sign makes an access token; issuer and audience are URLs.
func (k *TokenKey) sign(g grant, issuer, audience string, now time.Time) (string, error) {
	return jwt.Signed(k.signer).Claims(claims{
		Claims: jwt.Claims{
			Issuer: issuer, Audience: jwt.Audience{audience}, ID: uuid.NewString(),
			IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(tokenLifetime)),
		},
		Client: g.client, Environment: g.environment, Organization: directory.OrganizationID,
	}).Serialize()
}

// errTokenExpired says that a token is genuine and too old.
var errTokenExpired = errors.New("token expired")

// verify reads a token that this key signed and that is still valid. Issuer and audience are not compared: an emitter
// that starts again may have another address, and keeps its tokens.
func (k *TokenKey) verify(token string, now time.Time) (claims, error) {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return claims{}, fmt.Errorf("parse token: %w", err)
	}
	var c claims
	if err := parsed.Claims(k.private.Public(), &c); err != nil {
		return claims{}, fmt.Errorf("verify token: %w", err)
	}
	if c.Expiry == nil || !now.Before(c.Expiry.Time()) {
		return claims{}, errTokenExpired
	}
	return c, nil
}

// serveKeys answers with the keys that tokens are signed by (RFC 7517).
func (a *API) serveKeys(w http.ResponseWriter, r *http.Request, environment string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", http.MethodGet)
		a.fail(w, methodNotAllowed())
		return
	}
	if _, err := a.directory.GetEnvironment(environment); err != nil {
		a.fail(w, a.failure(r, err))
		return
	}
	response{http.StatusOK, a.opts.TokenKey.public}.write(w)
}
