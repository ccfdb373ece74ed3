package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

// endpoint is one method on one path of the API; path stands below the environment.
type endpoint struct {
	method, path string
	body         string // a good one: "json", "form", either ("json form"), a vendor's media type, or "" for none
}

// endpoints are all of them; {user} and so on stand for the ids of existing resources.
func endpoints() []endpoint {
	const user = "/users/{users}"
	all := []endpoint{
		{"GET", "", ""}, {"PUT", "", "json"}, {"DELETE", "", ""}, {"GET", "/billOfMaterials", ""}, {"PUT", "/billOfMaterials", "json"},
		{"GET", "/applications/{applications}/secret", ""}, {"POST", "/applications/{applications}/secret", ""},
		{"PATCH", user, "json"}, {"GET", user + "/enabled", ""}, {"PUT", user + "/enabled", "json"},
		{"GET", user + "/population", ""}, {"PUT", user + "/population", "json"},
		{"GET", user + "/password", ""}, {"PUT", user + "/password", "application/vnd.pingidentity.password.set+json"},
		{"PUT", user + "/password", "application/vnd.pingidentity.password.reset+json"},
		{"POST", user + "/password", ""}, {"POST", "/users", "application/vnd.pingidentity.user.import+json"},
		{"GET", "/keys/{keys}/applications", ""}, {"GET", "/keys/{keys}/csr", ""}, {"POST", "/keys/{keys}/csr", "form"},
		{"GET", "/certificates/{certificates}/applications", ""},
		{"GET", "/activities", ""}, {"POST", "/activities", "json"}, {"GET", "/activities/{subscriptions}", ""},
	}
	for _, holder := range []string{"users", "applications"} {
		assignments := "/" + holder + "/{" + holder + "}/roleAssignments"
		all = append(all, endpoint{"GET", assignments, ""}, endpoint{"POST", assignments, "json"},
			endpoint{"GET", assignments + "/{" + holder + " role}", ""}, endpoint{"DELETE", assignments + "/{" + holder + " role}", ""})
	}
	for _, plural := range []string{"populations", "applications", "users", "subscriptions", "keys", "certificates"} {
		create := map[string]string{"keys": "json form", "certificates": "form"}[plural]
		if create == "" {
			create = "json"
		}
		item := "/" + plural + "/{" + plural + "}"
		all = append(all, endpoint{"GET", "/" + plural, ""}, endpoint{"POST", "/" + plural, create},
			endpoint{"GET", item, ""}, endpoint{"DELETE", item, ""})
		if plural != "certificates" {
			all = append(all, endpoint{"PUT", item, "json"})
		}
	}
	return all
}

// furnished makes an environment with one resource of each kind and returns a function that fills their ids in.
func (w *world) furnished() (env string, fill func(string) string) {
	w.Helper()
	env = w.environment()
	ids := []string{
		"{populations}", w.must(201, "POST", env+"/populations", `{"name":"Staff"}`).get("id").Str,
		"{users}", w.must(201, "POST", env+"/users", `{"username":"u","email":"u@example.com"}`).get("id").Str,
		"{subscriptions}", w.must(201, "POST", env+"/subscriptions", subscriptionBody).get("id").Str,
		"{keys}", w.importKey(env, "OUTBOUND_MTLS"),
		"{certificates}", w.uploadCertificate(env),
	}
	application, _ := w.worker(env)
	ids = append(ids, "{applications}", application)
	for holder, id := range map[string]string{"users": ids[3], "applications": application} {
		role := w.must(201, "POST", env+"/"+holder+"/"+id+"/roleAssignments", assignmentOf("Identity Data Admin", "ENVIRONMENT", rootEnvironment))
		ids = append(ids, "{"+holder+" role}", role.get("id").Str)
	}
	return env, strings.NewReplacer(ids...).Replace
}

// assignmentOf is the body that assigns a role.
func assignmentOf(role, scope, id string) string {
	return fmt.Sprintf(`{"role":{"id":%q},"scope":{"type":%q,"id":%q}}`, directory.RoleID(role), scope, id)
}

func TestEveryEndpointNeedsATokenForItsEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env, fill := w.furnished()
	_, foreign := w.worker(w.environment())
	before, recorded := w.everything(env), len(w.journal.of(id(env)))
	for _, e := range endpoints() {
		path := env + fill(e.path)
		for name, authorization := range map[string]string{
			"no token": "", "another scheme": "Basic eDp5", "empty token": "Bearer ", "unknown token": "Bearer nonsense",
		} {
			r := w.request(e.method, path, "{}")
			r.Header.Set("Authorization", authorization)
			if authorization == "" {
				r.Header.Del("Authorization")
			}
			got := w.refused(w.do(r), 401, "ACCESS_FAILED")
			if got.get("details.0.code").Str != "INVALID_TOKEN" {
				t.Errorf("%s %s, %s: %s", e.method, e.path, name, got.body)
			}
		}
		r := w.request(e.method, path, "{}")
		r.Header.Set("Authorization", "Bearer "+foreign)
		if got := w.refused(w.do(r), 403, "ACCESS_FAILED"); got.get("details.0.code").Str != "INSUFFICIENT_PERMISSIONS" {
			t.Errorf("%s %s: %s", e.method, e.path, got.body)
		}
	}
	if diff := cmp.Diff(before, w.everything(env)); diff != "" {
		t.Error(diff)
	}
	// Creating the worker read its secret; what came after must have left no trace.
	if got := len(w.journal.of(id(env))); got != recorded {
		t.Errorf("%d events are recorded, want %d", got, recorded)
	}
}

func TestBadBodiesAreRefusedAtEveryEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env, fill := w.furnished()
	before, recorded := w.everything(env), len(w.journal.of(id(env)))
	huge := `{"name":"` + strings.Repeat("x", 1<<20) + `"}`
	deep := strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000)
	for _, e := range endpoints() {
		path := env + fill(e.path)
		type bad struct {
			name, media, body string
			status            int
			code              string
		}
		bads := []bad{{"another media type", "text/plain", "{}", 415, "INVALID_REQUEST"}, {"no media type", "", "{}", 415, "INVALID_REQUEST"}}
		media := "application/json"
		if strings.HasPrefix(e.body, "application/") {
			media = e.body
		}
		if e.body == "" {
			continue
		}
		if strings.HasPrefix(e.body, "json") || media == e.body {
			bads = append(bads,
				bad{"malformed", media, `{"name":`, 400, "INVALID_REQUEST"},
				bad{"empty", media, " ", 400, "INVALID_REQUEST"},
				bad{"not UTF-8", media, "{\"name\":\"\xff\"}", 400, "INVALID_REQUEST"},
				bad{"key twice", media, `{"a":1,"a":2}`, 400, "INVALID_REQUEST"},
				bad{"key twice inside", media, `{"x":[{"a":1,"a":2}]}`, 400, "INVALID_REQUEST"},
				bad{"something after", media, `{} {}`, 400, "INVALID_REQUEST"},
				bad{"comma at the end", media, `{"a":1,}`, 400, "INVALID_REQUEST"},
				bad{"nested deeply", media, deep, 400, "INVALID_REQUEST"},
				bad{"array", media, `[]`, 400, "INVALID_DATA"},
				bad{"text", media + "; charset=UTF-8", `"x"`, 400, "INVALID_DATA"},
				bad{"wrong types", media, wrongTypes, 400, "INVALID_DATA"},
				bad{"huge", media, huge, 413, "INVALID_REQUEST"},
				bad{"another charset", media + "; charset=latin1", "{}", 415, "INVALID_REQUEST"},
				bad{"form of a page", "application/x-www-form-urlencoded", "a=b", 415, "INVALID_REQUEST"},
			)
		}
		if !strings.HasSuffix(e.body, "form") {
			bads = append(bads, bad{"form", "multipart/form-data; boundary=b", "--b--\r\n", 415, "INVALID_REQUEST"})
		} else {
			bads = append(bads,
				bad{"no boundary", "multipart/form-data", "x", 400, "INVALID_REQUEST"},
				bad{"no parts", "multipart/form-data; boundary=b", "x", 400, "INVALID_REQUEST"},
				bad{"cut off", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx", 400, "INVALID_REQUEST"},
				bad{"huge", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n" + huge + "\r\n--b--\r\n", 413, "INVALID_REQUEST"},
				bad{"empty", "multipart/form-data; boundary=b", "--b--\r\n", 400, "INVALID_DATA"},
			)
		}
		if e.body == "form" {
			bads = append(bads, bad{"JSON", "application/json", "{}", 415, "INVALID_REQUEST"})
		}
		for _, b := range bads {
			r := w.request(e.method, path, b.body, "Content-Type", b.media)
			if b.media == "" {
				r.Header.Del("Content-Type")
			}
			got := w.refused(w.do(r), b.status, b.code)
			if t.Failed() {
				t.Fatalf("%s %s, %s: %d", e.method, e.path, b.name, got.status)
			}
			for _, detail := range got.get("details").Array() {
				if b.code == "INVALID_DATA" && detail.Get("target").Str == "" {
					t.Errorf("%s %s, %s: no target in %s", e.method, e.path, b.name, got.body)
				}
			}
		}
	}
	if diff := cmp.Diff(before, w.everything(env)); diff != "" {
		t.Error(diff)
	}
	if got := len(w.journal.of(id(env))); got != recorded {
		t.Errorf("%d events are recorded, want %d", got, recorded)
	}
}

// wrongTypes has every member that some request requires, each of a wrong type.
const wrongTypes = `{"name":1,"enabled":"yes","username":[],"email":{},"protocol":7,"type":false,"region":null,"default":"no",
	"usageType":3,"filterOptions":[],"httpEndpoint":"x","verifyTlsCertificates":0,"id":9,"population":"p","license":1,
	"products":{},"value":[],"newPassword":4,"role":[],"scope":"s","filter":[],"password":7}`

func TestCreatingAnEnvironmentIsRefusedLikewise(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const path = "/v1/environments"
	w.refused(w.call("POST", path, `{`), 400, "INVALID_REQUEST")
	w.refused(w.call("POST", path, `{}`, "Content-Type", "text/plain"), 415, "INVALID_REQUEST")
	w.refused(w.call("POST", path, `{"name":"`+strings.Repeat("x", 1<<20)+`"}`), 413, "INVALID_REQUEST")
	got := w.refused(w.call("POST", path, wrongTypes), 400, "INVALID_DATA")
	if targets := got.get("details.#.target").Raw; targets != `["name","region","type","license"]` {
		t.Errorf("targets %s", targets)
	}
	got = w.refused(w.call("POST", path, `{"name":"E","region":"EU","type":"TOY"}`), 400, "INVALID_DATA")
	if got.get("details.0.innerError.allowedValues").Raw != `["PRODUCTION","SANDBOX"]` {
		t.Error(got.body)
	}
	r := w.request("GET", path, "")
	r.Header.Del("Authorization")
	w.refused(w.do(r), 401, "ACCESS_FAILED")
	if list := w.must(200, "GET", path, ""); list.get("count").Int() != 1 {
		t.Error("something is stored:", list.body)
	}
}

func TestUnknownPathsAndMethodsHaveTheErrorBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env, fill := w.furnished()
	for _, path := range []string{"/", "/v1", "/v1/", "/v1/nothing", "/v2/environments", env + "/nothing", env + "/subscriptions/a/b", env + "//subscriptions"} {
		w.refused(w.call("GET", path, ""), 404, "NOT_FOUND")
	}
	for _, e := range endpoints() {
		path := env + fill(e.path)
		got := w.refused(w.call("TRACE", path, ""), 405, "INVALID_REQUEST")
		if allowed := strings.Split(got.header.Get("Allow"), ", "); !slices.Contains(allowed, e.method) {
			t.Errorf("%s allows %v, not %s", e.path, allowed, e.method)
		}
		if strings.Contains(e.path, "{") && e.path != "/activities/{subscriptions}" {
			unknown := env + e.path[:strings.Index(e.path, "{")] + "44444444-4444-4444-8444-444444444444" + e.path[strings.Index(e.path, "}")+1:]
			if !strings.Contains(e.body, "json") && e.body != "" {
				continue // what is uploaded is looked at first
			}
			body, media := "", "application/json"
			if e.body != "" {
				body = "{}"
			}
			if strings.HasPrefix(e.body, "application/") {
				media = e.body
			}
			if strings.HasSuffix(e.path, "/population") {
				body = fmt.Sprintf(`{"id":%q}`, fill("{populations}"))
			} else if strings.HasSuffix(e.path, "/enabled") {
				body = `{"enabled":true}`
			}
			w.refused(w.call(e.method, unknown, body, "Content-Type", media), 404, "NOT_FOUND")
		}
	}
	if got := w.call(http.MethodHead, env+"/subscriptions", ""); got.status != 200 || got.body != "" {
		t.Errorf("HEAD: %d %q", got.status, got.body)
	}
}

func TestExternalIDsAreEchoedOrMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, header := range []string{"X-Ping-External-Transaction-ID", "X-Ping-External-Session-ID"} {
		for sent, want := range map[string]string{
			"tx-1/@=#+._é": "tx-1/@=#+._é", "a b<c>": "a_b_c_", strings.Repeat("x", 150): strings.Repeat("x", 100),
		} {
			if got := w.call("GET", "/v1/environments", "", header, sent).header.Get(header); got != want {
				t.Errorf("%q is echoed as %q, want %q", sent, got, want)
			}
		}
		first, second := w.call("GET", "/v1/nothing", "").header.Get(header), w.call("GET", "/v1/nothing", "").header.Get(header)
		if first == "" || first == second {
			t.Errorf("made ids %q, %q", first, second)
		}
	}
}
