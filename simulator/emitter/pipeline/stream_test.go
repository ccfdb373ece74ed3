package pipeline_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// drain is a TCP receiver that reads lines.
type drain struct {
	listener net.Listener
	lines    chan string

	done sync.WaitGroup
	mu   sync.Mutex
	open map[net.Conn]bool
	met  int // connections
}

func newDrain(t *testing.T, config *tls.Config) *drain {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	d := &drain{listener: l, lines: make(chan string, 10_000), open: map[net.Conn]bool{}}
	d.serve(l)
	t.Cleanup(func() {
		_ = d.listener.Close()
		d.hangUpAll()
		d.done.Wait()
	})
	return d
}

func (d *drain) serve(l net.Listener) {
	d.listener = l
	d.done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			d.mu.Lock()
			d.met++
			d.open[conn] = true
			d.mu.Unlock()
			d.done.Go(func() { d.read(conn) })
		}
	})
}

func (d *drain) read(conn net.Conn) {
	defer func() {
		_ = conn.Close()
		d.mu.Lock()
		delete(d.open, conn)
		d.mu.Unlock()
	}()
	for in := bufio.NewReader(conn); ; {
		line, err := in.ReadString('\n')
		if err != nil { // part of a line is no event
			return
		}
		d.lines <- strings.TrimSuffix(line, "\n")
	}
}

func (d *drain) hangUpAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for conn := range d.open {
		_ = conn.Close()
	}
}

func (d *drain) connections() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.met
}

// next is the next line, which must come.
func (d *drain) next(t *testing.T) string {
	t.Helper()
	select {
	case line := <-d.lines:
		return line
	case <-time.After(long):
		t.Fatal("no line came")
		return ""
	}
}

func (d *drain) url(scheme string) string { return scheme + "://" + d.listener.Addr().String() }

func tcpTo(url string) subscription.Subscription {
	s := webhook("tcp")
	s.Protocol, s.URL, s.VerifyTLS = subscription.TCPIP, url, false
	return s
}

// quick are pieces that hold and wait for little.
func (w *world) quick() {
	p := *w.pieces.Load()
	p.Linger, p.Backoff = time.Millisecond, pipeline.Backoff(time.Millisecond, 10*time.Millisecond)
	w.pieces.Store(&p)
}

func TestADocumentALineGoesOverOneConnection(t *testing.T) {
	t.Parallel()
	a := authority(t)
	config := &tls.Config{Certificates: []tls.Certificate{issue(t, a, pki.Leaf{Hosts: loopback}).TLS()}}
	for scheme, config := range map[string]*tls.Config{"tcp": nil, "tls": config, "tcps": config} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			d, w := newDrain(t, config), newWorld()
			w.quick()
			s := tcpTo(d.url(scheme))
			s.TCPFormat = subscription.JSONDoc
			w.put(s)
			w.start()
			defer w.dispatcher.Close()
			for i := range 5 {
				w.append(created(2*i), typed("OTHER", 0), created(2*i+1))
				for n := range 2 {
					if line, want := d.next(t), fmt.Sprint(2*i+n); !gjson.Valid(line) || gjson.Get(line, "id").String() != want {
						t.Fatalf("%s in place of event %s", line, want)
					}
				}
			}
			if n := d.connections(); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// While nobody listens nothing is lost and nothing overtakes.
func TestAStreamWaitsForItsReceiver(t *testing.T) {
	t.Parallel()
	d, w := newDrain(t, nil), newWorld()
	address := d.listener.Addr().String()
	_ = d.listener.Close()
	w.quick()
	failures := make(chan int, 10_000)
	p := *w.pieces.Load()
	p.Backoff = func(n int) time.Duration { failures <- n; return time.Millisecond }
	w.pieces.Store(&p)
	w.put(tcpTo("tcp://" + address))
	w.start()
	defer w.dispatcher.Close()
	for i := range 20 {
		w.append(created(i))
	}
	for <-failures < 3 {
	}
	again, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("the port was taken meanwhile: %v", err)
	}
	d.serve(again)
	for i := range 20 {
		if line := d.next(t); gjson.Get(line, "id").String() != fmt.Sprint(i) {
			t.Fatalf("event %d: %s", i, line)
		}
	}
}

