package emitter

import (
	"context"
	"net/http"

	"github.com/hookproof/hookproof/simulator/emitter/api"
	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// configurationFaults are those of the management API.
func configurationFaults() []Fault {
	return []Fault{
		{"limit-51", "The 51st subscription of an environment is created.", []string{"SUB-LIMIT-051"},
			func(p *Pieces) { p.Directory.MaxSubscriptions++ }},
		{"limit-49", "The 50th subscription of an environment is refused.", []string{"SUB-LIMIT-050"},
			func(p *Pieces) { p.Directory.MaxSubscriptions-- }},
		{"ids-11", "A filter of 11 ids is accepted.", []string{"SUB-LIMIT-011A", "SUB-LIMIT-011P"},
			func(p *Pieces) { p.Directory.Rules.MaxIDs++ }},
		{"size-501", "A payload limit of 501 events is accepted.", []string{"SUB-LIMIT-E02"},
			func(p *Pieces) { p.Directory.Rules.Events.Max++ }},
		{"kb-4097", "A payload limit of 4097 KB is accepted.", []string{"SUB-LIMIT-K02"},
			func(p *Pieces) { p.Directory.Rules.KB.Max++ }},
		{"size-0", "A payload limit of 0 events or KB is accepted.", []string{"SUB-LIMIT-E02", "SUB-LIMIT-K02"},
			func(p *Pieces) { p.Directory.Rules.Events.Min, p.Directory.Rules.KB.Min = 0, 0 }},

		{"create-200", "A creation is answered with 200 in place of 201.", []string{"SUB-CRUD-001"},
			func(p *Pieces) { p.API.CreatedStatus = http.StatusOK }},
		{"put-merges", "What a PUT leaves out keeps its old value.", []string{"SUB-CRUD-014"},
			func(p *Pieces) { p.Directory.Replace = merging(p.Directory.Replace) }},
		{"created-at-changes", "A PUT changes createdAt.", []string{"SUB-CRUD-015"},
			func(p *Pieces) {
				p.Directory.Replace = replaced(p.Directory.Replace, func(_, _ subscription.Subscription, made *subscription.Subscription) {
					made.CreatedAt = made.UpdatedAt
				})
			}},
		{"delete-keeps", "A DELETE is answered with success and deletes nothing.", []string{"SUB-CRUD-018"},
			func(p *Pieces) {
				p.API.Subscriptions = stored(p.API.Subscriptions, func(s api.Subscriptions) api.Subscriptions { return keeping{s} })
			}},
		{"foreign-visible", "A subscription can be read through another environment.", []string{"SUB-CRUD-020"},
			func(p *Pieces) {
				previous := p.API.Subscriptions
				p.API.Subscriptions = func(d *directory.Directory) api.Subscriptions {
					return everywhere{wrapped(previous, d), d}
				}
			}},

		{"http-url-accepted", "A URL that is not https is accepted.", []string{"SUB-REQ-010"}, without("https-url")},
		{"name-optional", "A subscription without name is accepted.", []string{"SUB-REQ-001"}, without("name-required")},
		{"empty-types-accepted", "An empty list of action types is accepted.", []string{"SUB-REQ-003"}, without("types-not-empty")},
		{"format-unchecked", "An unknown format is accepted.", []string{"SUB-REQ-009"}, without("format-known")},
		{"headers-invented", "A subscription without headers is shown with empty ones.", []string{"SUB-REQ-007"},
			represented(func(r *subscription.Representation) {
				if r.HTTPEndpoint != nil && r.HTTPEndpoint.Headers == nil {
					invented := *r.HTTPEndpoint
					invented.Headers = map[string]string{}
					r.HTTPEndpoint = &invented
				}
			})},
		{"connection-details-missing", "An HTTPS subscription is shown without connectionDetails.", []string{"SUB-REQ-019"},
			represented(func(r *subscription.Representation) {
				if r.HTTPEndpoint != nil {
					r.ConnectionDetails = nil
				}
			})},

		{"key-with-unverified-accepted", "A key pair is accepted without verification of certificates.", []string{"SUB-TLS-001"},
			without("key-needs-verification")},
		{"key-usage-unchecked", "A key of another usage type is accepted.", []string{"SUB-TLS-003"},
			func(p *Pieces) {
				p.Directory.KeyProblem = func(key directory.Key, known bool) *body.Problem {
					key.UsageType = directory.UsageOutboundMTLS
					return directory.KeyProblem(key, known)
				}
			}},
		{"put-keeps-key", "A PUT without key pair keeps the old one.", []string{"SUB-TLS-005"},
			func(p *Pieces) {
				p.Directory.Replace = replaced(p.Directory.Replace, func(old, next subscription.Subscription, made *subscription.Subscription) {
					if !next.Sent.KeyPair {
						made.KeyID, made.Sent.KeyPair = old.KeyID, old.Sent.KeyPair
					}
				})
			}},
	}
}

type replace func(old, next subscription.Subscription) subscription.Subscription

func replaced(by replace, alter func(old, next subscription.Subscription, made *subscription.Subscription)) replace {
	return func(old, next subscription.Subscription) subscription.Subscription {
		made := by(old, next)
		alter(old, next, &made)
		return made
	}
}

// merging keeps what the request did not mention.
func merging(by replace) replace {
	return replaced(by, func(old, next subscription.Subscription, made *subscription.Subscription) {
		if next.Headers == nil {
			made.Headers = old.Headers
		}
		if next.Format == "" {
			made.Format = old.Format
		}
		if next.ApplicationIDs == nil {
			made.ApplicationIDs = old.ApplicationIDs
		}
		if next.PopulationIDs == nil {
			made.PopulationIDs = old.PopulationIDs
		}
		if next.Tags == nil {
			made.Tags = old.Tags
		}
		if !next.Sent.PayloadOptions {
			key := made.Sent.KeyPair
			made.Sent = old.Sent
			made.Sent.KeyPair = key
			made.LimitType, made.LimitSize = old.LimitType, old.LimitSize
			made.PayloadFormat, made.PrettyPrint = old.PayloadFormat, old.PrettyPrint
		}
	})
}

func without(check string) func(*Pieces) {
	return func(p *Pieces) { p.Directory.Rules = p.Directory.Rules.Without(check) }
}

func represented(alter func(*subscription.Representation)) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.API.Represent
		p.API.Represent = func(s subscription.Subscription) subscription.Representation {
			r := previous(s)
			alter(&r)
			return r
		}
	}
}

type choose func(*directory.Directory) api.Subscriptions

func wrapped(previous choose, d *directory.Directory) api.Subscriptions {
	if previous == nil {
		return d
	}
	return previous(d)
}

func stored(previous choose, wrap func(api.Subscriptions) api.Subscriptions) choose {
	return func(d *directory.Directory) api.Subscriptions { return wrap(wrapped(previous, d)) }
}

// subscriptions has a name of its own, for one of the methods is Subscriptions.
type subscriptions = api.Subscriptions

// keeping deletes nothing.
type keeping struct{ subscriptions }

func (k keeping) DeleteSubscription(_ context.Context, _ directory.Caller, environment, id string) error {
	if _, ok := k.Subscription(environment, id); !ok {
		return directory.ErrNotFound
	}
	return nil
}

// everywhere finds subscriptions of all environments in each.
type everywhere struct {
	subscriptions
	directory *directory.Directory
}

func (e everywhere) Subscription(environment, id string) (subscription.Subscription, bool) {
	if s, ok := e.subscriptions.Subscription(environment, id); ok {
		return s, true
	}
	for _, other := range e.directory.Environments() {
		if s, ok := e.subscriptions.Subscription(other, id); ok {
			return s, true
		}
	}
	return subscription.Subscription{}, false
}
