package receiver_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/receiver"
)

func TestEndpointsHaveUnguessableHooksOnEveryListener(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	seen := map[string]bool{}
	for range 20 {
		endpoint := d.endpoint(`{"name":"one of many"}`)
		token := endpoint.Get("token").String()
		if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(token) || seen[token] {
			t.Errorf("token %q", token)
		}
		seen[token] = true
		if strings.Contains(endpoint.Get("id").String(), token[:16]) {
			t.Error("the id gives the token away")
		}
		urls := endpoint.Get("urls").Map()
		for _, mode := range receiver.Modes() {
			if got, want := urls[string(mode)].String(), d.receiver.URL(mode)+"/hooks/"+token; got != want {
				t.Errorf("%s: %s, want %s", mode, got, want)
			}
		}
		if endpoint.Get("dedicated").Exists() {
			t.Error("there is a dedicated listener that nobody asked for")
		}
	}
	if got := len(d.want(http.StatusOK, "GET", "/inspect/endpoints", "").Get("endpoints").Array()); got != 20 {
		t.Errorf("%d endpoints are listed", got)
	}
}

func TestBadInspectionRequestsGetAClearError(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := "/inspect/endpoints/" + d.endpoint("").Get("id").String()
	for _, c := range []struct {
		method, path, body string
		status             int
		message            string
	}{
		{"POST", "/inspect/endpoints", `{`, 400, "unexpected EOF"},
		{"POST", "/inspect/endpoints", `[]`, 400, "must be a JSON object"},
		{"POST", "/inspect/endpoints", `null`, 400, "must be a JSON object"},
		{"POST", "/inspect/endpoints", `{}{}`, 400, "more than one"},
		{"POST", "/inspect/endpoints", `{"behavior":{}}`, 400, `unknown field "behavior"`},
		{"POST", "/inspect/endpoints", `{"name":3}`, 400, "name: must be a string"},
		{"POST", "/inspect/endpoints", `{"name":"` + strings.Repeat("x", 201) + `"}`, 400, "name: 201 bytes"},
		{"POST", "/inspect/endpoints", `{"behaviour":{"steps":[{"delay":"soon"}]}}`, 400, "behaviour: steps[0].delay: must be a duration"},
		{"POST", "/inspect/endpoints", `{"behaviour":null}`, 400, "behaviour: must be an object"},
		{"POST", "/inspect/endpoints", `{"listener":{"dedicated":true}}`, 400, "listener.mode"},
		{"POST", "/inspect/endpoints", `{"listener":{"mode":"secret","dedicated":true}}`, 400, `listener.mode: "secret" is none of`},
		{"POST", "/inspect/endpoints", `{"listener":{"mode":"plain"}}`, 400, "listener.dedicated: must be true"},
		{"POST", "/inspect/endpoints", `{"listener":{"mode":"plain","dedicated":"yes"}}`, 400, "listener.dedicated: must be a bool"},
		{"POST", "/inspect/endpoints", `{"name":"` + strings.Repeat("x", 4<<20) + `"}`, 413, "longer than"},
		{"DELETE", "/inspect/endpoints", ``, 405, "DELETE is not served"},
		{"POST", "/inspect", ``, 405, "POST is not served"},
		{"GET", "/inspect/nothing", ``, 404, `nothing is served at "/inspect/nothing"`},
		{"GET", "/inspect/endpoints/ep-0", ``, 404, "no such endpoint"},
		{"DELETE", "/inspect/endpoints/ep-0", ``, 404, "no such endpoint"},
		{"PUT", "/inspect/endpoints/ep-0/behaviour", `{}`, 404, "no such endpoint"},
		{"PUT", "/inspect/endpoints/ep-0/listener", `{"open":true}`, 404, "no such endpoint"},
		{"GET", "/inspect/endpoints/ep-0/deliveries", ``, 404, "no such endpoint"},
		{"GET", "/inspect/endpoints/ep-0/connections", ``, 404, "no such endpoint"},
		{"PUT", endpoint + "/behaviour", ``, 400, "not JSON"},
		{"PUT", endpoint + "/behaviour", `{"then":{"status":99}}`, 400, "then.status: 99"},
		{"PATCH", endpoint + "/behaviour", `{}`, 405, "PATCH is not served"},
		{"PUT", endpoint + "/listener", `{"open":true}`, 409, "no dedicated listener"},
		{"PUT", endpoint + "/listener", `{}`, 400, "open: must be given"},
		{"PUT", endpoint + "/listener", `{"open":1}`, 400, "open: must be a bool"},
		{"PUT", endpoint + "/listener", ``, 400, "EOF"},
		{"GET", endpoint + "/connections", ``, 409, "no dedicated listener"},
		{"GET", endpoint + "/deliveries?after=-1", ``, 400, "after:"},
		{"GET", endpoint + "/deliveries?after=x", ``, 400, "after:"},
		{"GET", endpoint + "/deliveries?limit=0", ``, 400, "limit:"},
		{"GET", endpoint + "/deliveries?limit=10001", ``, 400, "limit:"},
		{"GET", endpoint + "/deliveries?wait=5", ``, 400, "wait:"},
		{"GET", endpoint + "/deliveries?wait=61s", ``, 400, "wait:"},
		{"GET", endpoint + "/deliveries?wait=-1s", ``, 400, "wait:"},
		{"GET", endpoint + "/deliveries?since=1", ``, 400, "since: unknown parameter"},
		{"GET", endpoint + "/deliveries?%zz", ``, 400, "query"},
	} {
		status, answer := d.inspect(c.method, c.path, c.body)
		if status != c.status || !strings.Contains(answer.Get("error").String(), c.message) {
			t.Errorf("%s %s %.60s: %d %.200s, want %d %q", c.method, c.path, c.body, status, answer, c.status, c.message)
		}
	}
	if got := len(d.want(http.StatusOK, "GET", "/inspect/endpoints", "").Get("endpoints").Array()); got != 1 {
		t.Errorf("%d endpoints after bad requests, want the first alone", got)
	}
}

