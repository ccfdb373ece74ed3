package hookproof

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/steps"
	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets"
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

// Verification is what judging a stored report again has shown.
type Verification struct {
	Results     reports.Results
	Differences []Difference
	// Unevidenced are the scenarios that the report says could not run, or
	// ended in an error of the suite, and of which there is no transcript:
	// they are neither borne out nor refuted.
	Unevidenced []string
}

// Verify judges a stored report again. It plans the run anew from what the
// report says of the target and of the selection, runs the steps of every
// scenario on its transcript, without any target and without the network,
// and finds what differs from results.json: outcomes, scenarios and rules
// that are missing or altered, transcripts that are of another run, that were
// changed, or that nobody names. What it cannot find is a report that was
// forged as a whole, consistently; against that only a signature helps.
//
// An error says that the folder holds no report that this suite could judge.
func Verify(ctx context.Context, dir string) (Verification, error) {
	v := Verification{}
	stored, err := reports.Read(filepath.Join(dir, reports.FileName))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, reports.ErrSchema):
		return v, usage("%s holds no report: %v", dir, err)
	case err != nil:
		v.Differences = []Difference{{Text: fmt.Sprintf("the report contradicts itself, or is no report: %v", err)}}
		return v, nil
	}
	v.Results = stored
	catalogue, err := features.Load()
	if err != nil {
		return v, fmt.Errorf("load the catalogue: %w", err)
	}
	if stored.Suite.Revision != catalogue.Revision {
		return v, usage("the report is of revision %s, this suite judges by revision %s; verify it with the hookproof that made it (%s)",
			stored.Suite.Revision, catalogue.Revision, stored.Suite.Version)
	}
	plan, err := planOf(stored)
	if err != nil {
		return v, err
	}
	v.comparePlan(plan)
	e := &evidence{dir: dir, results: stored, plan: plan}
	again := stored
	again.Scenarios = slices.Clone(stored.Scenarios)
	for i, s := range stored.Scenarios {
		if ctx.Err() != nil {
			return v, context.Cause(ctx)
		}
		judged, found := e.rejudge(ctx, s)
		for _, text := range found {
			v.Differences = append(v.Differences, Difference{s.ID, text})
		}
		if s.Transcript == "" && (s.Outcome == reports.CouldNotRun || s.Outcome == reports.Error) {
			v.Unevidenced = append(v.Unevidenced, s.ID)
		}
		again.Scenarios[i] = judged
	}
	if verdict := reports.VerdictOf(again); verdict != stored.Verdict {
		v.differ("the report's verdict is %s, its evidence gives %s", stored.Verdict, verdict)
	}
	v.compareFiles(dir)
	return v, nil
}

func (v *Verification) differ(format string, args ...any) {
	v.Differences = append(v.Differences, Difference{Text: fmt.Sprintf(format, args...)})
}

// planOf plans the run of a report again.
func planOf(r reports.Results) (*Plan, error) {
	info := targets.Info{Role: targets.Role(r.Target.Role), Kind: r.Target.Kind, Name: r.Target.Name}
	for _, c := range r.Target.Capabilities {
		info.Claims = append(info.Claims, targets.Capability(c))
	}
	plan, err := NewPlan(info, Selection{Role: r.Target.Role, Profiles: r.Selection.Profiles, Rules: r.Selection.Rules, Scenarios: r.Selection.Scenarios})
	if err != nil {
		return nil, fmt.Errorf("plan the run of the report again: %w", err)
	}
	return plan, nil
}

// comparePlan compares the scenarios and the rules that a report has with
// those that its run must have had.
func (v *Verification) comparePlan(plan *Plan) {
	for _, p := range plan.Scenarios {
		i := slices.IndexFunc(v.Results.Scenarios, func(s reports.Scenario) bool { return s.ID == p.ID })
		if i < 0 {
			v.Differences = append(v.Differences, Difference{p.ID, "the run had this scenario, and the report leaves it out"})
			continue
		}
		s, want := v.Results.Scenarios[i], planned(p, nil)
		if s.Name != want.Name || s.File != want.File || s.Line != want.Line || !slices.Equal(s.Rules, want.Rules) {
			v.Differences = append(v.Differences, Difference{p.ID, fmt.Sprintf("the report describes it as %q at %s:%d, judging %v; it is %q at %s:%d, judging %v",
				s.Name, s.File, s.Line, s.Rules, want.Name, want.File, want.Line, want.Rules)})
		}
		if (s.Outcome == reports.NotApplicable) != (p.NotApplicable != "") {
			v.Differences = append(v.Differences, Difference{p.ID, fmt.Sprintf("the report says %s; by what the target claims, it is %s", s.Outcome, applicability(p))})
		}
	}
	if len(v.Results.Scenarios) > len(plan.Scenarios) {
		v.differ("the report has %d scenarios, its run had %d", len(v.Results.Scenarios), len(plan.Scenarios))
	}
	rules, err := plan.rules()
	if err != nil {
		v.differ("%v", err)
		return
	}
	plain := func(list []reports.Rule) []reports.Rule {
		out := slices.Clone(list)
		for i := range out {
			out[i].Outcome, out[i].Scenarios, out[i].Reason = "", nil, ""
		}
		return out
	}
	if diff := cmp.Diff(plain(rules), plain(v.Results.Rules)); diff != "" {
		v.differ("the report's rules are not those of the catalogue (- catalogue, + report):\n%s", diff)
	}
}

