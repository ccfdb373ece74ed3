package reports

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// recordForever names the environment variable that turns this test binary into
// a run that records until it is killed.
const recordForever = "HOOKPROOF_TEST_RECORD_TO"

func TestARunKilledInTheMiddleLeavesAReadableReport(t *testing.T) {
	t.Parallel()
	ids := make([]string, 300)
	for i := range ids {
		ids[i] = fmt.Sprintf("S%03d", i)
	}
	if path := os.Getenv(recordForever); path != "" {
		record(t, path, ids)
		return
	}
	path := filepath.Join(t.TempDir(), FileName)
	run := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=2m")
	run.Env = append(os.Environ(), recordForever+"="+path)
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for _, err := os.Stat(path); err != nil; _, err = os.Stat(path) {
		select {
		case <-deadline.C:
			t.Fatal("the run never wrote its report")
		case <-tick.C:
		}
	}
	eventually(t, path, func(r Results) bool { return r.Counts[Pass] > 0 })
	if err := run.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := run.Wait(); err == nil {
		t.Fatal("the run ended before it was killed")
	}
	r := mustRead(t, path)
	if r.Counts[Pass] == 0 || r.Counts[CouldNotRun] == 0 || ExitCode(r) != ExitIncomplete {
		t.Errorf("counts %v, exit code %d", r.Counts, ExitCode(r))
	}
}

// record passes one scenario after another, each once the file shows the last.
func record(t *testing.T, path string, ids []string) {
	rec, err := NewRecorder(path, planned(ids...))
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		if err := rec.Done(ended(Scenario{ID: id}, Pass)); err != nil {
			t.Fatal(err)
		}
		eventually(t, path, func(r Results) bool { return r.Counts[Pass] == i+1 })
	}
}
