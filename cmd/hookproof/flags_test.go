package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/reports"
)

func TestAFileWithoutACertificateIsNoCA(t *testing.T) {
	t.Parallel()
	at := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	emitter := []string{"--target", "https://127.0.0.1:1", "--environment", "e", "--token", "0123456789abcdef0123456789abcdef"}
	receiver := []string{"--role", "receiver", "--target", "https://127.0.0.1:1/hook"}
	for name, ca := range map[string]string{
		"junk": at("junk.pem", "junk"), "empty": at("empty.pem", ""),
		"broken": at("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
	} {
		for command, more := range map[string][]string{"run": {"--out", t.TempDir()}, "doctor": nil} {
			for who, target := range map[string][]string{"an emitter": emitter, "a receiver": receiver} {
				args := append(append([]string{command, "--ca", ca}, target...), more...)
				if code, out := run(t, args...); code != reports.ExitUsage || !strings.Contains(out, "--ca (in Go, CA) takes certificates in PEM") {
					t.Errorf("%s of %s, for %s: code %d: %s", command, who, name, code, out)
				}
			}
		}
	}
}
