package emitter_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter"
)

func TestTheControlAPINeedsItsToken(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{})
	for _, path := range []string{"/control/clock", "/control/faults", "/control/nothing", "/"} {
		for _, authorization := range []string{"", "Bearer wrong", "Basic " + controlToken, controlToken, "Bearer " + c.token} {
			req, err := http.NewRequest(http.MethodGet, c.control+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if authorization != "" {
				req.Header.Set("Authorization", authorization)
			}
			answer, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != http.StatusUnauthorized || answer.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s with %q answered %d", path, authorization, answer.StatusCode)
			}
		}
	}
}

func TestWithoutTokenThereIsNoControlAPI(t *testing.T) {
	t.Parallel()
	e, err := emitter.Start(t.Context(), emitter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.ControlURL() != "" {
		t.Errorf("control API at %s", e.ControlURL())
	}
	if _, err := emitter.Start(t.Context(), emitter.Options{ControlListen: "127.0.0.1:0"}); err == nil {
		t.Error("a control listener without token was accepted")
	}
}

func TestTheControlAPIRefusesWithThePlatformsBody(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{})
	c = c.environment("control")
	events := "/control/environments/" + c.env + "/events"
	valid := `{"action":{"type":"USER.CREATED"}}`
	for _, x := range []struct {
		name, method, path, contentType, body string
		status                                int
		code, target                          string
	}{
		{"unknown path", "GET", "/control/nothing", "", "", 404, "NOT_FOUND", ""},
		{"wrong method", "DELETE", "/control/clock", "", "", 405, "INVALID_REQUEST", ""},
		{"unknown environment", "POST", "/control/environments/nowhere/events", "application/x-ndjson", valid, 404, "NOT_FOUND", ""},
		{"media type", "POST", events, "application/json", valid, 415, "INVALID_REQUEST", ""},
		{"no media type", "POST", events, "", valid, 415, "INVALID_REQUEST", ""},
		{"nothing", "POST", events, "application/x-ndjson", "\n \n", 400, "INVALID_DATA", "$"},
		{"third line", "POST", events, "application/x-ndjson", valid + "\n" + valid + "\r\n{}\n" + valid, 400, "INVALID_DATA", "line 3"},
		{"too many", "POST", events, "application/x-ndjson", strings.Repeat(valid+"\n", 100_001), 400, "INVALID_DATA", "line 100001"},
		{"too large", "POST", events, "application/x-ndjson", strings.Repeat(strings.Repeat(" ", 1<<20)+"\n", 64), 413, "INVALID_REQUEST", ""},
		{"a line too large", "POST", events, "application/x-ndjson", valid + "\n" + strings.Repeat(" ", 7<<20), 400, "INVALID_DATA", "line 2"},
		{"clock no JSON", "POST", "/control/clock", "application/json", "x", 400, "INVALID_REQUEST", ""},
		{"clock unknown member", "POST", "/control/clock", "application/json", `{"set":"1h"}`, 400, "INVALID_REQUEST", ""},
		{"clock no duration", "POST", "/control/clock", "application/json", `{"advance":"tomorrow"}`, 400, "INVALID_DATA", "advance"},
		{"clock back", "POST", "/control/clock", "application/json", `{"advance":"-1s"}`, 400, "INVALID_DATA", "advance"},
		{"clock too far", "POST", "/control/clock", "application/json", `{"advance":"2000000h"}`, 400, "INVALID_DATA", "advance"},
		{"unknown fault", "PUT", "/control/faults/nothing", "", "", 404, "NOT_FOUND", ""},
		{"unknown fault off", "DELETE", "/control/faults/nothing", "", "", 404, "NOT_FOUND", ""},
	} {
		status, body := c.do(x.method, c.control+x.path, x.contentType, x.body)
		got := gjson.Parse(body)
		if status != x.status || got.Get("code").String() != x.code || got.Get("details.0.target").String() != x.target ||
			got.Get("id").String() == "" || got.Get("message").String() == "" {
			t.Errorf("%s: %d %s", x.name, status, body)
		}
	}
}

func TestInjectionIsAllOrNothing(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{})
	c = c.environment("injected")
	r := receive(t, nil)
	c.subscribe(r.URL, nil)
	status, _ := c.do(http.MethodPost, c.control+"/control/environments/"+c.env+"/events", "application/x-ndjson; charset=utf-8",
		`{"action":{"type":"USER.CREATED"},"result":{"id":"bad"}}`+"\nnot JSON\n")
	if status != http.StatusBadRequest {
		t.Fatalf("answered %d", status)
	}
	c.inject("USER.CREATED", 1, 1)
	r.untilNumbers(t, []string{"1"})
}

func TestTensOfThousandsArriveInOrder(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{})
	c = c.environment("many")
	r := receive(t, nil)
	c.subscribe(r.URL, nil)
	c.inject("USER.CREATED", 0, 20_000)
	began := time.Now()
	got := r.untilNumbers(t, counted(0, 20_000))
	t.Logf("%d deliveries in %v", len(got), time.Since(began))
	for _, d := range got {
		if n := gjson.Get(d.body, "#").Int(); n < 1 || n > 500 {
			t.Errorf("a payload of %d events", n)
		}
	}
}

