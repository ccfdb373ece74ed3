package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

const gone = "44444444-4444-4444-8444-444444444444"

// badEdit changes one member of a good body, so that it is refused with INVALID_DATA for one reason.
type badEdit struct {
	path, value  string // JSON; "" takes the member away
	code, target string // of the detail; an empty target is the path
	inner        string // a member that innerError must have
}

// badBodies are edits of a good body for one endpoint.
type badBodies struct {
	method, path, media, good string
	edits                     []badEdit
}

// long is a JSON string of n characters.
func long(n int) string { return `"` + strings.Repeat("x", n) + `"` }

func ids(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = `{"id":"` + gone + `"}`
	}
	return "[" + strings.Join(list, ",") + "]"
}

const (
	required, empty, invalid, constraint = "REQUIRED_VALUE", "EMPTY_VALUE", "INVALID_VALUE", "CONSTRAINT_VIOLATION"
	unique, tooMuch, outOfRange          = "UNIQUENESS_VIOLATION", "SIZE_LIMIT_EXCEEDED", "OUT_OF_RANGE"
)

const fullSubscription = `{"name":"n","enabled":true,"protocol":"HTTPS","httpEndpoint":{"url":"https://receiver.example/hook","headers":{"A":"b"}},
	"format":"ACTIVITY","filterOptions":{"includedActionTypes":["USER.CREATED"],"includedApplications":[],"includedPopulations":[],
	"includedTags":["adminIdentityEvent"],"ipAddressExposed":true,"userAgentExposed":false},"verifyTlsCertificates":true,
	"payloadOptions":{"maximumPayloadLimit":{"type":"EVENTS_PER_PAYLOAD","size":5},"payloadFormat":{"https":{"format":"JSON_ARRAY","prettyPrint":true}}}}`

const tcpSubscription = `{"name":"n","enabled":true,"protocol":"TCP_IP","connectionDetails":{"url":"tcp://receiver.example:1234"},
	"filterOptions":{"includedActionTypes":["USER.CREATED"]},"verifyTlsCertificates":true,
	"payloadOptions":{"payloadFormat":{"tcp":{"format":"RFC_LOGLINE","additionalAttributes":{"a":"b"}}}}}`

