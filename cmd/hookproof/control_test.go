package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hookproof/hookproof/reports"
)

// known is a baseline in a file of its own.
func known(t *testing.T, entries ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "baseline.yaml")
	if err := os.WriteFile(path, []byte("known:\n"+strings.Join(entries, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func entry(id, expires, message string) string {
	return fmt.Sprintf("  - {id: %s, reason: ticket 12, expires: %s, message: '%s'}\n", id, expires, message)
}

const (
	the51st = "limits/a-51st-subscription-is-refused"
	the60   = "limits/of-60-subscriptions-requested-side-by-side-10-are-refused"

	// ofTheLimit are scenarios of one rule.
	ofTheLimit = the51st + "," + the60
	late       = "2999-12-31"
)

func TestABaselineAcceptsWhatItListsAndRotsLoudly(t *testing.T) {
	t.Parallel()
	first, second := entry(the51st, late, "the answer is 403: expected status 403 *, got status 201 *"), entry(the60, late, "*")
	for name, c := range map[string]struct {
		fault   bool
		entries []string
		code    int
		want    string
	}{
		"failures as listed":        {true, []string{first, second}, reports.ExitConformant, "Nothing is worse than the baseline"},
		"one is not listed":         {true, []string{first}, reports.ExitNonConformant, "FAIL  " + the60},
		"one fails otherwise":       {true, []string{entry(the51st, late, "the answer is 403: *, got status 500*"), second}, reports.ExitNonConformant, "not as the baseline lists"},
		"one has expired":           {true, []string{entry(the51st, "2020-01-31", "*"), second}, reports.ExitBaseline, "accepted until 2020-01-31"},
		"one passes":                {false, []string{first}, reports.ExitBaseline, "does not fail any more"},
		"one is of no scenario":     {true, []string{first, second, entry("limits/no-such", late, "*")}, reports.ExitBaseline, "no such scenario"},
		"one is not selected":       {true, []string{first, second, entry("limits/the-refusal-of-a-51st-subscription-says-why", late, "*")}, reports.ExitConformant, "Nothing is worse than the baseline"},
		"an entry without an end":   {true, []string{"  - {id: a/b, reason: r, message: m}\n"}, reports.ExitUsage, "baseline.yaml:2: the entry of \"a/b\" has no expires"},
		"an entry that is misspelt": {true, []string{"  - {id: a/b, reason: r, message: m, expires: 2999-12-31, untill: x}\n"}, reports.ExitUsage, `has no member "untill"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			args := []string{"run", "--scenario", ofTheLimit, "--baseline", known(t, c.entries...), "--out", dir}
			if c.fault {
				args = append(args, "--fault", "limit-51")
			}
			code, out := run(t, args...)
			if code != c.code || !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(c.want), " ")) {
				t.Errorf("code %d, want %d and %q: %s", code, c.code, c.want, out)
			}
			if c.code == reports.ExitUsage {
				return
			}
			if code, out := run(t, "verify", dir); code != reports.ExitConformant {
				t.Errorf("verify: code %d: %s", code, out)
			}
		})
	}
}

func TestNoBaselineIsMadeOfLessThanAWholeRun(t *testing.T) {
	t.Parallel()
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "baseline.yaml")
	if code, out := run(t, "run", "--rule", "SUB-LIMIT-051", "--fault", "limit-51", "--out", dir); code != reports.ExitNonConformant {
		t.Fatalf("code %d: %s", code, out)
	}
	code, out := run(t, "baseline", "write", dir, "--reason", "ticket 12", "--to", to)
	if code != reports.ExitUsage || !strings.Contains(out, "narrowed to a selection") {
		t.Errorf("code %d: %s", code, out)
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("it was written all the same")
	}
	// Who takes the selection out of the report is found out without its evidence.
	file := filepath.Join(dir, reports.FileName)
	r, err := reports.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	r.Selection = reports.Selection{}
	if err := reports.Write(file, r); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"baseline", "write", dir, "--reason", "ticket 12", "--to", to}, {"report", dir}, {"diff", dir, dir}} {
		if code, out := run(t, args...); code != reports.ExitUsage || !strings.Contains(out, "not what a run gives") {
			t.Errorf("%v: code %d: %s", args, code, out)
		}
	}
	if code, out := run(t, "baseline", "write", dir, "--expires", "2020-01-31"); code != reports.ExitUsage || !strings.Contains(out, "--expires") {
		t.Errorf("code %d: %s", code, out)
	}
}

func TestShardsTogetherAreTheWhole(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	dir := func(name string) string { return filepath.Join(home, name) }
	for i := 1; i <= 2; i++ {
		code, out := run(t, "run", "--profile", "limits", "--level", "must", "--shard", fmt.Sprintf("%d/2", i), "--shuffle", "7", "--out", dir(fmt.Sprint(i)))
		if code != reports.ExitConformant {
			t.Fatalf("shard %d: code %d: %s", i, code, out)
		}
		if code, out := run(t, "verify", dir(fmt.Sprint(i))); code != reports.ExitConformant {
			t.Errorf("verify shard %d: code %d: %s", i, code, out)
		}
	}
	if code, out := run(t, "merge", dir("2"), dir("1"), "--out", dir("whole")); code != reports.ExitConformant || !strings.Contains(out, "merged from 2 shards") {
		t.Fatalf("code %d: %s", code, out)
	}
	if code, out := run(t, "verify", dir("whole")); code != reports.ExitConformant {
		t.Errorf("verify: code %d: %s", code, out)
	}
	_, listed := run(t, "plan", "--profile", "limits", "--level", "must")
	whole, err := reports.Read(filepath.Join(dir("whole"), reports.FileName))
	if err != nil || len(whole.Scenarios) < 10 || len(whole.Scenarios) != strings.Count(listed, "\n")-1 {
		t.Errorf("%d scenarios were merged, %v; planned are:\n%s", len(whole.Scenarios), err, listed)
	}
	if code, out := run(t, "run", "--profile", "limits", "--level", "must", "--shard", "2/2", "--shuffle", "8", "--out", dir("other")); code != reports.ExitConformant {
		t.Fatalf("code %d: %s", code, out)
	}
	for name, c := range map[string]struct {
		dirs []string
		want string
	}{
		"one is missing":   {[]string{dir("1")}, "the report of 2 is missing"},
		"one twice":        {[]string{dir("1"), dir("2"), dir("1")}, "two reports of shard 1"},
		"of another seed":  {[]string{dir("1"), dir("other")}, "another seed"},
		"of no shard":      {[]string{dir("whole")}, "not of a shard"},
		"of nothing":       {[]string{dir("nosuch")}, "no report of a run"},
		"over one of them": {[]string{dir("1"), dir("2"), "--out", dir("2")}, "one of the reports to merge"},
		"none":             {nil, "merge needs DIR..."},
	} {
		code, out := run(t, append([]string{"merge", "--out", dir("refused")}, c.dirs...)...)
		if code != reports.ExitUsage || !strings.Contains(out, c.want) {
			t.Errorf("%s: code %d: %s", name, code, out)
		}
	}
	// A transcript that is altered on the way is not gathered.
	files, err := filepath.Glob(filepath.Join(dir("1"), "transcripts", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[0], []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := run(t, "merge", dir("1"), dir("2"), "--out", dir("altered")); code != reports.ExitUsage || !strings.Contains(out, "altered since the run") {
		t.Errorf("code %d: %s", code, out)
	}
}

func TestARunThatCannotBeIsAUsageError(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"unknown level":      {"--level", "perhaps"},
		"level of nothing":   {"--level", "may"},
		"shard without seed": {"--shard", "1/2"},
		"shard beyond":       {"--shard", "3/2", "--shuffle", "1"},
		"shard of nothing":   {"--shard", "1/0", "--shuffle", "1"},
		"shard of words":     {"--shard", "one", "--shuffle", "1"},
		"too many shards":    {"--shard", "1/9", "--shuffle", "1", "--rule", "SUB-LIMIT-051"},
		"no repetition":      {"--repeat", "0"},
		"no such baseline":   {"--baseline", "/nonexistent"},
		"empty baseline":     {"--baseline", "/dev/null"},
	} {
		if code, out := run(t, append([]string{"run", "--out", t.TempDir()}, args...)...); code != reports.ExitUsage || !strings.HasPrefix(out, "hookproof: ") {
			t.Errorf("%s: code %d: %s", name, code, out)
		}
	}
}

func TestRepetitionsAreAllJudgedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if code, out := run(t, "run", "--scenario", ofTheLimit, "--fault", "limit-51", "--repeat", "3", "--out", dir); code != reports.ExitNonConformant {
		t.Fatalf("code %d: %s", code, out)
	}
	r, err := reports.Read(filepath.Join(dir, reports.FileName))
	if err != nil || r.Repeat != 3 || len(r.Scenarios) != 2 || len(r.Scenarios[0].Runs) != 3 {
		t.Fatalf("%d runs, %v", r.Repeat, err)
	}
	if code, out := run(t, "verify", dir); code != reports.ExitConformant {
		t.Errorf("code %d: %s", code, out)
	}
}

func TestDiffEndsWithOneOnARegressionAlone(t *testing.T) {
	t.Parallel()
	good, bad, other := t.TempDir(), t.TempDir(), t.TempDir()
	run(t, "run", "--scenario", ofTheLimit, "--out", good)
	run(t, "run", "--scenario", ofTheLimit, "--fault", "limit-51", "--out", bad)
	run(t, "run", "--rule", "SUB-LIMIT-050", "--out", other)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{good, bad}, reports.ExitNonConformant, "scenario  " + the51st + ": pass → fail"},
		{[]string{bad, good}, reports.ExitConformant, "0 regressions, 3 fixed"},
		{[]string{good, filepath.Join(good, reports.FileName)}, reports.ExitConformant, "0 regressions, 0 fixed"},
		{[]string{good, bad, "--markdown"}, reports.ExitNonConformant, "**Regressions**"},
		{[]string{good, other}, reports.ExitUsage, "different selections: the old one of --"},
		{[]string{good, "/nonexistent"}, reports.ExitUsage, "give a folder that"},
		{[]string{good, bad, "--json", "--markdown"}, reports.ExitUsage, "choose one"},
	} {
		if code, out := run(t, append([]string{"diff"}, c.args...)...); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%v: code %d: %s", c.args, code, out)
		}
	}
	code, out := run(t, "diff", good, bad, "--json")
	var d reports.Diff
	if err := json.Unmarshal([]byte(out), &d); err != nil || code != reports.ExitNonConformant || len(d.Regressions) != 3 {
		t.Errorf("code %d, %v: %s", code, err, out)
	}
}

func TestAPauseSaysHowToAttachAndWaitsForALine(t *testing.T) {
	t.Parallel()
	attached := func(in string) (int, string) {
		var out bytes.Buffer
		root := rootCommand()
		root.SetIn(strings.NewReader(in))
		root.SetOut(&out)
		root.SetErr(&out)
		return execute(t.Context(), root, []string{"run", "--scenario", the51st, "--attach", "--out", t.TempDir()}), out.String()
	}
	code, out := attached("\n")
	if code != reports.ExitConformant {
		t.Errorf("code %d: %s", code, out)
	}
	for _, want := range []string{"Paused before " + the51st, fmt.Sprintf("dlv attach %d", os.Getpid()), "emitter        http://", "receiver       http://", "Press Enter"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
	if code, out := attached(""); code != reports.ExitIncomplete || !strings.Contains(out, "standard input has ended") {
		t.Errorf("code %d: %s", code, out)
	}
}

// trigger calls a function when it first takes a word.
type trigger struct {
	mu   sync.Mutex
	out  bytes.Buffer
	word string
	act  func()
}

func (w *trigger) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out.Write(p)
	if strings.Contains(w.out.String(), w.word) {
		w.act()
	}
	return len(p), nil
}

func (w *trigger) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.String()
}

func TestAnInterruptedRunIsIncompleteAndWritesItsReport(t *testing.T) {
	t.Parallel()
	for name, word := range map[string]string{"while scenarios run": "scenarios against", "before the target is up": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if word == "" {
				cancel()
			}
			w := &trigger{word: word, act: cancel}
			dir := t.TempDir()
			root := rootCommand()
			root.SetOut(w)
			root.SetErr(w)
			code := execute(ctx, root, []string{"run", "--profile", "delivery", "--out", dir})
			if code != reports.ExitIncomplete || !strings.Contains(w.String(), "The run is being ended") || !strings.Contains(w.String(), "INCOMPLETE") {
				t.Errorf("code %d: %s", code, w)
			}
			r, err := reports.Read(filepath.Join(dir, reports.FileName))
			if err != nil || r.Verdict != reports.Incomplete || r.Counts[reports.CouldNotRun] == 0 {
				t.Errorf("%d could not run, %v", r.Counts[reports.CouldNotRun], err)
			}
			if _, err := os.Stat(filepath.Join(dir, reports.JUnitName)); err != nil {
				t.Error(err)
			}
			code, out := run(t, "verify", dir)
			if code != reports.ExitIncomplete {
				t.Errorf("verify: code %d: %s", code, out)
			}
			if code, out := run(t, "baseline", "write", dir, "--to", filepath.Join(dir, "b.yaml")); code != reports.ExitUsage {
				t.Errorf("code %d: %s", code, out)
			}
		})
	}
}
