//go:build ignore

// Command bar prints how long the run of a report took beside what it may take
// on two cores. It never fails: on a busy machine a time says little.
//
//	go run .ci/bar.go hookproof-report
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/hookproof/hookproof/reports"
)

// What the embedded pair, both roles, may take: so long in all, and no more than
// the longest scenario explains.
const (
	inAll        = 10 * time.Second
	timesLongest = 1.5
	andMore      = 5 * time.Second
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run .ci/bar.go REPORT")
		os.Exit(2)
	}
	r, err := reports.Read(filepath.Join(os.Args[1], reports.FileName))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	var longest reports.Scenario
	for _, s := range r.Scenarios {
		if s.DurationMs > longest.DurationMs {
			longest = s
		}
	}
	ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
	took, explained := ms(r.DurationMs), time.Duration(timesLongest*float64(ms(longest.DurationMs)))+andMore
	beside := func(limit time.Duration) string {
		if took < limit {
			return fmt.Sprintf("below %.1f s", limit.Seconds())
		}
		return fmt.Sprintf("OVER %.1f s", limit.Seconds())
	}
	load := ""
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		load = ", load " + strings.Fields(string(text))[0]
	}
	fmt.Printf("the run took %.1f s (%d processors%s): %s, and %s, which is %v × its longest scenario (%s, %.1f s) + %v\n",
		took.Seconds(), runtime.NumCPU(), load, beside(inAll), beside(explained), timesLongest, longest.ID, ms(longest.DurationMs).Seconds(), andMore)
}
