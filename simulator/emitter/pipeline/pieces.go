// Package pipeline brings events from the audit log to receivers: match, shape,
// batch, deliver, each a small piece with plain inputs and outputs, composed in
// Pieces and run by one worker a subscription. Within a subscription nothing
// overtakes; between subscriptions nothing waits.
//
// The management API, storage engines and faults must not enter: the pipeline
// knows its sources by the small interfaces declared here, and a fault is made
// by replacing a piece from outside.
package pipeline

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// Pieces is the composition a worker runs. Replacing a piece changes one
// behaviour and nothing else.
type Pieces struct {
	Match   func(Filter, event.Record) bool
	Shape   func(dst []byte, s subscription.Subscription, r event.Record) []byte
	Limits  func(subscription.Subscription) Limits
	Framing func(subscription.Subscription) Framing
	Join    func(*Batch) []byte // makes the body

	// Linger is how long a batch that is not full is held, counted from the
	// moment its first event was accepted.
	Linger time.Duration
	// ReadOn is how long a batch of a backlog is filled with what the log has
	// already, however short the linger: its events would otherwise be sent a
	// chunk at a time.
	ReadOn time.Duration

	Prepare   func(context.Context, Attempt) (*http.Request, error)
	TLS       func(subscription.Subscription, Trust) *tls.Config
	Connect   func(*tls.Config) http.RoundTripper
	Exchange  func(http.RoundTripper, *http.Request) Result
	Delivered func(Attempt, Result) bool

	// Open and Write are what Connect and Exchange are for TCP_IP.
	Open  func(*tls.Config) *Stream
	Write func(context.Context, *Stream, Attempt) Result

	// Active says whether a subscription delivers at all, after so many
	// attempts in a row that failed.
	Active func(s subscription.Subscription, failures int) bool
	// Kept says whether an event that waits is still to be delivered.
	Kept func(Waiting) bool

	// Anew says whether a payload that failed is gathered anew before it is sent
	// again, with what has happened since. nil: it stays as it is.
	Anew func(Attempt) bool
	// Backoff is the wait after the given failed attempt, counted from 1.
	Backoff func(attempt int) time.Duration
	// AttemptTimeout bounds one attempt from the dial to the answer's status.
	AttemptTimeout time.Duration

	// Send makes one attempt. nil: Prepare and Exchange.
	Send func(context.Context, http.RoundTripper, Attempt) Result

	// Probe tests a connection with the one attempt of a connection test.
	Probe func(context.Context, Pieces, http.RoundTripper, Attempt) Result
}

// The reference's own timing; none of it is documented. A busy machine takes a
// while to read a full payload of large events; what DefaultReadOn leaves of the
// documented 2 s is for the way.
const (
	DefaultLinger         = 500 * time.Millisecond
	DefaultReadOn         = limits.Hold / 2
	DefaultRetryInitial   = time.Second
	DefaultRetryMax       = 15 * time.Minute
	DefaultAttemptTimeout = 30 * time.Second
)

// Default is the composition that keeps every rule.
func Default() Pieces {
	p := Pieces{
		Match:          Match,
		Shape:          Shape,
		Limits:         LimitsOf,
		Framing:        FramingOf,
		Join:           (*Batch).Body,
		Linger:         DefaultLinger,
		ReadOn:         DefaultReadOn,
		Prepare:        Prepare,
		TLS:            TLSConfig,
		Connect:        Networks{}.Connect,
		Exchange:       Exchange,
		Delivered:      Delivered,
		Open:           Networks{}.Open,
		Write:          Write,
		Active:         Active,
		Kept:           Kept,
		Backoff:        Backoff(DefaultRetryInitial, DefaultRetryMax),
		AttemptTimeout: DefaultAttemptTimeout,
		Probe:          Probe,
	}
	return p
}

// Attempt makes one attempt with the pieces.
func (p Pieces) Attempt(ctx context.Context, transport http.RoundTripper, a Attempt) Result {
	if p.Send != nil {
		return p.Send(ctx, transport, a)
	}
	req, err := p.Prepare(ctx, a)
	if err != nil {
		return Result{Err: err}
	}
	return p.Exchange(transport, req)
}

// Backoff doubles the wait with every failed attempt from initial up to most,
// less a random part of up to a half, so that receivers that return are not hit
// by everybody at once.
func Backoff(initial, most time.Duration) func(int) time.Duration {
	return func(attempt int) time.Duration {
		wait := initial
		for i := 1; i < attempt && wait < most; i++ {
			wait *= 2
		}
		wait = min(wait, most)
		if wait <= 0 {
			return 0
		}
		return wait/2 + rand.N(wait/2+1)
	}
}