func subscriptionEdits() []badEdit {
	const filter, limit, https = "filterOptions.", "payloadOptions.maximumPayloadLimit.", "payloadOptions.payloadFormat.https."
	return []badEdit{
		{"name", ``, required, "", ""}, {"name", `null`, required, "", ""}, {"name", `""`, empty, "", ""}, {"name", `" "`, empty, "", ""},
		{"name", `7`, invalid, "", ""}, {"name", `["n"]`, invalid, "", ""},
		{"enabled", ``, required, "", ""}, {"enabled", `"true"`, invalid, "", ""}, {"enabled", `1`, invalid, "", ""},
		{"verifyTlsCertificates", ``, required, "", ""}, {"verifyTlsCertificates", `[true]`, invalid, "", ""},
		{"protocol", `"HTTP"`, invalid, "", "allowedValues"}, {"protocol", `"https"`, invalid, "", "allowedValues"}, {"protocol", `{}`, invalid, "", ""},
		{"format", `"JSON"`, invalid, "", "allowedValues"}, {"format", `"activity"`, invalid, "", "allowedValues"}, {"format", `0`, invalid, "", ""},
		{"httpEndpoint", ``, required, "httpEndpoint.url", ""}, {"httpEndpoint", `{}`, required, "httpEndpoint.url", ""},
		{"httpEndpoint", `"https://receiver.example/"`, invalid, "", ""}, {"httpEndpoint.url", `""`, empty, "", ""},
		{"httpEndpoint.url", `"http://receiver.example/"`, invalid, "", "allowedPattern"}, {"httpEndpoint.url", `"receiver.example"`, invalid, "", ""},
		{"httpEndpoint.url", `"https://"`, invalid, "", ""}, {"httpEndpoint.url", `"https://[::1]/"`, invalid, "", ""},
		{"httpEndpoint.url", `"https://receiver.example:0/"`, invalid, "", ""}, {"httpEndpoint.url", `"https://receiver.example:65536/"`, invalid, "", ""},
		{"httpEndpoint.url", `"https://receiver.example/` + strings.Repeat("x", 2048) + `"`, invalid, "", ""}, {"httpEndpoint.url", `5`, invalid, "", ""},
		{"httpEndpoint.headers", `[]`, invalid, "", ""}, {"httpEndpoint.headers", `{"A":1}`, invalid, "httpEndpoint.headers.A", ""},
		{"httpEndpoint.headers", `{"A B":"c"}`, invalid, `httpEndpoint.headers["A B"]`, ""}, {"httpEndpoint.headers", `{"A":"b\nc"}`, invalid, "httpEndpoint.headers.A", ""},
		{"connectionDetails", `{"url":"https://other.example/"}`, constraint, "connectionDetails.url", ""},
		{"connectionDetails", `{"headers":{"X":"y"}}`, constraint, "connectionDetails.headers", ""},
		{"filterOptions", ``, required, "", ""}, {"filterOptions", `[]`, invalid, "", ""},
		{filter + "includedActionTypes", ``, required, "", ""}, {filter + "includedActionTypes", `[]`, empty, "", ""},
		{filter + "includedActionTypes", `[""]`, empty, filter + "includedActionTypes[0]", ""},
		{filter + "includedActionTypes", `["A.B",4]`, invalid, filter + "includedActionTypes[1]", ""},
		{filter + "includedActionTypes", `"USER.CREATED"`, invalid, "", ""},
		{filter + "includedTags", `["someTag"]`, invalid, filter + "includedTags[0]", "allowedValues"}, {filter + "includedTags", `"adminIdentityEvent"`, invalid, "", ""},
		{filter + "includedApplications", ids(11), tooMuch, "", "maximumValue"}, {filter + "includedPopulations", ids(11), tooMuch, "", "maximumValue"},
		{filter + "includedApplications", `["x"]`, invalid, filter + "includedApplications[0]", ""},
		{filter + "includedPopulations", `[{}]`, required, filter + "includedPopulations[0].id", ""},
		{filter + "ipAddressExposed", `"yes"`, invalid, "", ""}, {filter + "userAgentExposed", `1`, invalid, "", ""},
		{"payloadOptions", `7`, invalid, "", ""}, {limit + "type", `"EVENTS"`, invalid, "", "allowedValues"}, {limit + "type", ``, required, "", ""},
		{limit + "size", `0`, outOfRange, "", "rangeMaximumValue"}, {limit + "size", `501`, outOfRange, "", "rangeMaximumValue"},
		{limit + "size", `-1`, outOfRange, "", "rangeMinimumValue"}, {limit + "size", `"5"`, invalid, "", ""}, {limit + "size", `1.5`, invalid, "", ""},
		{limit + "size", `99999999999`, invalid, "", ""},
		{"payloadOptions.maximumPayloadLimit", `{"type":"KB_PER_PAYLOAD","size":4097}`, outOfRange, limit + "size", "rangeMaximumValue"},
		{"payloadOptions.maximumPayloadLimit", `{"type":"KB_PER_PAYLOAD","size":0}`, outOfRange, limit + "size", "rangeMinimumValue"},
		{https + "format", `"JSON"`, invalid, "", "allowedValues"}, {https + "prettyPrint", `"no"`, invalid, "", ""},
		{https + "format", `"ND_JSON"`, constraint, https + "prettyPrint", ""}, {https + "format", ``, constraint, https + "prettyPrint", ""},
		{"payloadOptions.payloadFormat.tcp", `{"format":"JSON_DOC"}`, constraint, "", ""},
		{"tlsClientAuthKeyPair", `{}`, required, "tlsClientAuthKeyPair.id", ""}, {"tlsClientAuthKeyPair", `"k"`, invalid, "", ""},
		{"tlsClientAuthKeyPair", `{"id":"` + gone + `"}`, invalid, "tlsClientAuthKeyPair.id", ""},
		{"tlsClientAuthKeyPair", `{"id":"{signing}"}`, constraint, "tlsClientAuthKeyPair.id", "allowedValues"},
	}
}

