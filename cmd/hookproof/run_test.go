package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/simulator/emitter"
)

// run runs a command line and gives its exit code and what it printed.
func run(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	root := rootCommand()
	root.SetOut(&out)
	root.SetErr(&out)
	return execute(t.Context(), root, args), out.String()
}

func TestAFaultEndsWithOneAndNamesTheRule(t *testing.T) {
	t.Parallel()
	code, out := run(t, "run", "--rule", "SUB-LIMIT-051", "--fault", "limit-51", "--out", t.TempDir())
	if code != reports.ExitNonConformant || !strings.Contains(out, "SUB-LIMIT-051") {
		t.Errorf("code %d: %s", code, out)
	}
}

func TestARunOfWhatDoesNotExistIsNeverGreen(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"unknown rule":       {"run", "--rule", "NOSUCH"},
		"unknown scenario":   {"run", "--scenario", "no/such"},
		"unknown profile":    {"run", "--profile", "nosuch"},
		"unknown role":       {"run", "--role", "nosuch"},
		"unknown fault":      {"run", "--fault", "nosuch"},
		"unknown flag":       {"run", "--nosuch"},
		"unknown command":    {"nosuch"},
		"unknown target":     {"run", "--target", "nosuch"},
		"unknown capability": {"run", "--target", "http://127.0.0.1:1", "--environment", "x", "--token", "x", "--claim", "nosuch"},
		"clock nowhere":      {"run", "--target", "http://127.0.0.1:1", "--environment", "x", "--token", "a-token-of-x", "--claim", "clock-control"},
		"clock of a hook":    {"run", "--target", "http://127.0.0.1:1", "--environment", "x", "--token", "a-token-of-x", "--claim", "clock-control", "--event-hook", "http://127.0.0.1:1"},
		"events nowhere":     {"run", "--target", "http://127.0.0.1:1", "--environment", "x", "--token", "a-token-of-x", "--claim", "post-events"},
		"argument too many":  {"run", "everything"},
		"empty selection":    {"run", "--role", "receiver", "--profile", "limits"},
		"no credentials":     {"run", "--target", "http://127.0.0.1:1"},
		"a target with /v1":  {"run", "--target", "http://127.0.0.1:1/v1/", "--environment", "x", "--token", "x"},
		"a rate per nothing": {"run", "--target", "http://127.0.0.1:1", "--environment", "x", "--token", "x", "--rate", "10"},
		"no such results":    {"diff", "nosuch", "nosuch"},
		"seed out of range":  {"run", "--shuffle", "-1"},
		"idle profile":       {"run", "--role", "emitter", "--profile", "limits,capacity"},
		"idle rule":          {"run", "--rule", "DLV-012,SUB-LIMIT-051", "--profile", "limits"},
		"empty rule":         {"run", "--rule", ""},
		"secret in address":  {"run", "--target", "http://x:canary@127.0.0.1:1", "--environment", "x", "--token", "x"},
		"secret in query":    {"run", "--target", "http://127.0.0.1:1", "--control", "http://127.0.0.1:1/?key=canary", "--environment", "x", "--token", "x"},
		"secret in hook":     {"run", "--target", "http://127.0.0.1:1", "--event-hook", "http://127.0.0.1:1/?key=canary", "--environment", "x", "--token", "a-token-of-x"},
		"user in hook":       {"run", "--target", "http://127.0.0.1:1", "--event-hook", "http://canary:x@127.0.0.1:1/", "--environment", "x", "--token", "a-token-of-x"},
		"no URL as hook":     {"run", "--target", "http://127.0.0.1:1", "--event-hook", "canary", "--environment", "x", "--token", "a-token-of-x"},
		"short secret":       {"run", "--target", "http://127.0.0.1:1", "--environment", "x", "--client-id", "x", "--client-secret", "canary1"},
		"short token":        {"run", "--target", "http://127.0.0.1:1", "--environment", "x", "--token", "canary"},
		"a word to control":  {"run", "--target", "http://127.0.0.1:1", "--environment", "x", "--token", "a-token-of-x", "--control", "http://127.0.0.1:1", "--control-token", "canaryword"},
		"a number to hook":   {"run", "--target", "http://127.0.0.1:1", "--environment", "x", "--token", "a-token-of-x", "--event-hook", "http://127.0.0.1:1", "--event-hook-token", "1234567890"},
		"foreign folder":     {"run", "--out", "testdata/foreign"},
		"folder is a file":   {"run", "--out", "run_test.go"},
		"name of no target":  {"run", "--target-name", "mine"},
		"no concurrency":     {"run", "--concurrency", "0"},
		"no such report":     {"verify", filepath.Join(t.TempDir(), "nosuch")},
		"nothing to report":  {"report", filepath.Join(t.TempDir(), "nosuch")},
		"no such rule":       {"explain", "NOSUCH"},
		"plan of no rule":    {"plan", "--rule", "NOSUCH"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if args[0] == "run" && !slices.Contains(args, "--out") {
				args = append(args, "--out", t.TempDir())
			}
			code, out := run(t, args...)
			if code != reports.ExitUsage || !strings.HasPrefix(out, "hookproof: ") || strings.Contains(out, "canary") {
				t.Errorf("code %d: %s", code, out)
			}
		})
	}
}

