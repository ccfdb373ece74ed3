package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
)

func verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify DIR",
		Short: "Judge the evidence of a report again, without the target",
		Long: `Run the steps of every scenario again on its stored transcript, without any
target and without the network, and compare with what the report says. Ends
with 0 if the evidence bears out the report, with 1 if anything differs, and
with 3 if nothing differs but scenarios have no evidence. It does not repeat
the report's own verdict: a report of failures whose evidence shows those
failures verifies. A report that was forged as a whole, consistently, cannot be
told from a true one without a signature.`,
		Example: `  hookproof run --out report
  hookproof verify report`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := hookproof.Verify(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, d := range v.Differences {
				fmt.Fprintln(out, d)
			}
			switch {
			case len(v.Differences) > 0:
				fmt.Fprintf(out, "The evidence does not bear out the report: %s.\n", reports.Plural(len(v.Differences), "difference"))
				return exitCode(reports.ExitNonConformant)
			case len(v.Unevidenced) > 0:
				fmt.Fprintf(out, "Nothing differs, and of %d of %d scenarios there is no evidence: the report says that they could not run (verdict %s).\n",
					len(v.Unevidenced), len(v.Results.Scenarios), v.Results.Verdict)
				return exitCode(reports.ExitIncomplete)
			}
			fmt.Fprintf(out, "%d scenarios judged again: the evidence bears out the report (verdict %s).\n", len(v.Results.Scenarios), v.Results.Verdict)
			return nil
		},
	}
}
