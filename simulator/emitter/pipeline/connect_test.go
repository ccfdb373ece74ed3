package pipeline_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// seen is a request as a receiver got it.
type seen struct {
	method, target, host, proto string
	header                      http.Header
	body                        string
	client                      *x509.Certificate
}

// receiver is a real server; requests arrive in seen.
type receiver struct {
	*httptest.Server
	seen chan seen
}

func serve(t *testing.T, identity *pki.Identity, config *tls.Config, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{seen: make(chan seen, 100)}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		s := seen{req.Method, req.RequestURI, req.Host, req.Proto, req.Header, string(body), nil}
		if req.TLS != nil && len(req.TLS.PeerCertificates) > 0 {
			s.client = req.TLS.PeerCertificates[0]
		}
		r.seen <- s
		if answer != nil {
			answer(w, req)
		}
	}))
	r.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are the point
	r.EnableHTTP2 = true
	if config == nil {
		config = &tls.Config{}
	}
	r.TLS = config
	if identity != nil {
		r.TLS.Certificates = []tls.Certificate{identity.TLS()}
	}
	r.StartTLS()
	t.Cleanup(r.Close)
	return r
}

func issue(t *testing.T, a *pki.Authority, leaf pki.Leaf) *pki.Identity {
	t.Helper()
	identity, err := a.Issue(leaf)
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

func authority(t *testing.T) *pki.Authority {
	t.Helper()
	a, err := pki.NewAuthority(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// attempt makes one attempt with the default pieces.
func attempt(t *testing.T, s subscription.Subscription, trust pipeline.Trust, timeout time.Duration) pipeline.Result {
	t.Helper()
	p := pipeline.Default()
	if trust.Roots == nil {
		trust.Roots = x509.NewCertPool()
	}
	transport := p.Connect(p.TLS(s, trust))
	defer transport.(*http.Transport).CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return p.Attempt(ctx, transport, pipeline.Attempt{
		Subscription: s, Number: 1, Payload: pipeline.Payload{Body: []byte(`[{"id":"1"}]`), ContentType: "application/json", Events: 1},
	})
}

const long = 30 * time.Second

var loopback = []string{"127.0.0.1", "localhost"}

func TestWhoIsTrusted(t *testing.T) {
	t.Parallel()
	a, other := authority(t), authority(t)
	trusted := issue(t, a, pki.Leaf{Hosts: loopback, Intermediate: true})
	wrongHost := issue(t, a, pki.Leaf{Hosts: []string{"other.invalid"}})
	expired := issue(t, a, pki.Leaf{Hosts: loopback, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-time.Hour)})
	self, err := pki.SelfSigned(pki.Leaf{Hosts: loopback})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		identity *pki.Identity
		verify   bool
		uploaded []*x509.Certificate
		want     bool
	}{
		"unverified self-signed":                {self, false, nil, true},
		"unverified wrong host":                 {wrongHost, false, nil, true},
		"unverified expired":                    {expired, false, nil, true},
		"verified unknown authority":            {trusted, true, nil, false},
		"verified other authority":              {trusted, true, []*x509.Certificate{other.Certificate()}, false},
		"verified uploaded authority":           {trusted, true, []*x509.Certificate{a.Certificate()}, true},
		"verified self-signed":                  {self, true, []*x509.Certificate{a.Certificate()}, false},
		"verified uploaded self-signed":         {self, true, []*x509.Certificate{self.Certificate()}, true},
		"verified wrong host":                   {wrongHost, true, []*x509.Certificate{a.Certificate()}, false},
		"verified wrong host, uploaded itself":  {wrongHost, true, []*x509.Certificate{wrongHost.Certificate()}, false},
		"verified expired":                      {expired, true, []*x509.Certificate{a.Certificate()}, false},
		"verified expired, uploaded itself too": {expired, true, []*x509.Certificate{a.Certificate(), expired.Certificate()}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, c.identity, nil, nil)
			s := webhook("a")
			s.URL, s.VerifyTLS = r.URL, c.verify
			got := attempt(t, s, pipeline.Trust{Uploaded: c.uploaded}, long)
			if pipeline.Delivered(pipeline.Attempt{}, got) != c.want || len(r.seen) > 0 != c.want {
				t.Errorf("got %v and %d requests", got, len(r.seen))
			}
		})
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	r := serve(t, nil, &tls.Config{MaxVersion: tls.VersionTLS11}, nil)
	s := webhook("a")
	s.URL, s.VerifyTLS = r.URL, false
	if got := attempt(t, s, pipeline.Trust{}, long); got.Err == nil {
		t.Errorf("got %v", got)
	}
}

