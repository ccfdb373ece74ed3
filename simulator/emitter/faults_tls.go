package emitter

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// tlsFaults are those of whom a delivery trusts and what it shows.
func tlsFaults() []Fault {
	return []Fault{
		{"trust-everything", "Certificates are not verified although they should be.", []string{"DLV-TLS-002"},
			secured(func(_ subscription.Subscription, c *tls.Config) { c.InsecureSkipVerify = true })},
		{"not-yet-valid-trusted", "A certificate that is not valid yet is trusted.", []string{"DLV-TLS-002"},
			trusting(func(s subscription.Subscription, _ bool, state tls.ConnectionState, roots *x509.CertPool) error {
				leaf := state.PeerCertificates[0]
				if !leaf.NotBefore.After(time.Now()) {
					return fits(s, state, roots)
				}
				chain := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), CurrentTime: leaf.NotBefore.Add(time.Minute)}
				for _, c := range state.PeerCertificates[1:] {
					chain.Intermediates.AddCert(c)
				}
				_, err := leaf.Verify(chain)
				return err
			})},
		{"trust-nothing", "Uploaded certificates create no trust.", []string{"DLV-TLS-003", "DLV-TLS-004"},
			func(p *Pieces) {
				previous := p.Pipeline.TLS
				p.Pipeline.TLS = func(s subscription.Subscription, t pipeline.Trust) *tls.Config {
					t.Uploaded = nil
					return previous(s, t)
				}
			}},
		{"always-verify", "Certificates are verified although they should not be.", []string{"DLV-TLS-001"},
			secured(func(_ subscription.Subscription, c *tls.Config) { c.InsecureSkipVerify = false })},
		{"no-client-certificate", "The client certificate is not presented.", []string{"DLV-TLS-006"},
			secured(func(_ subscription.Subscription, c *tls.Config) { c.GetClientCertificate = nil })},
		{"self-signed-untrusted", "An uploaded certificate is trusted only as an authority.", []string{"DLV-TLS-004"},
			func(p *Pieces) {
				previous := p.Pipeline.TLS
				p.Pipeline.TLS = func(s subscription.Subscription, t pipeline.Trust) *tls.Config {
					t.Uploaded = slices.DeleteFunc(slices.Clone(t.Uploaded), func(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) && !c.IsCA })
					return previous(s, t)
				}
			}},
		{"any-certificate-trusted", "An uploaded certificate is trusted whatever its usage type.", []string{"DLV-TLS-005"},
			uploaded("/certificates", func(k *talk) {
				answer := k.answer
				usage := "\r\n\r\n" + k.get("usageType").Str + "\r\n"
				k.sent = bytes.Replace(k.sent, []byte(usage), []byte("\r\n\r\nSSL/TLS\r\n"), 1)
				k.askAgain(func(*http.Request) {})
				k.answer = answer
			})},
		{"wrong-client-certificate", "The certificate of another key is presented.", []string{"DLV-TLS-006"},
			secured(func(_ subscription.Subscription, c *tls.Config) {
				if c.GetClientCertificate != nil {
					c.GetClientCertificate = presenting(selfMade())
				}
			})},
		{"client-certificate-always", "A client certificate is presented although no key is configured.", []string{"DLV-TLS-007"},
			secured(func(_ subscription.Subscription, c *tls.Config) {
				if c.GetClientCertificate == nil {
					c.GetClientCertificate = presenting(selfMade())
				}
			})},
		{"hostname-ignored", "A certificate for another host name is accepted.", []string{"DLV-TLS-008"},
			secured(func(s subscription.Subscription, c *tls.Config) {
				if s.VerifyTLS {
					c.InsecureSkipVerify, c.VerifyConnection = true, chainOnly(c.RootCAs)
				}
			})},
		{"cleartext-fallback", "A receiver that speaks no TLS gets the payload in clear text.", []string{"DLV-TLS-009"},
			func(p *Pieces) {
				previous := p.Pipeline.Connect
				p.Pipeline.Connect = func(c *tls.Config) http.RoundTripper { return clearText{previous(c)} }
			}},
	}
}

func secured(alter func(subscription.Subscription, *tls.Config)) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.Pipeline.TLS
		p.Pipeline.TLS = func(s subscription.Subscription, t pipeline.Trust) *tls.Config {
			c := previous(s, t)
			alter(s, c)
			return c
		}
	}
}

// chainOnly verifies everything but the name.
func chainOnly(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, c := range state.PeerCertificates[1:] {
			o.Intermediates.AddCert(c)
		}
		_, err := state.PeerCertificates[0].Verify(o)
		return err
	}
}

// clearText tries again without TLS where the other side does not speak it.
type clearText struct{ http.RoundTripper }

func (c clearText) RoundTrip(req *http.Request) (*http.Response, error) {
	answer, err := c.RoundTripper.RoundTrip(req)
	var notTLS tls.RecordHeaderError
	if err == nil || !errors.As(err, &notTLS) && !errors.Is(err, http.ErrSchemeMismatch) || req.GetBody == nil {
		return answer, err
	}
	again := req.Clone(req.Context())
	again.URL.Scheme = "http"
	if again.Body, err = req.GetBody(); err != nil {
		return nil, err
	}
	return c.RoundTripper.RoundTrip(again)
}

func presenting(c *tls.Certificate, err error) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c, err }
}

// selfMade is a certificate that nobody has uploaded.
func selfMade() (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "self-made"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// laxHost verifies nothing at hosts at which a subscription of the environment
// has nothing verified.
func laxHost(p *Pieces) {
	var lax sync.Map // by environment and host
	secured(func(s subscription.Subscription, c *tls.Config) {
		u, err := url.Parse(s.URL)
		if err != nil {
			return
		}
		host := s.EnvironmentID + " " + u.Host
		if !s.VerifyTLS {
			lax.Store(host, true)
		} else if _, ok := lax.Load(host); ok {
			c.InsecureSkipVerify = true
		}
	})(p)
}
