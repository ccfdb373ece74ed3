package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/reports"
)

func TestABaselineIsWrittenOnlyOverWhatTheRunUsed(t *testing.T) {
	t.Parallel()
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "baseline.yaml")
	put := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("known: []\n")
	if code, out := run(t, "run", "--role", "receiver", "--baseline", file, "--out", dir); code != reports.ExitConformant {
		t.Fatalf("code %d: %s", code, out)
	}
	if code, out := run(t, "baseline", "write", dir, "--to", file); code != reports.ExitConformant || !strings.Contains(out, "0 known failures") {
		t.Errorf("over the empty baseline of the run: code %d: %s", code, out)
	}
	edited := "known:\n" + entry(the51st, late, "*")
	put(edited)
	code, out := run(t, "baseline", "write", dir, "--to", file)
	if code != reports.ExitUsage || !strings.Contains(out, "with 1 known failure, and it is not as it was when the run used it") {
		t.Errorf("over one that was edited since: code %d: %s", code, out)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != edited {
		t.Errorf("it was written all the same: %s (%v)", text, err)
	}
}

func TestWhichFileABaselineMayReplace(t *testing.T) {
	t.Parallel()
	one := reports.Known{ID: the51st, Reason: "ticket 12", Expires: late, Message: "*", State: reports.Matched}
	two := reports.Known{ID: the60, Reason: "ticket 12", Expires: late, Message: "*", State: reports.Stale}
	used := func(list ...reports.Known) reports.Results {
		return reports.Results{Baseline: list, BaselineSHA256: reports.BaselineDigest(list)}
	}
	older := used(one)
	older.BaselineSHA256 = ""
	first, second := entry(the51st, late, "*"), entry(the60, late, "*")
	for name, c := range map[string]struct {
		there   string
		results reports.Results
		refusal string // none: it may be replaced
	}{
		"the run's":                       {"known:\n" + first + second, used(one, two), ""},
		"the run's, in another order":     {"# mine\nknown:\n" + second + first, used(one, two), ""},
		"the run's, of an older report":   {"known:\n" + first, older, ""},
		"an empty one of the run's":       {"known: []\n", used(), ""},
		"what says the same as the new":   {"known:\n" + first, used(two), ""},
		"one with another reason":         {"known:\n" + strings.Replace(first, "12", "13", 1), used(one, two), "is not as it was"},
		"one with an entry more":          {"known:\n" + first + second, used(one), "with 2 known failures, and it is not as it was"},
		"another than an older report's":  {"known:\n" + second, older, "is not as it was"},
		"an empty one, and the run's not": {"known: []\n", used(one, two), "is not as it was"},
		"one that the run did not use":    {"known:\n" + second, reports.Results{}, "the run did not use it"},
		"no baseline":                     {"a: b\n", used(one), "is no baseline"},
	} {
		path := filepath.Join(t.TempDir(), "b.yaml")
		if err := os.WriteFile(path, []byte(c.there), 0o600); err != nil {
			t.Fatal(err)
		}
		err := mayReplace(path, c.results, []reports.Known{one})
		if (err == nil) != (c.refusal == "") || err != nil && !strings.Contains(err.Error(), c.refusal) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := mayReplace(filepath.Join(t.TempDir(), "none.yaml"), reports.Results{}, nil); err != nil {
		t.Errorf("a file that is not there: %v", err)
	}
}
