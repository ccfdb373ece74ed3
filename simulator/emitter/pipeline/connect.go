package pipeline

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// Trust is what a subscription's connections are made with.
type Trust struct {
	// Roots of verified connections: the machine's and those the emitter was
	// given. The pool belongs to the connection.
	Roots *x509.CertPool
	// Uploaded are the environment's SSL/TLS certificates, trusted as well (V1).
	Uploaded []*x509.Certificate
	// Client is presented to receivers that ask for a certificate; nil for none.
	Client *tls.Certificate
}

// TLSConfig returns the TLS settings of the subscription (V1): without
// verification every certificate is trusted; with it the chain must lead to a
// trusted root, or the certificate itself be one, and the host name must fit.
func TLSConfig(s subscription.Subscription, t Trust) *tls.Config {
	for _, certificate := range t.Uploaded {
		t.Roots.AddCert(certificate)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: t.Roots, InsecureSkipVerify: !s.VerifyTLS}
	if t.Client != nil {
		client := t.Client
		// Presented also when the receiver's list of authorities does not name
		// its issuer: which certificate to show is the subscription's choice.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return client, nil }
	}
	return c
}

const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second
	idleConnection   = 30 * time.Second
)

// Connect returns the transport of one subscription: HTTP/1.1 or 2 over TLS
// over IPv4 (S1), connections kept for the next delivery, no proxy.
func (n Networks) Connect(config *tls.Config) http.RoundTripper {
	dialer := n.dialer()
	return &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp4", address)
		},
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    handshakeTimeout,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        idleConnection,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

var errNoKey = errors.New("the subscription's key pair does not exist")

// trust gathers what the subscription's connections need.
func trust(d Directory, roots func() *x509.CertPool, s subscription.Subscription) (Trust, error) {
	t := Trust{Roots: roots(), Uploaded: d.Trusted(s.EnvironmentID)}
	if s.KeyID != "" {
		pair, ok := d.KeyPair(s.EnvironmentID, s.KeyID)
		if !ok {
			return Trust{}, errNoKey
		}
		t.Client = &pair
	}
	return t, nil
}

// Roots returns a function that makes pools of the machine's roots and the
// given certificates.
func Roots(extra []*x509.Certificate) func() *x509.CertPool {
	return func() *x509.CertPool {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool() // a machine without roots trusts what it is given
		}
		for _, c := range extra {
			pool.AddCert(c)
		}
		return pool
	}
}
