package pipeline_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// script answers requests and keeps them; it runs in a synctest bubble, where
// time passes only when everybody waits.
type script struct {
	mu     sync.Mutex
	answer func(n int, body string) int // n counts from 1; nil: 200
	calls  []call
}

type call struct {
	at     time.Duration
	url    string
	body   string
	status int
}

func (s *script) serve(start time.Time) func(url, body string) int {
	return func(url, body string) int {
		s.mu.Lock()
		defer s.mu.Unlock()
		status := 200
		if s.answer != nil {
			status = s.answer(len(s.calls)+1, body)
		}
		s.calls = append(s.calls, call{time.Since(start), url, body, status})
		return status
	}
}

func (s *script) all() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// accepted are the ids in deliveries that were answered with 200, in order.
func (s *script) accepted() []string {
	var list []string
	for _, c := range s.all() {
		if c.status == 200 {
			list = append(list, ids(c.body)...)
		}
	}
	return list
}

// bubble runs a world with one subscription under a clock of its own.
func bubble(t *testing.T, s subscription.Subscription, answer func(n int, body string) int, test func(*world, *script)) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		w, r := newWorld(), &script{answer: answer}
		w.deliver(r.serve(time.Now()))
		w.put(s)
		w.start()
		defer w.dispatcher.Close()
		test(w, r)
	})
}

// after lets everything that is due within d happen.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

func TestALoneEventIsHeldForTheLingerOnly(t *testing.T) {
	t.Parallel()
	bubble(t, webhook("a"), nil, func(w *world, r *script) {
		w.append(created(1))
		after(300 * time.Millisecond)
		w.append(created(2), typed("OTHER", 3))
		after(199 * time.Millisecond)
		want(t, "before the linger", len(r.all()), 0)
		after(time.Millisecond)
		want(t, "after the linger", r.accepted(), []string{"1", "2"})
		want(t, "held", r.all()[0].at, 500*time.Millisecond)
	})
}

func TestAFullPayloadIsSentAtOnce(t *testing.T) {
	t.Parallel()
	s := webhook("a")
	s.LimitType, s.LimitSize = subscription.EventsPerPayload, 3
	bubble(t, s, nil, func(w *world, r *script) {
		var records []event.Record
		for i := range 7 {
			records = append(records, created(i))
		}
		w.append(records...)
		synctest.Wait()
		want(t, "at once", r.accepted(), []string{"0", "1", "2", "3", "4", "5"})
		after(500 * time.Millisecond)
		want(t, "later", r.accepted(), []string{"0", "1", "2", "3", "4", "5", "6"})
		want(t, "deliveries", len(r.all()), 3)
	})
}

func TestEventsThatWaitedForAReceiverAreNotHeldAgain(t *testing.T) {
	t.Parallel()
	bubble(t, webhook("a"), func(n int, _ string) int {
		if n == 1 {
			<-time.After(5 * time.Second)
		}
		return 200
	}, func(w *world, r *script) {
		w.append(created(1))
		after(time.Second) // the first delivery is under way
		w.append(created(2))
		after(5 * time.Second)
		want(t, "delivered", r.accepted(), []string{"1", "2"})
		want(t, "second delivery", r.all()[1].at, 5500*time.Millisecond)
	})
}

func TestNothingIsHeldLongerThanDocumented(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		gaps := rapid.SliceOfN(rapid.IntRange(0, 900), 1, 20).Draw(rt, "gaps in ms")
		bubble(t, webhook("a"), nil, func(w *world, r *script) {
			start := time.Now()
			at := map[string]time.Duration{}
			for i, gap := range gaps {
				after(time.Duration(gap) * time.Millisecond)
				at[fmt.Sprint(i)] = time.Since(start)
				w.append(created(i))
			}
			after(limits.Hold)
			for _, c := range r.all() {
				for _, id := range ids(c.body) {
					if held := c.at - at[id]; held > limits.Hold {
						rt.Fatalf("event %s was held for %v", id, held)
					}
				}
			}
			if n := len(r.accepted()); n != len(gaps) {
				rt.Fatalf("%d of %d events were delivered", n, len(gaps))
			}
		})
	})
}

