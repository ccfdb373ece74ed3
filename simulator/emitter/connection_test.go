package emitter_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter"
)

const testMedia = "application/vnd.pingidentity.subscription.test+json"

// test asks for a connection test of a subscription of the client's environment.
func (c *client) test(id, media, body string) (int, string) {
	c.t.Helper()
	return c.do(http.MethodPost, c.api+c.path("/subscriptions/"+id), media, body)
}

func TestAConnectionIsTestedWithoutWaitingForEvents(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{})
	c = c.environment("tested")
	r := receive(t, nil)
	id := c.subscribe(r.URL+"/hook", map[string]any{"name": "tested", "enabled": false})
	c.inject("USER.CREATED", 1, 1) // it waits: the subscription is suspended
	for _, body := range []string{"", "{}", " {\"anything\": 1}\n"} {
		if status, got := c.test(id, testMedia, body); status != http.StatusNoContent || got != "" {
			t.Fatalf("body %q was answered %d %s", body, status, got)
		}
	}
	got := r.until(t, "the tests", func(d []delivery) bool { return len(d) >= 6 })
	if len(got) != 6 || got[4].method != http.MethodHead || got[5].method != http.MethodPost {
		t.Fatalf("the receiver saw %d requests: %+v", len(got), got)
	}
	e := gjson.Get(got[5].body, "0")
	for path, want := range map[string]string{
		"action.type": "EVENT_DELIVERY_TEST", "action.description": "Test event for subscription delivery", "subscriptionName": "tested",
		"resources.0.name": "tested", "result.status": "SUCCESS", "result.description": "test connection", "actors.client.type": "CLIENT", "_embedded": "{}",
	} {
		if e.Get(path).String() != want {
			t.Errorf("%s is %q, want %q", path, e.Get(path).String(), want)
		}
	}
	seen := c.must(http.StatusOK, http.MethodGet, c.path("/activities?filter=recordedAt+gt+%222000-01-01T00:00:00Z%22"), "")
	if strings.Contains(seen, "EVENT_DELIVERY_TEST") {
		t.Error("the test is among the activities")
	}
}

func TestAConnectionTestThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{})
	c = c.environment("tested")
	r := receive(t, func(int) int { return http.StatusServiceUnavailable })
	id := c.subscribe(r.URL, nil)
	elsewhere := c.environment("elsewhere")
	for _, tc := range []struct {
		name            string
		client          *client
		id, media, body string
		status          int
		code            string
	}{
		{"a receiver that fails", c, id, testMedia, "{}", 400, "REQUEST_FAILED"},
		{"another type", c, id, "application/json", "{}", 415, "INVALID_REQUEST"},
		{"no type", c, id, "", "{}", 415, "INVALID_REQUEST"},
		{"broken JSON", c, id, testMedia, "{", 400, "INVALID_REQUEST"},
		{"a long body", c, id, testMedia, `{"a":"` + strings.Repeat("a", 1<<20) + `"}`, 413, "INVALID_REQUEST"},
		{"an unknown subscription", c, "33333333-3333-4333-8333-333333333333", testMedia, "{}", 404, "NOT_FOUND"},
		{"a subscription of another environment", elsewhere, id, testMedia, "{}", 404, "NOT_FOUND"},
	} {
		status, body := tc.client.test(tc.id, tc.media, tc.body)
		if status != tc.status || gjson.Get(body, "code").Str != tc.code || gjson.Get(body, "message").Str == "" {
			t.Errorf("%s: %d %s", tc.name, status, body)
		}
	}
}
