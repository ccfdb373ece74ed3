// Command hookproof verifies implementations of PingOne's webhooks, at both
// ends of the wire, and serves the reference implementations that this takes.
//
// The package holds only what belongs to a command line: flags, what is
// printed, exit codes. What the commands do is done by the rooms behind them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	_ "golang.org/x/crypto/x509roots/fallback" // public roots, where a machine or an image has none

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/internal/nearest"
	"github.com/hookproof/hookproof/reports"
)

func main() {
	// A closed terminal ends a run in order, like an interrupt: what it has
	// made at a target is removed, and the report written. A reader that has
	// gone away (run | head) is no reason to end it at all.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// The second interrupt ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(execute(ctx, rootCommand(), os.Args[1:]))
}

// execute runs a command line and gives the exit code.
func execute(ctx context.Context, root *cobra.Command, args []string) int {
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return reports.ExitConformant
	}
	var code exitCode
	if errors.As(err, &code) {
		return int(code)
	}
	if unread(err) {
		return reports.ExitError
	}
	text := err.Error()
	var usage *hookproof.UsageError
	wrong := errors.As(err, &usage)
	if wrong {
		text = blame(cmd, text)
	}
	fmt.Fprintf(root.ErrOrStderr(), "hookproof: %s\n", asCalled(text))
	if wrong {
		return reports.ExitUsage
	}
	return reports.ExitError
}

// unread tells whether whoever read the output has gone, and wants no more, not
// even to hear of it. A connection that breaks is something else.
func unread(err error) bool {
	var failed *fs.PathError
	return errors.As(err, &failed) && failed.Path == os.Stdout.Name() && errors.Is(failed, syscall.EPIPE)
}

// exitCode ends the process with that code; everything there is to say has
// been said.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

func usageError(format string, args ...any) error {
	return &hookproof.UsageError{Reason: fmt.Sprintf(format, args...)}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "hookproof",
		Short: "Does this implementation keep PingOne's webhook promises?",
		Long: `hookproof verifies implementations of PingOne's webhooks (subscriptions):
emitters, which post audit events, and receivers, which take them. It brings
the opposite end of either: a reference emitter and a receiver simulator.

Every flag can also be set by a variable HOOKPROOF_<FLAG> (--client-id:
HOOKPROOF_CLIENT_ID) or in a YAML file given with --config, whose keys are the
flags' names. Flags win over variables, variables over the file.

Flags that are repeatable also take a list with commas, as do their variables;
in the file they take a YAML list. A variable HOOKPROOF_* that no command knows
is an error.

Exit codes: 0 conformant, 1 non-conformant, 2 wrong usage or configuration,
3 incomplete, 4 the suite's own error, 5 the baseline is out of date. («go run»
turns every code but 0 into 1.)`,
		Example: `  hookproof run                                    test the embedded pair
  hookproof explain SUB-LIMIT-051                  what a rule says, and who says so
  hookproof emitter --control-token local-control  serve the reference emitter`,
		SilenceUsage: true, SilenceErrors: true, Args: cobra.NoArgs,
		Version:           hookproof.Version(),
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return configure(cmd, os.Environ()) },
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().String("config", "", "read flags from this YAML `file`")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if refused := (*pflag.InvalidValueError)(nil); errors.As(err, &refused) {
			err = fmt.Errorf("--%s: %s", refused.GetFlag().Name, misread(refused.Unwrap()))
		}
		return usageError("%v; %s«%s --help» shows what there is", err, meantFlag(cmd, err), cmd.CommandPath())
	})
	root.AddCommand(runCommand(), planCommand(), explainCommand(), verifyCommand(), reportCommand(), diffCommand(), mergeCommand(), baselineCommand(), cleanupCommand(), reaperCommand(), doctorCommand(), emitterCommand(), receiverCommand(), faultsCommand(), benchCommand())
	for _, c := range append(below(root), root) {
		c.Args = asUsage(c.Args)
		c.Example = strings.ReplaceAll(c.Example, " hookproof ", " "+program()+" ")
		c.Long = asCalled(c.Long)
		c.Flags().VisitAll(func(f *pflag.Flag) { f.Usage = asCalled(f.Usage) })
	}
	return root
}

// below are all commands below c.
func below(c *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, sub := range c.Commands() {
		all = append(append(all, sub), below(sub)...)
	}
	return all
}

// asUsage makes wrong arguments a usage error.
func asUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if check == nil {
			check = cobra.NoArgs
		}
		if err := check(cmd, args); err != nil {
			return usageError("%s; %s«%s --help» shows what there is", misfit(cmd, args), asValue(cmd, args), cmd.CommandPath())
		}
		return nil
	}
}

// misfit says which arguments a command takes, and which it was given.
func misfit(cmd *cobra.Command, args []string) string {
	name := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
	_, takes, some := strings.Cut(cmd.Use, " ")
	switch {
	case some && len(args) == 0:
		return fmt.Sprintf("%s needs %s", name, takes)
	case some:
		return fmt.Sprintf("%s takes %s, and was given %s", name, takes, quoted(args))
	case cmd.HasAvailableSubCommands():
		var known []string
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				known = append(known, c.Name())
			}
		}
		return fmt.Sprintf("there is no command %q of %s; %s", args[0], name, nearest.Hint(args[0], known, cmd.CommandPath()+" --help"))
	}
	return fmt.Sprintf("%s takes no arguments, and was given %s", name, quoted(args))
}

func quoted(words []string) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = quote(w)
	}
	return strings.Join(all, " ")
}

// meantFlag names the flag that was probably meant by one that does not exist.
func meantFlag(cmd *cobra.Command, err error) string {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return ""
	}
	if near := nearest.To(unknown.GetSpecifiedName(), flagsOf(cmd)); near != "" {
		return fmt.Sprintf("did you mean --%s? ", near)
	}
	return ""
}

// flagsOf are the names of all flags of commands.
func flagsOf(commands ...*cobra.Command) []string {
	var names []string
	for _, c := range commands {
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	}
	return names
}

// asValue says how a flag that can stand without a value is given one, if an
// argument looks like that of such a flag.
func asValue(cmd *cobra.Command, args []string) (advice string) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if len(args) > 0 && f.NoOptDefVal != "" && f.Value.Type() != "bool" && f.Value.String() == f.NoOptDefVal {
			advice = fmt.Sprintf("if it is the value of --%s, write --%[1]s=%s; ", f.Name, args[0])
		}
	})
	return advice
}
