package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	receiverbench "github.com/hookproof/hookproof/simulator/receiver/bench"
)

// benchCommand measures speed.
func benchCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "bench",
		Short: "Measure speed beside a bare ceiling, in one run",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(benchEmitterCommand(), benchReceiverCommand())
	for _, c := range command.Commands() {
		c.Args = asUsage(c.Args)
	}
	return command
}

func benchReceiverCommand() *cobra.Command {
	options := receiverbench.Options{}
	asJSON := false
	command := &cobra.Command{
		Use:   "receiver",
		Short: "Measure the receiver simulator",
		Long: `Measure how many deliveries a second the receiver simulator takes on kept
connections, beside a bare net/http handler that reads and keeps the body. Both
take turns in the same run, so that the ratio holds on any machine. The exit
code is 1 if a ratio is below its bar.`,
		Example: `  hookproof bench receiver
  hookproof bench receiver --sizes 1000 --rounds 3 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBenchReceiver(cmd, options, asJSON) },
	}
	f := command.Flags()
	f.IntSliceVar(&options.Sizes, "sizes", []int{1_000, 100_000, 600_000}, "bytes of the bodies")
	f.IntVar(&options.Connections, "connections", 8, "connections used at once")
	f.DurationVar(&options.Round, "round", 250*time.Millisecond, "how long each is measured in its turn")
	f.IntVar(&options.Rounds, "rounds", 16, "turns of each; the median counts")
	f.BoolVar(&asJSON, "json", false, "print JSON instead of a table")
	return command
}

func runBenchReceiver(cmd *cobra.Command, options receiverbench.Options, asJSON bool) error {
	switch {
	case options.Connections < 1 || options.Connections > 1000:
		return usageError("--connections: %d is not a number from 1 to 1000", options.Connections)
	case options.Rounds < 1 || options.Round <= 0:
		return usageError("--rounds and --round: must be above 0")
	}
	for _, size := range options.Sizes {
		if size < 16 || size > 8<<20 {
			return usageError("--sizes: %d is not a number of bytes from 16 to %d", size, 8<<20)
		}
	}
	p := &printer{out: cmd.OutOrStdout()}
	if !asJSON {
		p.printf("%-8s %9s %14s %14s %7s %5s\n", "protocol", "bytes", "bare/s", "receiver/s", "ratio", "bar")
	}
	measured := []receiverbench.Measurement{}
	below := 0
	err := receiverbench.Run(cmd.Context(), options, func(m receiverbench.Measurement) {
		measured = append(measured, m)
		bar := "-"
		if m.Bar > 0 {
			bar = fmt.Sprintf("%.2f", m.Bar)
		}
		if !m.Kept() {
			below++
		}
		if !asJSON {
			p.printf("%-8s %9d %14.0f %14.0f %7.2f %5s\n", m.Protocol, m.Bytes, m.Bare, m.Receiver, m.Ratio, bar)
		}
	})
	if err != nil {
		return err
	}
	if asJSON {
		encoded, err := json.MarshalIndent(map[string]any{
			"processors": runtime.GOMAXPROCS(0), "connections": options.Connections, "measurements": measured,
		}, "", "  ")
		if err != nil {
			return err
		}
		p.printf("%s\n", encoded)
	}
	if p.err == nil && below > 0 {
		return exitCode(1)
	}
	return p.err
}
