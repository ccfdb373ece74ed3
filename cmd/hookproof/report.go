package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hookproof/hookproof/reports"
)

func reportCommand() *cobra.Command {
	var annotations bool
	cmd := &cobra.Command{
		Use:   "report DIR",
		Short: "Make the reports of a run again from its results.json",
		Long: `Make every report that follows from the results.json of a folder again:
report.html, summary.md, junit.xml, ctrf.json, cucumber.ndjson, report.tap,
badge.json and badge.svg. Ends with 0 if they could be written, whatever the
verdict of the run.

With --annotations, what is not in order is printed as GitHub's workflow
commands instead, and nothing is written.`,
		Example: `  hookproof report hookproof-report
  hookproof report hookproof-report --annotations`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := reports.Folder(args[0])
			results, err := readReport(dir)
			if err != nil {
				return err
			}
			if annotations {
				return reports.WriteAnnotations(cmd.OutOrStdout(), results)
			}
			if err := reports.WriteAll(dir, results); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "reports in %s, from its %s\n", dir, reports.FileName)
			return nil
		},
	}
	cmd.Flags().BoolVar(&annotations, "annotations", false, "print GitHub's workflow commands instead of writing the reports")
	return cmd
}
