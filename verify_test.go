package hookproof_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets/embedded"
)

// forger alters a stored report the way somebody would who knows the format:
// totals, digests and derived reports are made to fit again.
type forger struct {
	t   *testing.T
	dir string
	r   reports.Results
}

// forge copies a report, lets alter change it, and gives what Verify finds.
func forge(t *testing.T, from string, alter func(*forger)) hookproof.Verification {
	t.Helper()
	f := &forger{t: t, dir: t.TempDir()}
	if err := os.CopyFS(f.dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	var err error
	if f.r, err = reports.Read(filepath.Join(f.dir, reports.FileName)); err != nil {
		t.Fatal(err)
	}
	f.r.Scenarios, f.r.Rules = slices.Clone(f.r.Scenarios), slices.Clone(f.r.Rules)
	alter(f)
	f.r = f.r.Derive()
	if err := reports.Write(filepath.Join(f.dir, reports.FileName), f.r); err != nil {
		t.Fatal(err)
	}
	if err := reports.WriteAll(f.dir, f.r); err != nil {
		t.Fatal(err)
	}
	v, err := hookproof.Verify(t.Context(), f.dir)
	if err != nil {
		v.Differences = append(v.Differences, hookproof.Difference{Text: err.Error()})
	}
	return v
}

// with is the first scenario with that outcome.
func (f *forger) with(o reports.Outcome) *reports.Scenario {
	f.t.Helper()
	for i := range f.r.Scenarios {
		if f.r.Scenarios[i].Outcome == o {
			return &f.r.Scenarios[i]
		}
	}
	f.t.Fatalf("no scenario is %s", o)
	return nil
}

// rewrite alters a transcript, and the digest in the report.
func (f *forger) rewrite(s *reports.Scenario, alter func(*transcript.Transcript)) {
	f.t.Helper()
	file := filepath.Join(f.dir, s.Transcript)
	tr, err := transcript.ReadFile(file)
	if err != nil {
		f.t.Fatal(err)
	}
	alter(tr)
	var text bytes.Buffer
	if err := tr.Write(&text); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		f.t.Fatal(err)
	}
	digest := sha256.Sum256(text.Bytes())
	s.TranscriptSHA256 = hex.EncodeToString(digest[:])
}

func (f *forger) forget(s *reports.Scenario, o reports.Outcome) {
	if err := os.Remove(filepath.Join(f.dir, s.Transcript)); err != nil {
		f.t.Fatal(err)
	}
	s.Outcome, s.Reason, s.Failure, s.Transcript, s.TranscriptSHA256 = o, "so it says", nil, "", ""
}

