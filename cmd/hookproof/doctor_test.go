package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookproof/hookproof/reports"
)

// grades are the findings of a run of the doctor, by check.
func grades(t *testing.T, args ...string) (int, map[string]grade, string) {
	t.Helper()
	code, text := run(t, append([]string{"doctor", "--json"}, args...)...)
	var d diagnosis
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("code %d: %v: %s", code, err, text)
	}
	found := map[string]grade{}
	for _, f := range d.Findings {
		found[f.Check] = f.Grade
		if f.Found == "" || f.Grade != gradeOK && f.Remedy == "" {
			t.Errorf("%s says nothing, or has no remedy: %+v", f.Check, f)
		}
	}
	return code, found, text
}

func TestTheDoctorFindsNothingWrongWithTheEmbeddedPair(t *testing.T) {
	t.Parallel()
	code, found, text := grades(t)
	if code != reports.ExitConformant || found["subscriptions: create"] != gradeOK || found["claim activities"] != gradeOK {
		t.Errorf("code %d: %s", code, text)
	}
	for check, g := range found {
		if g != gradeOK {
			t.Errorf("%s: %s", check, g)
		}
	}
}

func TestTheDoctorLeavesNothingAtATarget(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	before := s.holds(t)
	code, found, text := grades(t, s.flags()...)
	if code != reports.ExitConformant || found["credentials"] != gradeOK || found["environment"] != gradeWarn || found["receiver"] != gradeOK {
		t.Errorf("code %d: %s", code, text)
	}
	if after := s.holds(t); !slices.Equal(before, after) {
		t.Errorf("%v was there, now %v", before, after)
	}
	if strings.Contains(text, sharedSecret) {
		t.Errorf("a secret was printed: %s", text)
	}
}

func TestTheDoctorNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	late := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
	}))
	t.Cleanup(late.Close)
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	closed := httptest.NewServer(nil)
	closed.Close()
	with := func(target string, more ...string) []string {
		return append([]string{"--target", target, "--environment", sharedEnvironment, "--client-id", "suite", "--client-secret", sharedSecret}, more...)
	}
	for name, c := range map[string]struct {
		args  []string
		check string
		grade grade
		code  int
	}{
		"plain HTTP at https":      {with(strings.Replace(late.URL, "http:", "https:", 1)), "target: connection", gradeFail, reports.ExitIncomplete},
		"a name that is none":      {with("http://nosuch.invalid"), "target: DNS", gradeFail, reports.ExitIncomplete},
		"nobody listens":           {with(closed.URL), "target: connection", gradeFail, reports.ExitIncomplete},
		"an unknown authority":     {with(secure.URL), "target: connection", gradeFail, reports.ExitIncomplete},
		"a clock that is late":     {with(s.url, "--control", late.URL, "--control-token", "not-its-token"), "control: clock", gradeWarn, reports.ExitConformant},
		"a wrong secret":           {with(s.url, "--client-secret", "a-wrong-secret"), "credentials", gradeFail, reports.ExitIncomplete},
		"a receiver at no address": {with(s.url, "--receiver-listen", "0.0.0.0"), "receiver", gradeFail, reports.ExitIncomplete},
		"a receiver at an address": {with(s.url, "--receiver-listen", "0.0.0.0", "--receiver-host", "localhost"), "receiver", gradeOK, reports.ExitConformant},
		"a receiver at no name":    {with(s.url, "--receiver-listen", "0.0.0.0", "--receiver-host", "nosuch.invalid"), "receiver", gradeWarn, reports.ExitConformant},
		"a wrong token":            {with(s.url, "--token", "a-wrong-token"), "credentials", gradeFail, reports.ExitIncomplete},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, found, text := grades(t, c.args...)
			if found[c.check] != c.grade || code != c.code {
				t.Errorf("%s is %q, code %d: %s", c.check, found[c.check], code, text)
			}
		})
	}
}

func TestARefusedConnectionHasTheRemedyOfItsCause(t *testing.T) {
	t.Parallel()
	for cause, want := range map[string]string{
		"http: server gave HTTP response to HTTPS client":                "use http://",
		"tls: failed to verify certificate: signed by unknown authority": "--ca",
		"remote error: tls: certificate required":                        "--client-certificate",
		"dial tcp: connection refused":                                   "start the target",
	} {
		if got := connectionRemedy(errors.New(cause)); !strings.Contains(got, want) {
			t.Errorf("%s: %s", cause, got)
		}
	}
}
