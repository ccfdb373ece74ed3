package reports

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestVerdictAndExitCode(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		outcomes []Outcome
		verdict  Verdict
		code     int
	}{
		"all pass":                             {[]Outcome{Pass, Pass}, Conformant, 0},
		"a SHOULD not kept":                    {[]Outcome{Pass, Warn}, Conformant, 0},
		"not applicable leaves the count":      {[]Outcome{Pass, NotApplicable}, Conformant, 0},
		"nothing run":                          {nil, Incomplete, 3},
		"nothing applicable":                   {[]Outcome{NotApplicable, NotApplicable}, Incomplete, 3},
		"could not run":                        {[]Outcome{Pass, CouldNotRun}, Incomplete, 3},
		"a failure":                            {[]Outcome{Pass, Fail}, NonConformant, 1},
		"a failure and unseen things":          {[]Outcome{Fail, CouldNotRun}, NonConformant, 1},
		"the suite's error":                    {[]Outcome{Pass, Error}, Incomplete, 4},
		"the suite's error beside a failure":   {[]Outcome{Fail, Error}, NonConformant, 4},
		"stale baseline":                       {[]Outcome{Pass, UnexpectedPass}, Conformant, 5},
		"stale baseline and a new failure":     {[]Outcome{UnexpectedPass, Fail}, NonConformant, 1},
		"stale baseline and unseen things":     {[]Outcome{UnexpectedPass, CouldNotRun}, Incomplete, 3},
		"only known failures":                  {[]Outcome{Pass, ExpectedFail}, NonConformant, 0},
		"known failures and a stale entry":     {[]Outcome{ExpectedFail, UnexpectedPass}, NonConformant, 5},
		"known failures and unseen things":     {[]Outcome{ExpectedFail, CouldNotRun}, NonConformant, 3},
		"an outcome nobody knows":              {[]Outcome{Pass, "passed"}, Incomplete, 4},
		"not-observed is none of a scenario's": {[]Outcome{Pass, NotObserved}, Incomplete, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := with(tt.outcomes...)
			if r.Verdict != tt.verdict {
				t.Errorf("verdict is %s, want %s", r.Verdict, tt.verdict)
			}
			if got := ExitCode(r); got != tt.code {
				t.Errorf("exit code is %d, want %d", got, tt.code)
			}
		})
	}
}

func TestARunWithoutFinishedVerdictNeverExitsZero(t *testing.T) {
	t.Parallel()
	for _, v := range []Verdict{Incomplete, "", "green"} {
		r := with(Pass)
		r.Verdict = v
		if got := ExitCode(r); got != ExitIncomplete {
			t.Errorf("verdict %q: exit code %d, want %d", v, got, ExitIncomplete)
		}
	}
	r := with(Pass)
	r.Verdict = NonConformant
	if got := ExitCode(r); got != ExitNonConformant {
		t.Errorf("verdict says broken: exit code %d, want %d", got, ExitNonConformant)
	}
}

func TestGreenNeedsAJudgedScenarioAndNothingUnseen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		outcomes := rapid.SliceOfN(rapid.SampledFrom(ScenarioOutcomes()), 0, 20).Draw(t, "outcomes")
		r := with(outcomes...)
		green := slices.ContainsFunc(outcomes, Outcome.Judged)
		for _, o := range []Outcome{Fail, CouldNotRun, UnexpectedPass, Error} {
			green = green && !slices.Contains(outcomes, o)
		}
		if got := ExitCode(r) == ExitConformant; got != green {
			t.Fatalf("%v: exit code %d", outcomes, ExitCode(r))
		}
		if r.Verdict == Conformant && (slices.Contains(outcomes, Fail) || slices.Contains(outcomes, ExpectedFail)) {
			t.Fatalf("%v is conformant", outcomes)
		}
	})
}
