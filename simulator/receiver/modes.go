package receiver

import (
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/hookproof/hookproof/fixtures/pki"
)

// Mode is how a listener presents itself to its clients.
type Mode string

// The modes of the listeners.
const (
	// Trusted presents a leaf and an intermediate that lead to the root.
	Trusted Mode = "trusted"
	// SelfSigned presents a certificate that is its own issuer.
	SelfSigned Mode = "self-signed"
	// UnknownCA presents a leaf of an authority that nobody trusts unless
	// told to.
	UnknownCA Mode = "unknown-ca"
	// WrongHost presents a trusted chain made out to other.invalid.
	WrongHost Mode = "wrong-host"
	// Expired presents a trusted chain whose leaf ended yesterday.
	Expired Mode = "expired"
	// MTLS presents a trusted chain and requires a client certificate. Any
	// will do: who may call is the judge's question, not the receiver's.
	MTLS Mode = "mtls"
	// MTLSOptional presents a trusted chain and asks for a client
	// certificate.
	MTLSOptional Mode = "mtls-optional"
	// Plain speaks HTTP without TLS.
	Plain Mode = "plain"
)

// Modes returns every mode.
func Modes() []Mode {
	return []Mode{Trusted, SelfSigned, UnknownCA, WrongHost, Expired, MTLS, MTLSOptional, Plain}
}

func (m Mode) valid() bool { return slices.Contains(Modes(), m) }

// scheme is the URL scheme by which the mode is reached.
func (m Mode) scheme() string {
	if m == Plain {
		return "http"
	}
	return "https"
}

// authorities issue what the listeners present.
type authorities struct {
	root  *pki.Authority
	hosts []string
}

// newAuthorities makes the root. Leaves are made out to the loopback names and
// to the host by which URLs name the receiver.
func newAuthorities(advertised string) (*authorities, error) {
	root, err := pki.NewAuthority("hookproof receiver root")
	if err != nil {
		return nil, err
	}
	hosts := []string{"127.0.0.1", "localhost"}
	if !slices.Contains(hosts, advertised) {
		hosts = append(hosts, advertised)
	}
	return &authorities{root: root, hosts: hosts}, nil
}

// present makes a new certificate for the mode. It returns the configuration
// of the listener and, as PEM, what a client must trust to accept it: the
// self-signed certificate itself, or the root of its issuer. For the plain
// mode both are empty.
func (a *authorities) present(mode Mode) (*tls.Config, string, error) {
	if mode == Plain {
		return nil, "", nil
	}
	identity, trust, err := a.identity(mode)
	if err != nil {
		return nil, "", fmt.Errorf("make certificate of the %s listener: %w", mode, err)
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{identity.TLS()},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
		// Every connection then shows the whole handshake, and with it the
		// client's certificate and its judgement of the server's.
		SessionTicketsDisabled: true,
	}
	switch mode {
	case MTLS:
		config.ClientAuth = tls.RequireAnyClientCert
	case MTLSOptional:
		config.ClientAuth = tls.RequestClientCert
	}
	return config, string(trust), nil
}

func (a *authorities) identity(mode Mode) (*pki.Identity, []byte, error) {
	leaf := pki.Leaf{Name: "hookproof receiver " + string(mode), Hosts: a.hosts, Intermediate: true}
	issuer := a.root
	switch mode {
	case SelfSigned:
		leaf.Intermediate = false
		identity, err := pki.SelfSigned(leaf)
		if err != nil {
			return nil, nil, err
		}
		return identity, identity.PEM(), nil
	case UnknownCA:
		unknown, err := pki.NewAuthority("hookproof unknown root")
		if err != nil {
			return nil, nil, err
		}
		issuer = unknown
	case WrongHost:
		leaf.Hosts = []string{"other.invalid"}
	case Expired:
		leaf.NotBefore = time.Now().Add(-30 * 24 * time.Hour)
		leaf.NotAfter = time.Now().Add(-24 * time.Hour)
	}
	identity, err := issuer.Issue(leaf)
	if err != nil {
		return nil, nil, err
	}
	return identity, issuer.PEM(), nil
}

// advertisedHost is the host to put into URLs for a listener bound to host: a
// wildcard address is no address that a client could call.
func advertisedHost(host string) string {
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return "127.0.0.1"
	}
	return host
}

// loopback says whether host can be reached from this machine only.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