func TestLongPollWakesForADelivery(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint("")
	path := "/inspect/endpoints/" + endpoint.Get("id").String() + "/deliveries"
	if answer := d.want(http.StatusOK, "GET", path+"?wait=10ms", ""); answer.Raw == "" || answer.Get("deliveries").Raw != "[]" || answer.Get("last").Raw != "0" || answer.Get("evicted").Raw != "0" {
		t.Errorf("nothing came, but %s", answer)
	}
	polls := make(chan gjson.Result, 1)
	go func() {
		_, answer := d.inspect("GET", path+"?after=1&wait=15s", "")
		polls <- answer
	}()
	d.post(endpoint, "[1]") // sequence number 1: not what is waited for
	started := time.Now()
	d.post(endpoint, "[2]")
	answer := <-polls
	if got := answer.Get("deliveries.#.seq").Raw; got != "[2]" || answer.Get("last").Int() != 2 {
		t.Errorf("woke with %s", answer)
	}
	if took := time.Since(started); took > 14*time.Second {
		t.Errorf("woke after %v", took)
	}
	if answer := d.want(http.StatusOK, "GET", path+"?limit=1", ""); answer.Get("deliveries.#.seq").Raw != "[1]" || answer.Get("last").Int() != 1 {
		t.Errorf("limited to one: %s", answer)
	}
}

func TestLongPollEndsWithItsEndpoint(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	path := "/inspect/endpoints/" + d.endpoint("").Get("id").String()
	statuses := make(chan int, 1)
	go func() {
		status, _ := d.inspect("GET", path+"/deliveries?wait=60s", "")
		statuses <- status
	}()
	d.want(http.StatusNoContent, "DELETE", path, "")
	if status := <-statuses; status != http.StatusNotFound {
		t.Errorf("status %d", status)
	}
	d.want(http.StatusNotFound, "DELETE", path, "")
}

func TestInspectionNeedsItsToken(t *testing.T) {
	t.Parallel()
	const token = "canary-inspection-token"
	d := newDesk(t, receiver.Options{InspectListen: "0.0.0.0:0", InspectToken: token})
	d.endpoint("")
	if got := d.receiver.Token(); got != token {
		t.Errorf("Token() is %q", got)
	}
	for _, path := range []string{"/", "/inspect", "/inspect/endpoints", "/inspect/endpoints/ep-0", "/nothing"} {
		for name, header := range map[string]string{"none": "", "wrong": "Bearer wrong", "longer": "Bearer " + token + "x", "other scheme": "Token " + token} {
			response, body := d.do(newClient(t, nil), d.request("GET", d.receiver.InspectURL()+path, "", func(r *http.Request) { r.Header.Set("Authorization", header) }))
			if response.StatusCode != http.StatusUnauthorized || response.Header.Get("WWW-Authenticate") == "" || gjson.GetBytes(body, "error").String() == "" || strings.Contains(string(body), token) {
				t.Errorf("%s with %s token: %d %s", path, name, response.StatusCode, body)
			}
		}
	}
	response, _ := d.do(newClient(t, nil), d.request("GET", d.receiver.InspectURL()+"/healthz", ""))
	if response.StatusCode != http.StatusOK {
		t.Errorf("/healthz without a token: %d", response.StatusCode)
	}
	response, _ = d.do(newClient(t, nil), d.request("GET", d.receiver.InspectURL()+"/", "", func(r *http.Request) { r.SetBasicAuth("any", token) }))
	if response.StatusCode != http.StatusOK {
		t.Errorf("the page with the token as a password: %d", response.StatusCode)
	}
}

func TestForeignPagesCannotReachTheInspection(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	for name, change := range map[string]func(*http.Request){
		"under a foreign name":  func(r *http.Request) { r.Host = "attacker.example" },
		"from a foreign origin": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
	} {
		response, _ := d.do(newClient(t, nil), d.request("POST", d.receiver.InspectURL()+"/inspect/endpoints", "{}", change))
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d", name, response.StatusCode)
		}
	}
}
