package api_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
	"pgregory.net/rapid"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

// TestNoRequestFailsOrChangesWhatItIsRefused holds for every request, however random: the answer is no 5xx, and after
// a 4xx everything is as it was and nothing is on record.
func TestNoRequestFailsOrChangesWhatItIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	statuses := map[int]int{}
	rapid.Check(t, func(t *rapid.T) {
		env, fill := w.furnished()
		before, recorded := w.state(env), w.journal.count()
		for range rapid.IntRange(1, 12).Draw(t, "requests") {
			r := randomRequest(t, env, fill)
			if rapid.IntRange(0, 19).Draw(t, "authorized") > 0 {
				r.Header.Set("Authorization", "Bearer "+w.token)
			}
			recorder := httptest.NewRecorder()
			w.api.ServeHTTP(recorder, r)
			status := recorder.Code
			statuses[status]++
			what := r.Method + " " + r.URL.String() + " " + r.Header.Get("Content-Type")
			switch {
			case status >= 500 || status < 200:
				t.Fatalf("%s answers %d: %s", what, status, recorder.Body)
			case status >= 400:
				if !json.Valid(recorder.Body.Bytes()) || !gjson.GetBytes(recorder.Body.Bytes(), "code").Exists() && !gjson.GetBytes(recorder.Body.Bytes(), "error").Exists() {
					t.Fatalf("%s answers %d without an error body: %s", what, status, recorder.Body)
				}
				if after := w.state(env); after != before || w.journal.count() != recorded {
					t.Fatalf("%s answers %d and changes something", what, status)
				}
			case w.call("GET", env, "").status == http.StatusNotFound:
				return // the environment was deleted
			default:
				before, recorded = w.state(env), w.journal.count()
			}
		}
	})
	t.Logf("answers by status: %v", statuses)
}

func (j *journal) count() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for _, events := range j.events {
		n += len(events)
	}
	return n
}