// Whatever a receiver answers and however events arrive: each is accepted once,
// in order, the same payload is sent until it is accepted, nothing overtakes.
func TestNothingIsLostWithRandomFailures(t *testing.T) {
	t.Parallel()
	t.Run("payloads wait in memory", func(t *testing.T) {
		t.Parallel()
		failAtRandom(t, 10, rapid.SliceOfN(rapid.IntRange(1, 12), 1, 10))
	})
	t.Run("payloads are gathered again", func(t *testing.T) {
		t.Parallel()
		failAtRandom(t, 65<<10, rapid.SliceOfN(rapid.IntRange(1, 2), 1, 3))
	})
}

// failAtRandom is the test with events of so many bytes, that come in bursts.
func failAtRandom(t *testing.T, bytes int, of *rapid.Generator[[]int]) {
	t.Helper()
	sized := func(n int) event.Record {
		return event.Event{ID: fmt.Sprint(n), Type: "USER.CREATED", RecordedAt: time.Unix(0, 0),
			Resources: []event.Resource{{Type: "USER", ID: "u", Name: strings.Repeat("x", bytes)}}}.Record()
	}
	rapid.Check(t, func(rt *rapid.T) {
		s := webhook("a")
		s.LimitType, s.LimitSize = subscription.EventsPerPayload, rapid.IntRange(1, 9).Draw(rt, "limit")
		if rapid.Bool().Draw(rt, "by size") {
			s.LimitType, s.LimitSize = subscription.KBPerPayload, 1
		}
		statuses := rapid.SliceOfN(rapid.SampledFrom([]int{200, 0, 500, 404, 302, 201}), 1, 20).Draw(rt, "answers")
		bursts := of.Draw(rt, "bursts")
		bubble(t, s, func(n int, _ string) int {
			if n > len(statuses) {
				return 200
			}
			return statuses[n-1]
		}, func(w *world, r *script) {
			var expected []string
			for _, burst := range bursts {
				var records []event.Record
				for range burst {
					expected = append(expected, fmt.Sprint(len(expected)))
					records = append(records, sized(len(expected)-1), typed("OTHER", -1))
				}
				w.append(records...)
				after(time.Duration(burst) * 100 * time.Millisecond)
			}
			after(24 * time.Hour)
			if diff := cmp.Diff(expected, r.accepted()); diff != "" {
				rt.Fatal(diff)
			}
			calls := r.all()
			for i := range calls[1:] {
				if calls[i].status != 200 && calls[i+1].body != calls[i].body {
					rt.Fatalf("after %d the payload changed from %s to %s", calls[i].status, calls[i].body, calls[i+1].body)
				}
			}
		})
	})
}

func TestOneFailingSubscriptionDoesNotDelayAnother(t *testing.T) {
	t.Parallel()
	bubble(t, webhook("good"), nil, func(w *world, r *script) {
		r.mu.Lock()
		inner := r.serve(time.Now())
		r.mu.Unlock()
		w.deliver(func(url, body string) int {
			if strings.HasSuffix(url, "/bad") {
				return 500
			}
			return inner(url, body)
		})
		w.dispatcher.Recomposed()
		w.put(webhook("bad"))
		for i := range 5 {
			w.append(created(i))
			after(time.Second)
		}
		want(t, "delivered", r.accepted(), []string{"0", "1", "2", "3", "4"})
	})
}

func TestASuspendedSubscriptionAccumulates(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	failing.Store(true)
	bubble(t, webhook("a"), func(int, string) int {
		if failing.Load() {
			return 503
		}
		return 200
	}, func(w *world, r *script) {
		w.append(created(1))
		after(10 * time.Second) // it is being retried
		s := webhook("a")
		s.Enabled = false
		w.put(s)
		synctest.Wait()
		before := len(r.all())
		w.append(created(2))
		after(time.Hour)
		want(t, "deliveries while suspended", len(r.all())-before, 0)
		failing.Store(false)
		w.put(webhook("a"))
		synctest.Wait()
		want(t, "after resuming", r.accepted(), []string{"1", "2"})
	})
}

func TestADeletedSubscriptionIsForgotten(t *testing.T) {
	t.Parallel()
	bubble(t, webhook("a"), func(int, string) int { return 500 }, func(w *world, r *script) {
		w.append(created(1))
		after(5 * time.Second)
		w.remove("a")
		synctest.Wait()
		before := len(r.all())
		w.append(created(2))
		after(time.Hour)
		want(t, "later attempts", len(r.all())-before, 0)
		want(t, "cursors", len(w.cursors), 0)
	})
}

