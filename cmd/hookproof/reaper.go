package main

import (
	"bufio"
	"context"
	"errors"
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
	defer time.AfterFunc(endWithin, func() { _ = r.process.Process.Kill() }).Stop()
	_ = r.process.Wait()
}

// endWithin is how long a reaper is waited for that has nothing to do.
const endWithin = 5 * time.Second

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
		removed, err := target.reap(ctx, run, looks())
		if err != nil {
			fmt.Fprintln(cmd.ErrOrStderr(), asCalled(fmt.Sprintf("hookproof: run %s was killed; %d things that it had made at %s were removed, and not all could be; «hookproof cleanup» tries again: %v", run, removed, target.target, err)))
			return exitCode(reports.ExitIncomplete)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "hookproof: run %s was killed; %d things that it had made at %s, and not yet removed, were removed\n", run, removed, target.target)
		return nil
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

// looks are when a reaper looks, each after the one before: until what a slow
// target makes of the last requests of the run has come to light (a call is
// given 30 s), and what cannot be removed at once, such as a key whose
// subscription has just gone, can be.
func looks() []time.Duration {
	return []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}
}

// reap removes what the run has made, and gives how many things that were. The
// error is that of the last look: what could not be looked for, and what was
// found and could not be removed.
func (t *targetFlags) reap(ctx context.Context, run string, looks []time.Duration) (removed int, err error) {
	client, claims, err := t.visit()
	if err != nil {
		return 0, err
	}
	defer client.Close()
	for _, pause := range looks {
		select {
		case <-ctx.Done():
			return removed, errors.Join(err, ctx.Err())
		case <-time.After(pause):
		}
		var found []driver.Leftover
		found, err = client.Leftovers(ctx, claims)
		made := slices.DeleteFunc(found, func(l driver.Leftover) bool { return l.Run != run })
		refused := client.Remove(ctx, made)
		removed += len(made) - len(refused)
		for _, l := range refused {
			err = errors.Join(err, fmt.Errorf("%s is still there", l.Path))
		}
	}
	return removed, err
}
