package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/simulator/emitter"
)

const controlOfPartial = "the-token-of-control-1"

// partial is an emitter with something around its two APIs. The flags reach it,
// and beside them the control flags its control API.
func partial(t *testing.T, around func(http.Handler) http.Handler) (flags, control []string, e *emitter.Emitter) {
	t.Helper()
	var api http.Handler
	front := httptest.NewServer(around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { api.ServeHTTP(w, r) })))
	t.Cleanup(front.Close)
	address := freeAddress(t)
	e, err := emitter.Start(t.Context(), emitter.Options{
		Listen: address, Environment: sharedEnvironment, ClientID: "suite", ClientSecret: sharedSecret, PublicURL: front.URL,
		ControlListen: "127.0.0.1:0", ControlToken: controlOfPartial,
		Linger: 100 * time.Millisecond, RetryInitial: 50 * time.Millisecond, RetryMax: 200 * time.Millisecond, AttemptTimeout: 3 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	api = httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: address})
	behind, err := url.Parse(e.ControlURL())
	if err != nil {
		t.Fatal(err)
	}
	controls := httptest.NewServer(around(httputil.NewSingleHostReverseProxy(behind)))
	t.Cleanup(controls.Close)
	return []string{"--target", front.URL, "--environment", sharedEnvironment, "--client-id", "suite", "--client-secret", sharedSecret},
		[]string{"--control", controls.URL, "--control-token", controlOfPartial}, e
}

// refusing answers the requests that match, as "METHOD path body", with a status
// and headers.
func refusing(match string, status int, headers ...string) func(http.Handler) http.Handler {
	refused := regexp.MustCompile(match)
	return func(inner http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			if refused.MatchString(r.Method + " " + r.URL.Path + " " + string(body)) {
				for i := 0; i+1 < len(headers); i += 2 {
					w.Header().Set(headers[i], headers[i+1])
				}
				w.WriteHeader(status)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			inner.ServeHTTP(w, r)
		})
	}
}

// elsewhere has subscriptions over TCP lead to where nobody listens.
func elsewhere(inner http.Handler) http.Handler {
	address := regexp.MustCompile(`tcp://127\.0\.0\.1:\d+`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		body = address.ReplaceAll(body, []byte("tcp://127.0.0.1:1"))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		inner.ServeHTTP(w, r)
	})
}

// hook is somebody's own address to which the suite posts the events that it
// wants: it makes them happen at the emitter.
func hook(t *testing.T, e *emitter.Emitter) (address string, taken *atomic.Int64) {
	t.Helper()
	taken = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var wanted struct {
			Environment string            `json:"environment"`
			Events      []json.RawMessage `json:"events"`
		}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &wanted)
		}
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer canary-hook-token" || r.URL.Path != "/make/them-happen" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var lines bytes.Buffer
		for _, event := range wanted.Events {
			if err := json.Compact(&lines, event); err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			lines.WriteByte('\n')
		}
		req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, e.ControlURL()+"/control/environments/"+wanted.Environment+"/events", &lines)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		req.Header.Set("Authorization", "Bearer "+controlOfPartial)
		req.Header.Set("Content-Type", "application/x-ndjson")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusAccepted {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		taken.Add(int64(len(wanted.Events)))
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/make/them-happen", taken
}

// withoutUsers is an API in which nobody can create a user.
func withoutUsers(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/users") {
			inner.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		inner.ServeHTTP(answer, r)
		if answer.Code == http.StatusCreated {
			http.NotFound(w, r)
			return
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// What is asked for at an implementer's own address is judged like what calls
// cause, in all areas; and what many scenarios cause in one environment does not
// disturb any of them.
func TestEventsAreAskedForAtTheImplementersOwnAddress(t *testing.T) {
	t.Parallel()
	for name, claims := range map[string]string{
		"in environments of the scenarios' own": "environments,certificates,activities,connection-test",
		"in one environment":                    "certificates,activities,connection-test",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flags, _, e := partial(t, withoutUsers)
			address, taken := hook(t, e)
			dir := t.TempDir()
			if underRace {
				// All of it would take minutes under the race detector, which
				// makes the emitter a slow one: it is asked less at once.
				shard := fmt.Sprintf("%d/4", rand.IntN(4)+1)
				t.Logf("with the race detector only shard %s", shard)
				flags = append(flags, "--shard", shard, "--shuffle", "1", "--concurrency", "6")
			}
			code, text := run(t, append([]string{"run", "--role", "emitter", "--claim", claims, "--out", dir,
				"--event-hook", address, "--event-hook-token", "canary-hook-token"}, flags...)...)
			if code != reports.ExitConformant || taken.Load() < 50 {
				t.Errorf("code %d, %d events were asked for: %s", code, taken.Load(), text)
			}
			if code, text := run(t, "verify", dir); code != reports.ExitConformant {
				t.Errorf("verify: code %d: %s", code, text)
			}
		})
	}
}

// A run that advances the target's clock leaves it so, and the next one says
// why nothing can be judged.
func TestAClockThatARunHasAdvancedIsFound(t *testing.T) {
	t.Parallel()
	flags, control, _ := partial(t, func(inner http.Handler) http.Handler { return inner })
	flags = append(append(flags, control...), "--claim", "environments,post-events,clock-control")
	weeks := func(command ...string) (int, string) { return run(t, append(command, flags...)...) }
	const found = "its clock is "
	if code, text := weeks("run", "--rule", "SUS-002", "--out", t.TempDir()); code != reports.ExitConformant {
		t.Fatalf("code %d: %s", code, text)
	}
	if code, text := weeks("run", "--rule", "SUB-CRUD-004", "--out", t.TempDir()); code != reports.ExitIncomplete || !strings.Contains(text, found) {
		t.Errorf("code %d: %s", code, text)
	}
	if code, text := weeks("doctor"); code != reports.ExitIncomplete || !strings.Contains(text, found) {
		t.Errorf("doctor: code %d: %s", code, text)
	}
}

