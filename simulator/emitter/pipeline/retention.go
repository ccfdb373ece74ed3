package pipeline

import (
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
