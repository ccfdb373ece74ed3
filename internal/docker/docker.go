// Package docker says whether a test can have containers. No package but one of
// tests has a use for it.
package docker

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

// required makes it a failure that there is no Docker.
const required = "HOOKPROOF_REQUIRE_DOCKER"

// answersWithin is how long Docker may take to say that it is there.
const answersWithin = 10 * time.Second

// Require skips a test where Docker does not answer, or one of the programs is
// not there, such as docker-compose. With HOOKPROOF_REQUIRE_DOCKER=1 it fails
// instead.
func Require(t testing.TB, programs ...string) {
	t.Helper()
	err := answers(t.Context(), programs)
	switch {
	case err == nil:
	case os.Getenv(required) == "1":
		t.Fatalf("%s is set: %v", required, err)
	default:
		t.Skip(err)
	}
}

func answers(ctx context.Context, programs []string) error {
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	provider, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(log.NewNoopLogger()))
	if err == nil {
		err = provider.Health(ctx)
		_ = provider.Close()
	}
	if err != nil {
		return fmt.Errorf("ask Docker whether it is there: %w", err)
	}
	for _, program := range programs {
		if out, err := exec.CommandContext(ctx, program, "version").CombinedOutput(); err != nil {
			return fmt.Errorf("%s version: %w\n%s", program, err, out)
		}
	}
	return nil
}
