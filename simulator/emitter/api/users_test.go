package api_test

import (
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

func TestImportedUserHasAPasswordThatNobodySees(t *testing.T) {
	t.Parallel()
	const canary = "Canary-51f0"
	w := newWorld(t)
	env := w.environment()
	salted := sha512.Sum512([]byte(canary + "salt"))
	encoded := "{SSHA512}" + base64.StdEncoding.EncodeToString(append(salted[:], "salt"...))
	for i, c := range []struct{ media, password, state, rest string }{
		{"application/vnd.pingidentity.user.import+json", fmt.Sprintf(`{"value":%q}`, canary), "OK", canary},
		{"application/vnd.pingidentity.user.import+json", fmt.Sprintf(`{"value":%q,"forceChange":true}`, canary), "MUST_CHANGE_PASSWORD", canary},
		{"application/vnd.pingidentity.user.import+json", fmt.Sprintf(`{"value":%q}`, encoded), "OK", canary},
		{"application/json", fmt.Sprintf(`{"value":%q}`, canary), "NO_PASSWORD", ""},
	} {
		made := w.must(201, "POST", env+"/users", fmt.Sprintf(`{"username":"u%d","email":"u@example.com","lifecycle":{"status":"ACCOUNT_OK"},"password":%s}`, i, c.password),
			"Content-Type", c.media)
		password := env + "/users/" + made.get("id").Str + "/password"
		state := w.must(200, "GET", password, "")
		if state.get("status").Str != c.state || state.get("lastChangedAt").Exists() != (c.state != "NO_PASSWORD") || state.get("user.id").Str != made.get("id").Str {
			t.Errorf("%d: %s", i, state.body)
		}
		if c.rest != "" {
			const reset = "application/vnd.pingidentity.password.reset+json"
			wrong := w.refused(w.call("PUT", password, `{"currentPassword":"wrong","newPassword":"n"}`, "Content-Type", reset), 400, "INVALID_DATA")
			if wrong.get("details.0.target").Str != "currentPassword" {
				t.Error(wrong.body)
			}
			got := w.must(200, "PUT", password, fmt.Sprintf(`{"currentPassword":%q,"newPassword":"n"}`, c.rest), "Content-Type", reset)
			if got.get("status").Str != "OK" {
				t.Errorf("%d: %s", i, got.body)
			}
		}
		if strings.Contains(made.body+state.body+w.must(200, "GET", env+"/users", "").body, canary) {
			t.Error("the password is shown")
		}
	}
	for _, e := range w.journal.of(id(env)) {
		if strings.Contains(fmt.Sprintf("%+v", e), canary) {
			t.Errorf("the password is in %+v", e)
		}
	}
}

func TestPasswordIsSetResetAndForced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	user := env + "/users/" + w.must(201, "POST", env+"/users", `{"username":"u","email":"u@example.com"}`).get("id").Str
	password := user + "/password"
	const vendor = "application/vnd.pingidentity.password."
	none := w.refused(w.call("POST", password, "", "Content-Type", vendor+"forceChange"), 400, "REQUEST_FAILED")
	if none.get("details.0.code").Str != "NO_PASSWORD" {
		t.Error(none.body)
	}
	for _, step := range []struct{ method, media, body, state string }{
		{"PUT", "set+json", `{"value":"one"}`, "OK"},
		{"PUT", "set+json", `{"value":"one","forceChange":true}`, "MUST_CHANGE_PASSWORD"},
		{"PUT", "reset+json", `{"currentPassword":"one","newPassword":"two"}`, "OK"},
		{"POST", "forceChange", "", "MUST_CHANGE_PASSWORD"},
		{"PUT", "reset+json", `{"currentPassword":"two","newPassword":"three"}`, "OK"},
		{"POST", "forceChange+json", "{}", "MUST_CHANGE_PASSWORD"},
		{"PUT", "set+json", `{"value":"four"}`, "OK"},
		{"PUT", "reset+json", `{"newPassword":"five"}`, "MUST_CHANGE_PASSWORD"},
	} {
		got := w.must(200, step.method, password, step.body, "Content-Type", vendor+step.media)
		if read := w.must(200, "GET", password, ""); got.get("status").Str != step.state || read.body != got.body {
			t.Errorf("%s %s: %s, then %s", step.media, step.body, got.body, read.body)
		}
	}
}

func TestPartsOfAUserAreRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	user := w.must(201, "POST", env+"/users", `{"username":"u","email":"u@example.com","enabled":false}`)
	self := env + "/users/" + user.get("id").Str
	if got := w.must(200, "GET", self+"/enabled", ""); got.get("enabled").Raw != "false" || got.get("_links.user.href").Str != w.url+self {
		t.Error(got.body)
	}
	if got := w.must(200, "GET", self+"/population", ""); got.get("id").Str != user.get("population.id").Str {
		t.Error(got.body)
	}
}

func TestPopulationOfAUserChangesOnlyByMoving(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	staff := w.must(201, "POST", env+"/populations", `{"name":"Staff"}`).get("id").Str
	user := w.must(201, "POST", env+"/users", `{"username":"u","email":"u@example.com"}`)
	self, home := env+"/users/"+user.get("id").Str, user.get("population.id").Str
	count := func(population string) int64 {
		return w.must(200, "GET", env+"/populations/"+population, "").get("userCount").Int()
	}
	for _, method := range []string{"PUT", "PATCH"} {
		got := w.must(200, method, self, fmt.Sprintf(`{"username":"u","email":"u@example.com","population":{"id":%q}}`, staff))
		if got.get("population.id").Str != home {
			t.Errorf("%s moves: %s", method, got.body)
		}
	}
	if count(home) != 1 || count(staff) != 0 {
		t.Error(count(home), count(staff))
	}
	w.must(200, "PUT", self+"/population", fmt.Sprintf(`{"id":%q}`, staff))
	if count(home) != 0 || count(staff) != 1 {
		t.Error(count(home), count(staff))
	}
}

func TestAnotherDefaultPopulationTakesThePlaceOfTheFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	first := w.must(200, "GET", env+"/populations", "").get("_embedded.populations.0.id").Str
	second := w.must(201, "POST", env+"/populations", `{"name":"Staff","default":true,"preferredLanguage":"de","theme":{"id":"t"}}`)
	if second.get("preferredLanguage").Str != "de" || second.get("theme.id").Str != "t" {
		t.Error(second.body)
	}
	if w.must(200, "GET", env+"/populations/"+first, "").get("default").Bool() {
		t.Error("two populations are the default")
	}
	if got := w.must(201, "POST", env+"/users", `{"username":"u","email":"u@example.com"}`); got.get("population.id").Str != second.get("id").Str {
		t.Error(got.body)
	}
	w.must(204, "DELETE", env+"/populations/"+first, "")
}

func TestUsersAreFiltered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	staff := w.must(201, "POST", env+"/populations", `{"name":"Staff"}`).get("id").Str
	var last string
	for i, population := range []string{"", "", staff} {
		body := fmt.Sprintf(`{"username":"u%d","email":"mail%d@example.com","name":{"given":"G","family":"F%d"}}`, i, i%2, i)
		if population != "" {
			body = strings.TrimSuffix(body, "}") + fmt.Sprintf(`,"population":{"id":%q}}`, population)
		}
		last = w.must(201, "POST", env+"/users", body).get("id").Str
	}
	for filter, want := range map[string]int64{
		`username eq "u1"`: 1, `username eq "U1"`: 1, `username sw "u"`: 3, `email eq "mail0@example.com"`: 2, `id eq "` + last + `"`: 1,
		`population.id eq "` + staff + `"`: 1, `email eq "mail0@example.com" and population.id eq "` + staff + `"`: 1,
		`username eq "u0" or username eq "u1"`: 2, `name.family eq "F2" and enabled eq true`: 1, `username eq "none"`: 0,
	} {
		if got := w.must(200, "GET", env+"/users?filter="+url.QueryEscape(filter), ""); got.get("_embedded.users.#").Int() != want || got.get("count").Int() != want {
			t.Errorf("%s finds %s", filter, got.body)
		}
	}
}

func TestOrganizationsAndLicensesAreRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.must(201, "POST", "/v1/environments", `{"name":"E","type":"SANDBOX","region":"EU"}`)
	organization := w.must(200, "GET", "/v1/organizations", "").get("_embedded.organizations.0")
	if id := organization.Get("id").Str; id != directory.OrganizationID || made.get("organization.id").Str != id || organization.Get("name").Str == "" {
		t.Error(organization.Raw)
	}
	self := "/v1/organizations/" + directory.OrganizationID
	w.must(200, "GET", self, "")
	license := w.must(200, "GET", self+"/licenses?filter="+url.QueryEscape(`status eq "ACTIVE"`), "").get("_embedded.licenses.0")
	if license.Get("id").Str != made.get("license.id").Str || license.Get("name").Str == "" || license.Get("beginsAt").Str == "" ||
		license.Get("assignedEnvironmentsCount").Int() != 2 || license.Get("environments.regions.#").Int() != 6 {
		t.Error(license.Raw)
	}
	if got := w.must(200, "GET", self+"/licenses/"+license.Get("id").Str, ""); got.get("status").Str != "ACTIVE" {
		t.Error(got.body)
	}
	for _, path := range []string{"/v1/organizations/x", "/v1/organizations/x/licenses", self + "/licenses/x", "/v1/organizations/x/licenses/" + directory.LicenseID} {
		w.refused(w.call("GET", path, ""), 404, "NOT_FOUND")
	}
}

func TestBillOfMaterialsIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	w.must(200, "PUT", env+"/billOfMaterials", `{"products":[{"type":"PING_ONE_MFA","tags":["a"]},{"type":"PING_ONE_BASE"}]}`)
	for path, at := range map[string]string{"/billOfMaterials": "products", "": "billOfMaterials.products"} {
		if got := w.must(200, "GET", env+path, "").get(at + ".#.type").Raw; got != `["PING_ONE_MFA","PING_ONE_BASE"]` {
			t.Errorf("%s: %s", path, got)
		}
	}
	events := w.journal.of(id(env))
	if last := events[len(events)-1]; last.Type != "ENVIRONMENT.UPDATED" {
		t.Errorf("%+v", last)
	}
}

func TestApplicationIsEchoedInFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	const body = `{"name":"A","description":"d","enabled":true,"protocol":"OPENID_CONNECT","type":"SINGLE_PAGE_APP","tokenEndpointAuthMethod":"NONE",
		"grantTypes":["AUTHORIZATION_CODE","REFRESH_TOKEN"],"responseTypes":["CODE"],"redirectUris":["https://b.example","https://a.example"],
		"postLogoutRedirectUris":["https://c.example"],"pkceEnforcement":"S256_REQUIRED","refreshTokenDuration":86400,"refreshTokenRollingDuration":15552000,
		"assignActorRoles":false,"homePageUrl":"https://h.example","loginPageUrl":"https://l.example","supportUnsignedRequestObject":true,
		"accessControl":{"role":{"type":"ADMIN_USERS_ONLY"},"group":{"type":"ANY_GROUP","groups":[{"id":"g"}]}},"corsSettings":{"behavior":"ALLOW_NO_ORIGINS"},
		"tags":["PING_FED_CONNECTION_INTEGRATION"],"mobile":{"passcodeRefreshDuration":{"duration":30,"timeUnit":"SECONDS"}},"parTimeout":60.5}`
	made := w.must(201, "POST", env+"/applications", body)
	self := env + "/applications/" + made.get("id").Str
	for how, got := range map[string]answer{"made": made, "read": w.must(200, "GET", self, ""), "put": w.must(200, "PUT", self, body)} {
		gjson.Parse(body).ForEach(func(name, want gjson.Result) bool {
			if diff := cmp.Diff(want.Value(), got.get(name.Str).Value()); diff != "" {
				t.Errorf("%s, %s: %s", how, name.Str, diff)
			}
			return true
		})
		if got.get("environment.id").Str != id(env) || got.get("createdAt").Str == "" || got.get("updatedAt").Str == "" || strings.Contains(got.body, "ecret") {
			t.Errorf("%s: %s", how, got.body)
		}
	}
	first := w.must(200, "GET", self+"/secret", "").get("secret").Str
	second := w.must(200, "POST", self+"/secret", "").get("secret").Str
	if first == "" || first == second || w.must(200, "GET", self+"/secret", "").get("secret").Str != second {
		t.Error("the secret is not replaced")
	}
}