func TestAWrongCommandLineSaysWhatIsRight(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"runn":                "did you mean run?",
		"run --targt x":       "did you mean --target?",
		"baseline wirte x":    "did you mean write?",
		"rnu":                 "did you mean run?",
		"bench sender":        `there is no command "sender" of bench; there are: emitter, receiver;`,
		"explain":             "explain needs RULE|SCENARIO;",
		"explain one another": "explain takes RULE|SCENARIO, and was given one another;",
		"diff report":         "diff takes OLD NEW, and was given report;",
		"merge":               "merge needs DIR...;",
		"plan everything":     "plan takes no arguments, and was given everything;",
	} {
		code, out := run(t, strings.Fields(line)...)
		if code != reports.ExitUsage || !strings.Contains(out, want) {
			t.Errorf("%s: code %d: %s", line, code, out)
		}
	}
}

func TestOnlyAReaderThatHasGoneIsNotToldOfIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"a reader that has gone":    {fmt.Errorf("write the plan: %w", &fs.PathError{Op: "write", Path: os.Stdout.Name(), Err: syscall.EPIPE}), true},
		"a disk that is full":       {&fs.PathError{Op: "write", Path: os.Stdout.Name(), Err: syscall.ENOSPC}, false},
		"another pipe":              {&fs.PathError{Op: "write", Path: "pipe", Err: syscall.EPIPE}, false},
		"a connection that is lost": {&net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.EPIPE)}, false},
	} {
		if got := unread(c.err); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestHalfAReportIsNoReport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, reports.FileName), []byte(`{"schema": "`+reports.SchemaID+`", "rules": [`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify", dir}, {"report", dir}, {"diff", dir, dir}, {"merge", dir}, {"baseline", "write", dir}} {
		if code, out := run(t, args...); code != reports.ExitUsage || !strings.Contains(out, "this is no report of a run") {
			t.Errorf("%s: code %d: %s", args, code, out)
		}
	}
}

func TestNoCommandInAReportHoldsASecret(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"emitter": {"--target", "http://" + address, "--environment", "e", "--client-id", "c", "--client-secret", "canary-secret",
			"--event-hook", "http://" + address + "/canary/of/hook", "--event-hook-token", "canary-token"},
		"receiver": {"--role", "receiver", "--target", "https://" + address + "/canary", "--hook-header", "X-Key: canary-key-of-hook",
			"--read-back-command", "cat --password canary", "--claim", "authentication"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			if code, text := run(t, append([]string{"run", "--out", out, "--profile", "core"}, args...)...); code == reports.ExitConformant || code == reports.ExitUsage || strings.Contains(text, "canary") {
				t.Errorf("code %d: %s", code, text)
			}
			files, err := os.ReadDir(out)
			if err != nil || len(files) == 0 {
				t.Fatalf("%d files, %v", len(files), err)
			}
			for _, f := range files {
				if f.IsDir() {
					continue
				}
				if text, err := os.ReadFile(filepath.Join(out, f.Name())); err != nil || strings.Contains(string(text), "canary") {
					t.Errorf("%s tells a secret, or cannot be read: %v", f.Name(), err)
				}
			}
		})
	}
}

