package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets"
)

// selectionFlags narrow what runs.
type selectionFlags struct {
	hookproof.Selection
	shard string
}

func (s *selectionFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&s.Role, "role", "both", "`role` to test: emitter, receiver or both")
	flags.StringSliceVar(&s.Profiles, "profile", nil, "only this `profile`: core, full, beta, or the name of an area; repeatable")
	flags.StringSliceVar(&s.Levels, "level", nil, "only scenarios that judge rules of this `level`: must, should or may; repeatable")
	flags.StringSliceVar(&s.Rules, "rule", nil, "only scenarios that judge the rule of this `id`; repeatable")
	flags.StringSliceVar(&s.Scenarios, "scenario", nil, "only the scenario of this `id`; repeatable")
	flags.StringVar(&s.shard, "shard", "", "only the `i/n`th part of all that, such as 2/4; «hookproof merge» joins the reports of all n")
}

// read refuses a list that was given and is empty, or has an empty member: it
// would select everything. It also reads the shard.
func (s *selectionFlags) read(flags *pflag.FlagSet) (err error) {
	for name, list := range map[string][]string{"profile": s.Profiles, "level": s.Levels, "rule": s.Rules, "scenario": s.Scenarios} {
		if flags.Changed(name) && (len(list) == 0 || slices.Contains(list, "")) {
			return usageError("--%s names nothing", name)
		}
	}
	if flags.Changed("shard") {
		s.Shard, err = hookproof.ParseShard(s.shard)
	}
	return err
}

// runFlags say how the scenarios are run, and where the reports go.
type runFlags struct {
	target              targetFlags
	selection           selectionFlags
	concurrency, repeat int
	seed                int64
	baseline, out       string
	quiet, attach       bool
}

func (r *runFlags) add(flags *pflag.FlagSet) {
	r.target.add(flags)
	r.selection.add(flags)
	flags.IntVar(&r.concurrency, "concurrency", hookproof.DefaultConcurrency(), "`number` of scenarios that run at once")
	flags.Int64Var(&r.seed, "shuffle", 0, "`seed` of the order and of made-up values; 0 draws one and prints it")
	flags.IntVar(&r.repeat, "repeat", 1, "run each scenario this `number` of times, and call those unsteady that are judged differently")
	flags.StringVar(&r.baseline, "baseline", "", "`file` with the failures that are known; «hookproof baseline write» makes one")
	flags.BoolVar(&r.attach, "attach", false, "pause before each scenario, and print how to attach a debugger")
	flags.StringVar(&r.out, "out", "hookproof-report", "`folder` for the reports")
	flags.BoolVar(&r.quiet, "quiet", false, "print only the verdict")
}

func runCommand() *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Test a target and give a verdict",
		Long: `Run the scenarios of the features against a target and give a verdict.

Without flags, the embedded reference emitter is tested against the embedded
receiver simulator, on loopback; nothing else is needed. Reports go to --out:
results.json, report.html for people, junit.xml and others for machines, and a
transcript of every scenario, which «hookproof verify» can judge again without
the target.

Ctrl-C ends the scenarios under way, removes what they made at the target, and
writes the reports; pressed again, it ends the program at once. What a run then,
or one that is killed, leaves at a URL, a second process removes.`,
		Example: `  hookproof run
  hookproof run --rule SUB-LIMIT-051 --fault limit-51
  hookproof run --profile filtering --level must --out report
  hookproof run --baseline hookproof-baseline.yaml
  hookproof run --shard 1/4 --shuffle 42 --out shard-1
  hookproof run --scenario limits/a-51st-subscription-is-refused --repeat 10
  HOOKPROOF_CLIENT_SECRET=… hookproof run --target https://emitter.example \
      --environment 8f3c… --client-id 41ab… --claim environments,certificates
  HOOKPROOF_HOOK_HEADER='Authorization: Bearer …' hookproof run --role receiver \
      --target https://receiver.example/pingone --claim authentication`,
		Args: cobra.NoArgs,
	}
	flags.add(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := errors.Join(flags.selection.read(cmd.Flags()), someFolder(flags.out)); err != nil {
			return err
		}
		if flags.selection.Shard.Count > 0 && flags.seed == 0 {
			return usageError("--shard needs --shuffle with a seed that all shards share, such as the number of the pipeline's run")
		}
		who, err := flags.target.make(cmd.Flags(), flags.selection.Role)
		if err != nil {
			return err
		}
		options, err := flags.options(cmd)
		if err != nil {
			return err
		}
		defer context.AfterFunc(cmd.Context(), func() {
			fmt.Fprintln(cmd.ErrOrStderr(), "\nThe run is being ended: what it made is removed, and the reports are written. Ctrl-C again ends it at once.")
		})()
		return flags.run(cmd, who, options)
	}
	return cmd
}

