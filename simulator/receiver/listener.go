package receiver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/hookproof/hookproof/simulator/receiver/record"
)

const (
	readHeaderTimeout = 30 * time.Second
	idleTimeout       = 5 * time.Minute
	maxHeaderBytes    = 256 << 10
	// The ports of dedicated listeners lie below the range from which
	// systems take ports for outgoing connections (32768 on Linux, 49152 by
	// RFC 6335), so that nobody takes the port while the listener is closed.
	dedicatedPortFirst = 20000
	dedicatedPortLast  = 32000
	dedicatedPortTries = 200
)

// listener is a TCP port with an HTTP server behind it that can be closed and
// opened again on the same port.
type listener struct {
	mode        Mode
	host        string // to bind to
	advertised  string // to put into the URL
	handler     http.Handler
	lines       func(context.Context, net.Conn, *peer) // instead of handler, on a sink
	connections *record.Log[Connection]                // nil: not recorded
	errorLog    *log.Logger

	mu          sync.Mutex
	tlsConfig   *tls.Config // nil without TLS
	certificate string      // PEM of what a client must trust
	port        int         // 0 until first opened
	open        *serving    // nil while closed
}

// Certificate is the PEM of what a client must trust; empty without TLS.
func (l *listener) Certificate() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.certificate
}

// present shows another certificate from the next opening on.
func (l *listener) present(config *tls.Config, certificate string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tlsConfig, l.certificate = config, certificate
}

// URL returns scheme, host and port. It is empty before the first opening.
func (l *listener) URL() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.port == 0 {
		return ""
	}
	return l.mode.scheme() + "://" + net.JoinHostPort(l.advertised, strconv.Itoa(l.port))
}

// Port returns the port, 0 before the first opening.
func (l *listener) Port() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.port
}

// IsOpen says whether the port takes connections.
func (l *listener) IsOpen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open != nil
}

// Open listens on the port of the last opening, or on any free port the first
// time. It does nothing if the listener is open.
func (l *listener) Open() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.openOn(l.port)
}

// OpenDedicated opens the listener for the first time on a free port among
// those for dedicated listeners.
func (l *listener) OpenDedicated() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	for range dedicatedPortTries {
		port := dedicatedPortFirst + rand.IntN(dedicatedPortLast-dedicatedPortFirst+1)
		if err = l.openOn(port); !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
	}
	return fmt.Errorf("no free port among %d tried: %w", dedicatedPortTries, err)
}

// openOn listens on the port. l.mu is held.
func (l *listener) openOn(port int) error {
	if l.open != nil {
		return nil
	}
	address := net.JoinHostPort(l.host, strconv.Itoa(port))
	inner, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	if tcp, ok := inner.Addr().(*net.TCPAddr); ok {
		l.port = tcp.Port
	}
	l.open = l.serve(newGreeter(inner, l.tlsConfig, l.lines != nil, l.connections))
	return nil
}

// Close closes the port and its connections and waits until everything that
// served them has ended. It does nothing if the listener is closed.
func (l *listener) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open != nil {
		l.open.close()
		l.open = nil
	}
}

// serving is one opening of a listener.
type serving struct {
	greeter *greeter
	server  *http.Server
	cancel  context.CancelFunc // ends the context of every request
	served  chan struct{}      // closed when the server accepts no more
	conns   sync.WaitGroup     // connections that the server works on
	gate    gate               // requests that the handler works on
}

func (l *listener) serve(g *greeter) *serving {
	ctx, cancel := context.WithCancel(context.Background())
	s := &serving{greeter: g, cancel: cancel, served: make(chan struct{})}
	if l.lines != nil {
		s.server = &http.Server{} // so that closing is the same
		go l.serveLines(ctx, s)
		return s
	}
	s.server = &http.Server{
		Handler:           s.gate.guard(l.handler),
		TLSConfig:         l.tlsConfig,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          l.errorLog,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       l.withPeer,
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.conns.Add(1)
			case http.StateClosed, http.StateHijacked:
				s.conns.Done()
			}
		},
	}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(g) // it ends only by being closed
	}()
	return s
}

// serveLines hands every connection to the sink.
func (l *listener) serveLines(ctx context.Context, s *serving) {
	defer close(s.served)
	for {
		conn, err := s.greeter.Accept()
		if err != nil {
			return
		}
		s.conns.Go(func() {
			defer conn.Close()
			l.lines(ctx, conn, l.peer(conn))
		})
	}
}

func (s *serving) close() {
	s.cancel()
	_ = s.greeter.Close()
	_ = s.server.Close()
	<-s.served
	s.greeter.closeConnections()
	s.gate.close()
	s.conns.Wait()
}

// peer is what the requests of one connection have in common.
type peer struct {
	mode      Mode
	transport *transport
	tls       *TLSFacts
}

type peerKey struct{}

// withPeer is called once a connection, after its handshake.
func (l *listener) withPeer(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, l.peer(conn))
}

func (l *listener) peer(conn net.Conn) *peer {
	p := &peer{mode: l.mode, transport: below(conn)}
	if t, ok := conn.(*tls.Conn); ok {
		p.tls = tlsFacts(t.ConnectionState())
	}
	return p
}

func peerOf(ctx context.Context) *peer {
	p, _ := ctx.Value(peerKey{}).(*peer)
	return p
}

// gate counts the requests being handled, so that closing can wait for them.
// The HTTP server itself does not wait for the handlers of HTTP/2 streams.
type gate struct {
	mu     sync.Mutex
	inside sync.WaitGroup
	closed bool
}

func (g *gate) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		if g.closed {
			g.mu.Unlock()
			panic(http.ErrAbortHandler)
		}
		g.inside.Add(1)
		g.mu.Unlock()
		defer g.inside.Done()
		next.ServeHTTP(w, r)
	})
}

// close turns new requests away and waits for those inside.
func (g *gate) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.inside.Wait()
}
