//go:build linux

package emitter_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"
)

// size is what an emitter is loaded with, and what it may cost while nothing
// happens.
type size struct {
	environments, subscriptions int
	window                      time.Duration // over which the processor's time is measured
	residentMB                  int
	core                        float64 // share of one
}

func sizeOf(t *testing.T) size {
	if os.Getenv(scaleFull) == "full" {
		return size{environments: 1000, subscriptions: 50, window: 20 * time.Second, residentMB: 1024, core: 0.05}
	}
	if testing.Short() {
		t.Skip("takes seconds")
	}
	return size{environments: 20, subscriptions: 50, window: time.Second, residentMB: 256, core: 0.05}
}

func TestAnIdleEmitterCostsLittleHoweverMuchIsConfigured(t *testing.T) {
	s := sizeOf(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "tenant.yaml")
	writeSeed(t, file, s)
	for _, start := range []string{"from the seed", "from what is kept"} {
		began := time.Now()
		c, pid, kill := seeded(t, filepath.Join(dir, "data"), file)
		ready := time.Since(began)
		busy := quiet(t, pid, s)
		resident := residentMB(t, pid)
		t.Logf("%s: %d environments, %d subscriptions: ready in %v, %d MB resident, %.2f %% of a core",
			start, s.environments, s.environments*s.subscriptions, ready.Round(time.Millisecond), resident, busy*100)
		if resident > s.residentMB || busy > s.core {
			t.Errorf("%d MB, %.2f %% of a core; at most %d MB and %.2f %% are allowed", resident, busy*100, s.residentMB, s.core*100)
		}
		first := gjson.Get(c.must(http.StatusOK, http.MethodGet, "/v1/environments?limit=2", ""), "_embedded.environments.#(name%\"tenant*\").id").Str
		if n := gjson.Get(c.must(http.StatusOK, http.MethodGet, "/v1/environments/"+first+"/subscriptions", ""), "size").Int(); n != int64(s.subscriptions) {
			t.Errorf("environment %q has %d subscriptions", first, n)
		}
		kill()
	}
}

func writeSeed(t *testing.T, file string, s size) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	for i := range s.environments {
		fmt.Fprintf(w, "---\nenvironments:\n- name: tenant %d\n  type: SANDBOX\n  region: EU\n  subscriptions:\n", i)
		for j := range s.subscriptions {
			fmt.Fprintf(w, `  - name: subscription %d
    enabled: true
    httpEndpoint: {url: "https://receiver%d.example/hooks/%d", headers: {Authorization: Basic dTpw}}
    filterOptions: {includedActionTypes: [USER.CREATED, USER.UPDATED, USER.DELETED], ipAddressExposed: true}
    verifyTlsCertificates: true
    payloadOptions: {maximumPayloadLimit: {type: EVENTS_PER_PAYLOAD, size: 100}}
`, j, i, j)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

// quiet waits until a process has come to rest and returns the share of a core
// that it then uses over the window.
func quiet(t *testing.T, pid int, s size) float64 {
	t.Helper()
	deadline := time.Now().Add(patience + 3*s.window)
	for {
		before, began := cpu(t, pid), time.Now()
		<-time.After(s.window) // the measurement itself
		share := (cpu(t, pid) - before).Seconds() / time.Since(began).Seconds()
		if share <= s.core || time.Now().After(deadline) {
			return share
		}
	}
}

// ticksPerSecond is what /proc counts processor time in, on every Linux.
const ticksPerSecond = 100

func cpu(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	ticks := 0
	for _, at := range []int{11, 12} { // utime and stime, counted from the state
		n, err := strconv.Atoi(fields[at])
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond
}

func residentMB(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			if err != nil {
				t.Fatal(err)
			}
			return kb / 1024
		}
	}
	t.Fatal("no resident size")
	return 0
}
