package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/sjson"
)

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "folder", FileName)
	want := everything()
	if err := Write(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o644 {
			t.Errorf("mode is %o, want 644", mode)
		}
	}
	onlyFile(t, filepath.Dir(path))
}

// onlyFile fails if a temporary file was left beside the report.
func onlyFile(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != FileName {
		t.Errorf("folder holds %v, want only %s", entries, FileName)
	}
}

func TestAFailedWriteLeavesTheOldFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), FileName)
	if err := Write(path, with(Pass)); err != nil {
		t.Fatal(err)
	}
	bad := with(Fail)
	bad.Verdict = Conformant
	if err := Write(path, bad); err == nil {
		t.Fatal("results that contradict themselves were written")
	}
	r, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if r.Scenarios[0].Outcome != Pass {
		t.Errorf("the old file now says %s", r.Scenarios[0].Outcome)
	}
	onlyFile(t, filepath.Dir(path))

	blocked := filepath.Join(t.TempDir(), FileName)
	if err := os.MkdirAll(filepath.Join(blocked, "occupied"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Write(blocked, with(Pass)); err == nil {
		t.Error("a folder in the way was no error")
	}
	onlyFile(t, filepath.Dir(blocked))
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	good, err := marshal(everything())
	if err != nil {
		t.Fatal(err)
	}
	set := func(path string, value any) string {
		text, err := sjson.SetBytes(bytes.Clone(good), path, value)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":                        {"", "no report of a run: unexpected end"},
		"no JSON":                        {"<html>", "no report of a run: invalid character"},
		"an array":                       {"[]", "no report of a run: json"},
		"no schema":                      {"{}", "no report of a run: its schema is"},
		"another schema":                 {set("schema", "https://example.com/schema/results-1.json"), "no report of a run: its schema is"},
		"two documents":                  {string(good) + "{}", "no report of a run: invalid character"},
		"half a document":                {string(good[:len(good)/2]), "no report of a run: unexpected end"},
		"a seed of any size":             {strings.Replace(string(good), `"seed": 42`, `"seed": 1e999999999`, 1), "parse results"},
		"a verdict made better by hand":  {set("verdict", "conformant"), "verdict is conformant"},
		"counts made better by hand":     {set("counts.fail", 0), "counts are"},
		"a rule made better by hand":     {set("rules.7.outcome", "pass"), "its scenarios say"},
		"a scenario made better by hand": {set("scenarios.6.outcome", "pass"), "the scenarios say"},
		"a rule twice":                   {set("rules.0.id", "SUB-SB"), "listed twice"},
		"a scenario twice":               {set("scenarios.0.id", "sb"), "listed twice"},
		"an unlisted rule":               {set("scenarios.0.rules", []string{"NO-SUCH"}), "not listed"},
		"a rule that forgets a scenario": {set("rules.0.scenarios", []string{}), "lists scenarios"},
		"a transcript outside":           {set("scenarios.6.transcript", "transcripts/../../x.json"), "leaves the report's folder"},
		"a member hidden by its case":    {strings.Replace(string(good), `"verdict": "non-conformant"`, `"verdict": "non-conformant", "VERDICT": "green"`, 1), "verdict"},
		"a verdict in another case":      {strings.Replace(string(good), `"verdict": "non-conformant"`, `"Verdict": "conformant", "verdict": "non-conformant"`, 1), "parse results: Verdict is not in the case of the schema: verdict"},
		"a verdict twice":                {strings.Replace(string(good), `"verdict": "non-conformant"`, `"verdict": "conformant", "verdict": "non-conformant"`, 1), "parse results: verdict stands there twice"},
		"a member twice, deep":           {strings.Replace(string(good), `"outcome":`, `"outcome": "pass", "outcome":`, 1), "parse results: rules.0.outcome stands there twice"},
		"a member in another case, deep": {strings.Replace(string(good), `"expected":`, `"Expected": "x", "expected":`, 1), ".failure.Expected is not in the case of the schema: expected"},
		"an unknown member twice":        {strings.Replace(string(good), `"suite":`, `"later": {"a": 1, "a": 2}, "suite":`, 1), "parse results: later.a stands there twice"},
		"a count twice":                  {strings.Replace(string(good), `"counts": {`, `"counts": {"pass": 1000,`, 1), "parse results: counts.pass stands there twice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.text == string(good) {
				t.Fatal("the sample was not changed")
			}
			_, err := Decode(strings.NewReader(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %q", err, tt.want)
			}
			if got, want := errors.Is(err, ErrNoReport), strings.HasPrefix(tt.want, "no report"); got != want {
				t.Errorf("errors.Is(%v, ErrNoReport) = %v", err, got)
			}
		})
	}
}

