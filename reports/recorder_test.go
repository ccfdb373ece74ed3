package reports

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func newRecorder(t *testing.T, scenarios ...string) (*Recorder, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), FileName)
	rec, err := NewRecorder(path, planned(scenarios...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rec.Close() })
	return rec, path
}

func mustRead(t *testing.T, path string) Results {
	t.Helper()
	r, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// eventually reads path until ok, or fails after ten seconds.
func eventually(t *testing.T, path string, ok func(Results) bool) Results {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if r := mustRead(t, path); ok(r) {
			return r
		}
		select {
		case <-deadline.C:
			t.Fatal("the file never showed it")
		case <-tick.C:
		}
	}
}

func TestTheFileIsReadableBeforeAnythingRan(t *testing.T) {
	t.Parallel()
	_, path := newRecorder(t, "a", "b")
	r := mustRead(t, path)
	if r.Verdict != Incomplete || ExitCode(r) != ExitIncomplete {
		t.Errorf("verdict %s, exit code %d", r.Verdict, ExitCode(r))
	}
	if r.Counts[CouldNotRun] != 2 || r.Rules[0].Outcome != CouldNotRun || r.Scenarios[0].Reason != pending {
		t.Errorf("scenarios that have not run are %+v", r.Scenarios)
	}
}

func TestEachScenarioReachesTheFileWhileTheRunGoesOn(t *testing.T) {
	t.Parallel()
	rec, path := newRecorder(t, "a", "b")
	for i, id := range []string{"a", "b"} {
		if err := rec.Done(ended(Scenario{ID: id}, Pass)); err != nil {
			t.Fatal(err)
		}
		r := eventually(t, path, func(r Results) bool { return r.Counts[Pass] == i+1 })
		// Even with everything passed: who reads now reads a run that died.
		if r.Verdict != Incomplete || ExitCode(r) != ExitIncomplete {
			t.Errorf("after %s: verdict %s, exit code %d", id, r.Verdict, ExitCode(r))
		}
	}
	if r, err := rec.Finish(); err != nil || r.Verdict != Conformant {
		t.Fatalf("verdict %s, error %v", r.Verdict, err)
	}
	if r := mustRead(t, path); r.Verdict != Conformant || ExitCode(r) != 0 {
		t.Errorf("finished: verdict %s, exit code %d", r.Verdict, ExitCode(r))
	}
	onlyFile(t, filepath.Dir(path))
}

func TestScenariosFinishInParallelAndKeepTheirPlannedOrder(t *testing.T) {
	t.Parallel()
	ids := make([]string, 24)
	for i := range ids {
		ids[i] = fmt.Sprintf("S%03d", i)
	}
	rec, path := newRecorder(t, ids...)
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			if err := rec.Done(ended(Scenario{ID: id}, Pass)); err != nil {
				t.Error(err)
			}
			if r := mustRead(t, path); r.Verdict != Incomplete {
				t.Errorf("verdict %s during the run", r.Verdict)
			}
		})
	}
	wg.Wait()
	if _, err := rec.Finish(); err != nil {
		t.Fatal(err)
	}
	r := mustRead(t, path)
	for i, s := range r.Scenarios {
		if s.ID != ids[i] || s.Outcome != Pass || s.Line != 10+i || s.Rules[0] != "SUB-"+ids[i] || s.Rerun == "" {
			t.Fatalf("scenario %d is %+v", i, s)
		}
	}
}

func TestScenariosThatNeverFinishedKeepTheRunIncomplete(t *testing.T) {
	t.Parallel()
	rec, path := newRecorder(t, "a", "b")
	if err := rec.Done(ended(Scenario{ID: "a"}, Pass)); err != nil {
		t.Fatal(err)
	}
	r, err := rec.Finish()
	if err != nil || r.Verdict != Incomplete {
		t.Fatalf("verdict %s, error %v", r.Verdict, err)
	}
	if got := mustRead(t, path); ExitCode(got) != ExitIncomplete {
		t.Errorf("exit code %d", ExitCode(got))
	}
}