// someFolder refuses an --out that names none: a run whose evidence is kept
// nowhere shows nothing.
func someFolder(out string) error {
	if out == "" {
		return usageError("--out is empty: name the folder for the reports, or leave the flag out")
	}
	return nil
}

// options are those that the flags ask for.
func (r *runFlags) options(cmd *cobra.Command) ([]hookproof.Option, error) {
	options := []hookproof.Option{
		hookproof.Select(r.selection.Selection), hookproof.Concurrency(r.concurrency), hookproof.Repeat(r.repeat), hookproof.Report(r.out),
		hookproof.Command(commandLine("run", given(cmd)), rerun(cmd)),
		hookproof.Leftovers(func(paths []string) {
			fmt.Fprintf(cmd.ErrOrStderr(), "hookproof: could not be removed from the target, «%s cleanup» tries again: %s\n", program(), strings.Join(paths, ", "))
		}),
	}
	if r.seed != 0 {
		options = append(options, hookproof.Seed(r.seed))
	}
	if r.baseline != "" {
		known, err := readBaseline(r.baseline)
		if err != nil {
			return nil, err
		}
		options = append(options, hookproof.Baseline(known))
	}
	if r.attach {
		options = append(options, hookproof.Attach(pauses(cmd.InOrStdin(), cmd.ErrOrStderr())))
	}
	return options, nil
}

// run runs, prints, and turns the results into an exit code.
func (r *runFlags) run(cmd *cobra.Command, who targets.Target, options []hookproof.Option) error {
	console := consoleOf(cmd, r.out, r.quiet)
	if r.attach {
		console.Terminal = false // a live bar would write over the pauses
	}
	release := func() {}
	if r.target.isURL() && r.selection.Role != string(targets.RoleReceiver) {
		reaper, err := startReaper(cmd.Flags(), cmd.ErrOrStderr())
		if err != nil {
			unwatched(cmd.ErrOrStderr(), err)
		} else {
			release = reaper.release
			options = append(options, hookproof.Named(reaper.watch))
		}
	}
	var progress *reports.Progress
	options = append(options, hookproof.Observe(func(blank reports.Results) {
		if !r.quiet {
			fmt.Fprintln(console.Out, announcement(blank, r))
		}
		r.target.hostile.announce(console.Out) // quiet or not: a seed that was drawn is known to nobody else
		progress = console.Progress(len(blank.Scenarios))
	}, func(s reports.Scenario) { progress.Done(s) }))
	results, err := hookproof.Execute(cmd.Context(), who, options...)
	release()
	if progress != nil {
		progress.Finish()
	}
	if err != nil {
		return err
	}
	return conclude(console, results)
}

// announcement says what is about to be run.
func announcement(blank reports.Results, r *runFlags) string {
	atOnce := r.concurrency
	if r.attach {
		atOnce = 1
	}
	text := fmt.Sprintf("%s against %s, %d at once, shuffled with seed %d", reports.Plural(len(blank.Scenarios), "scenario"), blank.Target.Name, atOnce, blank.Seed)
	if r.repeat > 1 {
		text += fmt.Sprintf(", each %d times", r.repeat)
	}
	if s := blank.Selection.Shard; s != nil {
		text += fmt.Sprintf(", shard %d of %d", s.Index, s.Count)
	}
	return text
}

// consoleOf is where a command prints results.
func consoleOf(cmd *cobra.Command, dir string, quiet bool) reports.Console {
	console := reports.ConsoleFor(os.Stdout, os.Getenv)
	if out := cmd.OutOrStdout(); out != os.Stdout {
		console = reports.Console{Out: out}
	}
	console.Quiet, console.Dir = quiet, dir
	return console
}

