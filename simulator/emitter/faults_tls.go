package emitter

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"

	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// tlsFaults are those of whom a delivery trusts and what it shows.
func tlsFaults() []Fault {
	return []Fault{
		{"trust-everything", "Certificates are not verified although they should be.", []string{"DLV-TLS-002"},
			secured(func(_ subscription.Subscription, c *tls.Config) { c.InsecureSkipVerify = true })},
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
