package reports

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func listing(states ...KnownState) Results {
	r := with(Pass, ExpectedFail)
	for i, s := range states {
		r.Baseline = append(r.Baseline, Known{ID: "x" + string(rune('a'+i)), Reason: "r", Expires: "2999-12-31", Message: "*", State: s})
	}
	return r
}

func TestABaselineOutOfDateEndsWithFive(t *testing.T) {
	t.Parallel()
	expired := with(Pass, ExpectedFail)
	expired.Baseline[0].Expires = "2026-11-21" // the day before the run
	stale := with(Pass)
	stale.Baseline = []Known{{ID: "sa", Reason: "r", Expires: "2999-12-31", Message: "*"}}
	stale.Scenarios[0] = stale.Scenarios[0].Against(stale.Baseline)
	unapplied := with(Pass, NotApplicable)
	unapplied.Baseline = []Known{{ID: "sb", Reason: "r", Expires: "2999-12-31", Message: "*"}}
	lastDay := with(Pass, ExpectedFail)
	lastDay.Baseline[0].Expires = "2026-11-22"
	worse := with(Fail, UnexpectedPass)
	unseen := with(CouldNotRun, UnexpectedPass, ExpectedFail)
	for name, c := range map[string]struct {
		results Results
		want    int
	}{
		"matched":                  {with(Pass, ExpectedFail), ExitConformant},
		"open":                     {listing(Open), ExitConformant},
		"unmatched":                {listing(Unmatched), ExitBaseline},
		"expired":                  {expired.Derive(), ExitBaseline},
		"the last day":             {lastDay.Derive(), ExitConformant},
		"stale":                    {stale.Derive(), ExitBaseline},
		"stale, as not applicable": {unapplied.Derive(), ExitBaseline},
		"a failure comes first":    {worse, ExitNonConformant},
		"so does what is unseen":   {unseen, ExitIncomplete},
	} {
		if err := c.results.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := ExitCode(c.results); got != c.want {
			t.Errorf("%s: exit code %d, want %d", name, got, c.want)
		}
	}
}

func TestADigestNamesWhatABaselineSays(t *testing.T) {
	t.Parallel()
	a, b := Known{ID: "a/x", Reason: "r", Expires: "2999-12-31", Message: "<*>"}, Known{ID: "b/x", Reason: "s", Expires: "2999-12-31", Message: "*"}
	// printf '["a/x","r","2999-12-31","<*>"]\n["b/x","s","2999-12-31","*"]\n' | sha256sum
	const both = "6754aaedefbbaef739a28df28faa235578cb115fd240fb6e17674a157a45b5cf"
	matched := a
	matched.State = Matched
	if got := BaselineDigest([]Known{b, matched}); got != both {
		t.Errorf("got %s", got)
	}
	a.Reason = "another"
	if BaselineDigest([]Known{a, b}) == both || BaselineDigest(nil) == BaselineDigest([]Known{b}) {
		t.Error("baselines that say something else have the same digest")
	}
	r := with(Pass, ExpectedFail)
	r.BaselineSHA256 = BaselineDigest(r.Baseline)
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	r.Baseline[0].Reason = "another"
	if err := r.Check(); err == nil {
		t.Error("entries that were changed since are those of the digest")
	}
}

// unrunnable is a run in which a scenario could not run as listed.
func unrunnable(others ...Outcome) Results {
	r := with(append([]Outcome{CouldNotRun}, others...)...)
	r.Scenarios[0].Transcript, r.Scenarios[0].TranscriptSHA256 = "transcripts/sa.json", strings.Repeat("0a", 32)
	r.Baseline = append(r.Baseline, Known{ID: "sa", Reason: "r", Expires: "2999-12-31", Message: "because of *"})
	return r.Derive()
}

