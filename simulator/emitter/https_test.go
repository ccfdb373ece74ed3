package emitter_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/emitter"
)

// reaching is a client that trusts one authority and finds every host at the
// emitter's port.
func reaching(t *testing.T, e *emitter.Emitter, ca []byte, http2 bool) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatalf("no certificate in %q", ca)
	}
	address, err := url.Parse(e.URL())
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: http2}
	dialer := &net.Dialer{}
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", address.Port()))
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func fetch(t *testing.T, c *http.Client, r *http.Request) (*http.Response, string) {
	t.Helper()
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func tokenOver(t *testing.T, c *http.Client, e *emitter.Emitter) string {
	t.Helper()
	environment, id, secret := e.Bootstrap()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.URL()+"/"+environment+"/as/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, body := fetch(t, c, r)
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("token: %d %s", answer.StatusCode, body)
	}
	return gjson.Get(body, "access_token").Str
}

func environmentsOver(t *testing.T, c *http.Client, base, token string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v1/environments", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return fetch(t, c, r)
}

func TestTheAPIIsServedOverTLSUnderTheGivenNames(t *testing.T) {
	t.Parallel()
	e, err := emitter.Start(t.Context(), emitter.Options{HTTPS: emitter.HTTPS{On: true, Hosts: []string{"api.pingone.example", "auth.pingone.example"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	if !strings.HasPrefix(e.URL(), "https://api.pingone.example:") {
		t.Errorf("links begin with %s", e.URL())
	}
	port := e.URL()[strings.LastIndex(e.URL(), ":"):]
	for _, http2 := range []bool{false, true} {
		c := reaching(t, e, e.Authority(), http2)
		token := tokenOver(t, c, e)
		for _, host := range []string{"api.pingone.example", "auth.pingone.example", "localhost", "127.0.0.1", "[::1]"} {
			answer, body := environmentsOver(t, c, "https://"+host+port, token)
			if answer.StatusCode != http.StatusOK || answer.ProtoMajor == 2 != http2 {
				t.Errorf("%s: %s %s %s", host, answer.Proto, answer.Status, body)
			}
			if self := gjson.Get(body, "_links.self.href").Str; !strings.HasPrefix(self, e.URL()+"/v1/") {
				t.Errorf("link %q", self)
			}
		}
		if _, err := c.Get("https://elsewhere.example" + port + "/healthz"); err == nil {
			t.Error("a name that was not given is accepted")
		}
	}
}

func TestTokensAndTheAuthorityOutliveARestart(t *testing.T) {
	t.Parallel()
	o := emitter.Options{Dir: t.TempDir(), HTTPS: emitter.HTTPS{On: true}}
	first, err := emitter.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ca := first.Authority()
	token := tokenOver(t, reaching(t, first, ca, true), first)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := emitter.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Close() })
	if !bytes.Equal(ca, again.Authority()) {
		t.Error("the authority is another one")
	}
	if answer, body := environmentsOver(t, reaching(t, again, ca, true), again.URL(), token); answer.StatusCode != http.StatusOK {
		t.Errorf("the token of the first start: %s %s", answer.Status, body)
	}
	other, err := emitter.Start(t.Context(), emitter.Options{HTTPS: emitter.HTTPS{On: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	if answer, _ := environmentsOver(t, reaching(t, other, other.Authority(), true), other.URL(), token); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("another emitter's token is answered %s", answer.Status)
	}
}

func TestTheAPIPresentsACertificateOfOnesOwn(t *testing.T) {
	t.Parallel()
	ca, err := pki.NewAuthority("own")
	if err != nil {
		t.Fatal(err)
	}
	identity, err := ca.Issue(pki.Leaf{Hosts: []string{"own.example"}, Intermediate: true})
	if err != nil {
		t.Fatal(err)
	}
	key, err := identity.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	e, err := emitter.Start(t.Context(), emitter.Options{HTTPS: emitter.HTTPS{
		On: true, Certificate: identity.ChainPEM(), Key: key, Hosts: []string{"own.example"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	if e.Authority() != nil {
		t.Error("an authority is offered that signed nothing")
	}
	c := reaching(t, e, ca.PEM(), true)
	if answer, _ := environmentsOver(t, c, e.URL(), tokenOver(t, c, e)); answer.StatusCode != http.StatusOK {
		t.Error(answer.Status)
	}
}

func TestTLSOptionsThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]emitter.HTTPS{
		"hosts without TLS":         {Hosts: []string{"a.example"}},
		"certificate without TLS":   {Certificate: []byte("x"), Key: []byte("y")},
		"certificate without key":   {On: true, Certificate: []byte("x")},
		"key without certificate":   {On: true, Key: []byte("x")},
		"certificate that is none":  {On: true, Certificate: []byte("x"), Key: []byte("y")},
		"an empty host among hosts": {On: true, Hosts: []string{"a.example", ""}},
	} {
		if err := (emitter.Options{HTTPS: h}).Check(); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
