package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/simulator/emitter/api"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

func TestSubscriptionIsEchoedWithWhatTheServerAssigns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	body := `{"id":"mine","createdAt":"2001-01-01T00:00:00Z","environment":{"id":"other"},"unknown":[1],"name":"<n> & é","enabled":false,
		"protocol":"HTTPS","format":"ACTIVITY","verifyTlsCertificates":true,
		"httpEndpoint":{"url":"https://receiver.example:8443/hook/?a=<b>&c","headers":{"Authorization":"Basic eDp5","X-b":""}},
		"filterOptions":{"includedActionTypes":["Z.Z","A.A"],"includedPopulations":[{"id":"q"},{"id":"p"}],"ipAddressExposed":true}}`
	made := w.must(201, "POST", env+"/subscriptions", body)
	if got := made.get("createdAt").Str; got[:2] != "20" || !strings.HasSuffix(got, "Z") || got == "2001-01-01T00:00:00Z" {
		t.Errorf("createdAt %q", got)
	}
	self := env + "/subscriptions/" + made.get("id").Str
	want := `{"_links":{"self":{"href":"` + w.url + self + `"},"environment":{"href":"` + w.url + env + `"}},
		"id":"` + made.get("id").Str + `","environment":{"id":"` + id(env) + `"},"createdAt":"` + made.get("createdAt").Str + `",
		"name":"<n> & é","enabled":false,"protocol":"HTTPS","format":"ACTIVITY","verifyTlsCertificates":true,
		"httpEndpoint":{"url":"https://receiver.example:8443/hook/?a=<b>&c","headers":{"Authorization":"Basic eDp5","X-b":""}},
		"connectionDetails":{"url":"https://receiver.example:8443/hook/?a=<b>&c","headers":{"Authorization":"Basic eDp5","X-b":""}},
		"filterOptions":{"includedActionTypes":["Z.Z","A.A"],"includedPopulations":[{"id":"q"},{"id":"p"}],"ipAddressExposed":true,"userAgentExposed":false}}`
	if diff := cmp.Diff(gjson.Parse(want).Value(), gjson.Parse(made.body).Value()); diff != "" {
		t.Error(diff)
	}
	if got := w.must(200, "GET", self, ""); got.body != made.body {
		t.Errorf("read %s, made %s", got.body, made.body)
	}
	if got := w.must(200, "GET", self+"/", ""); got.body != made.body {
		t.Error("a slash at the end changes the answer")
	}
}

func TestReplacementDropsWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	full := subscriptionBody
	for path, value := range map[string]string{
		"format": `"SPLUNK"`, "httpEndpoint.headers": `{"A":"b"}`, "filterOptions.includedTags": `["adminIdentityEvent"]`,
		"filterOptions.includedApplications": `[{"id":"a"}]`, "filterOptions.userAgentExposed": `true`,
		"payloadOptions.maximumPayloadLimit": `{"type":"KB_PER_PAYLOAD","size":7}`,
	} {
		full, _ = sjson.SetRaw(full, path, value)
	}
	made := w.must(201, "POST", env+"/subscriptions", full)
	if made.get("payloadOptions.maximumPayloadLimit.size").Int() != 7 {
		t.Fatal(made.body)
	}
	self := env + "/subscriptions/" + made.get("id").Str
	put := w.must(200, "PUT", self, subscriptionBody)
	for _, gone := range []string{"format", "httpEndpoint.headers", "connectionDetails.headers", "filterOptions.includedTags", "filterOptions.includedApplications", "payloadOptions"} {
		if put.get(gone).Exists() {
			t.Errorf("%s is left after the replacement", gone)
		}
	}
	if put.get("filterOptions.userAgentExposed").Bool() || put.get("id").Str != made.get("id").Str ||
		put.get("createdAt").Str != made.get("createdAt").Str || put.get("updatedAt").Str < made.get("createdAt").Str {
		t.Error(put.body)
	}
	if got := w.must(200, "GET", self, ""); got.body != put.body {
		t.Errorf("read %s, put %s", got.body, put.body)
	}
	again := w.must(200, "PUT", self, put.body) // what is shown can be sent back
	if diff := cmp.Diff(without(put.body, "updatedAt"), without(again.body, "updatedAt")); diff != "" {
		t.Error(diff)
	}
}

