package api_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/paths"
	"github.com/pb33f/libopenapi-validator/radix"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/openapi"
)

// description is the published document with a validator of it.
type description struct {
	validator.Validator
	model   *v3.Document
	options *config.ValidationOptions
}

var published = sync.OnceValues(func() (*description, error) {
	raw, err := openapi.JSON()
	if err != nil {
		return nil, err
	}
	document, err := libopenapi.NewDocument(raw)
	if err != nil {
		return nil, err
	}
	model, err := document.BuildV3Model()
	if err != nil {
		return nil, err
	}
	v, errs := validator.NewValidator(document, config.WithFormatAssertions())
	if len(errs) > 0 {
		return nil, errs[0]
	}
	if ok, wrong := v.ValidateDocument(); !ok {
		return nil, fmt.Errorf("the document is not valid: %v", wrong)
	}
	options := config.NewValidationOptions(config.WithPathTree(radix.BuildPathTree(&model.Model)))
	return &description{v, &model.Model, options}, nil
})

func document(t testing.TB) *description {
	t.Helper()
	c, err := published()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// conforming passes every request on and holds each answer to the document.
type conforming struct {
	t        *testing.T
	contract *description
	next     http.Handler
	off      atomic.Bool // for tests that make the API answer otherwise

	mu       sync.Mutex
	answered map[string]bool // operations that succeeded, "GET /v1/…"
}

func conform(t *testing.T, next http.Handler) *conforming {
	return &conforming{t: t, contract: document(t), next: next, answered: map[string]bool{}}
}

// recorded keeps a copy of an answer.
type recorded struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (r *recorded) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorded) Write(p []byte) (int, error) {
	r.body.Write(p)
	return r.ResponseWriter.Write(p)
}

func (c *conforming) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := &recorded{ResponseWriter: w, status: http.StatusOK}
	c.next.ServeHTTP(answer, r)
	if c.off.Load() {
		return
	}
	if wrong := c.check(r, answer); wrong != "" {
		c.t.Errorf("%s %s: the answer %d %s does not conform to the document:\n%s", r.Method, r.URL.Path, answer.status, answer.body.Bytes(), wrong)
	}
}

func (c *conforming) check(r *http.Request, answer *recorded) string {
	asked := r.Clone(r.Context())
	asked.URL.Path = strings.TrimSuffix(r.URL.Path, "/")
	asked.URL.RawPath = ""
	if asked.Method == http.MethodHead {
		return ""
	}
	item, problems, pattern := paths.FindPath(asked, c.contract.model, c.contract.options)
	if item == nil || len(problems) > 0 {
		if answer.status < 400 {
			return "the document has no such operation"
		}
		return ""
	}
	if answer.status < 400 {
		c.mu.Lock()
		c.answered[asked.Method+" "+pattern] = true
		c.mu.Unlock()
	}
	response := &http.Response{
		StatusCode: answer.status, Header: answer.Header().Clone(), Request: asked, Body: io.NopCloser(bytes.NewReader(answer.body.Bytes())),
	}
	var text strings.Builder
	if ok, wrong := c.contract.ValidateHttpResponse(asked, response); !ok {
		for _, w := range wrong {
			fmt.Fprintf(&text, "%s: %s\n", w.Message, w.Reason)
			for _, s := range w.SchemaValidationErrors {
				fmt.Fprintf(&text, "  %s: %s\n", s.FieldPath, s.Reason)
			}
		}
	}
	return text.String()
}

// operations are those of the document, with the names of variables left out.
func (c *description) operations() map[string]string {
	all := map[string]string{}
	for path := c.model.Paths.PathItems.First(); path != nil; path = path.Next() {
		for operation := path.Value().GetOperations().First(); operation != nil; operation = operation.Next() {
			whole := strings.ToUpper(operation.Key()) + " " + path.Key()
			all[nameless(whole)] = whole
		}
	}
	return all
}

var variable = regexp.MustCompile(`\{\w+\}`)

func nameless(path string) string { return variable.ReplaceAllString(path, "{}") }

func TestTheDocumentHasExactlyTheOperationsThatAreServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	described := document(t).operations()
	served := map[string]bool{"POST /{}/as/token": true, "GET /{}/as/jwks": true}
	for _, r := range w.api.Routes() {
		served[nameless(r[0]+" "+r[1])] = true
	}
	for operation := range served {
		if described[operation] == "" {
			t.Errorf("%s is served and not in the document", operation)
		}
	}
	for operation := range described {
		if !served[operation] {
			t.Errorf("%s is in the document and not served", operation)
		}
	}
}

func TestEveryOperationAnswersAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	w.must(200, "GET", "/"+id(env)+"/as/jwks", "")
	organization := "/v1/organizations/" + directory.OrganizationID
	for _, path := range []string{
		"/v1/organizations", organization, organization + "/licenses", organization + "/licenses/" + directory.LicenseID,
		"/v1/roles", "/v1/roles/" + directory.RoleID(directory.RoleEnvironmentAdmin), "/v1/environments", env, env + "/billOfMaterials",
	} {
		w.must(200, "GET", path, "")
	}
	w.must(200, "PUT", env, `{"name":"F","type":"SANDBOX","region":"EU","license":{"id":"l"}}`)
	w.must(200, "PUT", env+"/billOfMaterials", `{"products":[{"type":"PING_ONE_BASE"}]}`)
	w.walkEntities(env)
	w.walkKeys(env)
	w.walkSubscriptions(env)
	w.must(204, "DELETE", env, "")

	var missing []string
	for _, operation := range document(t).operations() {
		if !w.conforming.answered[operation] {
			missing = append(missing, operation)
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		t.Errorf("never seen to succeed:\n%s", strings.Join(missing, "\n"))
	}
}

func (w *world) walkEntities(env string) {
	w.Helper()
	bodies := map[string]string{
		"populations":  `{"name":"P"}`,
		"applications": `{"name":"A","enabled":true,"protocol":"OPENID_CONNECT","type":"WEB_APP","tokenEndpointAuthMethod":"NONE","grantTypes":["IMPLICIT"]}`,
		"users":        `{"username":"u","email":"u@example.com","name":{"given":"U"}}`,
	}
	for _, plural := range slices.Sorted(maps.Keys(bodies)) {
		one := env + "/" + plural + "/" + w.must(201, "POST", env+"/"+plural, bodies[plural]).get("id").Str
		w.must(200, "GET", env+"/"+plural, "")
		w.must(200, "GET", one, "")
		w.must(200, "PUT", one, bodies[plural])
		if plural == "applications" {
			w.must(200, "GET", one+"/secret", "")
			w.must(200, "POST", one+"/secret", "")
		}
		if plural == "users" {
			w.walkUser(env, one)
		}
		if plural != "populations" {
			role := fmt.Sprintf(`{"role":{"id":%q},"scope":{"type":"ENVIRONMENT","id":%q}}`, directory.RoleID(directory.RoleEnvironmentAdmin), id(env))
			assigned := one + "/roleAssignments/" + w.must(201, "POST", one+"/roleAssignments", role).get("id").Str
			w.must(200, "GET", one+"/roleAssignments", "")
			w.must(200, "GET", assigned, "")
			w.must(204, "DELETE", assigned, "")
		}
		w.must(204, "DELETE", one, "")
	}
}

func (w *world) walkUser(env, user string) {
	w.Helper()
	population := w.must(200, "GET", user, "").get("population.id").Str
	w.must(200, "PATCH", user, `{"nickname":"n"}`)
	w.must(200, "GET", user+"/enabled", "")
	w.must(200, "PUT", user+"/enabled", `{"enabled":false}`)
	w.must(200, "GET", user+"/population", "")
	w.must(200, "PUT", user+"/population", fmt.Sprintf(`{"id":%q}`, population))
	w.must(200, "GET", user+"/password", "")
	const media = "application/vnd.pingidentity.password."
	w.must(200, "PUT", user+"/password", `{"value":"A-long-enough-password-1"}`, "Content-Type", media+"set+json")
	w.must(200, "POST", user+"/password", `{}`, "Content-Type", media+"forceChange+json")
}

func (w *world) walkKeys(env string) {
	w.Helper()
	key := env + "/keys/" + w.must(201, "POST", env+"/keys", generateBody).get("id").Str
	w.must(200, "GET", env+"/keys", "")
	w.must(200, "GET", key, "")
	own := w.must(200, "GET", key, "", "Accept", "application/x-x509-ca-cert").body
	w.must(200, "GET", key, "", "Accept", "application/x-pkcs7-certificates")
	w.must(200, "GET", key+"/applications", "")
	w.must(200, "GET", key+"/csr", "")
	if got := w.form(key+"/csr", "file", own); got.status != 200 {
		w.Fatalf("answer a signing request: %d %s", got.status, got.body)
	}
	w.must(200, "PUT", key, `{"default":true,"usageType":"SIGNING"}`)
	w.must(204, "DELETE", key, "")
	certificate := env + "/certificates/" + w.uploadCertificate(env)
	w.must(200, "GET", env+"/certificates", "")
	w.must(200, "GET", certificate, "")
	w.must(200, "GET", certificate+"/applications", "")
	w.must(204, "DELETE", certificate, "")
}