func TestTheClientCertificateIsTheSubscriptions(t *testing.T) {
	t.Parallel()
	a := authority(t)
	server := issue(t, a, pki.Leaf{Hosts: loopback})
	client := issue(t, authority(t), pki.Leaf{Name: "webhook client", Client: true})
	pair := client.TLS()
	for name, c := range map[string]struct {
		auth    tls.ClientAuthType
		client  *tls.Certificate
		want    bool
		present bool
	}{
		"required and given":         {tls.RequireAnyClientCert, &pair, true, true},
		"required and missing":       {tls.RequireAnyClientCert, nil, false, false},
		"optional and given":         {tls.RequestClientCert, &pair, true, true},
		"optional and missing":       {tls.RequestClientCert, nil, true, false},
		"asked of another issuer":    {tls.RequestClientCert, &pair, true, true},
		"not asked for, but at hand": {tls.NoClientCert, &pair, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := &tls.Config{ClientAuth: c.auth}
			if strings.Contains(name, "another") {
				config.ClientCAs = x509.NewCertPool()
				config.ClientCAs.AddCert(a.Certificate())
			}
			r := serve(t, server, config, nil)
			s := webhook("a")
			s.URL = r.URL
			got := attempt(t, s, pipeline.Trust{Uploaded: []*x509.Certificate{a.Certificate()}, Client: c.client}, long)
			if (got.Status == 200) != c.want {
				t.Fatalf("got %v", got)
			}
			if !c.want {
				return
			}
			seen := <-r.seen
			if present := seen.client != nil; present != c.present {
				t.Fatalf("presented: %v", present)
			}
			if c.present && !seen.client.Equal(client.Certificate()) {
				t.Error("another certificate was presented")
			}
		})
	}
}

func TestNothingIsSentInClearText(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	first := make(chan []byte, 1)
	var wait sync.WaitGroup
	wait.Go(func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		b := make([]byte, 5)
		_, _ = io.ReadFull(conn, b)
		first <- b
		_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
	})
	t.Cleanup(func() { listener.Close(); wait.Wait() })
	s := webhook("a")
	s.URL, s.VerifyTLS = "https://"+listener.Addr().String(), false
	if got := attempt(t, s, pipeline.Trust{}, long); got.Err == nil {
		t.Errorf("got %v", got)
	}
	if b := <-first; b[0] != 0x16 { // a TLS handshake record
		t.Errorf("the first bytes were %s", hex.EncodeToString(b))
	}
	s.URL = "http://" + listener.Addr().String()
	if got := attempt(t, s, pipeline.Trust{}, long); got.Err == nil || !strings.Contains(got.Err.Error(), "HTTPS") {
		t.Errorf("a plain URL gave %v", got)
	}
}

