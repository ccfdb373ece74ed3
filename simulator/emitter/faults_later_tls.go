package emitter

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

func laterTLSFaults() []Fault {
	return []Fault{
		{"tls-after-success", "A certificate is verified until a first delivery has succeeded.", []string{"DLV-TLS-002", "DLV-TLS-008"},
			trusting(func(s subscription.Subscription, done bool, state tls.ConnectionState, roots *x509.CertPool) error {
				if done {
					return nil
				}
				return fits(s, state, roots)
			})},
		{"hostname-after-success", "The host name of a certificate is verified until a first delivery has succeeded.", []string{"DLV-TLS-008"},
			trusting(func(s subscription.Subscription, done bool, state tls.ConnectionState, roots *x509.CertPool) error {
				if done {
					return chainOnly(roots)(state)
				}
				return fits(s, state, roots)
			})},
		{"expiry-after-success", "That a certificate has expired counts until a first delivery has succeeded.", []string{"DLV-TLS-002"},
			trusting(func(s subscription.Subscription, done bool, state tls.ConnectionState, roots *x509.CertPool) error {
				err := fits(s, state, roots)
				var invalid x509.CertificateInvalidError
				if done && errors.As(err, &invalid) && invalid.Reason == x509.Expired {
					return nil
				}
				return err
			})},
		{"first-upload-only", "Of the uploaded certificates only the first is trusted.", []string{"DLV-TLS-003"},
			uploadsTrusted(func(all []*x509.Certificate) []*x509.Certificate { return all[:min(1, len(all))] })},
		{"last-upload-only", "Of the uploaded certificates only the last is trusted.", []string{"DLV-TLS-003"},
			uploadsTrusted(func(all []*x509.Certificate) []*x509.Certificate { return all[max(0, len(all)-1):] })},
		{"cleartext-after-success", "Once a delivery has succeeded, a receiver that speaks no TLS gets the payload in clear text.", []string{"DLV-TLS-009"},
			func(p *Pieces) {
				done := succeeded(p)
				sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
					if done(a.Subscription.ID) {
						t = clearText{t}
					}
					return inner.Attempt(ctx, t, a)
				})(p)
			}},
		{"client-cert-once", "The client certificate is presented on the first connection only.", []string{"DLV-TLS-006"},
			func(p *Pieces) {
				var once sync.Map // by the subscription's id
				shown(func(s subscription.Subscription) bool {
					_, again := once.LoadOrStore(s.ID, true)
					return !again
				})(p)
			}},
		{"client-cert-until-success", "The client certificate is presented until a first delivery has succeeded.", []string{"DLV-TLS-006"},
			func(p *Pieces) {
				done := succeeded(p)
				shown(func(s subscription.Subscription) bool { return !done(s.ID) })(p)
			}},
		{"client-cert-remembered", "After a change of the key the certificate of the old one is presented.", []string{"DLV-TLS-006"},
			func(p *Pieces) {
				var first sync.Map // how to present a certificate, by the subscription's id
				secured(func(s subscription.Subscription, c *tls.Config) {
					if c.GetClientCertificate != nil {
						present, _ := first.LoadOrStore(s.ID, c.GetClientCertificate)
						c.GetClientCertificate, _ = present.(func(*tls.CertificateRequestInfo) (*tls.Certificate, error))
					}
				})(p)
			}},
		{"client-cert-of-creations", "The certificate of a key is presented only if the subscription was never changed.", []string{"DLV-TLS-006"},
			secured(func(s subscription.Subscription, c *tls.Config) {
				if !s.UpdatedAt.IsZero() {
					c.GetClientCertificate = nil
				}
			})},
		{"lax-host", "Nothing is verified at a host to which another subscription delivers without verification.", []string{"DLV-TLS-002"}, laxHost},
		{"test-trusts-everything", "A connection test verifies nothing and presents no certificate.", []string{"DLV-TLS-002"},
			probing(func(ctx context.Context, p pipeline.Pieces, _ http.RoundTripper, a pipeline.Attempt) pipeline.Result {
				t := p.Connect(&tls.Config{InsecureSkipVerify: true})
				if c, ok := t.(interface{ CloseIdleConnections() }); ok {
					defer c.CloseIdleConnections()
				}
				return pipeline.Probe(ctx, p, t, a)
			})},
	}
}

// trusting lets a fault decide which certificates a subscription that verifies
// them trusts, knowing whether a delivery has succeeded.
func trusting(decide func(s subscription.Subscription, done bool, state tls.ConnectionState, roots *x509.CertPool) error) func(*Pieces) {
	return func(p *Pieces) {
		done := succeeded(p)
		secured(func(s subscription.Subscription, c *tls.Config) {
			if s.VerifyTLS {
				roots := c.RootCAs
				c.InsecureSkipVerify, c.VerifyConnection = true, func(state tls.ConnectionState) error {
					return decide(s, done(s.ID), state, roots)
				}
			}
		})(p)
	}
}

// uploadsTrusted lets a fault choose among the uploaded certificates.
func uploadsTrusted(choose func([]*x509.Certificate) []*x509.Certificate) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.Pipeline.TLS
		p.Pipeline.TLS = func(s subscription.Subscription, t pipeline.Trust) *tls.Config {
			t.Uploaded = choose(slices.Clone(t.Uploaded))
			return previous(s, t)
		}
	}
}

// fits verifies the chain and the name, as without a fault.
func fits(s subscription.Subscription, state tls.ConnectionState, roots *x509.CertPool) error {
	if err := chainOnly(roots)(state); err != nil {
		return err
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		return err
	}
	return state.PeerCertificates[0].VerifyHostname(u.Hostname())
}

// shown lets a fault decide, connection by connection, whether the client
// certificate is presented.
func shown(decide func(subscription.Subscription) bool) func(*Pieces) {
	return secured(func(s subscription.Subscription, c *tls.Config) {
		previous := c.GetClientCertificate
		if previous == nil {
			return
		}
		c.GetClientCertificate = func(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if !decide(s) {
				return &tls.Certificate{}, nil
			}
			return previous(asked)
		}
	})
}
