package main

import (
	"context"
	"fmt"
	"io"
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

Without --run and --all, nothing is removed. A run that is still going on has
its things there too: leave it out. Where a run had made environments, give
--claim environments here too. Ends with 0 if nothing is left, else with 3, also
where the target did not let everything be looked for.`,
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
		return cleanUp(ctx, cmd.OutOrStdout(), client, found, untold, run, all)
	}
	return cmd
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
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, l := range found {
		what := "left"
		switch {
		case slices.Contains(refused, l):
			what = "not removed"
		case slices.Contains(remove, l):
			what = "removed"
		}
		fmt.Fprintf(table, "%s\trun %s\t%s\t%s\t%s\n", what, l.Run, l.Kind, l.Name, l.Path)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if run != "" && len(remove) == 0 && len(found) > 0 {
		fmt.Fprintf(out, "Nothing is left of a run %q; --run takes one of: %s\n", run, strings.Join(runsOf(found), ", "))
	}
	fmt.Fprintf(out, "%d removed, %d left.\n", len(remove)-len(refused), len(keep)+len(refused))
	if untold != nil {
		fmt.Fprintf(out, "There may be more, which could not be looked for:\n%v\n", untold)
	}
	if len(keep)+len(refused) > 0 || untold != nil {
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
