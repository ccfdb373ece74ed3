package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets/embedded"
)

// selectionFlags narrow what runs.
type selectionFlags struct{ hookproof.Selection }

func (s *selectionFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&s.Role, "role", "both", "`role` to test: emitter, receiver or both")
	flags.StringSliceVar(&s.Profiles, "profile", nil, "only this `profile`: core, full, beta, or the name of an area; repeatable")
	flags.StringSliceVar(&s.Rules, "rule", nil, "only scenarios that judge the rule of this `id`; repeatable")
	flags.StringSliceVar(&s.Scenarios, "scenario", nil, "only the scenario of this `id`; repeatable")
}

// check refuses a list that was given and is empty, or has an empty member:
// it would select everything.
func (s *selectionFlags) check(flags *pflag.FlagSet) error {
	for name, list := range map[string][]string{"profile": s.Profiles, "rule": s.Rules, "scenario": s.Scenarios} {
		if flags.Changed(name) && (len(list) == 0 || slices.Contains(list, "")) {
			return usageError("--%s names nothing", name)
		}
	}
	return nil
}

func runCommand() *cobra.Command {
	var target targetFlags
	var selection selectionFlags
	var concurrency int
	var seed int64
	var out string
	var quiet bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Test a target and give a verdict",
		Long: `Run the scenarios of the features against a target and give a verdict.

Without flags, the embedded reference emitter is tested against the embedded
receiver simulator, on loopback; nothing else is needed. Reports go to --out:
results.json, junit.xml, and a transcript of every scenario, which
«hookproof verify» can judge again without the target.`,
		Example: `  hookproof run
  hookproof run --rule SUB-LIMIT-051 --fault limit-51
  hookproof run --profile filtering --out report
  HOOKPROOF_CLIENT_SECRET=… hookproof run --target https://emitter.example \
      --environment 8f3c… --client-id 41ab… --claim environments,certificates`,
		Args: cobra.NoArgs,
	}
	target.add(cmd.Flags())
	selection.add(cmd.Flags())
	cmd.Flags().IntVar(&concurrency, "concurrency", hookproof.DefaultConcurrency(), "`number` of scenarios that run at once")
	cmd.Flags().Int64Var(&seed, "shuffle", 0, "`seed` of the order and of made-up values; 0 draws one and prints it")
	cmd.Flags().StringVar(&out, "out", "hookproof-report", "`folder` for the reports")
	cmd.Flags().BoolVar(&quiet, "quiet", false, "print only the verdict")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := selection.check(cmd.Flags()); err != nil {
			return err
		}
		who, err := target.make()
		if err != nil {
			return err
		}
		console := reports.ConsoleFor(os.Stdout, os.Getenv)
		if out := cmd.OutOrStdout(); out != os.Stdout {
			console = reports.Console{Out: out}
		}
		console.Quiet, console.Dir = quiet, out
		again := rerun(cmd)
		options := []hookproof.Option{
			hookproof.Select(selection.Selection), hookproof.Concurrency(concurrency), hookproof.Report(out),
			hookproof.Command(strings.Join(append([]string{program() + " run"}, given(cmd)...), " "), again),
		}
		if seed != 0 {
			options = append(options, hookproof.Seed(seed))
		}
		var progress *reports.Progress
		options = append(options, hookproof.Observe(func(r reports.Results) {
			if !quiet {
				fmt.Fprintf(console.Out, "%d scenarios against %s, %d at once, shuffled with seed %d\n", len(r.Scenarios), r.Target.Name, concurrency, r.Seed)
			}
			progress = console.Progress(len(r.Scenarios))
		}, func(s reports.Scenario) { progress.Done(s) }))
		results, err := hookproof.Execute(cmd.Context(), who, options...)
		if progress != nil {
			progress.Finish()
		}
		if err != nil {
			return err
		}
		if err := console.Summary(results); err != nil {
			return err
		}
		if !quiet {
			fmt.Fprintf(console.Out, "reports in %s; «%s verify %s» judges them again\n", out, program(), quote(out))
		}
		if code := reports.ExitCode(results); code != reports.ExitConformant {
			return exitCode(code)
		}
		return nil
	}
	return cmd
}

// secret are the flags whose values are never shown.
var secret = map[string]bool{"client-secret": true, "token": true, "control-token": true}

// given are the flags that were set, as they can be typed again; secrets are
// left out.
func given(cmd *cobra.Command, without ...string) []string {
	var list []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Changed || secret[f.Name] {
			return
		}
		for _, w := range without {
			if f.Name == w {
				return
			}
		}
		value := f.Value.String()
		if s, ok := f.Value.(pflag.SliceValue); ok {
			value = strings.Join(s.GetSlice(), ",")
		}
		list = append(list, "--"+f.Name+"="+quote(value))
	})
	return list
}

// rerun gives the command that runs one scenario again in the same way.
func rerun(cmd *cobra.Command) func(string) string {
	same := given(cmd, "scenario", "rule", "profile", "out", "quiet", "concurrency", "shuffle")
	return func(id string) string {
		return strings.Join(append([]string{program() + " run --scenario " + quote(id)}, same...), " ")
	}
}

// program is how this program was called: by name, or by go run, which builds
// it below a folder go-build….
func program() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/hookproof"
	}
	return "hookproof"
}

// quote makes a word safe to paste into a shell.
func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,@", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func planCommand() *cobra.Command {
	var target targetFlags
	var selection selectionFlags
	var rules, faults bool
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what would run, what would not, and why",
		Long: `Show the scenarios that «hookproof run» with the same flags would run, and
those that would not apply to the target, with the reason. Nothing is started.`,
		Example: `  hookproof plan --profile limits
  hookproof plan --rules
  hookproof plan --faults`,
		Args: cobra.NoArgs,
	}
	target.add(cmd.Flags())
	selection.add(cmd.Flags())
	cmd.Flags().BoolVar(&rules, "rules", false, "list the rules instead, with what judges each")
	cmd.Flags().BoolVar(&faults, "faults", false, "list the deliberate faults of the embedded emitter instead, with the rules that notice")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if faults {
			return writeFaults(cmd.OutOrStdout())
		}
		if err := selection.check(cmd.Flags()); err != nil {
			return err
		}
		who, err := target.make()
		if err != nil {
			return err
		}
		plan, err := hookproof.NewPlan(who.Info(), selection.Selection)
		if err != nil {
			return err
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
		Use:   "explain RULE",
		Short: "Say what a rule promises, who says so, and how it is judged",
		Example: `  hookproof explain SUB-LIMIT-051
  hookproof explain DLV-012`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return hookproof.Explain(cmd.OutOrStdout(), args[0])
		},
	}
}

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
				fmt.Fprintf(out, "The evidence does not bear out the report: %d differ.\n", len(v.Differences))
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
