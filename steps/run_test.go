package steps

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/transcript"
)

// fake is a backend that answers every call with one status, or hangs.
type fake struct {
	status int
	hangs  bool
	panics bool
	calls  int
}

func (f *fake) Exchange(ctx context.Context, calls []driver.Call) ([]transcript.Entry, error) {
	f.calls += len(calls)
	if f.panics {
		panic("out of order")
	}
	if f.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	var entries []transcript.Entry
	for _, c := range calls {
		entries = append(entries, transcript.Entry{Exchange: &transcript.Exchange{
			Peer: c.Peer, Request: transcript.Request{Method: c.Method, Path: c.Path, Body: c.Body},
			Response: &transcript.Response{Status: f.status, Body: []byte(`{"id":"9773fa25-a4f4-40d8-ac25-0d53338247c1"}`)},
		}})
	}
	return entries, nil
}

func (f *fake) Watch(context.Context, driver.Look) (transcript.Entry, error) {
	return transcript.Entry{}, errors.New("there is no receiver")
}

func (f *fake) Fact(string, func() (any, error)) (transcript.Entry, error) {
	return transcript.Entry{}, errors.New("there is no fact")
}

func (f *fake) Now() time.Time { return time.Time{} }

// scenario is a scenario of the given steps.
func scenario(steps ...string) Scenario {
	text := "Feature: F\n\n  Scenario: S\n"
	var lines []int
	for i, s := range steps {
		text += "    Given " + s + "\n"
		lines = append(lines, 4+i)
	}
	return Scenario{
		Scenario: features.Scenario{ID: "f/s", File: "emitter/f.feature", Line: 3, Steps: steps, StepLines: lines},
		FS:       fstest.MapFS{"emitter/f.feature": {Data: []byte(text)}},
	}
}

func runFake(ctx context.Context, s Scenario, f *fake) Ending {
	deadlines := DefaultDeadlines()
	deadlines.Scenario = 200 * time.Millisecond
	if !f.hangs {
		deadlines.Scenario = time.Minute
	}
	return Run(ctx, s, f, transcript.Transcript{Seed: "1", Environment: "e"}, deadlines)
}

func TestAScenarioEndsAsItsStepsDo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		steps []string
		fake  fake
		kind  Kind
		want  string
		line  int
	}{
		"kept":               {[]string{"an environment", "a subscription is requested", "the request is accepted"}, fake{status: 201}, Passed, "", 0},
		"broken":             {[]string{"an environment", "a subscription is requested", "the request is accepted"}, fake{status: 200}, Failed, "expected status 201", 6},
		"prepared in vain":   {[]string{"an environment", `user "Ada" is created`, "the request is accepted"}, fake{status: 500}, CouldNotRun, "status 500", 5},
		"nothing judged":     {[]string{"an environment", "a subscription is requested"}, fake{status: 201}, Errored, "no step of the scenario judges", 5},
		"undefined step":     {[]string{"an environment", "something nobody knows"}, fake{status: 201}, Errored, "undefined", 5},
		"a step that panics": {[]string{"an environment", "a subscription is requested"}, fake{panics: true}, Errored, "out of order", 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := runFake(t.Context(), scenario(c.steps...), &c.fake)
			if e.Kind != c.kind || !strings.Contains(e.Reason, c.want) || e.StepLine != c.line {
				t.Errorf("got kind %d, reason %q, line %d", e.Kind, e.Reason, e.StepLine)
			}
		})
	}
}

func TestAScenarioThatHangsIsEndedAndIsTheSuitesError(t *testing.T) {
	defer goleak.VerifyNone(t)
	e := runFake(t.Context(), scenario("an environment", "a subscription is requested"), &fake{hangs: true})
	if e.Kind != Errored || !strings.Contains(e.Reason, "hung") {
		t.Errorf("got kind %d, reason %q", e.Kind, e.Reason)
	}
}

func TestAScenarioOfARunThatIsEndedCouldNotRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := runFake(ctx, scenario("an environment", "a subscription is requested"), &fake{hangs: true})
	if e.Kind != CouldNotRun || !strings.Contains(e.Reason, "run was ended") {
		t.Errorf("got kind %d, reason %q", e.Kind, e.Reason)
	}
}

func TestNothingRunIsNeverAPass(t *testing.T) {
	t.Parallel()
	s := scenario("an environment")
	s.Line = 99
	if e := runFake(t.Context(), s, &fake{status: 201}); e.Kind != Errored || !strings.Contains(e.Reason, "no step was run") {
		t.Errorf("got kind %d, reason %q", e.Kind, e.Reason)
	}
}

func TestOnlyTheRowAskedForIsRun(t *testing.T) {
	t.Parallel()
	text := `Feature: F

  Scenario Outline: <n> subscriptions
    Given an environment
    When <n> subscriptions are requested
    Then every request is accepted

    Examples:
      | n |
      | 1 |
      | 2 |
      | 3 |
`
	rows := map[int]int{10: 1, 11: 2, 12: 3}
	for row, want := range rows {
		var others []Lines
		for other := range rows {
			if other != row {
				others = append(others, Lines{other, other})
			}
		}
		f := &fake{status: 201}
		s := Scenario{
			Scenario: features.Scenario{ID: "f/s", File: "emitter/f.feature", Line: 3, RowLine: row, StepLines: []int{4, 5, 6}},
			FS:       fstest.MapFS{"emitter/f.feature": {Data: []byte(text)}}, Others: others,
		}
		if e := runFake(t.Context(), s, f); e.Kind != Passed {
			t.Fatalf("got %q", e.Reason)
		}
		if f.calls != want {
			t.Errorf("row at line %d made %d requests, want %d", row, f.calls, want)
		}
	}
}
