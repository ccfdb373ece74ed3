package hookproof

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/steps"
	"github.com/hookproof/hookproof/steps/transcript"
)

// evidence judges the scenarios of one report again.
type evidence struct {
	dir     string
	results reports.Results
	plan    *Plan
	// parts are the runs that the report is of: one, or in a merged report
	// one of each shard; shard tells of a merged report's scenarios which.
	parts []*part
	shard map[string]int
}

// part is one run, and what is known of it.
type part struct {
	reports.Part
	shard string // as a transcript names it
	// first are the transcripts whose headers all others of a receiver (true),
	// or of an emitter, must have.
	first map[bool]*transcript.Transcript
}

func newEvidence(dir string, r reports.Results, plan *Plan) *evidence {
	e := &evidence{dir: dir, results: r, plan: plan}
	if len(r.Shards) == 0 {
		e.parts = []*part{{Part: reports.Part{StartedAt: r.StartedAt, DurationMs: r.DurationMs}, shard: plan.Selection.Shard.String()}}
		return e
	}
	e.shard = deal(plan.Scenarios, len(r.Shards))
	for _, p := range r.Shards {
		e.parts = append(e.parts, &part{Part: p, shard: Shard{p.Index, len(r.Shards)}.String()})
	}
	return e
}

// of is the run that a scenario belongs to.
func (e *evidence) of(id string) *part {
	if at := e.shard[id]; at > 0 {
		return e.parts[at-1]
	}
	return e.parts[0]
}

// rejudge runs one scenario again on the transcripts of its runs, and tells
// what differs.
func (e *evidence) rejudge(ctx context.Context, s reports.Scenario) (reports.Scenario, []string) {
	if s.Outcome == reports.NotApplicable && s.Transcript == "" {
		return s, nil
	}
	i := slices.IndexFunc(e.plan.Scenarios, func(p Planned) bool { return p.ID == s.ID })
	if i < 0 {
		return s, []string{"this suite has no such scenario, or the run had it not"}
	}
	stored := s.Repetitions()
	runs := slices.Clone(stored)
	var found []string
	for n, run := range stored {
		judged, differs := e.judge(ctx, e.plan.Scenarios[i], n+1, run)
		if len(stored) > 1 {
			differs = append(differs, compare(run, judged)...)
			for k, text := range differs {
				differs[k] = fmt.Sprintf("run %d: %s", n+1, text)
			}
		}
		found = append(found, differs...)
		runs[n] = judged
	}
	again := s.Over(runs).Against(e.results.Baseline)
	if again.Outcome != s.Outcome || !cmp.Equal(again.Failure, s.Failure) {
		return again, append(found, compare(s.Decided(), again.Decided())...)
	}
	if again.Reason != s.Reason && s.Outcome.Judged() {
		found = append(found, fmt.Sprintf("the report's reason is %q, its transcript and baseline give %q", s.Reason, again.Reason))
	}
	return again, found
}

// judge runs a scenario again on the transcript of its nth run.
func (e *evidence) judge(ctx context.Context, p Planned, nth int, run reports.Repetition) (reports.Repetition, []string) {
	if run.Transcript == "" {
		if run.Outcome.Judged() {
			return run, []string{fmt.Sprintf("the report says %s, and there is no transcript to show it", run.Outcome)}
		}
		return run, nil
	}
	text, err := os.ReadFile(filepath.Join(e.dir, filepath.FromSlash(run.Transcript)))
	if err != nil {
		return run, []string{fmt.Sprintf("read its transcript: %v", err)}
	}
	var found []string
	if digest := sha256.Sum256(text); hex.EncodeToString(digest[:]) != run.TranscriptSHA256 {
		found = append(found, fmt.Sprintf("transcript %s has been altered since the run: its SHA-256 is not the one in the report", run.Transcript))
	}
	t, err := transcript.Read(bytes.NewReader(text))
	if err != nil {
		return run, append(found, fmt.Sprintf("read transcript %s: %v", run.Transcript, err))
	}
	of := e.of(p.ID)
	found = append(found, e.sameRun(of, t, nth)...)
	found = append(found, plausible(t, of.Part)...)
	ending := steps.Replay(ctx, e.plan.scenario(p.Scenario), t)
	if !regenerated(t, ending.Transcript) {
		found = append(found, fmt.Sprintf("transcript %s names steps or events that its scenario does not make", run.Transcript))
	}
	judged := e.plan.conclude(p.Scenario, ending)
	judged.DurationMs, judged.Transcript, judged.TranscriptSHA256 = run.DurationMs, run.Transcript, run.TranscriptSHA256
	return judged, found
}

// compare tells how what a report says of a run differs from what its evidence
// gives.
func compare(told, judged reports.Repetition) []string {
	switch {
	case judged.Outcome != told.Outcome:
		return []string{fmt.Sprintf("the report says %s, its transcript gives %s%s", told.Outcome, judged.Outcome, why(judged))}
	case !cmp.Equal(judged.Failure, told.Failure):
		return []string{"the report tells another failure than its transcript" + why(judged)}
	}
	return nil
}

// why says in a few words how an outcome came about.
func why(r reports.Repetition) string {
	switch {
	case r.Failure != nil:
		return fmt.Sprintf(" (expected %s, got %s)", r.Failure.Expected, r.Failure.Actual)
	case r.Reason != "":
		return fmt.Sprintf(" (%s)", r.Reason)
	}
	return ""
}

// unevidenced tells whether a run of a scenario could not run, or ended in an
// error of the suite, and left no transcript.
func unevidenced(s reports.Scenario) bool {
	return slices.ContainsFunc(s.Repetitions(), func(r reports.Repetition) bool {
		return r.Transcript == "" && (r.Outcome == reports.CouldNotRun || r.Outcome == reports.Error)
	})
}
