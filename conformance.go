// Package hookproof tells whether an implementation keeps PingOne's webhook
// promises. It is the library door of the suite, and the engine behind all
// its doors: a target is started, the scenarios of the features are run
// against it side by side, each is judged by what was observed of it, and a
// verdict follows.
//
// In a Go test, every scenario is a subtest with its stable id:
//
//	func TestConformance(t *testing.T) {
//		hookproof.Run(t, embedded.New(embedded.Options{}))
//	}
//
// What is promised stands in package features, how it is observed and judged
// in package steps, who is tested in package targets, and what is reported
// in package reports.
package hookproof

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/steps"
	"github.com/hookproof/hookproof/targets"
)

// An Option changes one thing about a run.
type Option func(*options)

type options struct {
	selection   Selection
	seed        int64
	concurrency int
	out         string
	deadlines   steps.Deadlines
	command     string
	rerun       func(id string) string
	observe     func(reports.Scenario)
	begun       func(reports.Results)
}

// maxSeed keeps a seed exact in every reader of JSON (2^53-1).
const maxSeed = 1<<53 - 1

func newOptions(list []Option) (options, error) {
	o := options{
		seed: rand.Int64N(maxSeed) + 1, concurrency: DefaultConcurrency(), deadlines: steps.DefaultDeadlines(),
		observe: func(reports.Scenario) {}, begun: func(reports.Results) {},
	}
	for _, set := range list {
		set(&o)
	}
	if o.seed < 1 || o.seed > maxSeed {
		return o, usage("seed %d is not between 1 and %d", o.seed, int64(maxSeed))
	}
	if o.concurrency < 1 || o.concurrency > 1000 {
		return o, usage("concurrency %d is not between 1 and 1000", o.concurrency)
	}
	if o.rerun == nil {
		o.rerun = func(id string) string { return fmt.Sprintf("hookproof run --scenario %s --shuffle %d", id, o.seed) }
	}
	return o, nil
}

// DefaultConcurrency is how many scenarios run at once where nothing else is
// said. They mostly wait, so that it is well above the number of cores.
func DefaultConcurrency() int { return 8 * runtime.GOMAXPROCS(0) }

// Select narrows what runs.
func Select(s Selection) Option { return func(o *options) { o.selection = s } }

// Seed fixes the order of the scenarios and every made-up value, 1 to 2^53-1;
// without it, one is drawn.
func Seed(seed int64) Option { return func(o *options) { o.seed = seed } }

// Concurrency is how many scenarios run at once, 1 to 1000.
func Concurrency(n int) Option { return func(o *options) { o.concurrency = n } }

// Report writes results.json, the reports derived from it and the
// transcripts into a folder, which is made if need be.
func Report(dir string) Option { return func(o *options) { o.out = dir } }

// Wait sets the deadlines that scenarios wait at most.
func Wait(d steps.Deadlines) Option { return func(o *options) { o.deadlines = d } }

// Command is what the report names as the command that made the run; rerun
// gives the command that runs one scenario again.
func Command(command string, rerun func(id string) string) Option {
	return func(o *options) { o.command, o.rerun = command, rerun }
}

// Observe is told what is planned, once, and then each scenario as it ends,
// one at a time.
func Observe(begun func(reports.Results), done func(reports.Scenario)) Option {
	return func(o *options) { o.begun, o.observe = begun, done }
}

// Execute runs the selected scenarios against the target and returns the
// results. When ctx ends, scenarios under way are ended, and those that have
// not begun could not run; the report is written all the same. An error is a
// *UsageError (nothing has run), or says that the suite itself failed.
func Execute(ctx context.Context, target targets.Target, list ...Option) (results reports.Results, err error) {
	o, err := newOptions(list)
	if err != nil {
		return results, err
	}
	plan, err := NewPlan(target.Info(), o.selection)
	if err != nil {
		return results, err
	}
	blank, err := plan.blank(target.Info(), o)
	if err != nil {
		return results, err
	}
	if err := prepare(o.out); err != nil {
		return results, err
	}
	recorder, err := newRecord(o.out, blank)
	if err != nil {
		return results, err
	}
	defer func() { err = errors.Join(err, recorder.close()) }()
	s, err := open(ctx, target, plan, o)
	if err != nil {
		return results, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	o.begun(blank)
	if err := s.runAll(ctx, o, recorder); err != nil {
		return results, err
	}
	results, err = recorder.finish()
	if err != nil {
		return results, err
	}
	return results, derive(o.out, results)
}

// runAll runs the planned scenarios in the order that the seed decides.
func (s *session) runAll(ctx context.Context, o options, recorder *record) error {
	var g errgroup.Group
	g.SetLimit(o.concurrency)
	for _, i := range s.plan.order(o.seed) {
		g.Go(func() error {
			done := s.run(ctx, s.plan.Scenarios[i])
			return recorder.done(done, o.observe)
		})
	}
	return g.Wait()
}

// prepare makes the report's folder, and removes the transcripts of an
// earlier run, which would otherwise lie among those of this one. It touches
// no folder of transcripts that no report stands beside.
func prepare(out string) error {
	if out == "" {
		return nil
	}
	old := filepath.Join(out, transcriptDir)
	if _, err := os.Lstat(old); err == nil {
		if _, err := reports.Read(filepath.Join(out, reports.FileName)); err != nil {
			return usage("%s holds a folder %q and no report that it could belong to (%v); choose another folder for the reports, or remove it", out, transcriptDir, err)
		}
	}
	if err := os.RemoveAll(old); err != nil {
		return usage("the reports cannot be written to %s: %v; choose another folder", out, err)
	}
	if err := os.MkdirAll(old, 0o755); err != nil {
		return usage("the reports cannot be written to %s: %v; choose another folder", out, err)
	}
	return nil
}

// derive writes the reports that follow from the results.
func derive(out string, r reports.Results) (err error) {
	if out == "" {
		return nil
	}
	f, err := os.Create(filepath.Join(out, reports.JUnitName))
	if err != nil {
		return fmt.Errorf("write junit.xml: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := reports.WriteJUnit(f, r); err != nil {
		return fmt.Errorf("write junit.xml: %w", err)
	}
	return nil
}
