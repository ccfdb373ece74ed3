package emitter

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter/api"
	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// subscriptionFaults are those of how a subscription is shown, listed, replaced
// and deleted.
func subscriptionFaults() []Fault {
	return append(shownFaults(), changeFaults()...)
}

const someoneElse = "9773fa25-a4f4-40d8-ac25-0d53338247c1" // an id that nothing has

func shownFaults() []Fault {
	return []Fault{
		{"id-no-uuid", "The id of a new subscription is no UUID.", []string{"SUB-CRUD-002"},
			created(func(k *talk) { k.set("id", strings.ReplaceAll(k.get("id").Str, "-", "")) })},
		{"id-constant", "Every new subscription has the same id.", []string{"SUB-CRUD-002"},
			created(func(k *talk) { k.set("id", someoneElse) })},
		{"environment-missing", "A subscription does not tell its environment.", []string{"SUB-CRUD-003"}, one(func(k *talk) { k.drop("environment") })},
		{"environment-of-the-client", "A subscription tells the environment of the client that made it.", []string{"SUB-CRUD-003"},
			one(func(k *talk) { k.set("environment.id", k.pieces.Bootstrap.EnvironmentID) })},
		{"created-at-missing", "A new subscription has no createdAt.", []string{"SUB-CRUD-004"}, created(func(k *talk) { k.drop("createdAt") })},
		{"created-at-local", "createdAt is a local time.", []string{"SUB-CRUD-004"},
			created(func(k *talk) { k.set("createdAt", local(k.get("createdAt").Time())) })},
		{"created-at-zoneless", "createdAt has no time zone.", []string{"SUB-CRUD-004"},
			created(func(k *talk) { k.set("createdAt", strings.TrimSuffix(k.get("createdAt").Str, "Z")) })},
		{"created-at-an-hour-off", "createdAt is a local time that is called UTC.", []string{"SUB-CRUD-004"},
			created(func(k *talk) {
				k.set("createdAt", k.get("createdAt").Time().Add(time.Hour).Format(subscription.TimeFormat))
			})},
		{"self-relative", "The link of a subscription to itself is no absolute URL.", []string{"SUB-CRUD-005"},
			one(func(k *talk) { k.set("_links.self.href", k.request.URL.Path) })},
		{"self-is-the-collection", "The link of a subscription to itself leads to all of them.", []string{"SUB-CRUD-005"},
			one(func(k *talk) {
				k.set("_links.self.href", strings.TrimSuffix(k.get("_links.self.href").Str, "/"+k.get("id").Str))
			})},
		{"environment-link-missing", "A subscription has no link to its environment.", []string{"SUB-CRUD-006"}, one(func(k *talk) { k.drop("_links.environment") })},
		{"environment-link-to-itself", "The link to the environment leads to the subscription.", []string{"SUB-CRUD-006"},
			one(func(k *talk) { k.set("_links.environment.href", k.get("_links.self.href").Str) })},

		{"url-lower-case", "The URL is shown in lower case.", []string{"SUB-CRUD-007"},
			represented(endpoints(func(e *subscription.Endpoint) { e.URL = strings.ToLower(e.URL) }))},
		{"enabled-always-shown", "Every subscription is shown as enabled.", []string{"SUB-CRUD-007"},
			represented(func(r *subscription.Representation) { r.Enabled = true })},
		{"verified-always-shown", "Every subscription is shown as verifying certificates.", []string{"SUB-CRUD-007"},
			represented(func(r *subscription.Representation) { r.VerifyTLS = true })},
		{"one-type-shown", "Only the first included type is shown.", []string{"SUB-CRUD-007"},
			represented(func(r *subscription.Representation) {
				r.FilterOptions.ActionTypes = r.FilterOptions.ActionTypes[:min(1, len(r.FilterOptions.ActionTypes))]
			})},
		{"header-values-folded", "Values of headers are shown in lower case.", []string{"SUB-CRUD-007"},
			represented(endpoints(func(e *subscription.Endpoint) { e.Headers = values(e.Headers, strings.ToLower) }))},
		{"populations-hidden-by-get", "A GET does not show the populations.", []string{"SUB-CRUD-008"},
			read(func(k *talk) { k.drop("filterOptions.includedPopulations") })},
		{"format-invented-by-get", "A GET shows a format that was not sent.", []string{"SUB-CRUD-008"},
			read(func(k *talk) {
				if !k.get("format").Exists() {
					k.set("format", subscription.Activity)
				}
			})},
		{"authorization-masked", "A GET masks the value of Authorization.", []string{"SUB-CRUD-026"},
			read(func(k *talk) {
				for _, path := range []string{"httpEndpoint", "connectionDetails"} {
					if k.get(path + ".headers.Authorization").Exists() {
						k.set(path+".headers.Authorization", "********")
					}
				}
			})},
		{"headers-masked", "A GET masks the values of all headers.", []string{"SUB-CRUD-026"},
			represented(endpoints(func(e *subscription.Endpoint) {
				e.Headers = values(e.Headers, func(string) string { return "********" })
			}))},

		{"list-of-enabled", "The list leaves disabled subscriptions out.", []string{"SUB-CRUD-009"},
			listed(func(k *talk, all []gjson.Result) []gjson.Result {
				var enabled []gjson.Result
				for _, s := range all {
					if s.Get("enabled").Bool() {
						enabled = append(enabled, s)
					}
				}
				return enabled
			})},
		{"list-of-20", "The list ends after 20 subscriptions, without a next page.", []string{"SUB-LIMIT-050", "SUB-LIMIT-054"},
			listed(func(_ *talk, all []gjson.Result) []gjson.Result { return all[:min(20, len(all))] })},
		{"list-without-count", "The list does not tell how many there are.", []string{"SUB-CRUD-010"}, list(func(k *talk) { k.drop("count") })},
		{"list-with-the-page-size", "The size of a list is that of a page.", []string{"SUB-CRUD-010"}, list(func(k *talk) { k.set("size", 100) })},
		{"list-without-self", "The list has no link to itself.", []string{"SUB-CRUD-011"}, list(func(k *talk) { k.drop("_links.self") })},
		{"list-with-next", "The list has a next page that there is not.", []string{"SUB-CRUD-011"},
			list(func(k *talk) { k.set("_links.next.href", k.get("_links.self.href").Str+"?cursor=1") })},
		{"empty-list-404", "An empty list is answered with 404.", []string{"SUB-CRUD-012"},
			list(func(k *talk) {
				if len(k.get("_embedded.subscriptions").Array()) == 0 {
					k.answer.status = http.StatusNotFound
				}
			})},
		{"empty-list-204", "An empty list is answered with 204.", []string{"SUB-CRUD-012"},
			list(func(k *talk) {
				if len(k.get("_embedded.subscriptions").Array()) == 0 {
					k.answer.status = http.StatusNoContent
					k.answer.body.Reset()
				}
			})},
		{"answers-as-text", "Answers of the API are called text/plain.", []string{"SUB-CRUD-023"}, called("text/plain; charset=utf-8")},
		{"answers-as-hal", "Answers of the API are called application/hal+json.", []string{"SUB-CRUD-023"}, called("application/hal+json")},
	}
}