// conclude prints the results and ends with their exit code.
func conclude(console reports.Console, results reports.Results) error {
	var text strings.Builder
	told := console
	told.Out = &text
	if err := told.Summary(results); err != nil {
		return err
	}
	if _, err := io.WriteString(console.Out, asCalled(text.String())); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	if !console.Quiet {
		fmt.Fprintf(console.Out, "reports in %s; «%s verify %s» judges them again\n", console.Dir, program(), quote(console.Dir))
	}
	if code := reports.ExitCode(results); code != reports.ExitConformant {
		return exitCode(code)
	}
	return nil
}

// commandLine is this program's command with flags and arguments, as it can be
// typed again.
func commandLine(command string, words []string) string {
	return strings.Join(append([]string{program() + " " + command}, words...), " ")
}

// secret are the flags whose values are never shown: credentials, an address
// that whoever knows it may post to, and a command whose arguments may hold a
// password.
var secret = map[string]bool{
	"client-secret": true, "token": true, "control-token": true, "hook-header": true, "read-back-header": true, "event-hook-token": true, "image-env": true,
	"event-hook": true, "read-back-command": true,
}

// hidden tells whether the value of a flag is not to be shown: that of a
// secret, and the URL of a receiver, as whoever knows it may deliver.
func hidden(flags *pflag.FlagSet, name string) bool {
	role, err := flags.GetString("role")
	if secret[name] || name != "target" || err != nil || role != string(targets.RoleReceiver) {
		return secret[name]
	}
	return !strings.HasPrefix(flags.Lookup(name).Value.String(), imagePrefix)
}

// given are the flags that were set, as they can be typed again; secrets are
// left out.
func given(cmd *cobra.Command, without ...string) []string {
	var list []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Changed || hidden(cmd.Flags(), f.Name) {
			return
		}
		for _, w := range without {
			if f.Name == w {
				return
			}
		}
		value := f.Value.String()
		if s, ok := f.Value.(pflag.SliceValue); ok {
			value = strings.Join(s.GetSlice(), ",")
		}
		list = append(list, "--"+f.Name+"="+quote(value))
	})
	return list
}

// rerun gives the command that runs one scenario again in the same way.
func rerun(cmd *cobra.Command) func(string) string {
	needs, same := again(cmd, "scenario", "rule", "level", "profile", "shard", "baseline", "attach", "out", "quiet", "concurrency", "shuffle")
	same = append(same, "--out="+againFolder)
	return func(id string) string {
		return needs + commandLine("run --scenario "+quote(id), same)
	}
}

// again are the flags by which a command does the same again, without some. What
// --config says it says again. What is hidden is taken from its variable, which
// the command begins with: the shell refuses it where that is not set, as
// without the target's URL a run would test the embedded pair.
func again(cmd *cobra.Command, without ...string) (needs string, same []string) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		switch _, fromFile := f.Annotations[fromConfig]; {
		case fromFile:
			without = append(without, f.Name)
		case f.Changed && hidden(cmd.Flags(), f.Name):
			needs += fmt.Sprintf(`%s="${%[1]s:?set it}" `, variableOf(f.Name))
		}
	})
	return needs, given(cmd, without...)
}

// againFolder takes the report of a scenario that is run again, so that the one
// that tells to do so stays.
const againFolder = "hookproof-again"

// program is how this program was called: by name, which is what an image's
// entry point stands for, by its path, by go run in its own repository, or by go
// tool in another one. Both of the latter build it below a folder go-build….
func program() string {
	switch {
	case !strings.Contains(os.Args[0], "go-build"):
		if path.Dir(os.Args[0]) != "/" && strings.ContainsRune(os.Args[0], os.PathSeparator) {
			return quote(os.Args[0])
		}
		return "hookproof"
	default:
		if _, err := os.Stat("cmd/hookproof"); err == nil {
			return "go run ./cmd/hookproof"
		}
		return "go tool hookproof"
	}
}

// asCalled puts how this program was called into a text that names commands
// «hookproof …».
func asCalled(text string) string {
	return strings.ReplaceAll(text, "«hookproof ", "«"+program()+" ")
}

// quote makes a word safe to paste into a shell.
func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,@", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
