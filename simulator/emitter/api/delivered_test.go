package api_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/fixtures"
	"github.com/hookproof/hookproof/simulator/emitter"
)

// mutated does one of each change that makes an event, and returns the events' types in order.
func (w *world) mutated(env string, headers ...string) []string {
	w.Helper()
	must := func(status int, method, path, body string, more ...string) answer {
		w.Helper()
		return w.must(status, method, path, body, append(slices.Clone(headers), more...)...)
	}
	const password = "application/vnd.pingidentity.password."
	made := func(plural, body string) string {
		return env + "/" + plural + "/" + must(201, "POST", env+"/"+plural, body).get("id").Str
	}
	must(200, "PUT", env, `{"name":"F","type":"SANDBOX","region":"EU"}`)
	population := made("populations", `{"name":"Staff"}`)
	must(200, "PUT", population, `{"name":"Staff 2"}`)
	user := made("users", `{"username":"u","email":"u@example.com"}`)
	must(200, "PATCH", user, `{"nickname":"n"}`)
	must(200, "PUT", user+"/population", fmt.Sprintf(`{"id":%q}`, id(population)))
	must(200, "PUT", user+"/password", `{"value":"p"}`, "Content-Type", password+"set+json")
	must(200, "PUT", user+"/password", `{"newPassword":"p"}`, "Content-Type", password+"reset+json")
	must(200, "POST", user+"/password", "", "Content-Type", password+"forceChange")
	role := user + "/roleAssignments/" + must(201, "POST", user+"/roleAssignments", assignmentOf("Environment Admin", "ENVIRONMENT", id(env))).get("id").Str
	must(204, "DELETE", role, "")
	must(204, "DELETE", user, "")
	must(204, "DELETE", population, "")
	application := made("applications", `{"name":"A","enabled":true,"protocol":"OPENID_CONNECT","type":"WEB_APP","tokenEndpointAuthMethod":"NONE"}`)
	must(200, "PUT", application, `{"name":"B","enabled":false,"protocol":"OPENID_CONNECT","type":"WEB_APP","tokenEndpointAuthMethod":"NONE"}`)
	must(200, "GET", application+"/secret", "")
	must(200, "POST", application+"/secret", "")
	must(204, "DELETE", application, "")
	key := made("keys", generateBody)
	must(200, "PUT", key, `{"default":false,"usageType":"SIGNING"}`)
	must(204, "DELETE", key, "")
	other := made("subscriptions", subscriptionBody)
	must(200, "PUT", other, subscriptionBody)
	must(204, "DELETE", other, "")
	return []string{
		"ENVIRONMENT.UPDATED", "POPULATION.CREATED", "POPULATION.UPDATED", "USER.CREATED", "USER.UPDATED", "USER.MOVED", "PASSWORD.SET", "PASSWORD.RESET",
		"PASSWORD.FORCE_CHANGE", "ROLE_ASSIGNMENT.CREATED", "ROLE_ASSIGNMENT.DELETED", "USER.DELETED", "POPULATION.DELETED", "APPLICATION.CREATED",
		"APPLICATION.UPDATED", "SECRET.READ", "SECRET.UPDATED", "APPLICATION.DELETED", "KEY.CREATED", "KEY.UPDATED", "KEY.DELETED",
		"SUBSCRIPTION.CREATED", "SUBSCRIPTION.UPDATED", "SUBSCRIPTION.DELETED",
	}
}

// TestWebhookAndActivitiesTellTheSameOfEveryChange runs a whole emitter with a receiver that asks for the client's
// address and user agent.
func TestWebhookAndActivitiesTellTheSameOfEveryChange(t *testing.T) {
	t.Parallel()
	delivered := make(chan gjson.Result, 100)
	receiver := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		for _, event := range gjson.ParseBytes(raw).Array() {
			delivered <- event
		}
	}))
	t.Cleanup(receiver.Close)
	e, err := emitter.Start(t.Context(), emitter.Options{
		Linger: 10 * time.Millisecond, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	w := &world{T: t, url: e.URL()}
	w.token = w.tokenOf(e.Bootstrap())
	env := w.environment()
	types := fixtures.ActionTypes()
	body, _ := sjson.Set(subscriptionBody, "filterOptions.includedActionTypes", types)
	body, _ = sjson.SetRaw(body, "filterOptions.ipAddressExposed", "true")
	body, _ = sjson.SetRaw(body, "filterOptions.userAgentExposed", "true")
	body, _ = sjson.SetRaw(body, "verifyTlsCertificates", "false")
	body, _ = sjson.Set(body, "httpEndpoint.url", receiver.URL)
	w.must(201, "POST", env+"/subscriptions", body)
	want := append([]string{"SUBSCRIPTION.CREATED"}, w.mutated(env, "User-Agent", "agent/1", "X-Forwarded-For", "203.0.113.7")...)

	var got []string
	deadline := time.After(30 * time.Second)
	for len(got) < len(want) {
		select {
		case event := <-delivered:
			got = append(got, event.Get("action.type").Str)
			if source := event.Get("source").Raw; len(got) > 1 && source != `{"ipAddress":"203.0.113.7","userAgent":"agent/1"}` {
				t.Errorf("%s from %s", event.Get("action.type").Str, source)
			}
			w.sameAsActivity(env, event)
		case <-deadline:
			t.Fatalf("only %v are delivered", got)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, name := range want {
		if !slices.Contains(types, name) {
			t.Errorf("%s is no documented type", name)
		}
	}
	found := w.must(200, "GET", env+"/activities?filter="+url.QueryEscape(sinceLongAgo), "").get("_embedded.activities.#").Int()
	if want := int64(len(want) + 2); found != want { // with the environment's and its population's creation
		t.Errorf("%d activities, want %d", found, want)
	}
}

// sameAsActivity compares a delivered event with the activity of its id apart from the documented differences: links
// and createdAt stand only there, source only here (E1).
func (w *world) sameAsActivity(env string, event gjson.Result) {
	w.Helper()
	shown := w.must(200, "GET", env+"/activities/"+event.Get("id").Str, "").body
	for _, name := range []string{"_links", "createdAt"} {
		if !gjson.Get(shown, name).Exists() || event.Get(name).Exists() {
			w.Errorf("%s: %s, delivered %s", name, shown, event.Raw)
		}
		shown, _ = sjson.Delete(shown, name)
	}
	raw, _ := sjson.Delete(event.Raw, "source")
	if diff := cmp.Diff(gjson.Parse(raw).Value(), gjson.Parse(shown).Value()); diff != "" {
		w.Error(diff)
	}
	if !strings.HasPrefix(event.Get("resources.0.href").Str, w.url+"/v1/environments/") || event.Get("result.status").Str != "SUCCESS" || event.Get("correlationId").Str == "" {
		w.Error(event.Raw)
	}
}
