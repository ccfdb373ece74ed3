package main

import (
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/remote"
)

// Whatever a scenario makes, and however it calls it: if the run is killed, its
// reaper must know it again.
func TestEverythingThatARunMakesNamesTheRun(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	s.made = nil
	_, text := run(t, append([]string{"run", "--quiet", "--out", t.TempDir(), "--claim", "environments,certificates,activities,connection-test,tcp-ip"}, s.flags()...)...)
	if len(s.made) < 500 {
		t.Errorf("the run made only %d things: %s", len(s.made), text)
	}
	runs := map[string]int{}
	for _, body := range s.made {
		if len(body) == 0 {
			continue // nothing that stays
		}
		id, _ := driver.Whose(gjson.ParseBytes(body))
		if runs[id]++; id == "" || id == driver.UnknownRun {
			t.Errorf("of run %q: %s", id, body)
		}
	}
	if !t.Failed() && len(runs) != 1 {
		t.Errorf("one run has several names: %v", runs)
	}
}

// interruptions is how many runs are interrupted, each at a moment of its own.
const interruptions = 20

func TestARunThatIsInterruptedLeavesAReportAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	before := s.holds(t)
	if len(before) < 3 {
		t.Fatalf("the environment holds only %v", before)
	}
	for i := range interruptions {
		out := t.TempDir()
		n := 1 + rand.Int64N(120)
		text, code := s.until(t, moment{request: n}, syscall.SIGINT, out)
		results, err := reports.Read(filepath.Join(out, reports.FileName))
		if err != nil || code != reports.ExitIncomplete || results.Verdict != reports.Incomplete {
			t.Errorf("run %d, interrupted at request %d: code %d, verdict %s, %v\n%s", i, n, code, results.Verdict, err, text())
		}
		if after := s.holds(t); !slices.Equal(after, before) {
			t.Fatalf("run %d, interrupted at request %d, left %v beside %v\n%s", i, n, after, before, text())
		}
	}
}

// libraryOfChild has the test binary run the suite as a test of somebody's own
// does, against the target at that URL and with reports below a folder.
const libraryOfChild = "TEST_OF_HOOKPROOF_LIBRARY"

// A test of somebody's own has no reaper: what ends it has to wait until it has
// cleaned up, with two runs in one process until both have.
func TestAGoTestThatIsInterruptedLeavesReportsAndNothingElse(t *testing.T) {
	t.Parallel()
	names := []string{"one", "other"}
	if at, out, child := strings.Cut(os.Getenv(libraryOfChild), " "); child {
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				target, err := remote.New(remote.Options{
					Emitter: targets.Emitter{API: at, Environment: sharedEnvironment, ClientID: "suite", ClientSecret: sharedSecret},
					Claims:  []targets.Capability{targets.Certificates},
				})
				if err != nil {
					t.Fatal(err)
				}
				hookproof.Run(t, target, hookproof.Report(filepath.Join(out, name)),
					hookproof.Select(hookproof.Selection{Profiles: strings.Split(profilesOfRuns, ",")}))
			})
		}
		return
	}
	s := newShared(t)
	before := s.holds(t)
	for i, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		out, n := t.TempDir(), 40+rand.Int64N(120)
		run := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.parallel=8")
		run.Env = append(os.Environ(), libraryOfChild+"="+s.url+" "+out)
		text, state := s.end(t, run, moment{request: n}, signal, out)
		if by, ok := state.Sys().(syscall.WaitStatus); !ok || !by.Signaled() || by.Signal() != signal {
			t.Errorf("run %d, told to end by %v at request %d, ended with %v: %s", i, signal, n, state, text())
		}
		for _, name := range names {
			results, err := reports.Read(filepath.Join(out, name, reports.FileName))
			if err != nil || results.Verdict != reports.Incomplete {
				t.Errorf("run %d: verdict %s, %v", i, results.Verdict, err)
			}
		}
		if after := s.holds(t); !slices.Equal(after, before) {
			t.Fatalf("run %d, told to end by %v at request %d, left %v beside %v: %s", i, signal, n, after, before, text())
		}
	}
}

// killings are moments of four kinds, five of each.
func killings() []moment {
	var all []moment
	for range interruptions / 4 {
		all = append(all,
			moment{request: 1 + rand.Int64N(120)},
			moment{after: time.Duration(rand.Int64N(int64(200 * time.Millisecond)))},
			moment{sign: true, after: time.Duration(rand.Int64N(int64(5 * time.Millisecond)))},
			moment{after: time.Duration(rand.Int64N(int64(3 * time.Second)))})
	}
	return all
}