// Claimed and not served is a failure, whichever way it is not served.
func TestWhatIsClaimedAndNotServedIsAFailure(t *testing.T) {
	t.Parallel()
	environments, tested, certificates := `^POST /v1/environments `, `^POST .*/subscriptions/.`, `^POST .*/(certificates|keys) `
	for name, c := range map[string]struct {
		claims string
		around func(http.Handler) http.Handler
		what   []string // to run
	}{
		"environments":                    {"environments", refusing(environments, 404), []string{"--rule", "FLT-002"}},
		"environments, forbidden":         {"environments", refusing(environments, 403), []string{"--rule", "FLT-002"}},
		"environments, failing":           {"environments", refusing(environments, 500), []string{"--rule", "FLT-002"}},
		"activities":                      {"activities", refusing(`/activities`, 404), []string{"--profile", "activities"}},
		"activities, forbidden":           {"activities", refusing(`/activities`, 403), []string{"--profile", "activities"}},
		"certificates":                    {"certificates", refusing(certificates, 404), []string{"--profile", "tls-config"}},
		"certificates, forbidden":         {"certificates", refusing(certificates, 403), []string{"--profile", "tls-config"}},
		"tests":                           {"connection-test", refusing(tested, 404), []string{"--profile", "connection-test"}},
		"tests, forbidden":                {"connection-test", refusing(tested, 403), []string{"--profile", "connection-test"}},
		"tests, whose event is asked for": {"connection-test", refusing(tested, 503), []string{"--rule", "TST-002"}},
		"events":                          {"post-events", refusing(`^POST /control/environments/`, 404), []string{"--rule", "FLT-002"}},
		"events, forbidden":               {"post-events", refusing(`^POST /control/environments/`, 403), []string{"--rule", "FLT-002"}},
		"the clock":                       {"clock-control", refusing(`^POST /control/clock`, 404), []string{"--rule", "SUS-002"}},
		"the clock, failing":              {"clock-control", refusing(`^POST /control/clock`, 500), []string{"--rule", "SUS-002"}},
		"TCP":                             {"tcp-ip", refusing(`"TCP_IP"`, 400), []string{"--profile", "tcp"}},
		"TCP, failing":                    {"tcp-ip", refusing(`"TCP_IP"`, 500), []string{"--rule", "TCP-001"}},
		"deliveries over TCP":             {"tcp-delivery,tcp-ip", elsewhere, []string{"--rule", "FLT-002"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flags, control, _ := partial(t, c.around)
			claim, _, _ := strings.Cut(c.claims, ",")
			if claim == "post-events" || claim == "clock-control" {
				flags = append(flags, control...)
			}
			want := `serves "` + claim + `", which it claims`
			dir := t.TempDir()
			code, text := run(t, slices.Concat([]string{"run", "--claim", c.claims, "--out", dir}, c.what, flags)...)
			if code != reports.ExitNonConformant || !strings.Contains(text, want) {
				t.Errorf("code %d, want %d and %q: %s", code, reports.ExitNonConformant, want, text)
			}
			results, err := reports.Read(filepath.Join(dir, reports.FileName))
			if err != nil || results.Check() != nil || results.Verdict != reports.NonConformant {
				t.Errorf("verdict %s, %v, %v", results.Verdict, err, results.Check())
			}
			if code, text := run(t, "verify", dir); code != reports.ExitConformant {
				t.Errorf("verify: code %d: %s", code, text)
			}
		})
	}
}

// A target that is busy, or that has died, serves what it claims at another
// time; and where the status is what is asked for, it is judged as such.
func TestWhatIsNotServedNowIsNoFailureOfWhatIsClaimed(t *testing.T) {
	t.Parallel()
	var seen atomic.Bool
	dying := func(inner http.Handler) http.Handler {
		makes := refusing(`^POST /v1/environments `, 500)(http.NotFoundHandler())
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && r.URL.Path == "/v1/environments" {
				seen.Store(true)
			}
			if seen.Load() {
				r.Method, r.URL.Path = http.MethodPost, "/v1/environments"
				makes.ServeHTTP(w, r)
				return
			}
			inner.ServeHTTP(w, r)
		})
	}
	for name, c := range map[string]struct {
		claim  string
		around func(http.Handler) http.Handler
		rule   string
		code   int
	}{
		"busy":                   {"environments", refusing(`^POST /v1/environments `, 503, "Retry-After", "1"), "FLT-002", reports.ExitIncomplete},
		"dead":                   {"environments", dying, "FLT-002", reports.ExitIncomplete},
		"a refusal is asked for": {"connection-test", func(inner http.Handler) http.Handler { return inner }, "AUT-002", reports.ExitConformant},
		"another is asked for":   {"connection-test", refusing(`^POST .*/subscriptions/.`, 403), "AUT-002", reports.ExitNonConformant},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flags, _, _ := partial(t, c.around)
			dir := t.TempDir()
			code, text := run(t, append([]string{"run", "--claim", c.claim, "--rule", c.rule, "--out", dir}, flags...)...)
			if code != c.code || strings.Contains(text, "which it claims") {
				t.Errorf("code %d, want %d: %s", code, c.code, text)
			}
			if code, text := run(t, "verify", dir); code != reports.ExitConformant && code != reports.ExitIncomplete {
				t.Errorf("verify: code %d: %s", code, text)
			}
		})
	}
}
