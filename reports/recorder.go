package reports

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// pending is the reason of a scenario that was planned and has no outcome yet;
// it is what a report of a run that died says.
const pending = "the run ended before this scenario finished"

// NotBegun is the reason of a scenario that was planned, in a run that was ended
// before its turn.
const NotBegun = "the run was ended before this scenario began"

// Unfinished tells whether the run ended before the scenario had.
func (s Scenario) Unfinished() bool { return s.Outcome == CouldNotRun && s.Reason == pending }

// maxValue bounds, in bytes, each value that a failure carries into the report.
// The whole value stands in the transcript; a report of a thousand failures
// stays under [MaxBytes].
const maxValue = 16 << 10

// Recorder keeps results.json up to date while a run goes on. At every moment
// after [NewRecorder] the file is complete and readable: scenarios that have
// not finished stand in it as could-not-run, and the verdict is incomplete
// until [Recorder.Finish]. A process that dies leaves the file as it was after
// one of its last scenarios.
//
// One goroutine writes. Scenarios that finish while it does share the next
// write, so recording never waits for the disk. Its methods may be called from
// any goroutine. Whoever makes a Recorder ends it with Finish or Close.
type Recorder struct {
	path    string
	started time.Time // with its monotonic reading

	mu       sync.Mutex
	results  Results
	index    map[string]int // scenario id to its place
	done     map[string]bool
	closed   bool
	writeErr error

	changed chan struct{} // capacity 1: something to write
	ended   chan struct{} // closed when nothing more is recorded
	stopped chan struct{} // closed when the writing goroutine has ended
}

// NewRecorder writes the first results.json to path and starts recording. plan
// carries the suite, target, command, seed and start of the run, its rules, and
// its scenarios with id, name, file, line and rules; their outcomes are set
// here. A plan that [Results.Check] would refuse is an error.
func NewRecorder(path string, plan Results) (*Recorder, error) {
	started := plan.StartedAt
	if started.IsZero() {
		started = time.Now()
	}
	plan.StartedAt = started.Round(0).UTC()
	plan.Scenarios = slices.Clone(plan.Scenarios)
	rec := &Recorder{
		path:    path,
		started: started,
		index:   make(map[string]int, len(plan.Scenarios)),
		done:    make(map[string]bool, len(plan.Scenarios)),
		changed: make(chan struct{}, 1),
		ended:   make(chan struct{}),
		stopped: make(chan struct{}),
	}
	for i := range plan.Scenarios {
		s := &plan.Scenarios[i]
		s.Outcome, s.Reason = CouldNotRun, pending
		s.DurationMs, s.Failure = 0, nil
		s.Transcript, s.TranscriptSHA256 = "", ""
		s.Runs, s.Unsteady = nil, false
		rec.index[s.ID] = i
	}
	rec.results = plan
	if err := Write(path, rec.Results()); err != nil {
		return nil, fmt.Errorf("record run: %w", err)
	}
	go rec.write()
	return rec, nil
}

// Done records a finished scenario. It keeps the planned name, file, line and
// rules where s leaves them empty.
//
// An outcome that is not known, or one that lacks the reason or failure the
// format wants with it, is the suite's own error: the scenario is recorded as
// error and an error is returned. A scenario that was not planned, or was
// recorded before, is an error and changes nothing, as is a closed recorder.
func (rec *Recorder) Done(s Scenario) error {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	i, planned := rec.index[s.ID]
	switch {
	case rec.closed:
		return fmt.Errorf("record scenario %s: the run has ended", s.ID)
	case !planned:
		return fmt.Errorf("record scenario %s: it was not planned", s.ID)
	case rec.done[s.ID]:
		return fmt.Errorf("record scenario %s: recorded before", s.ID)
	}
	s = s.asPlanned(rec.results.Scenarios[i])
	err := s.wellFormed()
	if err != nil {
		s.Outcome, s.Reason = Error, "the suite recorded it wrongly: "+err.Error()
		s.DurationMs = max(s.DurationMs, 0)
		s.Transcript, s.TranscriptSHA256 = "", ""
		s.Runs, s.Unsteady = nil, false
		err = fmt.Errorf("record scenario %s: %w", s.ID, err)
	}
	rec.results.Scenarios[i] = s
	rec.done[s.ID] = true
	select {
	case rec.changed <- struct{}{}:
	default: // the pending write will take this scenario along
	}
	return err
}

// Speak adds rules that were not planned, at the end of the list; those that
// are in it already stay as they are. A rule that a scenario found broken must
// be known before the scenario is Done.
func (rec *Recorder) Speak(rules ...Rule) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for _, rule := range rules {
		if !slices.ContainsFunc(rec.results.Rules, func(r Rule) bool { return r.ID == rule.ID }) {
			rec.results.Rules = append(slices.Clip(rec.results.Rules), rule)
		}
	}
}