func TestWhatCannotRunIsAcceptedOnlyBesideAKnownFailure(t *testing.T) {
	t.Parallel()
	otherwise, never := unrunnable(ExpectedFail), unrunnable(ExpectedFail)
	otherwise.Baseline[1].Message = "something else"
	never.Scenarios[0].Transcript, never.Scenarios[0].TranscriptSHA256 = "", ""
	never.Baseline[1].Message = "*"
	for name, c := range map[string]struct {
		results Results
		code    int
		state   KnownState
	}{
		"beside a known failure":  {unrunnable(ExpectedFail), ExitConformant, Matched},
		"beside a new failure":    {unrunnable(Fail, ExpectedFail), ExitNonConformant, Matched},
		"alone":                   {unrunnable(Pass), ExitIncomplete, Matched},
		"for another reason":      {otherwise.Derive(), ExitIncomplete, Open},
		"as it was never started": {never.Derive(), ExitIncomplete, Open},
	} {
		last := c.results.Baseline[len(c.results.Baseline)-1]
		if got := ExitCode(c.results); got != c.code || last.State != c.state {
			t.Errorf("%s: exit code %d, want %d; entry %s, want %s", name, got, c.code, last.State, c.state)
		}
	}
}

func TestABaselineIsMadeOfAWholeRunAndCoversIt(t *testing.T) {
	t.Parallel()
	r := unrunnable(Fail, Pass, ExpectedFail)
	r.Scenarios[1].Failure = &Failure{Step: "it is refused", Expected: "403 at /v1/environments/5f1b2c3d-0000-4000-8000-000000000001 within 2.5s", Actual: strings.Repeat("a long answer ", 20)}
	r.Baseline = slices.DeleteFunc(r.Baseline, func(k Known) bool { return k.ID == "sa" })
	r = r.Derive()
	if _, err := BaselineOf(r, "", "2027-01-31"); err == nil || !strings.Contains(err.Error(), "--reason") {
		t.Errorf("without a reason: %v", err)
	}
	list, err := BaselineOf(r, "ticket 12", "2027-01-31")
	if err != nil {
		t.Fatal(err)
	}
	text, err := FormatBaseline(list)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseBaseline("b.yaml", text)
	if err != nil || len(again) != 3 {
		t.Fatalf("%v, %v\n%s", again, err, text)
	}
	if want := "it is refused: expected 403 at /v1/environments/* within *, got a long answer"; !strings.HasPrefix(again[1].Message, want) || !strings.HasSuffix(again[1].Message, "*") {
		t.Errorf("message is %q", again[1].Message)
	}
	if again[2].Reason != "because of expected-fail" {
		t.Errorf("the reason of a known failure was changed: %q", again[2].Reason)
	}
	r.Baseline = again
	for i, s := range r.Scenarios {
		r.Scenarios[i] = s.Over(s.Repetitions()).Against(again)
	}
	if r = r.Derive(); ExitCode(r) != ExitConformant || r.Verdict != NonConformant {
		t.Errorf("exit code %d, verdict %s, with the run's own baseline: %+v", ExitCode(r), r.Verdict, r.Baseline)
	}
}

func TestABaselineOfTwoDocumentsIsRefused(t *testing.T) {
	t.Parallel()
	for _, more := range []string{"known: []\n", "", "[\n"} {
		list, err := ParseBaseline("b.yaml", []byte("known: []\n---\n"+more))
		if err == nil || !strings.Contains(err.Error(), "b.yaml: more than one YAML document") {
			t.Errorf("followed by %q: %v, error %v", more, list, err)
		}
	}
}

func TestABaselineOfPartOfARunIsRefused(t *testing.T) {
	t.Parallel()
	for name, alter := range map[string]func(*Results){
		"selection":   func(r *Results) { r.Selection.Profiles = []string{"core"} },
		"level":       func(r *Results) { r.Selection.Levels = []string{"MUST"} },
		"shard":       func(r *Results) { r.Selection.Shard = &Shard{1, 2} },
		"interrupted": func(r *Results) { r.Scenarios[1] = ended(r.Scenarios[1], CouldNotRun) },
		"error":       func(r *Results) { r.Scenarios[1] = ended(r.Scenarios[1], Error) },
	} {
		r := with(Fail, Pass)
		alter(&r)
		_, err := BaselineOf(r.Derive(), "ticket 12", "2999-12-31")
		if refusal := (*BaselineRefusal)(nil); !errors.As(err, &refusal) {
			t.Errorf("%s: %v", name, err)
		}
	}
	unfinished := with(Fail)
	unfinished.Verdict = Incomplete
	if _, err := BaselineOf(unfinished, "ticket 12", "2999-12-31"); err == nil {
		t.Error("an unfinished run was taken")
	}
}

