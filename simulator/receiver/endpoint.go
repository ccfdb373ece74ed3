package receiver

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
	"github.com/hookproof/hookproof/simulator/receiver/emulation"
	"github.com/hookproof/hookproof/simulator/receiver/record"
)

// The ways in which an endpoint can be refused.
var (
	errNoEndpoint       = errors.New("no such endpoint")
	errTooMany          = errors.New("too many")
	errNotDedicated     = errors.New("the endpoint has no dedicated listener")
	errListenerNotReady = errors.New("the dedicated listener cannot listen")
)

// endpoint is one hook with its script and its records.
type endpoint struct {
	id, name, token string
	created         time.Time
	deliveries      *record.Log[*kept]
	connections     *record.Log[Connection] // of the dedicated listener, or nil
	dedicated       *listener               // or nil
	gone            chan struct{}           // closed when the endpoint is deleted

	mu          sync.Mutex // held for moments only: every delivery takes it
	script      *behaviour.Script
	scriptBytes int64

	emulation *emulation.Options // or nil
	service   emulation.Service  // what emulates, or nil
	choice    TLSChoice          // of the dedicated listener

	// switching is held while the dedicated listener opens or closes, which
	// waits for deliveries.
	switching sync.Mutex
	closed    bool
}

// current returns the script that governs now.
func (e *endpoint) current() *behaviour.Script {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.script
}

// setOpen opens or closes the dedicated listener.
func (e *endpoint) setOpen(open bool) error {
	if e.dedicated == nil {
		return errNotDedicated
	}
	e.switching.Lock()
	defer e.switching.Unlock()
	switch {
	case e.closed:
		return errNoEndpoint
	case !open:
		e.dedicated.Close()
		return nil
	}
	if err := e.dedicated.Open(); err != nil {
		return fmt.Errorf("%w: %w", errListenerNotReady, err)
	}
	return nil
}

// setCertificate closes the dedicated listener with its connections and gives
// it another certificate, or none; it opens it again if it was open.
func (e *endpoint) setCertificate(config *tls.Config, certificate string) error {
	if e.dedicated == nil {
		return errNotDedicated
	}
	e.switching.Lock()
	defer e.switching.Unlock()
	if e.closed {
		return errNoEndpoint
	}
	open := e.dedicated.IsOpen()
	e.dedicated.Close()
	e.dedicated.present(config, certificate)
	if !open {
		return nil
	}
	if err := e.dedicated.Open(); err != nil {
		return fmt.Errorf("%w: %w", errListenerNotReady, err)
	}
	return nil
}

// close releases every request to the endpoint, closes its dedicated listener
// and forgets its records. It is called once.
func (e *endpoint) close() {
	close(e.gone)
	e.current().Retire()
	e.switching.Lock()
	defer e.switching.Unlock()
	e.closed = true
	if e.dedicated != nil {
		e.dedicated.Close()
		e.connections.Discard()
	}
	e.deliveries.Discard()
}

// endpoints are the endpoints that exist.
type endpoints struct {
	mu          sync.RWMutex
	byID        map[string]*endpoint
	byToken     map[string]*endpoint
	scriptBytes int64
	closed      bool
}

func newEndpoints() *endpoints {
	return &endpoints{byID: map[string]*endpoint{}, byToken: map[string]*endpoint{}}
}

// add makes the endpoint reachable.
func (s *endpoints) add(e *endpoint) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return errors.New("the receiver is closing")
	case len(s.byID) >= MaxEndpoints:
		return fmt.Errorf("%w endpoints: %d exist, delete some", errTooMany, len(s.byID))
	case s.scriptBytes+e.scriptBytes > MaxScriptBytes:
		return fmt.Errorf("%w bytes of behaviours: all together may take %d", errTooMany, MaxScriptBytes)
	}
	s.scriptBytes += e.scriptBytes
	s.byID[e.id], s.byToken[e.token] = e, e
	return nil
}

// remove makes the endpoint unreachable and returns it.
func (s *endpoints) remove(id string) (*endpoint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.byID[id]
	if !ok {
		return nil, errNoEndpoint
	}
	delete(s.byID, id)
	delete(s.byToken, e.token)
	s.scriptBytes -= e.scriptBytes
	return e, nil
}

// follow replaces the script of an endpoint and releases what hangs by the
// old one.
func (s *endpoints) follow(id string, b behaviour.Behaviour, bytes int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.byID[id]
	if !ok {
		return errNoEndpoint
	}
	if s.scriptBytes-e.scriptBytes+bytes > MaxScriptBytes {
		return fmt.Errorf("%w bytes of behaviours: all together may take %d", errTooMany, MaxScriptBytes)
	}
	s.scriptBytes += bytes - e.scriptBytes
	e.mu.Lock()
	old := e.script
	e.script, e.scriptBytes = behaviour.NewScript(b), bytes
	e.mu.Unlock()
	old.Retire()
	return nil
}

func (s *endpoints) withID(id string) (*endpoint, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e, ok := s.byID[id]; ok {
		return e, nil
	}
	return nil, errNoEndpoint
}

func (s *endpoints) withToken(token string) *endpoint {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byToken[token]
}

// all returns the endpoints, oldest first.
func (s *endpoints) all() []*endpoint {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]*endpoint, 0, len(s.byID))
	for _, e := range s.byID {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *endpoint) int { return a.created.Compare(b.created) })
	return all
}

// close refuses further endpoints and returns those that exist.
func (s *endpoints) close() []*endpoint {
	all := s.all()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	clear(s.byID)
	clear(s.byToken)
	return all
}

// newToken returns 128 random bits in lower-case hex. Whoever knows the token
// of a hook can post to it, so it must not be guessable.
func newToken() string {
	var bits [16]byte
	_, _ = rand.Read(bits[:]) // never fails since Go 1.24
	return hex.EncodeToString(bits[:])
}
