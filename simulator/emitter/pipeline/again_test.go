package pipeline_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

func large(n int) event.Record {
	return event.Event{ID: fmt.Sprint(n), Type: "USER.CREATED", RecordedAt: time.Unix(0, 0),
		Resources: []event.Resource{{Type: "USER", ID: "u", Name: strings.Repeat("x", 40<<10)}}}.Record()
}

// What is attempted again is the same, byte for byte, whatever happened since
// the body was let go: to the filter, the log, or the composition.
func TestAPayloadGatheredAgainIsTheSame(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	failing.Store(true)
	bubble(t, webhook("a"), func(int, string) int {
		if failing.Load() {
			return 503
		}
		return 200
	}, func(w *world, r *script) {
		w.append(typed("OTHER", 0), large(1), large(2))
		w.append(typed("OTHER", 3), large(4))
		after(time.Minute)
		w.append(large(5))
		s := webhook("a")
		s.ActionTypes = []string{"OTHER"}
		w.put(s)
		w.append(typed("OTHER", 6))
		after(time.Minute)
		p := *w.pieces.Load()
		p.Shape = func(dst []byte, _ subscription.Subscription, e event.Record) []byte {
			return append(dst, `{"id":"`+e.ID+`","shape":"new"}`...)
		}
		w.pieces.Store(&p)
		w.dispatcher.Recomposed()
		after(time.Minute)
		failing.Store(false)
		after(time.Hour)
		calls := r.all()
		want(t, "accepted", r.accepted(), []string{"1", "2", "4", "5", "6"})
		if len(calls) < 6 {
			t.Fatalf("%d attempts", len(calls))
		}
		for i, c := range calls[:len(calls)-1] {
			if c.body != calls[0].body {
				t.Errorf("attempt %d was made with other bytes: events %v", i+1, ids(c.body))
			}
		}
	})
}

// If the form changed meanwhile, the payload is made in the new one.
func TestAPayloadGatheredAgainTakesANewForm(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	failing.Store(true)
	bubble(t, webhook("a"), func(int, string) int {
		if failing.Load() {
			return 503
		}
		return 200
	}, func(w *world, r *script) {
		w.append(large(1), large(2))
		after(time.Minute)
		failing.Store(false)
		s := webhook("a")
		s.PayloadFormat = subscription.NDJSON
		w.put(s)
		after(time.Hour)
		want(t, "accepted", r.accepted(), []string{"1", "2"})
		if last := r.all()[len(r.all())-1]; strings.HasPrefix(last.body, "[") {
			t.Error("it came in the old form")
		}
	})
}

// Receivers that are down cost no memory for what they do not take.
func TestPayloadsThatWaitAreNotKeptInMemory(t *testing.T) {
	const subscriptions, bytes = 20, 1 << 20
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		var failing atomic.Bool
		failing.Store(true)
		var accepted atomic.Int64
		w.deliver(func(_, body string) int {
			if failing.Load() {
				return 503
			}
			accepted.Add(int64(len(ids(body))))
			return 200
		})
		p := *w.pieces.Load()
		p.Backoff = func(int) time.Duration { return time.Minute }
		w.pieces.Store(&p)
		for i := range subscriptions {
			s := webhook(fmt.Sprint(i))
			w.subscriptions[s.ID] = s
		}
		var records []event.Record
		for i := range bytes / (40 << 10) {
			records = append(records, large(i))
		}
		w.start()
		defer w.dispatcher.Close()
		var before, later runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		w.append(records...)
		after(time.Second)
		runtime.GC()
		runtime.GC() // what the first has put aside for reuse
		runtime.ReadMemStats(&later)
		if grown := int64(later.HeapAlloc) - int64(before.HeapAlloc); grown > subscriptions*bytes/5 {
			t.Errorf("%d MB are kept for %d payloads of %d MB that wait", grown>>20, subscriptions, bytes>>20)
		}
		failing.Store(false)
		after(2 * time.Minute)
		want(t, "accepted", accepted.Load(), int64(subscriptions*len(records)))
	})
}
