package reports

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestOutcomesOfARuleOnlyRise(t *testing.T) {
	t.Parallel()
	any := rapid.SampledFrom(Outcomes())
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOf(any).Draw(t, "outcomes")
		more := any.Draw(t, "one more")
		before, after := RuleOutcome(list...), RuleOutcome(append(slices.Clone(list), more)...)
		rank := func(o Outcome) int { return slices.Index(Outcomes(), o) }
		if rank(after) < rank(before) || rank(after) < rank(more) {
			t.Fatalf("%v then %s: %s became %s", list, more, before, after)
		}
		if after != before && after != more {
			t.Fatalf("%s and %s gave %s", before, more, after)
		}
		shuffled := rapid.Permutation(list).Draw(t, "shuffled")
		if got := RuleOutcome(shuffled...); got != before {
			t.Fatalf("order matters: %s and %s", before, got)
		}
	})
}

func TestRuleOutcome(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		scenarios []Outcome
		want      Outcome
	}{
		"no scenario":                                {nil, NotObserved},
		"one observation is enough":                  {[]Outcome{NotApplicable, Pass}, Pass},
		"a pass does not hide what could not run":    {[]Outcome{Pass, CouldNotRun, Pass}, CouldNotRun},
		"what could not run does not hide a fail":    {[]Outcome{Fail, CouldNotRun}, Fail},
		"the suite's error stands above all":         {[]Outcome{Fail, Error, Pass}, Error},
		"a known failure does not hide a new one":    {[]Outcome{ExpectedFail, Fail}, Fail},
		"what was not seen does not hide what broke": {[]Outcome{ExpectedFail, CouldNotRun}, ExpectedFail},
		"what was mended does not hide what is not":  {[]Outcome{ExpectedFail, UnexpectedPass}, ExpectedFail},
		"a stale baseline shows":                     {[]Outcome{Pass, UnexpectedPass}, UnexpectedPass},
		"an unknown word is the suite's error":       {[]Outcome{Pass, "passed"}, Error},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := RuleOutcome(tt.scenarios...); got != tt.want {
				t.Errorf("RuleOutcome(%v) = %s, want %s", tt.scenarios, got, tt.want)
			}
		})
	}
}
