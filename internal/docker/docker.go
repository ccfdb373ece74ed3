// Package docker says whether there can be containers.
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
	err := Answers(t.Context())
	for _, program := range programs {
		if err == nil {
			err = runs(t.Context(), program)
		}
	}
	switch {
	case err == nil:
	case os.Getenv(required) == "1":
		t.Fatalf("%s is set: %v", required, err)
	default:
		t.Skip(err)
	}
}

// Answers asks Docker whether it is there; the error says why it is not.
func Answers(ctx context.Context) error {
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
	return nil
}

// runs tells whether a program that works with Docker is there.
func runs(ctx context.Context, program string) error {
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	if out, err := exec.CommandContext(ctx, program, "version").CombinedOutput(); err != nil {
		return fmt.Errorf("%s version: %w\n%s", program, err, out)
	}
	return nil
}