func TestTheWorstRunDecidesAndDisagreementIsCalledUnsteady(t *testing.T) {
	t.Parallel()
	pass := Repetition{Outcome: Pass, DurationMs: 1}
	fail := Repetition{Outcome: Fail, DurationMs: 2, Failure: sampleFailure()}
	other := Repetition{Outcome: Fail, Failure: &Failure{Expected: "200", Actual: "500"}}
	ended := Repetition{Outcome: CouldNotRun, Reason: "ended"}
	baseline := []Known{{ID: "sa", Reason: "r", Expires: "2999-12-31", Message: "Then it is refused: expected 403, got *"}}
	for name, c := range map[string]struct {
		runs     []Repetition
		baseline []Known
		outcome  Outcome
		unsteady bool
	}{
		"all pass":             {[]Repetition{pass, pass}, nil, Pass, false},
		"one fails":            {[]Repetition{pass, fail, pass}, nil, Fail, true},
		"one was ended":        {[]Repetition{pass, ended}, nil, CouldNotRun, false},
		"fails as listed":      {[]Repetition{fail, pass}, baseline, ExpectedFail, true},
		"one fails otherwise":  {[]Repetition{fail, other}, baseline, Fail, false},
		"none fails as listed": {[]Repetition{pass, pass}, baseline, UnexpectedPass, false},
	} {
		r := with(Pass)
		r.Repeat, r.Baseline = len(c.runs), c.baseline
		r.Scenarios[0] = r.Scenarios[0].Over(c.runs).Against(c.baseline)
		r = r.Derive()
		if s := r.Scenarios[0]; s.Outcome != c.outcome || s.Unsteady != c.unsteady || r.Rules[0].Outcome != c.outcome {
			t.Errorf("%s: %s, unsteady %t, rule %s", name, s.Outcome, s.Unsteady, r.Rules[0].Outcome)
		}
		if err := r.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A rule that only one of several runs found broken is broken, also if another
// run decided the scenario's outcome.
func TestNoRunHidesWhatAnotherFoundBroken(t *testing.T) {
	t.Parallel()
	r := with(Pass, Pass)
	r.Repeat = 2
	r.Scenarios[0] = r.Scenarios[0].Over([]Repetition{
		{Outcome: Fail, Failure: sampleFailure()},
		{Outcome: Fail, Failure: &Failure{Expected: "a", Actual: "b", Rules: []string{"SUB-SB"}}},
	})
	r.Scenarios[1] = r.Scenarios[1].Over([]Repetition{{Outcome: Pass}, {Outcome: Pass}})
	r = r.Derive()
	if r.Rules[0].Outcome != Fail || r.Rules[1].Outcome != Fail {
		t.Errorf("rules are %s and %s", r.Rules[0].Outcome, r.Rules[1].Outcome)
	}
	if err := r.Check(); err != nil {
		t.Error(err)
	}
}

func TestAComparisonTellsWorseFromBetter(t *testing.T) {
	t.Parallel()
	type list = func(Diff) []Change
	regression, fix, changed := func(d Diff) []Change { return d.Regressions }, func(d Diff) []Change { return d.Fixes }, func(d Diff) []Change { return d.Changed }
	for _, c := range []struct {
		was, is Outcome
		list    list
	}{
		{Pass, Fail, regression}, {Pass, Warn, regression}, {Pass, NotApplicable, regression}, {Pass, CouldNotRun, regression},
		{Pass, Error, regression}, {Pass, ExpectedFail, regression}, {NotApplicable, Fail, regression}, {CouldNotRun, Fail, regression},
		{Fail, Pass, fix}, {Warn, Pass, fix}, {CouldNotRun, Pass, fix}, {ExpectedFail, UnexpectedPass, fix},
		{Fail, ExpectedFail, changed}, {Fail, NotApplicable, changed}, {Fail, CouldNotRun, changed}, {Pass, UnexpectedPass, changed},
	} {
		d, err := DiffOf(with(c.was), with(c.is))
		if err != nil || len(c.list(d)) != 2 || len(d.Regressions)+len(d.Fixes)+len(d.Changed) != 2 {
			t.Errorf("%s to %s: %+v, %v", c.was, c.is, d, err)
		}
		if want := len(d.Regressions) > 0; (d.ExitCode() == ExitNonConformant) != want {
			t.Errorf("%s to %s: exit code %d", c.was, c.is, d.ExitCode())
		}
	}
	d, err := DiffOf(with(Pass, Fail), with(Pass))
	if err != nil || len(d.Regressions) != 2 || len(d.Gone) != 0 || d.ExitCode() != ExitNonConformant {
		t.Errorf("left out by the same suite: %+v, %v", d, err)
	}
	newer := with(Pass)
	newer.Suite.Version += ".1"
	if d, err = DiffOf(with(Pass, Fail), newer); err != nil || len(d.Gone) != 2 || d.ExitCode() != ExitConformant {
		t.Errorf("gone with another suite: %+v, %v", d, err)
	}
	if d, err = DiffOf(with(Pass), with(Pass, Fail)); err != nil || len(d.New) != 2 {
		t.Errorf("%+v, %v", d, err)
	}
	role := with(Pass)
	role.Target.Role = "both"
	if _, err := DiffOf(with(Pass), role); err == nil {
		t.Error("reports of two roles were compared")
	}
}

func TestMarkdownOfAComparisonHoldsNoMarkupOfTheTarget(t *testing.T) {
	t.Parallel()
	after := with(Fail)
	after.Scenarios[0].Failure = &Failure{Expected: "a | b", Actual: "<img src=x> @team\n| new row"}
	d, err := DiffOf(with(Pass), after.Derive())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := d.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); strings.ContainsAny(text, "<@") || !strings.Contains(text, "&#60;img") || strings.Contains(text, "\n| new row") {
		t.Errorf("got %s", text)
	}
}

func TestSelectionsAreToldAsTheFlagsThatMakeThem(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]Selection{
		"everything": {}, "--profile limits,filtering": {Profiles: []string{"limits", "filtering"}},
		"--level must --rule DLV-012 --scenario a/b --shard 1/2": {Levels: []string{"MUST"}, Rules: []string{"DLV-012"}, Scenarios: []string{"a/b"}, Shard: &Shard{1, 2}},
	} {
		if got := s.Flags(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	narrow := with(Pass)
	narrow.Selection.Profiles = []string{"limits"}
	_, err := DiffOf(with(Pass), narrow)
	if want := "compare reports: they are of different selections: the old one of everything, the new one of --profile limits; compare runs of the same"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestShardsThatDoNotBelongTogetherSayHowTheyDiffer(t *testing.T) {
	t.Parallel()
	known := Known{ID: "sa", Reason: "ticket 12", Expires: "2999-12-31", Message: "*", State: Open}
	other := known
	other.Reason = "ticket 13"
	for want, alter := range map[string]func(*Results){
		`another suite than shard 1: v0.2.0, revision 2026-11, and not v0.1.0, revision 2026-11`: func(r *Results) { r.Suite.Version = "v0.2.0" },
		`another target than shard 1: bcme-emitter (emitter, url)`:                               func(r *Results) { r.Target.Name = "bcme-emitter" },
		`another selection than shard 1: --profile limits in 2 shards, and not everything in 2`:  func(r *Results) { r.Selection.Profiles = []string{"limits"} },
		`another selection than shard 1: everything in 3 shards, and not everything in 2 shards`: func(r *Results) { r.Selection.Shard.Count = 3 },
		`another seed than shard 1: 43, and not 42`:                                              func(r *Results) { r.Seed = 43 },
		`another number of repetitions than shard 1: 3, and not 1`:                               func(r *Results) { r.Repeat = 3 },
		`another baseline than shard 1: none, and not one with 1 known failure, among them sa`:   func(r *Results) { r.Baseline = nil },
		`as "*" (ticket 13), and not one with 1 known failure, among them sa`:                    func(r *Results) { r.Baseline = []Known{other} },
	} {
		first, second := planned("sa"), planned("sb")
		first.Selection.Shard, second.Selection.Shard = &Shard{1, 2}, &Shard{2, 2}
		first.Baseline, second.Baseline = []Known{known}, []Known{known}
		alter(&second)
		if _, err := Merge([]Results{first, second}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
