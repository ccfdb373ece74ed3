package main

import (
	"github.com/spf13/cobra"

	"github.com/hookproof/hookproof"
)

func mergeCommand() *cobra.Command {
	var out string
	var quiet bool
	cmd := &cobra.Command{
		Use:   "merge DIR...",
		Short: "Join the reports of all shards of a run",
		Long: `Join the reports of all shards of a run into the report that one run of the
whole would have given, with its transcripts, and give its verdict. The shards
must be all of one run: of the same suite, target, selection, seed, number of
repetitions and baseline, each exactly once; and each is verified first.`,
		Example: `  hookproof run --shard 1/2 --shuffle 42 --out shard-1
  hookproof run --shard 2/2 --shuffle 42 --out shard-2
  hookproof merge shard-1 shard-2`,
		Args: cobra.MinimumNArgs(1),
	}
	cmd.Flags().StringVar(&out, "out", "hookproof-report", "`folder` for the reports")
	cmd.Flags().BoolVar(&quiet, "quiet", false, "print only the verdict")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := someFolder(out); err != nil {
			return err
		}
		words := given(cmd)
		for _, dir := range args {
			words = append(words, quote(dir))
		}
		results, err := hookproof.Merge(cmd.Context(), out, commandLine("merge", words), args)
		if err != nil {
			return err
		}
		return conclude(consoleOf(cmd, out, quiet), results)
	}
	return cmd
}
