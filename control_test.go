package hookproof_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/embedded"
)

// Whoever forges a report of repeated scenarios, or one that was held against a
// baseline, is found out, though the file as such may be well formed.
func TestAForgedRepetitionOrBaselineIsFoundOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := []reports.Known{
		{ID: "limits/a-51st-subscription-is-refused", Reason: "ticket 12", Expires: "2999-12-31", Message: "the answer is 403: *"},
		{ID: "limits/no-such", Reason: "ticket 12", Expires: "2999-12-31", Message: "*"},
		{ID: "limits/the-refusal-of-a-51st-subscription-says-why", Reason: "ticket 12", Expires: "2999-12-31", Message: "*"},
	}
	r, err := hookproof.Execute(t.Context(), embedded.New(embedded.Options{Faults: []string{"limit-51"}}),
		hookproof.Select(hookproof.Selection{Scenarios: []string{
			"limits/a-51st-subscription-is-refused", "limits/of-60-subscriptions-requested-side-by-side-10-are-refused",
		}}), hookproof.Repeat(2), hookproof.Baseline(list), hookproof.Report(dir))
	if err != nil || r.Counts[reports.ExpectedFail] != 1 || r.Counts[reports.Fail] != 1 {
		t.Fatalf("%v, %v", r.Counts, err)
	}
	for name, c := range map[string]struct {
		alter func(*reports.Results)
		want  string
	}{
		"nothing": {func(*reports.Results) {}, ""},
		"a failure becomes a known one": {func(r *reports.Results) {
			s := failed(r, reports.Fail)
			s.Outcome, s.Reason = reports.ExpectedFail, "known until 2999-12-31: ticket 12"
		}, "its runs and the baseline say fail"},
		"the baseline is gone":       {func(r *reports.Results) { r.Baseline = nil }, "its runs and the baseline say fail"},
		"an entry becomes another's": {func(r *reports.Results) { r.Baseline[0].Message = "something else" }, "its runs and the baseline say fail"},
		"an unknown entry is open":   {func(r *reports.Results) { r.Baseline[1].State = reports.Open }, "its entry in the baseline is open"},
		"an open entry is unknown":   {func(r *reports.Results) { r.Baseline[2].State = reports.Unmatched }, "its entry in the baseline is unmatched"},
		"an entry is matched":        {func(r *reports.Results) { r.Baseline[1].State = reports.Matched }, "limits/no-such is matched"},
		"a failure passes once": {func(r *reports.Results) {
			s := failed(r, reports.Fail)
			s.Runs[1].Outcome, s.Runs[1].Failure, s.Unsteady = reports.Pass, nil, true
		}, "run 2: the report says pass, its transcript gives fail"},
		"a failure passes always": {func(r *reports.Results) {
			s := failed(r, reports.Fail)
			s.Outcome, s.Failure = reports.Pass, nil
			for i := range s.Runs {
				s.Runs[i].Outcome, s.Runs[i].Failure = reports.Pass, nil
			}
		}, "run 1: the report says pass, its transcript gives fail"},
		"a run is left out":     {func(r *reports.Results) { s := failed(r, reports.Fail); s.Runs = s.Runs[:1] }, "minItems: got 1, want 2"},
		"all runs are left out": {func(r *reports.Results) { failed(r, reports.Fail).Runs = nil }, "none of them is listed"},
		"fewer repetitions": {func(r *reports.Results) {
			r.Repeat = 0
			for i := range r.Scenarios {
				r.Scenarios[i].Runs = nil
			}
		}, "no scenario of the report names the transcript"},
		"one run twice": {func(r *reports.Results) {
			s := failed(r, reports.Fail)
			s.Runs[1] = s.Runs[0]
		}, "is not of repetition 2"},
		"steadiness":       {func(r *reports.Results) { failed(r, reports.Fail).Unsteady = true }, "unsteady is true"},
		"a narrower level": {func(r *reports.Results) { r.Selection.Levels = []string{"SHOULD"} }, "plan the run of the report again"},
		"a shard": {func(r *reports.Results) {
			r.Selection.Shard = &reports.Shard{Index: 1, Count: 2}
			r.Scenarios = r.Scenarios[:1]
		}, "or the run had it not"},
		"as many shards as scenarios": {func(r *reports.Results) {
			for i := range r.Scenarios {
				r.Shards = append(r.Shards, reports.Part{Index: i + 1, StartedAt: r.StartedAt, DurationMs: r.DurationMs})
			}
		}, "of a run that was not divided"},
		"a shard of another day": {func(r *reports.Results) {
			r.Shards = []reports.Part{{Index: 1, StartedAt: r.StartedAt, DurationMs: r.DurationMs}, {Index: 2, StartedAt: r.StartedAt.AddDate(0, 0, 1)}}
		}, "not within the run"},
		"a run that repeats less": {func(r *reports.Results) {
			r.Repeat = 0
			for i := range r.Scenarios {
				r.Scenarios[i].Runs = nil
			}
		}, "repeats each scenario 2 times"},
		"a merged report": {func(r *reports.Results) {
			r.Shards = []reports.Part{{Index: 1, StartedAt: r.StartedAt, DurationMs: r.DurationMs}, {Index: 2, StartedAt: r.StartedAt.AddDate(-1, 0, 0)}}
		}, "not plausible"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := verifyAltered(t, dir, c.alter)
			found := slices.ContainsFunc(v, func(text string) bool { return strings.Contains(text, c.want) })
			switch {
			case name == "nothing":
				if err != nil || len(v) > 0 {
					t.Errorf("an unaltered report differs: %v, %v", v, err)
				}
			case err != nil && !strings.Contains(err.Error(), c.want), err == nil && !found:
				t.Errorf("want a difference with %q, got %v, %v", c.want, v, err)
			}
		})
	}
}

