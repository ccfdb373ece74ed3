package emitter_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"go.uber.org/goleak"

	"github.com/hookproof/hookproof/simulator/emitter"
)

const controlToken = "control-token-of-the-tests"

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	if runAsChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

// client speaks to one emitter.
type client struct {
	t       testing.TB
	api     string
	control string
	token   string
	env     string
}

func start(t testing.TB, o emitter.Options) (*emitter.Emitter, *client) {
	t.Helper()
	o.ControlToken = controlToken
	if o.RetryInitial == 0 {
		o.RetryInitial = 10 * time.Millisecond
	}
	if o.Linger == 0 {
		o.Linger = 20 * time.Millisecond
	}
	e, err := emitter.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	environment, id, secret := e.Bootstrap()
	c := connect(t, e.URL(), e.ControlURL(), environment, id, secret)
	return e, c
}

func connect(t testing.TB, api, control, environment, id, secret string) *client {
	t.Helper()
	c := &client{t: t, api: api, control: control}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	status, body := c.do(http.MethodPost, api+"/"+environment+"/as/token", "application/x-www-form-urlencoded", form.Encode())
	if status != http.StatusOK {
		t.Fatalf("token: %d %s", status, body)
	}
	c.token = gjson.Get(body, "access_token").String()
	return c
}

