package reports

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Derive returns r with everything that follows from its rules and scenarios
// filled in: the schema, the counts, each rule's scenarios, outcome and reason,
// what became of the baseline's entries, and the verdict of [VerdictOf]. It does not change what r points to.
//
// A failure that names rules counts for those instead of the scenario's own,
// which were kept. A rule without a scenario is not-observed and keeps the reason it has. A rule
// with scenarios takes the reason of the first one that has the rule's outcome.
func (r Results) Derive() Results {
	r.Schema = SchemaID
	r.Counts = tally(r.Scenarios)
	by := scenariosByRule(r.Scenarios)
	r.Rules = slices.Clone(r.Rules)
	for i := range r.Rules {
		r.Rules[i] = r.Rules[i].over(by[r.Rules[i].ID])
	}
	r.Baseline = slices.Clone(r.Baseline)
	for i, k := range r.Baseline {
		r.Baseline[i].State = k.after(r)
	}
	r.Verdict = VerdictOf(r)
	return r.withoutNil()
}

// over returns the rule as its scenarios leave it.
func (rule Rule) over(scenarios []Scenario) Rule {
	rule.Scenarios = make([]string, 0, len(scenarios))
	rule.Outcome = NotObserved
	for _, s := range scenarios {
		rule.Scenarios = append(rule.Scenarios, s.ID)
		rule.Outcome = Rise(rule.Outcome, s.Outcome)
	}
	if len(scenarios) == 0 {
		if rule.Reason == "" {
			rule.Reason = "no scenario of this run observes it"
		}
		return rule
	}
	i := slices.IndexFunc(scenarios, func(s Scenario) bool { return s.Outcome == rule.Outcome })
	if i < 0 {
		rule.Reason = "a scenario ended in an outcome that is not known"
		return rule
	}
	rule.Reason = scenarios[i].Reason
	return rule
}

// Check reports everything in r that does not agree with the published schema
// or with itself: ids used twice, rules and scenarios that do not name each
// other, counts, rule outcomes and a verdict that do not follow from the
// scenarios, outcomes that do not follow from a scenario's runs and the
// baseline, transcript paths that leave the report's folder. A verdict of
// incomplete is always allowed: a run that did not finish has no other.
func (r Results) Check() error {
	text, err := marshal(r)
	if err != nil {
		return err
	}
	if err := validate(text); err != nil {
		return err
	}
	return errors.Join(r.checkScenarios(), r.checkRules(), r.checkBaseline(), r.checkShards(), r.checkTotals())
}

func (r Results) checkScenarios() error {
	var errs []error
	known := make(map[string]bool, len(r.Rules))
	for _, rule := range r.Rules {
		known[rule.ID] = true
	}
	seen := make(map[string]bool, len(r.Scenarios))
	for _, s := range r.Scenarios {
		if seen[s.ID] {
			errs = append(errs, fmt.Errorf("scenario %s: listed twice", s.ID))
		}
		seen[s.ID] = true
		for _, id := range slices.Concat(s.Rules, s.AllBrokenRules()) {
			if !known[id] {
				errs = append(errs, fmt.Errorf("scenario %s: judges rule %s, which is not listed", s.ID, id))
			}
		}
		for _, run := range append(slices.Clip(s.Runs), s.Decided()) {
			if run.Transcript != "" && !localPath(run.Transcript) {
				errs = append(errs, fmt.Errorf("scenario %s: transcript %q leaves the report's folder", s.ID, run.Transcript))
			}
		}
		if err := s.checkRuns(max(r.Repeat, 1), r.Baseline); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (r Results) checkRules() error {
	var errs []error
	by := scenariosByRule(r.Scenarios)
	seen := make(map[string]bool, len(r.Rules))
	for _, rule := range r.Rules {
		if seen[rule.ID] {
			errs = append(errs, fmt.Errorf("rule %s: listed twice", rule.ID))
		}
		seen[rule.ID] = true
		want := rule.over(by[rule.ID])
		if rule.Outcome != want.Outcome {
			errs = append(errs, fmt.Errorf("rule %s: outcome is %s, its scenarios say %s", rule.ID, rule.Outcome, want.Outcome))
		}
		if !slices.Equal(slices.Sorted(slices.Values(rule.Scenarios)), slices.Sorted(slices.Values(want.Scenarios))) {
			errs = append(errs, fmt.Errorf("rule %s: lists scenarios %v, judged by %v", rule.ID, rule.Scenarios, want.Scenarios))
		}
	}
	return errors.Join(errs...)
}

func (r Results) checkTotals() error {
	var errs []error
	if want := tally(r.Scenarios); !maps.Equal(r.Counts, want) {
		errs = append(errs, fmt.Errorf("counts are %s, the scenarios say %s", tallyWords(r.Counts), tallyWords(want)))
	}
	if want := VerdictOf(r); r.Verdict != want && r.Verdict != Incomplete {
		errs = append(errs, fmt.Errorf("verdict is %s, the scenarios say %s", r.Verdict, want))
	}
	return errors.Join(errs...)
}

// withoutNil replaces nil lists, which JSON would show as null, with empty ones.
func (r Results) withoutNil() Results {
	r.Target.Capabilities = orEmpty(r.Target.Capabilities)
	r.Rules = slices.Clone(orEmpty(r.Rules))
	for i := range r.Rules {
		r.Rules[i].Sources = orEmpty(r.Rules[i].Sources)
		r.Rules[i].Scenarios = orEmpty(r.Rules[i].Scenarios)
	}
	r.Scenarios = orEmpty(r.Scenarios)
	return r
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// scenariosByRule are the scenarios that say something of each rule, each with
// the outcome that it has for the rule: a failure that names other rules counts
// for those, and the scenario's own rules were kept.
func scenariosByRule(scenarios []Scenario) map[string][]Scenario {
	by := make(map[string][]Scenario)
	// The runs of one scenario follow each other: the worst stands for all.
	add := func(id string, s Scenario) {
		list := by[id]
		last := len(list) - 1
		switch {
		case last < 0 || list[last].ID != s.ID:
			by[id] = append(list, s)
		case Rise(list[last].Outcome, s.Outcome) != list[last].Outcome:
			list[last] = s
		}
	}
	for _, whole := range scenarios {
		for _, s := range whole.each() {
			broken := s.BrokenRules()
			for _, id := range s.Rules {
				own := s
				if !slices.Contains(broken, id) {
					own.Outcome, own.Reason, own.Failure = Pass, "", nil
				}
				add(id, own)
			}
			for _, id := range broken {
				if !slices.Contains(s.Rules, id) {
					add(id, s)
				}
			}
		}
	}
	return by
}

// localPath reports whether p, written with slashes, stays in the folder it is
// relative to, on every system.
func localPath(p string) bool {
	return !strings.ContainsAny(p, "\\:\x00") && filepath.IsLocal(filepath.FromSlash(p))
}
