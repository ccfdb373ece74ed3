package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/reports"
)

func TestReportsThatGoNowhereAreWrongUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"run", "--rule", "SUB-LIMIT-051"}, {"merge", t.TempDir()}, {"faults", "--fault", "limit-51"}} {
		if code, out := run(t, append(args, "--out", "")...); code != reports.ExitUsage || !strings.HasPrefix(out, "hookproof: --out is empty") {
			t.Errorf("%v: code %d: %s", args, code, out)
		}
	}
}

func TestAnAddressThatCannotBeListenedOnIsWrongUsage(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, args := range [][]string{
		{"emitter", "--listen", "127.0.0.1:99999"}, {"emitter", "--listen", "8080"}, {"emitter", "--listen", "127.0.0.1:http-or-so"},
		{"emitter", "--listen", taken.Addr().String()}, {"emitter", "--listen", "192.0.2.1:0"},
		{"emitter", "--control-token", "a-token-for-control", "--control-listen", "127.0.0.1:99999"},
		{"receiver", "--inspect-listen", "127.0.0.1:99999"}, {"receiver", "--inspect-listen", taken.Addr().String()},
		{"receiver", "--port", "trusted=" + port}, {"receiver", "--listen-host", "192.0.2.1"},
	} {
		if code, out := run(t, args...); code != reports.ExitUsage || !strings.Contains(out, "listen") || !strings.Contains(out, "a port from 0 to 65535") {
			t.Errorf("%v: code %d: %s", args, code, out)
		}
	}
}

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
				if code, out := run(t, args...); code != reports.ExitUsage || !strings.Contains(out, "it takes certificates in PEM") {
					t.Errorf("%s of %s, for %s: code %d: %s", command, who, name, code, out)
				}
			}
		}
	}
}

func TestAValueThatIsNoneOfItsKindIsToldInPlainWords(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"--repeat=many":                  `--repeat: "many" is not a whole number`,
		"--repeat=999999999999999999999": `--repeat: "999999999999999999999" is out of range`,
		"--quiet=maybe":                  `--quiet: "maybe" is neither true nor false`,
	} {
		if code, out := run(t, "run", value); code != reports.ExitUsage || !strings.HasPrefix(out, "hookproof: "+want+"; ") {
			t.Errorf("%s: code %d: %s", value, code, out)
		}
	}
	file := filepath.Join(t.TempDir(), "hookproof.yaml")
	if err := os.WriteFile(file, []byte("repeat: many\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"run", "doctor"} { // the latter has no such flag
		if code, out := run(t, command, "--config", file); code != reports.ExitUsage || out != "hookproof: "+file+":1: repeat: \"many\" is not a whole number\n" {
			t.Errorf("%s: code %d: %s", command, code, out)
		}
	}
}
