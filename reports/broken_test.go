package reports

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// brokenElsewhere is a finished run whose first scenario kept its own rule and
// found that of the second broken, which that one had kept.
func brokenElsewhere(outcome Outcome) Results {
	r := with(outcome, Pass)
	if r.Scenarios[0].Failure == nil {
		r.Scenarios[0].Failure = &Failure{Expected: "one", Actual: "two"}
	}
	r.Scenarios[0].Failure.Rules = []string{r.Rules[1].ID}
	return r.Derive()
}

func TestAFailureThatNamesRulesCountsForThose(t *testing.T) {
	t.Parallel()
	for _, outcome := range []Outcome{Fail, Warn, ExpectedFail} {
		r := brokenElsewhere(outcome)
		if err := r.Check(); err != nil {
			t.Fatal(err)
		}
		if r.Rules[0].Outcome != Pass || r.Rules[1].Outcome != outcome {
			t.Errorf("the scenario's own rule is %s, the broken one %s, want pass and %s", r.Rules[0].Outcome, r.Rules[1].Outcome, outcome)
		}
		if want := []string{r.Scenarios[0].ID, r.Scenarios[1].ID}; !slices.Equal(r.Rules[1].Scenarios, want) {
			t.Errorf("the broken rule lists %v, want %v", r.Rules[1].Scenarios, want)
		}
	}
	if r := brokenElsewhere(Fail); r.Verdict != NonConformant || ExitCode(r) != ExitNonConformant {
		t.Errorf("verdict %s, exit code %d", r.Verdict, ExitCode(r))
	}
}

func TestABrokenRuleOfTheScenarioItselfIsNotKept(t *testing.T) {
	t.Parallel()
	r := with(Fail)
	r.Scenarios[0].Failure.Rules = slices.Clone(r.Scenarios[0].Rules)
	if r = r.Derive(); r.Rules[0].Outcome != Fail || len(r.Rules[0].Scenarios) != 1 {
		t.Errorf("got %s by %v", r.Rules[0].Outcome, r.Rules[0].Scenarios)
	}
}

func TestABrokenRuleThatIsNotListedIsRefused(t *testing.T) {
	t.Parallel()
	r := with(Fail)
	r.Scenarios[0].Failure.Rules = []string{"DLV-999"}
	if err := r.Derive().Check(); err == nil || !strings.Contains(err.Error(), "DLV-999") {
		t.Errorf("got %v", err)
	}
}

func TestStoriesTellWhichRuleWasBrokenAndWhichKept(t *testing.T) {
	t.Parallel()
	r := brokenElsewhere(Fail)
	var summary, junit bytes.Buffer
	if err := (Console{Out: &summary}).Summary(r); err != nil {
		t.Fatal(err)
	}
	if err := WriteJUnit(&junit, r); err != nil {
		t.Fatal(err)
	}
	for door, text := range map[string]string{"console": summary.String(), "JUnit": junit.String()} {
		for _, want := range []string{"The promise of sb", "kept        " + r.Rules[0].ID} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q:\n%s", door, want, text)
			}
		}
		if strings.Contains(text, "The promise of sa") {
			t.Errorf("%s shows a rule that was kept as broken:\n%s", door, text)
		}
	}
}

func TestARuleCanBeSpokenOfOnceItIsFoundBroken(t *testing.T) {
	t.Parallel()
	rec, err := NewRecorder(t.TempDir()+"/"+FileName, planned("sa"))
	if err != nil {
		t.Fatal(err)
	}
	more := Rule{ID: "DLV-001", Role: "emitter", Area: "delivery", Level: "MUST", Statement: "A delivery is a POST"}
	rec.Speak(more, more)
	if err := rec.Done(Scenario{ID: "sa", Outcome: Fail, Failure: &Failure{Expected: "POST", Actual: "GET", Rules: []string{more.ID}}}); err != nil {
		t.Fatal(err)
	}
	r, err := rec.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rules) != 2 || r.Rules[1].Outcome != Fail || r.Rules[0].Outcome != Pass {
		t.Errorf("got %+v", r.Rules)
	}
	if err := r.Check(); err != nil {
		t.Error(err)
	}
}