// failed is the first scenario of that outcome.
func failed(r *reports.Results, o reports.Outcome) *reports.Scenario {
	return &r.Scenarios[slices.IndexFunc(r.Scenarios, func(s reports.Scenario) bool { return s.Outcome == o })]
}

// verifyAltered verifies a copy of a report in which results.json is altered,
// totals made to fit as far as they can be, and nothing checked.
func verifyAltered(t *testing.T, from string, alter func(*reports.Results)) ([]string, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	r, err := reports.Read(filepath.Join(dir, reports.FileName))
	if err != nil {
		t.Fatal(err)
	}
	alter(&r)
	states := slices.Clone(r.Baseline)
	r = r.Derive()
	r.Baseline = states
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, reports.FileName), text, 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := hookproof.Verify(t.Context(), dir)
	var found []string
	for _, d := range v.Differences {
		found = append(found, d.String())
	}
	return found, err
}

// slowStart is a target that is still starting when the run is ended.
type slowStart struct{ end context.CancelFunc }

func (slowStart) Info() targets.Info {
	return targets.Info{Role: targets.RoleEmitter, Kind: "url", Name: "slow"}
}

func (s slowStart) Start(ctx context.Context) (*targets.System, error) {
	s.end()
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func TestARunThatIsEndedWhileItsTargetStartsHasAReport(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dir := t.TempDir()
	r, err := hookproof.Execute(ctx, slowStart{cancel}, hookproof.Report(dir))
	if err != nil || reports.ExitCode(r) != reports.ExitIncomplete {
		t.Errorf("verdict %s, %v", r.Verdict, err)
	}
	if stored, err := reports.Read(filepath.Join(dir, reports.FileName)); err != nil || stored.Verdict != reports.Incomplete {
		t.Errorf("verdict %s, %v", stored.Verdict, err)
	}
}

func TestAnEmptyShardIsRefused(t *testing.T) {
	t.Parallel()
	info := embedded.New(embedded.Options{}).Info()
	_, err := hookproof.NewPlan(info, hookproof.Selection{Rules: []string{"SUB-LIMIT-051"}, Shard: hookproof.Shard{Index: 1, Count: 99}})
	var usage *hookproof.UsageError
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), "use at most") {
		t.Errorf("got %v", err)
	}
}
