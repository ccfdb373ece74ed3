package hookproof

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets"
)

// Run runs the selected scenarios against the target as subtests of t, each
// named by its stable id, so that `go test -count=1 -run '^TestX$/^AREA$/^NAME$'` runs
// AREA/NAME alone; what fails prints that command.
// A scenario that does not apply is skipped with its reason; one that fails,
// could not run or hit an error of the suite fails its subtest. A broken
// SHOULD is logged. A failure that a baseline lists is skipped, and an entry of
// the baseline that is out of date fails t.
//
// Scenarios run side by side, as many at once as [Concurrency] says and
// whatever -parallel is.
//
// An interrupt or a SIGTERM during a run against an emitter at a URL does not
// end the process at once: what the run has made is removed and the report
// written before. A process that is killed leaves what it has made; «hookproof
// cleanup» finds it.
func Run(t *testing.T, target targets.Target, list ...Option) {
	t.Helper()
	alone := func(id string) string { return "go test -count=1 -run '" + exactly(t.Name()+"/"+id) + "'" }
	o, err := newOptions(append([]Option{Command("", alone)}, list...))
	if err != nil {
		t.Fatal(err)
	}
	if o.left == nil {
		o.left = func(paths []string) { t.Logf("left at the target: %s", strings.Join(paths, ", ")) }
	}
	plan, err := NewPlan(target.Info(), o.selection)
	if err != nil {
		t.Fatal(err)
	}
	blank, err := plan.blank(target.Info(), o)
	if err != nil {
		t.Fatal(err)
	}
	recorder, err := newRecord(o.out, blank)
	if err != nil {
		t.Fatal(err)
	}
	ctx, ended := interruptible(context.WithoutCancel(t.Context()), target.Info())
	t.Cleanup(ended) // after finish
	s, err := open(ctx, target, plan, o)
	if err != nil {
		_ = recorder.close()
		t.Fatal(err)
	}
	t.Cleanup(func() { finish(t, s, recorder, o) })
	t.Logf("%d scenarios against %s, shuffled with seed %d", len(plan.Scenarios), s.info.Name, o.seed)
	places := make(chan struct{}, o.concurrency)
	for _, i := range plan.order(o.seed) {
		p := plan.Scenarios[i]
		t.Run(p.ID, func(t *testing.T) {
			// The scenario is under way before the subtest becomes parallel:
			// how many run at once is then decided here and not by -parallel.
			done := make(chan reports.Scenario, 1)
			go func() {
				places <- struct{}{}
				defer func() { <-places }()
				done <- s.run(ctx, p)
			}()
			t.Parallel()
			r := <-done
			if err := recorder.done(r, plan.Catalogue, o.observe); err != nil {
				t.Error(err)
			}
			tell(t, plan, o, r)
		})
	}
}

// tell turns an outcome into what go test knows.
func tell(t *testing.T, plan *Plan, o options, r reports.Scenario) {
	t.Helper()
	if r.Listed(o.baseline) {
		t.Skipf("known: %s", r.Reason)
	}
	switch r.Outcome {
	case reports.Pass:
	case reports.NotApplicable:
		t.Skip(r.Reason)
	case reports.ExpectedFail:
		t.Skipf("%s: %s", r.Reason, plan.story(r, o.out))
	case reports.Warn:
		t.Logf("warning: %s", plan.story(r, o.out))
	default:
		t.Errorf("%s: %s\nrun again %s", r.Outcome, plan.story(r, o.out), r.Rerun)
	}
}

// exactly is what -run of go test takes to run a subtest and none whose name
// begins like its own.
func exactly(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

// story is what has to be known of a scenario that did not pass; out is the
// report's folder.
func (p *Plan) story(r reports.Scenario, out string) string {
	var b strings.Builder
	if r.Unsteady {
		fmt.Fprintf(&b, "\nunsteady: %s", r.Tally())
	}
	for _, id := range r.BrokenRules() {
		rule, _ := p.Catalogue.Rule(id)
		fmt.Fprintf(&b, "\n%s (%s): %s", id, rule.Level, rule.Statement)
	}
	fmt.Fprintf(&b, "\nat %s", reports.Located(r))
	if f := r.Failure; f != nil {
		fmt.Fprintf(&b, "\nstep     %s\nexpected %s\nactual   %s", f.Step, f.Expected, f.Actual)
	} else {
		fmt.Fprintf(&b, "\n%s", r.Reason)
	}
	if r.Transcript != "" {
		fmt.Fprintf(&b, "\ntranscript %s", filepath.Join(out, filepath.FromSlash(r.Transcript)))
	}
	return b.String()
}

// finish ends the run when all subtests have: the target is stopped and the
// report written. A run in which nothing was judged fails: everything was not
// applicable, or -run names no scenario.
func finish(t *testing.T, s *session, recorder *record, o options) {
	defer func() {
		if err := recorder.close(); err != nil {
			t.Error(err)
		}
	}()
	if err := s.close(); err != nil {
		t.Error(err)
	}
	results, err := recorder.finish()
	if err != nil {
		t.Error(err)
		return
	}
	if err := derive(o.out, results); err != nil {
		t.Error(err)
	}
	for _, k := range results.OutOfDate() {
		t.Errorf("baseline: %s: %s", k.ID, k.Advice(results))
	}
	for _, r := range results.Scenarios {
		if r.Outcome.Judged() {
			return
		}
	}
	if !t.Failed() {
		t.Errorf("of %d scenarios none was judged: nothing is known of %s", len(results.Scenarios), s.info.Name)
	}
}
