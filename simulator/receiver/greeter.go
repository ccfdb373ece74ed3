package receiver

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
	"github.com/hookproof/hookproof/simulator/receiver/record"
)

const (
	// handshakeTimeout bounds the time from accepting a connection to the
	// end of its handshake, or to its first byte on a plain listener. It is
	// above what any client waits for a handshake.
	handshakeTimeout = 30 * time.Second
	// maxConnections bounds the open connections of one listener; further
	// ones wait in the kernel's queue.
	maxConnections = 4096
	// acceptPause is the pause after a failure to accept, such as having run
	// out of file descriptors.
	acceptPause = 20 * time.Millisecond
	// sniffBytes is how much of a plain connection is looked at to tell HTTP
	// from something else.
	sniffBytes = 64
)

// greeter is a net.Listener that completes the handshake of a connection and
// records it before the HTTP server sees the connection. That makes visible
// the connections that never carry a request: those where the client refuses
// the certificate, or has none itself.
type greeter struct {
	inner       net.Listener
	tlsConfig   *tls.Config             // nil: plain
	lines       bool                    // plain connections need not be HTTP
	connections *record.Log[Connection] // nil: not recorded
	ctx         context.Context         // ends with the greeter
	stop        context.CancelFunc      //
	slots       chan struct{}           // one for each open connection
	greeted     chan net.Conn           // handed to Accept
	running     sync.WaitGroup          // the accept loop and the handshakes
	mu          sync.Mutex              // guards open
	open        map[*transport]struct{} // every connection not closed yet
}

func newGreeter(inner net.Listener, tlsConfig *tls.Config, lines bool, connections *record.Log[Connection]) *greeter {
	ctx, stop := context.WithCancel(context.Background())
	g := &greeter{
		inner: inner, tlsConfig: tlsConfig, lines: lines, connections: connections, ctx: ctx, stop: stop,
		slots:   make(chan struct{}, maxConnections),
		greeted: make(chan net.Conn),
		open:    map[*transport]struct{}{},
	}
	g.running.Go(g.accept)
	return g
}

// Accept implements net.Listener with connections whose handshake is over.
func (g *greeter) Accept() (net.Conn, error) {
	select {
	case conn := <-g.greeted:
		return conn, nil
	case <-g.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Addr implements net.Listener.
func (g *greeter) Addr() net.Addr { return g.inner.Addr() }

// Close implements net.Listener: no connection is accepted any more and none
// handed out.
func (g *greeter) Close() error {
	g.stop()
	return g.inner.Close()
}

// closeConnections closes what is still open and waits for the handshakes.
// The greeter must have been closed.
func (g *greeter) closeConnections() {
	g.mu.Lock()
	open := make([]*transport, 0, len(g.open))
	for t := range g.open {
		open = append(open, t)
	}
	g.mu.Unlock()
	for _, t := range open {
		t.Close()
	}
	g.running.Wait()
}

func (g *greeter) accept() {
	for {
		select {
		case g.slots <- struct{}{}:
		case <-g.ctx.Done():
			return
		}
		conn, err := g.inner.Accept()
		if err != nil {
			<-g.slots
			if errors.Is(err, net.ErrClosed) {
				return
			}
			select {
			case <-time.After(acceptPause):
				continue
			case <-g.ctx.Done():
				return
			}
		}
		t := g.adopt(conn)
		g.running.Go(func() { g.greet(t) })
	}
}

// adopt books the connection until it is closed.
func (g *greeter) adopt(conn net.Conn) *transport {
	t := &transport{Conn: conn}
	t.release = func() {
		g.mu.Lock()
		delete(g.open, t)
		g.mu.Unlock()
		<-g.slots
	}
	g.mu.Lock()
	g.open[t] = struct{}{}
	g.mu.Unlock()
	return t
}

// greet shakes hands, records the connection and hands it out.
func (g *greeter) greet(t *transport) {
	seen := Connection{At: time.Now().UTC(), RemoteAddr: t.RemoteAddr().String()}
	ctx, cancel := context.WithTimeout(g.ctx, handshakeTimeout)
	defer cancel()
	var conn net.Conn
	switch {
	case g.tlsConfig != nil:
		conn = shakeHands(ctx, t, g.tlsConfig, &seen)
	case g.lines:
		conn, seen.Handshake = t, "none"
	default:
		conn = sniff(t, &seen)
	}
	if g.connections != nil {
		// A discarded log belongs to an endpoint that is going away.
		_ = g.connections.Append(entryOverhead, func(seq int64) Connection {
			seen.Seq = seq
			return seen
		})
	}
	if conn == nil {
		t.Close()
		return
	}
	select {
	case g.greeted <- conn:
	case <-g.ctx.Done():
		t.Close()
	}
}

// shakeHands returns the connection, or nil after a failed handshake.
func shakeHands(ctx context.Context, t *transport, config *tls.Config, seen *Connection) net.Conn {
	conn := tls.Server(t, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		seen.Handshake, seen.Error = "failed", err.Error()
		return nil
	}
	seen.Handshake, seen.TLS = "ok", tlsFacts(conn.ConnectionState())
	return conn
}

// sniff waits for the first bytes of a plain connection and says if they
// cannot begin an HTTP request. It returns nil if none came. Bytes that are
// not HTTP still go to the server, which answers them as servers do.
func sniff(t *transport, seen *Connection) net.Conn {
	seen.Handshake = "none"
	first := make([]byte, sniffBytes)
	_ = t.SetReadDeadline(time.Now().Add(handshakeTimeout))
	n, err := t.Read(first)
	_ = t.SetReadDeadline(time.Time{})
	switch {
	case n == 0 && errors.Is(err, os.ErrDeadlineExceeded):
		seen.Error = fmt.Sprintf("no byte came within %v", handshakeTimeout)
		return nil
	case n == 0:
		seen.Error = "closed before the first byte"
		return nil
	case !startsHTTP(first[:n]):
		seen.Error = fmt.Sprintf("not HTTP: %x", first[:n])
	}
	t.prefix = first[:n]
	return t
}

// startsHTTP says whether an HTTP request can start with these bytes: with a
// method, which is a token, and a space.
func startsHTTP(first []byte) bool {
	method, _, _ := bytes.Cut(first, []byte(" "))
	return len(method) > 0 && !strings.ContainsFunc(string(method), func(r rune) bool { return !behaviour.IsTokenRune(r) })
}

// transport is an accepted TCP connection below TLS.
type transport struct {
	net.Conn
	prefix  []byte // read already, given out first
	release func() // called once, at the first Close
	closing sync.Once
}

// Read implements net.Conn.
func (t *transport) Read(p []byte) (int, error) {
	if len(t.prefix) > 0 {
		n := copy(p, t.prefix)
		t.prefix = t.prefix[n:]
		return n, nil
	}
	return t.Conn.Read(p)
}

// Close implements net.Conn.
func (t *transport) Close() error {
	err := t.Conn.Close()
	t.closing.Do(t.release)
	return err
}

// reset closes the connection with an RST instead of a FIN: with no time to
// linger, the kernel throws away what is in flight.
func (t *transport) reset() {
	if tcp, ok := t.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	t.Close()
}

// below returns the TCP connection under what the HTTP server works with.
func below(conn net.Conn) *transport {
	switch c := conn.(type) {
	case *transport:
		return c
	case *tls.Conn:
		return below(c.NetConn())
	}
	return nil
}
