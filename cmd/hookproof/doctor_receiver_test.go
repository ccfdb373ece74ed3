package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/reports"
)

func TestTheDoctorLooksAtAReceiver(t *testing.T) {
	t.Parallel()
	const secret = "canary-of-the-receiver"
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodHead:
			t.Errorf("a %s was sent", r.Method)
		case r.Header.Get("X-Key") != secret:
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path != "/"+secret:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	closed := httptest.NewTLSServer(nil)
	closed.Close()
	adapter := func(answer string, status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(answer))
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	with := func(address string, more ...string) []string {
		return append([]string{"--role", "receiver", "--target", address + "/" + secret, "--hook-header", "X-Key: " + secret}, more...)
	}
	for name, c := range map[string]struct {
		args  []string
		check string
		grade grade
		code  int
	}{
		"all is well":               {with(server.URL, "--ca", ca, "--read-back", adapter("", 200)), "read-back", gradeOK, reports.ExitConformant},
		"the clock":                 {with(server.URL, "--ca", ca), "receiver: clock", gradeOK, reports.ExitConformant},
		"both versions of TLS":      {with(server.URL, "--ca", ca), "receiver: versions", gradeOK, reports.ExitConformant},
		"nothing is read back":      {with(server.URL, "--ca", ca), "read-back", gradeWarn, reports.ExitConformant},
		"an adapter that is broken": {with(server.URL, "--ca", ca, "--read-back", adapter("", 500)), "read-back", gradeFail, reports.ExitIncomplete},
		"an adapter that tells all": {with(server.URL, "--ca", ca, "--read-back", adapter("{}", 200)), "read-back", gradeFail, reports.ExitIncomplete},
		"an unknown authority":      {with(server.URL), "receiver: connection", gradeFail, reports.ExitIncomplete},
		"nobody listens":            {with(closed.URL), "receiver: connection", gradeFail, reports.ExitIncomplete},
		"a name that is none":       {with("https://nosuch.invalid"), "receiver: DNS", gradeFail, reports.ExitIncomplete},
		"another path":              {with(server.URL+"/x", "--ca", ca), "receiver: credentials", gradeWarn, reports.ExitConformant},
		"no credentials": {
			[]string{"--role", "receiver", "--target", server.URL + "/" + secret, "--ca", ca}, "receiver: credentials", gradeFail, reports.ExitIncomplete,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, found, text := grades(t, c.args...)
			if found[c.check] != c.grade || code != c.code || strings.Contains(text, secret) {
				t.Errorf("%s is %q, code %d: %s", c.check, found[c.check], code, text)
			}
			if _, asked := found["subscriptions: create"]; asked {
				t.Errorf("the reference emitter was examined: %s", text)
			}
		})
	}
}

func TestTheDoctorNamesTheRemedyForAReceiver(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		if r.URL.Path == "/says" {
			_, _ = w.Write([]byte("no store\n"))
		}
	}))
	t.Cleanup(broken.Close)
	closed := httptest.NewServer(nil)
	closed.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	with := func(more ...string) []string {
		return append([]string{"--role", "receiver", "--target", server.URL + "/hook", "--ca", ca}, more...)
	}
	const check = "answered 401 or 403, check --hook-header (HOOKPROOF_HOOK_HEADER), or --client-certificate with --client-key"
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"credentials that a HEAD does not show":    {with("--hook-header", "X-Key: canary-of-the-receiver"), check},
		"no credentials, and a HEAD shows nothing": {with(), check},
		"an adapter that is not there":             {with("--read-back", closed.URL), "nothing listens there: start the adapter, or mend the port"},
		"an adapter at no name":                    {with("--read-back", "http://nosuch.invalid"), "check the address of --read-back"},
		"an adapter that says what is wrong":       {with("--read-back", broken.URL+"/says"), "it answers 500, not 200: no store\""},
		"an adapter that says nothing":             {with("--read-back", broken.URL), "it answers 500, not 200\""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, _, text := grades(t, c.args...); !strings.Contains(text, c.want) || strings.Contains(text, "canary") {
				t.Errorf("no %q in %s", c.want, text)
			}
		})
	}
}

func TestTheDoctorExaminesNoOtherRole(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--role", "sender"}, {"--role", "emitter", "--hook-header", "a: b"}, {"--role", "receiver", "--target", "http://127.0.0.1:1/"}} {
		if code, text := run(t, append([]string{"doctor"}, args...)...); code != reports.ExitUsage {
			t.Errorf("%v: code %d: %s", args, code, text)
		}
	}
}
