package reports

import (
	"fmt"
	"iter"
	"slices"
)

// finding is a rule that is not in order, with the scenarios that found it so.
type finding struct {
	Rule
	by []Scenario
}

// findings are the rules that are of one of the outcomes, or have a scenario
// that is, each with those scenarios. The outcome that comes first in the
// arguments is told first, and within one outcome a rule in its place in the
// catalogue. A scenario that broke several rules is there with each.
func findings(r Results, outcomes ...Outcome) []finding {
	by := map[string][]Scenario{}
	for _, s := range r.Scenarios {
		if slices.Contains(outcomes, s.Outcome) {
			for _, id := range s.BrokenRules() {
				by[id] = append(by[id], s)
			}
		}
	}
	var list []finding
	for _, rule := range r.Rules {
		if slices.Contains(outcomes, rule.Outcome) || len(by[rule.ID]) > 0 {
			list = append(list, finding{rule, by[rule.ID]})
		}
	}
	slices.SortStableFunc(list, func(a, b finding) int { return a.rank(outcomes) - b.rank(outcomes) })
	return list
}

// rank is the place of a finding among outcomes: the rule's own, or the first
// that one of its scenarios has.
func (f finding) rank(outcomes []Outcome) int {
	return slices.IndexFunc(outcomes, func(o Outcome) bool {
		return f.Outcome == o || slices.ContainsFunc(f.by, func(s Scenario) bool { return s.Outcome == o })
	})
}

// inTurn gives the places (list, element) of what n lists of some lengths hold:
// the first of every list, then the second of every list, and so on. Whoever has
// no room for all takes them in this order, so that no rule crowds out another.
func inTurn(n int, length func(list int) int) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		for element, more := 0, true; more; element++ {
			more = false
			for list := range n {
				if element >= length(list) {
					continue
				}
				if more = true; !yield(list, element) {
					return
				}
			}
		}
	}
}

// chapter is what is told of one rule: the scenarios that failed in the very
// same way are one story, told of the first.
type chapter struct {
	rule    string
	stories [][]Scenario
}

// chapters are the stories of all scenarios of the outcomes, each once, with the
// first rule in the order of findings that it broke.
func chapters(r Results, outcomes ...Outcome) []chapter {
	untold := map[string][]Scenario{}
	for _, o := range outcomes {
		for _, same := range sameFailures(r, o) {
			untold[same[0].ID] = same
		}
	}
	var list []chapter
	for _, f := range findings(r, outcomes...) {
		c := chapter{rule: f.ID}
		for _, s := range f.by {
			if same := untold[s.ID]; same != nil {
				c.stories = append(c.stories, same)
				delete(untold, s.ID)
			}
		}
		if len(c.stories) > 0 {
			list = append(list, c)
		}
	}
	return list
}

// rest says how many scenarios of a chapter are in none of the stories that were
// told, which are its first ones: "and 96 more of DLV-012". Empty if all were.
func (c chapter) rest(told int) string {
	left := 0
	for _, same := range c.stories[told:] {
		left += len(same)
	}
	switch {
	case left == 0:
		return ""
	case told == 0:
		return fmt.Sprintf("and %d of %s", left, oneLine(c.rule))
	}
	return fmt.Sprintf("and %d more of %s", left, oneLine(c.rule))
}

// sameFailures are the scenarios of an outcome, together those in which the same
// step expected and met the same.
func sameFailures(r Results, o Outcome) (groups [][]Scenario) {
	at := map[string]int{}
	for _, s := range r.Scenarios {
		if s.Outcome != o {
			continue
		}
		key := s.Reason
		if s.Failure != nil {
			key = s.Failure.Text() + "\x00" + s.Reason
		}
		i, known := at[key]
		if !known {
			i, at[key] = len(groups), len(groups)
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], s)
	}
	return groups
}
