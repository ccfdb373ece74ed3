package pipeline_test

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// happening is one thing of a random story: after a while the process is
// restarted, or events come.
type happening struct {
	after   time.Duration
	restart bool
	events  []happened
}

// happened is what a filter may ask of an event.
type happened struct {
	kind, population, tag string
	padding               int
}

func (h happened) record(id int) event.Record {
	e := event.Event{ID: strconv.Itoa(id), Type: h.kind, Description: fmt.Sprintf("%*s", h.padding, "")}
	e.Resources = []event.Resource{{Type: "USER", ID: "u", PopulationID: h.population}}
	if h.tag != "" {
		e.Tags = []string{h.tag}
	}
	return e.Record()
}

// wanted is the oracle: whether the subscription is to get the event.
func (h happened) wanted(s subscription.Subscription) bool {
	return slices.Contains(s.ActionTypes, h.kind) &&
		(len(s.PopulationIDs) == 0 || slices.Contains(s.PopulationIDs, h.population)) &&
		(len(s.Tags) == 0 || slices.Contains(s.Tags, h.tag))
}

var (
	someKinds       = []string{"USER.CREATED", "USER.UPDATED", "USER.DELETED"}
	somePopulations = []string{"staff", "customers"}
)

func someEvents() *rapid.Generator[happened] {
	return rapid.Custom(func(t *rapid.T) happened {
		return happened{
			kind:       rapid.SampledFrom(someKinds).Draw(t, "type"),
			population: rapid.SampledFrom(somePopulations).Draw(t, "population"),
			tag:        rapid.SampledFrom([]string{"", subscription.AdminIdentityEvent}).Draw(t, "tag"),
			padding:    rapid.IntRange(0, 700).Draw(t, "padding"),
		}
	})
}

func someStory() *rapid.Generator[[]happening] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) happening {
		h := happening{after: time.Duration(rapid.IntRange(0, 1500).Draw(t, "after ms")) * time.Millisecond}
		if h.restart = rapid.IntRange(0, 5).Draw(t, "restart at 0") == 0; !h.restart {
			h.events = rapid.SliceOfN(someEvents(), 1, 8).Draw(t, "events")
		}
		return h
	}), 1, 12)
}

func someSubscription(id string) *rapid.Generator[subscription.Subscription] {
	return rapid.Custom(func(t *rapid.T) subscription.Subscription {
		s := webhook(id)
		s.Format = rapid.SampledFrom([]string{subscription.Activity, subscription.Splunk, subscription.NewRelic}).Draw(t, "format")
		form := rapid.SampledFrom([]string{"default", "array", "pretty", "ndjson"}).Draw(t, "form")
		s.PayloadFormat, s.PrettyPrint = framings()[form].PayloadFormat, framings()[form].PrettyPrint
		s.ActionTypes = rapid.SliceOfNDistinct(rapid.SampledFrom(someKinds), 1, 3, rapid.ID).Draw(t, "types")
		s.PopulationIDs = rapid.SliceOfNDistinct(rapid.SampledFrom(somePopulations), 0, 2, rapid.ID).Draw(t, "populations")
		if rapid.Bool().Draw(t, "only tagged") {
			s.Tags = []string{subscription.AdminIdentityEvent}
		}
		s.LimitType, s.LimitSize = subscription.EventsPerPayload, rapid.IntRange(1, 9).Draw(t, "events a payload")
		if rapid.Bool().Draw(t, "by size") {
			s.LimitType, s.LimitSize = subscription.KBPerPayload, rapid.IntRange(1, 3).Draw(t, "KB a payload")
		}
		return s
	})
}

// endpoint is the receiver of one subscription. It answers from its list, then
// with 200; each answer may take a while.
type endpoint struct {
	subscription subscription.Subscription
	answers      []reply

	mu       sync.Mutex
	attempts int
	got      []string             // of accepted payloads
	first    map[string]time.Time // attempt of each event
	free     time.Time            // since when nothing was in the way of a first attempt
	failing  bool
	held     map[string]time.Time // since when each event was held at its first attempt: free, or zero
	wrong    error
}

type reply struct {
	status int
	takes  time.Duration
}

