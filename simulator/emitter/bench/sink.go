package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/emitter/limits"
)

// sink is the receiver: it reads a payload into memory that it has already,
// looks at the first and the last event, and answers 200.
type sink struct {
	root   []byte // PEM
	host   string
	server *http.Server
	done   sync.WaitGroup
	memory sync.Pool

	lanes   []lane // of the subscriptions, by their number
	total   atomic.Int64
	partial atomic.Int64 // payloads that were not full
	bodies  atomic.Int64
	target  atomic.Int64
	moved   chan struct{} // of capacity 1: total has grown
	failed  chan error

	// arrived is told of every payload when its handler is called; may be nil.
	arrived func(at time.Time, lane, first, events int)
}

// lane is what one subscription was delivered.
type lane struct {
	mu   sync.Mutex
	next int // number of the event that is due
}

// startSink starts a receiver for so many subscriptions over HTTP/1.1 and TLS.
func startSink(lanes int) (*sink, error) {
	authority, err := pki.NewAuthority("hookproof bench root")
	if err != nil {
		return nil, err
	}
	identity, err := authority.Issue(pki.Leaf{Hosts: []string{"127.0.0.1"}, Intermediate: true})
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{
		root: authority.PEM(), host: l.Addr().String(),
		lanes: make([]lane, lanes), moved: make(chan struct{}, 1), failed: make(chan error, 1),
		memory: sync.Pool{New: func() any { return new([]byte) }},
	}
	s.server = &http.Server{Handler: s, ErrorLog: log.New(io.Discard, "", 0)}
	secure := tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{identity.TLS()}, NextProtos: []string{"http/1.1"}})
	s.done.Go(func() { _ = s.server.Serve(secure) }) // it ends only by being closed
	return s, nil
}

func (s *sink) close() {
	_ = s.server.Close()
	s.done.Wait()
}

func (s *sink) url(lane int) string { return fmt.Sprintf("https://%s/%d", s.host, lane) }

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	if err := s.take(at, r); err != nil {
		select {
		case s.failed <- err:
		default:
		}
		w.WriteHeader(http.StatusInternalServerError)
	}
}

func (s *sink) take(at time.Time, r *http.Request) error {
	memory := s.memory.Get().(*[]byte)
	defer s.memory.Put(memory)
	if r.ContentLength < 0 || r.ContentLength > 1<<30 {
		return fmt.Errorf("a payload came with length %d", r.ContentLength)
	}
	if int64(cap(*memory)) < r.ContentLength {
		*memory = make([]byte, r.ContentLength)
	}
	body := (*memory)[:r.ContentLength]
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return fmt.Errorf("read a payload: %w", err)
	}
	n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	if err != nil || n >= len(s.lanes) {
		return fmt.Errorf("a payload came to %s", r.URL.Path)
	}
	events, first, last, err := counted(body)
	if err != nil {
		return err
	}
	if err := s.lanes[n].follow(first, last, events); err != nil {
		return fmt.Errorf("subscription %d: %w", n, err)
	}
	if s.arrived != nil {
		s.arrived(at, n, first, events)
	}
	s.count(events)
	return nil
}

// follow fails unless the payload begins with the event that is due.
func (l *lane) follow(first, last, events int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if first != l.next || last != (first+events-1)%ringEvents {
		return fmt.Errorf("events %d to %d came, %d in all, where %d was due", first, last, events, l.next)
	}
	l.next = (last + 1) % ringEvents
	return nil
}

func (s *sink) count(events int) {
	s.bodies.Add(1)
	if events < limits.EventsPerPayload {
		s.partial.Add(1)
	}
	s.total.Add(int64(events))
	select {
	case s.moved <- struct{}{}:
	default: // whoever waits has not looked since the last time
	}
}

// expect sets how many events are to arrive from now on. All that were expected
// before must have arrived.
func (s *sink) expect(events int) { s.target.Store(s.total.Load() + int64(events)) }

// stalled is how long nothing may arrive before a measurement is given up.
const stalled = 30 * time.Second

var errStalled = fmt.Errorf("nothing was delivered for %v", stalled)

// await returns when all that was expected has arrived.
func (s *sink) await(ctx context.Context) error { return s.until(ctx, s.target.Load()) }

// until returns when so many events have arrived in all. One goroutine waits
// at a time.
func (s *sink) until(ctx context.Context, total int64) error {
	tick := time.NewTicker(stalled)
	defer tick.Stop()
	for before := s.total.Load(); s.total.Load() < total; {
		select {
		case <-s.moved:
		case err := <-s.failed:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			now := s.total.Load()
			if now == before {
				return errors.Join(errStalled, fmt.Errorf("%d of %d events are missing", total-now, total))
			}
			before = now
		}
	}
	return nil
}
