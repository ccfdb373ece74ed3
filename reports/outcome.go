package reports

import "slices"

// Outcome is what became of a scenario, or of a rule over its scenarios.
type Outcome string

// The outcomes. All but [NotObserved] may be the outcome of a scenario; all may
// be the outcome of a rule.
const (
	// Pass: the promise was observed to hold.
	Pass Outcome = "pass"
	// Fail: a promise was observed to be broken.
	Fail Outcome = "fail"
	// Warn: a SHOULD was observed not to be kept.
	Warn Outcome = "warn"
	// NotApplicable: the target does not claim what the promise is about.
	NotApplicable Outcome = "not-applicable"
	// CouldNotRun: claimed, but it could not be observed in this run.
	CouldNotRun Outcome = "could-not-run"
	// ExpectedFail: failed, and the baseline lists it as a known failure.
	ExpectedFail Outcome = "expected-fail"
	// UnexpectedPass: passed, although the baseline lists it as a failure.
	UnexpectedPass Outcome = "unexpected-pass"
	// Error: the suite's own fault; it says nothing about the target.
	Error Outcome = "error"
	// NotObserved: declared in the catalogue, and no scenario of this run
	// looks at it. Of rules only.
	NotObserved Outcome = "not-observed"
)

// Outcomes returns all outcomes from the lowest to the highest of the lattice:
//
//	not-observed < not-applicable < pass < warn < unexpected-pass
//	             < could-not-run < expected-fail < fail < error
//
// The order is by how much a rule with several scenarios still demands of its
// reader, so that no scenario can hide what another found:
//
//   - pass stands above not-applicable: one observation is enough to speak of a rule.
//   - warn is a recommendation that is not kept.
//   - unexpected-pass is a baseline that must be corrected.
//   - could-not-run is above every form of green: a MUST of which one scenario
//     could not be observed is never shown as kept.
//   - expected-fail and fail are above could-not-run: a broken promise is certain,
//     one observation of it suffices, and that a baseline lists it does not mend it.
//   - error is on top: where the suite itself erred, none of its other findings
//     about that rule can be trusted.
func Outcomes() []Outcome {
	return []Outcome{
		NotObserved, NotApplicable, Pass, Warn, UnexpectedPass,
		CouldNotRun, ExpectedFail, Fail, Error,
	}
}

// ScenarioOutcomes returns the outcomes a scenario can have, lowest first.
func ScenarioOutcomes() []Outcome { return Outcomes()[1:] }

// Known reports whether o is one of [Outcomes].
func (o Outcome) Known() bool { return slices.Contains(Outcomes(), o) }

// Judged reports whether o says something about the target: a promise was
// observed, kept or not.
func (o Outcome) Judged() bool {
	switch o {
	case Pass, Fail, Warn, ExpectedFail, UnexpectedPass:
		return true
	}
	return false
}

// Rise combines two outcomes of one rule: the higher in the order of
// [Outcomes]. A word that is no outcome counts as [Error].
func Rise(a, b Outcome) Outcome {
	order := Outcomes()
	rank := func(o Outcome) int {
		if i := slices.Index(order, o); i >= 0 {
			return i
		}
		return len(order) - 1
	}
	return order[max(rank(a), rank(b))]
}

// RuleOutcome combines the outcomes of all scenarios of a rule with [Rise].
// Without any, the rule is [NotObserved].
func RuleOutcome(scenarios ...Outcome) Outcome {
	o := NotObserved
	for _, s := range scenarios {
		o = Rise(o, s)
	}
	return o
}
