package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
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

func TestTheDoctorFindsOutWhetherTheEventHookTakesItsToken(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	const token = "canary-of-the-hook-1"
	for name, c := range map[string]struct {
		token  string
		status int // to a request with the right token
		grade  grade
		told   string
	}{
		"the right token":        {token, http.StatusNoContent, gradeOK, "is taken"},
		"another token":          {"canary-of-the-hook-2", http.StatusNoContent, gradeFail, "--event-hook-token (HOOKPROOF_EVENT_HOOK_TOKEN)"},
		"no token":               {"", http.StatusNoContent, gradeFail, "--event-hook-token (HOOKPROOF_EVENT_HOOK_TOKEN)"},
		"a token without rights": {token, http.StatusForbidden, gradeFail, "--event-hook-token (HOOKPROOF_EVENT_HOOK_TOKEN)"},
		"another path":           {token, http.StatusNotFound, gradeFail, "check the path"},
		"no empty lists":         {token, http.StatusBadRequest, gradeWarn, "is answered 400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var posted atomic.Int64
			hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost {
					w.WriteHeader(http.StatusMethodNotAllowed)
					return
				}
				posted.Add(1)
				body, err := io.ReadAll(r.Body)
				if want := `{"environment":"` + sharedEnvironment + `","events":[]}`; err != nil || string(body) != want {
					t.Errorf("it was posted %s, %v, want %s", body, err, want)
				}
				if r.Header.Get("Authorization") != "Bearer "+token {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				w.WriteHeader(c.status)
			}))
			t.Cleanup(hook.Close)
			args := append(s.flags(), "--event-hook", hook.URL+"/canary")
			if c.token != "" {
				args = append(args, "--event-hook-token", c.token)
			}
			want := reports.ExitConformant
			if c.grade == gradeFail {
				want = reports.ExitIncomplete
			}
			code, found, text := grades(t, args...)
			if got := found["event hook: token"]; got != c.grade || code != want || !strings.Contains(text, c.told) || strings.Contains(text, "canary") || posted.Load() != 1 {
				t.Errorf("it is %q, code %d, asked %d times: %s", got, code, posted.Load(), text)
			}
		})
	}
}

// What is not judged at a target that makes no environments must not come as a
// surprise: it is what the plan says.
func TestTheDoctorTellsWhatIsNotJudgedInASharedEnvironment(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	code, text := run(t, append([]string{"doctor"}, s.flags()...)...)
	_, planned := run(t, append([]string{"plan", "--role", "emitter", "--claim", "certificates,activities,connection-test,tcp-ip,tcp-delivery"}, s.flags()...)...)
	runs, not, scenarios := map[string]bool{}, map[string]bool{}, 0
	for line := range strings.Lines(planned) {
		into := runs
		if strings.HasSuffix(line, "the target does not claim environments\n") {
			into, scenarios = not, scenarios+1
		}
		for _, word := range strings.Fields(line) {
			if regexp.MustCompile(`^[A-Z]+-[A-Z0-9-]+$`).MatchString(word) {
				into[word] = true
			}
		}
	}
	maps.DeleteFunc(not, func(rule string, _ bool) bool { return runs[rule] })
	rules := strings.Join(slices.Sorted(maps.Keys(not)), ", ")
	if code != reports.ExitConformant || scenarios < 30 || !not["SUB-LIMIT-050"] || !strings.Contains(text, fmt.Sprint(scenarios)) || !strings.Contains(text, rules) || !strings.Contains(text, "the limit of 50") {
		t.Errorf("code %d, want %d scenarios and %s: %s", code, scenarios, rules, text)
	}
}

// A line is closed where it ends, and no more is promised or threatened than is so.
func TestTheDoctorWritesWholeLines(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	refuse := func(r *http.Request) int {
		if r.URL.Path == "/v1/environments" {
			return http.StatusNotFound
		}
		return 0
	}
	s.refuse.Store(&refuse)
	code, text := run(t, append([]string{"doctor", "--claim", "environments"}, s.flags()...)...)
	if code != reports.ExitIncomplete || !strings.Contains(text, "GET /v1/environments is answered 404\n") || regexp.MustCompile(`[ \t]\n`).MatchString(text) {
		t.Errorf("code %d: %q", code, text)
	}
	if !strings.HasSuffix(text, "Mend what failed first: a run would fail because of it, or show nothing.\n") {
		t.Errorf("it ends with something else: %s", text)
	}
}

func TestARefusedConnectionHasTheRemedyOfItsCause(t *testing.T) {
	t.Parallel()
	for cause, want := range map[string]string{
		"http: server gave HTTP response to HTTPS client":                "use http://",
		"tls: failed to verify certificate: signed by unknown authority": "--ca",
		"remote error: tls: certificate required":                        "--client-certificate",
		"dial tcp: connection refused":                                   "start the target",
		"tls: first record does not look like a TLS handshake":           "use http://",
	} {
		if got := connectionRemedy(errors.New(cause), "https"); !strings.Contains(got, want) {
			t.Errorf("%s: %s", cause, got)
		}
	}
	for want, cause := range map[string]error{
		"use https://":                   io.EOF,
		"no answer within 10 s":          context.DeadlineExceeded,
		"check the address, the network": fmt.Errorf("dial tcp: %w", context.DeadlineExceeded),
	} {
		if got := connectionRemedy(cause, "http"); !strings.Contains(got, want) {
			t.Errorf("%v: %s", cause, got)
		}
	}
}
