package pipeline

import (
	"context"
	"errors"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
)

// Observer is told what becomes of events, by all workers at once. Its methods
// must be quick and must not block.
type Observer interface {
	// Matched tells of events that a subscription is to get. Those of a payload
	// that is gathered anew, as its subscription was changed, are told of again.
	Matched(events int)
	// Attempted tells of an attempt that has ended.
	Attempted(Attempted)
	// Dropped tells of events that are never delivered.
	Dropped(events int, why Loss)
}

// Attempted is an attempt that has ended. Its payload may be read until the
// observer returns.
type Attempted struct {
	Attempt
	Result    Result
	Again     bool // the same payload was attempted before
	Delivered bool
	At        time.Time // when it began, by the machine's clock
	Begun     time.Time // the same by the emitter's clock
}

// Loss is why an event is dropped.
type Loss string

// What events are dropped for, see Kept.
const (
	LossSuspended Loss = "suspended" // too old when the subscription was enabled again
	LossFailing   Loss = "failing"   // the receiver failed for too long
	// LossExpired is the log's own: it did not keep events until they could be
	// delivered. How many there were is not known, and 1 is told of for all.
	LossExpired Loss = "expired"
)

type unobserved struct{}

func (unobserved) Matched(int)         {}
func (unobserved) Attempted(Attempted) {}
func (unobserved) Dropped(int, Loss)   {}

// Lag is how far a subscription is behind.
type Lag struct {
	Environment, Subscription string
	// Behind is since when, by the emitter's clock, the oldest event waits that
	// is still to be delivered or looked at; zero: none does.
	Behind time.Time
}

// Lags are those of all subscriptions that are worked here, in no order.
func (d *Dispatcher) Lags() []Lag {
	var all []Lag
	d.each(func(w *worker) {
		lag := Lag{Environment: w.environment, Subscription: w.id}
		if at := w.behind.Load(); at != 0 {
			lag.Behind = time.Unix(0, at)
		}
		all = append(all, lag)
	})
	return all
}

// lags notes since when the gathering's oldest event, or the last one looked
// at, waits; a zero chunk, that nothing does.
func (w *worker) lags(g *gathering, chunk auditlog.Chunk) {
	switch {
	case g.batch.Len() > 0:
		w.behind.Store(g.oldest.UnixNano())
	case chunk.Accepted.IsZero():
		w.behind.Store(0)
	default:
		w.behind.Store(chunk.Accepted.UnixNano())
	}
}

// rest waits for a suspended subscription to be enabled, and notes since when
// events wait for that.
func (w *worker) rest(ctx context.Context) {
	w.mu.Lock()
	next := w.state.Position.Sequence
	w.mu.Unlock()
	asked := w.dispatcher.Now()
	chunk, err := w.dispatcher.Log.Next(ctx, w.environment, next)
	switch {
	case err == nil:
		w.behind.Store(chunk.Accepted.UnixNano())
		w.looked = false // it may expire before the subscription is enabled
	case errors.Is(err, auditlog.ErrEnd) && w.lookBack(ctx):
		w.behind.Store(0)
		w.caughtUp(asked)
	}
	w.wait(ctx, time.Time{})
}

// lost tells that the chunk's matching events were dropped, and says so once a
// spell: until a payload is accepted again.
func (w *worker) lost(g *gathering, chunk auditlog.Chunk) {
	if g.expired == 0 {
		return
	}
	why := LossFailing
	w.mu.Lock()
	resumed := w.state.ResumedAt
	w.mu.Unlock()
	if !g.pieces.Kept(Waiting{Accepted: chunk.Accepted, Resumed: resumed, Now: w.dispatcher.Now()}) {
		why = LossSuspended
	}
	w.dispatcher.Observer.Dropped(g.expired, why)
	if w.dropped == 0 {
		w.log.Warn("events are dropped, they waited longer than they are kept", "reason", why, "oldest", chunk.Accepted)
	}
	w.dropped += g.expired
	g.expired = 0
}
