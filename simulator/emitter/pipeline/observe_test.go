package pipeline_test

import (
	"bytes"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
)

// tally is an observer that counts.
type tally struct {
	mu                                  sync.Mutex
	matched, first, retried, deliveries int
	held                                time.Duration // the longest
	dropped                             map[pipeline.Loss]int
}

func (t *tally) Matched(events int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.matched += events
}

func (t *tally) Attempted(a pipeline.Attempted) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.Again {
		t.retried += a.Payload.Events
	} else {
		t.first += a.Payload.Events
		t.held = max(t.held, a.Begun.Sub(a.Payload.Oldest))
	}
	if a.Delivered {
		t.deliveries++
	}
}

func (t *tally) Dropped(events int, why pipeline.Loss) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dropped == nil {
		t.dropped = map[pipeline.Loss]int{}
	}
	t.dropped[why] += events
}

// until waits for so many deliveries.
func (t *tally) until(test *testing.T, deliveries int) {
	test.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		t.mu.Lock()
		n := t.deliveries
		t.mu.Unlock()
		if n == deliveries {
			return
		}
		if time.Now().After(deadline) {
			test.Fatalf("%d deliveries, want %d", n, deliveries)
		}
	}
}

func (t *tally) retriedSoFar() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.retried
}

// observed is a bubble whose events are counted and whose log is kept.
func observed(t *testing.T, answer func(n int, body string) int, test func(*world, *tally, func() []string)) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		w, r, counts := newWorld(), &script{answer: answer}, &tally{}
		var mu sync.Mutex
		var log bytes.Buffer
		w.observer = counts
		w.logger = slog.New(slog.NewTextHandler(writer(func(p []byte) {
			mu.Lock()
			defer mu.Unlock()
			log.Write(p)
		}), nil))
		w.deliver(r.serve(time.Now()))
		w.put(webhook("a"))
		w.start()
		defer func() { w.dispatcher.Close() }() // of then: a test may start another
		test(w, counts, func() []string {
			mu.Lock()
			defer mu.Unlock()
			return strings.Split(strings.TrimSpace(log.String()), "\n")
		})
	})
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

// has fails unless exactly one line holds all the parts.
func has(t *testing.T, lines []string, parts ...string) {
	t.Helper()
	found := 0
	for _, line := range lines {
		all := true
		for _, part := range parts {
			all = all && strings.Contains(line, part)
		}
		if all {
			found++
		}
	}
	if found != 1 {
		t.Errorf("%d lines have %q:\n%s", found, parts, strings.Join(lines, "\n"))
	}
}

func TestAFailureIsLoggedWithItsDelivery(t *testing.T) {
	t.Parallel()
	observed(t, func(n int, _ string) int {
		if n <= 3 {
			return 503
		}
		return 200
	}, func(w *world, counts *tally, log func() []string) {
		w.append(typed("OTHER", 0), created(1), created(2))
		after(time.Minute)
		lines := log()
		has(t, lines, "level=WARN", "delivery failed", "environment=env", "subscription=a", "delivery=1.1", "events=2", "status 503")
		has(t, lines, "level=INFO", "accepts again", "subscription=a", "delivery=1.1", "failures=3")
		want(t, "matched", counts.matched, 2)
		want(t, "first attempts", counts.first, 2)
		want(t, "retried", counts.retried, 6)
		want(t, "deliveries", counts.deliveries, 1)
		want(t, "held", counts.held, pipeline.DefaultLinger)
	})
}

func TestDropsAreCountedAndLoggedOnceASpell(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	failing.Store(true)
	observed(t, func(int, string) int {
		if failing.Load() {
			return 500
		}
		return 200
	}, func(w *world, counts *tally, log func() []string) {
		for i := range 3 {
			w.append(created(2*i), created(2*i+1), typed("OTHER", 0))
		}
		after(time.Minute)
		w.advance(limits.FailingRetention)
		after(20 * time.Minute) // an attempt fails, and everything is too old
		w.append(created(7), created(8))
		after(time.Minute)
		w.advance(limits.FailingRetention)
		after(20 * time.Minute)
		failing.Store(false)
		w.append(created(9))
		after(time.Hour)
		want(t, "dropped", counts.dropped, map[pipeline.Loss]int{pipeline.LossFailing: 8})
		lines := log()
		has(t, lines, "level=WARN", "events are dropped", "subscription=a", "reason=failing")
		has(t, lines, "level=WARN", "events were dropped", "subscription=a", "dropped=8")
	})
}

func TestSuspensionIsLoggedAndItsDropsAreCounted(t *testing.T) {
	t.Parallel()
	observed(t, nil, func(w *world, counts *tally, log func() []string) {
		s := webhook("a")
		s.Enabled = false
		w.put(s)
		w.append(created(1), created(2))
		w.append(created(3))
		after(time.Minute)
		lag := w.dispatcher.Lags()[0]
		want(t, "behind", w.now().Sub(lag.Behind), time.Minute)
		w.advance(limits.SuspendedRetention)
		w.append(created(4))
		w.put(webhook("a"))
		after(time.Minute)
		want(t, "dropped", counts.dropped, map[pipeline.Loss]int{pipeline.LossSuspended: 3})
		want(t, "delivered", counts.first, 1)
		want(t, "lag", w.dispatcher.Lags(), []pipeline.Lag{{Environment: env, Subscription: "a"}})
		lines := log()
		has(t, lines, "level=INFO", "suspended", "subscription=a")
		has(t, lines, "level=INFO", "enabled again", "subscription=a")
		has(t, lines, "level=WARN", "events are dropped", "reason=suspended")
	})
}
