package emitter

import (
	"context"
	"net/http"
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