func TestAMistypedNameIsAnsweredWithWhatWasMeant(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a rule":                 {[]string{"run", "--rule", "SUB-LIMIT-51"}, "did you mean SUB-LIMIT-051? «"},
		"a rule to explain":      {[]string{"explain", "DLV-12"}, "did you mean DLV-012? «"},
		"a scenario":             {[]string{"run", "--scenario", "limits/a-51st-subscription-is-refuse"}, "did you mean limits/a-51st-subscription-is-refused? «"},
		"a scenario to explain":  {[]string{"explain", "limits/a-51st-subscription-is-refuse"}, "did you mean limits/a-51st-subscription-is-refused? «"},
		"a profile":              {[]string{"run", "--profile", "filterin"}, "did you mean filtering? there are: core, "},
		"a fault":                {[]string{"run", "--fault", "limit51"}, "did you mean limit-51? «"},
		"a fault of the emitter": {[]string{"emitter", "--fault", "limit51"}, "did you mean limit-51? «"},
		"a fault of the matrix":  {[]string{"faults", "--fault", "limit51"}, "did you mean limit-51? «"},
		"a liberty":              {[]string{"run", "--hostile-knob", "event-orders"}, "did you mean event-order? there are: "},
		"a capability":           {[]string{"run", "--target", "http://127.0.0.1:1", "--environment", "x", "--token", "x", "--claim", "environment"}, "did you mean environments? there are: "},
		"a seed":                 {[]string{"run", "--hostile", "17"}, "write --hostile=17"},
		"a role":                 {[]string{"run", "--role", "reciever"}, `--role: there is no role "reciever"; did you mean receiver? there are: `},
		"a role at a URL":        {[]string{"run", "--role", "reciever", "--target", "https://127.0.0.1:8443/hook"}, "--role: there is no role"},
		"a role of the doctor":   {[]string{"doctor", "--role", "reciever"}, "did you mean receiver? there are: "},
		"a level":                {[]string{"run", "--level", "mustt"}, `--level: there is no level "mustt"; did you mean must? there are: must, should, may`},
		"a target":               {[]string{"run", "--target", "embeded"}, "did you mean embedded?"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if code, out := run(t, c.args...); code != reports.ExitUsage || !strings.Contains(out, c.want) {
				t.Errorf("code %d: %s", code, out)
			}
		})
	}
}

func TestAnUnreachableTargetIsIncomplete(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	code, text := run(t, "run", "--target", address, "--environment", "e", "--client-id", "c", "--client-secret", "canary-secret", "--out", out)
	if code != reports.ExitIncomplete || !strings.Contains(text, "does not let the suite in") {
		t.Errorf("code %d: %s", code, text)
	}
	r, err := reports.Read(filepath.Join(out, reports.FileName))
	if err != nil || r.Verdict != reports.Incomplete {
		t.Errorf("verdict %s, %v", r.Verdict, err)
	}
}

func TestEvidenceIsVerifiedAndAnAlterationIsFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if code, out := run(t, "run", "--profile", "limits", "--out", dir); code != reports.ExitConformant {
		t.Fatalf("code %d: %s", code, out)
	}
	for _, path := range []string{dir, filepath.Join(dir, reports.FileName)} {
		if code, out := run(t, "verify", path); code != reports.ExitConformant {
			t.Fatalf("code %d: %s", code, out)
		}
	}
	results, err := reports.Read(filepath.Join(dir, reports.FileName))
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for results.Scenarios[i].Rules[0] != "SUB-LIMIT-051" {
		i++
	}
	altered := results.Scenarios[i]
	file := filepath.Join(dir, altered.Transcript)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte(`"status":403`), []byte(`"status":201`), 1)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	code, out := run(t, "verify", dir)
	if code != reports.ExitNonConformant || !strings.Contains(out, altered.ID+": transcript") || !strings.Contains(out, altered.ID+": the report says pass, its transcript gives fail") {
		t.Errorf("code %d: %s", code, out)
	}

	// Whoever alters the digest in the report as well is found out by the
	// judges alone.
	digest := sha256.Sum256(text)
	results.Scenarios[i].TranscriptSHA256 = hex.EncodeToString(digest[:])
	if err := reports.Write(filepath.Join(dir, reports.FileName), results); err != nil {
		t.Fatal(err)
	}
	code, out = run(t, "verify", dir)
	if code != reports.ExitNonConformant || strings.Contains(out, "SHA-256") || !strings.Contains(out, altered.ID) {
		t.Errorf("code %d: %s", code, out)
	}
}

