package emitter

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// filterFaults are those of deciding which events a subscription gets.
func filterFaults() []Fault {
	return []Fault{
		{"filters-or", "One filter that matches is enough.", []string{"FLT-009"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				return slices.Contains(f.Types, r.Type) ||
					overlap(f.Applications, r.Applications) || overlap(f.Populations, r.Populations) || overlap(f.Tags, r.Tags)
			})},
		{"types-and", "An event must be of all included types at once.", []string{"FLT-003"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				return !slices.ContainsFunc(f.Types, func(t string) bool { return t != r.Type }) && match(f, r)
			})},
		{"type-prefix", "An included type brings all types that begin with the same word.", []string{"FLT-002"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				word := func(t string) string { first, _, _ := strings.Cut(t, "."); return first }
				same := slices.ContainsFunc(f.Types, func(t string) bool { return word(t) == word(r.Type) })
				f.Types = []string{r.Type}
				return same && match(f, r)
			})},
		{"one-type-only", "Only the first included type is looked at.", []string{"FLT-003"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				f.Types = f.Types[:min(len(f.Types), 1)]
				return match(f, r)
			})},
		{"actor-population", "The population filter looks at the acting user.", []string{"FLT-007", "FLT-004"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				r.Populations = []string{gjson.Get(r.Body, "actors.user.population.id").String()}
				return match(f, r)
			})},
		{"population-ignored", "The population filter is ignored.", []string{"FLT-005"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				f.Populations = nil
				return match(f, r)
			})},
		{"deleted-population-ignored", "A population that was deleted counts as taken out of all filters.", []string{"FLT-005"}, deletedPopulations},
		{"one-population-only", "Only the first population is looked at.", []string{"FLT-006"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				f.Populations = f.Populations[:min(len(f.Populations), 1)]
				return match(f, r)
			})},
		{"applications-ignored", "The application filter is ignored.", []string{"FLT-008"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				f.Applications = nil
				return match(f, r)
			})},
		{"tags-ignored", "The tag filter is ignored.", []string{"FLT-012"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				f.Tags = nil
				return match(f, r)
			})},
		{"tagged-hidden", "Tagged events come only to subscriptions that ask for the tag.", []string{"FLT-011"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				return (len(r.Tags) == 0 || len(f.Tags) > 0) && match(f, r)
			})},
		{"types-case-insensitive", "Included types match whatever their case.", []string{"FLT-002"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				for _, t := range f.Types {
					if strings.EqualFold(t, r.Type) {
						f.Types = []string{r.Type}
					}
				}
				return match(f, r)
			})},
		{"users-only", "Only events of users are delivered.", []string{"FLT-001"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				return strings.HasPrefix(r.Type, "USER.") && match(f, r)
			})},
		{"deletions-lost", "Deletions are not delivered.", []string{"FLT-001"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				return !strings.HasSuffix(r.Type, ".DELETED") && match(f, r)
			})},
		{"population-events-hidden", "With a population filter, only events of users are delivered.", []string{"FLT-004"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				return (len(f.Populations) == 0 || len(r.Populations) == 0 || strings.HasPrefix(r.Type, "POPULATION.")) && match(f, r)
			})},
		{"populations-and", "An event must be of all populations of the filter at once.", []string{"FLT-006"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				return !slices.ContainsFunc(f.Populations, func(p string) bool { return !slices.Contains(r.Populations, p) }) && match(f, r)
			})},
		{"applications-and", "An event must be of all applications of the filter at once.", []string{"FLT-008"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				return !slices.ContainsFunc(f.Applications, func(a string) bool { return !slices.Contains(r.Applications, a) }) && match(f, r)
			})},
		{"application-or-population", "Of the filters by application and by population one is enough.", []string{"FLT-005"},
			either(func(f *pipeline.Filter) *[]string { return &f.Applications }, func(f *pipeline.Filter) *[]string { return &f.Populations })},
		{"tag-or-population", "Of the filters by tag and by population one is enough.", []string{"FLT-005", "FLT-012"},
			either(func(f *pipeline.Filter) *[]string { return &f.Tags }, func(f *pipeline.Filter) *[]string { return &f.Populations })},
		{"type-or-population", "A population of the filter is enough, whatever the type.", []string{"FLT-009"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				return match(f, r) || overlap(f.Populations, r.Populations)
			})},
		{"own-application-only", "Without an application filter, only the events of the first client are delivered.", []string{"FLT-010"},
			func(p *Pieces) {
				first := p.Bootstrap.ID
				matched(func(match match, f pipeline.Filter, r event.Record) bool {
					return (len(f.Applications) > 0 || slices.Contains(r.Applications, first)) && match(f, r)
				})(p)
			}},
		{"anonymous-hidden", "Without an application filter, events of no application are not delivered.", []string{"FLT-010"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				return (len(f.Applications) > 0 || len(r.Applications) > 0) && match(f, r)
			})},
		{"untagged-hidden", "Events without a tag are not delivered.", []string{"FLT-011"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool { return len(r.Tags) > 0 && match(f, r) })},
		{"first-come-only", "An event that two subscriptions match is delivered to one of them.", []string{"FLT-014"}, firstComeOnly},
		{"one-subscription-per-url", "Of two subscriptions with one URL only the first delivers.", []string{"FLT-001"},
			func(p *Pieces) {
				var first sync.Map // the subscription's id, by URL
				losing(func(a pipeline.Attempt) bool {
					id, _ := first.LoadOrStore(a.Subscription.URL, a.Subscription.ID)
					return id != a.Subscription.ID
				})(p)
			}},
		{"populations-stick", "A PUT that takes the population filter away leaves it in force.", []string{"FLT-015"},
			lasting(func(old, next subscription.Subscription, made *subscription.Subscription) {
				if len(next.PopulationIDs) == 0 {
					made.PopulationIDs = old.PopulationIDs
				}
			})},
		{"tags-and-applications-stick", "A PUT of other tags and applications leaves the old ones in force.", []string{"FLT-015"},
			lasting(func(old, _ subscription.Subscription, made *subscription.Subscription) {
				made.Tags, made.ApplicationIDs = old.Tags, old.ApplicationIDs
			})},
		{"filters-frozen", "A PUT does not change which events are delivered.", []string{"FLT-015"},
			func(p *Pieces) {
				left(func(old, _ subscription.Subscription, made *subscription.Subscription) {
					made.ActionTypes, made.PopulationIDs = old.ActionTypes, old.PopulationIDs
				})(p)
				replacement(func(k *talk) { k.set("filterOptions", gjson.GetBytes(k.sent, "filterOptions").Value()) })(p)
			}},
		{"other-environments", "Events of other environments are delivered as well.", []string{"FLT-016"}, otherEnvironments},
		{"one-event-late", "A new subscription gets the event before it.", []string{"FLT-013"},
			func(p *Pieces) { p.StartAfter = func(last uint64) uint64 { return max(last, 1) - 1 } }},
		{"from-the-beginning", "A new subscription gets the events that happened before it.", []string{"FLT-013"},
			func(p *Pieces) { p.StartAfter = func(uint64) uint64 { return 0 } }},
	}
}

