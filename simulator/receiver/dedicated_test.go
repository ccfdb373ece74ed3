package receiver_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hookproof/hookproof/simulator/receiver"
)

func TestDedicatedListenerClosesAndOpensOnTheSamePort(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint(`{"listener":{"mode":"trusted","dedicated":true},"behaviour":{"steps":[{},{"hang":true}]}}`)
	path := "/inspect/endpoints/" + endpoint.Get("id").String()
	hook := endpoint.Get("dedicated.url").String()
	client := trusting(t, endpoint.Get("dedicated.certificate").String())

	if !endpoint.Get("dedicated.open").Bool() {
		t.Error("the listener is not open at first")
	}
	if response, _ := d.do(client, d.request("POST", hook, "[]")); response.StatusCode != http.StatusOK {
		t.Errorf("status %d", response.StatusCode)
	}
	cut := make(chan error, 1)
	request := d.request("POST", hook, "[]")
	go func() {
		response, err := client.Do(request)
		if err == nil {
			response.Body.Close()
		}
		cut <- err
	}()
	d.deliveries(endpoint, 2)

	for range 3 {
		answer := d.want(http.StatusOK, "PUT", path+"/listener", `{"open":false}`)
		if answer.Get("open").Bool() || answer.Get("url").String() != hook {
			t.Errorf("closing answered %s", answer)
		}
		if _, err := newClient(t, nil).Do(d.request("POST", hook, "[]")); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("closed: got %v, want a refused connection", err)
		}
		if answer := d.want(http.StatusOK, "PUT", path+"/listener", `{"open":true}`); !answer.Get("open").Bool() || answer.Get("url").String() != hook {
			t.Errorf("opening answered %s", answer)
		}
		if response, _ := d.do(newClient(t, nil), d.request("POST", hook, "[]")); response.StatusCode != http.StatusOK {
			t.Errorf("open again: status %d", response.StatusCode)
		}
	}
	if err := <-cut; err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the request that hung when the port closed: %v", err)
	}
	d.deliveries(endpoint, 5)
}

func TestDedicatedListenerCanBeginClosed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint(`{"listener":{"mode":"plain","dedicated":true,"open":false}}`)
	hook, err := url.Parse(endpoint.Get("dedicated.url").String())
	if err != nil {
		t.Fatal(err)
	}
	var port int
	if _, err := fmt.Sscan(hook.Port(), &port); err != nil || port < 20000 || port > 32000 {
		t.Errorf("port %s is not between 20000 and 32000", hook.Port())
	}
	if _, err := newClient(t, nil).Do(d.request("POST", hook.String(), "[]")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want a refused connection", err)
	}
	d.want(http.StatusOK, "PUT", "/inspect/endpoints/"+endpoint.Get("id").String()+"/listener", `{"open":true}`)
	if response, _ := d.do(newClient(t, nil), d.request("POST", hook.String(), "[]")); response.StatusCode != http.StatusOK {
		t.Errorf("status %d", response.StatusCode)
	}
	d.want(http.StatusNoContent, "DELETE", "/inspect/endpoints/"+endpoint.Get("id").String(), "")
	if _, err := newClient(t, nil).Do(d.request("POST", hook.String(), "[]")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after deleting: got %v, want a refused connection", err)
	}
}

