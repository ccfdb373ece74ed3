package pipeline_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/limits"
)

func TestEventsOfAFailingReceiverAreKeptSevenDays(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	failing.Store(true)
	bubble(t, webhook("a"), func(int, string) int {
		if failing.Load() {
			return 500
		}
		return 200
	}, func(w *world, r *script) {
		w.append(created(1))
		after(time.Minute)
		w.advance(limits.FailingRetention - time.Hour)
		w.append(created(2))
		after(20 * time.Minute)
		w.advance(2 * time.Hour)
		after(20 * time.Minute) // an attempt fails, the oldest is dropped
		failing.Store(false)
		after(20 * time.Minute)
		want(t, "delivered", r.accepted(), []string{"2"})
	})
}

func TestALateReceiverWithinSevenDaysLosesNothing(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	failing.Store(true)
	bubble(t, webhook("a"), func(int, string) int {
		if failing.Load() {
			return 500
		}
		return 200
	}, func(w *world, r *script) {
		w.append(created(1))
		after(time.Minute)
		w.advance(limits.FailingRetention - time.Hour)
		w.append(created(2))
		after(20 * time.Minute)
		failing.Store(false)
		after(20 * time.Minute)
		want(t, "delivered", r.accepted(), []string{"1", "2"})
	})
}

// The retention is for receivers that fail, not for an emitter that was down.
func TestAnEmitterThatWasDownDropsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, r := newWorld(), &script{}
		w.deliver(r.serve(time.Now()))
		w.put(webhook("a"))
		w.append(created(1))
		w.offset = 2 * limits.FailingRetention
		w.append(created(2))
		w.start()
		defer w.dispatcher.Close()
		after(time.Second)
		want(t, "delivered", r.accepted(), []string{"1", "2"})
	})
}

func TestEventsOfASuspendedSubscriptionAreKeptFourteenDays(t *testing.T) {
	t.Parallel()
	s := webhook("a")
	s.Enabled = false
	bubble(t, s, nil, func(w *world, r *script) {
		w.append(created(1))
		after(time.Second)
		w.advance(limits.SuspendedRetention / 2)
		w.append(created(2))
		after(time.Second)
		w.advance(limits.SuspendedRetention/2 + time.Hour)
		w.append(created(3))
		after(time.Second)
		w.put(webhook("a"))
		after(time.Second)
		want(t, "delivered", r.accepted(), []string{"2", "3"})
	})
}

// A worker may see that its subscription was enabled before it is told.
func TestEventsAreDroppedAlsoIfTheWorkerIsToldLate(t *testing.T) {
	t.Parallel()
	s := webhook("a")
	s.Enabled = false
	bubble(t, s, nil, func(w *world, r *script) {
		w.append(created(1))
		after(time.Second)
		w.advance(limits.SuspendedRetention + time.Hour)
		w.mu.Lock()
		w.subscriptions["a"] = webhook("a")
		w.mu.Unlock()
		w.append(created(2))
		after(time.Second)
		want(t, "delivered", r.accepted(), []string{"2"})
		w.dispatcher.Changed(env, "a")
		w.append(created(3))
		after(time.Second)
		want(t, "delivered in the end", r.accepted(), []string{"2", "3"})
	})
}

func TestAdvancingTheClockEndsAWait(t *testing.T) {
	t.Parallel()
	bubble(t, webhook("a"), func(n int, _ string) int {
		if n < 12 {
			return 500
		}
		return 200
	}, func(w *world, r *script) {
		w.append(created(1))
		after(time.Second)
		for range 12 {
			w.advance(15 * time.Minute)
			synctest.Wait()
		}
		want(t, "delivered", r.accepted(), []string{"1"})
	})
}
