package receiver

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
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
	// NotYetValid presents a trusted chain whose leaf begins tomorrow.
	NotYetValid Mode = "not-yet-valid"
	// MTLS presents a trusted chain and requires a client certificate. Any
	// will do: who may call is the judge's question, not the receiver's.
	MTLS Mode = "mtls"
	// MTLSOptional presents a trusted chain and asks for a client
	// certificate.
	MTLSOptional Mode = "mtls-optional"
	// MTLSVerified presents a trusted chain and requires a client certificate
	// that leads to the root or to Options.ClientCAs.
	MTLSVerified Mode = "mtls-verified"
	// Plain speaks HTTP without TLS.
	Plain Mode = "plain"
	// TCP takes lines of bytes, each a delivery, and answers nothing. It has
	// no path that could name an endpoint: every sink is a dedicated
	// listener.
	TCP Mode = "tcp"
	// TLSTCP does likewise over TLS with a trusted chain.
	TLSTCP Mode = "tls-tcp"
)

// Modes returns the modes of the listeners that all endpoints share.
func Modes() []Mode {
	return []Mode{Trusted, SelfSigned, UnknownCA, WrongHost, Expired, NotYetValid, MTLS, MTLSOptional, MTLSVerified, Plain}
}

// DedicatedModes returns the modes that a dedicated listener can have.
func DedicatedModes() []Mode { return append(Modes(), TCP, TLSTCP) }

func (m Mode) valid() bool { return slices.Contains(DedicatedModes(), m) }

// sink says whether the mode takes lines instead of requests.
func (m Mode) sink() bool { return m == TCP || m == TLSTCP }

// scheme is the URL scheme by which the mode is reached.
func (m Mode) scheme() string {
	switch m {
	case Plain:
		return "http"
	case TCP:
		return "tcp"
	case TLSTCP:
		return "tls"
	}
	return "https"
}

// TLSChoice narrows what a listener does in a handshake.
type TLSChoice struct {
	// Min and Max are "1.2" or "1.3". Empty: both versions.
	Min string `json:"min,omitempty"`
	Max string `json:"max,omitempty"`
	// ServerNames are names for each of which the listener has a certificate
	// of its own, beside the one for everybody else.
	ServerNames []string `json:"-"`
	// Subject is the common name of the listener's certificates, and of the root
	// below which they are, which is then made for it alone. Empty: they are called
	// after the mode, and share the receiver's root.
	Subject string `json:"-"`

	issuer *pki.Authority // of that name; nil: the receiver's
}

// maxServerNames bounds the certificates of one listener.
const maxServerNames = 32

// versions returns the versions of the crypto/tls package.
func (c TLSChoice) versions() (least, most uint16, err error) {
	known := map[string]uint16{"": 0, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}
	least, ok := known[c.Min]
	if !ok {
		return 0, 0, fmt.Errorf("min: %q is neither 1.2 nor 1.3", c.Min)
	}
	if most, ok = known[c.Max]; !ok {
		return 0, 0, fmt.Errorf("max: %q is neither 1.2 nor 1.3", c.Max)
	}
	least = max(least, tls.VersionTLS12)
	if most != 0 && most < least {
		return 0, 0, fmt.Errorf("max: %s is below min", c.Max)
	}
	return least, most, nil
}

// authorities issue what the listeners present.
type authorities struct {
	root      *pki.Authority
	hosts     []string
	choice    TLSChoice        // of every listener that makes none of its own
	given     *tls.Certificate // instead of trusted chains, or nil
	clientCAs []byte           // PEM, beside the root
}

// newAuthorities makes the root. Leaves are made out to the loopback names and
// to the host by which URLs name the receiver.
func newAuthorities(o Options) (*authorities, error) {
	root, err := pki.NewAuthority("hookproof receiver root")
	if err != nil {
		return nil, err
	}
	hosts := []string{"127.0.0.1", "localhost"}
	if !slices.Contains(hosts, o.AdvertiseHost) {
		hosts = append(hosts, o.AdvertiseHost)
	}
	return &authorities{root: root, hosts: hosts, choice: o.TLS, given: o.Certificate, clientCAs: o.ClientCAs}, nil
}

