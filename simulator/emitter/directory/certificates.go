package directory

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/smallstep/pkcs7"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// Certified is what a key and a certificate have in common.
type Certified struct {
	ID            string
	EnvironmentID string
	Label         string `json:",omitempty"` // the name that was asked for
	SubjectDN     string `json:",omitempty"` // as asked for, when the key was generated
	IssuerDN      string `json:",omitempty"`
	UsageType     string
	Chain         [][]byte // DER, leaf first
	CreatedAt     time.Time

	chain []*x509.Certificate
}

// A Certificate is an uploaded certificate, trusted for what its usage says.
type Certificate struct{ Certified }

func (c Certified) identity() (string, time.Time) { return c.ID, c.CreatedAt }

// Leaf is the certificate itself.
func (c Certified) Leaf() *x509.Certificate { return c.chain[0] }

// Subject is the distinguished name, in the words of the request if one asked for it.
func (c Certified) Subject() string {
	if c.SubjectDN != "" {
		return c.SubjectDN
	}
	return c.Leaf().Subject.String()
}

// Issuer is the distinguished name of who signed.
func (c Certified) Issuer() string {
	if c.IssuerDN != "" {
		return c.IssuerDN
	}
	return c.Leaf().Issuer.String()
}

// Name is the name asked for, the subject's common name, or the whole subject.
func (c Certified) Name() string {
	if c.Label != "" {
		return c.Label
	}
	if name := c.Leaf().Subject.CommonName; name != "" {
		return name
	}
	return c.Leaf().Subject.String()
}

func (c *Certified) complete() error {
	if len(c.Chain) == 0 {
		return errors.New("no certificate")
	}
	c.chain = nil
	for _, der := range c.Chain {
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("parse certificate: %w", err)
		}
		c.chain = append(c.chain, parsed)
	}
	return nil
}

func (c *Certificate) complete() error { return c.Certified.complete() }

// UploadCertificate keeps a certificate with those that come along. Its errors are ErrNotFound, *Invalid, or a failure to store.
func (d *Directory) UploadCertificate(ctx context.Context, caller Caller, environmentID string, u Upload) (Certificate, error) {
	problems := usageProblems(u, UsageEncryption, UsageSigning, UsageTLS, UsageIssuance)
	made, more := readCertificate(u, d.opts.Now())
	if problems = append(problems, more...); len(problems) > 0 {
		return Certificate{}, &Invalid{problems}
	}
	err := d.alter(ctx, environmentID, func(e *environment) (change, error) {
		made.ID, made.EnvironmentID, made.UsageType, made.CreatedAt = uuid.NewString(), environmentID, u.UsageType, d.opts.Now()
		return change{
			writes:        []write{{key: storageKey(certificateKey, environmentID, made.ID), value: made}},
			events:        []event.Event{d.certifiedEvent(caller, "CERTIFICATE", "certificates", "Created", made.Certified)},
			apply:         func() { e.certificates.put(made) },
			subscriptions: e.verifying(),
		}, nil
	})
	return made, err
}

const (
	maxCertificates = 50       // of one file
	maxPKCS7        = 64 << 10 // bytes; reading nested containers costs more than their size
)

func readCertificate(u Upload, now time.Time) (Certificate, []body.Problem) {
	read, problems := readCertificates(u)
	for _, c := range read.chain {
		problems = append(problems, certificateProblems(c, now)...)
	}
	return Certificate{read}, slices.CompactFunc(problems, func(a, b body.Problem) bool { return a == b })
}

// readCertificates reads PEM, DER or PKCS #7 (V14). Of several certificates the one that signed none of the others
// comes first.
func readCertificates(u Upload) (Certified, []body.Problem) {
	if u.File == nil {
		return Certified{}, []body.Problem{missing("file")}
	}
	c := Certified{Chain: certificatesIn(u.File)}
	if err := c.complete(); err != nil || len(c.Chain) > maxCertificates {
		return Certified{}, []body.Problem{{
			Code: body.InvalidValue, Target: "file", Message: "The file must have an X.509 certificate as PEM or DER, or PKCS #7.",
		}}
	}
	leaf := slices.IndexFunc(c.chain, func(one *x509.Certificate) bool {
		return !slices.ContainsFunc(c.chain, func(other *x509.Certificate) bool {
			return other != one && bytes.Equal(other.RawIssuer, one.RawSubject)
		})
	})
	if leaf > 0 {
		c.chain[0], c.chain[leaf] = c.chain[leaf], c.chain[0]
		c.Chain[0], c.Chain[leaf] = c.Chain[leaf], c.Chain[0]
	}
	return c, nil
}

