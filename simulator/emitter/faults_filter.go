package emitter

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
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
		{"from-the-beginning", "A new subscription gets the events that happened before it.", []string{"FLT-013"},
			func(p *Pieces) { p.StartAfter = func(uint64) uint64 { return 0 } }},
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
