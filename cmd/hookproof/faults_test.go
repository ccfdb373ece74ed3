package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/reports"
)

func TestTheMatrixFromTheCommandLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"one fault":         {[]string{"faults", "--fault", "limit-51", "--out", filepath.Join(dir, "one")}, reports.ExitConformant, "SUB-LIMIT-051 killed"},
		"an unknown fault":  {[]string{"faults", "--fault", "limit-52"}, reports.ExitUsage, "limit-52"},
		"an unknown rule":   {[]string{"faults", "--rule", "NOSUCH"}, reports.ExitUsage, "NOSUCH"},
		"no fault":          {[]string{"faults", "--fault", ""}, reports.ExitUsage, "--fault names nothing"},
		"no shard":          {[]string{"faults", "--shard", "3/2"}, reports.ExitUsage, "3/2"},
		"no concurrency":    {[]string{"faults", "--concurrency", "0"}, reports.ExitUsage, "--concurrency"},
		"an unknown knob":   {[]string{"run", "--hostile-knob", "nosuch"}, reports.ExitUsage, "event-order"},
		"a seed of nothing": {[]string{"emitter", "--hostile=0"}, reports.ExitUsage, "--hostile"},
		"a knob of others":  {[]string{"receiver", "--hostile-knob", "event-order"}, reports.ExitUsage, "receiver-delays"},
		"another's emitter": {[]string{"run", "--hostile", "--target", "https://emitter.example"}, reports.ExitUsage, "--hostile"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if code, out := run(t, c.args...); code != c.code || !strings.Contains(out, c.says) {
				t.Errorf("exit code %d, want %d; it says:\n%s", code, c.code, out)
			}
		})
	}
	t.Cleanup(func() {
		for _, file := range []string{reports.MatrixName, reports.MatrixPageName} {
			if _, err := os.Stat(filepath.Join(dir, "one", file)); err != nil {
				t.Error(err)
			}
		}
	})
}