func reportOf(t *testing.T, faults ...string) string {
	t.Helper()
	dir := t.TempDir()
	_, err := hookproof.Execute(t.Context(), embedded.New(embedded.Options{Faults: faults}),
		hookproof.Select(hookproof.Selection{Profiles: []string{"limits"}, Rules: []string{"SUB-LIMIT-051", "SUB-LIMIT-050", "SUB-LIMIT-010A"}}),
		hookproof.Report(dir), hookproof.Wait(hookproof.Impatient()))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAForgedReportIsFoundOut(t *testing.T) {
	t.Parallel()
	broken, other := reportOf(t, "limit-51"), reportOf(t)
	if v := forge(t, broken, func(*forger) {}); len(v.Differences)+len(v.Unevidenced) > 0 {
		t.Fatalf("an unaltered report is not borne out: %v", v.Differences)
	}
	for name, c := range map[string]struct {
		alter func(*forger)
		want  string
	}{
		"failures become passes": {func(f *forger) {
			s := f.with(reports.Fail)
			s.Outcome, s.Failure = reports.Pass, nil
		}, "its transcript gives fail"},
		"failures are left out": {func(f *forger) {
			f.r.Scenarios = slices.DeleteFunc(f.r.Scenarios, func(s reports.Scenario) bool { return s.Outcome == reports.Fail })
		}, "the report leaves it out"},
		"rules are left out": {func(f *forger) {
			f.r.Scenarios = slices.DeleteFunc(f.r.Scenarios, func(s reports.Scenario) bool { return s.Rules[0] == "SUB-LIMIT-051" })
			f.r.Rules = slices.DeleteFunc(f.r.Rules, func(r reports.Rule) bool { return r.ID == "SUB-LIMIT-051" })
		}, "rules are not those of the catalogue"},
		"failures become not applicable": {func(f *forger) { f.forget(f.with(reports.Fail), reports.NotApplicable) }, "it is applicable"},
		"a transcript is gone": {func(f *forger) {
			if err := os.Remove(filepath.Join(f.dir, f.with(reports.Pass).Transcript)); err != nil {
				f.t.Fatal(err)
			}
		}, "read its transcript"},
		"a transcript of another run": {func(f *forger) {
			s := f.with(reports.Fail)
			text, err := os.ReadFile(filepath.Join(other, s.Transcript))
			if err != nil {
				f.t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(f.dir, s.Transcript), text, 0o600); err != nil {
				f.t.Fatal(err)
			}
			digest := sha256.Sum256(text)
			s.TranscriptSHA256, s.Outcome, s.Failure = hex.EncodeToString(digest[:]), reports.Pass, nil
		}, "is of a run with seed"},
		"a transcript of another scenario": {func(f *forger) {
			a, b := f.with(reports.Pass), f.with(reports.Fail)
			b.Transcript, b.TranscriptSHA256, b.Outcome, b.Failure = a.Transcript, a.TranscriptSHA256, reports.Pass, nil
		}, "the transcript is of scenario"},
		"a transcript nobody names": {func(f *forger) {
			if err := os.WriteFile(filepath.Join(f.dir, "transcripts", "more.json"), []byte("{}"), 0o600); err != nil {
				f.t.Fatal(err)
			}
		}, "no scenario of the report names"},
		"a status": {func(f *forger) {
			s := f.with(reports.Fail)
			f.rewrite(s, func(tr *transcript.Transcript) {
				for _, e := range tr.Entries {
					if e.Exchange != nil && e.Exchange.Response != nil && e.Exchange.Response.Status == 201 {
						e.Exchange.Response.Status = 403
					}
				}
			})
		}, "its transcript gives"},
		"times of another year": {func(f *forger) {
			f.rewrite(f.with(reports.Pass), func(tr *transcript.Transcript) {
				for i := range tr.Entries {
					tr.Entries[i].At = tr.Entries[i].At.AddDate(-1, 0, 0)
				}
			})
		}, "not plausible"},
		"a step": {func(f *forger) {
			f.rewrite(f.with(reports.Pass), func(tr *transcript.Transcript) {
				i := slices.IndexFunc(tr.Entries, func(e transcript.Entry) bool { return e.Step != "" })
				tr.Entries[i].Step = "all is well"
			})
		}, "names steps or events"},
		"the table of a step": {func(f *forger) {
			f.rewrite(f.with(reports.Pass), func(tr *transcript.Transcript) {
				i := slices.IndexFunc(tr.Entries, func(e transcript.Entry) bool { return e.Step != "" })
				tr.Entries[i].Table = append(tr.Entries[i].Table, []string{"name", "well"})
			})
		}, "names steps or events"},
		"an entry is gone": {func(f *forger) {
			f.rewrite(f.with(reports.Pass), func(tr *transcript.Transcript) { tr.Entries = tr.Entries[:len(tr.Entries)/2] })
		}, "its transcript gives error"},
		"the claims":              {func(f *forger) { f.r.Target.Capabilities = f.r.Target.Capabilities[:1] }, "of a target that claims"},
		"the seed":                {func(f *forger) { f.r.Seed++ }, "is of a run with seed"},
		"the selection":           {func(f *forger) { f.r.Selection.Rules = f.r.Selection.Rules[1:] }, "its run had"},
		"a level":                 {func(f *forger) { f.r.Rules[0].Level = "MAY" }, "rules are not those of the catalogue"},
		"a statement":             {func(f *forger) { f.r.Rules[0].Statement = "Anything goes." }, "rules are not those of the catalogue"},
		"a scenario's name":       {func(f *forger) { f.with(reports.Pass).Name = "Something else" }, "the report describes it as"},
		"what a failure says":     {func(f *forger) { f.with(reports.Fail).Failure = &reports.Failure{Expected: "x", Actual: "y"} }, "another failure"},
		"when the run took place": {func(f *forger) { f.r.StartedAt = f.r.StartedAt.Add(-24 * time.Hour) }, "not plausible"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := forge(t, broken, c.alter)
			if !slices.ContainsFunc(v.Differences, func(d hookproof.Difference) bool { return strings.Contains(d.String(), c.want) }) {
				t.Errorf("want a difference with %q, got %v", c.want, v.Differences)
			}
		})
	}
}

