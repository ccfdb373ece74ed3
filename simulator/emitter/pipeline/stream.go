package pipeline

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// Stream is the connection of one TCP_IP subscription, made when the first
// payload is written and kept for the next ones. It is used by one goroutine
// at a time; Close ends it and waits for whatever it started.
type Stream struct {
	tls    *tls.Config
	dialer *net.Dialer

	conn net.Conn
	gone chan struct{} // closed when the receiver ended conn
	done sync.WaitGroup
}

// Open returns a stream that connects on its first use: over TCP for the
// scheme tcp, over TLS with config for tls and tcps, to IPv4 addresses only (S1).
func (n Networks) Open(config *tls.Config) *Stream {
	return &Stream{tls: config, dialer: n.dialer()}
}

var errEnded = errors.New("the receiver ended the connection")

// Write sends the attempt's payload. There is no acknowledgement in the
// protocol: the payload counts as delivered when the connection took all of it
// and the receiver had not ended the connection by then. A failed write is
// repeated on a new connection, so that a receiver gets whole payloads again,
// never the rest of one.
func Write(ctx context.Context, s *Stream, a Attempt) Result {
	if err := s.write(ctx, a); err != nil {
		s.Close()
		return Result{Err: err}
	}
	return Result{}
}

func (s *Stream) write(ctx context.Context, a Attempt) error {
	if s.conn != nil && s.ended() { // while nothing was sent: no payload is at stake
		s.Close()
	}
	if s.conn == nil {
		if err := s.connect(ctx, a.Subscription.URL); err != nil {
			return err
		}
	}
	conn := s.conn
	stop := context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write(a.Payload.Body); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("write the payload: %w", context.Cause(ctx))
		}
		return fmt.Errorf("write the payload: %w", err)
	}
	if s.ended() {
		return errEnded
	}
	return nil
}

func (s *Stream) ended() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// connect dials and starts to listen for the receiver ending the connection.
func (s *Stream) connect(ctx context.Context, target string) error {
	address, secure, err := streamAddress(target)
	if err != nil {
		return err
	}
	conn, err := s.dialer.DialContext(ctx, "tcp4", address)
	if err != nil {
		return err
	}
	if secure {
		if conn, err = s.handshake(ctx, conn, address); err != nil {
			return err
		}
	}
	gone := make(chan struct{})
	s.conn, s.gone = conn, gone
	s.done.Go(func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, conn) // nothing that a receiver says has a meaning
	})
	return nil
}

func (s *Stream) handshake(ctx context.Context, conn net.Conn, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	config := s.tls.Clone()
	config.ServerName, _, _ = net.SplitHostPort(address)
	over := tls.Client(conn, config)
	if err := over.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return over, nil
}

// Close ends the connection, if there is one; the stream can be used again.
func (s *Stream) Close() {
	if s.conn == nil {
		return
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(closeWithin)) // for the last record of TLS
	_ = s.conn.Close()
	s.done.Wait()
	s.conn, s.gone = nil, nil
}

// closeWithin bounds how long a connection that is closed may take to say so.
const closeWithin = time.Second

// streamAddress reads the URL of a TCP_IP subscription. The documents show
// tcp:// only; tls:// and tcps:// for TLS are the reference's own.
func streamAddress(target string) (address string, secure bool, err error) {
	u, err := url.Parse(target)
	if err != nil { // it repeats the URL
		return "", false, errors.New("the subscription's URL cannot be read")
	}
	switch u.Scheme {
	case "tcp":
	case "tls", "tcps":
		secure = true
	default:
		return "", false, fmt.Errorf("deliveries over TCP_IP go to tcp, tls or tcps, not %s", u.Scheme)
	}
	port := u.Port()
	if port == "" {
		port = strconv.Itoa(limits.DefaultPort)
	}
	return net.JoinHostPort(u.Hostname(), port), secure, nil
}

// sameForm says whether payloads gathered for one configuration are fit for
// the other: whether the same events make the same bytes. Where they go may
// differ.
func sameForm(a, b subscription.Subscription) bool {
	return a.Protocol == b.Protocol && a.Format == b.Format && a.PayloadFormat == b.PayloadFormat &&
		a.PrettyPrint == b.PrettyPrint && a.ExposeIP == b.ExposeIP && a.ExposeUserAgent == b.ExposeUserAgent &&
		a.LimitType == b.LimitType && a.LimitSize == b.LimitSize &&
		a.TCPFormat == b.TCPFormat && maps.Equal(a.TCPAttributes, b.TCPAttributes)
}