func TestAReportOfAnotherVersionIsSaidToBeOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), FileName)
	for schema, version := range map[string]bool{
		"https://hookproof.dev/schema/results-0.json": true, "https://hookproof.dev/schema/results-12.json": true,
		"https://hookproof.dev/schema/transcript-1.json": false, "": false,
	} {
		if err := os.WriteFile(path, fmt.Appendf(nil, `{"schema":%q}`, schema), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Read(path)
		if !errors.Is(err, ErrNoReport) {
			t.Fatalf("%q: %v", schema, err)
		}
		if got := strings.Contains(err.Error(), "written by another version of hookproof: its schema is"); got != version {
			t.Errorf("%q: another version: %v, want %v: %v", schema, got, version, err)
		}
		if got := strings.Contains(err.Error(), "cut off, or is another file"); got == version {
			t.Errorf("%q: another file: %v, want %v: %v", schema, got, !version, err)
		}
	}
}

// Who has changed a report by hand is told what does not fit, and not all that
// follows from it.
func TestWhatIsWrongWithAReportIsToldInAFewLines(t *testing.T) {
	t.Parallel()
	good, err := marshal(with(Fail, Fail, Fail, Fail, Fail, Fail, Fail))
	if err != nil {
		t.Fatal(err)
	}
	set := func(value any, paths ...string) string {
		text := good
		for _, path := range paths {
			if text, err = sjson.SetBytes(text, path, value); err != nil {
				t.Fatal(err)
			}
		}
		return string(text)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"one value":        {set("green", "scenarios.2.outcome"), "it is not as " + SchemaID + " says: scenarios.2.outcome: value must be one of 'pass', 'fail', "},
		"the innermost":    {set("green", "verdict", "rules.1.level"), "says:\n  rules.1.level: value must be one of 'MUST', 'SHOULD', 'MAY'\n  verdict: value must be one of"},
		"many values":      {set("green", "scenarios.0.outcome", "scenarios.1.outcome", "scenarios.2.outcome", "scenarios.3.outcome", "scenarios.4.outcome", "scenarios.5.outcome", "scenarios.6.outcome"), "\n  and 2 more"},
		"a contradiction":  {set("pass", "rules.0.outcome"), "check results: rule SUB-SA: outcome is pass, its scenarios say fail"},
		"what follows too": {set("pass", "scenarios.0.outcome", "scenarios.1.outcome"), "check results:\n  rule SUB-SA: outcome is fail, its scenarios say pass\n  rule SUB-SB: outcome is fail, its scenarios say pass\n  counts are 7 fail, the scenarios say 2 pass, 5 fail"},
	} {
		if _, err := Decode(strings.NewReader(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "\n") > maxComplaints+1 {
			t.Errorf("%s: error is\n%v\nwant one with\n%s", name, err, tt.want)
		}
	}
}

func TestReadIgnoresMembersItDoesNotKnow(t *testing.T) {
	t.Parallel()
	text, err := marshal(everything())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"later", "target.later", "rules.0.later", "scenarios.0.later"} {
		if text, err = sjson.SetBytes(text, path, map[string]any{"a": 1}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Decode(bytes.NewReader(text)); err != nil {
		t.Error(err)
	}
}

// endless is a document that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestReadIsBounded(t *testing.T) {
	t.Parallel()
	if _, err := Decode(endless{}); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("error is %v, want one about the length", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, r := range []Results{everything(), with(Pass), with()} {
		text, err := marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"schema":"` + SchemaID + `"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Decode(bytes.NewReader(text))
		if err != nil {
			return
		}
		// Whatever is accepted can be reported, written, and read as the same.
		var again bytes.Buffer
		if err := Encode(&again, r); err != nil {
			t.Fatalf("accepted and not writable: %v", err)
		}
		second, err := Decode(&again)
		if err != nil {
			t.Fatalf("accepted, written and refused: %v", err)
		}
		if diff := cmp.Diff(r.withoutNil(), second); diff != "" {
			t.Fatalf("changed by writing:\n%s", diff)
		}
		if ExitCode(r) == ExitConformant && VerdictOf(r) == Incomplete {
			t.Fatal("green with nothing judged")
		}
		if err := WriteJUnit(io.Discard, r); err != nil {
			t.Fatal(err)
		}
		if err := (Console{Out: io.Discard}).Summary(r); err != nil {
			t.Fatal(err)
		}
		for _, derive := range []func(io.Writer, Results) error{WriteCTRF, WriteTAP, WriteMarkdown} {
			if err := derive(io.Discard, r); err != nil {
				t.Fatal(err)
			}
		}
		if diff, err := DiffOf(r, r); err == nil && diff.ExitCode() != ExitConformant {
			t.Fatalf("worse than itself: %+v", diff)
		}
		if known, err := BaselineOf(r, "accepted", "2999-12-31"); err == nil {
			if text, err := FormatBaseline(known); err != nil {
				t.Fatal(err)
			} else if _, err := ParseBaseline("b.yaml", text); err != nil {
				t.Fatalf("a baseline of the report is refused: %v\n%s", err, text)
			}
		}
		if merged, err := Merge([]Results{r}); err == nil {
			if err := merged.Check(); err != nil {
				t.Fatalf("merged to a report that is refused: %v", err)
			}
		}
	})
}