func TestPortTakenMeanwhileIsReported(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint(`{"listener":{"mode":"plain","dedicated":true,"open":false}}`)
	hook, err := url.Parse(endpoint.Get("dedicated.url").String())
	if err != nil {
		t.Fatal(err)
	}
	squatter, err := net.Listen("tcp", hook.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer squatter.Close()
	path := "/inspect/endpoints/" + endpoint.Get("id").String() + "/listener"
	if answer := d.want(http.StatusServiceUnavailable, "PUT", path, `{"open":true}`); !strings.Contains(answer.Get("error").String(), hook.Host) {
		t.Errorf("the error does not name the address: %s", answer)
	}
	squatter.Close()
	d.want(http.StatusOK, "PUT", path, `{"open":true}`)
}

func TestDedicatedCertificatesAreTheirOwn(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	for _, mode := range []string{"self-signed", "unknown-ca"} {
		request := `{"listener":{"mode":"` + mode + `","dedicated":true}}`
		one, other := d.endpoint(request), d.endpoint(request)
		client := trusting(t, one.Get("dedicated.certificate").String())
		d.do(client, d.request("POST", one.Get("dedicated.url").String(), "[]"))
		if _, err := client.Do(d.request("POST", other.Get("dedicated.url").String(), "[]")); err == nil {
			t.Errorf("%s: who trusts one listener trusts the other", mode)
		}
		if _, err := client.Do(d.request("POST", one.Get("urls."+mode).String(), "[]")); err == nil {
			t.Errorf("%s: who trusts the dedicated listener trusts the shared one", mode)
		}
	}
}

func TestDedicatedListenerShowsAnotherCertificate(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint(`{"listener":{"mode":"mtls-optional","dedicated":true}}`)
	path, hook := "/inspect/endpoints/"+endpoint.Get("id").String()+"/listener", endpoint.Get("dedicated.url").String()
	first := trusting(t, endpoint.Get("dedicated.certificate").String())
	if response, _ := d.do(first, d.request("POST", hook, "[]")); response.StatusCode != http.StatusOK {
		t.Fatalf("status %d", response.StatusCode)
	}
	for _, shown := range []string{"self-signed", "wrong-host", "expired"} {
		answer := d.want(http.StatusOK, "PUT", path, `{"shows":"`+shown+`"}`)
		if !answer.Get("open").Bool() || answer.Get("url").String() != hook || answer.Get("mode").String() != "mtls-optional" {
			t.Errorf("%s: answered %s", shown, answer)
		}
		if _, err := first.Do(d.request("POST", hook, "[]")); err == nil {
			t.Errorf("%s: the certificate is still trusted", shown)
		}
		if shown == "self-signed" {
			if response, _ := d.do(trusting(t, answer.Get("certificate").String()), d.request("POST", hook, "[]")); response.StatusCode != http.StatusOK {
				t.Errorf("%s: status %d", shown, response.StatusCode)
			}
		}
	}
	d.want(http.StatusOK, "PUT", path, `{"shows":"plain"}`)
	if response, _ := d.do(newClient(t, nil), d.request("POST", strings.Replace(hook, "https", "http", 1), "[]")); response.StatusCode != http.StatusOK {
		t.Errorf("plain: status %d", response.StatusCode)
	}
	if answer := d.want(http.StatusOK, "PUT", path, `{"shows":"trusted","open":false}`); answer.Get("open").Bool() {
		t.Errorf("closed: answered %s", answer)
	}
	if answer := d.want(http.StatusOK, "PUT", path, `{"shows":"trusted"}`); answer.Get("open").Bool() {
		t.Errorf("still closed: answered %s", answer)
	}
	for _, refused := range []string{`{"shows":"tcp"}`, `{"shows":"nothing"}`, `{}`} {
		d.want(http.StatusBadRequest, "PUT", path, refused)
	}
	plain := d.endpoint(`{"listener":{"mode":"plain","dedicated":true}}`)
	d.want(http.StatusBadRequest, "PUT", "/inspect/endpoints/"+plain.Get("id").String()+"/listener", `{"shows":"trusted"}`)
	shared := d.endpoint(`{}`)
	d.want(http.StatusConflict, "PUT", "/inspect/endpoints/"+shared.Get("id").String()+"/listener", `{"shows":"trusted"}`)
}

func TestConnectionsTellHowTheHandshakeWent(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	dial := func(d *desk, address, first string) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			d.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := fmt.Fprint(conn, first); err != nil {
			d.Fatal(err)
		}
		if first != "" {
			_, _ = conn.Read(make([]byte, 1)) // so that closing does not overtake the bytes
		}
	}
	shake := func(d *desk, address string, config *tls.Config) {
		if conn, err := tls.Dial("tcp", address, config); err == nil {
			_ = conn.SetDeadline(time.Now().Add(patience))
			_, _ = conn.Read(make([]byte, 1)) // a refusal by the server comes after the client's handshake
			conn.Close()
		}
	}
	identity := clientIdentity(t)
	for name, c := range map[string]struct {
		mode      receiver.Mode
		call      func(d *desk, address string)
		handshake string
		problem   string
	}{
		"client refuses": {receiver.SelfSigned, func(d *desk, a string) { shake(d, a, &tls.Config{}) }, "failed", "bad certificate"},
		"client refuses over TLS 1.2": {receiver.Expired, func(d *desk, a string) {
			shake(d, a, &tls.Config{MaxVersion: tls.VersionTLS12})
		}, "failed", "bad certificate"},
		"client has no certificate": {receiver.MTLS, func(d *desk, a string) { shake(d, a, &tls.Config{InsecureSkipVerify: true}) }, "failed", "didn't provide a certificate"},
		"client is too old": {receiver.Trusted, func(d *desk, a string) {
			shake(d, a, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
		}, "failed", "version"},
		"client speaks HTTP":      {receiver.Trusted, func(d *desk, a string) { dial(d, a, "GET / HTTP/1.1\r\n\r\n") }, "failed", "does not look like a TLS handshake"},
		"client says nothing":     {receiver.Trusted, func(d *desk, a string) { dial(d, a, "") }, "failed", "EOF"},
		"plain, HTTP":             {receiver.Plain, func(d *desk, a string) { dial(d, a, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") }, "none", ""},
		"plain, TLS":              {receiver.Plain, func(d *desk, a string) { shake(d, a, &tls.Config{}) }, "none", "not HTTP: 1603"},
		"plain, a JSON line":      {receiver.Plain, func(d *desk, a string) { dial(d, a, "{\"a\":1}\r\n\r\n") }, "none", "not HTTP: 7b2261223a317d0d0a0d0a"},
		"plain, nothing":          {receiver.Plain, func(d *desk, a string) { dial(d, a, "") }, "none", "closed before the first byte"},
		"good with a certificate": {receiver.MTLS, nil, "ok", ""},
		"optional without":        {receiver.MTLSOptional, nil, "ok", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &desk{T: t, receiver: d.receiver}
			endpoint := d.endpoint(`{"listener":{"mode":"` + string(c.mode) + `","dedicated":true}}`)
			hook, err := url.Parse(endpoint.Get("dedicated.url").String())
			if err != nil {
				t.Fatal(err)
			}
			if c.call != nil {
				c.call(d, hook.Host)
			} else {
				client := trusting(t, endpoint.Get("dedicated.certificate").String(), func(config *tls.Config) {
					if c.mode == receiver.MTLS {
						config.Certificates = []tls.Certificate{identity.TLS()}
					}
				})
				d.do(client, d.request("POST", hook.String(), "[]"))
			}
			connection := d.connections(endpoint, 1)[0]
			if connection.Get("handshake").String() != c.handshake || !strings.Contains(connection.Get("error").String(), c.problem) ||
				c.problem == "" && connection.Get("error").Exists() {
				t.Errorf("recorded %s, want %s %q", connection, c.handshake, c.problem)
			}
			if good := c.handshake == "ok"; connection.Get("tls").IsObject() != good {
				t.Errorf("TLS facts: %s", connection)
			}
			if c.mode == receiver.MTLS && c.call == nil && connection.Get("tls.clientCertificates.0.sha256").String() != identity.Fingerprint() {
				t.Errorf("the client's certificate is not in %s", connection)
			}
			if connection.Get("seq").Int() != 1 || connection.Get("remoteAddr").String() == "" || recordedAt(t, connection.Get("at")).After(time.Now()) {
				t.Errorf("recorded %s", connection)
			}
		})
	}
}

// A client that keeps its connection makes one, one that does not makes many.
func TestEveryConnectionIsRecordedOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint(`{"listener":{"mode":"trusted","dedicated":true}}`)
	for range 2 {
		client := trusting(t, endpoint.Get("dedicated.certificate").String())
		for range 3 {
			d.do(client, d.request("POST", endpoint.Get("dedicated.url").String(), "[]"))
		}
	}
	d.deliveries(endpoint, 6)
	connections := d.connections(endpoint, 2)
	if len(connections) != 2 || connections[1].Get("seq").Int() != 2 {
		t.Errorf("connections %v", connections)
	}
}
