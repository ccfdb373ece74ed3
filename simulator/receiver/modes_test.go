package receiver_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/receiver"
)

func clientIdentity(t *testing.T) *pki.Identity {
	t.Helper()
	identity, err := pki.SelfSigned(pki.Leaf{Name: "emitter", Client: true})
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

// A client that verifies must accept or refuse each listener for the reason
// that gives the listener its name.
func TestVerifyingClientMeetsEveryListener(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	listeners := d.want(http.StatusOK, "GET", "/inspect", "").Get("listeners")
	if got, want := len(listeners.Map()), len(receiver.Modes()); got != want {
		t.Fatalf("%d listeners, want %d", got, want)
	}
	identity := clientIdentity(t)
	presenting := func(c *tls.Config) { c.Certificates = []tls.Certificate{identity.TLS()} }

	authority := func(err error) bool { var e x509.UnknownAuthorityError; return errors.As(err, &e) }
	hostname := func(err error) bool { var e x509.HostnameError; return errors.As(err, &e) }
	dates := func(err error) bool {
		var e x509.CertificateInvalidError
		return errors.As(err, &e) && e.Reason == x509.Expired
	}
	certificateRequired := func(err error) bool {
		return err != nil && (strings.Contains(err.Error(), "certificate required") || strings.Contains(err.Error(), "connection reset") || strings.Contains(err.Error(), "broken pipe"))
	}
	root := string(d.receiver.RootPEM())
	for name, c := range map[string]struct {
		mode    receiver.Mode
		trust   string
		change  func(*tls.Config)
		refused func(error) bool
	}{
		"trusted":                               {receiver.Trusted, root, nil, nil},
		"trusted, called localhost":             {receiver.Trusted, root, func(c *tls.Config) { c.ServerName = "localhost" }, nil},
		"self-signed":                           {receiver.SelfSigned, root, nil, authority},
		"self-signed, trusted":                  {receiver.SelfSigned, listeners.Get("self-signed.certificate").String(), nil, nil},
		"unknown CA":                            {receiver.UnknownCA, root, nil, authority},
		"unknown CA, trusted":                   {receiver.UnknownCA, listeners.Get("unknown-ca.certificate").String(), nil, nil},
		"wrong host":                            {receiver.WrongHost, root, nil, hostname},
		"wrong host, called by its name":        {receiver.WrongHost, root, func(c *tls.Config) { c.ServerName = "other.invalid" }, nil},
		"expired":                               {receiver.Expired, root, nil, dates},
		"mtls without a certificate":            {receiver.MTLS, root, nil, certificateRequired},
		"mtls with a certificate":               {receiver.MTLS, root, presenting, nil},
		"optional mtls without a certificate":   {receiver.MTLSOptional, root, nil, nil},
		"optional mtls with a certificate":      {receiver.MTLSOptional, root, presenting, nil},
		"mtls over TLS 1.2 with a certificate":  {receiver.MTLS, root, func(c *tls.Config) { presenting(c); c.MaxVersion = tls.VersionTLS12 }, nil},
		"mtls over TLS 1.2 without certificate": {receiver.MTLS, root, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, func(err error) bool { return err != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.change == nil {
				c.change = func(*tls.Config) {}
			}
			d := &desk{T: t, receiver: d.receiver}
			endpoint := d.endpoint("")
			response, err := trusting(t, c.trust, c.change).Do(d.request("POST", endpoint.Get("urls."+string(c.mode)).String(), "[]"))
			if err == nil {
				response.Body.Close()
			}
			switch {
			case c.refused == nil && err != nil:
				t.Fatalf("refused: %v", err)
			case c.refused == nil:
				delivery := d.deliveries(endpoint, 1)[0]
				if got := delivery.Get("listener").String(); got != string(c.mode) {
					t.Errorf("recorded at listener %q", got)
				}
			case err == nil || !c.refused(err):
				t.Fatalf("got %v", err)
			case len(d.want(http.StatusOK, "GET", "/inspect/endpoints/"+endpoint.Get("id").String()+"/deliveries", "").Get("deliveries").Array()) > 0:
				t.Error("a delivery was recorded although the handshake failed")
			}
		})
	}
}

func TestPlainListenerTakesHTTP(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint("")
	if url := endpoint.Get("urls.plain").String(); !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Errorf("plain URL is %q", url)
	}
	if status := d.post(endpoint, "[]"); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	if got := d.deliveries(endpoint, 1)[0].Get("tls"); got.Type != gjson.Null || !got.Exists() {
		t.Errorf("TLS facts of a plain delivery: %s", got.Raw)
	}
}

func TestTLSFactsAreRecorded(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	identity := clientIdentity(t)
	for name, c := range map[string]struct {
		version uint16
		mode    receiver.Mode
		want    string
		proto   string
		nexts   []string
	}{
		"TLS 1.2, HTTP/1.1":  {tls.VersionTLS12, receiver.MTLS, "TLS 1.2", "HTTP/1.1", []string{"http/1.1"}},
		"TLS 1.3, HTTP/2":    {tls.VersionTLS13, receiver.MTLS, "TLS 1.3", "HTTP/2.0", nil},
		"no certificate, h2": {tls.VersionTLS13, receiver.MTLSOptional, "TLS 1.3", "HTTP/2.0", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &desk{T: t, receiver: d.receiver}
			endpoint := d.endpoint("")
			client := trusting(t, string(d.receiver.RootPEM()), func(config *tls.Config) {
				config.MinVersion, config.MaxVersion = c.version, c.version
				config.NextProtos, config.ServerName = c.nexts, "localhost"
				if c.mode == receiver.MTLS {
					config.Certificates = []tls.Certificate{identity.TLS()}
				}
			})
			d.do(client, d.request("POST", endpoint.Get("urls."+string(c.mode)).String(), "[]"))
			delivery := d.deliveries(endpoint, 1)[0]
			if got := delivery.Get("proto").String(); got != c.proto {
				t.Errorf("proto %s, want %s", got, c.proto)
			}
			facts := delivery.Get("tls")
			if facts.Get("version").String() != c.want || facts.Get("serverName").String() != "localhost" || !strings.HasPrefix(facts.Get("cipherSuite").String(), "TLS_") {
				t.Errorf("facts %s", facts)
			}
			certificates := facts.Get("clientCertificates").Array()
			if c.mode != receiver.MTLS {
				if len(certificates) != 0 {
					t.Errorf("certificates of a client that has none: %s", facts)
				}
				return
			}
			if len(certificates) != 1 || certificates[0].Get("sha256").String() != identity.Fingerprint() ||
				certificates[0].Get("serial").String() != identity.Certificate().SerialNumber.String() ||
				!strings.Contains(certificates[0].Get("subject").String(), "CN=emitter") {
				t.Errorf("client certificates %s, want %s", facts, identity.Fingerprint())
			}
		})
	}
}
