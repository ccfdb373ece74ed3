package hookproof_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets/embedded"
)

func TestNoVerdictOutlastsTheBeginningOfAnotherRun(t *testing.T) {
	t.Parallel()
	dir := reportOf(t)
	// What cannot be removed ends the run at the moment at which one might be killed.
	page := filepath.Join(dir, reports.HTMLName)
	if err := errors.Join(os.Remove(page), os.MkdirAll(filepath.Join(page, "mine"), 0o755)); err != nil {
		t.Fatal(err)
	}
	err := brief(t, dir)
	if usage := (&hookproof.UsageError{}); !errors.As(err, &usage) {
		t.Errorf("the run ended with %v", err)
	}
	if r, err := reports.Read(filepath.Join(dir, reports.FileName)); err != nil || r.Verdict != reports.Incomplete {
		t.Errorf("its report says %s, %v", r.Verdict, err)
	}
}

func TestAFolderIsTakenForReportsUnlessItHasSomebodyElsesTranscripts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files   []string
		refused bool
	}{
		"nothing":                           {nil, false},
		"empty transcripts":                 {[]string{"transcripts/"}, false},
		"a report that was half written":    {[]string{".results.json.123"}, false},
		"both":                              {[]string{"transcripts/", ".results.json.123"}, false},
		"something else":                    {[]string{"mine.txt"}, false},
		"something else beside transcripts": {[]string{"mine.txt", "transcripts/"}, true},
		"transcripts of somebody":           {[]string{"transcripts/mine.txt"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, file := range c.files {
				err := os.MkdirAll(filepath.Join(dir, filepath.Dir(file+"x")), 0o755)
				if filepath.Base(file) != "transcripts" {
					err = errors.Join(err, os.WriteFile(filepath.Join(dir, file), nil, 0o600))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			err := brief(t, dir)
			if usage := (&hookproof.UsageError{}); errors.As(err, &usage) != c.refused || !c.refused && err != nil {
				t.Errorf("got %v", err)
			}
			if _, err := os.Stat(filepath.Join(dir, "mine.txt")); len(c.files) > 0 && c.files[0] == "mine.txt" && err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(filepath.Join(dir, ".results.json.123")); err == nil {
				t.Error("what was half written is still there")
			}
		})
	}
}

// brief is a run of a single rule that reports to a folder.
func brief(t *testing.T, dir string) error {
	t.Helper()
	_, err := hookproof.Execute(t.Context(), embedded.New(embedded.Options{}), hookproof.Report(dir), hookproof.Wait(hookproof.Impatient()),
		hookproof.Select(hookproof.Selection{Rules: []string{"SUB-LIMIT-051"}}))
	return err
}
