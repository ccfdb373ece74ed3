package steps

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"testing/fstest"
	"time"

	"github.com/cucumber/godog"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

// Kind is how a scenario ended, before the level of its rules is looked at.
type Kind int

// The kinds of endings.
const (
	Passed      Kind = iota
	Failed           // a judge found a promise broken
	CouldNotRun      // what was to be judged could not be brought about
	Errored          // the suite's own fault
)

// Ending is how a scenario ended and what was observed in it.
type Ending struct {
	Kind Kind
	// Reason says why, for every kind but Passed.
	Reason string
	// Expected and Actual are the judge's values, and Cause is the first
	// cause, for Failed.
	Expected, Actual, Cause string
	// Rules are the rules that were broken, for Failed, where they are not
	// the scenario's own: its steps passed, and a promise that holds for
	// every delivery was broken.
	Rules []string
	// Step is the text of the step that ended the scenario, and StepLine the
	// line where it stands; empty and 0 if the steps passed.
	Step       string
	StepLine   int
	Transcript *transcript.Transcript
	// Unserved is the capability that the target claims and does not serve,
	// for Failed where that is the cause.
	Unserved string
	// Cut tells that the run was ended before the scenario was; what was
	// observed until then shows nothing.
	Cut bool
	// Left are the paths of what the scenario has made at the target and
	// could not remove.
	Left []string
}

// Where is the reason with the step at which the scenario ended.
func (e Ending) Where() string {
	if e.Step == "" {
		return e.Reason
	}
	return fmt.Sprintf("at «%s»: %s", e.Step, e.Reason)
}

// Scenario is a scenario to run, with the file it stands in.
type Scenario struct {
	features.Scenario
	// FS is where Scenario.File is found, and Others are the lines of the
	// other scenarios there and of the other rows of the same outline.
	FS     fs.FS
	Others []Lines
}

// Lines are lines of a file from the first to the last, counted from 1.
type Lines struct{ First, Last int }

// Run runs one scenario with a backend. Header fills in the transcript's
// header. Run returns when the scenario has ended, at the latest shortly
// after ctx has.
func Run(ctx context.Context, s Scenario, backend driver.Backend, header transcript.Transcript, deadlines Deadlines) (e Ending) {
	log := header
	log.Schema, log.Scenario, log.Entries = transcript.Schema, s.ID, nil
	kept, err := json.Marshal(deadlines)
	if err != nil {
		return Ending{Kind: Errored, Reason: fmt.Sprintf("keep the deadlines: %v", err)}
	}
	log.Deadlines = kept
	d := driver.New(backend, &log)
	defer func() { e.Left = cleanUp(backend, deadlines) }()
	w := newWorld(d, deadlines)
	r := &recording{driver: d}
	failed := r.run(ctx, s, w)
	if failed == nil {
		if failed = r.afterwards(ctx, w); failed != nil && ctx.Err() != nil {
			failed = cut()
		}
	}
	return r.ending(s, failed, d.Snapshot())
}

// Replay runs the steps of a scenario again on what was recorded of it,
// without any target, and judges anew.
func Replay(ctx context.Context, s Scenario, t *transcript.Transcript) Ending {
	var deadlines Deadlines
	if err := json.Unmarshal(t.Deadlines, &deadlines); err != nil {
		return Ending{Kind: Errored, Reason: fmt.Sprintf("read the deadlines of the transcript: %v", err), Transcript: t}
	}
	if t.Scenario != s.ID {
		return Ending{Kind: Errored, Reason: fmt.Sprintf("the transcript is of scenario %s", t.Scenario), Transcript: t}
	}
	// The transcript must not bring its own yardstick: it may be stricter
	// than the suite's, never looser.
	own := DefaultDeadlines()
	deadlines.Hold, deadlines.HoldTolerance = own.Hold, min(deadlines.HoldTolerance, own.HoldTolerance)
	recorded := driver.NewReplay(t)
	e := Run(ctx, s, recorded, *t, deadlines)
	if rest := recorded.Rest(); rest > 0 && (e.Kind == Passed || e.Kind == Failed) {
		return Ending{Kind: Errored, Reason: fmt.Sprintf("%v: %d recorded entries were not asked for", driver.ErrDiverged, rest), Step: e.Step, Transcript: e.Transcript}
	}
	return e
}

// recording is what the hooks note while godog runs a scenario.
type recording struct {
	driver *driver.Driver

	mu    sync.Mutex
	count int // steps begun
	step  string
	err   error

	// broken is a promise that was broken although the steps passed.
	broken *judge.Broken
	// silent says that the target does not answer any more, and how that
	// was noticed.
	silent string
}

