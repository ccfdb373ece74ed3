package receiver_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/receiver"
)

// shakes dials the URL's host and returns what the handshake agreed on.
func shakes(t *testing.T, address, roots string, change ...func(*tls.Config)) (tls.ConnectionState, error) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(roots))
	config := &tls.Config{RootCAs: pool, NextProtos: []string{"http/1.1"}}
	for _, c := range change {
		c(config)
	}
	conn, err := tls.Dial("tcp", u.Host, config)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	return conn.ConnectionState(), nil
}

func TestCertificateThatIsNotValidYetIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	_, err := shakes(t, d.receiver.URL(receiver.NotYetValid), string(d.receiver.RootPEM()))
	if err == nil || !strings.Contains(err.Error(), "not yet valid") {
		t.Errorf("got %v", err)
	}
}

// Only certificates of known authorities pass, and the receiver makes some.
func TestClientCertificatesAreVerifiedWhereAskedFor(t *testing.T) {
	t.Parallel()
	own, err := pki.NewAuthority("clients")
	if err != nil {
		t.Fatal(err)
	}
	issue := func(by *pki.Authority) tls.Certificate {
		identity, err := by.Issue(pki.Leaf{Name: "client", Client: true, Intermediate: true})
		if err != nil {
			t.Fatal(err)
		}
		return identity.TLS()
	}
	stranger, err := pki.NewAuthority("strangers")
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, receiver.Options{ClientCAs: own.PEM()})
	made := d.want(http.StatusCreated, "POST", "/inspect/client-certificates", `{"name":"made","password":"p"}`)
	pair, err := tls.X509KeyPair([]byte(made.Get("certificate").String()), []byte(made.Get("key").String()))
	if err != nil || len(decoded(t, made.Get("pkcs12").String())) == 0 {
		t.Fatalf("%v in %s", err, made)
	}
	endpoint := d.endpoint("")
	for name, c := range map[string]struct {
		certificates []tls.Certificate
		passes       bool
	}{
		"none":              {nil, false},
		"of the given ones": {[]tls.Certificate{issue(own)}, true},
		"made by it":        {[]tls.Certificate{pair}, true},
		"a stranger's":      {[]tls.Certificate{issue(stranger)}, false},
	} {
		client := trusting(t, string(d.receiver.RootPEM()), func(config *tls.Config) {
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if c.certificates == nil {
					return &tls.Certificate{}, nil
				}
				return &c.certificates[0], nil
			}
		})
		response, err := client.Do(d.request("POST", endpoint.Get("urls.mtls-verified").String(), "[]"))
		if err == nil {
			response.Body.Close()
		}
		if (err == nil) != c.passes {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, delivery := range d.deliveries(endpoint, 2) {
		if delivery.Get("tls.clientCertificates.0.sha256").String() == "" {
			t.Errorf("no client certificate in %s", delivery.Get("tls"))
		}
	}
}

func TestVersionsOfTLSAreSwitched(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{TLS: receiver.TLSChoice{Max: "1.2"}})
	only := d.endpoint(`{"listener":{"mode":"trusted","dedicated":true,"tls":{"min":"1.3"}}}`)
	root := string(d.receiver.RootPEM())
	state, err := shakes(t, d.receiver.URL(receiver.Trusted), root)
	if err != nil || state.Version != tls.VersionTLS12 {
		t.Errorf("with at most 1.2: %s, %v", tls.VersionName(state.Version), err)
	}
	state, err = shakes(t, only.Get("dedicated.url").String(), root)
	if err != nil || state.Version != tls.VersionTLS13 {
		t.Errorf("with at least 1.3: %s, %v", tls.VersionName(state.Version), err)
	}
	if _, err := shakes(t, only.Get("dedicated.url").String(), root, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }); err == nil {
		t.Error("1.2 passes where 1.3 is the least")
	}
}