func changeFaults() []Fault {
	return []Fault{
		{"put-ignored", "A PUT is answered with 200 and changes nothing.", []string{"SUB-CRUD-013"},
			func(p *Pieces) {
				p.Directory.Replace = func(old, _ subscription.Subscription) subscription.Subscription { return old }
			}},
		{"put-202", "A PUT is answered with 202.", []string{"SUB-CRUD-013"}, replacement(func(k *talk) { k.answer.status = http.StatusAccepted })},
		{"put-keeps-headers", "A PUT without headers keeps the old ones.", []string{"SUB-CRUD-014"},
			left(func(old, next subscription.Subscription, made *subscription.Subscription) {
				if next.Headers == nil {
					made.Headers = old.Headers
				}
			})},
		{"put-keeps-populations", "A PUT without populations keeps the old ones.", []string{"SUB-CRUD-014"},
			left(func(old, next subscription.Subscription, made *subscription.Subscription) {
				if next.PopulationIDs == nil {
					made.PopulationIDs = old.PopulationIDs
				}
			})},
		{"put-keeps-limit", "A PUT without payload options keeps the old limit.", []string{"SUB-CRUD-014"},
			left(func(old, next subscription.Subscription, made *subscription.Subscription) {
				if !next.Sent.PayloadOptions {
					made.LimitType, made.LimitSize = old.LimitType, old.LimitSize
					made.Sent.PayloadOptions, made.Sent.Limit, made.Sent.LimitSize = old.Sent.PayloadOptions, old.Sent.Limit, old.Sent.LimitSize
				}
			})},
		{"put-renews-id", "A PUT gives the subscription another id.", []string{"SUB-CRUD-015"}, replacement(func(k *talk) { k.set("id", uuid.NewString()) })},
		{"put-loses-created-at", "After a PUT the subscription has no createdAt.", []string{"SUB-CRUD-015"}, replacement(func(k *talk) { k.drop("createdAt") })},
		{"updated-at-missing", "After a PUT the subscription has no updatedAt.", []string{"SUB-CRUD-016"}, one(func(k *talk) { k.drop("updatedAt") })},
		{"updated-before-created", "updatedAt is earlier than createdAt.", []string{"SUB-CRUD-016"},
			replacement(func(k *talk) {
				k.set("updatedAt", k.get("createdAt").Time().Add(-time.Second).Format(subscription.TimeFormat))
			})},
		{"delete-200", "A DELETE is answered with 200 and a body.", []string{"SUB-CRUD-017"},
			answeredTo(http.MethodDelete, http.StatusNoContent, func(k *talk) {
				k.answer.status = http.StatusOK
				k.answer.body.WriteString(`{}`)
			})},
		{"delete-202", "A DELETE is answered with 202.", []string{"SUB-CRUD-017"},
			answeredTo(http.MethodDelete, http.StatusNoContent, func(k *talk) { k.answer.status = http.StatusAccepted })},
		{"deleted-410", "A GET of a deleted subscription is answered with 410.", []string{"SUB-CRUD-018"},
			answeredTo(http.MethodGet, http.StatusNotFound, func(k *talk) { k.answer.status = http.StatusGone })},
		{"unknown-200", "A GET of a subscription that there is not is answered with 200.", []string{"SUB-CRUD-018", "SUB-CRUD-020"},
			answeredTo(http.MethodGet, http.StatusNotFound, func(k *talk) { k.answer.status = http.StatusOK })},
		{"foreign-forbidden", "A GET through another environment is answered with 403.", []string{"SUB-CRUD-020"},
			answeredTo(http.MethodGet, http.StatusNotFound, func(k *talk) { k.answer.status = http.StatusForbidden })},
		{"unknown-replaced", "A PUT of an unknown subscription is answered with 201.", []string{"SUB-CRUD-019"},
			answeredTo(http.MethodPut, http.StatusNotFound, func(k *talk) { k.answer.status = http.StatusCreated })},
		{"foreign-replaced", "A subscription can be read and replaced through another environment.", []string{"SUB-CRUD-019", "SUB-CRUD-020"},
			func(p *Pieces) {
				previous := p.API.Subscriptions
				p.API.Subscriptions = func(d *directory.Directory) api.Subscriptions {
					return replacingEverywhere{everywhere{wrapped(previous, d), d}}
				}
			}},
		{"foreign-deleted", "A subscription is deleted through another environment.", []string{"SUB-CRUD-019"},
			func(p *Pieces) {
				previous := p.API.Subscriptions
				p.API.Subscriptions = func(d *directory.Directory) api.Subscriptions {
					return deletingEverywhere{everywhere{wrapped(previous, d), d}}
				}
			}},
		{"unknown-deleted", "A DELETE of an unknown subscription is answered with 204.", []string{"SUB-CRUD-019"},
			answeredTo(http.MethodDelete, http.StatusNotFound, func(k *talk) {
				k.answer.status = http.StatusNoContent
				k.answer.body.Reset()
			})},
		{"client-sets-id", "The id that a client sends is taken.", []string{"SUB-CRUD-022"}, taken("id")},
		{"client-sets-created-at", "The createdAt that a client sends is taken.", []string{"SUB-CRUD-022"}, taken("createdAt")},
		{"client-sets-environment", "The environment that a client sends is taken.", []string{"SUB-CRUD-022"}, taken("environment")},
		{"patch-accepted", "A PATCH is answered with 200.", []string{"SUB-CRUD-025"},
			talking(func(k *talk) {
				if k.aboutSubscriptions() && k.request.Method == http.MethodPatch {
					k.answer.status = http.StatusOK
				}
			})},
	}
}

