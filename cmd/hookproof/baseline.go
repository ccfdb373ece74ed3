package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookproof/hookproof/reports"
)

// accepted is for how many days a known failure is accepted where nothing else
// is said: a quarter of a year is long enough to mend it, and short enough not
// to be forgotten.
const accepted = 90

func baselineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "baseline",
		Short: "Keep a list of known failures",
		Long: `A baseline lists the scenarios that are known to fail: each with the reason
why that is accepted, the last day on which it is, and what the failure says.
«hookproof run --baseline FILE» then ends with 0 as long as nothing fails but
these, as listed. The verdict stays non-conformant. It ends with 5 where the
baseline is out of date: an entry does not fail any more, or fails after its
last day, or is of no scenario that there is.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(baselineWriteCommand())
	return cmd
}

func baselineWriteCommand() *cobra.Command {
	var to, reason, expires string
	cmd := &cobra.Command{
		Use:   "write REPORT",
		Short: "Make the baseline of a report's failures",
		Long: `Make the baseline of a report, a folder or a results.json: an entry for every
scenario that failed, and for those that could not run beside them. Entries of
the run's own baseline that still hold stay as they are; a file at --to with
entries that the run did not know is left alone, and refused. The run must be
whole: a report of a selection, of a shard, or of a run that was interrupted, or
in which scenarios could not run and none failed, is refused, as what was not
seen would pass for known.

In the messages, * stands for anything; make them wider by hand where a failure
says something else each time.`,
		Example: `  hookproof run --fault limit-51
  hookproof baseline write hookproof-report --reason "issue 12: the limit is off by one"
  hookproof run --fault limit-51 --baseline hookproof-baseline.yaml`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&to, "to", "hookproof-baseline.yaml", "`file` to write")
	cmd.Flags().StringVar(&reason, "reason", "", "`why` the failures that are not listed yet are accepted")
	cmd.Flags().StringVar(&expires, "expires", time.Now().UTC().AddDate(0, 0, accepted).Format(time.DateOnly), "their last `day`, UTC")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if day, err := time.Parse(time.DateOnly, expires); err != nil || day.Before(time.Now().UTC().Truncate(24*time.Hour)) {
			return usageError("--expires %q is no day to come, such as 2027-01-31", expires)
		}
		r, err := readReport(args[0])
		if err != nil {
			return err
		}
		known, err := reports.BaselineOf(r, reason, expires)
		if err != nil {
			return usageError("%v", err)
		}
		if err := mayReplace(to, r, known); err != nil {
			return err
		}
		text, err := reports.FormatBaseline(known)
		if err != nil {
			return err
		}
		if err := os.WriteFile(to, text, 0o644); err != nil {
			return usageError("write the baseline: %v", err)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%d known failures in %s; «%s run --baseline %s» accepts them\n", len(known), to, program(), quote(to))
		return nil
	}
	return cmd
}

// mayReplace refuses to write over a file that the run did not know: its
// entries, and the reasons in them, would be lost. The run's own baseline may be
// replaced, and so may one that says the same as the new one.
func mayReplace(path string, r reports.Results, by []reports.Known) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return usageError("read what is to be replaced: %v", err)
	}
	there, err := reports.ParseBaseline(path, text)
	if err != nil {
		return usageError("%s is there already, and is no baseline (%v); choose another file with --to", path, err)
	}
	used := r.BaselineSHA256
	if used == "" && len(r.Baseline) > 0 { // a report of a version that did not write it
		used = reports.BaselineDigest(r.Baseline)
	}
	switch reports.BaselineDigest(there) {
	case used, reports.BaselineDigest(by):
		return nil
	}
	how := "the run did not use it"
	if used != "" {
		how = "it is not as it was when the run used it, or the run used another one"
	}
	return usageError("%s is there already, with %s, and %s; run with --baseline %s, so that its entries are kept, or choose another file with --to",
		path, reports.Plural(len(there), "known failure"), how, quote(path))
}

// readBaseline reads the file that --baseline names.
func readBaseline(path string) ([]reports.Known, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError("--baseline: %v", err)
	}
	known, err := reports.ParseBaseline(path, text)
	if err != nil {
		return nil, usageError("--baseline: %v", err)
	}
	return known, nil
}