// The certificate is that of the name asked for, and the name is recorded.
func TestServerNamesHaveTheirOwnCertificates(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint(`{"listener":{"mode":"trusted","dedicated":true,"serverNames":["a.example","b.example"]}}`)
	root := string(d.receiver.RootPEM())
	for _, name := range []string{"a.example", "b.example"} {
		state, err := shakes(t, endpoint.Get("dedicated.url").String(), root, func(c *tls.Config) { c.ServerName = name })
		if err != nil || len(state.PeerCertificates) == 0 || state.PeerCertificates[0].DNSNames[0] != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := shakes(t, endpoint.Get("dedicated.url").String(), root, func(c *tls.Config) { c.ServerName = "c.example" }); err == nil {
		t.Error("a name without a certificate passes")
	}
	if _, err := shakes(t, endpoint.Get("dedicated.url").String(), root); err != nil {
		t.Errorf("by address: %v", err)
	}
	if got := d.connections(endpoint, 2)[0].Get("tls.serverName").String(); got != "a.example" {
		t.Errorf("recorded %q", got)
	}
}

// A listener with a subject has a root of its own of that name, and nobody else's
// leads to its certificate.
func TestASubjectNamesTheCertificatesOfAListener(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	for _, mode := range []string{"trusted", "self-signed", "mtls-optional"} {
		endpoint := d.endpoint(`{"listener":{"mode":"` + mode + `","dedicated":true,"subject":"mine"}}`)
		at, trust := endpoint.Get("dedicated.url").String(), endpoint.Get("dedicated.certificate").String()
		block, _ := pem.Decode([]byte(trust))
		if block == nil {
			t.Fatalf("%s: no certificate in %s", mode, endpoint)
		}
		top, err := x509.ParseCertificate(block.Bytes)
		if err != nil || top.Subject.CommonName != "mine" {
			t.Errorf("%s: what is to be trusted is %v, %v", mode, top.Subject, err)
		}
		state, err := shakes(t, at, trust)
		if err != nil || state.PeerCertificates[0].Subject.CommonName != "mine" {
			t.Errorf("%s: %v", mode, err)
		}
		if _, err := shakes(t, at, string(d.receiver.RootPEM())); err == nil {
			t.Errorf("%s: the receiver's root leads to it", mode)
		}
		if mode == "self-signed" { // has no root that another could be below
			continue
		}
		d.want(http.StatusOK, "PUT", "/inspect/endpoints/"+endpoint.Get("id").String()+"/listener", `{"shows":"wrong-host"}`)
		if state, err := shakes(t, at, trust, func(c *tls.Config) { c.ServerName = "other.invalid" }); err != nil || state.PeerCertificates[0].Subject.CommonName != "mine" {
			t.Errorf("%s: the next certificate is not below the same root: %v", mode, err)
		}
	}
}

func TestGivenCertificateAndPortsAreUsed(t *testing.T) {
	t.Parallel()
	authority, err := pki.NewAuthority("given")
	if err != nil {
		t.Fatal(err)
	}
	identity, err := authority.Issue(pki.Leaf{Hosts: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	certificate := identity.TLS()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	d := newDesk(t, receiver.Options{Certificate: &certificate, Ports: map[receiver.Mode]int{receiver.Trusted: port}})
	if want := fmt.Sprintf("https://127.0.0.1:%d", port); d.receiver.URL(receiver.Trusted) != want {
		t.Errorf("it is at %s, want %s", d.receiver.URL(receiver.Trusted), want)
	}
	if _, err := shakes(t, d.receiver.URL(receiver.Trusted), string(authority.PEM())); err != nil {
		t.Errorf("the given certificate: %v", err)
	}
	for name, options := range map[string]receiver.Options{
		"a mode that is none":          {Ports: map[receiver.Mode]int{"other": 1}},
		"a port that is none":          {Ports: map[receiver.Mode]int{receiver.Plain: 70_000}},
		"a version that is none":       {TLS: receiver.TLSChoice{Min: "1.1"}},
		"versions upside down":         {TLS: receiver.TLSChoice{Min: "1.3", Max: "1.2"}},
		"authorities without any":      {ClientCAs: []byte("none")},
		"a file where a folder should": {Data: "listeners_test.go"},
	} {
		if r, err := receiver.Start(t.Context(), options); err == nil {
			_ = r.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAuthoritiesAreDownloaded(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	for _, mode := range []receiver.Mode{"", receiver.Trusted, receiver.SelfSigned, receiver.UnknownCA, receiver.MTLSOptional} {
		response, pem := d.do(newClient(t, nil), d.request("GET", d.receiver.InspectURL()+"/inspect/ca.pem?listener="+string(mode), ""))
		if mode == "" {
			mode = receiver.Trusted
		}
		if _, err := shakes(t, d.receiver.URL(mode), string(pem)); err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("%s: %d, %v", mode, response.StatusCode, err)
		}
	}
	for _, mode := range []string{"plain", "tcp", "other"} {
		d.want(http.StatusBadRequest, "GET", "/inspect/ca.pem?listener="+mode, "")
	}
}

func TestBadWishesForListenersAreRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	for body, member := range map[string]string{
		`{"listener":{"mode":"trusted","dedicated":true,"tls":{"min":"1.0"}}}`:          "listener.tls.min",
		`{"listener":{"mode":"trusted","dedicated":true,"serverNames":["a b"]}}`:        "listener.serverNames[0]",
		`{"listener":{"mode":"trusted","dedicated":true,"subject":"a\tb"}}`:             "listener.subject",
		`{"listener":{"mode":"trusted","dedicated":true,"subject":"` + long() + `"}}`:   "listener.subject",
		`{"listener":{"mode":"nothing","dedicated":true}}`:                              "listener.mode",
		`{"emulation":{"kind":"other"}}`:                                                "emulation.kind",
		`{"emulation":{"kind":"newrelic","acknowledge":true}}`:                          "emulation.acknowledge",
		`{"behaviour":{"then":{"cutAfter":1}}}`:                                         "then.cutAfter",
		`{"behaviour":{"then":{"drip":{"bytes":1},"body":"x"}}}`:                        "then.drip.every",
		`{"behaviour":{"then":{"delay":"2s","delayMax":"1s"}}}`:                         "then.delayMax",
		`{"behaviour":{"then":{"redirect":"/x","status":200}}}`:                         "then.redirect",
		`{"behaviour":{"then":{"retryAfter":"1500ms"}}}`:                                "then.retryAfter",
		`{"behaviour":{"rules":[{"do":{}}]}}`:                                           "rules[0].when",
		`{"behaviour":{"rules":[{"when":{"chance":2},"do":{}}]}}`:                       "rules[0].when.chance",
		`{"behaviour":{"rules":[{"when":{"attempt":{"from":3,"to":1}},"do":{}}]}}`:      "rules[0].when.attempt.to",
		`{"behaviour":{"rules":[{"when":{"overRate":{"requests":0}},"do":{}}]}}`:        "rules[0].when.overRate.requests",
		`{"behaviour":{"rules":[{"when":{"unlessHeader":{"a b":"c"}},"do":{}}]}}`:       `rules[0].when.unlessHeader["a b"]`,
		`{"behaviour":{"rules":[{"when":{"largerThan":-1},"do":{}}]}}`:                  "rules[0].when.largerThan",
		`{"behaviour":{"then":{"bodyBytes":5,"body":"x"}}}`:                             "then.bodyBytes",
		`{"behaviour":"nothing"}`:                                                       "behaviour",
		`{"behaviour":{"rules":[{"when":{"method":"a b"},"do":{}}]}}`:                   "rules[0].when.method",
		`{"behaviour":{"rules":[{"when":{"bodyContains":""},"do":{}}]}}`:                "rules[0].when.bodyContains",
		`{"behaviour":{"then":{"status":204,"bodyBytes":5}}}`:                           "then.body",
		`{"behaviour":{"seed":"x"}}`:                                                    "seed",
		`{"behaviour":{"rules":[{"when":{"weather":"fine"},"do":{"status":200}}]}}`:     "rules[0].when.weather",
		`{"behaviour":{"rules":[{"when":{},"do":{"status":200},"else":{}}]}}`:           "rules[0].else",
		`{"behaviour":{"then":{"drip":{"bytes":1,"every":"1us"},"body":"x"}}}`:          "then.drip.every",
		`{"behaviour":{"then":{"reset":true,"bodyBytes":5}}}`:                           "then.bodyBytes",
		`{"listener":{"mode":"tcp","dedicated":true,"serverNames":["` + long() + `"]}}`: "listener.serverNames[0]",
	} {
		if answer := d.want(http.StatusBadRequest, "POST", "/inspect/endpoints", body); !strings.Contains(answer.Get("error").String(), member) {
			t.Errorf("%s: %s does not name %s", body, answer, member)
		}
	}
	if n := len(d.want(http.StatusOK, "GET", "/inspect/endpoints", "").Get("endpoints").Array()); n != 0 {
		t.Errorf("%d endpoints were made", n)
	}
	for path, body := range map[string]string{"/inspect/client-certificates": `{"name":""}`} {
		d.want(http.StatusBadRequest, "POST", path, body)
	}
}

func long() string { return strings.Repeat("x", 300) }