func randomRequest(t *rapid.T, env string, fill func(string) string) *http.Request {
	known := rapid.SampledFrom(endpoints()).Draw(t, "endpoint")
	path := env + fill(known.path)
	switch rapid.IntRange(0, 9).Draw(t, "where") {
	case 0:
		path = env + strings.NewReplacer("{", gone, "}", "").Replace(known.path)
	case 1:
		path += "/" + rapid.String().Draw(t, "segment")
	case 2:
		path = "/" + rapid.SampledFrom([]string{"v1", "v1/", "v1/roles", "v1/roles/x", "v1/organizations", "v1/organizations/" + directory.OrganizationID + "/licenses",
			"v1/environments", id(env) + "/as/token", id(env) + "/as/jwks", "", "//"}).Draw(t, "elsewhere")
	}
	method := known.method
	if rapid.IntRange(0, 4).Draw(t, "other method") == 0 {
		method = rapid.SampledFrom([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"}).Draw(t, "method")
	}
	media, body := randomBody(t, known, fill)
	r := httptest.NewRequest(method, "/", bytes.NewReader(body))
	r.URL = &url.URL{Path: path, RawQuery: randomQuery(t)}
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	r.Header.Set("Accept", rapid.SampledFrom([]string{"", "*/*", "application/json", "application/x-x509-ca-cert", "application/x-pkcs7-certificates", "application/pkcs10", ";q=x,,"}).Draw(t, "accept"))
	return r
}

func randomQuery(t *rapid.T) string {
	query := url.Values{}
	if rapid.IntRange(0, 2).Draw(t, "limit?") == 0 {
		query.Set("limit", rapid.SampledFrom([]string{"1", "0", "1000", "-5", "x", "9e9"}).Draw(t, "limit"))
	}
	if rapid.IntRange(0, 3).Draw(t, "cursor?") == 0 {
		query.Set("cursor", rapid.SampledFrom([]string{"", "YWZ0ZXIgMQ", "YWZ0ZXIgLTE", "x", "YWZ0ZXIgOTk5OTk5OTk5"}).Draw(t, "cursor"))
	}
	if rapid.IntRange(0, 1).Draw(t, "filter?") == 0 {
		tokens := rapid.SliceOfN(rapid.SampledFrom([]string{"(", ")", "[", "]", ",", "and ", "or ", "not ", " eq ", " gt ", " in ", " sw ", `"x"`, `"2020-01-01T00:00:00Z"`,
			"username", "name", "recordedAt", "action.type", "true", `"\u00e9`, sinceLongAgo, " and " + sinceLongAgo, "\x00"}), 0, 8).Draw(t, "filter")
		query.Set("filter", strings.Join(tokens, ""))
	}
	if rapid.IntRange(0, 9).Draw(t, "raw query") == 0 {
		return rapid.String().Draw(t, "query")
	}
	return query.Encode()
}

// randomBody is a good body of the endpoint or of another with some members changed, any JSON, or any bytes.
func randomBody(t *rapid.T, known endpoint, fill func(string) string) (media string, body []byte) {
	media = map[bool]string{true: known.body, false: "application/json"}[strings.HasPrefix(known.body, "application/")]
	if rapid.IntRange(0, 7).Draw(t, "other media") == 0 {
		media = rapid.SampledFrom([]string{"", "text/plain", "application/json; charset=utf-8", "application/json; charset=x", "a/b/c", "multipart/form-data",
			"application/vnd.pingidentity.password.forceChange", "application/vnd.pingidentity.user.import+json", "application/x-www-form-urlencoded"}).Draw(t, "media")
	}
	switch rapid.IntRange(0, 5).Draw(t, "body") {
	case 0:
		return media, rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "bytes")
	case 1:
		encoded, _ := json.Marshal(randomValue(t, 4))
		return media, encoded
	case 2:
		return randomForm(t)
	}
	all := badRequests()
	var fitting []badBodies
	for _, b := range all {
		if b.method == known.method && b.path == known.path {
			fitting = append(fitting, b)
		}
	}
	if len(fitting) == 0 {
		fitting = all
	}
	from := rapid.SampledFrom(fitting).Draw(t, "good body")
	good := fill(from.good)
	for range rapid.IntRange(0, 3).Draw(t, "changes") {
		encoded, _ := json.Marshal(randomValue(t, 2))
		if changed, err := sjson.SetRaw(good, rapid.SampledFrom(from.edits).Draw(t, "member").path, string(encoded)); err == nil {
			good = changed
		}
	}
	return media, []byte(good)
}

func randomForm(t *rapid.T) (media string, body []byte) {
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for range rapid.IntRange(0, 4).Draw(t, "fields") {
		name := rapid.SampledFrom([]string{"usageType", "password", "file", "other"}).Draw(t, "field")
		value := rapid.SampledFrom([]string{"", "SSL/TLS", "SIGNING", "OUTBOUND_MTLS", "p", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
			"-----BEGIN PKCS7-----\nMIAGCSqGSIb3DQEHAqCAMIACAQExAA==\n-----END PKCS7-----\n", "\x30\x80\x30\x80", "\x30\x84\xff\xff\xff\xff"}).Draw(t, "value")
		if rapid.Bool().Draw(t, "any bytes") {
			value = string(rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "content"))
		}
		part, err := form.CreateFormFile(name, "f")
		if err == nil {
			_, _ = part.Write([]byte(value))
		}
	}
	_ = form.Close()
	return form.FormDataContentType(), b.Bytes()
}

// randomValue is any JSON value, mostly made of what the API knows.
func randomValue(t *rapid.T, depth int) any {
	kind := rapid.IntRange(0, 7).Draw(t, "kind")
	if depth == 0 {
		kind %= 5
	}
	switch kind {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "flag")
	case 2:
		return rapid.SampledFrom([]any{0, 1, -1, 5, 256, 501, 1.5, 1e300, json.Number("99999999999999999999999")}).Draw(t, "number")
	case 3:
		return rapid.String().Draw(t, "text")
	case 4:
		return rapid.SampledFrom([]string{"", " ", "u", "taken", gone, "HTTPS", "TCP_IP", "https://receiver.example/x", "http://x", "tcp://x:1", "ACTIVITY", "SPLUNK",
			"EVENTS_PER_PAYLOAD", "ND_JSON", "RFC_LOGLINE", "adminIdentityEvent", "EC", "SIGNING", "CN=a", "WORKER", "SANDBOX", "NA", "{SSHA}x", "ENVIRONMENT", "\x00\ufffe"}).Draw(t, "word")
	case 5, 6:
		members := map[string]any{}
		for range rapid.IntRange(0, 4).Draw(t, "members") {
			name := rapid.SampledFrom([]string{"id", "name", "url", "type", "size", "value", "role", "scope", "products", "headers", "filter", "a.b", "", "_links", "population",
				"username", "email", "enabled", "default", "key"}).Draw(t, "name")
			members[name] = randomValue(t, depth-1)
		}
		return members
	default:
		items := []any{}
		for range rapid.IntRange(0, 12).Draw(t, "items") {
			items = append(items, randomValue(t, depth-1))
		}
		return items
	}
}