func TestSuspendAndResume(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{})
	c = c.environment("suspended")
	r, sentinel := receive(t, nil), receive(t, nil)
	id := c.subscribe(r.URL, nil)
	c.subscribe(sentinel.URL, nil)
	c.inject("USER.CREATED", 1, 1)
	r.untilNumbers(t, []string{"1"})
	c.must(http.StatusOK, http.MethodPut, c.path("/subscriptions/"+id), subscriptionBody(t, r.URL, map[string]any{"enabled": false}))
	c.inject("USER.CREATED", 2, 2)
	sentinel.untilNumbers(t, []string{"1", "2", "3"})
	if n := len(r.until(t, "nothing", func([]delivery) bool { return true })); n != 1 {
		t.Errorf("%d deliveries while suspended", n-1)
	}
	c.must(http.StatusOK, http.MethodPut, c.path("/subscriptions/"+id), subscriptionBody(t, r.URL, nil))
	r.untilNumbers(t, []string{"1", "2", "3"})
}

func TestARestartKeepsEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := receive(t, nil)
	e, c := start(t, emitter.Options{Dir: dir})
	c = c.environment("restarted")
	id := c.subscribe(r.URL, nil)
	c.inject("USER.CREATED", 1, 3)
	r.untilNumbers(t, counted(1, 3))
	c.must(http.StatusOK, http.MethodPut, c.path("/subscriptions/"+id), subscriptionBody(t, r.URL, map[string]any{"enabled": false}))
	c.inject("USER.CREATED", 4, 2)
	env, client, secret := e.Bootstrap()
	if !e.SecretGenerated() {
		t.Error("the secret is not new")
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	again, c2 := start(t, emitter.Options{Dir: dir})
	if e2, client2, secret2 := again.Bootstrap(); e2 != env || client2 != client || secret2 != secret || again.SecretGenerated() {
		t.Error("the client changed")
	}
	c2.env = c.env
	c2.must(http.StatusOK, http.MethodPut, c2.path("/subscriptions/"+id), subscriptionBody(t, r.URL, nil))
	c2.inject("USER.CREATED", 6, 1)
	r.untilNumbers(t, counted(1, 6))
}

func TestTheClockShowsWhatIsKept(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{})
	c = c.environment("aged")
	r := receive(t, nil)
	id := c.subscribe(r.URL, map[string]any{"enabled": false})
	c.inject("USER.CREATED", 1, 1)
	c.must(http.StatusOK, http.MethodPost, "/control/clock", `{"advance":"168h"}`)
	c.inject("USER.CREATED", 2, 1)
	body := c.must(http.StatusOK, http.MethodPost, "/control/clock", `{"advance":"169h"}`)
	if gjson.Get(body, "offset").String() != "337h0m0s" || gjson.Get(c.must(http.StatusOK, http.MethodGet, "/control/clock", ""), "offset").String() != "337h0m0s" {
		t.Errorf("clock: %s", body)
	}
	shown, err := time.Parse(time.RFC3339Nano, gjson.Get(body, "now").String())
	if err != nil || time.Until(shown) < 336*time.Hour {
		t.Errorf("the clock shows %v, %v", shown, err)
	}
	c.must(http.StatusOK, http.MethodPut, c.path("/subscriptions/"+id), subscriptionBody(t, r.URL, nil))
	c.inject("USER.CREATED", 3, 1)
	r.untilNumbers(t, []string{"2", "3"})
}

func TestAFailingQueueLosesWhatIsOlderThanSevenDays(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{RetryMax: 20 * time.Millisecond})
	c = c.environment("failing")
	failures := 1000
	r := receive(t, func(n int) int {
		if n <= failures {
			return 500
		}
		return 200
	})
	c.subscribe(r.URL, nil)
	c.inject("USER.CREATED", 1, 1)
	r.until(t, "a failed attempt", func(d []delivery) bool { return len(d) > 0 })
	c.must(http.StatusOK, http.MethodPost, "/control/clock", `{"advance":"169h"}`)
	c.inject("USER.CREATED", 2, 1)
	r.until(t, "attempts with the later event alone", func(d []delivery) bool {
		return gjson.Get(d[len(d)-1].body, "0.result.id").String() == "2"
	})
	r.mu.Lock()
	failures = 0
	r.mu.Unlock()
	r.untilNumbers(t, []string{"2"})
}

func TestHealth(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{})
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := c.do(http.MethodGet, c.api+path, "", ""); status != http.StatusOK {
			t.Errorf("%s answered %d %s", path, status, body)
		}
	}
}

func TestActivitiesShowInjectedAndOwnEvents(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{})
	c = c.environment("activities")
	c.inject("USER.ACCESS_ALLOWED", 1, 2)
	from := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	body := c.must(http.StatusOK, http.MethodGet, c.path("/activities?filter="+strings.ReplaceAll(fmt.Sprintf(`recordedAt gt "%s"`, from), " ", "%20")), "")
	if !strings.Contains(body, "USER.ACCESS_ALLOWED") || !strings.Contains(body, "ENVIRONMENT.CREATED") {
		t.Errorf("got %s", body)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]emitter.Options{
		"fault":       {Faults: []string{"nothing"}},
		"linger":      {Linger: -1},
		"certificate": {TrustedCAs: [][]byte{[]byte("no PEM")}},
		"address":     {Listen: "127.0.0.1:99999"},
		"public":      {ControlListen: "127.0.0.1:0"},
		"data a file": {Dir: "/dev/null"},
	} {
		e, err := emitter.Start(t.Context(), o)
		if err == nil {
			e.Close()
			t.Errorf("%s: started", name)
		} else if name == "fault" && !strings.Contains(err.Error(), "limit-51") {
			t.Errorf("the error does not say what there is: %v", err)
		}
	}
}