func (r *recording) run(ctx context.Context, s Scenario, w *World) error {
	alone, err := s.alone()
	if err != nil {
		return err
	}
	run := ctx
	ctx, cancel := context.WithTimeout(run, w.deadlines.Scenario)
	defer cancel()
	suite := godog.TestSuite{
		Name: s.ID,
		ScenarioInitializer: func(sc *godog.ScenarioContext) {
			register(sc, Vocabulary(), w)
			sc.StepContext().Before(func(ctx context.Context, st *godog.Step) (context.Context, error) {
				r.begin(st)
				return ctx, nil
			})
			sc.StepContext().After(func(ctx context.Context, _ *godog.Step, _ godog.StepResultStatus, err error) (context.Context, error) {
				r.end(err)
				return ctx, nil
			})
		},
		Options: &godog.Options{
			Format: "progress", Output: io.Discard, NoColors: true, Strict: true, Concurrency: 1,
			FS: alone, Paths: []string{fmt.Sprintf("%s:%d", s.File, s.Line)}, DefaultContext: ctx,
		},
	}
	done := make(chan int, 1)
	go func() { done <- suite.Run() }()
	select {
	case status := <-done:
		if ctx.Err() == nil {
			return r.check(status)
		}
	case <-ctx.Done():
		// A step that heeds ctx ends now. One that does not is left behind;
		// the report must not wait for it.
		select {
		case <-done:
		case <-time.After(grace):
		}
	}
	if run.Err() != nil {
		return cut()
	}
	return fmt.Errorf("the scenario hung and was ended after %v", w.deadlines.Scenario)
}

// cut is why a scenario ended with its run.
func cut() error {
	return fmt.Errorf("%w%w", errCut, &Unobserved{"the run was ended before this scenario was"})
}

// errCut marks that the run was ended; what it wraps says so in words.
var errCut = errors.New("")

// grace is how long a scenario that is ended has to notice; every wait of
// the driver notices at once.
const grace = 5 * time.Second

// check tells whether godog's own view of the scenario fits what the hooks
// saw: a run in which nothing ran must not pass.
func (r *recording) check(status int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.count == 0:
		return errors.New("no step was run")
	case status != 0 && r.err == nil:
		return fmt.Errorf("godog ended with status %d, and no step said why", status)
	case status == 0 && r.err != nil:
		return fmt.Errorf("a step failed, and godog ended with status 0: %v", r.err)
	}
	return nil
}

func (r *recording) begin(st *godog.Step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.count++
		r.step = st.Text
		r.driver.Step(st.Text, cells(st)...)
	}
}

// cells are those of a step's data table, row by row.
func cells(st *godog.Step) (table [][]string) {
	if st.Argument == nil || st.Argument.DataTable == nil {
		return nil
	}
	for _, row := range st.Argument.DataTable.Rows {
		var line []string
		for _, cell := range row.Cells {
			line = append(line, cell.Value)
		}
		table = append(table, line)
	}
	return table
}

func (r *recording) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil && err != nil {
		r.err = err
	}
}

// ending is how the scenario ended; failed, if not nil, says why the suite
// could not run it properly.
func (r *recording) ending(s Scenario, failed error, t *transcript.Transcript) Ending {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := Ending{Transcript: t}
	switch {
	case r.err == nil && failed == nil && r.broken == nil:
		return e
	case failed == nil && r.broken != nil:
		e.Kind, e.Rules = Failed, r.broken.Rules
		e.Expected, e.Actual, e.Cause = r.broken.Expected, r.broken.Actual, "a promise that holds for every delivery, whatever the scenario is about"
		e.Reason = fmt.Sprintf("expected %s, got %s", e.Expected, e.Actual)
		return e
	}
	e.Step = r.step
	if r.count > 0 && r.count <= len(s.StepLines) {
		e.StepLine = s.StepLines[r.count-1]
	}
	e.Cut = errors.Is(failed, errCut)
	err := cmp.Or(failed, r.err)
	e.Reason = err.Error()
	if r.silent != "" && failed == nil {
		e.Kind, e.Reason = CouldNotRun, fmt.Sprintf("the target does not answer any more (%s); before that, %s", r.silent, e.Reason)
		return e
	}
	claim, actual := "", ""
	if f, ok := asFailure(err); ok {
		e.Kind, e.Expected, e.Actual, e.Cause = Failed, f.Expected, f.Actual, f.Cause
		claim, actual = unserved(t, f.Denied() || f.Absent())
	} else if _, ok := asUnobserved(err); ok {
		e.Kind = CouldNotRun
		claim, actual = unserved(t, true)
	} else if u, ok := asUnserved(err); ok {
		e.Kind = CouldNotRun
		claim, actual = string(u.Claim), u.Actual
	} else {
		e.Kind = Errored
	}
	if claim != "" && !e.Cut {
		e.Kind, e.Unserved, e.Cause = Failed, claim, "a capability that is claimed and not served"
		e.Expected, e.Actual = fmt.Sprintf("the target serves %q, which it claims", claim), actual
	}
	return e
}

// alone is a file system in which the scenario's file has no other scenario
// and no other rows of the same outline: godog takes a scenario by its line,
// and all its rows, and would read the whole file for each. What stays keeps
// its line.
func (s Scenario) alone() (fs.FS, error) {
	data, err := fs.ReadFile(s.FS, s.File)
	if err != nil {
		return nil, fmt.Errorf("read scenario %s: %w", s.ID, err)
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	for _, o := range s.Others {
		for n := max(o.First, 1); n <= min(o.Last, len(lines)); n++ {
			lines[n-1] = []byte("\n")
		}
	}
	return fstest.MapFS{s.File: {Data: bytes.Join(lines, nil)}}, nil
}

// cleanUp removes what the scenario has made at the target and its endpoints,
// and gives what could not be removed. It is not part of what is observed.
func cleanUp(backend driver.Backend, deadlines Deadlines) (left []string) {
	live, ok := backend.(*driver.Live)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadlines.CleanUp)
	defer cancel()
	return live.CleanUp(ctx)
}
