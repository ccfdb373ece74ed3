package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets/embedded"
)

func faultsCommand() *cobra.Command {
	var o hookproof.MatrixOptions
	var shard, out string
	var quiet bool
	cmd := &cobra.Command{
		Use:   "faults",
		Short: "Prove that the suite bites: every deliberate fault against the rules that must notice",
		Long: `Run every deliberate fault of the embedded references against the scenarios of
the rules that must notice it, and every liberty that no rule forbids against a
sample of the suite. Print the matrix of rules and faults, and write it to --out
as faults.json and faults.html.

A fault is killed where a rule's own scenario fails, or warns for a SHOULD,
because of that rule; a few scenarios of the rest of the suite, chosen by the
seed, tell whether it is at least noticed by another. It ends with 1 if a fault
is not killed by each of its rules, if a liberty is taken for a fault, or if an
observed MUST or SHOULD has no fault to prove it.

«hookproof plan --faults» lists the faults.`,
		Example: `  hookproof faults
  hookproof faults --rule DLV-012
  hookproof faults --fault limit-51,hold-5s
  hookproof faults --shard 2/3 --out matrix-2`,
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&o.Names, "fault", nil, "only the fault or liberty of this `name`; repeatable")
	flags.StringSliceVar(&o.Rules, "rule", nil, "only faults that the rule of this `id` must notice; repeatable")
	flags.StringVar(&shard, "shard", "", "only part `i/n` of the rows, such as 2/3")
	flags.Int64Var(&o.Seed, "shuffle", 0, "`seed` of the sample, the order and made-up values; 0 draws one and prints it")
	flags.IntVar(&o.Parallel, "concurrency", hookproof.DefaultParallel(), "`number` of faults that run at once")
	flags.BoolVar(&o.Again, "again", false, "run what is not killed, or taken for a fault, a second time and alone; the matrix shows both runs, and the second counts")
	flags.StringVar(&out, "out", "hookproof-faults", "`folder` for faults.json and faults.html")
	flags.BoolVar(&quiet, "quiet", false, "print only what follows from the matrix")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		for name, list := range map[string][]string{"fault": o.Names, "rule": o.Rules} {
			if flags.Changed(name) && (len(list) == 0 || slices.Contains(list, "")) {
				return usageError("--%s names nothing", name)
			}
		}
		if err := someFolder(out); err != nil {
			return err
		}
		if flags.Changed("shard") {
			if o.Shard, err = hookproof.ParseShard(shard); err != nil {
				return err
			}
		}
		if o.Parallel < 1 || o.Parallel > 1000 {
			return usageError("--concurrency %d is not between 1 and 1000", o.Parallel)
		}
		console := reports.ConsoleFor(os.Stdout, os.Getenv)
		if out := cmd.OutOrStdout(); out != os.Stdout {
			console = reports.Console{Out: out}
		}
		console.Quiet = quiet
		if o.Seed == 0 {
			o.Seed = rand.Int64N(1_000_000) + 1
		}
		progress := console.MatrixProgress()
		o.Faults, o.Liberties, o.Observe = deliberateFaults(), liberties(o.Seed), progress
		m, err := hookproof.KillMatrix(cmd.Context(), o)
		progress.Finish()
		if err != nil {
			return err
		}
		if err := reports.WriteMatrix(out, m); err != nil {
			return err
		}
		if err := console.Matrix(m); err != nil {
			return err
		}
		fmt.Fprintf(console.Out, "written to %s\n", out)
		if code := m.ExitCode(); code != reports.ExitConformant {
			return exitCode(code)
		}
		return nil
	}
	return cmd
}

// deliberateFaults are those of the embedded references.
func deliberateFaults() []hookproof.Fault {
	var list []hookproof.Fault
	for _, f := range embedded.Faults() {
		list = append(list, hookproof.Fault{
			Name: f.Name, Sentence: f.Sentence, Rules: f.Rules,
			Target: embedded.New(embedded.Options{Role: f.Role, Faults: []string{f.Name}}),
		})
	}
	return list
}

// liberties are those of the embedded references, one by one.
func liberties(seed int64) []hookproof.Liberty {
	var list []hookproof.Liberty
	for _, l := range embedded.Liberties() {
		list = append(list, hookproof.Liberty{
			Name: l.Name, Sentence: l.Sentence,
			Target: embedded.New(embedded.Options{Hostile: embedded.Hostile{Seed: seed, Knobs: []string{l.Name}}}),
		})
	}
	return list
}