// TestOptionalMembersAreEchoedExactlyAsSent goes through what clients compare: what is sent is shown, what is not sent
// is not, and a replacement that does not send it takes it away.
func TestOptionalMembersAreEchoedExactlyAsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	const minimalTCP = `{"name":"n","enabled":true,"protocol":"TCP_IP","connectionDetails":{"url":"tcp://receiver.example:1234"},
		"filterOptions":{"includedActionTypes":["A.B"]},"verifyTlsCertificates":false}`
	for _, c := range []struct{ base, path, value string }{
		{subscriptionBody, "format", `"ACTIVITY"`}, {subscriptionBody, "format", `"NEWRELIC"`},
		{subscriptionBody, "httpEndpoint.headers", `{"Content-Type":"text/x","b":"","A":"Basic eDp5"}`},
		{subscriptionBody, "filterOptions.includedApplications", `[{"id":"b"},{"id":"a"}]`}, {subscriptionBody, "filterOptions.includedPopulations", `[{"id":"b"},{"id":"a"}]`},
		{subscriptionBody, "filterOptions.includedTags", `["adminIdentityEvent"]`},
		{subscriptionBody, "tlsClientAuthKeyPair", `{"id":"` + w.importKey(env, "OUTBOUND_MTLS") + `"}`},
		{subscriptionBody, "payloadOptions", `{"maximumPayloadLimit":{"type":"KB_PER_PAYLOAD","size":4096}}`},
		{subscriptionBody, "payloadOptions", `{"maximumPayloadLimit":{"type":"EVENTS_PER_PAYLOAD"}}`},
		{subscriptionBody, "payloadOptions", `{"payloadFormat":{"https":{"format":"ND_JSON"}}}`},
		{subscriptionBody, "payloadOptions", `{"payloadFormat":{"https":{"format":"JSON_ARRAY","prettyPrint":false}}}`},
		{subscriptionBody, "payloadOptions", `{"maximumPayloadLimit":{"type":"EVENTS_PER_PAYLOAD","size":500},"payloadFormat":{"https":{"format":"JSON_ARRAY","prettyPrint":true}}}`},
		{minimalTCP, "connectionDetails.headers", `{"X":"y"}`},
		{minimalTCP, "payloadOptions", `{"payloadFormat":{"tcp":{"format":"JSON_DOC"}}}`},
		{minimalTCP, "payloadOptions", `{"payloadFormat":{"tcp":{"format":"RFC_LOGLINE","additionalAttributes":{"b":"1","a":"2"}}}}`},
	} {
		body, _ := sjson.SetRaw(c.base, c.path, c.value)
		made := w.must(201, "POST", env+"/subscriptions", body)
		self := env + "/subscriptions/" + made.get("id").Str
		for how, got := range map[string]answer{"made": made, "read": w.must(200, "GET", self, ""), "put": w.must(200, "PUT", self, body)} {
			if diff := cmp.Diff(gjson.Parse(c.value).Value(), got.get(c.path).Value()); diff != "" {
				t.Errorf("%s %s: %s", how, c.path, diff)
			}
		}
		bare := w.must(201, "POST", env+"/subscriptions", c.base)
		for how, got := range map[string]answer{"replaced": w.must(200, "PUT", self, c.base), "then read": w.must(200, "GET", self, ""), "made without": bare} {
			w.nothingInvented(c.path+" "+how, got, c.base == subscriptionBody)
		}
		w.must(204, "DELETE", self, "")
		w.must(204, "DELETE", env+"/subscriptions/"+bare.get("id").Str, "")
	}
}