func TestScenariosWithoutEvidenceAreNamed(t *testing.T) {
	t.Parallel()
	var id string
	v := forge(t, reportOf(t, "limit-51"), func(f *forger) {
		s := f.with(reports.Fail)
		id = s.ID
		f.forget(s, reports.CouldNotRun)
	})
	if !slices.Contains(v.Unevidenced, id) {
		t.Errorf("unevidenced are %v", v.Unevidenced)
	}
}

func TestAReportThatContradictsItselfDiffers(t *testing.T) {
	t.Parallel()
	dir := reportOf(t)
	file := filepath.Join(dir, reports.FileName)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte(`"outcome": "pass"`), []byte(`"outcome": "warn"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := hookproof.Verify(t.Context(), dir)
	if err != nil || len(v.Differences) != 1 {
		t.Errorf("got %v, %v", v.Differences, err)
	}
}

func TestChangedDerivedReportsDiffer(t *testing.T) {
	t.Parallel()
	dir := reportOf(t, "limit-51")
	// On each of these something that is broken reads as if it were not.
	for name, c := range map[string]struct{ from, to string }{
		reports.JUnitName:     {"failure", "skipped"},
		reports.HTMLName:      {"broken", "kept"},
		reports.MarkdownName:  {"broken", "kept"},
		reports.CTRFName:      {"failed", "passed"},
		reports.CucumberName:  {"FAILED", "PASSED"},
		reports.TAPName:       {"not ok", "ok"},
		reports.BadgeJSONName: {"non-conformant", "conformant"},
		reports.BadgeSVGName:  {"non-conformant", "conformant"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := t.TempDir()
			if err := os.CopyFS(changed, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(changed, name)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			better := bytes.ReplaceAll(text, []byte(c.from), []byte(c.to))
			if bytes.Equal(text, better) {
				t.Fatalf("nothing in %s reads %q", name, c.from)
			}
			if err := os.WriteFile(file, better, 0o600); err != nil {
				t.Fatal(err)
			}
			v, err := hookproof.Verify(t.Context(), changed)
			if err != nil || len(v.Differences) != 1 || !strings.Contains(v.Differences[0].Text, name+" does not follow") {
				t.Errorf("got %v, %v", v.Differences, err)
			}
		})
	}
}

func TestARunThatBeginsRemovesTheReportsOfTheLast(t *testing.T) {
	t.Parallel()
	dir := reportOf(t)
	var there []string
	_, err := hookproof.Execute(t.Context(), embedded.New(embedded.Options{}), hookproof.Report(dir), hookproof.Wait(hookproof.Impatient()),
		hookproof.Select(hookproof.Selection{Rules: []string{"SUB-LIMIT-051"}}),
		hookproof.Observe(func(reports.Results) {
			files, err := os.ReadDir(dir)
			if err != nil {
				t.Error(err)
			}
			for _, f := range files {
				there = append(there, f.Name())
			}
		}, func(reports.Scenario) {}))
	if want := []string{reports.FileName, "transcripts"}; err != nil || !slices.Equal(there, want) {
		t.Errorf("when it begins there are %v, want %v (%v)", there, want, err)
	}
}
