package hookproof

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/steps"
	"github.com/hookproof/hookproof/steps/transcript"
)

// A Difference is something that a report says and its evidence does not
// bear out.
type Difference struct {
	// Scenario is the scenario's id; empty when it is about the whole report.
	Scenario string
	Text     string
}

func (d Difference) String() string {
	if d.Scenario == "" {
		return d.Text
	}
	return d.Scenario + ": " + d.Text
}

// Verify judges a stored report again: it runs the steps of every scenario
// on its transcript, without any target and without the network, and returns
// what differs from results.json. Without differences, the evidence bears
// out the report. An error says that the folder holds no report that could
// be judged.
func Verify(ctx context.Context, dir string) (reports.Results, []Difference, error) {
	stored, err := reports.Read(filepath.Join(dir, reports.FileName))
	if err != nil {
		return stored, nil, err
	}
	catalogue, err := features.Load()
	if err != nil {
		return stored, nil, fmt.Errorf("load the catalogue: %w", err)
	}
	if stored.Suite.Revision != catalogue.Revision {
		return stored, nil, usage("the report is of revision %s, this suite judges by revision %s; verify it with the hookproof that made it (%s)",
			stored.Suite.Revision, catalogue.Revision, stored.Suite.Version)
	}
	all, err := features.Scenarios(catalogue, features.FS)
	if err != nil {
		return stored, nil, fmt.Errorf("read the features: %w", err)
	}
	plan := &Plan{Catalogue: catalogue, all: all}
	var found []Difference
	again := stored
	again.Scenarios = slices.Clone(stored.Scenarios)
	for i, s := range stored.Scenarios {
		if ctx.Err() != nil {
			return stored, found, context.Cause(ctx)
		}
		judged, differences := plan.rejudge(ctx, dir, s)
		found = append(found, differences...)
		again.Scenarios[i] = judged
	}
	again = again.Derive()
	if verdict := reports.VerdictOf(again); verdict != stored.Verdict {
		found = append(found, Difference{Text: fmt.Sprintf("the report's verdict is %s, its evidence gives %s", stored.Verdict, verdict)})
	}
	return stored, found, nil
}

// rejudge runs one scenario again on its transcript.
func (p *Plan) rejudge(ctx context.Context, dir string, s reports.Scenario) (reports.Scenario, []Difference) {
	differ := func(format string, args ...any) Difference {
		return Difference{s.ID, fmt.Sprintf(format, args...)}
	}
	if s.Transcript == "" {
		switch s.Outcome {
		case reports.NotApplicable, reports.CouldNotRun, reports.Error:
			return s, nil // nothing was observed, and nothing is claimed of it
		}
		return s, []Difference{differ("the report says %s, and there is no transcript to show it", s.Outcome)}
	}
	i := slices.IndexFunc(p.all, func(x features.Scenario) bool { return x.ID == s.ID })
	if i < 0 {
		return s, []Difference{differ("this suite has no such scenario")}
	}
	var found []Difference
	if !slices.Equal(p.all[i].Rules, s.Rules) {
		found = append(found, differ("the report says that it judges %v, it judges %v", s.Rules, p.all[i].Rules))
	}
	file := filepath.Join(dir, filepath.FromSlash(s.Transcript))
	text, err := os.ReadFile(file)
	if err != nil {
		return s, []Difference{differ("read its transcript: %v", err)}
	}
	if digest := sha256.Sum256(text); hex.EncodeToString(digest[:]) != s.TranscriptSHA256 {
		found = append(found, differ("transcript %s has been altered since the run: its SHA-256 is not the one in the report", s.Transcript))
	}
	t, err := transcript.ReadFile(file)
	if err != nil {
		return s, append(found, differ("%v", err))
	}
	judged := s
	judged.Failure = nil
	p.conclude(&judged, p.all[i], steps.Replay(ctx, p.scenario(p.all[i]), t))
	if judged.Outcome != s.Outcome {
		found = append(found, differ("the report says %s, its transcript gives %s%s", s.Outcome, judged.Outcome, why(judged)))
	} else if judged.Failure != nil && !slices.Equal(judged.BrokenRules(), s.BrokenRules()) {
		found = append(found, differ("the report says that %v was broken, its transcript shows %v%s", s.BrokenRules(), judged.BrokenRules(), why(judged)))
	}
	return judged, found
}

// why says in a few words how an outcome came about.
func why(s reports.Scenario) string {
	switch {
	case s.Failure != nil:
		return fmt.Sprintf(" (expected %s, got %s)", s.Failure.Expected, s.Failure.Actual)
	case s.Reason != "":
		return fmt.Sprintf(" (%s)", s.Reason)
	}
	return ""
}
