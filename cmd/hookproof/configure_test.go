package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// configured runs configure on a command with a few flags and gives their
// values.
func configured(t *testing.T, args []string, variables map[string]string, file string) (map[string]string, []string, error) {
	t.Helper()
	root := &cobra.Command{Use: "hookproof"}
	root.PersistentFlags().String("config", "", "")
	cmd := &cobra.Command{Use: "run", RunE: func(*cobra.Command, []string) error { return nil }}
	cmd.Flags().String("out", "default", "")
	cmd.Flags().Int("concurrency", 8, "")
	rules := cmd.Flags().StringSlice("rule", nil, "")
	root.AddCommand(cmd)
	if file != "" {
		path := filepath.Join(t.TempDir(), "hookproof.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		var environ []string
		for name, value := range variables {
			environ = append(environ, name+"="+value)
		}
		return configure(cmd, environ)
	}
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetArgs(append([]string{"run"}, args...))
	err := root.Execute()
	return map[string]string{"out": cmd.Flag("out").Value.String(), "concurrency": cmd.Flag("concurrency").Value.String()}, *rules, err
}

func TestFlagsWinOverVariablesAndVariablesOverTheFile(t *testing.T) {
	t.Parallel()
	file := "out: from-file\nconcurrency: 2\nrule: [A, B]\n"
	values, rules, err := configured(t, []string{"--out", "from-flag"}, map[string]string{"HOOKPROOF_OUT": "from-variable", "HOOKPROOF_CONCURRENCY": "5"}, file)
	if err != nil {
		t.Fatal(err)
	}
	if values["out"] != "from-flag" || values["concurrency"] != "5" || !slices.Equal(rules, []string{"A", "B"}) {
		t.Errorf("got %v and rules %v", values, rules)
	}
}

func TestAVariableTakesAList(t *testing.T) {
	t.Parallel()
	_, rules, err := configured(t, nil, map[string]string{"HOOKPROOF_RULE": "A,B"}, "")
	if err != nil || !slices.Equal(rules, []string{"A", "B"}) {
		t.Errorf("got rules %v and error %v", rules, err)
	}
}

func TestAWrongConfigurationIsAUsageErrorThatNamesThePlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		variables map[string]string
		file      string
		want      string
	}{
		"unknown key":       {file: "outt: x\n", want: ":1: there is no flag --outt; did you mean --out?"},
		"key set twice":     {file: "out: x\nconcurrency: 1\nconcurrency: 2\n", want: "concurrency"},
		"wrong type":        {file: "out: x\nconcurrency: many\n", want: ":2: concurrency"},
		"list for a scalar": {file: "out: [a, b]\n", want: ":1: out wants one value"},
		"mapping":           {file: "out: {a: b}\n", want: ":1: out wants a value"},
		"no mapping":        {file: "- out\n", want: "want a mapping"},
		"no YAML":           {file: "out: [\n", want: "read the configuration"},
		"variable":          {variables: map[string]string{"HOOKPROOF_CONCURRENCY": "x"}, want: "variable HOOKPROOF_CONCURRENCY"},
		"two documents":     {file: "out: a\n---\nout: b\n", want: "more than one YAML document"},
		"unknown variable":  {variables: map[string]string{"HOOKPROOF_OUTT": "x"}, want: "HOOKPROOF_OUTT stands for --outt, and no command has such a flag; did you mean HOOKPROOF_OUT?"},
		"no such file":      {variables: map[string]string{"HOOKPROOF_CONFIG": "/nonexistent"}, want: "read the configuration"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := configured(t, nil, c.variables, c.file)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
		})
	}
}

// FuzzConfiguration: a file sets what it names or is refused with its name; it
// never sets something else.
func FuzzConfiguration(f *testing.F) {
	for _, seed := range []string{
		"out: a\nconcurrency: 2\nrule: [A, B]\n", "rule: A\n", "out:\n", "# nothing\n", "out: {a: b}", "out: a\nout: b\n", "- out\n", "out: &a x\nrule: [*a]\n",
		"config: x\n", "concurrency: many\n", "---\nout: a\n---\nout: b\n", "\xff", "? [a]\n: b\n", "<<: {out: a}\n", "rule: &r [*r]\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		values, rules, err := configured(t, nil, nil, file)
		if err != nil {
			if !strings.Contains(err.Error(), "hookproof.yaml") {
				t.Errorf("an error that does not name the file: %v", err)
			}
			return
		}
		if values["out"] != "default" && !strings.Contains(file, "out") || values["concurrency"] != "8" && !strings.Contains(file, "concurrency") || len(rules) > 0 && !strings.Contains(file, "rule") {
			t.Errorf("%q sets %v and %v", file, values, rules)
		}
	})
}
