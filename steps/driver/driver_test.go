package driver

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets"
)

const (
	secretOfClient = "canary-client-secret"
	tokenOfClient  = "canary-access-token"
)

// world is a target and a receiver in one server, of which it is known what
// they answer.
func world(t *testing.T) (*Client, *atomic.Int32) {
	t.Helper()
	var tokens atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("POST /env/as/token", func(w http.ResponseWriter, r *http.Request) {
		tokens.Add(1)
		if id, secret, ok := r.BasicAuth(); !ok || id != "client" || secret != secretOfClient {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"` + tokenOfClient + `","token_type":"Bearer","expires_in":3600}`))
	})
	mux.HandleFunc("POST /v1/echo", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+tokenOfClient {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		w.Header().Set("X-Secret", "canary-answer-header")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(body.Bytes())
	})
	mux.HandleFunc("POST /v1/gossip", func(w http.ResponseWriter, r *http.Request) {
		// A target that repeats what it was told in confidence.
		w.Header().Set("Content-Type", "text/plain; "+r.Header.Get("Authorization"))
		w.Header().Set("Location", "https://elsewhere.example/?token="+url.QueryEscape(tokenOfClient))
		_, _ = w.Write([]byte("you sent " + r.Header.Get("Authorization") + " for " + secretOfClient + ", canary-password and " + base64.StdEncoding.EncodeToString([]byte("client:"+secretOfClient))))
	})
	mux.HandleFunc("POST /v1/upload", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1 << 20); err != nil || r.FormValue("password") != "canary-password" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("POST /inspect/endpoints", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"id":"e1","token":"t","urls":{"trusted":"https://127.0.0.1:1/hooks/t"}}`))
	})
	mux.HandleFunc("GET /inspect/endpoints/e1/deliveries", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("after") != "0" {
			_, _ = w.Write([]byte(`{"deliveries":[]}`))
			return
		}
		_, _ = w.Write([]byte(`{"deliveries":[{"seq":1,"method":"POST","target":"/hooks/t","headers":{"Authorization":["canary-basic"]},"body":"` + base64.StdEncoding.EncodeToString([]byte(`[{"gossip":"`+tokenOfClient+`"}]`)) + `","complete":true,"firstByteAt":"2026-01-02T03:04:05Z"}],"last":1}`))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	client, err := NewClient(&targets.System{
		Emitter:  targets.Emitter{API: server.URL, Auth: server.URL, Environment: "env", ClientID: "client", ClientSecret: secretOfClient},
		Receiver: targets.Receiver{Inspect: server.URL},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client, &tokens
}

// play does with a driver what a scenario would do.
func play(ctx context.Context, t *testing.T, d *Driver) {
	t.Helper()
	name := d.Name("thing")
	calls := []Call{
		{Peer: Emitter, Method: http.MethodPost, Path: "/v1/echo", Body: []byte(`{"name":"` + name + `","headers":{"x":"canary-header-value"}}`)},
		{Peer: Emitter, Method: http.MethodPost, Path: "/v1/upload", Form: []Field{{Name: "password", Value: []byte("canary-password"), Secret: true}, {Name: "file", FileName: "f", Value: []byte("public")}}},
	}
	answers, err := d.DoAll(ctx, calls)
	if err != nil {
		t.Fatal(err)
	}
	if answers[0].Response.Status != http.StatusCreated || answers[1].Response.Status != http.StatusAccepted {
		t.Fatalf("answers %d and %d", answers[0].Response.Status, answers[1].Response.Status)
	}
	if _, err := d.Do(ctx, Call{Peer: Emitter, Method: http.MethodPost, Path: "/v1/gossip"}); err != nil {
		t.Fatal(err)
	}
	var fingerprint string
	if err := d.Fact("fingerprint", &fingerprint, func() (any, error) { return "made-once", nil }); err != nil || fingerprint != "made-once" {
		t.Fatalf("fact %q, %v", fingerprint, err)
	}
	e, err := d.NewEndpoint(ctx, "receiver", Listener{Mode: "trusted"}, Behaviour{})
	if err != nil {
		t.Fatal(err)
	}
	done, err := d.AwaitDeliveries(ctx, e, time.Second, func() bool { return len(d.Transcript().Deliveries("receiver")) == 1 })
	if err != nil || !done {
		t.Fatalf("await: %v, %v", done, err)
	}
}

func record(t *testing.T) *transcript.Transcript {
	t.Helper()
	client, _ := world(t)
	d := New(NewLive(client, "salt", 5*time.Second), &transcript.Transcript{Schema: transcript.Schema, Scenario: "s", Seed: "1", Salt: "salt", Deadlines: []byte(`{}`)})
	play(t.Context(), t, d)
	return d.Snapshot()
}

func TestAReplayOfAStoredTranscriptIsTheSameTranscript(t *testing.T) {
	t.Parallel()
	first := record(t)
	var stored bytes.Buffer
	if err := first.Write(&stored); err != nil {
		t.Fatal(err)
	}
	read, err := transcript.Read(&stored)
	if err != nil {
		t.Fatal(err)
	}
	backend := NewReplay(read)
	d := New(backend, &transcript.Transcript{Schema: transcript.Schema, Scenario: "s", Seed: "1", Salt: "salt", Deadlines: []byte(`{}`)})
	play(t.Context(), t, d)
	if backend.Rest() != 0 {
		t.Errorf("%d entries were not asked for", backend.Rest())
	}
	if diff := cmp.Diff(read, d.Snapshot()); diff != "" {
		t.Error(diff)
	}
}

func TestNoSecretIsEverRecorded(t *testing.T) {
	t.Parallel()
	var stored bytes.Buffer
	if err := record(t).Write(&stored); err != nil {
		t.Fatal(err)
	}
	if i := strings.Index(stored.String(), "canary"); i >= 0 {
		t.Errorf("a secret was recorded: …%s…", stored.String()[max(0, i-80):min(stored.Len(), i+40)])
	}
	if strings.Contains(stored.String(), base64.StdEncoding.EncodeToString([]byte("client:"+secretOfClient))) {
		t.Error("the client's credentials were recorded in the form of HTTP Basic")
	}
	if !strings.Contains(stored.String(), "public") {
		t.Error("what is no secret is missing: the test would not see one")
	}
}

func TestAReplayRefusesWhatWasNotRecorded(t *testing.T) {
	t.Parallel()
	first := record(t)
	for name, ask := range map[string]func(*Driver) error{
		"another path": func(d *Driver) error {
			_, err := d.Do(t.Context(), Call{Peer: Emitter, Method: http.MethodPost, Path: "/v1/other"})
			return err
		},
		"another body": func(d *Driver) error {
			_, err := d.Do(t.Context(), Call{Peer: Emitter, Method: http.MethodPost, Path: "/v1/echo", Body: []byte(`{"name":"other"}`)})
			return err
		},
		"a fact where an exchange is": func(d *Driver) error {
			var v string
			return d.Fact("fingerprint", &v, nil)
		},
		"more than there is": func(d *Driver) error {
			for {
				if _, err := d.backend.(*Replay).take("anything"); err != nil {
					return err
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := New(NewReplay(first), &transcript.Transcript{Scenario: "s", Seed: "1", Salt: "salt", Deadlines: []byte(`{}`)})
			if err := ask(d); !errors.Is(err, ErrDiverged) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOneTokenServesManyCalls(t *testing.T) {
	t.Parallel()
	client, tokens := world(t)
	d := New(NewLive(client, "salt", 5*time.Second), &transcript.Transcript{Seed: "1"})
	calls := make([]Call, 40)
	for i := range calls {
		calls[i] = Call{Peer: Emitter, Method: http.MethodPost, Path: "/v1/echo", Body: []byte(`{}`)}
	}
	answers, err := d.DoAll(t.Context(), calls)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range answers {
		if a.Response == nil || a.Response.Status != http.StatusCreated {
			t.Fatalf("got %+v", a)
		}
	}
	if tokens.Load() != 1 {
		t.Errorf("%d tokens were fetched", tokens.Load())
	}
}

func TestATargetThatDoesNotAnswerIsAnExchangeWithAnError(t *testing.T) {
	t.Parallel()
	client, err := NewClient(&targets.System{Emitter: targets.Emitter{API: "http://127.0.0.1:1", Token: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	d := New(NewLive(client, "salt", 5*time.Second), &transcript.Transcript{Seed: "1"})
	x, err := d.Do(t.Context(), Call{Peer: Emitter, Method: http.MethodGet, Path: "/v1/x"})
	if err != nil || x.Response != nil || x.Error == "" {
		t.Errorf("got %+v, %v", x, err)
	}
	if err := client.Reach(t.Context()); err == nil {
		t.Error("it is said to be reachable")
	}
}

func TestMadeUpValuesDependOnSeedAndScenarioAlone(t *testing.T) {
	t.Parallel()
	made := func(seed, scenario string) string {
		d := New(NewReplay(&transcript.Transcript{}), &transcript.Transcript{Seed: seed, Scenario: scenario})
		return d.Name("x") + d.UUID()
	}
	one, again := made("1", "a"), made("1", "a")
	if one != again {
		t.Error("the same seed gave something else")
	}
	if one == made("1", "b") || one == made("2", "a") {
		t.Error("another seed or scenario gave the same")
	}
	uuid := New(NewReplay(&transcript.Transcript{}), &transcript.Transcript{}).UUID()
	if len(uuid) != 36 || uuid[14] != '4' || !strings.ContainsRune("89ab", rune(uuid[19])) {
		t.Errorf("%s is no UUID of version 4", uuid)
	}
}

func TestWhatTheReceiverRefusesIsTheSuitesOwnError(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	client, err := NewClient(&targets.System{Receiver: targets.Receiver{Inspect: server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	d := New(NewLive(client, "salt", 5*time.Second), &transcript.Transcript{Seed: "1"})
	if _, err := d.NewEndpoint(t.Context(), "receiver", Listener{Mode: "trusted"}, Behaviour{}); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v", err)
	}
}
