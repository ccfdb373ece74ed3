package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTokenIsGivenForBasicAndForFormCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	form := w.askToken(rootEnvironment, "", "", "grant_type=client_credentials&client_id="+rootClient+
		"&client_secret=a+secret%3A+with%2Fodd%2Bcharacters%25")
	if form.status != 200 || form.get("access_token").Str == "" {
		t.Fatalf("form credentials: %d %s", form.status, form.body)
	}
	if form.header.Get("Cache-Control") != "no-store" {
		t.Error("a token may be cached")
	}
	first := w.token
	w.token = form.get("access_token").Str
	w.must(200, "GET", "/v1/environments", "")
	w.token = first
	w.must(200, "GET", "/v1/environments", "") // the older one stays valid
}

func TestTokenRequestIsRefusedInOAuthsWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const grant = "grant_type=client_credentials"
	for _, c := range []struct {
		name, environment, user, password, form string
		status                                  int
		code                                    string
	}{
		{"wrong secret", rootEnvironment, rootClient, "no", grant, 401, "invalid_client"},
		{"unknown client", rootEnvironment, "nobody", "no", grant, 401, "invalid_client"},
		{"no client", rootEnvironment, "", "", grant, 401, "invalid_client"},
		{"empty secret", rootEnvironment, rootClient, "", grant, 401, "invalid_client"},
		{"unknown environment", "33333333-3333-4333-8333-333333333333", rootClient, "x", grant, 401, "invalid_client"},
		{"another grant", rootEnvironment, rootClient, "a+secret%3A+with%2Fodd%2Bcharacters%25", "grant_type=password", 400, "unsupported_grant_type"},
		{"no grant", rootEnvironment, rootClient, "a+secret%3A+with%2Fodd%2Bcharacters%25", "x=y", 400, "invalid_request"},
		{"huge form", rootEnvironment, rootClient, "x", "a=" + strings.Repeat("b", 100_000), 400, "invalid_request"},
	} {
		got := w.askToken(c.environment, c.user, c.password, c.form)
		if got.status != c.status || got.get("error").Str != c.code || got.get("error_description").Str == "" {
			t.Errorf("%s: %d %s, want %d %s", c.name, got.status, got.body, c.status, c.code)
		}
	}
	if got := w.call("GET", "/"+rootEnvironment+"/as/token", ""); got.status != 405 || got.header.Get("Allow") != "POST" {
		t.Errorf("GET of a token: %d %v", got.status, got.header)
	}
}

func TestTokenExpiresAfterAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.advance(59 * time.Minute)
	w.must(200, "GET", "/v1/environments", "")
	w.clock.advance(2 * time.Minute)
	got := w.refused(w.call("GET", "/v1/environments", ""), 401, "ACCESS_FAILED")
	if got.get("details.0.code").Str != "INVALID_TOKEN" {
		t.Error(got.body)
	}
}

func TestWorkerActsInItsEnvironmentOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own, foreign := w.environment(), w.environment()
	application, token := w.worker(own)
	root := w.token
	w.token = token
	w.must(200, "GET", own, "")
	w.must(201, "POST", own+"/subscriptions", subscriptionBody)
	if got := w.must(200, "GET", "/v1/environments", ""); got.get("size").Int() != 1 || got.get("_embedded.environments.0.id").Str != id(own) {
		t.Errorf("a worker sees %s", got.body)
	}
	for _, c := range [][2]string{
		{"GET", foreign}, {"GET", foreign + "/users"}, {"POST", foreign + "/subscriptions"}, {"DELETE", foreign},
		{"POST", "/v1/environments"}, {"GET", "/v1/environments/33333333-3333-4333-8333-333333333333"},
	} {
		got := w.refused(w.call(c[0], c[1], ""), 403, "ACCESS_FAILED")
		if got.get("details.0.code").Str != "INSUFFICIENT_PERMISSIONS" ||
			strings.HasPrefix(got.get("message").Str, "The actor attempting to perform the request is not authorized.") {
			t.Errorf("%v: %s", c, got.body)
		}
	}
	w.token = root
	w.must(204, "DELETE", own+"/applications/"+application, "")
	w.token = token
	w.refused(w.call("GET", own, ""), 401, "ACCESS_FAILED")
}

func TestRotatedSecretReplacesTheOld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	application, _ := w.worker(env)
	path := env + "/applications/" + application + "/secret"
	old := w.must(200, "GET", path, "").get("secret").Str
	fresh := w.must(200, "POST", path, "").get("secret").Str
	if fresh == old || fresh == "" {
		t.Fatal("the secret did not change")
	}
	w.tokenOf(id(env), application, fresh)
	if got := w.askToken(id(env), application, old, "grant_type=client_credentials"); got.status != http.StatusUnauthorized {
		t.Errorf("the old secret still works: %d", got.status)
	}
}

func TestOnlyEnabledWorkersGetTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	for _, body := range []string{
		`{"name":"a","enabled":false,"protocol":"OPENID_CONNECT","type":"WORKER","tokenEndpointAuthMethod":"CLIENT_SECRET_BASIC"}`,
		`{"name":"b","enabled":true,"protocol":"OPENID_CONNECT","type":"WEB_APP","tokenEndpointAuthMethod":"CLIENT_SECRET_BASIC"}`,
		`{"name":"c","enabled":true,"protocol":"OPENID_CONNECT","type":"WORKER","grantTypes":["IMPLICIT"],"tokenEndpointAuthMethod":"NONE"}`,
	} {
		application := w.must(201, "POST", env+"/applications", body).get("id").Str
		secret := w.must(200, "GET", env+"/applications/"+application+"/secret", "").get("secret").Str
		if got := w.askToken(id(env), application, secret, "grant_type=client_credentials"); got.status != 401 {
			t.Errorf("%s gets a token: %d", body, got.status)
		}
	}
}