// replacingEverywhere shows and replaces subscriptions of all environments in
// each.
type replacingEverywhere struct{ everywhere }

func (e replacingEverywhere) ReplaceSubscription(ctx context.Context, caller directory.Caller, environment, id string, o body.Object) (subscription.Subscription, error) {
	if s, ok := e.everywhere.Subscription(environment, id); ok {
		environment = s.EnvironmentID
	}
	return e.subscriptions.ReplaceSubscription(ctx, caller, environment, id, o)
}

// deletingEverywhere deletes subscriptions of all environments in each, and
// shows them in their own only.
type deletingEverywhere struct{ everywhere }

func (e deletingEverywhere) Subscription(environment, id string) (subscription.Subscription, bool) {
	return e.subscriptions.Subscription(environment, id)
}

func (e deletingEverywhere) DeleteSubscription(ctx context.Context, caller directory.Caller, environment, id string) error {
	if s, ok := e.everywhere.Subscription(environment, id); ok {
		environment = s.EnvironmentID
	}
	return e.subscriptions.DeleteSubscription(ctx, caller, environment, id)
}

// aboutSubscriptions says whether the request is to the subscriptions of an
// environment, or to one of them.
func (k *talk) aboutSubscriptions() bool {
	parts := strings.Split(strings.Trim(k.request.URL.Path, "/"), "/")
	return len(parts) >= 4 && parts[0] == "v1" && parts[3] == "subscriptions"
}

