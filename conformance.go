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
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/steps"
	"github.com/hookproof/hookproof/steps/driver"
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
	repeat      int
	baseline    []reports.Known
	// baselineDigest is empty where no baseline is given.
	baselineDigest string
	pause          func(context.Context, Paused) error
	left           func(paths []string)
	named          func(run string)
}

// maxRepeat bounds the repetitions of a scenario, and with them results.json.
const maxRepeat = 100

// maxSeed keeps a seed exact in every reader of JSON (2^53-1).
const maxSeed = 1<<53 - 1

func newOptions(list []Option) (options, error) {
	o := options{
		seed: rand.Int64N(maxSeed) + 1, concurrency: DefaultConcurrency(), deadlines: steps.DefaultDeadlines(),
		observe: func(reports.Scenario) {}, begun: func(reports.Results) {}, repeat: 1,
		named: func(string) {},
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
	if o.repeat < 1 || o.repeat > maxRepeat {
		return o, usage("%d repetitions are not between 1 and %d", o.repeat, maxRepeat)
	}
	if o.pause != nil {
		o.concurrency, o.deadlines = 1, unhurried(o.deadlines)
	} else {
		o.pause = func(context.Context, Paused) error { return nil }
	}
	if o.rerun == nil {
		o.rerun = func(id string) string { return fmt.Sprintf("hookproof run --scenario %s --shuffle %d", id, o.seed) }
	}
	return o, nil
}

// DefaultConcurrency is how many scenarios run at once where nothing else is
// said: 12 for each core, at most 48, so that a large machine does not overrun
// the target. They mostly wait; on two cores the whole suite takes a fifth
// less time than with 8 for each, and no less with more.
func DefaultConcurrency() int { return min(12*runtime.GOMAXPROCS(0), 48) }

// Select narrows what runs.
func Select(s Selection) Option { return func(o *options) { o.selection = s } }

// Seed fixes the order of the scenarios and every made-up value, 1 to 2^53-1;
// without it, one is drawn.
func Seed(seed int64) Option { return func(o *options) { o.seed = seed } }

// Concurrency is how many scenarios run at once, 1 to 1000.
func Concurrency(n int) Option { return func(o *options) { o.concurrency = n } }

// Repeat runs each scenario n times, 1 to 100. Its outcome is the worst of its
// runs; one whose runs were judged differently is called unsteady.
func Repeat(n int) Option { return func(o *options) { o.repeat = n } }

// Baseline names the failures that are known: they are expected-fail, as long
// as they fail as listed. What of it is out of date is told in the results.
func Baseline(known []reports.Known) Option {
	return func(o *options) { o.baseline, o.baselineDigest = known, reports.BaselineDigest(known) }
}

// Report writes results.json, the reports derived from it and the
// transcripts into a folder, which is made if need be.
func Report(dir string) Option { return func(o *options) { o.out = dir } }

// Wait sets the deadlines that scenarios wait at most.
func Wait(d steps.Deadlines) Option { return func(o *options) { o.deadlines = d } }

// Command is what the report names as the command that made the run; rerun
// gives the command that runs one scenario again. Without it, Run names that of
// go test.
func Command(command string, rerun func(id string) string) Option {
	return func(o *options) { o.command, o.rerun = command, rerun }
}

// Observe is told what is planned, once, and then each scenario as it ends,
// one at a time.
func Observe(begun func(reports.Results), done func(reports.Scenario)) Option {
	return func(o *options) { o.begun, o.observe = begun, done }
}

// Leftovers is told, by their paths, what a scenario has made at the target
// and could not remove; from any goroutine.
func Leftovers(left func(paths []string)) Option { return func(o *options) { o.left = left } }

// Named is told what run this is, before it makes anything at the target: names
// of all that it makes there hold hookproof-RUN-, and «hookproof cleanup --run»
// finds it by that.
func Named(told func(run string)) Option { return func(o *options) { o.named = told } }

// Execute runs the selected scenarios against the target and returns the
// results. When ctx ends, scenarios under way are ended, and those that have
// not begun could not run; the report is written all the same. An error is a
// *UsageError (nothing has run), or says that the suite itself failed.
func Execute(ctx context.Context, target targets.Target, list ...Option) (results reports.Results, err error) {
	o, err := newOptions(list)
	if err != nil {
		return results, err
	}
	if o.left == nil {
		o.left = func([]string) {}
	}
	plan, err := NewPlan(target.Info(), o.selection)
	if err != nil {
		return results, err
	}
	blank, err := plan.blank(target.Info(), o)
	if err != nil {
		return results, err
	}
	recorder, err := newRecord(o.out, blank)
	if err != nil {
		return results, err
	}
	defer func() { err = errors.Join(err, recorder.close()) }()
	s, err := open(ctx, target, plan, o)
	switch {
	case err != nil && ctx.Err() != nil:
		// Ended while the target was starting: every scenario could not run.
	case err != nil:
		return results, err
	default:
		defer func() { err = errors.Join(err, s.close()) }()
		o.named(driver.Run(seedOf(s.seed, s.salt, 1)))
		o.begun(blank)
		if err := s.runAll(ctx, o, recorder); err != nil {
			return results, err
		}
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
			return recorder.done(done, s.plan.Catalogue, o.observe)
		})
	}
	return g.Wait()
}

// derive writes the reports that follow from the results.
func derive(out string, r reports.Results) error {
	if out == "" {
		return nil
	}
	return reports.WriteAll(out, r)
}