func TestARetryGoesToTheURLOfNow(t *testing.T) {
	t.Parallel()
	bubble(t, webhook("a"), func(n int, body string) int {
		if n < 3 {
			return 500
		}
		return 200
	}, func(w *world, r *script) {
		w.append(created(1))
		after(510 * time.Millisecond)
		s := webhook("a")
		s.URL = "https://127.0.0.1:1/moved"
		w.put(s)
		after(time.Minute)
		calls := r.all()
		want(t, "first url", calls[0].url, "https://127.0.0.1:1/a")
		want(t, "retried url", calls[1].url, "https://127.0.0.1:1/moved")
		want(t, "retried body", calls[1].body, calls[0].body)
		want(t, "accepted", r.accepted(), []string{"1"})
	})
}

func TestAPayloadGatheredAnewBringsWhatHasHappenedSince(t *testing.T) {
	t.Parallel()
	s := webhook("a")
	s.LimitType, s.LimitSize = subscription.EventsPerPayload, 2
	bubble(t, s, func(n int, _ string) int {
		if n < 3 {
			return 500
		}
		return 200
	}, func(w *world, r *script) {
		p := pipeline.Default()
		p.Anew = func(a pipeline.Attempt) bool { return a.Number == 1 }
		w.pieces.Store(&p)
		w.deliver(r.serve(time.Now()))
		w.append(created(1))
		after(510 * time.Millisecond)
		w.append(created(2), created(3))
		after(time.Minute)
		var sent [][]string
		for _, c := range r.all() {
			sent = append(sent, ids(c.body))
		}
		want(t, "deliveries", sent, [][]string{{"1"}, {"1", "2"}, {"1", "2"}, {"3"}})
		want(t, "accepted", r.accepted(), []string{"1", "2", "3"})
	})
}

func TestEventsMeetTheFilterOfTheirTime(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	failing.Store(true)
	s := webhook("a")
	s.LimitType, s.LimitSize = subscription.EventsPerPayload, 1
	bubble(t, s, func(int, string) int {
		if failing.Load() {
			return 500
		}
		return 200
	}, func(w *world, r *script) {
		w.append(created(1), created(2), typed("OTHER", 3))
		w.append(created(4))
		after(time.Second)
		s.ActionTypes = []string{"OTHER"}
		w.put(s)
		w.append(created(5), typed("OTHER", 6))
		failing.Store(false)
		after(time.Hour)
		want(t, "delivered", r.accepted(), []string{"1", "2", "4", "6"})
	})
}

func TestAfterARestartDeliveryGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := webhook("a")
		s.LimitType, s.LimitSize = subscription.EventsPerPayload, 2
		var failing atomic.Bool
		w, r := newWorld(), &script{}
		r.answer = func(int, string) int {
			if failing.Load() {
				return 500
			}
			return 200
		}
		w.deliver(r.serve(time.Now()))
		w.put(s)
		w.start()
		w.append(created(1), created(2), created(3))
		after(time.Second)
		failing.Store(true)
		w.append(created(4), typed("OTHER", 5), created(6))
		after(time.Second)
		w.dispatcher.Close()
		s.ActionTypes = []string{"OTHER"} // changed while nobody watched
		w.dispatcher = nil
		w.put(s)
		failing.Store(false)
		w.start()
		w.append(typed("OTHER", 7), created(8))
		after(time.Minute)
		w.dispatcher.Close()
		want(t, "delivered", r.accepted(), []string{"1", "2", "3", "4", "6", "7"})
	})
}

func TestANewSubscriptionStartsAtItsStart(t *testing.T) {
	t.Parallel()
	s := webhook("a")
	s.StartAfter = 2
	synctest.Test(t, func(t *testing.T) {
		w, r := newWorld(), &script{}
		w.deliver(r.serve(time.Now()))
		w.append(created(1))
		w.append(created(2))
		w.append(created(3))
		w.put(s)
		w.start()
		defer w.dispatcher.Close()
		after(time.Second)
		want(t, "delivered", r.accepted(), []string{"3"})
	})
}
