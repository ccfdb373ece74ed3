package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/simulator/emitter"
)

// partial is an emitter that does not serve the requests that refuse names, as
// "METHOD path"; its control API is served.
func partial(t *testing.T, refuse string) (flags []string, e *emitter.Emitter) {
	t.Helper()
	var forward http.Handler
	refused := regexp.MustCompile(refuse)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refused.MatchString(r.Method + " " + r.URL.Path) {
			http.NotFound(w, r)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	address := freeAddress(t)
	e, err := emitter.Start(t.Context(), emitter.Options{
		Listen: address, Environment: sharedEnvironment, ClientID: "suite", ClientSecret: sharedSecret, PublicURL: front.URL,
		ControlListen: "127.0.0.1:0", ControlToken: "control",
		Linger: 100 * time.Millisecond, RetryInitial: 50 * time.Millisecond, RetryMax: 200 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	forward = httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: address})
	return []string{"--target", front.URL, "--environment", sharedEnvironment, "--client-id", "suite", "--client-secret", sharedSecret}, e
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
		req.Header.Set("Authorization", "Bearer control")
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

func TestEventsAreAskedForAtTheImplementersOwnAddress(t *testing.T) {
	t.Parallel()
	flags, e := partial(t, `/users`)
	address, taken := hook(t, e)
	dir := t.TempDir()
	code, text := run(t, append([]string{"run", "--profile", "filtering,delivery", "--claim", "environments,certificates", "--out", dir,
		"--event-hook", address, "--event-hook-token", "canary-hook-token"}, flags...)...)
	if code != reports.ExitConformant || taken.Load() < 100 {
		t.Errorf("code %d, %d events were asked for: %s", code, taken.Load(), text)
	}
	if code, text := run(t, "verify", dir); code != reports.ExitConformant {
		t.Errorf("verify: code %d: %s", code, text)
	}
}

func TestWhatIsClaimedAndNotServedIsAFailure(t *testing.T) {
	t.Parallel()
	for claim, c := range map[string]struct{ refuse, profile string }{
		"environments":    {`^POST /v1/environments$`, "filtering"},
		"activities":      {`/activities`, "activities"},
		"certificates":    {`^POST .*/(certificates|keys)$`, "tls-config"},
		"connection-test": {`^POST .*/subscriptions/.`, "connection-test"},
	} {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			flags, _ := partial(t, c.refuse)
			dir := t.TempDir()
			code, text := run(t, append([]string{"run", "--profile", c.profile, "--claim", claim, "--out", dir}, flags...)...)
			if code != reports.ExitNonConformant || !strings.Contains(text, `serves "`+claim+`", which it claims`) {
				t.Errorf("code %d: %s", code, text)
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
