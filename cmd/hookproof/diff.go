package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
)

func diffCommand() *cobra.Command {
	var asJSON, asMarkdown bool
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Compare two reports: regressions, fixes, new and gone rules",
		Long: `Compare two reports of the same selection, each a folder or a results.json:
what got worse, what is kept now, what has another outcome, and which rules and
scenarios are new or gone. Ends with 1 if anything got worse, else with 0; it
does not repeat the verdict of either report. A promise that was kept, and is
not claimed or could not be seen any more, got worse.`,
		Example: `  hookproof diff main-report hookproof-report
  hookproof diff main-report hookproof-report --markdown > comment.md`,
		Args: cobra.ExactArgs(2),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().BoolVar(&asMarkdown, "markdown", false, "write Markdown, for a pull request")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if asJSON && asMarkdown {
			return usageError("--json and --markdown: choose one")
		}
		before, err := readReport(args[0])
		if err != nil {
			return err
		}
		after, err := readReport(args[1])
		if err != nil {
			return err
		}
		diff, err := reports.DiffOf(before, after)
		if err != nil {
			return usageError("%v", err)
		}
		write := diff.WriteText
		switch {
		case asJSON:
			write = diff.WriteJSON
		case asMarkdown:
			write = diff.WriteMarkdown
		}
		if err := write(cmd.OutOrStdout()); err != nil {
			return err
		}
		if code := diff.ExitCode(); code != reports.ExitConformant {
			return exitCode(code)
		}
		return nil
	}
	return cmd
}

// readReport reads the results.json at a path, or in a folder.
func readReport(path string) (reports.Results, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, reports.FileName)
	}
	r, err := reports.Read(path)
	if err != nil {
		return r, usageError("%v", err)
	}
	return r, contradicted(path, r)
}

// contradicted refuses a report that no run of this suite can have given.
func contradicted(path string, r reports.Results) error {
	found, err := hookproof.Contradictions(r)
	switch {
	case err != nil:
		return err
	case len(found) > 0:
		return usageError("%s is not what a run gives, in %d places; the first: %s", path, len(found), found[0])
	}
	return nil
}
