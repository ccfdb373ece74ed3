package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookproof/hookproof/simulator/emitter/bench"
)

func benchEmitterCommand() *cobra.Command {
	options := bench.Options{}
	asJSON := false
	command := &cobra.Command{
		Use:   "emitter",
		Short: "Measure the reference emitter",
		Long: `Measure how many events of 1,200 bytes a second the reference emitter delivers
over HTTPS, from their being appended to the last delivery, beside the same
client posting prebuilt payloads to the same handler; how long lone events are
held while a thousand subscriptions wait for them; and how long a backlog takes
to drain, with how much memory. Emitter, client and receiver share the process.
The data is kept on disk, in a folder that is removed again.

The bars are set for the default of --events; smaller numbers are measured
without. The exit code is 1 if a bar is not kept.`,
		Example: `  hookproof bench emitter
  hookproof bench emitter --events 100000 --rounds 2 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBenchEmitter(cmd, options, asJSON) },
	}
	f := command.Flags()
	f.IntVar(&options.Events, "events", bench.DefaultEvents, "events of the backlog; a round of deliveries has half as many")
	f.IntSliceVar(&options.Subscriptions, "subscriptions", []int{1, 10, 50}, "subscriptions that take deliveries at once")
	f.IntVar(&options.Rounds, "rounds", 5, "turns of ceiling and emitter; the median counts")
	f.IntVar(&options.Held, "held", 1000, "subscriptions that wait for lone events")
	f.IntVar(&options.Lone, "lone", 10, "lone events for each of them, after the first")
	f.StringVar(&options.Dir, "dir", "", "where the data is kept meanwhile (default the directory for temporary files)")
	f.BoolVar(&asJSON, "json", false, "print JSON instead of tables")
	return command
}

func runBenchEmitter(cmd *cobra.Command, options bench.Options, asJSON bool) error {
	for _, bounded := range []struct {
		flag       string
		value      int
		least, top int
	}{
		{"events", options.Events, 1000, 100_000_000}, {"rounds", options.Rounds, 1, 1000},
		{"held", options.Held, 1, 10_000}, {"lone", options.Lone, 1, 1000},
	} {
		if bounded.value < bounded.least || bounded.value > bounded.top {
			return usageError("--%s: %d is not a number from %d to %d", bounded.flag, bounded.value, bounded.least, bounded.top)
		}
	}
	for _, n := range options.Subscriptions {
		if n < 1 || n > 50 {
			return usageError("--subscriptions: %d is not a number from 1 to 50", n)
		}
	}
	t := &benchTables{printer: printer{out: cmd.OutOrStdout()}, quiet: asJSON, Processors: runtime.GOMAXPROCS(0)}
	if err := bench.Run(cmd.Context(), options, bench.Told{Delivery: t.delivery, Hold: t.hold, Backlog: t.backlog}); err != nil {
		return err
	}
	if asJSON {
		encoded, err := json.MarshalIndent(t, "", "  ")
		if err != nil {
			return err
		}
		t.printf("%s\n", encoded)
	}
	if t.err == nil && t.below > 0 {
		return exitCode(1)
	}
	return t.err
}

// benchTables collects what was measured and prints it as it comes.
type benchTables struct {
	printer
	quiet bool // nothing is printed
	below int  // measurements that do not keep a bar

	Processors int              `json:"processors"`
	Deliveries []bench.Delivery `json:"deliveries"`
	Holds      []bench.Hold     `json:"holds"`
	Backlogs   []bench.Backlog  `json:"backlogs"`
}

func (t *benchTables) delivery(d bench.Delivery) {
	if len(t.Deliveries) == 0 {
		t.row("%13s %12s %12s %6s %5s %9s %8s\n", "subscriptions", "ceiling/s", "emitter/s", "ratio", "bar", "in batch", "B/event")
	}
	t.Deliveries = append(t.Deliveries, d)
	t.keeps(d.Kept())
	t.row("%13d %12.0f %12.0f %6.2f %5s %9.1f %8.0f\n",
		d.Subscriptions, d.Ceiling, d.Emitter, d.Ratio, barOf("%.2f", d.Bar), d.Batch, d.Allocated)
}

func (t *benchTables) hold(h bench.Hold) {
	if len(t.Holds) == 0 {
		t.row("\n%13s %12s %11s %9s %9s %9s %5s\n", "subscriptions", "lone events", "connections", "p50", "p99", "max hold", "bar")
	}
	t.Holds = append(t.Holds, h)
	t.keeps(h.Kept())
	t.row("%13d %12d %11s %9v %9v %9v %5s\n", h.Subscriptions, h.Events, h.Connections,
		h.P50.Round(time.Millisecond), h.P99.Round(time.Millisecond), h.Max.Round(time.Millisecond), barOf("%.0fs", h.Bar.Seconds()))
}

func (t *benchTables) backlog(b bench.Backlog) {
	if len(t.Backlogs) == 0 {
		t.row("\n%9s %8s %12s %9s %8s %8s %5s %7s %5s\n", "backlog", "took", "events/s", "in batch", "B/event", "peak MB", "bar", "growth", "bar")
	}
	t.Backlogs = append(t.Backlogs, b)
	t.keeps(b.Kept())
	peak := "unknown"
	if b.Peak > 0 {
		peak = fmt.Sprintf("%.0f", float64(b.Peak)/1e6)
	}
	t.row("%9d %8v %12.0f %9.1f %8.0f %8s %5s %7s %5s\n", b.Events, b.Took.Round(time.Millisecond), b.Speed, b.Batch, b.Allocated,
		peak, barOf("%.0f", float64(b.PeakBar)/1e6), barOf("%.2f", b.Growth), barOf("%.1f", b.GrowthBar))
}

func (t *benchTables) keeps(kept bool) {
	if !kept {
		t.below++
	}
}

func (t *benchTables) row(format string, values ...any) {
	if !t.quiet {
		t.printf(format, values...)
	}
}

// barOf is how a number is shown that need not be there.
func barOf(format string, value float64) string {
	if value == 0 {
		return "-"
	}
	return fmt.Sprintf(format, value)
}
