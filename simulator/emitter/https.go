package emitter

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"

	"github.com/hookproof/hookproof/fixtures/pki"
)

// HTTPS says how the management API is served over TLS, with HTTP/1.1 and
// HTTP/2. The zero value is plain HTTP.
type HTTPS struct {
	// On serves https, and nothing else.
	On bool
	// Certificate and Key are PEM: the certificate to present, its
	// intermediates after it. Both empty: one is made for Hosts, localhost and
	// the loopback addresses, by an authority that is kept with the data.
	Certificate, Key []byte
	// Hosts are the names and addresses by which clients reach the API. The
	// first of them stands in links when there is no PublicURL.
	Hosts []string
}

// check says what does not fit together.
func (h HTTPS) check() error {
	own := len(h.Certificate) > 0 || len(h.Key) > 0
	switch {
	case !h.On && (own || len(h.Hosts) > 0):
		return errors.New("certificates and host names need TLS for the API")
	case own && (len(h.Certificate) == 0 || len(h.Key) == 0):
		return errors.New("a certificate for the API needs its key, and a key its certificate")
	}
	for _, host := range h.Hosts {
		if host == "" {
			return errors.New("a host name of the API is empty")
		}
	}
	if own {
		if _, err := tls.X509KeyPair(h.Certificate, h.Key); err != nil {
			return fmt.Errorf("certificate of the API: %w", err)
		}
	}
	return nil
}

func (h HTTPS) generated() bool { return h.On && len(h.Certificate) == 0 }

// authority returns the authority that an earlier process made, or a new one.
func authority(ctx context.Context, bucket own) (*pki.Authority, error) {
	value, err := bucket.kept(ctx, "api-authority")
	if err != nil {
		return nil, err
	}
	if value != nil {
		return pki.ParseAuthority(value)
	}
	made, err := pki.NewAuthority("hookproof emitter")
	if err != nil {
		return nil, err
	}
	if value, err = made.Encode(); err != nil {
		return nil, err
	}
	return made, bucket.keep(ctx, "api-authority", value)
}

// openTLS prepares the listener's certificate.
func (e *Emitter) openTLS(ctx context.Context, bucket own) error {
	h := e.options.HTTPS
	if !h.On {
		return nil
	}
	pair, err := e.certificate(ctx, bucket, h)
	if err != nil {
		return fmt.Errorf("certificate of the API: %w", err)
	}
	e.front.tls = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	return nil
}

func (e *Emitter) certificate(ctx context.Context, bucket own, h HTTPS) (tls.Certificate, error) {
	if !h.generated() {
		return tls.X509KeyPair(h.Certificate, h.Key)
	}
	ca, err := authority(ctx, bucket)
	if err != nil {
		return tls.Certificate{}, err
	}
	hosts := slices.Concat(h.Hosts, []string{"localhost", "127.0.0.1", "::1"})
	identity, err := ca.Issue(pki.Leaf{Hosts: hosts})
	if err != nil {
		return tls.Certificate{}, err
	}
	e.authority = ca.PEM()
	return identity.TLS(), nil
}

// Authority is the PEM certificate that clients of the management API must
// trust; nil when it is served over plain HTTP or with a certificate of
// somebody's own.
func (e *Emitter) Authority() []byte { return slices.Clone(e.authority) }

// publicURL is how a client on this machine, or by the first host name,
// reaches the listener.
func publicURL(h HTTPS, address net.Addr) string {
	scheme, host, usual := "http", "localhost", "80"
	if h.On {
		scheme, usual = "https", "443"
	}
	if len(h.Hosts) > 0 {
		host = h.Hosts[0]
	}
	_, port, err := net.SplitHostPort(address.String())
	switch {
	case err != nil:
		return scheme + "://" + address.String()
	case port != usual:
		return scheme + "://" + net.JoinHostPort(host, port)
	case net.ParseIP(host) != nil && net.ParseIP(host).To4() == nil:
		return scheme + "://[" + host + "]"
	}
	return scheme + "://" + host
}

// quietly logs what a server says of its connections, such as handshakes that
// a client broke off: clients' mistakes, of interest to who looks for them.
func quietly(server *http.Server, log *slog.Logger) {
	server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
}
