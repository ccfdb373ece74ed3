package emitter

import (
	"context"
	"net/http"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter/api"
	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// limitFaults are those of the limits of configuration, beyond the plain wrong
// number: counted wrongly, refused wrongly, off by one in the other direction.
func limitFaults() []Fault {
	const most = limits.SubscriptionsPerEnvironment
	return []Fault{
		{"limit-counts-deleted", "Deleted subscriptions go on counting towards the limit.", []string{"SUB-LIMIT-053"}, countingDeleted()},
		{"limit-counts-enabled", "Only enabled subscriptions count towards the limit.", []string{"SUB-LIMIT-055"},
			counted(func(d *directory.Directory, environment string) int {
				n := 0
				for _, s := range d.Subscriptions(environment) {
					if s.Enabled {
						n++
					}
				}
				return n
			})},
		{"limit-per-organization", "The limit counts the subscriptions of all environments together.", []string{"SUB-LIMIT-050"},
			counted(func(d *directory.Directory, _ string) int {
				n := 0
				for _, environment := range d.Environments() {
					n += len(d.Subscriptions(environment))
				}
				return n
			})},
		{"limit-counts-refused", "Creates that were refused count towards the limit.", []string{"SUB-LIMIT-050"}, countingRefused()},
		{"limit-refused-and-made", "The 51st subscription is refused and made nevertheless.", []string{"SUB-LIMIT-054"},
			func(p *Pieces) {
				p.Directory.MaxSubscriptions++
				making(func(s api.Subscriptions, _ *directory.Directory, environment string, create func() (subscription.Subscription, error)) (subscription.Subscription, error) {
					made, err := create()
					if err == nil && len(s.Subscriptions(environment)) > most {
						return made, &directory.LimitReached{Limit: most}
					}
					return made, err
				})(p)
			}},
		{"limit-evicts", "The refusal of the 51st subscription costs the first its life.", []string{"SUB-LIMIT-054"}, evicting},
		{"limit-400", "The 51st subscription is refused with 400.", []string{"SUB-LIMIT-051"},
			answeredTo(http.MethodPost, http.StatusForbidden, func(k *talk) { k.answer.status = http.StatusBadRequest })},
		{"limit-bare", "The refusal of the 51st subscription does not say why.", []string{"SUB-LIMIT-052"},
			answeredTo(http.MethodPost, http.StatusForbidden, func(k *talk) { k.answer.body.Reset() })},
		{"limit-code-missing", "The refusal of the 51st subscription has no code.", []string{"SUB-LIMIT-052"},
			answeredTo(http.MethodPost, http.StatusForbidden, func(k *talk) { k.drop("code") })},

		{"ids-9", "A filter of 10 ids is refused.", []string{"SUB-LIMIT-010A", "SUB-LIMIT-010P"}, func(p *Pieces) { p.Directory.Rules.MaxIDs-- }},
		{"ids-10-together", "A filter of 10 ids is refused if the other filter has any.", []string{"SUB-LIMIT-010A", "SUB-LIMIT-010P"},
			refused("filterOptions", func(d subscription.Draft) bool {
				return len(d.ApplicationIDs)+len(d.PopulationIDs) > limits.IDsPerFilter
			})},
		{"size-499", "A payload limit of 500 events is refused.", []string{"SUB-LIMIT-E01"}, func(p *Pieces) { p.Directory.Rules.Events.Max-- }},
		{"size-1-refused", "A payload limit of 1 event or KB is refused.", []string{"SUB-LIMIT-E01", "SUB-LIMIT-K01"},
			func(p *Pieces) { p.Directory.Rules.Events.Min++; p.Directory.Rules.KB.Min++ }},
		{"kb-4095", "A payload limit of 4096 KB is refused.", []string{"SUB-LIMIT-K01"}, func(p *Pieces) { p.Directory.Rules.KB.Max-- }},
		{"kb-as-events", "A payload limit in KB may not be above 500.", []string{"SUB-LIMIT-K01"},
			func(p *Pieces) { p.Directory.Rules.KB.Max = limits.EventsPerPayload }},
		{"limit-type-unchecked", "A payload limit of an unknown type is accepted.", []string{"SUB-LIMIT-X01"}, without("limit-type-known")},
		{"payload-options-invented", "A subscription without payload options is shown with some.", []string{"SUB-LIMIT-X02"},
			created(func(k *talk) {
				if !gjson.GetBytes(k.sent, "payloadOptions").Exists() {
					k.set("payloadOptions.maximumPayloadLimit", map[string]any{"type": subscription.EventsPerPayload, "size": limits.EventsPerPayload})
				}
			})},
	}
}

// making lets a fault decide about the creation of a subscription.
func making(decide func(s api.Subscriptions, d *directory.Directory, environment string, create func() (subscription.Subscription, error)) (subscription.Subscription, error)) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.API.Subscriptions
		p.API.Subscriptions = func(d *directory.Directory) api.Subscriptions {
			s := wrapped(previous, d)
			return deciding{s, func(environment string, create func() (subscription.Subscription, error)) (subscription.Subscription, error) {
				return decide(s, d, environment, create)
			}}
		}
	}
}

