package pipeline_test

import (
	"crypto/x509"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
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

// The 7 days are for receivers that fail, not for an emitter that was down: then
// what the log still has is delivered.
func TestAnEmitterThatWasDownDropsNothingThatTheLogHas(t *testing.T) {
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

// What the log itself did not keep is told of once, whoever could not read it:
// a process that was down, or one that runs while the subscription is suspended.
func TestEventsThatTheLogDidNotKeepAreNotDroppedSilently(t *testing.T) {
	t.Parallel()
	for name, down := range map[string]bool{"the emitter was down": true, "the subscription was suspended": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			observed(t, nil, func(w *world, counts *tally, log func() []string) {
				created0 := w.now()
				suspended := webhook("a")
				suspended.CreatedAt, suspended.Enabled = created0, false
				w.put(suspended)
				after(time.Second)
				w.append(created(1), created(2))
				after(time.Second)
				if down {
					w.dispatcher.Close()
				}
				w.mu.Lock()
				w.first = uint64(len(w.chunks) + 1)
				w.offset += auditlog.Retention + time.Hour
				w.mu.Unlock()
				if down {
					w.start()
					after(time.Second)
				}
				enabled := webhook("a")
				enabled.CreatedAt = created0
				w.put(enabled)
				after(time.Second)
				w.append(created(3))
				after(time.Minute)
				want(t, "dropped", counts.dropped, map[pipeline.Loss]int{pipeline.LossExpired: 1})
				want(t, "delivered", counts.first, 1)
				has(t, log(), "level=WARN", "may be lost", "reason=expired", "subscription=a")
			})
		})
	}
}

// Others' chunks that expired cost nothing, whether a subscription was idle for
// long or is new.
func TestNothingIsSaidToBeLostWhereNothingWaited(t *testing.T) {
	t.Parallel()
	observed(t, nil, func(w *world, counts *tally, _ func() []string) {
		w.append(created(1))
		after(time.Second)
		w.advance(auditlog.Retention + time.Hour)
		after(time.Second)
		w.append(typed("OTHER", 0)) // it is looked at, and nothing waits again
		after(time.Second)
		w.dispatcher.Close()
		w.mu.Lock()
		w.first = uint64(len(w.chunks) + 5)
		w.offset += auditlog.Retention - time.Hour
		s := webhook("new")
		s.CreatedAt = time.Now().Add(w.offset)
		w.subscriptions["new"] = s
		w.mu.Unlock()
		w.start()
		after(time.Minute)
		want(t, "dropped", counts.dropped, map[pipeline.Loss]int(nil))
	})
}

// The same with the log itself, which keeps chunks for two seconds here.
func TestWhatAShortLogDidNotKeepIsToldOf(t *testing.T) {
	t.Parallel()
	const retention = 2 * time.Second
	store, err := storage.Open(t.Context(), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	w, counts := newWorld(), &tally{}
	kept, err := auditlog.Open(t.Context(), auditlog.Options{
		Place: store.Place(), Retention: retention, Appended: func(e string) { w.dispatcher.Appended(e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	r := &script{}
	w.deliver(r.serve(time.Now()))
	s := webhook("a")
	s.CreatedAt, s.Enabled = time.Now(), false
	w.put(s)
	w.dispatcher = pipeline.Start(t.Context(), pipeline.Options{
		Log: kept, Directory: w, Cursors: w, Pieces: &w.pieces, Now: w.now, Observer: counts,
		Roots: func() *x509.CertPool { return x509.NewCertPool() },
	})
	defer w.dispatcher.Close()
	if err := kept.Append(t.Context(), env, created(1), created(2)); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * retention); ; time.Sleep(50 * time.Millisecond) {
		if expired, err := kept.Expired(t.Context(), 1, s.CreatedAt); err != nil {
			t.Fatal(err)
		} else if expired {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the events do not expire")
		}
	}
	s.Enabled = true
	w.put(s)
	if err := kept.Append(t.Context(), env, created(3)); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); !slices.Contains(r.accepted(), "3"); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the event that is there was not delivered")
		}
	}
	counts.mu.Lock()
	defer counts.mu.Unlock()
	want(t, "dropped", counts.dropped, map[pipeline.Loss]int{pipeline.LossExpired: 1})
}
