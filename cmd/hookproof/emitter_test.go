package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hookproof/hookproof"
)

// lines hands out what is written, and tells when the last line is there.
type lines struct {
	bytes.Buffer
	ready chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	n, err := l.Buffer.Write(p)
	if strings.Contains(l.String(), "Stop with Ctrl-C.") {
		close(l.ready)
		l.ready = make(chan struct{})
	}
	return n, err
}

func TestTheEmitterCommandServesUntilItIsStopped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for start, c := range []struct {
		secret string // the line about it
		more   []string
	}{
		{`Client secret   [A-Z0-9]{20,}\n`, nil},
		{`Client secret   the one that was printed or given when it was made\n`, nil},
		{"", []string{"--client-secret", "canary-token-of-2"}},
	} {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		out := &lines{ready: make(chan struct{})}
		ready := out.ready
		command := emitterCommand()
		command.SetArgs(append([]string{"--data", dir, "--control-token", "canary-token"}, c.more...))
		command.SetOut(out)
		command.SetErr(io.Discard)
		done := make(chan error, 1)
		go func() { done <- command.ExecuteContext(ctx) }()
		select {
		case <-ready:
		case err := <-done:
			t.Fatalf("ended at once: %v", err)
		case <-time.After(30 * time.Second):
			t.Fatal("never said that it serves")
		}
		text := out.String()
		api := regexp.MustCompile(`http://localhost:\d+`).FindString(text)
		answer, err := http.Get(api + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("health check answered %d", answer.StatusCode)
		}
		if said := regexp.MustCompile(`Client secret.*\n`).FindString(text); !regexp.MustCompile("^" + c.secret + "$").MatchString(said) {
			t.Errorf("start %d: of the secret it says %q, want %s", start, said, c.secret)
		}
		if strings.Contains(text, "canary-token") {
			t.Error("the control token is printed")
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("stopped with %v", err)
		}
	}
}

func TestTheEmitterCommandRefusesWrongFlags(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--fault", "nothing"}, {"--log-level", "loud"}, {"--trust-ca", "/does/not/exist"}, {"--trust-ca", "emitter_test.go"}, {"--data", ""},
		{"--control-listen", "127.0.0.1:0"}, {"--linger", "-1s"}, {"--linger", "3s"},
		{"--attempt-timeout", "0"}, {"--retry-initial", "0"}, {"--retry-max", "0"}, {"--retry-max", "1s", "--retry-initial", "2s"}, {"--trusted-proxy", "10.0.0.1"},
		{"--allow-networks", "10.0.0.0/8,here"}, {"--deny-networks", "10.0.0.0/33"},
		{"--sync", "sometimes"}, {"--sync", "0"}, {"--sync", "-1s"}, {"--export", "-"},
		{"--nats", "here:4222"}, {"--nats", "nats://a", "--sync", "always"}, {"--nats", "nats://a", "--data", "d"}, {"--nats-replicas", "3"},
		{"--nats", "nats://a", "--nats-replicas", "6"}, {"--nats", "nats://a", "--nats-creds", "/does/not/exist"},
	} {
		command := emitterCommand()
		command.SilenceErrors, command.SilenceUsage = true, true
		command.SetArgs(args)
		var usage *hookproof.UsageError
		if err := command.ExecuteContext(t.Context()); !errors.As(err, &usage) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
