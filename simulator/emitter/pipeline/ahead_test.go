package pipeline_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// inThrees is a subscription of three events a payload, with seven to come.
func inThrees() (subscription.Subscription, []event.Record, []string) {
	s := webhook("a")
	s.LimitType, s.LimitSize = subscription.EventsPerPayload, 3
	var records []event.Record
	for i := range 7 {
		records = append(records, created(i))
	}
	return s, records, []string{"0", "1", "2", "3", "4", "5", "6"}
}

func TestTheNextPayloadIsGatheredWhileOneIsOnItsWay(t *testing.T) {
	t.Parallel()
	s, records, all := inThrees()
	var matched, meanwhile atomic.Int64
	bubble(t, s, func(n int, _ string) int {
		if n == 1 {
			synctest.Wait() // all that can happen before the answer has
			meanwhile.Store(matched.Load())
		}
		return 200
	}, func(w *world, r *script) {
		p := *w.pieces.Load()
		p.Match = func(f pipeline.Filter, e event.Record) bool { matched.Add(1); return pipeline.Match(f, e) }
		w.pieces.Store(&p)
		w.dispatcher.Recomposed()
		w.append(records...)
		after(time.Second)
		want(t, "looked at before the first payload was answered", meanwhile.Load(), int64(6))
		want(t, "looked at in all", matched.Load(), int64(7))
		want(t, "delivered", r.accepted(), all)
	})
}

func TestWhatWasGatheredAheadIsForgottenWhenTheSubscriptionChanges(t *testing.T) {
	t.Parallel()
	s, records, all := inThrees()
	var w *world
	bubble(t, s, func(n int, _ string) int {
		if n == 1 {
			synctest.Wait() // all that can happen before the answer has
			changed := s
			changed.LimitSize, changed.PayloadFormat = 2, subscription.NDJSON
			w.put(changed)
		}
		return 200
	}, func(started *world, r *script) {
		w = started
		w.append(records...)
		after(time.Second)
		want(t, "delivered", r.accepted(), all)
		for _, c := range r.all()[1:] {
			if strings.HasPrefix(c.body, "[") || len(ids(c.body)) > 2 {
				t.Errorf("delivered as before the change: %s", c.body)
			}
		}
	})
}

func TestWhatWasGatheredAheadWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	s, records, all := inThrees()
	bubble(t, s, func(n int, _ string) int {
		synctest.Wait() // all that can happen before the answer has
		if n <= 2 {
			return 503
		}
		return 200
	}, func(w *world, r *script) {
		w.append(records...)
		after(time.Minute)
		calls := r.all()
		want(t, "the second attempt", calls[1].body, calls[0].body)
		want(t, "the third attempt", calls[2].body, calls[0].body)
		want(t, "delivered", r.accepted(), all)
	})
}

func TestWhatWasGatheredAheadIsNotSentOnceSuspended(t *testing.T) {
	t.Parallel()
	s, records, all := inThrees()
	var w *world
	bubble(t, s, func(n int, _ string) int {
		if n == 1 {
			synctest.Wait() // all that can happen before the answer has
			suspended := s
			suspended.Enabled = false
			w.put(suspended)
		}
		return 200
	}, func(started *world, r *script) {
		w = started
		w.append(records...)
		after(time.Minute)
		want(t, "before the suspension", r.accepted(), all[:3])
		w.put(s)
		synctest.Wait()
		after(time.Second)
		want(t, "after it", r.accepted(), all)
	})
}