func TestAnEmitterAtAURLIsTestedAndNoArtefactHoldsASecret(t *testing.T) {
	t.Parallel()
	e, err := emitter.Start(t.Context(), emitter.Options{
		Environment: "5f1b2c3d-0000-4000-8000-000000000001", ClientID: "5f1b2c3d-0000-4000-8000-000000000002", ClientSecret: "canary-client-secret",
		ControlListen: "127.0.0.1:0", ControlToken: "canary-control-token", Linger: 100 * time.Millisecond, RetryInitial: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	dir := t.TempDir()
	code, out := run(t, "run", "--profile", "tls-config,delivery,limits", "--out", dir,
		"--target", e.URL(), "--environment", "5f1b2c3d-0000-4000-8000-000000000001",
		"--client-id", "5f1b2c3d-0000-4000-8000-000000000002", "--client-secret", "canary-client-secret",
		"--control", e.ControlURL(), "--control-token", "canary-control-token", "--claim", "environments,post-events,certificates")
	if code != reports.ExitConformant {
		t.Fatalf("code %d: %s", code, out)
	}
	if strings.Contains(out, "canary") {
		t.Errorf("a secret was printed: %s", out)
	}
	noSecretIn(t, dir)

	// What is not in order is shown with its evidence in more reports.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, e.ControlURL()+"/control/faults/limit-51", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer canary-control-token")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	code, out = run(t, "run", "--rule", "SUB-LIMIT-051", "--out", dir, "--target", e.URL(), "--environment", "5f1b2c3d-0000-4000-8000-000000000001",
		"--client-id", "5f1b2c3d-0000-4000-8000-000000000002", "--client-secret", "canary-client-secret", "--claim", "environments")
	if code != reports.ExitNonConformant {
		t.Fatalf("code %d: %s", code, out)
	}
	page, err := os.ReadFile(filepath.Join(dir, reports.HTMLName))
	if err != nil || !bytes.Contains(page, []byte("Authorization: [redacted ")) {
		t.Errorf("the page shows no request with its head, %v", err)
	}
	noSecretIn(t, dir)
}

// noSecretIn searches every file of a report for what tests plant.
func noSecretIn(t *testing.T, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, canary := range []string{"PRIVATE KEY", "Bearer ", "canary"} {
			if i := bytes.Index(text, []byte(canary)); i >= 0 {
				t.Errorf("%s holds %q: …%s…", path, canary, text[max(0, i-60):min(len(text), i+60)])
			}
		}
		return nil
	})
	if err != nil || files < 10 {
		t.Errorf("looked at %d files, %v", files, err)
	}
}

func TestTheReportsOfARunAreMadeAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if code, out := run(t, "run", "--rule", "SUB-LIMIT-051", "--fault", "limit-51", "--out", dir); code != reports.ExitNonConformant {
		t.Fatalf("code %d: %s", code, out)
	}
	made := map[string][]byte{}
	for _, name := range []string{reports.HTMLName, reports.MarkdownName, reports.JUnitName, reports.CTRFName, reports.CucumberName, reports.TAPName, reports.BadgeSVGName} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		made[name] = text
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if code, out := run(t, "report", dir); code != reports.ExitConformant {
		t.Fatalf("code %d: %s", code, out)
	}
	for name, before := range made {
		if again, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(again, before) {
			t.Errorf("%s is not the same when it is made again, %v", name, err)
		}
	}
	if code, out := run(t, "report", dir, "--annotations"); code != reports.ExitConformant || !strings.HasPrefix(out, "::error file=features/emitter/limits.feature,line=") {
		t.Errorf("code %d: %s", code, out)
	}
}

func TestPlanAndExplainSayWhatThereIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"plan", "--rule", "SUB-LIMIT-051"}, []string{"SUB-LIMIT-051", "runs"}},
		{[]string{"plan", "--rules"}, []string{"SUB-LIMIT-051", "RCV-001", " rules have a scenario"}},
		{[]string{"plan", "--target", "http://127.0.0.1:1", "--environment", "e", "--token", "a-token-of-e"}, []string{"not applicable: the target does not claim"}},
		{[]string{"explain", "SUB-LIMIT-051"}, []string{"SUB-LIMIT-051", "MUST", "developer.pingidentity.com", "features/emitter/limits.feature:"}},
		{[]string{"explain", "RCV-023"}, []string{"none: "}},
		{[]string{"explain", "limits/a-51st-subscription-is-refused"}, []string{"\n  When a subscription is requested\n", "SUB-LIMIT-051  MUST", "Run them: «" + program() + " run --rule SUB-LIMIT-051»"}},
		{[]string{"plan", "--rule", "sub-limit-051"}, []string{"SUB-LIMIT-051"}},
	} {
		code, out := run(t, c.args...)
		if code != reports.ExitConformant {
			t.Errorf("%v: code %d: %s", c.args, code, out)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%v: no %q in %s", c.args, want, out)
			}
		}
	}
}