func someReplies() *rapid.Generator[[]reply] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) reply {
		return reply{
			status: rapid.SampledFrom([]int{200, 200, 0, 500, 404, 302, 201}).Draw(t, "status"),
			takes:  time.Duration(rapid.SampledFrom([]int{0, 0, 10, 700, 4000}).Draw(t, "takes ms")) * time.Millisecond,
		}
	}), 0, 15)
}

func (e *endpoint) take(body string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	answer := reply{status: 200}
	if e.attempts < len(e.answers) {
		answer = e.answers[e.attempts]
	}
	e.attempts++
	list, err := records(e.subscription, body)
	if err != nil {
		e.wrong = err
		return 500
	}
	s := e.subscription
	if s.LimitType == subscription.KBPerPayload && len(body) > s.LimitSize*limits.BytesPerKB && len(list) > 1 ||
		s.LimitType == subscription.EventsPerPayload && len(list) > s.LimitSize || len(list) == 0 {
		e.wrong = fmt.Errorf("a payload of %d events and %d bytes, the limit is %d %s", len(list), len(body), s.LimitSize, s.LimitType)
	}
	var all []string
	for _, r := range list {
		id := r.Get("id").String()
		if s.Format != subscription.Activity {
			id = r.Get("event.id").String()
		}
		if all = append(all, id); !e.failing {
			e.first[id], e.held[id] = time.Now(), e.free
		}
	}
	<-time.After(answer.takes)
	if e.failing = answer.status != 200; !e.failing {
		e.got, e.free = append(e.got, all...), time.Now()
	}
	return answer.status
}

// Whatever happens — any events, filters, limits, formats, failures and
// restarts — each subscription gets exactly the events that match, each once
// and in order, in payloads within its limit, and none is held for longer than
// 2 s while nothing is in its way.
func TestWhateverHappensWhatMatchesIsDelivered(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		endpoints := map[string]*endpoint{}
		for i := range rapid.IntRange(1, 3).Draw(rt, "subscriptions") {
			s := someSubscription(fmt.Sprint(i)).Draw(rt, "subscription")
			endpoints[s.URL] = &endpoint{
				subscription: s, answers: someReplies().Draw(rt, "answers"),
				first: map[string]time.Time{}, held: map[string]time.Time{},
			}
		}
		story := someStory().Draw(rt, "story")
		var err error
		synctest.Test(t, func(*testing.T) { err = tell(endpoints, story) })
		if err != nil { // within the bubble, rapid could not make the story shorter
			rt.Fatal(err)
		}
	})
}

// tell lets the story happen and checks what came of it.
func tell(endpoints map[string]*endpoint, story []happening) error {
	w := newWorld()
	w.deliver(func(url, body string) int { return endpoints[url].take(body) })
	for _, e := range endpoints {
		w.put(e.subscription)
	}
	w.start()
	var events []happened
	var accepted, restarted []time.Time
	for _, h := range story {
		after(h.after)
		if h.restart {
			w.dispatcher.Close()
			w.start()
			restarted = append(restarted, time.Now())
			continue
		}
		var together []event.Record
		for _, e := range h.events {
			together = append(together, e.record(len(events)))
			events, accepted = append(events, e), append(accepted, time.Now())
		}
		w.append(together...)
	}
	after(24 * time.Hour)
	w.dispatcher.Close()

	for _, e := range endpoints {
		if e.wrong != nil {
			return e.wrong
		}
		var want []string
		for id, h := range events {
			if h.wanted(e.subscription) {
				want = append(want, strconv.Itoa(id))
			}
		}
		if diff := cmp.Diff(want, e.got); diff != "" {
			return fmt.Errorf("subscription %s: %s", e.subscription.ID, diff)
		}
		for id, at := range e.first {
			n, _ := strconv.Atoi(id)
			since := accepted[n]
			for _, hindered := range append(restarted, e.held[id]) {
				if hindered.After(since) && !hindered.After(at) {
					since = hindered
				}
			}
			if held := at.Sub(since); held > limits.Hold {
				return fmt.Errorf("event %s was held for %v", id, held)
			}
		}
	}
	return nil
}
