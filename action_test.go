package hookproof

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// action is what is tested of action.yml.
type action struct {
	Inputs map[string]struct{ Description, Default string }
	Runs   struct {
		Using string
		Steps []actionStep
	}
}

type actionStep struct {
	Name, ID, If, Shell, Run, Uses string
	Env                            map[string]string
}

func readAction(t *testing.T) (action, string) {
	t.Helper()
	text, err := os.ReadFile("action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	return a, string(text)
}

func TestNoInputOfTheActionBecomesACommand(t *testing.T) {
	t.Parallel()
	a, text := readAction(t)
	scripts := 0
	for _, s := range a.Runs.Steps {
		if s.Run == "" {
			continue
		}
		scripts++
		if strings.Contains(s.Run, "${{") || strings.Contains(s.Run, "eval") || s.Shell != "bash" {
			t.Errorf("step %q: an expression, eval, or another shell than bash in\n%s", s.Name, s.Run)
		}
	}
	if a.Runs.Using != "composite" || scripts < 4 {
		t.Errorf("%s with %d scripts", a.Runs.Using, scripts)
	}
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`inputs\.([a-z-]+)`).FindAllStringSubmatch(text, -1) {
		used[m[1]] = true
		if _, ok := a.Inputs[m[1]]; !ok {
			t.Errorf("input %s is used and not declared", m[1])
		}
	}
	for name, input := range a.Inputs {
		if !used[name] || input.Description == "" {
			t.Errorf("input %s is not used, or not described", name)
		}
	}
}

// runner runs the scripts of the action as a runner of GitHub does.
type runner struct {
	*testing.T
	action action
	dir    string
	inputs map[string]string
}

func newRunner(t *testing.T, inputs map[string]string) *runner {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("there is no bash to run the action's scripts with")
	}
	a, _ := readAction(t)
	r := &runner{T: t, action: a, dir: t.TempDir(), inputs: map[string]string{}}
	for name, input := range a.Inputs {
		r.inputs[name] = input.Default
	}
	for name, value := range inputs {
		r.inputs[name] = value
	}
	return r
}

// step runs the script of the named step and gives its exit code and output.
func (r *runner) step(name string) (int, string) {
	r.Helper()
	i := slices.IndexFunc(r.action.Runs.Steps, func(s actionStep) bool { return s.Name == name })
	if i < 0 {
		r.Fatalf("there is no step %q", name)
	}
	s := r.action.Runs.Steps[i]
	root, err := filepath.Abs(".")
	if err != nil {
		r.Fatal(err)
	}
	script := filepath.Join(r.dir, "script.sh")
	if err := os.WriteFile(script, []byte(s.Run), 0o600); err != nil {
		r.Fatal(err)
	}
	cmd := exec.CommandContext(r.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", script)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "RUNNER_TEMP="+r.dir, "GITHUB_OUTPUT="+r.file("output"), "GITHUB_STEP_SUMMARY="+r.file("summary"))
	for name, value := range s.Env {
		cmd.Env = append(cmd.Env, name+"="+r.expression(value, root))
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func (r *runner) file(name string) string { return filepath.Join(r.dir, name) }

func (r *runner) text(name string) string {
	text, err := os.ReadFile(r.file(name))
	if err != nil {
		return ""
	}
	return string(text)
}

// expression is the value of an expression of the action.
func (r *runner) expression(text, root string) string {
	r.Helper()
	inner := strings.TrimSuffix(strings.TrimPrefix(text, "${{ "), " }}")
	if name, ok := strings.CutPrefix(inner, "inputs."); ok {
		return r.inputs[name]
	}
	switch inner {
	case "github.action_path":
		return root
	case "steps.run.outputs.exit-code":
		return strings.TrimSpace(strings.TrimPrefix(r.text("output"), "exit-code="))
	}
	r.Fatalf("unknown expression %q", text)
	return ""
}

func TestTheActionGatesReportsAndAnnotates(t *testing.T) {
	t.Parallel()
	r := newRunner(t, map[string]string{"role": "emitter", "args": "--rule\nSUB-LIMIT-051\n--fault\nlimit-51\n"})
	if code, out := r.step("Build hookproof"); code != 0 {
		t.Fatal(out)
	}
	code, out := r.step("Run")
	if code != 0 || r.text("output") != "exit-code=1\n" {
		t.Fatalf("code %d, output %q: %s", code, r.text("output"), out)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	guard := strings.TrimPrefix(lines[0], "::stop-commands::")
	if len(guard) != 32 || lines[len(lines)-1] != "::"+guard+"::" {
		t.Errorf("what the run prints may act as a command:\n%s", out)
	}
	code, out = r.step("Report")
	if code != 0 || !strings.HasPrefix(out, "::error file=features/emitter/limits.feature,line=") || !strings.Contains(r.text("summary"), "NON-CONFORMANT") {
		t.Errorf("code %d: %s\nsummary: %s", code, out, r.text("summary"))
	}
	if code, out := r.step("Verdict"); code != 1 {
		t.Errorf("code %d: %s", code, out)
	}

	// A folder that is none would leave no evidence; the run does not begin.
	nowhere := newRunner(t, map[string]string{"out": "", "args": "--rule\nSUB-LIMIT-051\n"})
	if err := os.Symlink(r.file("hookproof"), nowhere.file("hookproof")); err != nil {
		t.Fatal(err)
	}
	if code, out := nowhere.step("Run"); code != 0 || nowhere.text("output") != "exit-code=2\n" || !strings.Contains(out, "--out is empty") {
		t.Errorf("code %d, output %q: %s", code, nowhere.text("output"), out)
	}
	if code, out := nowhere.step("Verdict"); code != 2 {
		t.Errorf("code %d: %s", code, out)
	}

	// Inputs that would act if they were text of a script.
	for _, input := range []string{"target", "role", "profile", "baseline", "args"} {
		hostile := newRunner(t, map[string]string{input: `$(touch pwned)"; touch pwned; #`})
		if err := os.Symlink(r.file("hookproof"), hostile.file("hookproof")); err != nil {
			t.Fatal(err)
		}
		code, out := hostile.step("Run")
		if _, err := os.Stat(hostile.file("pwned")); err == nil || code != 0 || hostile.text("output") != "exit-code=2\n" {
			t.Errorf("%s: code %d, output %q: %s", input, code, hostile.text("output"), out)
		}
	}
}
