package reports

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func fault(kills ...Kill) Matrix {
	row := FaultRow{Name: "hold", Sentence: "Held <too> long."}
	m := Matrix{Schema: MatrixSchemaID, Seed: 7}
	for i, k := range kills {
		id := "DLV-00" + string(rune('1'+i))
		row.Cells = append(row.Cells, MatrixCell{Rule: id, Kill: k})
		m.Rules = append(m.Rules, KilledRule{ID: id, Role: "emitter", Area: "delivery", Level: "MUST", Faults: []string{"hold"}})
	}
	m.Faults = []FaultRow{row}
	return m
}

func TestTheMatrixEndsWithTheWorst(t *testing.T) {
	t.Parallel()
	bare := fault(Killed)
	bare.Rules = append(bare.Rules, KilledRule{ID: "X"})
	alarmed, broken := fault(Killed), fault(Killed)
	alarmed.Liberties = []LibertyRow{{Name: "order", FalseAlarms: []FalseAlarm{{Scenario: "a/b"}}}}
	broken.Liberties = []LibertyRow{{Name: "order", Error: "it does not start"}}
	unmet, erring := fault(Killed), fault(Killed)
	unmet.Liberties = []LibertyRow{{Name: "order"}}
	erring.Faults[0].Error = "scenario a/b: no such step"
	survived, falsely := fault(Survived), fault(Unknown)
	survived.Liberties, falsely.Liberties = broken.Liberties, alarmed.Liberties
	for name, c := range map[string]struct {
		matrix Matrix
		want   int
	}{
		"killed": {fault(Killed, Killed), ExitConformant}, "survived": {fault(Killed, Survived), ExitNonConformant},
		"by another": {fault(Killed, KilledByAnother), ExitNonConformant}, "unknown": {fault(Killed, Unknown), ExitError},
		"survived, and unknown": {fault(Survived, Unknown), ExitNonConformant}, "survived, and a liberty that does not start": {survived, ExitNonConformant},
		"unknown, and a false alarm": {falsely, ExitNonConformant}, "killed, with an error of the suite's own": {erring, ExitError},
		"a liberty that no scenario met": {unmet, ExitError},
		"without a fault":                {bare, ExitNonConformant}, "a false alarm": {alarmed, ExitNonConformant},
		"a liberty that does not start": {broken, ExitError}, "nothing": {Matrix{}, ExitIncomplete},
	} {
		if got := c.matrix.ExitCode(); got != c.want {
			t.Errorf("%s ends with %d, want %d", name, got, c.want)
		}
	}
}

func TestTheMatrixIsWrittenForProgramsAndForPeople(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "deep", "out")
	m := fault(Killed, Survived, KilledByAnother)
	m.Liberties = []LibertyRow{{Name: "order", Scenarios: 3}}
	if err := WriteMatrix(dir, m); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, MatrixName))
	if err != nil {
		t.Fatal(err)
	}
	var back Matrix
	if err := json.Unmarshal(text, &back); err != nil || back.Faults[0].Cells[1].Kill != Survived {
		t.Errorf("read back: %v, %+v", err, back)
	}
	page, err := os.ReadFile(filepath.Join(dir, MatrixPageName))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"there are gaps", "Held &lt;too&gt; long.", `title="hold at DLV-002: survived"`, "passed", ">1/1<", ">0/1<", "1 of 3 killed"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	var console bytes.Buffer
	if err := (Console{Out: &console}).Matrix(m); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"hold   DLV-001 killed, DLV-002 SURVIVED, DLV-003 by another", "1 deliberately wrong implementation. Not each was refused by all of the rules that must notice: 1 of 3 killed, 1 killed only by another rule, 1 survived.",
		"1 right implementation with an unusual behaviour that no rule forbids (a liberty): none was refused.", "passed, 3 scenarios"} {
		if !strings.Contains(console.String(), want) {
			t.Errorf("the console lacks %q:\n%s", want, &console)
		}
	}
	m = fault(Killed)
	m.Faults[0].Error = "scenario a/b: no such step"
	m.Liberties = []LibertyRow{{Name: "order"}}
	console.Reset()
	if err := (Console{Out: &console}).Matrix(m); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"hold   DLV-001 killed; scenario a/b: no such step", "1 met an error of the suite's own", "order  could not be run: it met no scenario", "none was refused; 1 could not be run"} {
		if !strings.Contains(console.String(), want) {
			t.Errorf("the console lacks %q:\n%s", want, &console)
		}
	}
	if err := WriteMatrix(filepath.Join(dir, MatrixName, "below a file"), m); err == nil {
		t.Error("a folder below a file can be written")
	}
}

func TestProgressOfTheMatrixTellsTroubleAtOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := Console{Out: &out}.MatrixProgress()
	p.Begun(2, 7)
	p.Fault(fault(Killed, Survived).Faults[0])
	p.Liberty(LibertyRow{Name: "order", FalseAlarms: []FalseAlarm{{Scenario: "a/b", Expected: "x", Actual: "y"}}})
	p.Finish()
	for _, want := range []string{"2 rows, with seed 7", "SURVIVED  hold at DLV-002", "FALSE     order at a/b", "2 of 2 rows"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, &out)
		}
	}
}

func TestTheMatrixShowsThatASecondRunWasNeeded(t *testing.T) {
	t.Parallel()
	m := fault(Killed, Killed)
	first := fault(Killed, Survived).Faults[0]
	m.Faults[0].First = &first
	m.Liberties = []LibertyRow{{Name: "order", Scenarios: 3, First: &LibertyRow{Name: "order", FalseAlarms: []FalseAlarm{{Scenario: "a/b"}}, Error: "it broke"}}}
	if code := m.ExitCode(); code != ExitConformant {
		t.Errorf("the second run counts, and it ends with %d", code)
	}
	const words = "Run a second time, because a first run did not come out as it should: hold (DLV-002 SURVIVED), order (a/b falsely failed; it broke)."
	for _, quiet := range []bool{true, false} {
		var console bytes.Buffer
		if err := (Console{Out: &console, Quiet: quiet}).Matrix(m); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(console.String(), words) || strings.Contains(console.String(), "DLV-002 killed, in a second run") == quiet {
			t.Errorf("the console, quiet %t, says:\n%s", quiet, &console)
		}
	}
	page, err := matrixPage(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{words, "Run a second time; the first run: DLV-002 SURVIVED.", "Run a second time; the first run: a/b falsely failed; it broke."} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	var out bytes.Buffer
	p := Console{Out: &out}.MatrixProgress()
	p.Begun(1, 7)
	p.Fault(first)
	p.Again([]string{"hold"})
	p.Fault(m.Faults[0])
	if !strings.Contains(out.String(), "once more, one at a time: hold\n") || !strings.Contains(out.String(), "2 of 2 rows") {
		t.Errorf("the progress says:\n%s", &out)
	}
}