func applicability(p Planned) string {
	if p.NotApplicable == "" {
		return "applicable"
	}
	return "not applicable"
}

// compareFiles finds transcripts that no scenario names, and a JUnit report
// that does not follow from the results.
func (v *Verification) compareFiles(dir string) {
	files, err := os.ReadDir(filepath.Join(dir, transcriptDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		v.differ("read the transcripts: %v", err)
	}
	for _, f := range files {
		name := transcriptDir + "/" + f.Name()
		if !slices.ContainsFunc(v.Results.Scenarios, func(s reports.Scenario) bool { return s.Transcript == name }) {
			v.differ("no scenario of the report names the transcript %s", name)
		}
	}
	stored, err := os.ReadFile(filepath.Join(dir, reports.JUnitName))
	if err != nil {
		return // a report may be handed on without what is derived from it
	}
	var derived bytes.Buffer
	if err := reports.WriteJUnit(&derived, v.Results); err != nil {
		v.differ("derive %s: %v", reports.JUnitName, err)
	} else if !bytes.Equal(stored, derived.Bytes()) {
		v.differ("%s does not follow from %s", reports.JUnitName, reports.FileName)
	}
}

// evidence judges the scenarios of one report again.
type evidence struct {
	dir     string
	results reports.Results
	plan    *Plan
	first   *transcript.Transcript // whose header all others must have
}

// rejudge runs one scenario again on its transcript, and tells what differs.
func (e *evidence) rejudge(ctx context.Context, s reports.Scenario) (reports.Scenario, []string) {
	if s.Transcript == "" {
		switch s.Outcome {
		case reports.NotApplicable, reports.CouldNotRun, reports.Error:
			return s, nil
		}
		return s, []string{fmt.Sprintf("the report says %s, and there is no transcript to show it", s.Outcome)}
	}
	i := slices.IndexFunc(e.plan.Scenarios, func(p Planned) bool { return p.ID == s.ID })
	if i < 0 {
		return s, []string{"this suite has no such scenario, or the run had it not"}
	}
	text, err := os.ReadFile(filepath.Join(e.dir, filepath.FromSlash(s.Transcript)))
	if err != nil {
		return s, []string{fmt.Sprintf("read its transcript: %v", err)}
	}
	var found []string
	if digest := sha256.Sum256(text); hex.EncodeToString(digest[:]) != s.TranscriptSHA256 {
		found = append(found, fmt.Sprintf("transcript %s has been altered since the run: its SHA-256 is not the one in the report", s.Transcript))
	}
	t, err := transcript.Read(bytes.NewReader(text))
	if err != nil {
		return s, append(found, fmt.Sprintf("read transcript %s: %v", s.Transcript, err))
	}
	found = append(found, e.sameRun(t)...)
	found = append(found, plausible(t, e.results)...)
	scenario := e.plan.Scenarios[i].Scenario
	ending := steps.Replay(ctx, e.plan.scenario(scenario), t)
	if !regenerated(t, ending.Transcript) {
		found = append(found, fmt.Sprintf("transcript %s names steps or events that its scenario does not make", s.Transcript))
	}
	judged := s
	judged.Failure = nil
	e.plan.conclude(&judged, scenario, ending)
	switch {
	case judged.Outcome != s.Outcome:
		found = append(found, fmt.Sprintf("the report says %s, its transcript gives %s%s", s.Outcome, judged.Outcome, why(judged)))
	case !cmp.Equal(judged.Failure, s.Failure):
		found = append(found, "the report tells another failure than its transcript"+why(judged))
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