func (c *client) do(method, target, contentType, body string) (int, string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, target, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	token := c.token
	if c.control != "" && strings.HasPrefix(target, c.control) {
		token = controlToken
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer.StatusCode, string(data)
}

func (c *client) must(want int, method, path, body string) string {
	c.t.Helper()
	base := c.api
	if strings.HasPrefix(path, "/control/") {
		base = c.control
	}
	status, got := c.do(method, base+path, "application/json", body)
	if status != want {
		c.t.Fatalf("%s %s answered %d, not %d: %s", method, path, status, want, got)
	}
	return got
}

func (c *client) environment(name string) *client {
	c.t.Helper()
	made := *c
	made.env = gjson.Get(c.must(http.StatusCreated, http.MethodPost, "/v1/environments",
		fmt.Sprintf(`{"name":%q,"type":"SANDBOX","region":"EU","license":{"id":"57e7c1b5-0000-4000-8000-000000000001"}}`, name)), "id").String()
	return &made
}

func (c *client) path(rest string) string { return "/v1/environments/" + c.env + rest }

// subscribe makes a subscription; changes are merged over the minimal body.
func (c *client) subscribe(target string, changes map[string]any) string {
	c.t.Helper()
	return gjson.Get(c.must(http.StatusCreated, http.MethodPost, c.path("/subscriptions"), subscriptionBody(c.t, target, changes)), "id").String()
}

func subscriptionBody(t testing.TB, target string, changes map[string]any) string {
	t.Helper()
	body := map[string]any{
		"name": "a webhook", "enabled": true, "verifyTlsCertificates": false, "format": "ACTIVITY",
		"httpEndpoint":  map[string]any{"url": target},
		"filterOptions": map[string]any{"includedActionTypes": []string{"USER.CREATED"}},
	}
	for k, v := range changes {
		body[k] = v
	}
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// inject posts n events of a type, numbered from first in `result.id`.
func (c *client) inject(kind string, first, n int) {
	c.t.Helper()
	var lines bytes.Buffer
	for i := first; i < first+n; i++ {
		fmt.Fprintf(&lines, `{"action":{"type":%q},"result":{"status":"SUCCESS","id":"%d"},"resources":[]}`+"\n", kind, i)
	}
	status, body := c.do(http.MethodPost, c.control+"/control/environments/"+c.env+"/events", "application/x-ndjson", lines.String())
	if status != http.StatusAccepted || gjson.Get(body, "accepted").Int() != int64(n) {
		c.t.Fatalf("injection answered %d: %s", status, body)
	}
}

// receiver records deliveries; answer decides the status of each, 200 when nil.
type receiver struct {
	*httptest.Server
	mu         sync.Mutex
	deliveries []delivery
	more       chan struct{}
	answer     func(n int) int
}

type delivery struct {
	method, target string
	header         http.Header
	body           string
	status         int
	at             time.Time
}

func receive(t testing.TB, answer func(n int) int) *receiver {
	r := &receiver{more: make(chan struct{}), answer: answer}
	r.Server = httptest.NewTLSServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the emitter went away
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	status := http.StatusOK
	if r.answer != nil {
		status = r.answer(len(r.deliveries) + 1)
	}
	r.deliveries = append(r.deliveries, delivery{req.Method, req.RequestURI, req.Header, string(body), status, time.Now()})
	close(r.more)
	r.more = make(chan struct{})
	w.WriteHeader(status)
}

// until waits for a state of the deliveries and returns them.
func (r *receiver) until(t testing.TB, what string, reached func([]delivery) bool) []delivery {
	t.Helper()
	deadline := time.After(patience)
	for {
		r.mu.Lock()
		got, more := slices.Clone(r.deliveries), r.more
		r.mu.Unlock()
		if reached(got) {
			return got
		}
		select {
		case <-more:
		case <-deadline:
			t.Fatalf("waited in vain for %s; got %d deliveries", what, len(got))
		}
	}
}

// numbers are the numbers of injected events in accepted deliveries, in order.
func numbers(deliveries []delivery) []string {
	var all []string
	for _, d := range deliveries {
		if d.status != http.StatusOK {
			continue
		}
		for _, e := range gjson.Parse(d.body).Array() {
			all = append(all, e.Get("result.id").String())
		}
	}
	return all
}

func counted(from, n int) []string {
	var all []string
	for i := from; i < from+n; i++ {
		all = append(all, fmt.Sprint(i))
	}
	return all
}

func (r *receiver) untilNumbers(t testing.TB, want []string) []delivery {
	t.Helper()
	got := r.until(t, fmt.Sprintf("%d events", len(want)), func(d []delivery) bool { return len(numbers(d)) >= len(want) })
	if n := numbers(got); !slices.Equal(n, want) {
		t.Fatalf("delivered %v, want %v", n, want)
	}
	return got
}

func TestAnAPICallIsDelivered(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{})
	c = c.environment("one")
	r := receive(t, nil)
	c.subscribe(r.URL+"/hook?x=y", map[string]any{
		"httpEndpoint": map[string]any{"url": r.URL + "/hook?x=y", "headers": map[string]string{"Authorization": "Basic dTpw", "X-Own": "a, b"}},
	})
	population := gjson.Get(c.must(http.StatusCreated, http.MethodPost, c.path("/populations"), `{"name":"Staff"}`), "id").String()
	c.must(http.StatusCreated, http.MethodPost, c.path("/users"), fmt.Sprintf(`{"username":"ann","email":"ann@example.com","population":{"id":%q}}`, population))
	got := r.until(t, "a delivery", func(d []delivery) bool { return len(d) > 0 })[0]
	if got.method != http.MethodPost || got.target != "/hook?x=y" {
		t.Errorf("request was %s %s", got.method, got.target)
	}
	if got.header.Get("Authorization") != "Basic dTpw" || got.header.Get("X-Own") != "a, b" || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers were %v", got.header)
	}
	e := gjson.Get(got.body, "0")
	if e.Get("action.type").String() != "USER.CREATED" || e.Get("resources.0.population.id").String() != population {
		t.Errorf("body was %s", got.body)
	}
}

// Receivers that answer another 2xx get everything once only where that is
// asked for.
func TestAnother2xxEndsADeliveryOnRequest(t *testing.T) {
	t.Parallel()
	for accept, sent := range map[bool][]string{true: {"1", "2"}, false: {"1", "1"}} {
		_, c := start(t, emitter.Options{Accept2xx: accept})
		c = c.environment("another 2xx")
		r := receive(t, func(int) int { return http.StatusAccepted })
		c.subscribe(r.URL, nil)
		for n := 1; n <= 2; n++ {
			c.inject("USER.CREATED", n, 1)
			r.until(t, "an attempt", func(got []delivery) bool { return len(got) >= n })
		}
		var got []string
		for _, d := range r.until(t, "two attempts", func(got []delivery) bool { return len(got) >= 2 })[:2] {
			got = append(got, gjson.Get(d.body, "0.result.id").String())
		}
		if !slices.Equal(got, sent) {
			t.Errorf("accepting 2xx %v: events %v were sent", accept, got)
		}
	}
}
