package api_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNewEnvironmentHasADefaultPopulation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.must(201, "POST", "/v1/environments", `{"name":"E","type":"SANDBOX","region":"CA","license":{"id":"l"},
		"billOfMaterials":{"products":[{"type":"PING_ONE_BASE","tags":["x"]}]}}`)
	env := "/v1/environments/" + made.get("id").Str
	if made.get("region").Str != "CA" || made.get("license.id").Str != "l" || made.get("billOfMaterials.products.0.tags.0").Str != "x" {
		t.Error(made.body)
	}
	if got := w.must(200, "GET", env+"/billOfMaterials", ""); got.get("products.0.type").Str != "PING_ONE_BASE" {
		t.Error(got.body)
	}
	population := w.must(200, "GET", env+"/populations", "").get("_embedded.populations.0")
	for path, want := range map[string]string{"name": "Default", "default": "true", "preferredLanguage": "en", "environment.id": id(env)} {
		if got := population.Get(path).String(); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	self := env + "/populations/" + population.Get("id").Str
	put := w.must(200, "PUT", self, `{"default":true,"name":"Renamed","description":"d"}`)
	if put.get("theme.id").Str != population.Get("theme.id").Str || put.get("theme.id").Str == "" || put.get("preferredLanguage").Str != "en" {
		t.Error(put.body)
	}
	w.refused(w.call("DELETE", self, ""), 400, "INVALID_DATA")
}

func TestEnvironmentsAreFilteredByName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"alpha-1", "alpha-2", `beta "x"`} {
		w.must(201, "POST", "/v1/environments", fmt.Sprintf(`{"name":%q,"type":"SANDBOX","region":"EU"}`, name))
	}
	for filter, want := range map[string]int64{
		`name sw "alpha"`: 2, `name eq "alpha-1"`: 1, `name eq "beta \"x\""`: 1, `name sw "x"`: 0, `name sw "alpha" and name eq "alpha-2"`: 1,
	} {
		if got := w.must(200, "GET", "/v1/environments?filter="+url.QueryEscape(filter), ""); got.get("_embedded.environments.#").Int() != want {
			t.Errorf("%s finds %s", filter, got.body)
		}
	}
	for _, filter := range []string{"name", `name co "a"`, `name eq "a" or name eq "b"`, `name eq "a`, `name eq "a" and`, `name eq 'a'`} {
		got := w.refused(w.call("GET", "/v1/environments?filter="+url.QueryEscape(filter), ""), 400, "INVALID_REQUEST")
		if got.get("details.0.code").Str != "INVALID_FILTER" {
			t.Errorf("%s: %s", filter, got.body)
		}
	}
}

func TestPagesLinkToTheNextUntilTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	var want []string
	for i := range 7 {
		made := w.must(201, "POST", env+"/users", fmt.Sprintf(`{"username":"u%d","email":"u@example.com"}`, i))
		want = append(want, made.get("id").Str)
	}
	var got []string
	for next := w.url + env + "/users?limit=3"; next != ""; {
		page := w.must(200, "GET", next[len(w.url):], "")
		for _, user := range page.get("_embedded.users.#.id").Array() {
			got = append(got, user.Str)
		}
		if page.get("count").Int() > 7 {
			t.Error(page.body)
		}
		next = page.get("_links.next.href").Str
		if len(got) == 3 { // deleting what was read must not lose the place
			w.must(204, "DELETE", env+"/users/"+got[2], "")
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, query := range []string{"limit=0", "limit=1001", "limit=x", "cursor=x"} {
		w.refused(w.call("GET", env+"/users?"+query, ""), 400, "INVALID_REQUEST")
	}
}

func TestUserIsCreatedChangedMovedAndDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	staff := w.must(201, "POST", env+"/populations", `{"name":"Staff"}`).get("id").Str
	home := w.must(200, "GET", env+"/populations", "").get("_embedded.populations.0.id").Str
	made := w.must(201, "POST", env+"/users", `{"username":"u","email":"u@example.com","name":{"given":"U","family":"V"},"password":{"value":"secret word"}}`)
	if made.get("population.id").Str != home || !made.get("enabled").Bool() || made.get("password").Exists() {
		t.Error(made.body)
	}
	self := env + "/users/" + made.get("id").Str
	patched := w.must(200, "PATCH", self, `{"name":{"given":"W"},"nickname":"x"}`)
	if patched.get("name").Raw != `{"family":"V","given":"W"}` || patched.get("username").Str != "u" {
		t.Error(patched.body)
	}
	if got := w.must(200, "PATCH", self, `{"nickname":null}`); got.get("nickname").Exists() {
		t.Error(got.body)
	}
	if got := w.must(200, "PUT", self+"/enabled", `{"enabled":false}`); got.get("enabled").Bool() {
		t.Error(got.body)
	}
	if got := w.must(200, "PUT", self+"/population", fmt.Sprintf(`{"id":%q}`, staff)); got.get("id").Str != staff {
		t.Error(got.body)
	}
	put := w.must(200, "PUT", self, `{"username":"v","email":"v@example.com"}`)
	if put.get("population.id").Str != staff || put.get("name").Exists() || put.get("enabled").Bool() {
		t.Error(put.body)
	}
	found := w.must(200, "GET", env+"/users?filter="+url.QueryEscape(fmt.Sprintf(`population.id eq "%s"`, staff)), "")
	if found.get("_embedded.users.#").Int() != 1 {
		t.Error(found.body)
	}
	w.refused(w.call("DELETE", env+"/populations/"+staff, ""), 400, "INVALID_DATA")
	w.refused(w.call("POST", env+"/users", `{"username":"V","email":"w@example.com"}`), 400, "INVALID_DATA")
	w.refused(w.call("POST", env+"/users", `{"username":"w","email":"w@example.com","population":{"id":"no"}}`), 400, "INVALID_DATA")
	w.must(204, "DELETE", self, "")
	w.must(204, "DELETE", env+"/populations/"+staff, "")
	var got []string
	for _, e := range w.journal.of(id(env)) {
		got = append(got, fmt.Sprintf("%s|%s|%s|%v", e.Type, e.Description, e.Result.Description, e.Resources[0].PopulationID == staff))
	}
	want := []string{
		"ENVIRONMENT.CREATED|Environment Created|Created Environment E|false",
		"POPULATION.CREATED|Population Created|Created Population Default|false",
		"POPULATION.CREATED|Population Created|Created Population Staff|false",
		"USER.CREATED|User Created|Created User u|false",
		"USER.UPDATED|User Updated|Updated User u|false",
		"USER.UPDATED|User Updated|Updated User u|false",
		"USER.UPDATED|User Updated|Updated enabled for User u|false",
		"USER.MOVED|User Moved|Moved User u|true",
		"USER.UPDATED|User Updated|Updated User v|true",
		"USER.DELETED|User Deleted|Deleted User v|true",
		"POPULATION.DELETED|Population Deleted|Deleted Population Staff|false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEveryChangeIsRecordedOnceWithItsCallerAndResource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	w.must(200, "PUT", env, `{"name":"F","type":"SANDBOX","region":"EU"}`)
	application := w.must(201, "POST", env+"/applications", `{"name":"A","enabled":true,"protocol":"OPENID_CONNECT","type":"SINGLE_PAGE_APP","tokenEndpointAuthMethod":"NONE"}`).get("id").Str
	w.must(200, "GET", env+"/applications/"+application+"/secret", "")
	key := w.importKey(env, "OUTBOUND_MTLS")
	w.must(200, "PUT", env+"/keys/"+key, `{"default":false,"usageType":"OUTBOUND_MTLS"}`)
	w.must(204, "DELETE", env+"/keys/"+key, "")
	certificate := w.uploadCertificate(env)
	w.must(204, "DELETE", env+"/certificates/"+certificate, "")
	made := w.call("POST", env+"/subscriptions", subscriptionBody, "User-Agent", "Ü agent/1 (x)")
	subscription := made.get("id").Str
	w.must(200, "PUT", env+"/subscriptions/"+subscription, subscriptionBody)
	w.must(204, "DELETE", env+"/subscriptions/"+subscription, "")
	w.must(204, "DELETE", env+"/applications/"+application, "")
	w.must(204, "DELETE", env, "")
	events := w.journal.of(id(env))
	var types []string
	ids := map[string]bool{}
	for _, e := range events {
		types = append(types, e.Type)
		ids[e.CorrelationID] = true
		if e.Client == nil || e.Client.ID != rootClient || e.Client.Name != "Bootstrap" || e.Client.Type != "CLIENT" || e.Client.EnvironmentID != rootEnvironment ||
			e.Client.Href != w.url+"/v1/environments/"+rootEnvironment+"/applications/"+rootClient {
			t.Errorf("%s by %+v", e.Type, e.Client)
		}
		if r := e.Resources[0]; r.EnvironmentID != id(env) || r.ID == "" || r.Name == "" || r.Href == "" || e.Result.Status != "SUCCESS" {
			t.Errorf("%s of %+v: %+v", e.Type, r, e.Result)
		}
		if e.Source.IPAddress != "127.0.0.1" {
			t.Errorf("%s from %q", e.Type, e.Source.IPAddress)
		}
	}
	want := []string{
		"ENVIRONMENT.CREATED", "POPULATION.CREATED", "ENVIRONMENT.UPDATED", "APPLICATION.CREATED", "SECRET.READ", "KEY.CREATED",
		"KEY.UPDATED", "KEY.DELETED", "CERTIFICATE.CREATED", "CERTIFICATE.DELETED", "SUBSCRIPTION.CREATED", "SUBSCRIPTION.UPDATED",
		"SUBSCRIPTION.DELETED", "APPLICATION.DELETED", "ENVIRONMENT.DELETED",
	}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Fatal(diff)
	}
	if len(ids) != len(events)-1 { // the environment and its population are one request
		t.Errorf("%d correlation ids for %d events", len(ids), len(events))
	}
	if got := events[10]; got.Source.UserAgent != "Ü agent/1 (x)" || got.CorrelationID != made.header.Get("Correlation-Id") {
		t.Errorf("subscription made by %+v", got)
	}
	const described = "Created Application A using 'OPENID_CONNECT' protocol of type 'SINGLE_PAGE_APP' with enabled state"
	if got := events[3].Result.Description; got != described {
		t.Error(got)
	}
}