// saysRemoved finds how many things a reaper has removed.
var saysRemoved = regexp.MustCompile(`was killed; (\d+) things .* were removed\n`)

func TestARunThatIsKilledLeavesAReportAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	before := s.holds(t)
	earlier := conformantReport(t)
	var texts []func() string
	begun := 0
	for i, when := range killings() {
		out := filepath.Join(t.TempDir(), "out")
		if reused := i/4%2 == 1; reused {
			if err := os.CopyFS(out, os.DirFS(earlier)); err != nil {
				t.Fatal(err)
			}
		}
		there := contents(out)
		text, _ := s.until(t, when, syscall.SIGKILL, out)
		texts = append(texts, text)
		switch untouched := maps.Equal(contents(out), there); {
		case !untouched:
			begun++
			s.readable(t, out)
		case when.request > 0 || when.sign:
			t.Errorf("a run killed %v has not begun a report", when)
		}
		if t.Failed() {
			t.Fatalf("run %d, killed %v, left %v", i, when, slices.Sorted(maps.Keys(contents(out))))
		}
	}
	removed, busy := 0, 0
	for i, text := range texts {
		switch said := saysRemoved.FindStringSubmatch(text()); {
		case said != nil:
			n, err := strconv.Atoi(said[1])
			if removed += n; err != nil || n > 0 {
				busy++
			}
		case strings.Contains(text(), "was killed"):
			t.Errorf("run %d: %s", i, text())
		}
	}
	if after := s.holds(t); !slices.Equal(after, before) {
		t.Errorf("%d killed runs left %v beside %v", len(texts), after, before)
	}
	t.Logf("%d of %d runs had begun a report; %d reapers removed %d things", begun, len(texts), busy, removed)
	if busy < interruptions/8 || begun < interruptions/2 {
		t.Errorf("%d runs had begun, and %d reapers removed %d things: nothing was shown", begun, busy, removed)
	}
}

// conformantReport is the folder of a run that was.
func conformantReport(t *testing.T) string {
	t.Helper()
	out := t.TempDir()
	if code, text := run(t, "run", "--quiet", "--rule", "SUB-LIMIT-051", "--out", out); code != reports.ExitConformant {
		t.Fatalf("code %d: %s", code, text)
	}
	return out
}

// readable tells whether the report of a killed run is what it should be.
func (s *shared) readable(t *testing.T, out string) {
	t.Helper()
	if results, err := reports.Read(filepath.Join(out, reports.FileName)); err != nil || results.Verdict != reports.Incomplete {
		t.Errorf("the report of a killed run: verdict %s, %v", results.Verdict, err)
	}
	if _, err := os.Stat(filepath.Join(out, reports.HTMLName)); err == nil {
		return // killed before it had removed what was there before, and verify says so
	}
	if code, text := run(t, "verify", out); code != reports.ExitIncomplete {
		t.Errorf("verify of a killed run ends with %d: %s", code, text)
	}
}

// Where the reaper finds the target gone, it says so, and what is left can
// still be found and removed later.
func TestWhatAKilledRunLeavesIsFoundAndRemoved(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	before := s.holds(t)
	left := 0
	for i := range 2 {
		out := t.TempDir()
		n := 20 + rand.Int64N(80)
		s.outage.Store(true)
		text, _ := s.until(t, moment{request: n}, syscall.SIGKILL, out)
		if said := text(); !strings.Contains(said, "not all could be") || !strings.Contains(said, "503") {
			t.Errorf("run %d: its reaper met an outage and said: %s", i, said)
		}
		s.down.Store(false)
		s.readable(t, out)
		found := len(s.settled(t)) - len(before)
		left += found
		code, listed := run(t, append([]string{"cleanup"}, s.flags()...)...)
		if want := map[bool]int{true: reports.ExitConformant, false: reports.ExitIncomplete}[found == 0]; code != want || !strings.Contains(listed, "0 removed, ") {
			t.Errorf("run %d left %d; code %d: %s", i, found, code, listed)
		}
		if code, text := run(t, append([]string{"cleanup", "--all"}, s.flags()...)...); code != reports.ExitConformant {
			t.Errorf("run %d: code %d: %s", i, code, text)
		}
		if after := s.holds(t); !slices.Equal(after, before) {
			t.Fatalf("run %d, killed at request %d: %v is left beside %v", i, n, after, before)
		}
	}
	if left == 0 {
		t.Error("no killed run left anything: nothing was shown")
	}
}
