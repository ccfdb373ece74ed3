package pipeline

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// load brings the worker to where an earlier process left it, or to the end of
// the log as it was when the subscription was made.
func (w *worker) load(ctx context.Context) bool {
	s, exists := w.subscription()
	if !exists {
		return true
	}
	state, found, err := w.dispatcher.Cursors.Load(ctx, w.environment, w.id)
	if err != nil {
		w.log.Error("the cursor cannot be read", "error", err)
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loaded = true
	w.dirty = w.dispatcher.Shares != nil // storing it keeps out whoever had it before
	if !found {
		state = State{
			Position:  auditlog.Position{Sequence: s.StartAfter + 1},
			Filter:    w.versions[0].filter,
			Suspended: !w.versions[0].enabled,
		}
	}
	w.state, w.stored = state, state.Position
	for _, v := range w.versions {
		w.apply(v)
	}
	return true
}

// version is how a subscription was at a time: what later deliveries need to
// know of a change.
type version struct {
	filter  Filter
	enabled bool
	after   uint64    // the end of the log then: up to it, what was before holds, also if this is heard of late
	at      time.Time // see since
}

func (d *Dispatcher) version(s subscription.Subscription) version {
	return version{FilterOf(s), s.Enabled, s.ConfiguredAfter, d.since(s)}
}

// since is since when the subscription is as it is, by the emitter's clock, or
// a little later: not when this process learned of it, which may have been down.
func (d *Dispatcher) since(s subscription.Subscription) time.Time {
	if s.UpdatedAt.IsZero() {
		return d.Now()
	}
	return s.UpdatedAt
}

// changed notes what later deliveries need to know of a change: until where the
// old filter holds, and when the subscription was enabled again. Changes may
// come before the state is loaded, and are kept until they are stored: another
// term may begin from what was stored before.
func (w *worker) changed(s subscription.Subscription) {
	w.mu.Lock()
	v := w.dispatcher.version(s)
	if w.loaded {
		w.apply(v)
	}
	w.versions = append(w.versions, v)
	w.mu.Unlock()
	w.restart()
}

// apply notes how a version differs from the state. It is called with the lock
// held.
func (w *worker) apply(v version) {
	if !w.state.Filter.equal(v.filter) {
		if v.after >= w.state.Position.Sequence {
			w.state.Past = append(w.state.Past, Epoch{Until: v.after, Filter: w.state.Filter})
		}
		w.state.Filter, w.dirty = v.filter, true
	}
	w.suspension(v.enabled, v.at)
}

// suspension notes that the subscription was suspended or enabled. It is called
// with the lock held.
func (w *worker) suspension(enabled bool, at time.Time) {
	if w.state.Suspended == enabled {
		w.state.Suspended, w.dirty = !enabled, true
		if enabled {
			w.state.ResumedAt = at
		}
	}
}

// observe notes what the worker sees of a change that it is about to be told
// of: nothing may be gathered before it is known since when it may be.
func (w *worker) observe(s subscription.Subscription) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.suspension(s.Enabled, w.dispatcher.since(s))
}

// filterAt returns the filter in force when the chunk was appended.
func (w *worker) filterAt(sequence uint64) Filter {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, epoch := range w.state.Past {
		if sequence <= epoch.Until {
			return epoch.Filter
		}
	}
	return w.state.Filter
}

// pass moves the position over events that did not match.
func (w *worker) pass(ctx context.Context, next auditlog.Position) {
	w.mu.Lock()
	moved := w.state.Position.Before(next)
	w.state.Position = next
	w.mu.Unlock()
	if moved && next.Sequence-w.stored.Sequence >= passedOver {
		w.store(ctx, true)
	}
}

// store makes the state durable if it must be, or, when forced, if only the
// position moved. It says whether what is stored is up to date.
func (w *worker) store(ctx context.Context, force bool) bool {
	w.mu.Lock()
	past := w.state.Past
	for len(past) > 0 && past[0].Until < w.state.Position.Sequence {
		past = past[1:]
	}
	w.state.Past = past
	state, dirty, versions := w.state, w.dirty, len(w.versions)
	w.dirty = false
	if !dirty && !(force && w.stored != state.Position) {
		w.forgetVersions(versions)
		w.mu.Unlock()
		return true
	}
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWithin)
	defer cancel()
	if err := w.dispatcher.Cursors.Store(ctx, w.environment, w.id, state); err != nil {
		w.mu.Lock()
		w.dirty = true
		w.mu.Unlock()
		if errors.Is(err, ErrFenced) {
			w.end(ErrFenced)
		}
		w.log.Error("the cursor cannot be stored", "error", err)
		return false
	}
	w.stored = state.Position
	w.mu.Lock()
	w.forgetVersions(versions)
	w.mu.Unlock()
	return true
}

// forgetVersions forgets the first n, which are stored, but for the last. It is
// called with the lock held.
func (w *worker) forgetVersions(n int) {
	w.versions = slices.Delete(w.versions, 0, n-1)
}

// leave stores the position for the next start, or forgets a removed
// subscription's.
func (w *worker) leave(ctx context.Context) {
	if errors.Is(context.Cause(ctx), ErrFenced) || w.lease.Err() != nil {
		return // it may be another's by now
	}
	if _, exists := w.subscription(); exists {
		w.store(ctx, true)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWithin)
	defer cancel()
	if err := w.dispatcher.Cursors.Delete(ctx, w.environment, w.id); err != nil {
		w.log.Error("the cursor cannot be removed", "error", err)
	}
}