func userEdits() []badEdit {
	return []badEdit{
		{"username", ``, required, "", ""}, {"username", `""`, empty, "", ""}, {"username", `7`, invalid, "", ""}, {"username", `"TAKEN"`, unique, "", "existingId"},
		{"username", long(129), tooMuch, "", "maximumValue"}, {"email", ``, required, "", ""}, {"email", `""`, empty, "", ""},
		{"email", `"nobody"`, invalid, "", ""}, {"email", `"a b@example.com"`, invalid, "", ""}, {"email", `false`, invalid, "", ""},
		{"name", `"N"`, invalid, "", ""}, {"name", `{"given":1}`, invalid, "name.given", ""}, {"nickname", long(257), tooMuch, "", "maximumValue"},
		{"externalId", long(1025), tooMuch, "", "maximumValue"}, {"mobilePhone", long(33), tooMuch, "", "maximumValue"},
		{"enabled", `"yes"`, invalid, "", ""}, {"mfaEnabled", `0`, invalid, "", ""},
		{"lifecycle", `{"status":"DEAD"}`, invalid, "lifecycle.status", "allowedValues"},
	}
}

func badRequests() []badBodies {
	const users, password = "/users", "application/vnd.pingidentity.password."
	const good = `{"username":"new","email":"new@example.com"}`
	key := []badEdit{
		{"name", ``, required, "", ""}, {"name", long(257), tooMuch, "", "maximumValue"}, {"algorithm", ``, required, "", ""},
		{"algorithm", `"DSA"`, invalid, "", "allowedValues"}, {"keyLength", ``, required, "", ""}, {"keyLength", `1024`, invalid, "", "allowedValues"},
		{"keyLength", `"256"`, invalid, "", ""}, {"signatureAlgorithm", ``, required, "", ""}, {"signatureAlgorithm", `"SHA256withRSA"`, invalid, "", "allowedValues"},
		{"signatureAlgorithm", `"SHA1withECDSA"`, invalid, "", "allowedValues"}, {"subjectDN", ``, required, "", ""}, {"subjectDN", `"made"`, invalid, "", ""},
		{"subjectDN", `"CN="`, invalid, "", ""}, {"subjectDN", `"XX=a"`, invalid, "", ""}, {"subjectDN", `"CN=a,"`, invalid, "", ""}, {"issuerDN", `"nobody"`, invalid, "", ""},
		{"usageType", ``, required, "", ""}, {"usageType", `"TLS"`, invalid, "", "allowedValues"}, {"validityPeriod", ``, required, "", ""},
		{"validityPeriod", `0`, outOfRange, "", "rangeMinimumValue"}, {"validityPeriod", `36501`, outOfRange, "", "rangeMaximumValue"},
		{"serialNumber", `-1`, outOfRange, "", ""}, {"serialNumber", `"1"`, invalid, "", ""}, {"serialNumber", `1.5`, invalid, "", ""}, {"default", `"x"`, invalid, "", ""},
	}
	assignment := []badEdit{
		{"role", ``, required, "role.id", ""}, {"role.id", `""`, invalid, "", ""}, {"role.id", `"` + gone + `"`, invalid, "", ""}, {"role.id", `5`, invalid, "", ""},
		{"scope", ``, required, "scope.id", ""}, {"scope.id", ``, required, "", ""}, {"scope.id", `"` + gone + `"`, invalid, "", ""},
		{"scope.type", ``, required, "", ""}, {"scope.type", `"POPULATION"`, invalid, "", "allowedValues"}, {"scope.type", `"PLANET"`, invalid, "", "allowedValues"},
		{"role.id", `"{identity role}"`, unique, "role", "existingId"},
	}
	population := []badEdit{
		{"name", ``, required, "", ""}, {"name", `" "`, empty, "", ""}, {"name", `"default"`, unique, "", "existingId"}, {"name", `{}`, invalid, "", ""},
		{"default", `"yes"`, invalid, "", ""}, {"description", `1`, invalid, "", ""}, {"theme", `"t"`, invalid, "", ""}, {"passwordPolicy", `{"id":1}`, invalid, "passwordPolicy.id", ""},
		{"theme", `{"products":""}`, required, "theme.id", ""}, {"passwordPolicy", `{"id":""}`, empty, "passwordPolicy.id", ""},
	}
	application := []badEdit{
		{"name", ``, required, "", ""}, {"enabled", ``, required, "", ""}, {"enabled", `"on"`, invalid, "", ""}, {"protocol", ``, required, "", ""},
		{"type", ``, required, "", ""}, {"type", `""`, empty, "", ""}, {"tokenEndpointAuthMethod", ``, required, "", ""}, {"redirectUris", `"x"`, invalid, "", ""},
		{"grantTypes", `[1]`, invalid, "grantTypes[0]", ""}, {"assignActorRoles", `"no"`, invalid, "", ""},
	}
	environment := []badEdit{
		{"name", ``, required, "", ""}, {"name", `""`, empty, "", ""}, {"region", ``, required, "", ""}, {"region", `"MOON"`, invalid, "", "allowedValues"},
		{"type", ``, required, "", ""}, {"type", `"TEST"`, invalid, "", "allowedValues"}, {"license", `"l"`, invalid, "", ""}, {"license", `{"id":1}`, invalid, "license.id", ""},
		{"billOfMaterials", `{}`, required, "billOfMaterials.products", ""}, {"billOfMaterials", `{"products":[{}]}`, required, "billOfMaterials.products[0].type", ""},
		{"billOfMaterials", `{"products":["x"]}`, invalid, "billOfMaterials.products[0]", ""},
	}
	const goodKey = `{"name":"K","algorithm":"EC","keyLength":256,"signatureAlgorithm":"SHA256withECDSA","subjectDN":"CN=k","usageType":"SIGNING","validityPeriod":1}`
	const goodApplication = `{"name":"A","enabled":true,"protocol":"OPENID_CONNECT","type":"WEB_APP","tokenEndpointAuthMethod":"NONE"}`
	const goodAssignment = `{"role":{"id":"{environment role}"},"scope":{"type":"ENVIRONMENT","id":"{env}"}}`
	const goodEnvironment = `{"name":"F","type":"SANDBOX","region":"EU"}`
	return []badBodies{
		{"POST", "/subscriptions", "", fullSubscription, subscriptionEdits()},
		{"PUT", "/subscriptions/{subscriptions}", "", fullSubscription, subscriptionEdits()},
		{"POST", "/subscriptions", "", tcpSubscription, []badEdit{
			{"connectionDetails", ``, required, "connectionDetails.url", ""}, {"connectionDetails.url", `""`, empty, "", ""}, {"connectionDetails.url", `"receiver.example"`, invalid, "", ""},
			{"httpEndpoint", `{"url":"https://receiver.example/"}`, constraint, "", ""}, {"format", `"ACTIVITY"`, constraint, "", ""},
			{"payloadOptions.maximumPayloadLimit", `{"type":"EVENTS_PER_PAYLOAD","size":1}`, constraint, "", ""},
			{"payloadOptions.payloadFormat.https", `{"format":"ND_JSON"}`, constraint, "", ""},
			{"payloadOptions.payloadFormat.tcp.format", `"JSON_DOC"`, constraint, "payloadOptions.payloadFormat.tcp.additionalAttributes", ""},
			{"payloadOptions.payloadFormat.tcp.format", `"SYSLOG"`, invalid, "", "allowedValues"},
		}},
		{"POST", users, "", good, append(userEdits(), badEdit{"population", `{"id":"` + gone + `"}`, invalid, "population.id", ""})},
		{"PUT", users + "/{users}", "", good, userEdits()},
		{"PATCH", users + "/{users}", "", `{}`, []badEdit{
			{"username", `null`, required, "", ""}, {"username", `"taken"`, unique, "", "existingId"}, {"email", `"x"`, invalid, "", ""}, {"enabled", `1`, invalid, "", ""},
		}},
		{"POST", users, "application/vnd.pingidentity.user.import+json", `{"username":"new","email":"n@example.com","password":{"value":"p"}}`, []badEdit{
			{"password", `"p"`, invalid, "", ""}, {"password.value", ``, required, "", ""}, {"password.value", `""`, empty, "", ""},
			{"password.value", long(256), tooMuch, "", "maximumValue"}, {"password.value", `"{MD4}x"`, invalid, "", "allowedValues"}, {"password.forceChange", `"x"`, invalid, "", ""},
		}},
		{"PUT", users + "/{users}/password", password + "set+json", `{"value":"p"}`, []badEdit{{"value", ``, required, "", ""}, {"value", `5`, invalid, "", ""}, {"forceChange", `5`, invalid, "", ""}}},
		{"PUT", users + "/{users}/password", password + "reset+json", `{"newPassword":"p"}`, []badEdit{
			{"newPassword", ``, required, "", ""}, {"currentPassword", `"wrong"`, invalid, "", ""}, {"currentPassword", `5`, invalid, "", ""},
		}},
		{"PUT", users + "/{users}/enabled", "", `{"enabled":true}`, []badEdit{{"enabled", ``, required, "", ""}, {"enabled", `"x"`, invalid, "", ""}}},
		{"PUT", users + "/{users}/population", "", `{"id":"{populations}"}`, []badEdit{{"id", ``, required, "", ""}, {"id", `"` + gone + `"`, invalid, "", ""}, {"id", `1`, invalid, "", ""}}},
		{"POST", users + "/{users}/roleAssignments", "", goodAssignment, assignment},
		{"POST", "/applications/{applications}/roleAssignments", "", goodAssignment, assignment},
		{"POST", "/populations", "", `{"name":"P"}`, population}, {"PUT", "/populations/{populations}", "", `{"name":"P"}`, population},
		{"POST", "/applications", "", goodApplication, application}, {"PUT", "/applications/{applications}", "", goodApplication, application},
		{"POST", "/keys", "", goodKey, key},
		{"PUT", "/keys/{keys}", "", `{"default":false,"usageType":"OUTBOUND_MTLS"}`, []badEdit{{"default", ``, required, "", ""}, {"default", `1`, invalid, "", ""}, {"usageType", ``, required, "", ""}, {"usageType", `"X"`, invalid, "", "allowedValues"}}},
		{"PUT", "", "", goodEnvironment, environment}, {"POST", "..", "", goodEnvironment, environment},
		{"PUT", "/billOfMaterials", "", `{"products":[{"type":"PING_ONE_BASE"}]}`, []badEdit{{"products", ``, required, "", ""}, {"products", `{}`, invalid, "", ""}, {"products", `[{"type":""}]`, empty, "products[0].type", ""}}},
		{"POST", "/activities", "", `{"filter":"recordedAt gt \"2020-01-01T00:00:00Z\""}`, []badEdit{
			{"filter", ``, required, "", ""}, {"filter", `7`, invalid, "", ""}, {"limit", `0`, outOfRange, "", "rangeMinimumValue"}, {"limit", `1001`, outOfRange, "", "rangeMaximumValue"}, {"limit", `"5"`, invalid, "", ""},
		}},
	}
}

func TestBadRequestsAreRefusedWithTheirReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env, fill := w.furnished()
	w.must(201, "POST", env+"/users", `{"username":"taken","email":"t@example.com"}`)
	more := strings.NewReplacer("{env}", id(env), "{signing}", w.importKey(env, "SIGNING"),
		"{environment role}", directory.RoleID("Environment Admin"), "{identity role}", directory.RoleID("Identity Data Admin"))
	for _, holder := range []string{"users/{users}", "applications/{applications}"} {
		held := w.call("POST", env+"/"+fill(holder)+"/roleAssignments", assignmentOf("Identity Data Admin", "ENVIRONMENT", id(env)))
		if held.status != 201 && held.get("details.0.code").Str != unique { // workers hold it from the start
			t.Fatal(held.body)
		}
	}
	before, recorded := w.state(env), len(w.journal.of(id(env)))
	n := 0
	for _, b := range badRequests() {
		path := strings.TrimSuffix(strings.Replace(env+fill(b.path), "/"+id(env)+"..", "", 1), "/")
		media := b.media
		if media == "" {
			media = "application/json"
		}
		for _, e := range b.edits {
			n++
			body := fill(more.Replace(b.good))
			if e.value == "" {
				body, _ = sjson.Delete(body, e.path)
			} else {
				body, _ = sjson.SetRaw(body, e.path, fill(more.Replace(e.value)))
			}
			if e.target == "" {
				e.target = e.path
			}
			got := w.refused(w.call(b.method, path, body, "Content-Type", media), 400, "INVALID_DATA")
			detail := got.get("details.0")
			if detail.Get("code").Str != e.code || detail.Get("target").Str != e.target || e.inner != "" && !detail.Get("innerError."+e.inner).Exists() {
				t.Errorf("%s %s with %s = %s: %s", b.method, b.path, e.path, e.value, got.body)
			}
		}
	}
	for _, r := range badParameters() {
		n++
		media := "application/json"
		got := w.refused(w.call(r.method, env+r.path+"?"+r.query.Encode(), r.body, "Content-Type", media), 400, "INVALID_REQUEST")
		if detail := got.get("details.0"); detail.Get("code").Str != r.code || detail.Get("target").Str != r.target {
			t.Errorf("%s %s?%v %s: %s", r.method, r.path, r.query, r.body, got.body)
		}
	}
	if n < 120 {
		t.Errorf("only %d bad requests", n)
	}
	t.Logf("%d bad requests", n)
	if diff := cmp.Diff(before, w.state(env)); diff != "" {
		t.Error(diff)
	}
	if got := len(w.journal.of(id(env))); got != recorded {
		t.Errorf("%d events are recorded, want %d", got, recorded)
	}
}

