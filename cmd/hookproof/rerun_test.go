package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/reports"
)

func TestTheCommandThatRunsAgainTestsTheSame(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "emitter.yaml")
	if err := os.WriteFile(file, []byte("target: http://127.0.0.1:1\nenvironment: e\nclient-secret: canary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args, environ []string
		before, after string // the command's name
	}{
		"the embedded pair": {args: []string{"--fault", "limit-51", "--quiet"}, after: "run --scenario a/b --fault=limit-51"},
		"an emitter": {
			args: []string{"--target", "http://127.0.0.1:1", "--client-id", "c", "--client-secret", "canary"}, before: `HOOKPROOF_CLIENT_SECRET="${HOOKPROOF_CLIENT_SECRET:?set it}" `,
			after: "run --scenario a/b --client-id=c --target=http://127.0.0.1:1",
		},
		"a receiver": {
			args: []string{"--role", "receiver", "--target", "https://127.0.0.1:1/canary"}, before: `HOOKPROOF_TARGET="${HOOKPROOF_TARGET:?set it}" `,
			after: "run --scenario a/b --role=receiver",
		},
		"variables": {
			environ: []string{"HOOKPROOF_ROLE=receiver", "HOOKPROOF_HOOK_HEADER=a: canary"}, before: `HOOKPROOF_HOOK_HEADER="${HOOKPROOF_HOOK_HEADER:?set it}" `,
			after: "run --scenario a/b --role=receiver",
		},
		"a file": {args: []string{"--config", file}, after: "run --scenario a/b --config=" + quote(file)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, rest, err := rootCommand().Find(append([]string{"run"}, c.args...))
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.ParseFlags(rest); err != nil {
				t.Fatal(err)
			}
			if err := configure(cmd, c.environ); err != nil {
				t.Fatal(err)
			}
			if got, want := rerun(cmd)("a/b"), c.before+program()+" "+c.after+" --out=hookproof-again"; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestAnErrorAboutAFlagThatWasNotTypedNamesWhatSetIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "receiver.yaml")
	if err := os.WriteFile(file, []byte("# mine\nhook-header: 'a: canary'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out := run(t, "run", "--config", file, "--out", t.TempDir())
	if want := "--hook-header (set in " + file + ":2) is about"; code != reports.ExitUsage || !strings.Contains(out, want) {
		t.Errorf("code %d: %s", code, out)
	}
	for _, c := range []struct{ name, value, want string }{
		{"HOOKPROOF_HOOK_HEADER", "a: canary", "--hook-header (set by the variable HOOKPROOF_HOOK_HEADER) is about"},
		{"HOOKPROOF_CONCURRENCY", "0", "concurrency (set by the variable HOOKPROOF_CONCURRENCY) 0 is not"},
		{"HOOKPROOF_RULE", "NOSUCH", "there is no rule (set by the variable HOOKPROOF_RULE) \"NOSUCH\""},
		{"HOOKPROOF_SCENARIO", "no/such", "there is no scenario (set by the variable HOOKPROOF_SCENARIO) \"no/such\""},
		{"HOOKPROOF_PROFILE", "nosuch", "there is no profile (set by the variable HOOKPROOF_PROFILE) \"nosuch\""},
		{"HOOKPROOF_RATE", "10/s", "--rate (set by the variable HOOKPROOF_RATE) is about a target at a URL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(c.name, c.value)
			code, out := run(t, "run", "--out", t.TempDir())
			if code != reports.ExitUsage || !strings.Contains(out, c.want) || !strings.Contains(out, "; unset the variable") || strings.Contains(out, "canary") {
				t.Errorf("code %d: %s", code, out)
			}
		})
	}
}
