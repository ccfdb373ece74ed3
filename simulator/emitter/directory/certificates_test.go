package directory_test

import (
	"crypto/tls"
	"net"
	"testing"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

func TestOnlyCertificatesForTLSAreTrusted(t *testing.T) {
	t.Parallel()
	d, _, _ := open(t)
	env := environment(t, d)
	authority, err := pki.NewAuthority("Root")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.UploadCertificate(t.Context(), caller, env, directory.Upload{UsageType: directory.UsageSigning, File: authority.PEM()}); err != nil {
		t.Fatal(err)
	}
	if got := d.Trusted(env); len(got) != 0 {
		t.Errorf("trusted: %v", got)
	}
}

func TestImportedKeyShakesHandsAlsoAfterARestart(t *testing.T) {
	t.Parallel()
	d, l, js := open(t)
	env := environment(t, d)
	authority, err := pki.NewAuthority("Root")
	if err != nil {
		t.Fatal(err)
	}
	identity, err := authority.Issue(pki.Leaf{Name: "client", Client: true, Intermediate: true})
	if err != nil {
		t.Fatal(err)
	}
	file, err := identity.PKCS12("p")
	if err != nil {
		t.Fatal(err)
	}
	key, err := d.ImportKey(t.Context(), caller, env, directory.Upload{UsageType: directory.UsageOutboundMTLS, File: file, Password: "p"})
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]*directory.Directory{"now": d, "after a restart": reopen(t, js, l)} {
		pair, ok := d.KeyPair(env, key.ID)
		if !ok || !pair.Leaf.Equal(identity.Certificate()) || len(pair.Certificate) < 2 {
			t.Fatalf("%s: pair of %d certificates, %v", name, len(pair.Certificate), ok)
		}
		handshake(t, pair, authority)
	}
	if _, ok := d.KeyPair(env, "no"); ok {
		t.Error("there is a pair for an unknown key")
	}
}

// handshake presents a client certificate to a server that demands one.
func handshake(t *testing.T, pair tls.Certificate, authority *pki.Authority) {
	t.Helper()
	server, err := authority.Issue(pki.Leaf{Hosts: []string{"localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	accepted := make(chan error, 1)
	go func() {
		conn := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{server.TLS()}, ClientAuth: tls.RequireAnyClientCert})
		accepted <- conn.Handshake()
	}()
	conn := tls.Client(near, &tls.Config{Certificates: []tls.Certificate{pair}, InsecureSkipVerify: true})
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = conn.Read(make([]byte, 1)) }() // lets the server send its session ticket
	if err := <-accepted; err != nil {
		t.Fatal(err)
	}
}
