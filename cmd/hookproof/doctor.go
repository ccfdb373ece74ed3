package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets"
)

// grade is how a check of the doctor came out.
type grade string

const (
	gradeOK   grade = "ok"
	gradeWarn grade = "warn" // a run is possible, and may show less or something odd
	gradeFail grade = "fail" // a run would fail because of it, or show nothing
)

// finding is what one check found: a line of the doctor's report.
type finding struct {
	Check  string `json:"check"`
	Grade  grade  `json:"grade"`
	Found  string `json:"found"`
	Remedy string `json:"remedy,omitempty"`
}

// diagnosis is what all checks found.
type diagnosis struct {
	Target   string    `json:"target"`
	Findings []finding `json:"findings"`
}

func (d *diagnosis) ok(check, format string, args ...any) {
	d.add(gradeOK, check, "", format, args...)
}

func (d *diagnosis) warn(check, remedy, format string, args ...any) {
	d.add(gradeWarn, check, remedy, format, args...)
}

func (d *diagnosis) fail(check, remedy, format string, args ...any) {
	d.add(gradeFail, check, remedy, format, args...)
}

func (d *diagnosis) add(g grade, check, remedy, format string, args ...any) {
	d.Findings = append(d.Findings, finding{check, g, strings.TrimSpace(fmt.Sprintf(format, args...)), asCalled(remedy)})
}

// failed tells whether something is to be mended before a run.
func (d *diagnosis) failed() bool {
	for _, f := range d.Findings {
		if f.Grade == gradeFail {
			return true
		}
	}
	return false
}

// doctorWithin bounds all checks together; each call has its own bound.
const doctorWithin = 2 * time.Minute

func doctorCommand() *cobra.Command {
	var target targetFlags
	var role string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check whether this machine and a target can be tested",
		Long: `Check what a run needs before it is begun, with the same flags as
«hookproof run»: names, addresses, certificates and clocks; credentials and
rights; whether claimed capabilities answer; whether the emitter can reach the
receiver simulator; Docker, for images. At the target, one disabled
subscription is made and removed. To --event-hook a list of no events is posted.

With --role receiver: the name, address, certificate, versions of TLS and clock
of the receiver, whether a HEAD with the agreed credentials is let in, and
whether reading back answers. Nothing is delivered to it.

One line for each check: ok, warn or fail, with a remedy. Ends with 0 if a run
can be begun, with 3 if something has to be mended first.`,
		Example: `  hookproof doctor
  hookproof doctor --target https://emitter.example --environment 8f3c… --client-id 41ab…
  HOOKPROOF_HOOK_HEADER='Authorization: Bearer …' hookproof doctor --role receiver \
      --target https://receiver.example/pingone`,
		Args: cobra.NoArgs,
	}
	target.add(cmd.Flags())
	cmd.Flags().StringVar(&role, "role", "both", "`role` of the target: emitter, receiver or both")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		made, err := target.make(cmd.Flags(), role)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), doctorWithin)
		defer cancel()
		d := &diagnosis{Target: made.Info().Name}
		d.examine(ctx, &target, made, role)
		if err := d.write(cmd.OutOrStdout(), asJSON); err != nil {
			return err
		}
		if d.failed() {
			return exitCode(reports.ExitIncomplete)
		}
		return nil
	}
	return cmd
}

// examine makes the checks that fit the target; those that build on one that
// failed are left out.
func (d *diagnosis) examine(ctx context.Context, flags *targetFlags, target targets.Target, role string) {
	d.machine()
	switch {
	case flags.isImage():
		d.docker(ctx)
	case flags.isURL() && role != features.Receiver:
		for _, a := range []struct{ name, address string }{{"target", flags.target}, {"auth", flags.auth}, {"control", flags.control}, {"event hook", flags.trigger}} {
			if a.address != "" {
				d.address(ctx, a.name, a.address, flags.ca)
			}
		}
	}
	if d.failed() {
		return
	}
	system, err := target.Start(ctx)
	if err != nil {
		d.fail("start", "see what it says; the target or the receiver simulator could not be started", "%v", err)
		return
	}
	defer func() {
		if err := system.Close(); err != nil {
			d.warn("stop", "look for what is left running", "%v", err)
		}
	}()
	if system.Hook.URL != "" && role != features.Emitter {
		d.hook(ctx, system.Hook)
	}
	if role == features.Receiver {
		return
	}
	d.api(ctx, target.Info(), system)
	if flags.isURL() {
		d.receiver(ctx, flags)
	}
}

func (d *diagnosis) write(out io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(d)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range d.Findings {
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.Grade, f.Check, strings.ReplaceAll(f.Found, "\n", " "))
		if f.Remedy != "" {
			fmt.Fprintf(table, "\t\t→ %s\n", f.Remedy)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	conclusion := "A run can be begun."
	if d.failed() {
		conclusion = "Mend what failed first: a run would fail because of it, or show nothing."
	}
	_, err := fmt.Fprintf(out, "%s: %s\n", d.Target, conclusion)
	return err
}