// present makes a new certificate for the mode, such as the mode that is shown
// presents; usually they are the same. It returns the configuration
// of the listener and, as PEM, what a client must trust to accept it: the
// self-signed certificate itself, or the root of its issuer. For modes without
// TLS both are empty.
func (a *authorities) present(mode, shown Mode, choice TLSChoice) (*tls.Config, string, error) {
	if mode == Plain || mode == TCP {
		return nil, "", nil
	}
	if choice.Min == "" && choice.Max == "" {
		choice.Min, choice.Max = a.choice.Min, a.choice.Max
	}
	least, most, err := choice.versions()
	if err != nil {
		return nil, "", err
	}
	certificates, trust, err := a.certificates(shown, choice)
	if err != nil {
		return nil, "", fmt.Errorf("make certificate of the %s listener: %w", mode, err)
	}
	config := &tls.Config{
		// Of several the first is chosen that fits the name asked for.
		Certificates: certificates,
		MinVersion:   least,
		MaxVersion:   most,
		NextProtos:   []string{"h2", "http/1.1"},
		// Every connection then shows the whole handshake, and with it the
		// client's certificate and its judgement of the server's.
		SessionTicketsDisabled: true,
	}
	if mode.sink() {
		config.NextProtos = nil
	}
	switch mode {
	case MTLS:
		config.ClientAuth = tls.RequireAnyClientCert
	case MTLSOptional:
		config.ClientAuth = tls.RequestClientCert
	case MTLSVerified:
		config.ClientAuth = tls.RequireAndVerifyClientCert
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AddCert(a.root.Certificate())
		config.ClientCAs.AppendCertsFromPEM(a.clientCAs)
	}
	return config, string(trust), nil
}

// certificates makes what the listener presents: one for each server name, the
// first for everybody.
func (a *authorities) certificates(mode Mode, choice TLSChoice) ([]tls.Certificate, []byte, error) {
	if a.given != nil && slices.Contains([]Mode{Trusted, MTLS, MTLSOptional, MTLSVerified, TLSTCP}, mode) {
		top := a.given.Certificate[len(a.given.Certificate)-1]
		return []tls.Certificate{*a.given}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: top}), nil
	}
	issuer := cmp.Or(choice.issuer, a.root)
	if mode == UnknownCA {
		unknown, err := pki.NewAuthority(cmp.Or(choice.Subject, "hookproof unknown root"))
		if err != nil {
			return nil, nil, err
		}
		issuer = unknown
	}
	subject := cmp.Or(choice.Subject, "hookproof receiver "+string(mode))
	first, trust, err := a.identity(subject, mode, issuer, a.hosts)
	if err != nil {
		return nil, nil, err
	}
	certificates := []tls.Certificate{first.TLS()}
	for _, name := range choice.ServerNames {
		identity, own, err := a.identity(subject, mode, issuer, []string{name})
		if err != nil {
			return nil, nil, err
		}
		certificates = append(certificates, identity.TLS())
		if mode == SelfSigned {
			trust = append(trust, own...)
		}
	}
	return certificates, trust, nil
}

// identity makes one certificate.
func (a *authorities) identity(subject string, mode Mode, issuer *pki.Authority, hosts []string) (*pki.Identity, []byte, error) {
	leaf := pki.Leaf{Name: subject, Hosts: hosts, Intermediate: true}
	switch mode {
	case SelfSigned:
		leaf.Intermediate = false
		identity, err := pki.SelfSigned(leaf)
		if err != nil {
			return nil, nil, err
		}
		return identity, identity.PEM(), nil
	case WrongHost:
		leaf.Hosts = []string{"other.invalid"}
	case Expired:
		leaf.NotBefore = time.Now().Add(-30 * 24 * time.Hour)
		leaf.NotAfter = time.Now().Add(-24 * time.Hour)
	case NotYetValid:
		leaf.NotBefore = time.Now().Add(24 * time.Hour)
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
