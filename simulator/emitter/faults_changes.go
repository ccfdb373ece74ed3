package emitter

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/hookproof/hookproof/simulator/emitter/api"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// aftermathFaults are those of deliveries after a subscription was changed or
// deleted.
func aftermathFaults() []Fault {
	return []Fault{
		{"disabled-delivers", "A subscription that was disabled goes on delivering; one created disabled does not.", []string{"DLV-020"},
			func(p *Pieces) {
				p.Pipeline.Active = func(s subscription.Subscription, _ int) bool { return s.Enabled || !s.UpdatedAt.IsZero() }
			}},
		{"deleted-delivers", "A subscription that was deleted is hidden and goes on delivering.", []string{"DLV-021"},
			func(p *Pieces) {
				gone := &goneSubscriptions{ids: map[string]bool{}}
				p.API.Subscriptions = stored(p.API.Subscriptions, func(s api.Subscriptions) api.Subscriptions { return hiding{s, gone} })
			}},
		{"old-receiver-stays", "After a change of the URL, deliveries still go to the old receiver.", []string{"DLV-022"},
			elsewhere(func(first string, _ subscription.Subscription) string { return first })},
		{"moved-delivers", "A disabled subscription delivers once its URL was changed.", []string{"DLV-020"},
			activeAfter(func(old, next subscription.Subscription) bool { return !next.Enabled && old.URL != next.URL })},
		{"disabled-with-a-change-delivers", "A PUT that disables a subscription and changes its headers, types or URL does not disable it.", []string{"DLV-020"},
			activeAfter(func(old, next subscription.Subscription) bool {
				return old.Enabled && !next.Enabled && (old.URL != next.URL || !maps.Equal(old.Headers, next.Headers) || !slices.Equal(old.ActionTypes, next.ActionTypes))
			})},
		{"deleted-failing-delivers", "A subscription that is deleted while it fails is hidden and goes on delivering.", []string{"DLV-021"},
			func(p *Pieces) {
				failing := failingNow(p)
				gone := &goneSubscriptions{ids: map[string]bool{}}
				p.API.Subscriptions = stored(p.API.Subscriptions, func(s api.Subscriptions) api.Subscriptions {
					return hidingSome{hiding{s, gone}, failing}
				})
			}},
		{"old-receiver-until-success", "A subscription whose URL is changed while it fails delivers to the old receiver until that takes a delivery.", []string{"DLV-022"}, oldUntilSuccess},
		{"old-receiver-as-well", "After a change of the URL, the old receiver still gets every delivery, too.", []string{"DLV-022"}, bothReceivers},
	}
}

// goneSubscriptions are those that a client believes to be deleted.
type goneSubscriptions struct {
	mu  sync.Mutex
	ids map[string]bool
}

func (g *goneSubscriptions) has(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ids[id]
}

// hiding hides what it should have deleted.
type hiding struct {
	subscriptions
	gone *goneSubscriptions
}

func (h hiding) Subscriptions(environment string) []subscription.Subscription {
	var shown []subscription.Subscription
	for _, s := range h.subscriptions.Subscriptions(environment) {
		if !h.gone.has(s.ID) {
			shown = append(shown, s)
		}
	}
	return shown
}

func (h hiding) Subscription(environment, id string) (subscription.Subscription, bool) {
	if h.gone.has(id) {
		return subscription.Subscription{}, false
	}
	return h.subscriptions.Subscription(environment, id)
}

func (h hiding) DeleteSubscription(_ context.Context, _ directory.Caller, environment, id string) error {
	if _, ok := h.Subscription(environment, id); !ok {
		return directory.ErrNotFound
	}
	h.gone.mu.Lock()
	defer h.gone.mu.Unlock()
	h.gone.ids[id] = true
	return nil
}

// hidingSome hides what it should have deleted if that is such a subscription,
// and deletes others.
type hidingSome struct {
	hiding
	such func(id string) bool
}

func (h hidingSome) DeleteSubscription(ctx context.Context, caller directory.Caller, environment, id string) error {
	if h.such(id) {
		return h.hiding.DeleteSubscription(ctx, caller, environment, id)
	}
	return h.subscriptions.DeleteSubscription(ctx, caller, environment, id)
}

// activeAfter lets a subscription deliver, whatever it is, after such a change.
func activeAfter(such func(old, next subscription.Subscription) bool) func(*Pieces) {
	return func(p *Pieces) {
		changed, previous := replacements(p, such), p.Pipeline.Active
		p.Pipeline.Active = func(s subscription.Subscription, failures int) bool {
			times, _ := changed(s.ID)
			return times > 0 || previous(s, failures)
		}
	}
}

// failingNow tells whether the last delivery of the subscription with the id
// has failed.
func failingNow(p *Pieces) func(id string) bool {
	var failing sync.Map
	previous := p.Pipeline.Delivered
	p.Pipeline.Delivered = func(a pipeline.Attempt, r pipeline.Result) bool {
		ok := previous(a, r)
		failing.Store(a.Subscription.ID, !ok)
		return ok
	}
	return func(id string) bool {
		now, _ := failing.Load(id)
		return now == true
	}
}

// oldUntilSuccess delivers what has failed, and all that comes after it, where
// it was tried first, until that succeeds.
func oldUntilSuccess(p *Pieces) {
	var urls sync.Map // of the last attempt that failed, by the subscription's id
	sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
		if url, ok := urls.Load(a.Subscription.ID); ok {
			a.Subscription.URL, _ = url.(string)
		}
		r := inner.Attempt(ctx, t, a)
		if inner.Delivered(a, r) {
			urls.Delete(a.Subscription.ID)
		} else {
			urls.Store(a.Subscription.ID, a.Subscription.URL)
		}
		return r
	})(p)
}

// firstURLs remembers the URL that each subscription was created with: its
// creation is when it is first shown.
func firstURLs(p *Pieces) func(id string) (string, bool) {
	var mu sync.Mutex
	urls := map[string]string{}
	previous := p.API.Represent
	p.API.Represent = func(s subscription.Subscription) subscription.Representation {
		mu.Lock()
		defer mu.Unlock()
		if _, known := urls[s.ID]; !known {
			urls[s.ID] = s.URL
		}
		return previous(s)
	}
	return func(id string) (string, bool) {
		mu.Lock()
		defer mu.Unlock()
		url, known := urls[id]
		return url, known
	}
}

// elsewhere lets a fault deliver to another URL, knowing the first.
func elsewhere(choose func(first string, s subscription.Subscription) string) func(*Pieces) {
	return func(p *Pieces) {
		first := firstURLs(p)
		configured(func(s *subscription.Subscription) {
			if url, known := first(s.ID); known {
				s.URL = choose(url, *s)
			}
		})(p)
	}
}

// bothReceivers sends every payload to the first URL as well.
func bothReceivers(p *Pieces) {
	first := firstURLs(p)
	sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
		if url, known := first(a.Subscription.ID); known && url != a.Subscription.URL {
			old := a
			old.Subscription.URL = url
			inner.Attempt(ctx, t, old)
		}
		return inner.Attempt(ctx, t, a)
	})(p)
}
