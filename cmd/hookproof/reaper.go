package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/steps/driver"
)

// A reaper is a process that a run against a target at a URL starts beside
// itself. It waits until the run is gone; if the run was killed before it could
// remove what it had made, the reaper does.
//
// They speak over the reaper's standard input: the run writes its id in a line
// and, once it has cleaned up itself, another line. The input ends when the run
// does, however that comes about.
type reaper struct {
	process *exec.Cmd
	tell    io.WriteCloser
	log     io.Writer
}

const (
	reaperName = "reaper"
	released   = "released"
)

// startReaper starts the process, with the flags that say who the target is as
// variables: arguments can be read by anyone on the machine.
func startReaper(flags *pflag.FlagSet, log io.Writer) (*reaper, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	process := exec.Command(self, reaperName)
	process.Env = append(os.Environ(), targetVariables(flags)...)
	if file, ok := log.(*os.File); ok { // anything else would end with this process
		process.Stderr = file
	}
	outlive(process)
	tell, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	return &reaper{process: process, tell: tell, log: log}, nil
}

// targetVariables are the flags that were set of those that say who the target
// is, as variables.
func targetVariables(flags *pflag.FlagSet) (list []string) {
	var which targetFlags
	of := pflag.NewFlagSet("target", pflag.ContinueOnError)
	which.add(of)
	of.VisitAll(func(f *pflag.Flag) {
		if f = flags.Lookup(f.Name); f == nil || !f.Changed {
			return
		}
		value := f.Value.String()
		if s, ok := f.Value.(pflag.SliceValue); ok {
			value = strings.Join(s.GetSlice(), ",")
		}
		list = append(list, variableOf(f.Name)+"="+value)
	})
	return append(list, variableOf("config")+"=")
}

// watch tells the reaper the id of its run.
func (r *reaper) watch(run string) {
	if _, err := fmt.Fprintln(r.tell, run); err != nil {
		unwatched(r.log, err)
	}
}

// unwatched says that there is no reaper.
func unwatched(log io.Writer, why error) {
	fmt.Fprintf(log, "hookproof: nothing cleans up if this run is killed: %v\n", why)
}

// release ends the reaper; the run has cleaned up itself.
func (r *reaper) release() {
	// Whatever has become of it, there is nothing left for it to do.
	_, _ = fmt.Fprintln(r.tell, released)
	_ = r.tell.Close()
	_ = r.process.Wait()
}

// reaperCommand is what the process runs.
func reaperCommand() *cobra.Command {
	var target targetFlags
	cmd := &cobra.Command{
		Use:    reaperName,
		Short:  "Remove what a run leaves that is killed",
		Long:   "Remove what a run leaves that is killed. A run starts it; it has nothing to do for anybody else.",
		Hidden: true,
		Args:   cobra.NoArgs,
	}
	target.add(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		run, orphaned := await(cmd.InOrStdin())
		if !orphaned {
			return nil
		}
		// What ends a run does not end this: it is why this is here.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), cleanUpWithin)
		defer cancel()
		removed, left, err := target.reap(ctx, run)
		switch {
		case err != nil:
			err = fmt.Errorf("run %s was killed, and what it made at %s could not be removed; «hookproof cleanup» tries again: %w", run, target.target, err)
		case len(left) > 0:
			err = fmt.Errorf("run %s was killed, and of what it made at %s this could not be removed; «hookproof cleanup» tries again: %s", run, target.target, strings.Join(left, ", "))
		default:
			fmt.Fprintf(cmd.ErrOrStderr(), "hookproof: run %s was killed; what it had made at %s and not yet removed is removed now (%d)\n", run, target.target, removed)
			return nil
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "hookproof: %s\n", asCalled(err.Error()))
		return exitCode(reports.ExitIncomplete)
	}
	return cmd
}

// await reads until the run has gone, and tells whether it went before it had
// removed what it may have made.
func await(in io.Reader) (run string, orphaned bool) {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if lines.Text() == released {
			return run, false
		}
		run = lines.Text()
	}
	return run, run != ""
}

// settling is how long a target is given to come to an end with requests that
// the killed run had sent.
const settling = time.Second

// reap removes what the run has made until nothing of it comes to light any
// more. It gives how many things it has removed, and the paths of those that it
// could not.
func (t *targetFlags) reap(ctx context.Context, run string) (removed int, left []string, err error) {
	target, err := t.remote()
	if err != nil {
		return 0, nil, err
	}
	client, leave, err := visit(ctx, target)
	if err != nil {
		return 0, nil, err
	}
	defer leave()
	for {
		select {
		case <-ctx.Done():
			return removed, nil, ctx.Err()
		case <-time.After(settling):
		}
		found, err := client.Leftovers(ctx)
		if err != nil {
			return removed, nil, err
		}
		made := slices.DeleteFunc(found, func(l driver.Leftover) bool { return l.Run != run })
		refused := client.Remove(ctx, made)
		removed += len(made) - len(refused)
		for _, l := range refused {
			left = append(left, l.Path)
		}
		if len(made) == 0 || len(refused) > 0 {
			return removed, left, nil
		}
	}
}
