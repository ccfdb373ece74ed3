package hookproof

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/reports"
)

// Merge joins the reports of all shards of one run, each a folder or the
// results.json in it, into a report of the whole in the folder out: results,
// transcripts, and what is derived from them. Command is what the report names
// as the command that made it. [Verify] judges the merged report like any other.
//
// A *UsageError says why the folders are not the shards of one run: see
// [reports.Merge]; or that the evidence of one does not bear it out, as [Verify]
// finds.
func Merge(ctx context.Context, out, command string, dirs []string) (reports.Results, error) {
	dirs = slices.Clone(dirs)
	for i, path := range dirs {
		dirs[i] = reports.Folder(path)
	}
	if err := apart(out, dirs); err != nil {
		return reports.Results{}, err
	}
	var shards []reports.Results
	home := map[string]string{} // scenario to folder
	for _, dir := range dirs {
		r, err := reports.Read(filepath.Join(dir, reports.FileName))
		if err != nil {
			return r, usage("%v", err)
		}
		shards = append(shards, r)
		for _, s := range r.Scenarios {
			home[s.ID] = dir
		}
	}
	merged, err := reports.Merge(shards)
	if err != nil {
		return merged, usage("%v", err)
	}
	for _, dir := range dirs {
		if err := borneOut(ctx, dir); err != nil {
			return merged, err
		}
	}
	merged.Command = command
	if merged, err = wholeOf(merged); err != nil {
		return merged, err
	}
	unfinished, err := newRecord(out, merged)
	if err != nil {
		return merged, err
	}
	if err := unfinished.close(); err != nil {
		return merged, err
	}
	for _, s := range merged.Scenarios {
		for _, run := range s.Repetitions() {
			if err := gather(out, home[s.ID], run); err != nil {
				return merged, usage("merge scenario %s: %v", s.ID, err)
			}
		}
	}
	if err := reports.Write(filepath.Join(out, reports.FileName), merged); err != nil {
		return merged, err
	}
	return merged, derive(out, merged)
}

// borneOut refuses a report that says something else than its transcripts.
func borneOut(ctx context.Context, dir string) error {
	v, err := Verify(ctx, dir)
	if err != nil {
		return err
	}
	if n := len(v.Differences); n > 0 {
		return usage("the evidence in %s does not bear out its report, %s; «hookproof verify %s» tells them: %s", dir, differ(n), dir, v.Differences[0])
	}
	return nil
}

func differ(n int) string {
	if n == 1 {
		return "one thing differs"
	}
	return fmt.Sprintf("%d things differ", n)
}

// apart refuses to write the merged report over one that it is made of.
func apart(out string, dirs []string) error {
	at, err := os.Stat(out)
	for _, dir := range dirs {
		if from, err2 := os.Stat(dir); err == nil && err2 == nil && os.SameFile(at, from) {
			return usage("%s is one of the reports to merge; choose another folder with --out", out)
		}
	}
	return nil
}

// wholeOf puts the scenarios and rules of a merged report into the order of the
// plan, and refuses a report that has not exactly the plan's.
func wholeOf(merged reports.Results) (reports.Results, error) {
	catalogue, err := features.Load()
	if err != nil {
		return merged, fmt.Errorf("load the catalogue: %w", err)
	}
	if merged.Suite.Revision != catalogue.Revision {
		return merged, usage("the reports are of revision %s, this suite is of revision %s; merge them with the hookproof that made them (%s)",
			merged.Suite.Revision, catalogue.Revision, merged.Suite.Version)
	}
	plan, err := planOf(merged)
	if err != nil {
		return merged, err
	}
	unfinished := merged.Verdict == reports.Incomplete
	var ordered []reports.Scenario
	for _, p := range plan.Scenarios {
		i := slices.IndexFunc(merged.Scenarios, func(s reports.Scenario) bool { return s.ID == p.ID })
		if i < 0 {
			return merged, usage("merge reports: scenario %s is in none of them; merge the shards with the hookproof that ran them (%s)", p.ID, merged.Suite.Version)
		}
		ordered = append(ordered, merged.Scenarios[i])
	}
	if len(ordered) != len(merged.Scenarios) {
		return merged, usage("merge reports: they have %d scenarios, the whole run has %d; merge the shards with the hookproof that ran them (%s)",
			len(merged.Scenarios), len(ordered), merged.Suite.Version)
	}
	merged.Scenarios = ordered
	if merged.Rules, err = plan.spoken(ordered); err != nil {
		return merged, err
	}
	merged = merged.Derive()
	if unfinished {
		merged.Verdict = reports.Incomplete
	}
	return merged, nil
}

// gather copies the transcript of a run from a shard's folder, if it has one.
func gather(out, from string, run reports.Repetition) error {
	if run.Transcript == "" {
		return nil
	}
	name := filepath.FromSlash(run.Transcript)
	text, err := os.ReadFile(filepath.Join(from, name))
	if err != nil {
		return fmt.Errorf("gather its transcript: %w", err)
	}
	if digest := sha256.Sum256(text); hex.EncodeToString(digest[:]) != run.TranscriptSHA256 {
		return errors.New("its transcript " + filepath.Join(from, name) + " has been altered since the run: its SHA-256 is not the one in the report")
	}
	if err := os.WriteFile(filepath.Join(out, name), text, 0o644); err != nil {
		return fmt.Errorf("gather its transcript: %w", err)
	}
	return nil
}