// lasting lets a fault decide which filters a replaced subscription has; it is
// shown with those that were sent.
func lasting(alter func(old, next subscription.Subscription, made *subscription.Subscription)) func(*Pieces) {
	return func(p *Pieces) {
		left(alter)(p)
		var shown sync.Map // what was sent, by the subscription's id
		one(func(k *talk) {
			if k.request.Method == http.MethodPut {
				shown.Store(k.get("id").Str, gjson.GetBytes(k.sent, "filterOptions").Value())
			}
			if sent, ok := shown.Load(k.get("id").Str); ok {
				k.set("filterOptions", sent)
			}
		})(p)
	}
}

type match func(pipeline.Filter, event.Record) bool

func matched(by func(match, pipeline.Filter, event.Record) bool) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.Pipeline.Match
		p.Pipeline.Match = func(f pipeline.Filter, r event.Record) bool { return by(previous, f, r) }
	}
}

func overlap(wanted, has []string) bool {
	return slices.ContainsFunc(has, func(v string) bool { return slices.Contains(wanted, v) })
}

// either makes one of two filters enough where both are set.
func either(one, other func(*pipeline.Filter) *[]string) func(*Pieces) {
	return matched(func(match match, f pipeline.Filter, r event.Record) bool {
		if len(*one(&f)) == 0 || len(*other(&f)) == 0 {
			return match(f, r)
		}
		without, withoutOther := f, f
		*one(&without), *other(&withoutOther) = nil, nil
		return match(without, r) || match(withoutOther, r)
	})
}

// deletedPopulations takes populations out of filters once they are deleted.
func deletedPopulations(p *Pieces) {
	var gone sync.Map // by the population's id
	talking(func(k *talk) {
		if _, id, ok := strings.Cut(k.request.URL.Path, "/populations/"); ok && k.managed() && k.request.Method == http.MethodDelete && k.answer.status/100 == 2 {
			gone.Store(id, true)
		}
	})(p)
	matched(func(match match, f pipeline.Filter, r event.Record) bool {
		f.Populations = slices.DeleteFunc(slices.Clone(f.Populations), func(id string) bool {
			_, deleted := gone.Load(id)
			return deleted
		})
		return match(f, r)
	})(p)
}

// firstComeOnly leaves out of a payload what went to another subscription before.
func firstComeOnly(p *Pieces) {
	var mu sync.Mutex
	owner := map[string]string{} // of an event's id, the subscription's
	sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
		body := gjson.ParseBytes(a.Payload.Body)
		if !body.IsArray() {
			return inner.Attempt(ctx, t, a)
		}
		var mine []gjson.Result
		mu.Lock()
		for _, e := range body.Array() {
			id := e.Get("id").Str
			if owner[id] == "" {
				owner[id] = a.Subscription.ID
			}
			if owner[id] == a.Subscription.ID {
				mine = append(mine, e)
			}
		}
		mu.Unlock()
		if len(mine) == 0 {
			return pipeline.Result{Status: http.StatusOK}
		}
		a.Payload.Body = array(mine)
		return inner.Attempt(ctx, t, a)
	})(p)
}

// otherEnvironments sends, before every payload, what the filter lets through of
// the events of all other environments.
func otherEnvironments(p *Pieces) {
	log, environments := p.Log, p.Environments
	sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
		for _, environment := range environments() {
			if s := a.Subscription; environment != s.EnvironmentID {
				if foreign := gather(ctx, log, inner, s, pipeline.FilterOf(s), stretch{environment: environment}); foreign != nil {
					extra := a
					extra.Payload.Body = foreign
					inner.Attempt(ctx, t, extra)
				}
			}
		}
		return inner.Attempt(ctx, t, a)
	})(p)
}
