package pipeline

import (
	"context"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// Waiting is an event that waits to be delivered, by the emitter's clock.
type Waiting struct {
	Accepted time.Time
	Resumed  time.Time // when the subscription was last enabled again; zero: never
	Now      time.Time
	Failing  bool // the last attempt to deliver failed
}

// Kept says whether the event is still to be delivered: not if it happened more
// than 14 days before the subscription was enabled again (G1), nor, while the
// receiver fails, if it waited for more than 7 days (V1). Accumulated events
// wait for their receiver from the moment the subscription was enabled.
func Kept(e Waiting) bool {
	since := e.Accepted
	if since.Before(e.Resumed) {
		if since.Before(e.Resumed.Add(-limits.SuspendedRetention)) {
			return false
		}
		since = e.Resumed
	}
	return !e.Failing || e.Now.Sub(since) <= limits.FailingRetention
}

// Active says whether the subscription delivers: suspended ones do not, and a
// retry that goes on ends when its subscription is suspended.
func Active(s subscription.Subscription, _ int) bool { return s.Enabled }

// expired says whether events accepted then are no longer kept, given that the
// last attempt failed, or not.
func (w *worker) expired(pieces *Pieces, accepted time.Time, failing bool) bool {
	w.mu.Lock()
	resumed := w.state.ResumedAt
	w.mu.Unlock()
	return !pieces.Kept(Waiting{Accepted: accepted, Resumed: resumed, Now: w.dispatcher.Now(), Failing: failing})
}

// caughtUpEvery is after how long it is noted anew that nothing waits: seldom,
// as noting it costs a store, and often beside the days that the log keeps.
const caughtUpEvery = 24 * time.Hour

// caughtUp notes that nothing waited then.
func (w *worker) caughtUp(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at.Sub(w.caughtUpSince()) >= caughtUpEvery {
		w.state.CaughtUp, w.dirty = at, true
	}
}

// caughtUpSince is when nothing waited for the last time. It is called with the
// lock held.
func (w *worker) caughtUpSince() time.Time {
	if w.state.CaughtUp.IsZero() {
		s, _ := w.subscription()
		return s.CreatedAt
	}
	return w.state.CaughtUp
}

// lookBack tells of events that the log did not keep until they could be
// delivered: they waited longer than the rules allow for. That happens only
// while nobody reads, when all processes are down or the subscription is
// suspended. It says whether it could look.
func (w *worker) lookBack(ctx context.Context) bool {
	if w.looked {
		return true
	}
	w.mu.Lock()
	next, since := w.state.Position.Sequence, w.caughtUpSince()
	w.mu.Unlock()
	expired, err := w.dispatcher.Log.Expired(ctx, next, since)
	if err != nil {
		if ctx.Err() == nil {
			w.log.Error("the audit log cannot be read", "error", err)
		}
		return false
	}
	w.looked = true
	if expired {
		w.dispatcher.Observer.Dropped(1, LossExpired)
		w.log.Warn("events may be lost, the audit log no longer reaches back to where deliveries stopped",
			"reason", LossExpired, "since", since)
	}
	return true
}
