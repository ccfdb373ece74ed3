package hookproof

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/reports"
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

// Verify judges a stored report again, that of a folder, or of the results.json
// in it. It plans the run anew from what the
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
	dir = reports.Folder(dir)
	stored, err := reports.Read(filepath.Join(dir, reports.FileName))
	switch {
	case errors.Is(err, reports.ErrNoReport):
		return v, usage("%v", err)
	case err != nil:
		v.Differences = []Difference{{Text: fmt.Sprintf("the report contradicts itself: %v", err)}}
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
	v.compareParts()
	e := newEvidence(dir, stored, plan)
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
		if unevidenced(s) {
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

// Contradictions finds what in a report cannot be of the run that it names,
// without a look at its evidence: scenarios and rules that the run must have
// had and that are missing, altered, or too many. Of a report of another
// revision nothing is known.
func Contradictions(r reports.Results) ([]Difference, error) {
	catalogue, err := features.Load()
	if err != nil {
		return nil, fmt.Errorf("load the catalogue: %w", err)
	}
	if r.Suite.Revision != catalogue.Revision {
		return nil, nil
	}
	plan, err := planOf(r)
	if err != nil {
		return nil, err
	}
	v := Verification{Results: r}
	v.comparePlan(plan)
	return v.Differences, nil
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
	selection := Selection{
		Role: r.Target.Role, Profiles: r.Selection.Profiles, Levels: r.Selection.Levels, Rules: r.Selection.Rules, Scenarios: r.Selection.Scenarios,
	}
	if shard := r.Selection.Shard; shard != nil {
		selection.Shard = Shard{Index: shard.Index, Count: shard.Count}
	}
	plan, err := NewPlan(info, selection)
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
		if !s.Unfinished() && (s.Outcome == reports.NotApplicable) != (p.NotApplicable != "") {
			v.Differences = append(v.Differences, Difference{p.ID, fmt.Sprintf("the report says %s; by what the target claims, it is %s", s.Outcome, applicability(p))})
		}
	}
	if len(v.Results.Scenarios) > len(plan.Scenarios) {
		v.differ("the report has %d scenarios, its run had %d", len(v.Results.Scenarios), len(plan.Scenarios))
	}
	v.compareBaseline(plan)
	rules, err := plan.spoken(v.Results.Scenarios)
	if err != nil {
		v.differ("%v", err)
		return
	}
	plain := func(list []reports.Rule) []reports.Rule {
		out := slices.Clone(list)
		for i := range out {
			out[i].Outcome, out[i].Scenarios, out[i].Reason = "", nil, ""
		}
		slices.SortFunc(out, func(a, b reports.Rule) int { return strings.Compare(a.ID, b.ID) })
		return out
	}
	if diff := cmp.Diff(plain(rules), plain(v.Results.Rules)); diff != "" {
		v.differ("the report's rules are not those of the catalogue (- catalogue, + report):\n%s", diff)
		return
	}
	for _, rule := range rules { // those that no scenario judges say why
		i := slices.IndexFunc(v.Results.Rules, func(r reports.Rule) bool { return r.ID == rule.ID })
		if told := v.Results.Rules[i]; told.Outcome == reports.NotObserved && told.Reason != rule.Reason {
			v.differ("the report says of rule %s %q; it is not observed because: %s", rule.ID, told.Reason, rule.Reason)
		}
	}
}

// compareBaseline finds entries of the baseline that are said to be of no
// scenario of the suite, or only of none of this run, and are not. What became
// of the others follows from the report's scenarios.
func (v *Verification) compareBaseline(plan *Plan) {
	for _, k := range v.Results.Baseline {
		ran := slices.ContainsFunc(v.Results.Scenarios, func(s reports.Scenario) bool { return s.ID == k.ID })
		if !ran && plan.exists(k.ID) != (k.State == reports.Open) {
			v.Differences = append(v.Differences, Difference{k.ID, fmt.Sprintf("the report says that its entry in the baseline is %s; that the suite has such a scenario is %t", k.State, plan.exists(k.ID))})
		}
	}
}

// compareParts finds shards that are not of one run: it lasts from the first to
// the last of them.
func (v *Verification) compareParts() {
	if len(v.Results.Shards) == 0 {
		return
	}
	from, to := v.Results.StartedAt, v.Results.StartedAt.Add(time.Duration(v.Results.DurationMs)*time.Millisecond)
	for i, p := range v.Results.Shards {
		if end := p.StartedAt.Add(time.Duration(p.DurationMs) * time.Millisecond); p.Index != i+1 || p.StartedAt.Before(from) || end.After(to.Add(time.Millisecond)) {
			v.differ("shard %d of %d ran from %s to %s, which is not within the run", p.Index, len(v.Results.Shards), p.StartedAt.Format(time.RFC3339), end.Format(time.RFC3339))
		}
	}
}

func applicability(p Planned) string {
	if p.NotApplicable == "" {
		return "applicable"
	}
	return "not applicable"
}

// begun tells whether a transcript is of a scenario that the run ended before:
// a process that is killed has written it, and not yet the outcome.
func (v *Verification) begun(name string) bool {
	return slices.ContainsFunc(v.Results.Scenarios, func(s reports.Scenario) bool {
		if !s.Unfinished() {
			return false
		}
		for nth := range max(v.Results.Repeat, 1) {
			if name == transcriptName(s.ID, nth+1) {
				return true
			}
		}
		return false
	})
}

// compareFiles finds transcripts that no scenario names, and derived reports
// that do not follow from the results. A report may be handed on without them.
func (v *Verification) compareFiles(dir string) {
	files, err := os.ReadDir(filepath.Join(dir, transcriptDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		v.differ("read the transcripts: %v", err)
	}
	for _, f := range files {
		name := transcriptDir + "/" + f.Name()
		if v.begun(name) {
			continue
		}
		if !slices.ContainsFunc(v.Results.Scenarios, func(s reports.Scenario) bool { return slices.Contains(s.Transcripts(), name) }) {
			v.differ("no scenario of the report names the transcript %s", name)
		}
	}
	altered, err := reports.Altered(dir, v.Results)
	if err != nil {
		v.differ("%v", err)
	}
	for _, name := range altered {
		v.differ("%s does not follow from %s, as hookproof %s derives it; the report was made by %s", name, reports.FileName, Version(), v.Results.Suite.Version)
	}
}
