// Package compose_test starts what compose.yaml describes, and breaks it.
package compose_test

import (
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookproof/hookproof/internal/docker"
)

// upWithin is how long seven containers may take to be built and started.
const upWithin = 5 * time.Minute

// services are the containers of one start of compose.yaml.
type services struct {
	t       *testing.T
	dir     string
	project string
}

// up builds the binaries and starts everything, on ports that Docker chooses.
func up(t *testing.T) *services {
	t.Helper()
	docker.Require(t, "docker", "docker-compose")
	// The name is this run's own: another run on the machine may be at the same.
	s := &services{t: t, dir: t.TempDir(), project: "hookproof-" + strings.ToLower(rand.Text()[:12])}
	for _, name := range []string{"compose.yaml", "Dockerfile", ".dockerignore", "compose/nats.conf"} {
		content, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(s.dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.run(nil, "go", "build", "-o", filepath.Join(s.dir, "dist", "hookproof"), "../cmd/hookproof")
	s.run(nil, "go", "build", "-o", filepath.Join(s.dir, "dist", "nats-server"), "github.com/nats-io/nats-server/v2")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s", s.compose("logs", "--no-color", "--tail", "60"))
		}
		s.compose("down", "--volumes", "--rmi", "local", "--timeout", "5")
	})
	s.compose("up", "--detach", "--build")
	return s
}

func (s *services) run(env []string, name string, args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), upWithin)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Env = append(os.Environ(), append(env, "CGO_ENABLED=0", "GOFLAGS=")...)
	out, err := command.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
	return string(out)
}

func (s *services) compose(args ...string) string {
	s.t.Helper()
	env := []string{"LOG_LEVEL=debug", "INSPECT_PORT="}
	for _, n := range []string{"1", "2", "3"} {
		env = append(env, "EMITTER_"+n+"_PORT=", "CONTROL_"+n+"_PORT=")
	}
	return s.run(env, "docker-compose", append([]string{
		"--file", filepath.Join(s.dir, "compose.yaml"), "--project-directory", s.dir, "--project-name", s.project,
	}, args...)...)
}

// url is where a port of a service is reached from here.
func (s *services) url(service, port string) string {
	s.t.Helper()
	return "http://" + strings.TrimSpace(s.compose("port", service, port))
}

func (s *services) container(service string) string {
	s.t.Helper()
	return strings.TrimSpace(s.compose("ps", "--quiet", service))
}

// kill ends a container's process as kill -9 does.
func (s *services) kill(service string) {
	s.t.Helper()
	s.run(nil, "docker", "kill", "--signal", "KILL", s.container(service))
}

// cutOff takes a container off the network; it goes on running.
func (s *services) cutOff(service string) {
	s.t.Helper()
	s.run(nil, "docker", "network", "disconnect", s.project+"_default", s.container(service))
}

// busiest is the emitter that works the most subscriptions, by its log.
func (s *services) busiest(emitters []string) string {
	s.t.Helper()
	works := func(service string) int {
		log := s.compose("logs", "--no-color", service)
		return strings.Count(log, "subscription taken") - strings.Count(log, "subscription given up")
	}
	for _, e := range emitters {
		s.t.Logf("%s works %d subscriptions", e, works(e))
	}
	return slices.MaxFunc(emitters, func(a, b string) int { return works(a) - works(b) })
}

var taken = regexp.MustCompile(`time=(\S+) .*msg="subscription (taken|given up)".* subscription=(\S+)`)

// allWorked is how long after died the emitters worked all subscriptions, by
// their logs.
func (s *services) allWorked(emitters []string, died time.Time) time.Duration {
	s.t.Helper()
	type step struct {
		at                    time.Time
		what, emitter, worked string
	}
	var steps []step
	for _, e := range emitters {
		for _, found := range taken.FindAllStringSubmatch(s.compose("logs", "--no-color", e), -1) {
			at, err := time.Parse(time.RFC3339, found[1])
			if err != nil {
				s.t.Fatal(err)
			}
			steps = append(steps, step{at, found[2], e, found[3]})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.at.Compare(b.at) })
	by := map[string]string{}
	for _, next := range steps {
		switch {
		case next.what == "taken":
			by[next.worked] = next.emitter
		case by[next.worked] == next.emitter:
			delete(by, next.worked)
		}
		if len(by) == subscriptions && next.at.After(died) {
			return next.at.Sub(died)
		}
	}
	s.t.Fatalf("%v have never worked all subscriptions, only %v", emitters, by)
	return 0
}
