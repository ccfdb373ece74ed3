package receiver

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const hostilePatience = time.Minute

// besieged is a receiver with somebody hostile at the door.
type besieged struct {
	*testing.T
	*Receiver
	info EndpointInfo
}

func besiege(t *testing.T, options Options) *besieged {
	t.Helper()
	r, err := Start(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	info, err := r.CreateEndpoint(EndpointRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return &besieged{t, r, info}
}

// dial opens a connection to the listener.
func (b *besieged) dial(mode Mode) net.Conn {
	b.Helper()
	_, address, _ := strings.Cut(b.URL(mode), "://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(hostilePatience)); err != nil {
		b.Fatal(err)
	}
	return conn
}

func (b *besieged) write(conn net.Conn, format string, args ...any) {
	b.Helper()
	if _, err := fmt.Fprintf(conn, format, args...); err != nil {
		b.Logf("hung up on: %v", err) // which is a fine answer to hostility
	}
}

// path is the hook's, for requests written by hand.
func (b *besieged) path() string { return "/hooks/" + b.info.Token }

func (b *besieged) client() *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	b.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: hostilePatience}
}

// serves fails unless a decent client is served on both kinds of listeners.
func (b *besieged) serves() {
	b.Helper()
	for _, mode := range []Mode{Plain, Trusted} {
		response, err := b.client().Post(b.info.URLs[mode], "application/json", strings.NewReader("[]"))
		if err != nil {
			b.Fatalf("a decent client is not served: %v", err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			b.Fatalf("a decent client gets %d", response.StatusCode)
		}
	}
}

// eventually waits for the condition.
func (b *besieged) eventually(what string, holds func() bool) {
	b.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(hostilePatience); !holds(); <-ticker.C {
		if time.Now().After(deadline) {
			b.Fatalf("it does not come true that %s", what)
		}
	}
}

// Clients that never finish their headers or their bodies take little memory,
// and no more after they are gone.
func TestSlowClientsHoldUpNobody(t *testing.T) {
	t.Parallel()
	b := besiege(t, Options{})
	const each = 150
	conns := make([]net.Conn, 0, 3*each)
	for range each {
		header, body, hello := b.dial(Plain), b.dial(Plain), b.dial(Trusted)
		b.write(header, "POST %s HTTP/1.1\r\nHost: x\r\nX-Slow: ", b.path())
		b.write(body, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n[", b.path(), MaxBodyBytes)
		b.write(hello, "\x16\x03\x01")
		conns = append(conns, header, body, hello)
	}
	b.eventually("every body is begun", func() bool { return b.working.Load() == each })
	if used := b.bodies.used.Load(); used > each*firstBodyBytes {
		t.Errorf("%d claims of %d bytes hold %d bytes", each, MaxBodyBytes, used)
	}
	b.serves()
	for _, conn := range conns {
		conn.Close()
	}
	b.eventually("everything is given back", func() bool { return b.working.Load() == 0 && b.bodies.used.Load() == 0 })
	b.serves()
}

func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	b := besiege(t, Options{})
	for name, lines := range map[string]string{
		"100,000 headers": strings.Repeat("X-Many: 1\r\n", 100_000),
		"one of 1 MB":     "X-Long: " + strings.Repeat("x", 1<<20) + "\r\n",
	} {
		conn := b.dial(Plain)
		var writing sync.WaitGroup
		writing.Go(func() { b.write(conn, "POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n", b.path(), lines) })
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil {
			response.Body.Close()
		}
		if err == nil && response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s: %d", name, response.StatusCode)
		}
		conn.Close()
		writing.Wait()
	}
	request, err := http.NewRequest("POST", b.info.URLs[Trusted], strings.NewReader("[]"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100_000 {
		request.Header.Set(fmt.Sprintf("X-%d", i), "1")
	}
	if response, err := b.client().Do(request); err == nil {
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			t.Error("100,000 headers over HTTP/2 are taken")
		}
	}
	b.serves()
	if kept := b.index.Extent().Kept; kept != 2 {
		t.Errorf("%d deliveries are kept", kept)
	}
}

// Bodies that are not what their framing says are never taken for whole.
func TestLiesAboutLengthAreNotBelieved(t *testing.T) {
	t.Parallel()
	b := besiege(t, Options{})
	for name, rest := range map[string]string{
		"a chunk of 2^64-1 bytes":       "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n[]",
		"a chunk longer than a number":  "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffffff\r\n[]",
		"a negative chunk":              "Transfer-Encoding: chunked\r\n\r\n-1\r\n[]\r\n0\r\n\r\n",
		"a chunk shorter than it is":    "Transfer-Encoding: chunked\r\n\r\n1\r\n[]\r\n0\r\n\r\n",
		"no last chunk":                 "Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n",
		"an endless line for a chunk":   "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 100_000),
		"a coding that is none":         "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n",
		"two lengths":                   "Content-Length: 2\r\nContent-Length: 3\r\n\r\n[] ",
		"a negative length":             "Content-Length: -2\r\n\r\n[]",
		"a length longer than a number": "Content-Length: 99999999999999999999999\r\n\r\n[]",
		"a length beyond the body":      "Content-Length: 1000000\r\n\r\n[]",
	} {
		conn := b.dial(Plain)
		b.write(conn, "POST %s HTTP/1.1\r\nHost: x\r\nX-Case: %s\r\n%s", b.path(), strings.ReplaceAll(name, "^", ""), rest)
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Logf("%s: %v", name, err)
		}
		_, _ = io.Copy(io.Discard, conn) // until the other end hangs up
	}
	for _, k := range b.index.After(0, 100) {
		if k.Complete || k.Answer.Status == http.StatusOK {
			t.Errorf("%s is taken: %q, answered %v", k.Headers.Get("X-Case"), k.Body, k.Answer)
		}
	}
	b.serves()
}

// Streams that are opened and reset, over and over on one connection, leave
// nothing behind.
func TestResetStreamsLeaveNothing(t *testing.T) {
	t.Parallel()
	b := besiege(t, Options{})
	client := b.client()
	b.serves()
	for range 20 {
		var resetting sync.WaitGroup
		for range 50 {
			ctx, cancel := context.WithCancel(t.Context())
			reader, writer := io.Pipe()
			request, err := http.NewRequestWithContext(ctx, "POST", b.info.URLs[Trusted], reader)
			if err != nil {
				t.Fatal(err)
			}
			resetting.Go(func() {
				_, _ = writer.Write([]byte("[")) // the stream is open once this is read
				cancel()
				_ = writer.CloseWithError(context.Canceled)
			})
			resetting.Go(func() {
				if response, err := client.Do(request); err == nil {
					response.Body.Close()
				} else if !errors.Is(err, context.Canceled) && ctx.Err() == nil {
					t.Error(err)
				}
				reader.Close()
			})
		}
		resetting.Wait()
	}
	b.eventually("everything is given back", func() bool { return b.working.Load() == 0 && b.bodies.used.Load() == 0 })
	b.serves()
}

func TestBadRecordsEndTheirConnectionOnly(t *testing.T) {
	t.Parallel()
	b := besiege(t, Options{})
	dedicated, err := b.CreateEndpoint(EndpointRequest{Dedicated: Trusted})
	if err != nil {
		t.Fatal(err)
	}
	_, address, _ := strings.Cut(dedicated.Dedicated.URL, "://")
	address, _, _ = strings.Cut(address, "/")
	records := []string{
		"GET / HTTP/1.1\r\n\r\n", "\x00\x00\x00\x00\x00\x00", strings.Repeat("\xff", 100_000),
		"\x16\x03\x01\xff\xff" + strings.Repeat("x", 70_000), // longer than a record may be
		"\x16\x03\x01\x00\x05\x01\x00\xff\xff\xff",           // a hello that announces 16 MB
		"\x15\x03\x01\x00\x02\x02\x28",                       // an alert
		"\x17\x03\x03\x00\x01x",                              // data before the handshake
		"\x80\x2e\x01\x00\x02",                               // SSL 2
		"",
	}
	for _, record := range records {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		b.write(conn, "%s", record)
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Logf("%.10q: %v", record, err)
		}
		_ = conn.SetDeadline(time.Now().Add(hostilePatience))
		_, _ = io.Copy(io.Discard, conn)
		conn.Close()
	}
	b.serves()
	e, err := b.endpoints.withID(dedicated.ID)
	if err != nil {
		t.Fatal(err)
	}
	b.eventually("every connection is recorded", func() bool { return e.connections.Newest(0).Last == int64(len(records)) })
	for _, c := range e.connections.Newest(len(records)).Entries {
		if c.Handshake != "failed" || c.Error == "" {
			t.Errorf("recorded %+v", c)
		}
	}
}

// Bodies beyond the bound of those in flight are refused, and others are
// served as soon as there is room again.
func TestMemoryInFlightIsBounded(t *testing.T) {
	t.Parallel()
	b := besiege(t, Options{MaxBytes: 1 << 20})
	limit := b.bodies.limit
	var conns []net.Conn
	half := strings.Repeat("x", MaxBodyBytes/2)
	var writing sync.WaitGroup
	for range 12 {
		conn := b.dial(Plain)
		conns = append(conns, conn)
		writing.Go(func() {
			b.write(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", b.path(), MaxBodyBytes, half)
		})
	}
	writing.Wait()
	b.eventually("some are refused", func() bool {
		for _, k := range b.index.After(0, 100) {
			if k.Answer.Status == http.StatusServiceUnavailable {
				return true
			}
		}
		return b.index.Extent().Last >= 1
	})
	if used := b.bodies.used.Load(); used > limit {
		t.Errorf("%d bytes are in flight, at most %d may be", used, limit)
	}
	for _, conn := range conns {
		conn.Close()
	}
	b.eventually("everything is given back", func() bool { return b.bodies.used.Load() == 0 })
	b.serves()
}