func (w *world) walkSubscriptions(env string) {
	w.Helper()
	for _, body := range []string{subscriptionBody, fullSubscription, tcpSubscription} {
		one := env + "/subscriptions/" + w.must(201, "POST", env+"/subscriptions", body).get("id").Str
		w.must(200, "GET", env+"/subscriptions", "")
		w.must(200, "GET", one, "")
		w.must(200, "PUT", one, body)
		w.must(204, "POST", one, "{}", "Content-Type", "application/vnd.pingidentity.subscription.test+json")
		w.must(204, "DELETE", one, "")
	}
	const filter = `recordedAt gt "2020-01-01T00:00:00Z"`
	found := w.must(200, "GET", env+"/activities?filter="+strings.ReplaceAll(filter, " ", "%20"), "")
	w.must(200, "POST", env+"/activities", fmt.Sprintf(`{"filter":%q}`, filter))
	w.must(200, "GET", env+"/activities/"+found.get("_embedded.activities.0.id").Str, "")
}

func TestAnAnswerThatDoesNotConformIsNoticed(t *testing.T) {
	t.Parallel()
	const self, made = `"_links":{"self":{"href":"https://h/x"}}`, `"createdAt":"2026-01-01T00:00:00.000Z"`
	const whole = `{` + self + `,"id":"11111111-1111-4111-8111-111111111111","environment":{"id":"11111111-1111-4111-8111-111111111111"},` + made +
		`,"name":"n","enabled":true,"protocol":"HTTPS","httpEndpoint":{"url":"https://h"},"connectionDetails":{"url":"https://h"},` +
		`"filterOptions":{"includedActionTypes":["A"],"ipAddressExposed":false,"userAgentExposed":false},"verifyTlsCertificates":true}`
	for _, c := range []struct {
		name       string
		status     int
		old, fresh string
		conforms   bool
	}{
		{"as it should be", 200, "", "", true},
		{"another status", 202, "", "", false},
		{"an id that is none", 200, `"id":"11111111-1111-4111-8111-111111111111"`, `"id":"x"`, false},
		{"no environment", 200, `"environment"`, `"environments"`, false},
		{"a date that is none", 200, `2026-01-01T00:00:00.000Z`, `2026-01-01`, false},
		{"no connectionDetails", 200, `"connectionDetails"`, `"connection"`, false},
		{"an unknown protocol", 200, `"HTTPS"`, `"FTP"`, false},
		{"a flag as text", 200, `"enabled":true`, `"enabled":"true"`, false},
		{"an invented empty format", 200, `"name":"n"`, `"name":"n","format":""`, false},
		{"an error of the wrong form", 404, whole, `{"message":"gone"}`, false},
		{"an error", 404, whole, `{"id":"11111111-1111-4111-8111-111111111111","code":"NOT_FOUND","message":"gone"}`, true},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
			"http://h/v1/environments/11111111-1111-4111-8111-111111111111/subscriptions/11111111-1111-4111-8111-111111111111", nil)
		if err != nil {
			t.Fatal(err)
		}
		body := whole
		if c.old != "" {
			body = strings.Replace(whole, c.old, c.fresh, 1)
		}
		answer := &recorded{ResponseWriter: &headerOnly{}, status: c.status}
		answer.Header().Set("Content-Type", "application/json")
		answer.body.WriteString(body)
		if wrong := conform(t, nil).check(request, answer); (wrong == "") != c.conforms {
			t.Errorf("%s: %q", c.name, wrong)
		}
	}
}

// headerOnly is a response writer that keeps headers.
type headerOnly struct{ header http.Header }

func (h *headerOnly) Header() http.Header {
	if h.header == nil {
		h.header = http.Header{}
	}
	return h.header
}
func (h *headerOnly) Write(p []byte) (int, error) { return len(p), nil }
func (h *headerOnly) WriteHeader(int)             {}
