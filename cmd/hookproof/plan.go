package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/targets/embedded"
)

func planCommand() *cobra.Command {
	var target targetFlags
	var selection selectionFlags
	var rules, faults, profiles bool
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what would run, what would not, and why",
		Long: `Show the scenarios that «hookproof run» with the same flags would run, and
those that would not apply to the target, with the reason. Nothing is started.`,
		Example: `  hookproof plan --profile limits
  hookproof plan --rules
  hookproof plan --profiles
  hookproof plan --shard 1/4
  hookproof plan --faults`,
		Args: cobra.NoArgs,
	}
	target.add(cmd.Flags())
	selection.add(cmd.Flags())
	cmd.Flags().BoolVar(&rules, "rules", false, "list the rules instead, with what judges each")
	cmd.Flags().BoolVar(&profiles, "profiles", false, "list the profiles instead, with how much each selects")
	cmd.Flags().BoolVar(&faults, "faults", false, "list the deliberate faults of the embedded pair instead, with the rules that notice")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if faults {
			return writeFaults(cmd.OutOrStdout())
		}
		if err := selection.read(cmd.Flags()); err != nil {
			return err
		}
		who, err := target.make(cmd.Flags(), selection.Role)
		if err != nil {
			return err
		}
		plan, err := hookproof.NewPlan(who.Info(), selection.Selection)
		if err != nil {
			return err
		}
		if profiles {
			return plan.WriteProfiles(cmd.OutOrStdout())
		}
		if rules {
			return plan.WriteRules(cmd.OutOrStdout())
		}
		return plan.WriteScenarios(cmd.OutOrStdout())
	}
	return cmd
}

// writeFaults lists the faults that --fault takes.
func writeFaults(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range embedded.Faults() {
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.Name, strings.Join(f.Rules, " "), f.Sentence)
	}
	return table.Flush()
}

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain RULE|SCENARIO",
		Short: "Say what a rule promises, who says so, and how it is judged",
		Long:  "Say what a rule promises, who says so, and what judges it; of a scenario, its\ntext, and that of every rule that it judges.",
		Example: `  hookproof explain SUB-LIMIT-051
  hookproof explain limits/a-51st-subscription-is-refused`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var text strings.Builder
			if err := hookproof.Explain(&text, args[0]); err != nil {
				return err
			}
			_, err := io.WriteString(cmd.OutOrStdout(), asCalled(text.String()))
			return err
		},
	}
}
