package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"go.uber.org/goleak"

	"github.com/hookproof/hookproof/simulator/emitter/api"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() != "" || flag.Lookup("test.fuzzworker").Value.String() == "true" {
		os.Exit(m.Run()) // fuzzing keeps goroutines of its own; looking for leaks would hang it
	}
	goleak.VerifyTestMain(m)
}

const (
	rootEnvironment = "11111111-1111-4111-8111-111111111111"
	rootClient      = "22222222-2222-4222-8222-222222222222"
	rootSecret      = "a secret: with/odd+characters%"
)

// journal keeps what was recorded, with the source beside it.
type journal struct {
	mu     sync.Mutex
	events map[string][]event.Event
	bodies map[string][]json.RawMessage
}

func (j *journal) Record(_ context.Context, environment string, events ...event.Event) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range events {
		j.events[environment] = append(j.events[environment], e)
		j.bodies[environment] = append(j.bodies[environment], e.Record().JSON(true, true))
	}
	return nil
}

func (j *journal) of(environment string) []event.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]event.Event(nil), j.events[environment]...)
}

// raw are the events as webhooks would deliver them.
func (j *journal) raw(environment string) []json.RawMessage {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]json.RawMessage(nil), j.bodies[environment]...)
}

func (j *journal) Activities(_ context.Context, environment string, _, _ time.Time) iter.Seq2[json.RawMessage, error] {
	j.mu.Lock()
	bodies := append([]json.RawMessage(nil), j.bodies[environment]...)
	j.mu.Unlock()
	return func(yield func(json.RawMessage, error) bool) {
		for _, b := range bodies {
			if !yield(b, nil) {
				return
			}
		}
	}
}

// clock is a time that a test moves.
type clock struct {
	mu     sync.Mutex
	offset time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// world is one emitter's API over HTTP, with a token of the bootstrap client.
type world struct {
	*testing.T
	url     string
	token   string
	journal *journal
	clock   *clock
	api     *api.API

	conforming *conforming
}

// reached is the test of a connection to a receiver that takes everything.
type reached struct{}

func (reached) Test(context.Context, subscription.Subscription, event.Event) error { return nil }

func newWorld(t *testing.T) *world {
	t.Helper()
	return openWorld(t, "")
}

func openWorld(t *testing.T, dir string) *world {
	t.Helper()
	store, err := storage.Open(t.Context(), storage.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{T: t, clock: &clock{}, journal: &journal{events: map[string][]event.Event{}, bodies: map[string][]json.RawMessage{}}}
	d, err := directory.Open(t.Context(), directory.Options{
		Recorder: w.journal, Place: store.Place(), Root: rootEnvironment,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.api = api.New(d, api.Options{
		Bootstrap:  api.Client{EnvironmentID: rootEnvironment, ID: rootClient, Secret: rootSecret, Name: "Bootstrap"},
		Activities: w.journal, Now: w.clock.now, Tester: reached{},
	})
	w.conforming = conform(t, w.api) // every answer in every test keeps to the published document
	server := httptest.NewServer(w.conforming)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.token = w.tokenOf(rootEnvironment, rootClient, rootSecret)
	return w
}

// answer is a response with its body read.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) get(path string) gjson.Result { return gjson.Get(a.body, path) }

func (w *world) do(r *http.Request) answer {
	w.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		w.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(raw)}
}

// request builds an authorized request; a body is JSON unless a header says otherwise.
func (w *world) request(method, path, body string, headers ...string) *http.Request {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func (w *world) call(method, path, body string, headers ...string) answer {
	w.Helper()
	return w.do(w.request(method, path, body, headers...))
}

// must is call with an expected status; it returns the answer.
func (w *world) must(status int, method, path, body string, headers ...string) answer {
	w.Helper()
	got := w.call(method, path, body, headers...)
	if got.status != status {
		w.Fatalf("%s %s answers %d, want %d: %s", method, path, got.status, status, got.body)
	}
	return got
}

// refused checks a status with the platform's error body and returns the answer.
func (w *world) refused(got answer, status int, code string) answer {
	w.Helper()
	if got.status != status || got.get("code").Str != code {
		w.Errorf("answer %d %s, want %d %s", got.status, got.body, status, code)
	}
	if got.header.Get("Content-Type") != "application/json" || len(got.get("id").Str) != 36 || got.get("message").Str == "" {
		w.Errorf("no error body of the platform: %v %s", got.header, got.body)
	}
	for _, detail := range got.get("details").Array() {
		if detail.Get("code").Str == "" || detail.Get("message").Str == "" {
			w.Errorf("incomplete detail: %s", detail.Raw)
		}
	}
	return got
}

func (w *world) tokenOf(environment, id, secret string) string {
	w.Helper()
	got := w.askToken(environment, url.QueryEscape(id), url.QueryEscape(secret), "grant_type=client_credentials")
	if got.status != http.StatusOK || got.get("token_type").Str != "Bearer" || got.get("expires_in").Int() != 3600 {
		w.Fatalf("token: %d %s", got.status, got.body)
	}
	return got.get("access_token").Str
}

func (w *world) askToken(environment, user, password, form string) answer {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.url+"/"+environment+"/as/token", strings.NewReader(form))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	return w.do(r)
}

// environment makes one and returns its path.
func (w *world) environment() string {
	w.Helper()
	made := w.must(201, "POST", "/v1/environments", `{"name":"E","type":"SANDBOX","region":"EU","license":{"id":"l"}}`)
	return "/v1/environments/" + made.get("id").Str
}

func id(path string) string { return path[strings.LastIndex(path, "/")+1:] }

const subscriptionBody = `{"name":"n","enabled":true,"httpEndpoint":{"url":"https://receiver.example/hook"},` +
	`"filterOptions":{"includedActionTypes":["USER.CREATED"]},"verifyTlsCertificates":true}`

// workerToken makes a worker application in an environment and returns its id and a token of it.
func (w *world) worker(environment string) (application, token string) {
	w.Helper()
	made := w.must(201, "POST", environment+"/applications", `{"name":"W","enabled":true,"protocol":"OPENID_CONNECT",
		"type":"WORKER","grantTypes":["CLIENT_CREDENTIALS"],"tokenEndpointAuthMethod":"CLIENT_SECRET_BASIC"}`)
	application = made.get("id").Str
	secret := w.must(200, "GET", environment+"/applications/"+application+"/secret", "").get("secret").Str
	return application, w.tokenOf(id(environment), application, secret)
}

func indented(raw string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(raw), "", " ") != nil {
		return raw
	}
	return out.String()
}
