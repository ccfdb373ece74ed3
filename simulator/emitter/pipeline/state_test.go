package pipeline_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// slowly runs a world in which a state takes a second to be loaded.
func slowly(t *testing.T, test func(*world, *script)) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		w, r := newWorld(), &script{}
		w.deliver(r.serve(time.Now()))
		w.loading = time.Second
		w.start()
		defer w.dispatcher.Close()
		test(w, r)
	})
}

func TestEventsMeetTheFilterOfTheirTimeWhileTheStateIsLoaded(t *testing.T) {
	t.Parallel()
	slowly(t, func(w *world, r *script) {
		s := webhook("a")
		w.put(s)
		w.append(created(1))
		s.ActionTypes = []string{"USER.UPDATED"}
		w.put(s)
		w.append(created(2), typed("USER.UPDATED", 3))
		s.ActionTypes = []string{"USER.DELETED"}
		w.put(s)
		w.append(created(4), typed("USER.UPDATED", 5), typed("USER.DELETED", 6))
		after(time.Minute)
		want(t, "delivered", r.accepted(), []string{"1", "3", "6"})
	})
}

func TestASuspensionThatEndsWhileTheStateIsLoadedCounts(t *testing.T) {
	t.Parallel()
	slowly(t, func(w *world, r *script) {
		s := webhook("a")
		s.Enabled = false
		w.put(s)
		w.append(created(1))
		w.advance(limits.SuspendedRetention + time.Hour)
		w.append(created(2))
		s.Enabled = true
		w.put(s)
		after(time.Minute)
		want(t, "delivered", r.accepted(), []string{"2"})
	})
}

// stored is a world with the stored state of a subscription, and with the first
// event after it.
func stored() (*world, *script, subscription.Subscription) {
	w, r, s := newWorld(), &script{}, webhook("a")
	w.deliver(r.serve(time.Now()))
	w.cursors[s.ID] = pipeline.State{Filter: pipeline.FilterOf(s)}
	w.append(created(1))
	return w, r, s
}

// What was stored is older than the first that this process saw.
func TestEventsMeetTheFilterOfTheirTimeWhileAStoredStateIsLoaded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(*testing.T) {
		w, r, s := stored()
		w.put(s)
		w.loading = time.Second
		w.start()
		defer w.dispatcher.Close()
		for i, kind := range []string{"USER.UPDATED", "USER.DELETED"} {
			s.ActionTypes = []string{kind}
			w.put(s)
			w.append(created(10*i+2), typed(kind, 10*i+3))
		}
		after(time.Minute)
		want(t, "delivered", r.accepted(), []string{"1", "3", "13"})
	})
}

// A process that dies after a change was acknowledged may not have stored it
// with the position: what happened before the change still meets what was.
func TestEventsMeetTheFilterOfTheirTimeAfterAProcessDiedOfAChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(*testing.T) {
		w, r, s := stored()
		s.ActionTypes = []string{"USER.DELETED"}
		w.put(s)
		w.append(created(2), typed("USER.DELETED", 3))
		w.start()
		defer w.dispatcher.Close()
		after(time.Minute)
		want(t, "delivered", r.accepted(), []string{"1", "3"})
	})
}

// The fourteen days count from when the subscription was enabled, also if the
// process that was to note it died, and another one came late.
func TestASuspensionThatEndedWhileNobodyWasThereEndedThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(*testing.T) {
		w, r, s := stored()
		state := w.cursors[s.ID]
		state.Suspended = true
		w.cursors[s.ID] = state
		w.offset = limits.SuspendedRetention - time.Hour
		s.UpdatedAt = w.now()
		w.put(s)
		w.offset = limits.SuspendedRetention + time.Hour
		w.start()
		defer w.dispatcher.Close()
		after(time.Minute)
		want(t, "delivered", r.accepted(), []string{"1"})
	})
}