// one changes every answer that shows one subscription.
func one(alter func(*talk)) func(*Pieces) {
	return talking(func(k *talk) {
		if k.aboutSubscriptions() && k.answer.status/100 == 2 && k.get("filterOptions").Exists() {
			alter(k)
		}
	})
}

func of(method string, alter func(*talk)) func(*Pieces) {
	return one(func(k *talk) {
		if k.request.Method == method {
			alter(k)
		}
	})
}

func created(alter func(*talk)) func(*Pieces)     { return of(http.MethodPost, alter) }
func read(alter func(*talk)) func(*Pieces)        { return of(http.MethodGet, alter) }
func replacement(alter func(*talk)) func(*Pieces) { return of(http.MethodPut, alter) }

// answeredTo changes the answers to requests about subscriptions of this method
// that have this status.
func answeredTo(method string, status int, alter func(*talk)) func(*Pieces) {
	return talking(func(k *talk) {
		if k.aboutSubscriptions() && k.request.Method == method && k.answer.status == status {
			alter(k)
		}
	})
}

// list changes answers that list subscriptions.
func list(alter func(*talk)) func(*Pieces) {
	return talking(func(k *talk) {
		if k.to(http.MethodGet, "/subscriptions") && k.answer.status == http.StatusOK {
			alter(k)
		}
	})
}

// listed puts others in the place of the subscriptions that are listed.
func listed(choose func(*talk, []gjson.Result) []gjson.Result) func(*Pieces) {
	return list(func(k *talk) {
		chosen := []any{}
		for _, s := range choose(k, k.get("_embedded.subscriptions").Array()) {
			chosen = append(chosen, s.Value())
		}
		k.set("_embedded.subscriptions", chosen)
		k.set("count", len(chosen))
		k.set("size", len(chosen))
	})
}

// taken shows a member as the client sent it.
func taken(member string) func(*Pieces) {
	return one(func(k *talk) {
		if sent := gjson.GetBytes(k.sent, member); sent.Exists() {
			k.set(member, sent.Value())
		}
	})
}

// called gives every answer of the API another Content-Type.
func called(contentType string) func(*Pieces) {
	return talking(func(k *talk) {
		if k.managed() && k.answer.body.Len() > 0 {
			k.answer.header.Set("Content-Type", contentType)
		}
	})
}

func left(alter func(old, next subscription.Subscription, made *subscription.Subscription)) func(*Pieces) {
	return func(p *Pieces) { p.Directory.Replace = replaced(p.Directory.Replace, alter) }
}

// endpoints changes httpEndpoint and connectionDetails alike.
func endpoints(alter func(*subscription.Endpoint)) func(*subscription.Representation) {
	return func(r *subscription.Representation) {
		for _, e := range []**subscription.Endpoint{&r.HTTPEndpoint, &r.ConnectionDetails} {
			if *e != nil {
				changed := **e
				alter(&changed)
				*e = &changed
			}
		}
	}
}

func values(all map[string]string, change func(string) string) map[string]string {
	if all == nil {
		return nil
	}
	changed := map[string]string{}
	for name, value := range all {
		changed[name] = change(value)
	}
	return changed
}

// local is the time in a zone two hours east of UTC.
func local(t time.Time) string {
	return t.In(time.FixedZone("", 2*60*60)).Format("2006-01-02T15:04:05.000-07:00")
}