// nothingInvented checks what is shown of a subscription that was sent without optional members.
func (w *world) nothingInvented(how string, got answer, https bool) {
	w.Helper()
	for _, path := range []string{"format", "httpEndpoint.headers", "connectionDetails.headers", "filterOptions.includedApplications",
		"filterOptions.includedPopulations", "filterOptions.includedTags", "tlsClientAuthKeyPair", "payloadOptions"} {
		if got.get(path).Exists() {
			w.Errorf("%s: %s is invented", how, path)
		}
	}
	if got.get("connectionDetails.url").Str == "" || got.get("httpEndpoint").Exists() != https || got.get("environment.id").Str == "" {
		w.Errorf("%s: %s", how, got.body)
	}
	for _, path := range []string{"filterOptions.ipAddressExposed", "filterOptions.userAgentExposed"} {
		if got.get(path).Raw != "false" {
			w.Errorf("%s: %s is %q", how, path, got.get(path).Raw)
		}
	}
	if want := map[bool]string{true: "HTTPS", false: "TCP_IP"}[https]; got.get("protocol").Str != want {
		w.Errorf("%s: protocol %q", how, got.get("protocol").Str)
	}
}

func without(raw, path string) any {
	raw, _ = sjson.Delete(raw, path)
	return gjson.Parse(raw).Value()
}

func TestSubscriptionsAreListedInOrderAndOnlyInTheirEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env, other := w.environment(), w.environment()
	if got := w.must(200, "GET", env+"/subscriptions", ""); got.get("count").Int() != 0 || got.get("_embedded.subscriptions.#").Int() != 0 {
		t.Error(got.body)
	}
	var ids []string
	for range 3 { // of the same name: not unique
		ids = append(ids, w.must(201, "POST", env+"/subscriptions/", subscriptionBody).get("id").Str)
	}
	list := w.must(200, "GET", env+"/subscriptions", "")
	var got []string
	for _, s := range list.get("_embedded.subscriptions.#.id").Array() {
		got = append(got, s.Str)
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Error(diff)
	}
	if list.get("count").Int() != 3 || list.get("size").Int() != 3 || list.get("_links.next").Exists() ||
		list.get("_links.self.href").Str != w.url+env+"/subscriptions" {
		t.Error(list.body)
	}
	for _, method := range []string{"GET", "DELETE"} {
		w.refused(w.call(method, other+"/subscriptions/"+ids[0], ""), 404, "NOT_FOUND")
	}
	w.refused(w.call("PUT", other+"/subscriptions/"+ids[0], subscriptionBody), 404, "NOT_FOUND")
	if gone := w.must(204, "DELETE", env+"/subscriptions/"+ids[0], ""); gone.body != "" {
		t.Error("204 with a body")
	}
	for _, method := range []string{"GET", "DELETE"} {
		w.refused(w.call(method, env+"/subscriptions/"+ids[0], ""), 404, "NOT_FOUND")
	}
	w.refused(w.call("PATCH", env+"/subscriptions/"+ids[1], "{}"), 405, "INVALID_REQUEST")
}

func TestLimitIsExactUnderConcurrentCreation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	answers := make(chan answer, 200)
	var group sync.WaitGroup
	for range cap(answers) {
		r := w.request("POST", env+"/subscriptions", subscriptionBody)
		group.Go(func() {
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			answers <- answer{status: response.StatusCode}
		})
	}
	group.Wait()
	close(answers)
	counts := map[int]int{}
	for a := range answers {
		counts[a.status]++
	}
	if diff := cmp.Diff(map[int]int{201: 50, 403: 150}, counts); diff != "" {
		t.Fatal(diff)
	}
	list := w.must(200, "GET", env+"/subscriptions", "")
	if list.get("size").Int() != 50 {
		t.Errorf("%d in the list", list.get("size").Int())
	}
	refused := w.refused(w.call("POST", env+"/subscriptions", subscriptionBody), 403, "ACCESS_FAILED")
	if refused.get("details.0.code").Str != "LICENSE_EXCEEDED" || refused.get("details.0.innerError.quotaLimit").Int() != 50 ||
		refused.get("details.0.target").Str != "subscriptions" {
		t.Error(refused.body)
	}
	w.must(204, "DELETE", env+"/subscriptions/"+list.get("_embedded.subscriptions.7.id").Str, "")
	w.must(201, "POST", env+"/subscriptions", subscriptionBody)
	w.must(201, "POST", w.environment()+"/subscriptions", subscriptionBody) // the limit is each environment's own
}

func TestStateSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var env, list string
	t.Run("before", func(t *testing.T) {
		w := openWorld(t, dir)
		env = w.environment()
		for range 3 {
			w.must(201, "POST", env+"/subscriptions", subscriptionBody)
		}
		first := w.must(200, "GET", env+"/subscriptions", "").get("_embedded.subscriptions.0.id").Str
		w.must(200, "PUT", env+"/subscriptions/"+first, strings.Replace(subscriptionBody, `"n"`, `"m"`, 1))
		user := w.must(201, "POST", env+"/users", `{"username":"u","email":"u@example.com","age":1.50,"password":{"value":"p","forceChange":true}}`,
			"Content-Type", "application/vnd.pingidentity.user.import+json").get("id").Str
		w.must(201, "POST", env+"/users/"+user+"/roleAssignments", assignmentOf("Identity Data Admin", "ENVIRONMENT", id(env)))
		w.must(201, "POST", env+"/keys", generateBody)
		w.worker(env)
		w.importKey(env, "OUTBOUND_MTLS")
		w.uploadCertificate(env)
		gone := w.environment()
		w.must(204, "DELETE", gone, "")
		list = w.state(env)
	})
	t.Run("after", func(t *testing.T) {
		w := openWorld(t, dir)
		if diff := cmp.Diff(list, w.state(env)); diff != "" {
			t.Error(diff)
		}
		if got := w.must(200, "GET", "/v1/environments", ""); got.get("count").Int() != 2 {
			t.Error(got.body)
		}
	})
}

// everything is what an environment's lists show, without the address of this server.
func (w *world) everything(env string) string {
	w.Helper()
	var all strings.Builder
	for _, plural := range []string{"", "/subscriptions", "/populations", "/applications", "/users", "/keys", "/certificates"} {
		all.WriteString(indented(strings.ReplaceAll(w.must(200, "GET", env+plural, "").body, w.url, "")))
	}
	return all.String()
}

func TestPiecesCanBeExchangedWhileServing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.conforming.off.Store(true)
	env := w.environment()
	w.api.SetPieces(api.Pieces{CreatedStatus: 200, Represent: func(s subscription.Subscription) subscription.Representation {
		r := subscription.Represent(s)
		r.ConnectionDetails = nil
		return r
	}})
	if got := w.must(200, "POST", env+"/subscriptions", subscriptionBody); got.get("connectionDetails").Exists() {
		t.Error(got.body)
	}
	w.api.SetPieces(api.Pieces{})
	if got := w.must(201, "POST", env+"/subscriptions", subscriptionBody); !got.get("connectionDetails").Exists() {
		t.Error(got.body)
	}
}

func TestDeletedEnvironmentIsGoneWithEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	made := w.must(201, "POST", env+"/subscriptions", subscriptionBody).get("id").Str
	_, token := w.worker(env)
	w.must(204, "DELETE", env, "")
	for _, path := range []string{"", "/subscriptions", "/subscriptions/" + made, "/users", "/keys", "/activities", "/billOfMaterials"} {
		w.refused(w.call("GET", env+path, ""), 404, "NOT_FOUND")
	}
	w.refused(w.call("POST", env+"/subscriptions", subscriptionBody), 404, "NOT_FOUND")
	w.token = token
	w.refused(w.call("GET", env, ""), 401, "ACCESS_FAILED")
}

func TestTimesAreUTCWithMilliseconds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.must(200, "GET", w.environment(), "").get("createdAt").Str
	if at, err := time.Parse("2006-01-02T15:04:05.000Z", got); err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("createdAt %q: %v", got, err)
	}
}
