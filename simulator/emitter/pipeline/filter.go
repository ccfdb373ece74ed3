package pipeline

import (
	"slices"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// Filter is what decides whether an event belongs to a subscription.
type Filter struct {
	Types        []string `json:"types"`
	Applications []string `json:"applications,omitempty"`
	Populations  []string `json:"populations,omitempty"`
	Tags         []string `json:"tags,omitempty"`
}

// FilterOf returns the subscription's filter as configured now.
func FilterOf(s subscription.Subscription) Filter {
	return Filter{Types: s.ActionTypes, Applications: s.ApplicationIDs, Populations: s.PopulationIDs, Tags: s.Tags}
}

func (f Filter) equal(g Filter) bool {
	return slices.Equal(f.Types, g.Types) && slices.Equal(f.Applications, g.Applications) &&
		slices.Equal(f.Populations, g.Populations) && slices.Equal(f.Tags, g.Tags)
}

// Match says whether the filter lets the event through: within one kind any
// value is enough, across kinds all must match, an absent kind restricts
// nothing (S1). Types are compared exactly; populations are those of the users
// acted on, not of the acting user (G1).
func Match(f Filter, r event.Record) bool {
	return slices.Contains(f.Types, r.Type) &&
		anyOf(f.Applications, r.Applications) &&
		anyOf(f.Populations, r.Populations) &&
		anyOf(f.Tags, r.Tags)
}

func anyOf(wanted, has []string) bool {
	if len(wanted) == 0 {
		return true
	}
	for _, v := range has {
		if slices.Contains(wanted, v) {
			return true
		}
	}
	return false
}