func TestTheRequestIsAsConfigured(t *testing.T) {
	t.Parallel()
	r := serve(t, nil, nil, nil)
	s := webhook("a")
	s.URL, s.VerifyTLS = r.URL+"/a%20b/?x=%C3%BC&y=1;2", false
	s.Headers = map[string]string{"Authorization": "Basic dTpw", "x-lower": "A, b;c=\"d\"", "Host": "virtual.example"}
	if got := attempt(t, s, pipeline.Trust{}, long); got.Status != 200 {
		t.Fatal(got)
	}
	got := <-r.seen
	if got.method != "POST" || got.target != "/a%20b/?x=%C3%BC&y=1;2" || got.host != "virtual.example" || got.body != `[{"id":"1"}]` {
		t.Errorf("got %+v", got)
	}
	for name, value := range map[string]string{
		"Authorization": "Basic dTpw", "X-Lower": "A, b;c=\"d\"", "Content-Type": "application/json", "User-Agent": "hookproof-emitter",
	} {
		if got.header.Get(name) != value {
			t.Errorf("%s is %q", name, got.header.Get(name))
		}
	}
	if got.proto != "HTTP/2.0" {
		t.Errorf("protocol is %s", got.proto)
	}
	s.Headers = map[string]string{"content-type": "text/x-own", "user-agent": "own"}
	if got := attempt(t, s, pipeline.Trust{}, long); got.Status != 200 {
		t.Fatal(got)
	}
	if got := <-r.seen; got.header.Get("Content-Type") != "text/x-own" || got.header.Get("User-Agent") != "own" {
		t.Errorf("own headers lost: %v", got.header)
	}
}

func TestOnly200IsAccepted(t *testing.T) {
	t.Parallel()
	elsewhere := serve(t, nil, nil, nil)
	for _, status := range []int{200, 201, 202, 204, 301, 302, 307, 308, 400, 401, 404, 429, 500, 503} {
		r := serve(t, nil, nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(status)
		})
		s := webhook("a")
		s.URL, s.VerifyTLS = r.URL, false
		got := attempt(t, s, pipeline.Trust{}, long)
		if got.Status != status || pipeline.Delivered(pipeline.Attempt{}, got) != (status == 200) {
			t.Errorf("%d gave %v", status, got)
		}
	}
	if n := len(elsewhere.seen); n > 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

func TestABodyWithoutEndDoesNotHideThe200(t *testing.T) {
	t.Parallel()
	r := serve(t, nil, nil, func(w http.ResponseWriter, req *http.Request) {
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		<-req.Context().Done()
	})
	s := webhook("a")
	s.URL, s.VerifyTLS = r.URL, false
	if got := attempt(t, s, pipeline.Trust{}, long); got.Status != 200 {
		t.Error(got)
	}
}

func TestAReceiverThatHangsTimesOut(t *testing.T) {
	t.Parallel()
	r := serve(t, nil, nil, func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	s := webhook("a")
	s.URL, s.VerifyTLS = r.URL, false
	if got := attempt(t, s, pipeline.Trust{}, 50*time.Millisecond); !errors.Is(got.Err, context.DeadlineExceeded) {
		t.Error(got)
	}
}

func TestLinkLocalAddressesAreRefused(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"169.254.169.254", "0.0.0.0", "224.0.0.1"} {
		s := webhook("a")
		s.URL = "https://" + host + "/latest"
		if got := attempt(t, s, pipeline.Trust{}, long); got.Err == nil || !strings.Contains(got.Err.Error(), "refused") {
			t.Errorf("%s gave %v", host, got)
		}
	}
}