// Results returns the run so far, as the file shows it or is about to.
func (rec *Recorder) Results() Results {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return rec.snapshot()
}

// snapshot copies the results; rec.mu is held.
func (rec *Recorder) snapshot() Results {
	r := rec.results
	r.Scenarios = slices.Clone(r.Scenarios)
	r = r.Derive()
	r.DurationMs = max(0, time.Since(rec.started).Milliseconds())
	r.Verdict = Incomplete
	return r
}

// Finish ends the recording, gives the run its verdict and writes the file for
// the last time. Scenarios never recorded stay could-not-run. An error means
// that the file may not show the results returned beside it.
func (rec *Recorder) Finish() (Results, error) {
	if !rec.end() {
		return rec.Results(), errors.New("finish recording: the run has ended already")
	}
	<-rec.stopped
	rec.mu.Lock()
	defer rec.mu.Unlock()
	r := rec.snapshot()
	r.Verdict = VerdictOf(r)
	if err := Write(rec.path, r); err != nil {
		return r, fmt.Errorf("finish recording: %w", err)
	}
	return r, nil
}

// Close ends the recording without a verdict: the file shows what was recorded
// and stays incomplete. After Finish, or a second time, it does nothing.
func (rec *Recorder) Close() error {
	if !rec.end() {
		<-rec.stopped
		return nil
	}
	<-rec.stopped
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return rec.writeErr
}

// end stops the writing goroutine, once, and reports whether it was this call.
func (rec *Recorder) end() bool {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.closed {
		return false
	}
	rec.closed = true
	close(rec.ended)
	close(rec.changed) // Done sends only under rec.mu and not when closed
	return true
}

// writePause is between two writings of the file: it is written whole, and
// with hundreds of scenarios that end within seconds, writing it for each would
// take as long as judging them.
const writePause = time.Second

// write puts the state on disk soon after every change until end. Only the
// last error counts: the file is always written whole.
func (rec *Recorder) write() {
	defer close(rec.stopped)
	pause := time.NewTimer(0)
	defer pause.Stop()
	for range rec.changed {
		select {
		case <-pause.C:
		case <-rec.ended:
		}
		pause.Reset(writePause)
		text, err := marshal(rec.Results())
		if err == nil {
			err = replaceFile(rec.path, text, false)
		}
		rec.mu.Lock()
		rec.writeErr = err
		rec.mu.Unlock()
	}
}

func (s Scenario) asPlanned(plan Scenario) Scenario {
	if s.Name == "" {
		s.Name = plan.Name
	}
	if s.File == "" {
		s.File, s.Line = plan.File, plan.Line
	}
	if s.Rerun == "" {
		s.Rerun = plan.Rerun
	}
	// What a scenario judges is settled before it runs.
	s.Rules = plan.Rules
	s.Failure, s.Reason = s.Failure.bounded(), cut(s.Reason, maxValue)
	s.Runs = slices.Clone(s.Runs)
	for i, run := range s.Runs {
		s.Runs[i].Failure, s.Runs[i].Reason = run.Failure.bounded(), cut(run.Reason, maxValue)
	}
	return s
}

// bounded is the failure with no value longer than maxValue.
func (f *Failure) bounded() *Failure {
	if f == nil {
		return nil
	}
	b := *f
	b.Expected, b.Actual, b.Message, b.Step = cut(f.Expected, maxValue), cut(f.Actual, maxValue), cut(f.Message, maxValue), cut(f.Step, maxValue)
	return &b
}

// wellFormed reports what the published schema would refuse in an outcome.
func (s Scenario) wellFormed() error {
	switch s.Outcome {
	case Pass:
	case Fail, Warn:
		if s.Failure == nil {
			return fmt.Errorf("%s without its failure", s.Outcome)
		}
	case NotApplicable, CouldNotRun, ExpectedFail, UnexpectedPass, Error:
		if s.Reason == "" {
			return fmt.Errorf("%s without a reason", s.Outcome)
		}
	default:
		return fmt.Errorf("%q is no outcome of a scenario", s.Outcome)
	}
	if s.DurationMs < 0 {
		return fmt.Errorf("negative duration %d ms", s.DurationMs)
	}
	if (s.Transcript == "") != (s.TranscriptSHA256 == "") {
		return errors.New("transcript and its SHA-256 not both given")
	}
	if s.Transcript != "" && (!localPath(s.Transcript) || !isSHA256(s.TranscriptSHA256)) {
		return fmt.Errorf("transcript %.200q leaves the report's folder, or %.80q is no SHA-256", s.Transcript, s.TranscriptSHA256)
	}
	return s.wellFormedRuns()
}

func isSHA256(hex string) bool {
	if len(hex) != 64 {
		return false
	}
	for _, c := range hex {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