// deciding is a store of subscriptions whose creations somebody else decides.
type deciding struct {
	subscriptions
	decide func(environment string, create func() (subscription.Subscription, error)) (subscription.Subscription, error)
}

func (d deciding) CreateSubscription(ctx context.Context, caller directory.Caller, environment string, o body.Object) (subscription.Subscription, error) {
	return d.decide(environment, func() (subscription.Subscription, error) {
		return d.subscriptions.CreateSubscription(ctx, caller, environment, o)
	})
}

// counted puts another count in the place of the environment's.
func counted(count func(d *directory.Directory, environment string) int) func(*Pieces) {
	return func(p *Pieces) {
		p.Directory.MaxSubscriptions = 1 << 30
		making(func(_ api.Subscriptions, d *directory.Directory, environment string, create func() (subscription.Subscription, error)) (subscription.Subscription, error) {
			if count(d, environment) >= limits.SubscriptionsPerEnvironment {
				return subscription.Subscription{}, &directory.LimitReached{Limit: limits.SubscriptionsPerEnvironment}
			}
			return create()
		})(p)
	}
}

func countingDeleted() func(*Pieces) {
	return func(p *Pieces) {
		var mu sync.Mutex
		made := map[string]int{}
		making(func(_ api.Subscriptions, _ *directory.Directory, environment string, create func() (subscription.Subscription, error)) (subscription.Subscription, error) {
			mu.Lock()
			defer mu.Unlock()
			if made[environment] >= limits.SubscriptionsPerEnvironment {
				return subscription.Subscription{}, &directory.LimitReached{Limit: limits.SubscriptionsPerEnvironment}
			}
			s, err := create()
			if err == nil {
				made[environment]++
			}
			return s, err
		})(p)
	}
}

func countingRefused() func(*Pieces) {
	return func(p *Pieces) {
		var mu sync.Mutex
		refused := map[string]int{} // creates, by environment
		making(func(_ api.Subscriptions, d *directory.Directory, environment string, create func() (subscription.Subscription, error)) (subscription.Subscription, error) {
			mu.Lock()
			defer mu.Unlock()
			if len(d.Subscriptions(environment))+refused[environment] >= limits.SubscriptionsPerEnvironment {
				return subscription.Subscription{}, &directory.LimitReached{Limit: limits.SubscriptionsPerEnvironment}
			}
			s, err := create()
			if err != nil {
				refused[environment]++
			}
			return s, err
		})(p)
	}
}

// evicting deletes a subscription whenever one too many is refused.
func evicting(p *Pieces) {
	answeredTo(http.MethodPost, http.StatusForbidden, func(k *talk) {
		refusal := k.answer
		k.askAgain(func(r *http.Request) { r.Method = http.MethodGet })
		first := k.get("_embedded.subscriptions.0.id").Str
		k.askAgain(func(r *http.Request) { r.Method, r.URL.Path = http.MethodDelete, r.URL.Path+"/"+first })
		k.answer = refusal
	})(p)
}