// A worker sees uploads and keys that come after its first attempts, and keeps
// its connection while nothing changes.
func TestAWorkerFollowsTrustAndKeys(t *testing.T) {
	t.Parallel()
	a := authority(t)
	var conns sync.Map
	r := serve(t, issue(t, a, pki.Leaf{Hosts: loopback}), &tls.Config{ClientAuth: tls.RequireAnyClientCert},
		func(_ http.ResponseWriter, req *http.Request) { conns.Store(req.RemoteAddr, true) })
	w := newWorld()
	p := *w.pieces.Load()
	p.Linger, p.Backoff = time.Millisecond, pipeline.Backoff(time.Millisecond, 10*time.Millisecond)
	failed := make(chan pipeline.Result, 1000)
	p.Delivered = func(a pipeline.Attempt, res pipeline.Result) bool {
		failed <- res
		return pipeline.Delivered(a, res)
	}
	w.pieces.Store(&p)
	s := webhook("a")
	s.URL, s.KeyID = r.URL, "key"
	w.put(s)
	w.start()
	t.Cleanup(w.dispatcher.Close)
	w.append(created(1))
	expect := func(what string) {
		t.Helper()
		deadline := time.After(long)
		for {
			select {
			case res := <-failed:
				if strings.Contains(res.String(), what) {
					return
				}
			case <-deadline:
				t.Fatalf("never got %q", what)
			}
		}
	}
	expect("key pair does not exist")
	w.mu.Lock()
	client := issue(t, a, pki.Leaf{Name: "c", Client: true})
	w.keys["key"] = client.TLS()
	w.mu.Unlock()
	w.dispatcher.Changed(env, "a")
	expect("unknown authority")
	w.mu.Lock()
	w.trusted = []*x509.Certificate{a.Certificate()}
	w.mu.Unlock()
	w.dispatcher.Changed(env, "a")
	expect("status 200")
	for i := 2; i < 10; i++ {
		w.append(created(i))
		expect("status 200")
	}
	n := 0
	conns.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d connections were made", n)
	}
}

// silencer passes connections on to a server. Once silenced, those made until
// then stay open and bring nothing any more; new ones work.
type silencer struct {
	net.Listener
	to     string
	silent atomic.Int64 // so many of the first connections
	dials  atomic.Int64
	done   sync.WaitGroup
}

func silence(t *testing.T, to string) *silencer {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &silencer{Listener: l, to: to}
	s.done.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			n := s.dials.Add(1)
			s.done.Go(func() { s.pass(n, from) })
		}
	})
	t.Cleanup(func() { l.Close(); s.done.Wait() })
	return s
}

func (s *silencer) pass(n int64, from net.Conn) {
	to, err := net.Dial("tcp4", s.to)
	if err != nil {
		from.Close()
		return
	}
	copied := func(to, from net.Conn) {
		defer to.Close()
		defer from.Close()
		buffer := make([]byte, 32<<10)
		for {
			length, err := from.Read(buffer)
			if err != nil {
				return
			}
			if n <= s.silent.Load() {
				continue
			}
			if _, err := to.Write(buffer[:length]); err != nil {
				return
			}
		}
	}
	s.done.Go(func() { copied(from, to) })
	copied(to, from)
}

// A peer that is gone without a word costs one attempt, whatever the protocol.
func TestAReceiverThatFellSilentIsReachedAnew(t *testing.T) {
	t.Parallel()
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			r := &receiver{seen: make(chan seen, 10)}
			r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
				body, _ := io.ReadAll(req.Body) // what is missing shows
				r.seen <- seen{proto: req.Proto, body: string(body)}
			}))
			r.EnableHTTP2 = proto == "HTTP/2.0"
			r.StartTLS()
			t.Cleanup(r.Close)
			between := silence(t, r.Listener.Addr().String())

			w, counts := newWorld(), &tally{}
			p := *w.pieces.Load()
			p.AttemptTimeout, p.Linger, p.Backoff = 2*time.Second, 0, func(int) time.Duration { return 100 * time.Millisecond }
			w.pieces.Store(&p)
			w.observer = counts
			s := webhook("a")
			s.URL, s.VerifyTLS = "https://"+between.Addr().String(), false
			w.put(s)
			w.start()
			t.Cleanup(w.dispatcher.Close)
			for n := range 2 {
				w.append(created(n))
				select {
				case got := <-r.seen:
					want(t, "protocol", got.proto, proto)
					want(t, "delivered", ids(got.body), []string{fmt.Sprint(n)})
				case <-time.After(10 * time.Second):
					t.Fatalf("event %d was not delivered over %d connections", n, between.dials.Load())
				}
				counts.until(t, n+1)
				between.silent.Store(1)
			}
			want(t, "connections", between.dials.Load(), int64(2))
			want(t, "events attempted again", counts.retriedSoFar(), 1)
		})
	}
}