func TestClosingWithoutFinishingKeepsWhatWasRecorded(t *testing.T) {
	t.Parallel()
	rec, path := newRecorder(t, "a")
	if err := rec.Done(ended(Scenario{ID: "a"}, Pass)); err != nil {
		t.Fatal(err)
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	if r := mustRead(t, path); r.Counts[Pass] != 1 || r.Verdict != Incomplete {
		t.Errorf("counts %v, verdict %s", r.Counts, r.Verdict)
	}
	if _, err := rec.Finish(); err == nil {
		t.Error("a closed recorder finished")
	}
	if err := rec.Done(ended(Scenario{ID: "a"}, Fail)); err == nil {
		t.Error("a closed recorder recorded")
	}
	if err := rec.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func TestWrongRecordsAreTheSuitesOwnError(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("0", 64)
	for name, s := range map[string]Scenario{
		"no outcome":             {},
		"unknown outcome":        {Outcome: "passed"},
		"outcome of a rule":      {Outcome: NotObserved, Reason: "x"},
		"fail without failure":   {Outcome: Fail},
		"warn without failure":   {Outcome: Warn, Reason: "x"},
		"skip without reason":    {Outcome: NotApplicable},
		"unseen without reason":  {Outcome: CouldNotRun},
		"negative duration":      {Outcome: Pass, DurationMs: -1},
		"transcript outside":     {Outcome: Pass, Transcript: "../t.json", TranscriptSHA256: hash},
		"transcript not hashed":  {Outcome: Pass, Transcript: "t.json"},
		"hash without file":      {Outcome: Pass, TranscriptSHA256: hash},
		"hash that is too short": {Outcome: Pass, Transcript: "t.json", TranscriptSHA256: "00"},
		"hash in capitals":       {Outcome: Pass, Transcript: "t.json", TranscriptSHA256: strings.Repeat("A", 64)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec, path := newRecorder(t, "a")
			s.ID = "a"
			if err := rec.Done(s); err == nil {
				t.Error("recorded without an error")
			}
			if _, err := rec.Finish(); err != nil {
				t.Fatal(err)
			}
			if r := mustRead(t, path); ExitCode(r) != ExitError {
				t.Errorf("exit code %d, scenario %+v", ExitCode(r), r.Scenarios[0])
			}
		})
	}
}

func TestUnplannedAndRepeatedScenariosChangeNothing(t *testing.T) {
	t.Parallel()
	rec, _ := newRecorder(t, "a")
	if err := rec.Done(ended(Scenario{ID: "b"}, Pass)); err == nil {
		t.Error("an unplanned scenario was recorded")
	}
	failed := ended(Scenario{ID: "a"}, Fail)
	if err := rec.Done(failed); err != nil {
		t.Fatal(err)
	}
	if err := rec.Done(ended(Scenario{ID: "a"}, Pass)); err == nil {
		t.Error("a scenario was recorded twice")
	}
	if r, err := rec.Finish(); err != nil || ExitCode(r) != ExitNonConformant {
		t.Errorf("exit code %d, error %v", ExitCode(r), err)
	}
}

func TestAScenarioCannotChangeWhatItJudges(t *testing.T) {
	t.Parallel()
	rec, _ := newRecorder(t, "a", "b")
	s := ended(Scenario{ID: "a", Rules: []string{"SUB-B"}}, Fail)
	if err := rec.Done(s); err != nil {
		t.Fatal(err)
	}
	if got := rec.Results().Rules[0].Outcome; got != Fail {
		t.Errorf("the planned rule is %s", got)
	}
}

func TestRecordedValuesAreBounded(t *testing.T) {
	t.Parallel()
	rec, path := newRecorder(t, "a")
	s := ended(Scenario{ID: "a"}, Fail)
	long := strings.Repeat("ä", 1<<20)
	s.Failure.Actual = long
	if err := rec.Done(s); err != nil {
		t.Fatal(err)
	}
	if _, err := rec.Finish(); err != nil {
		t.Fatal(err)
	}
	if got := mustRead(t, path).Scenarios[0].Failure.Actual; len(got) > maxValue+100 || !strings.HasSuffix(got, "bytes in all)") {
		t.Errorf("recorded %d bytes", len(got))
	}
	if s.Failure.Actual != long {
		t.Error("the caller's failure was changed")
	}
}

func TestAPlanThatContradictsItselfIsRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Results){
		"scenario twice":        func(r *Results) { r.Scenarios[1].ID = r.Scenarios[0].ID },
		"rule twice":            func(r *Results) { r.Rules[1].ID = r.Rules[0].ID },
		"scenario without rule": func(r *Results) { r.Scenarios[0].Rules = nil },
		"unknown rule":          func(r *Results) { r.Scenarios[0].Rules = []string{"NO-SUCH"} },
		"no revision":           func(r *Results) { r.Suite.Revision = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := planned("a", "b")
			spoil(&plan)
			path := filepath.Join(t.TempDir(), FileName)
			if _, err := NewRecorder(path, plan); err == nil {
				t.Error("accepted")
			}
			if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a file was written: %v", err)
			}
		})
	}
}

func TestAReportThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "report", FileName)
	rec, err := NewRecorder(path, planned("a"))
	if err != nil {
		t.Fatal(err)
	}
	// A file where the folder was: nothing can be written any more.
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Dir(path), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := rec.Done(ended(Scenario{ID: "a"}, Pass)); err != nil {
		t.Fatal(err)
	}
	if r, err := rec.Finish(); err == nil {
		t.Errorf("finished with verdict %s and no error", r.Verdict)
	}
}

func BenchmarkRecordAScenarioOfThreeHundred(b *testing.B) {
	ids := make([]string, 300)
	for i := range ids {
		ids[i] = fmt.Sprintf("S%03d", i)
	}
	rec, err := NewRecorder(filepath.Join(b.TempDir(), FileName), planned(ids...))
	if err != nil {
		b.Fatal(err)
	}
	defer rec.Close()
	for b.Loop() {
		text, err := marshal(rec.Results())
		if err != nil {
			b.Fatal(err)
		}
		if err := replaceFile(rec.path, text, false); err != nil {
			b.Fatal(err)
		}
	}
}
