package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/targets"
)

// cleanUpWithin bounds a clean-up; a target that lists and removes one thing a
// second is still done with a hundred.
const cleanUpWithin = 5 * time.Minute

func cleanupCommand() *cobra.Command {
	var target targetFlags
	var run string
	var all bool
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "Find, and remove, what killed runs left at a target",
		Long: `Find what runs have left at a target at a URL, by the names that the suite
gives. A run removes what it makes, also after Ctrl-C; if it is killed, a second
process, which it has started, does. Where both were killed, as with a machine
or a container, this command does.

Without --run and --all, nothing is removed, and the commands that would are
printed. A run that is still going on has its things there too: leave it out.
Where a run had made environments, give --claim environments here too. Ends with
0 if nothing is left, else with 3, also where the target did not let everything
be looked for.`,
		Example: `  hookproof cleanup --target https://emitter.example --environment 8f3c… --client-id 41ab…
  hookproof cleanup --target https://emitter.example --environment 8f3c… --client-id 41ab… --run 1f09c2aa`,
		Args: cobra.NoArgs,
	}
	target.add(cmd.Flags())
	cmd.Flags().StringVar(&run, "run", "", "remove what the run of this `id` left")
	cmd.Flags().BoolVar(&all, "all", false, "remove what any run left")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if run != "" && all {
			return usageError("--run and --all exclude each other")
		}
		if !target.isURL() {
			return usageError("--target must be the URL of an emitter: an embedded one, or one from an image, leaves nothing")
		}
		client, claims, err := target.visit()
		if err != nil {
			return err
		}
		defer client.Close()
		ctx, cancel := context.WithTimeout(cmd.Context(), cleanUpWithin)
		defer cancel()
		found, untold := client.Leftovers(ctx, claims)
		if run == "" && !all {
			return list(cmd, found, untold)
		}
		return cleanUp(ctx, cmd.OutOrStdout(), client, found, untold, run, all)
	}
	return cmd
}

// list removes nothing, and ends with the commands that do.
func list(cmd *cobra.Command, found []driver.Leftover, untold error) error {
	out := cmd.OutOrStdout()
	if err := tabulate(out, found, func(driver.Leftover) string { return "left" }); err != nil {
		return err
	}
	fmt.Fprintf(out, "0 removed, %d left.", len(found))
	if runs := runsOf(found); len(runs) > 0 {
		whose := "their run has"
		if len(runs) > 1 {
			whose = "their runs have"
		}
		fmt.Fprintf(out, " What removes them, once %s ended:\n", whose)
		needs, same := again(cmd)
		command := "  " + needs + commandLine("cleanup", same)
		for _, run := range runs {
			fmt.Fprintf(out, "%s --run %s    # %s\n", command, quote(run), kindsOf(found, run))
		}
		if len(runs) > 1 {
			fmt.Fprintf(out, "%s --all\n", command)
		}
	} else {
		fmt.Fprintln(out)
	}
	return left(out, len(found), untold)
}

// cleanUp removes of what was found the leftovers of a run, or all, and lists
// the others; untold is what could not be looked for.
func cleanUp(ctx context.Context, out io.Writer, client *driver.Client, found []driver.Leftover, untold error, run string, all bool) error {
	var remove, keep []driver.Leftover
	for _, l := range found {
		if all || l.Run == run {
			remove = append(remove, l)
		} else {
			keep = append(keep, l)
		}
	}
	refused := client.Remove(ctx, remove)
	err := tabulate(out, found, func(l driver.Leftover) string {
		switch {
		case slices.Contains(refused, l):
			return "not removed"
		case slices.Contains(remove, l):
			return "removed"
		}
		return "left"
	})
	if err != nil {
		return err
	}
	if run != "" && len(remove) == 0 && len(found) > 0 {
		fmt.Fprintf(out, "Nothing is left of a run %q; --run takes one of: %s\n", run, strings.Join(runsOf(found), ", "))
	}
	fmt.Fprintf(out, "%d removed, %d left.\n", len(remove)-len(refused), len(keep)+len(refused))
	return left(out, len(keep)+len(refused), untold)
}

// tabulate prints what was found, and what became of each.
func tabulate(out io.Writer, found []driver.Leftover, became func(driver.Leftover) string) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, l := range found {
		fmt.Fprintf(table, "%s\trun %s\t%s\t%s\t%s\n", became(l), l.Run, l.Kind, l.Name, l.Path)
	}
	return table.Flush()
}

// left ends with the exit code of so many things that are left, and of what
// could not be looked for.
func left(out io.Writer, n int, untold error) error {
	if untold != nil {
		fmt.Fprintf(out, "There may be more, which could not be looked for:\n%v\n", untold)
	}
	if n > 0 || untold != nil {
		return exitCode(reports.ExitIncomplete)
	}
	return nil
}

// visit gives a client of the target, and what the target claims.
func (t *targetFlags) visit() (*driver.Client, []targets.Capability, error) {
	target, err := t.remote(features.Emitter)
	if err != nil {
		return nil, nil, err
	}
	client, err := driver.NewClient(&targets.System{Emitter: target.Emitter()})
	if err != nil {
		return nil, nil, usageError("%v", err)
	}
	return client, target.Info().Claims, nil
}

// runsOf are the ids of the runs that left something.
func runsOf(found []driver.Leftover) []string {
	ids := make([]string, len(found))
	for i, l := range found {
		ids[i] = l.Run
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// kindsOf is how much of each kind a run left.
func kindsOf(found []driver.Leftover, run string) string {
	count := map[string]int{}
	for _, l := range found {
		if l.Run == run {
			count[l.Kind]++
		}
	}
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		kinds = append(kinds, fmt.Sprintf("%s: %d", kind, count[kind]))
	}
	return strings.Join(kinds, ", ")
}