func TestActivitiesNeedADateRangeAndShowStoredEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	made := w.must(201, "POST", env+"/users", `{"username":"u","email":"u@example.com"}`)
	find := func(filter string) string {
		return env + "/activities?filter=" + url.QueryEscape(filter)
	}
	for _, filter := range []string{
		"", `action.type eq "USER.CREATED"`, `recordedAt eq "2020-01-01T00:00:00Z"`, `recordedAt gt "yesterday"`,
		`recordedAt gt "2020-01-01T00:00:00Z" and result.status eq "SUCCESS"`, `recordedAt gt "2020-01-01T00:00:00Z" and action.type gt "A"`,
	} {
		got := w.refused(w.call("GET", find(filter), ""), 400, "INVALID_REQUEST")
		if got.get("details.0.code").Str != "INVALID_FILTER" {
			t.Errorf("%s: %s", filter, got.body)
		}
	}
	const since = `recordedAt gt "2020-01-01T00:00:00Z" AND recordedAt le "2999-01-01T00:00:00.123456789Z"`
	for filter, want := range map[string]int64{
		since: 3, since + ` and action.type eq "USER.CREATED"`: 1, since + ` and resources.id eq "` + made.get("id").Str + `"`: 1,
		since + ` and correlationId eq "` + made.header.Get("Correlation-Id") + `"`: 1, since + ` and actors.client.id eq "` + rootClient + `"`: 3,
		since + ` and actors.client.id eq "x"`: 0, `createdAt lt "2020-01-01T00:00:00Z"`: 0, `recordedAt ge "2999-01-01T00:00:00Z"`: 0,
	} {
		if got := w.must(200, "GET", find(filter), ""); got.get("_embedded.activities.#").Int() != want || got.get("size").Int() != want {
			t.Errorf("%s finds %s", filter, got.body)
		}
	}
	event := w.must(200, "GET", find(since+` and action.type eq "USER.CREATED"`), "").get("_embedded.activities.0")
	self := event.Get("_links.self.href").Str
	if event.Get("source").Exists() || event.Get("createdAt").Str == "" || event.Get("recordedAt").Str == "" || self != w.url+env+"/activities/"+event.Get("id").Str {
		t.Error(event.Raw)
	}
	if got := w.must(200, "GET", self[len(w.url):], ""); got.get("id").Str != event.Get("id").Str {
		t.Error(got.body)
	}
	if got := w.must(200, "GET", find(since)+"&limit=1", ""); got.get("_embedded.activities.#").Int() != 1 {
		t.Error(got.body)
	}
	w.refused(w.call("GET", find(since)+"&limit=1001", ""), 400, "INVALID_REQUEST")
	w.refused(w.call("GET", env+"/activities/none", ""), 404, "NOT_FOUND")
}
