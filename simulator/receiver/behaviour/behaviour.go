// Package behaviour is the script by which an endpoint of the receiver
// simulator answers: its form as JSON, its validation, and the order in which
// its actions are taken.
//
// What must not enter: connections and HTTP handlers. The package says what
// shall happen and never does it.
package behaviour

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// Bounds of a script. They protect the simulator's memory; the longest delay
// is far above any client's patience.
const (
	MaxSteps       = 10_000
	MaxDelay       = time.Hour
	MaxBodyBytes   = 1 << 20
	MaxHeaders     = 64
	MaxHeaderBytes = 8 << 10 // of one name with its value
)

// Behaviour says how an endpoint answers: each request takes one step, in the
// order of arrival, and every request after the last step takes Then. The zero
// Behaviour answers 200 to everything.
type Behaviour struct {
	Steps []Action `json:"steps,omitempty"`
	Then  Action   `json:"then"`
}

// Action is what happens to one request. The zero Action answers 200 at once
// with an empty body.
type Action struct {
	// Delay is the time between the end of the request and the answer, at
	// most MaxDelay.
	Delay Duration `json:"delay,omitempty"`
	// Status is 200 to 599; zero stands for 200.
	Status int `json:"status,omitempty"`
	// Headers are added to the answer. Those that frame the message
	// (Content-Length, Transfer-Encoding, Trailer) cannot be given.
	Headers map[string]string `json:"headers,omitempty"`
	// Body is the answer's body, at most MaxBodyBytes.
	Body string `json:"body,omitempty"`
	// ContentType is the answer's Content-Type. Without it a body is
	// text/plain, unless Headers say otherwise.
	ContentType string `json:"contentType,omitempty"`
	// Reset ends the TCP connection with an RST before an answer.
	Reset bool `json:"reset,omitempty"`
	// Hang never answers.
	Hang bool `json:"hang,omitempty"`
}

// Duration is a time.Duration that is written like "150ms".
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) {
	return []byte(time.Duration(d).String()), nil
}

// MarshalJSON writes a script that Parse reads back as the same behaviour.
func (a Action) MarshalJSON() ([]byte, error) {
	type plain Action
	if !a.Reset && !a.Hang {
		a.Status = a.Code()
	}
	return json.Marshal(plain(a))
}

// Code returns the status to answer with, or 0 if the action does not answer.
func (a Action) Code() int {
	switch {
	case a.Reset || a.Hang:
		return 0
	case a.Status == 0:
		return http.StatusOK
	}
	return a.Status
}

// Script hands out the actions of a behaviour one by one. It may be used from
// several goroutines at once.
type Script struct {
	behaviour Behaviour
	replaced  chan struct{}
	retire    sync.Once

	mu   sync.Mutex
	next int
}

// NewScript returns a script at its first step.
func NewScript(b Behaviour) *Script {
	return &Script{behaviour: b, replaced: make(chan struct{})}
}

// Behaviour returns the behaviour that the script follows.
func (s *Script) Behaviour() Behaviour { return s.behaviour }

// Next returns the action for the request that arrives now.
func (s *Script) Next() Action {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next >= len(s.behaviour.Steps) {
		return s.behaviour.Then
	}
	action := s.behaviour.Steps[s.next]
	s.next++
	return action
}

// Retire says that the script no longer governs, which releases the requests
// that hang by it.
func (s *Script) Retire() { s.retire.Do(func() { close(s.replaced) }) }

// Retired is closed once the script no longer governs.
func (s *Script) Retired() <-chan struct{} { return s.replaced }
