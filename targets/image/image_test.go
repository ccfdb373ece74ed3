package image_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/internal/docker"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/embedded"
	"github.com/hookproof/hookproof/targets/image"
)

// TestMain does without the container that removes what a killed process
// leaves: its image would have to be pulled, and the tests remove what they
// make.
func TestMain(m *testing.M) {
	if err := os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// buildContext is a folder with a Dockerfile and the binary, built in a module
// of the repository, that goes into its images.
func buildContext(t *testing.T, dockerfile, module, program string) string {
	t.Helper()
	folder := t.TempDir()
	text, err := os.ReadFile(dockerfile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "Dockerfile"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-C", module, "-race=false", "-o", filepath.Join(folder, "dist", filepath.Base(program)), program)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the binary: %v\n%s", err, out)
	}
	return folder
}

// ofProject is the project's own images, and ofExample that of the receiver
// that is somebody else's.
func ofProject(t *testing.T) string {
	t.Helper()
	return buildContext(t, "../../Dockerfile", "../..", "./cmd/hookproof")
}

func ofExample(t *testing.T) string {
	t.Helper()
	return buildContext(t, "../../examples/receiver/Dockerfile", "../../examples", "./receiver")
}

func source(t *testing.T, text string) image.Source {
	t.Helper()
	s, err := image.ParseSource(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each end is swapped for a container built from the project's Dockerfile, and
// both; the suite finds the same as of the embedded pair.
func TestEachEndCanBeAContainer(t *testing.T) {
	docker.Require(t)
	folder := ofProject(t)
	// As quick as the embedded emitter, so that scenarios wait for little.
	quick := map[string]string{"HOOKPROOF_LINGER": "100ms", "HOOKPROOF_ATTEMPT_TIMEOUT": "3s"}
	claims := embedded.New(embedded.Options{}).Info().Claims
	for name, o := range map[string]image.Options{
		"the emitter":  {Emitter: source(t, folder+"#emitter"), Claims: claims, Variables: quick},
		"the receiver": {Receiver: source(t, folder+"#receiver")},
		"both":         {Emitter: source(t, folder+"#emitter"), Receiver: source(t, folder+"#receiver"), Claims: claims, Variables: quick},
	} {
		t.Run(name, func(t *testing.T) {
			target, err := image.New(o)
			if err != nil {
				t.Fatal(err)
			}
			conformant(t, target)
		})
	}
}

// conformant fails unless a target keeps every promise that it claims.
func conformant(t *testing.T, target targets.Target, more ...hookproof.Option) {
	t.Helper()
	results, err := hookproof.Execute(t.Context(), target, append(more, hookproof.Report(t.TempDir()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d scenarios in %d ms", len(results.Scenarios), results.DurationMs)
	if results.Verdict != reports.Conformant {
		t.Errorf("verdict %s", results.Verdict)
	}
	for _, s := range results.Scenarios {
		if s.Outcome != reports.Pass && s.Outcome != reports.NotApplicable {
			t.Errorf("%s: %s %s", s.Outcome, s.ID, s.Reason)
		}
	}
}

// What is wrong in a container is found as surely as in the embedded pair.
func TestAFaultInAContainerIsFound(t *testing.T) {
	docker.Require(t)
	target, err := image.New(image.Options{
		Emitter: source(t, ofProject(t)+"#emitter"), Variables: map[string]string{"HOOKPROOF_FAULT": "limit-51"},
		Claims: []targets.Capability{targets.Environments},
	})
	if err != nil {
		t.Fatal(err)
	}
	results, err := hookproof.Execute(t.Context(), target, hookproof.Select(hookproof.Selection{Rules: []string{"SUB-LIMIT-051"}}))
	if err != nil {
		t.Fatal(err)
	}
	if results.Verdict != reports.NonConformant {
		t.Errorf("an emitter that allows a 51st subscription is %s: %+v", results.Verdict, results.Scenarios)
	}
}

func TestAReceiverUnderTestCanBeAContainer(t *testing.T) {
	docker.Require(t)
	target, err := image.NewReceiver(image.ReceiverOptions{
		Source: source(t, ofExample(t)), Headers: map[string]string{"X-Api-Key": "an-example-key"},
		Claims: []targets.Capability{targets.NDJSON, targets.Authentication, targets.CanReadBack},
	})
	if err != nil {
		t.Fatal(err)
	}
	conformant(t, target)
}

func TestAContainerThatEndsSaysWhy(t *testing.T) {
	docker.Require(t)
	folder := ofExample(t)
	dockerfile := "FROM scratch\nCOPY dist/receiver /receiver\nENTRYPOINT [\"/receiver\", \"-linger\", \"1h\"]\n"
	if err := os.WriteFile(filepath.Join(folder, "Dockerfile"), []byte(dockerfile), 0o644); err != nil {
		t.Fatal(err)
	}
	emitter, err := image.New(image.Options{Emitter: source(t, folder)})
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := image.NewReceiver(image.ReceiverOptions{Source: source(t, folder)})
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]targets.Target{"an emitter": emitter, "a receiver": receiver} {
		if _, err := target.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "exit code 2") || !strings.Contains(err.Error(), "-linger") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAReceiverThatIsDescribedWronglyIsRefused(t *testing.T) {
	t.Parallel()
	some := image.Source{Image: "registry.example/receiver"}
	for name, o := range map[string]image.ReceiverOptions{
		"no image":              {},
		"no credentials":        {Source: some, Claims: []targets.Capability{targets.Authentication}},
		"no client certificate": {Source: some, Claims: []targets.Capability{targets.MutualTLS}},
	} {
		if _, err := image.NewReceiver(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSourcesAreReadAndWrongOnesRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "Dockerfile"), []byte("FROM scratch\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]image.Source{
		"registry.example/emitter:1.2": {Image: "registry.example/emitter:1.2"},
		folder:                         {Context: folder},
		folder + "#test":               {Context: folder, Stage: "test"},
	} {
		if got, err := image.ParseSource(text); err != nil || got != want || got.String() != text {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "an image", "./nosuch", t.TempDir(), "image#stage"} {
		if got, err := image.ParseSource(text); err == nil {
			t.Errorf("%q: got %+v", text, got)
		}
	}
}
