package reports

import (
	"errors"
	"fmt"
	"slices"
)

// Repetition is one of several runs of a scenario, as it was judged, whatever a
// baseline says. Its members are those of [Scenario] of the same names.
type Repetition struct {
	// Outcome is pass, fail, warn, could-not-run or error.
	Outcome          Outcome  `json:"outcome"`
	Reason           string   `json:"reason,omitempty"`
	DurationMs       int64    `json:"durationMs"`
	Failure          *Failure `json:"failure,omitempty"`
	Transcript       string   `json:"transcript,omitempty"`
	TranscriptSHA256 string   `json:"transcriptSha256,omitempty"`
}

// Over returns s as its runs leave it: the highest of their outcomes, as the
// first run that has it tells it, and the time of all together. With more than
// one run, they are kept, and s is unsteady if they were judged differently.
// Without any, s is returned as it is.
func (s Scenario) Over(runs []Repetition) Scenario {
	if len(runs) == 0 {
		return s
	}
	var worst Outcome
	s.DurationMs = 0
	for i, run := range runs {
		s.DurationMs += run.DurationMs
		if worst = Rise(worst, run.Outcome); i == 0 {
			worst = run.Outcome
		}
	}
	s = s.decidedBy(runs[slices.IndexFunc(runs, func(r Repetition) bool { return r.Outcome == worst })])
	s.Runs, s.Unsteady = nil, false
	if len(runs) > 1 {
		s.Runs, s.Unsteady = runs, unsteady(runs)
	}
	return s
}

// decidedBy returns s with what one run tells.
func (s Scenario) decidedBy(run Repetition) Scenario {
	s.Outcome, s.Reason, s.Failure = run.Outcome, run.Reason, run.Failure
	s.Transcript, s.TranscriptSHA256 = run.Transcript, run.TranscriptSHA256
	return s
}

// Repetitions are the runs of s: those listed, or the only one, as s itself
// tells it, without what the baseline says.
func (s Scenario) Repetitions() []Repetition {
	if len(s.Runs) > 0 {
		return s.Runs
	}
	only := s.Decided()
	switch s.Outcome {
	case ExpectedFail:
		only.Outcome, only.Reason = Fail, ""
	case UnexpectedPass:
		only.Outcome, only.Reason = Pass, ""
	}
	return []Repetition{only}
}

// Transcripts are the paths of the transcripts of all its runs.
func (s Scenario) Transcripts() []string {
	var list []string
	for _, r := range s.Repetitions() {
		if r.Transcript != "" {
			list = append(list, r.Transcript)
		}
	}
	return list
}

// Decided is what s tells of the run that decided its outcome.
func (s Scenario) Decided() Repetition {
	return Repetition{s.Outcome, s.Reason, s.DurationMs, s.Failure, s.Transcript, s.TranscriptSHA256}
}

// each is s as each of its runs tells it; s itself without any. What a baseline
// says of s it says of its runs.
func (s Scenario) each() []Scenario {
	if len(s.Runs) == 0 {
		return []Scenario{s}
	}
	var list []Scenario
	for _, run := range s.Runs {
		one := s.decidedBy(run)
		switch {
		case one.Outcome == Fail && s.Outcome == ExpectedFail, one.Outcome == Pass && s.Outcome == UnexpectedPass:
			one.Outcome, one.Reason = s.Outcome, s.Reason
		}
		list = append(list, one)
	}
	return list
}

// AllBrokenRules is [Scenario.BrokenRules] over all runs of s, each rule once.
func (s Scenario) AllBrokenRules() []string {
	var all []string
	for _, one := range s.each() {
		for _, id := range one.BrokenRules() {
			if !slices.Contains(all, id) {
				all = append(all, id)
			}
		}
	}
	return all
}

// unsteady tells whether runs were judged differently. One that could not be
// judged, as where the run was ended, says nothing.
func unsteady(runs []Repetition) bool {
	first := slices.IndexFunc(runs, func(r Repetition) bool { return r.Outcome.Judged() })
	return first >= 0 && slices.ContainsFunc(runs, func(r Repetition) bool {
		return r.Outcome.Judged() && r.Outcome != runs[first].Outcome
	})
}

// Tally says how often each outcome came, such as "2 pass, 1 fail".
func (s Scenario) Tally() string {
	n := make(map[Outcome]int)
	for _, r := range s.Runs {
		n[r.Outcome]++
	}
	return tallyWords(n)
}

// checkRuns reports runs that the report's number of repetitions, or the
// outcome of s, does not fit.
func (s Scenario) checkRuns(repeat int, baseline []Known) error {
	switch {
	case len(s.Runs) == 0 && repeat > 1 && (s.Outcome.Judged() || s.Transcript != ""):
		return fmt.Errorf("scenario %s: was run %d times, and none of them is listed", s.ID, repeat)
	case len(s.Runs) > 0 && len(s.Runs) != repeat:
		return fmt.Errorf("scenario %s: lists %d runs, the report says %d", s.ID, len(s.Runs), repeat)
	}
	want := s
	if s.Outcome != NotApplicable {
		want = s.Over(s.Repetitions()).Against(baseline)
	}
	switch {
	case want.Outcome != s.Outcome:
		return fmt.Errorf("scenario %s: outcome is %s, its runs and the baseline say %s", s.ID, s.Outcome, want.Outcome)
	case want.Unsteady != s.Unsteady:
		return fmt.Errorf("scenario %s: unsteady is %t, its runs say %t", s.ID, s.Unsteady, want.Unsteady)
	case want.Transcript != s.Transcript || want.TranscriptSHA256 != s.TranscriptSHA256:
		return fmt.Errorf("scenario %s: names transcript %q, the run that decided it %q", s.ID, s.Transcript, want.Transcript)
	}
	return nil
}

// wellFormed reports what the published schema would refuse in a run.
func (r Repetition) wellFormed() error {
	if r.Outcome == NotApplicable || r.Outcome == ExpectedFail || r.Outcome == UnexpectedPass {
		return fmt.Errorf("%s is no outcome of a run", r.Outcome)
	}
	return Scenario{}.decidedBy(r).wellFormed()
}

// wellFormedRuns is wellFormed of all runs.
func (s Scenario) wellFormedRuns() error {
	var errs []error
	for i, r := range s.Runs {
		if err := r.wellFormed(); err != nil {
			errs = append(errs, fmt.Errorf("run %d: %w", i+1, err))
		}
	}
	return errors.Join(errs...)
}