// A receiver that ends the connection gets the next payloads over a new one.
func TestAStreamIsMadeAnew(t *testing.T) {
	t.Parallel()
	d := newDrain(t, nil)
	stream := pipeline.Networks{}.Open(nil)
	defer stream.Close()
	write := func(line string) pipeline.Result {
		a := pipeline.Attempt{Subscription: tcpTo(d.url("tcp")), Payload: pipeline.Payload{Body: []byte(line + "\n")}}
		r := pipeline.Write(t.Context(), stream, a)
		if pipeline.Delivered(a, r) != (r.Err == nil) {
			t.Errorf("delivered, and %v", r)
		}
		return r
	}
	if r := write("first"); r.Err != nil || d.next(t) != "first" {
		t.Fatalf("first: %v", r)
	}
	d.hangUpAll()
	// The end may be on its way still, and a line be lost with it.
	waitFor(t, func() bool { write("later"); return d.connections() == 2 })
	if got := d.next(t); got != "later" {
		t.Errorf("%q over the new connection", got)
	}
}

func TestAReceiverThatReadsNothingTimesOut(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	stream := pipeline.Networks{}.Open(nil)
	defer stream.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r := pipeline.Write(ctx, stream, pipeline.Attempt{
		Subscription: tcpTo("tcp://" + l.Addr().String()), Payload: pipeline.Payload{Body: make([]byte, 64<<20)},
	})
	if !errors.Is(r.Err, context.DeadlineExceeded) {
		t.Errorf("got %v", r)
	}
}

func TestStreamsOverTLSTrustWhomTheSubscriptionTrusts(t *testing.T) {
	t.Parallel()
	a, clients := authority(t), authority(t)
	client := issue(t, clients, pki.Leaf{Name: "client", Client: true}).TLS()
	seen := make(chan *x509.Certificate, 10)
	d := newDrain(t, &tls.Config{
		Certificates: []tls.Certificate{issue(t, a, pki.Leaf{Hosts: loopback}).TLS()}, ClientAuth: tls.RequestClientCert,
		VerifyConnection: func(c tls.ConnectionState) error {
			var shown *x509.Certificate
			if len(c.PeerCertificates) > 0 {
				shown = c.PeerCertificates[0]
			}
			seen <- shown
			return nil
		},
	})
	for name, c := range map[string]struct {
		verify  bool
		trust   pipeline.Trust
		trusted bool
	}{
		"unverified":             {false, pipeline.Trust{}, true},
		"unverified with client": {false, pipeline.Trust{Client: &client}, true},
		"verified":               {true, pipeline.Trust{}, false},
		"verified and uploaded":  {true, pipeline.Trust{Uploaded: []*x509.Certificate{a.Certificate()}}, true},
	} {
		s := tcpTo(d.url("tls"))
		s.VerifyTLS, c.trust.Roots = c.verify, x509.NewCertPool()
		stream := pipeline.Networks{}.Open(pipeline.TLSConfig(s, c.trust))
		r := pipeline.Write(t.Context(), stream, pipeline.Attempt{Subscription: s, Payload: pipeline.Payload{Body: []byte(name + "\n")}})
		if (r.Err == nil) != c.trusted {
			t.Errorf("%s: %v", name, r)
		}
		if r.Err == nil {
			if line := d.next(t); line != name {
				t.Errorf("%s: %q", name, line)
			}
			if shown := <-seen; (shown != nil) != (c.trust.Client != nil) {
				t.Errorf("%s: client certificate %v", name, shown)
			}
		}
		stream.Close()
	}
}

func TestWhatIsNoStreamIsRefused(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"http://127.0.0.1:1", "udp://127.0.0.1:1", "tcp://169.254.169.254:80", "tcp://127.0.0.1:1", "://"} {
		stream := pipeline.Networks{}.Open(nil)
		r := pipeline.Write(t.Context(), stream, pipeline.Attempt{Subscription: tcpTo(url)})
		if r.Err == nil {
			t.Errorf("%s was written to", url)
		}
		stream.Close()
	}
}

// A subscription that is suspended lets go of its connection.
func TestASuspendedStreamIsClosed(t *testing.T) {
	t.Parallel()
	d, w := newDrain(t, nil), newWorld()
	w.quick()
	s := tcpTo(d.url("tcp"))
	w.put(s)
	w.start()
	defer w.dispatcher.Close()
	w.append(created(1))
	d.next(t)
	s.Enabled = false
	w.put(s)
	waitFor(t, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return len(d.open) == 0
	})
}

// What is retried has the form that is wanted now.
func TestARetryHasTheFormOfNow(t *testing.T) {
	t.Parallel()
	s := webhook("a")
	bubble(t, s, func(_ int, body string) int {
		if !strings.Contains(body, `"event":{`) {
			return 500
		}
		return 200
	}, func(w *world, r *script) {
		w.append(created(1))
		after(5 * time.Second)
		s.Format = subscription.Splunk
		w.put(s)
		after(time.Minute)
		calls := r.all()
		if last := calls[len(calls)-1]; last.status != 200 || gjson.Get(last.body, "0.event.id").String() != "1" {
			t.Errorf("last: %+v", last)
		}
	})
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	deadline := time.After(long)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it never happened")
		}
	}
}
