package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hookproof/hookproof"
)

const tenantSeed = `environments:
  - name: Staging
    type: SANDBOX
    region: EU
    applications:
      - name: Worker
        enabled: true
        protocol: OPENID_CONNECT
        type: WORKER
        tokenEndpointAuthMethod: CLIENT_SECRET_BASIC
        secret: canary-secret
    users:
      - {username: ann, email: ann@example.com}
`

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTheEmitterCommandServesHTTPSAndItsSeed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, ca := filepath.Join(dir, "data"), filepath.Join(dir, "ca.pem")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &lines{ready: make(chan struct{})}
	ready := out.ready
	command := emitterCommand()
	command.SetArgs([]string{"--data", data, "--seed", writeFile(t, filepath.Join(dir, "tenant.yaml"), tenantSeed),
		"--api-tls", "--api-host", "127.0.0.1", "--api-ca-out", ca})
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
	if !regexp.MustCompile(`Beside it +[0-9a-f-]{36}  "Staging"\n`).MatchString(out.String()) {
		t.Errorf("the seed's environment is not named: %s", out.String())
	}
	roots := x509.NewCertPool()
	if pem, err := os.ReadFile(ca); err != nil || !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("no authority in %s: %v", ca, err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	answer, err := client.Get(regexp.MustCompile(`https://127\.0\.0\.1:\d+`).FindString(out.String()) + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.ProtoMajor != 2 {
		t.Errorf("%s %s", answer.Proto, answer.Status)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}

	for _, secrets := range []bool{false, true} {
		exported := filepath.Join(dir, "export.yaml")
		if err := os.WriteFile(exported, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		args := []string{"--data", data, "--export", exported}
		if secrets {
			args = append(args, "--export-secrets")
		}
		command := emitterCommand()
		command.SetArgs(args)
		command.SetErr(io.Discard)
		if err := command.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(exported)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "username: ann") || strings.Contains(string(text), "canary-secret") != secrets {
			t.Errorf("secrets %v: %s", secrets, text)
		}
		if about, err := os.Stat(exported); err != nil || about.Mode().Perm() != 0o600 {
			t.Errorf("others may read it: %v, %v", about.Mode(), err)
		}
	}
}

func TestTheEmitterCommandRefusesFlagsThatDoNotFit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wrong := writeFile(t, filepath.Join(dir, "wrong.yaml"), "environments:\n  - name: E\n    region: EU\n")
	certificate := writeFile(t, filepath.Join(dir, "c.pem"), "x")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--seed", wrong}, wrong + ":2: type: "},
		{[]string{"--seed", filepath.Join(dir, "none.yaml")}, "--seed: open"},
		{[]string{"--export-secrets"}, "--export-secrets needs --export"},
		{[]string{"--api-host", "a.example"}, "need TLS"},
		{[]string{"--api-cert", certificate, "--api-key", certificate}, "need TLS"},
		{[]string{"--api-tls", "--api-cert", certificate}, "needs its key"},
		{[]string{"--api-tls", "--api-cert", certificate, "--api-key", filepath.Join(dir, "none")}, "--api-key: open"},
		{[]string{"--api-ca-out", filepath.Join(dir, "ca.pem")}, "--api-ca-out needs"},
		{[]string{"--api-tls", "--api-cert", certificate, "--api-key", certificate, "--api-ca-out", filepath.Join(dir, "ca.pem")}, "--api-ca-out needs"},
	} {
		command := emitterCommand()
		command.SilenceErrors, command.SilenceUsage = true, true
		command.SetArgs(c.args)
		command.SetErr(io.Discard)
		err := command.ExecuteContext(t.Context())
		var usage *hookproof.UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v", c.args, err)
		}
	}
}
