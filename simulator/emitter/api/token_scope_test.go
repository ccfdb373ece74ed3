package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

// bare makes a worker application without roles and returns its id and a token of it.
func (w *world) bare(environment string) (application, token string) {
	w.Helper()
	application, token = w.worker(environment)
	assignments := environment + "/applications/" + application + "/roleAssignments"
	for _, held := range w.must(200, "GET", assignments, "").get("_embedded.roleAssignments.#.id").Array() {
		w.must(204, "DELETE", assignments+"/"+held.Str, "")
	}
	return application, token
}

func (w *world) assign(environment, application, role, scopeType, scopeID string) {
	w.Helper()
	w.must(201, "POST", environment+"/applications/"+application+"/roleAssignments",
		fmt.Sprintf(`{"role":{"id":%q},"scope":{"type":%q,"id":%q}}`, directory.RoleID(role), scopeType, scopeID))
}

func TestRolesOpenTheirPartOfTheAPIOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own, other := w.environment(), w.environment()
	population := w.must(201, "POST", own+"/populations", `{"name":"Staff"}`).get("id").Str
	made := func(name, population string) string {
		return own + "/users/" + w.must(201, "POST", own+"/users",
			fmt.Sprintf(`{"username":%q,"email":"u@example.com","population":{"id":%q}}`, name, population)).get("id").Str
	}
	staff := made("staff", population)
	customer := made("customer", w.must(200, "GET", own+"/populations", "").get(`_embedded.populations.#(default==true).id`).Str)
	const user, application = `{"username":"%d","email":"u@example.com"}`, `{"name":"%d","enabled":true,"protocol":"OPENID_CONNECT","type":"WEB_APP","tokenEndpointAuthMethod":"NONE"}`
	const environment = `{"name":"%d","type":"SANDBOX","region":"EU"}`
	requests := []struct{ name, method, path, body string }{
		{"read environments", "GET", "/v1/environments", ""},
		{"read own", "GET", own, ""},
		{"read other", "GET", other, ""},
		{"make environment", "POST", "/v1/environments", environment},
		{"read subscriptions", "GET", own + "/subscriptions", ""},
		{"make subscription", "POST", own + "/subscriptions", subscriptionBody},
		{"read users", "GET", own + "/users", ""},
		{"make user", "POST", own + "/users", user},
		{"read staff", "GET", staff, ""},
		{"read customer", "GET", customer, ""},
		{"read population", "GET", own + "/populations/" + population, ""},
		{"read applications", "GET", own + "/applications", ""},
		{"make application", "POST", own + "/applications", application},
		{"read roles of staff", "GET", staff + "/roleAssignments", ""},
	}
	n := 0
	for _, c := range []struct {
		role, scopeType, scope string
		opens                  []string
	}{
		{"", "", "", nil},
		{directory.RoleOrganizationAdmin, "ORGANIZATION", directory.OrganizationID, []string{
			"read environments", "read own", "read other", "make environment", "read subscriptions", "make subscription",
			"read users", "read staff", "read customer", "read population", "read applications", "make application", "read roles of staff"}},
		{directory.RoleEnvironmentAdmin, "ENVIRONMENT", id(own), []string{
			"read environments", "read own", "read subscriptions", "make subscription", "read population", "read applications",
			"make application", "read roles of staff"}},
		{directory.RoleEnvironmentAdmin, "ENVIRONMENT", id(other), []string{"read environments", "read other"}},
		{directory.RoleIdentityDataAdmin, "ENVIRONMENT", id(own), []string{
			"read environments", "read own", "read subscriptions", "read users", "make user", "read staff", "read customer", "read population",
			"read roles of staff"}},
		{directory.RoleIdentityDataAdmin, "POPULATION", population, []string{"read environments", "read staff", "read population"}},
		{directory.RoleClientApplicationDeveloper, "ENVIRONMENT", id(own), []string{
			"read environments", "read own", "read subscriptions", "read applications", "make application", "read roles of staff"}},
		{"Configuration Read Only", "ENVIRONMENT", id(own), []string{
			"read environments", "read own", "read subscriptions", "read population", "read applications", "read roles of staff"}},
		{"Identity Data Read Only", "ENVIRONMENT", id(own), []string{
			"read environments", "read users", "read staff", "read customer", "read population"}},
		{"Help Desk Admin", "ENVIRONMENT", id(own), []string{"read environments"}},
	} {
		root := w.token
		client, token := w.bare(own)
		if c.role != "" {
			w.assign(own, client, c.role, c.scopeType, c.scope)
		}
		w.token = token
		for _, r := range requests {
			body := r.body
			if n++; body != "" && body != subscriptionBody {
				body = fmt.Sprintf(body, n)
			}
			got := w.call(r.method, r.path, body)
			open := false
			for _, name := range c.opens {
				open = open || name == r.name
			}
			if open && got.status >= 300 {
				t.Errorf("%s on %s: %s is answered %d %s", c.role, c.scopeType, r.name, got.status, got.body)
			}
			if !open {
				w.refused(got, 403, "ACCESS_FAILED")
			}
		}
		w.token = root
	}
}

func TestRoleThatIsTakenAwayEndsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	client, token := w.bare(env)
	w.assign(env, client, directory.RoleEnvironmentAdmin, "ENVIRONMENT", id(env))
	root := w.token
	w.token = token
	w.must(200, "GET", env+"/subscriptions", "")
	w.token = root
	assignments := env + "/applications/" + client + "/roleAssignments"
	w.must(204, "DELETE", assignments+"/"+w.must(200, "GET", assignments, "").get("_embedded.roleAssignments.0.id").Str, "")
	w.token = token
	w.refused(w.call("GET", env+"/subscriptions", ""), 403, "ACCESS_FAILED")
}

func TestTokensAreSignedByThePublishedKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	client, token := w.worker(env)
	w.token = "" // the keys are for everybody
	published := w.must(200, "GET", "/"+id(env)+"/as/jwks", "")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(published.body), &set); err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{"d", "p", "q"} {
		if published.get("keys.0." + private).Exists() {
			t.Errorf("the private part %q is published", private)
		}
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		jwt.Claims
		Client      string `json:"client_id"`
		Environment string `json:"env"`
	}
	if err := parsed.Claims(set, &claims); err != nil { // finds the key by its id
		t.Fatal(err)
	}
	if claims.Client != client || claims.Environment != id(env) || claims.Issuer != w.url+"/"+id(env)+"/as" ||
		claims.Expiry.Time().Sub(claims.IssuedAt.Time()) != time.Hour {
		t.Errorf("claims %+v", claims)
	}
	w.refused(w.call("GET", "/33333333-3333-4333-8333-333333333333/as/jwks", ""), 404, "NOT_FOUND")
	w.refused(w.call("POST", "/"+id(env)+"/as/jwks", ""), 405, "INVALID_REQUEST")
}

func TestForgedTokensAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	forger, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte("0123456789abcdef0123456789abcdef")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := jwt.Signed(forger).Claims(map[string]any{
		"client_id": rootClient, "env": rootEnvironment, "exp": time.Now().Add(time.Hour).Unix(),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	genuine := w.token
	const unsigned = "eyJhbGciOiJub25lIn0." // {"alg":"none"}
	parts, others := strings.Split(genuine, "."), strings.Split(forged, ".")
	for name, token := range map[string]string{
		"symmetric": forged, "unsigned": unsigned + parts[1] + ".", "another claim": parts[0] + "." + others[1] + "." + parts[2],
		"cut": strings.Join(parts[:2], "."), "nonsense": "x.y.z",
	} {
		w.token = token
		got := w.refused(w.call("GET", "/v1/environments", ""), 401, "ACCESS_FAILED")
		if got.get("details.0.code").Str != "INVALID_TOKEN" {
			t.Errorf("%s: %s", name, got.body)
		}
	}
}