type badParameter struct {
	method, path string
	query        url.Values
	body         string
	code, target string
}

func badParameters() []badParameter {
	var all []badParameter
	for _, path := range []string{"/users", "/populations", "/applications", "/activities"} {
		for _, limit := range []string{"0", "-1", "1001", "ten", "1.5", "99999999999999999999"} {
			all = append(all, badParameter{"GET", path, url.Values{"limit": {limit}}, "", "INVALID_PARAMETER", "limit"})
		}
		query := url.Values{"cursor": {"bm90IG91cnM"}}
		if path == "/activities" {
			query.Set("filter", sinceLongAgo)
		}
		all = append(all, badParameter{"GET", path, query, "", "INVALID_PARAMETER", "cursor"})
	}
	for path, filters := range map[string][]string{
		"/users":       {`username`, `username ne "u"`, `username co "u"`, `username ew "u"`, `username pr`, `nickname eq "n"`, `population.id sw "x"`, `not username eq "u"`, `username eq "u" and`, `username eq u`, `(username eq "u"`},
		"/populations": {`name eq "a" or name eq "b"`, `description eq "x"`, `name gt "a"`},
	} {
		for _, filter := range filters {
			all = append(all, badParameter{"GET", path, url.Values{"filter": {filter}}, "", "INVALID_FILTER", "filter"})
		}
	}
	for _, filter := range []string{
		`action.type eq "USER.CREATED"`, sinceLongAgo + ` or action.type eq "USER.CREATED"`, `recordedAt eq "2020-01-01T00:00:00Z"`, `recordedAt gt "yesterday"`,
		`recordedAt gt "0001-01-01T00:00:00Z" and recordedAt lt "x"`, sinceLongAgo + ` and result.status eq "SUCCESS"`, sinceLongAgo + ` and action.type gt "A"`,
		sinceLongAgo + ` and action.type sw "USER"`, sinceLongAgo + ` and resources.id in ["x"]`, sinceLongAgo + ` and action.type in "x"`, sinceLongAgo + ` and tags pr`,
		sinceLongAgo + ` and`, sinceLongAgo + ` and (action.type eq "A"`, sinceLongAgo + ` and action.type ne "A"`,
	} {
		body, _ := json.Marshal(map[string]string{"filter": filter})
		all = append(all, badParameter{"GET", "/activities", url.Values{"filter": {filter}}, "", "INVALID_FILTER", "filter"},
			badParameter{"POST", "/activities", nil, string(body), "INVALID_FILTER", "filter"})
	}
	return append(all, badParameter{"GET", "/activities", nil, "", "INVALID_FILTER", "filter"})
}

// state is everything that can be seen of an environment, and which environments there are.
func (w *world) state(env string) string {
	w.Helper()
	all := w.everything(env) + w.must(200, "GET", "/v1/environments", "").body + w.must(200, "GET", env+"/billOfMaterials", "").body
	for _, holder := range []string{"users", "applications"} {
		for _, one := range gjson.Get(w.must(200, "GET", env+"/"+holder, "").body, "_embedded."+holder+".#.id").Array() {
			all += w.must(200, "GET", fmt.Sprintf("%s/%s/%s/roleAssignments", env, holder, one.Str), "").body
			if holder == "users" {
				all += w.must(200, "GET", fmt.Sprintf("%s/users/%s/password", env, one.Str), "").body
			}
		}
	}
	return strings.ReplaceAll(all, w.url, "")
}