// certificatesIn returns the certificates of a file in DER; none if it has anything else.
func certificatesIn(file []byte) [][]byte {
	block, rest := pem.Decode(file)
	if block == nil {
		if c, err := x509.ParseCertificate(file); err == nil {
			return [][]byte{c.Raw}
		}
		return inPKCS7(file)
	}
	var chain [][]byte
	for ; block != nil && len(chain) <= maxCertificates; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			chain = append(chain, block.Bytes)
		case "PKCS7", "CMS":
			chain = append(chain, inPKCS7(block.Bytes)...)
		default:
			return nil
		}
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil
	}
	return chain
}

func inPKCS7(der []byte) (chain [][]byte) {
	if len(der) > maxPKCS7 {
		return nil
	}
	// The library reads what anybody may send; should it stumble, the file is not readable.
	defer func() {
		if recover() != nil {
			chain = nil
		}
	}()
	read, err := pkcs7.Parse(der)
	if err != nil {
		return nil
	}
	for _, c := range read.Certificates {
		chain = append(chain, c.Raw)
	}
	return chain
}

// PKCS7 returns the certificates as PKCS #7 without a signature, in DER.
func (c Certified) PKCS7() ([]byte, error) {
	return pkcs7.DegenerateCertificate(bytes.Join(c.Chain, nil))
}

// certificateProblems demands a certificate that is valid now, with a key and a signature that are strong enough (V14).
func certificateProblems(c *x509.Certificate, now time.Time) []body.Problem {
	var problems []body.Problem
	refuse := func(message string) {
		problems = append(problems, body.Problem{Code: body.ConstraintViolation, Target: "file", Message: message})
	}
	if now.Before(c.NotBefore) {
		refuse("The certificate is not valid yet.")
	}
	if now.After(c.NotAfter) {
		refuse("The certificate has expired.")
	}
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < 2048 {
			refuse("An RSA key must have at least 2048 bits.")
		}
	case *ecdsa.PublicKey: // every curve that can be parsed has 224 bits or more
	default:
		refuse("The key must be RSA or EC.")
	}
	if SignatureAlgorithm(c) == "" {
		refuse("The signature must use SHA-256 or stronger.")
	}
	return problems
}

// SignatureAlgorithm is the platform's name for how a certificate is signed; empty if it is not accepted (G1).
func SignatureAlgorithm(c *x509.Certificate) string {
	switch c.SignatureAlgorithm {
	case x509.SHA256WithRSA, x509.SHA256WithRSAPSS:
		return "SHA256withRSA"
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS:
		return "SHA384withRSA"
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS:
		return "SHA512withRSA"
	case x509.ECDSAWithSHA256:
		return "SHA256withECDSA"
	case x509.ECDSAWithSHA384:
		return "SHA384withECDSA"
	case x509.ECDSAWithSHA512:
		return "SHA512withECDSA"
	}
	return ""
}

// GetCertificate returns one certificate.
func (d *Directory) GetCertificate(environmentID, id string) (Certificate, error) {
	e, ok := d.environment(environmentID)
	if !ok {
		return Certificate{}, ErrNotFound
	}
	c, ok := e.certificates.get(id)
	if !ok {
		return Certificate{}, ErrNotFound
	}
	return c, nil
}

// ListCertificates returns an environment's certificates, oldest first.
func (d *Directory) ListCertificates(environmentID string) ([]Certificate, error) {
	e, ok := d.environment(environmentID)
	if !ok {
		return nil, ErrNotFound
	}
	return e.certificates.list(), nil
}

// DeleteCertificate removes a certificate; deliveries stop trusting it.
func (d *Directory) DeleteCertificate(ctx context.Context, caller Caller, environmentID, id string) error {
	return d.alter(ctx, environmentID, func(e *environment) (change, error) {
		old, ok := e.certificates.get(id)
		if !ok {
			return change{}, ErrNotFound
		}
		return change{
			writes:        []write{{key: storageKey(certificateKey, environmentID, id), old: old}},
			events:        []event.Event{d.certifiedEvent(caller, "CERTIFICATE", "certificates", "Deleted", old.Certified)},
			apply:         func() { e.certificates.remove(id) },
			subscriptions: e.verifying(),
		}, nil
	})
}

// verifying returns the subscriptions that a change of the trusted certificates concerns.
func (e *environment) verifying() []string {
	return e.subscribed(func(s subscription.Subscription) bool { return s.VerifyTLS })
}

func (d *Directory) certifiedEvent(c Caller, resource, plural, done string, r Certified) event.Event {
	return d.audit(c, done, event.Resource{
		Type: resource, ID: r.ID, Name: r.Name(), EnvironmentID: r.EnvironmentID, Href: c.href(r.EnvironmentID, plural, r.ID),
	}, "")
}
