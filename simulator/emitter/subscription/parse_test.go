package subscription_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
	"pgregory.net/rapid"

	"github.com/hookproof/hookproof/fixtures"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

const minimal = `{"name":"n","enabled":true,"httpEndpoint":{"url":"https://receiver.example/hook"},` +
	`"filterOptions":{"includedActionTypes":["USER.CREATED"]},"verifyTlsCertificates":true}`

const overTCP = `{"name":"n","enabled":true,"protocol":"TCP_IP","connectionDetails":{"url":"tcp://receiver.example:1234"},` +
	`"filterOptions":{"includedActionTypes":["USER.CREATED"]},"verifyTlsCertificates":true}`

// with sets members of a body; a value "-" removes one.
func with(t testing.TB, raw string, changes ...string) string {
	t.Helper()
	for i := 0; i < len(changes); i += 2 {
		var err error
		if changes[i+1] == "-" {
			raw, err = sjson.Delete(raw, changes[i])
		} else {
			raw, err = sjson.SetRaw(raw, changes[i], changes[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return raw
}

func TestEveryFixtureIsAcceptedAndShownAsSent(t *testing.T) {
	t.Parallel()
	for _, name := range fixtures.SubscriptionNames() {
		raw, err := fixtures.Subscription(name)
		if err != nil {
			t.Fatal(err)
		}
		s, problems := subscription.Parse(raw)
		if len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
			continue
		}
		shown := show(t, s)
		for path, value := range leaves(gjson.ParseBytes(raw), "") {
			if got := gjson.Get(shown, path); got.Raw != value {
				t.Errorf("%s: %s is shown as %s, sent as %s", name, path, got.Raw, value)
			}
		}
	}
}

// leaves are the values of a body that are no objects, by path.
func leaves(v gjson.Result, path string) map[string]string {
	if !v.IsObject() {
		return map[string]string{path: gjson.Get(v.Raw, "@ugly").Raw}
	}
	found := map[string]string{}
	v.ForEach(func(key, value gjson.Result) bool {
		inner := gjson.Escape(key.Str)
		if path != "" {
			inner = path + "." + inner
		}
		maps.Copy(found, leaves(value, inner))
		return true
	})
	return found
}

func show(t testing.TB, s subscription.Subscription) string {
	t.Helper()
	encoded, err := json.Marshal(subscription.Represent(s))
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

func TestEachProblemHasItsCodeAndTarget(t *testing.T) {
	t.Parallel()
	const (
		endpoint = "httpEndpoint.url"
		types    = "filterOptions.includedActionTypes"
		limit    = "payloadOptions.maximumPayloadLimit"
		https    = "payloadOptions.payloadFormat.https"
		tcp      = "payloadOptions.payloadFormat.tcp"
	)
	ids := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat(`{"id":"a"},`, n), ",") + "]" }
	for _, c := range []struct {
		name, body, code, target string
	}{
		{"no name", with(t, minimal, "name", "-"), "REQUIRED_VALUE", "name"},
		{"null name", with(t, minimal, "name", "null"), "REQUIRED_VALUE", "name"},
		{"empty name", with(t, minimal, "name", `" "`), "EMPTY_VALUE", "name"},
		{"number as name", with(t, minimal, "name", "1"), "INVALID_VALUE", "name"},
		{"no enabled", with(t, minimal, "enabled", "-"), "REQUIRED_VALUE", "enabled"},
		{"enabled as text", with(t, minimal, "enabled", `"true"`), "INVALID_VALUE", "enabled"},
		{"no verify", with(t, minimal, "verifyTlsCertificates", "-"), "REQUIRED_VALUE", "verifyTlsCertificates"},
		{"no filter", with(t, minimal, "filterOptions", "-"), "REQUIRED_VALUE", "filterOptions"},
		{"filter as text", with(t, minimal, "filterOptions", `"x"`), "INVALID_VALUE", "filterOptions"},
		{"no types", with(t, minimal, types, "-"), "REQUIRED_VALUE", types},
		{"empty types", with(t, minimal, types, "[]"), "EMPTY_VALUE", types},
		{"empty type", with(t, minimal, types, `["A.B",""]`), "EMPTY_VALUE", types + "[1]"},
		{"number as type", with(t, minimal, types, `[1]`), "INVALID_VALUE", types + "[0]"},
		{"text as types", with(t, minimal, types, `"A.B"`), "INVALID_VALUE", types},
		{"unknown tag", with(t, minimal, "filterOptions.includedTags", `["x"]`), "INVALID_VALUE", "filterOptions.includedTags[0]"},
		{"11 applications", with(t, minimal, "filterOptions.includedApplications", ids(11)), "SIZE_LIMIT_EXCEEDED", "filterOptions.includedApplications"},
		{"11 populations", with(t, minimal, "filterOptions.includedPopulations", ids(11)), "SIZE_LIMIT_EXCEEDED", "filterOptions.includedPopulations"},
		{"population without id", with(t, minimal, "filterOptions.includedPopulations", `[{}]`), "REQUIRED_VALUE", "filterOptions.includedPopulations[0].id"},
		{"population as text", with(t, minimal, "filterOptions.includedPopulations", `["a"]`), "INVALID_VALUE", "filterOptions.includedPopulations[0]"},
		{"unknown format", with(t, minimal, "format", `"XML"`), "INVALID_VALUE", "format"},
		{"unknown protocol", with(t, minimal, "protocol", `"UDP"`), "INVALID_VALUE", "protocol"},
		{"no endpoint", with(t, minimal, "httpEndpoint", "-"), "REQUIRED_VALUE", endpoint},
		{"no url", with(t, minimal, endpoint, "-"), "REQUIRED_VALUE", endpoint},
		{"empty url", with(t, minimal, endpoint, `""`), "EMPTY_VALUE", endpoint},
		{"no url at all", with(t, minimal, endpoint, `"receiver"`), "INVALID_VALUE", endpoint},
		{"http", with(t, minimal, endpoint, `"http://receiver.example/"`), "INVALID_VALUE", endpoint},
		{"no host", with(t, minimal, endpoint, `"https:///hook"`), "INVALID_VALUE", endpoint},
		{"opaque", with(t, minimal, endpoint, `"https:hook"`), "INVALID_VALUE", endpoint},
		{"IPv6", with(t, minimal, endpoint, `"https://[::1]:8443/"`), "INVALID_VALUE", endpoint},
		{"port 0", with(t, minimal, endpoint, `"https://receiver.example:0/"`), "INVALID_VALUE", endpoint},
		{"port 65536", with(t, minimal, endpoint, `"https://receiver.example:65536/"`), "INVALID_VALUE", endpoint},
		{"number as header", with(t, minimal, "httpEndpoint.headers", `{"A":1}`), "INVALID_VALUE", "httpEndpoint.headers.A"},
		{"null as header", with(t, minimal, "httpEndpoint.headers", `{"A":null}`), "INVALID_VALUE", "httpEndpoint.headers.A"},
		{"header with a line break", with(t, minimal, "httpEndpoint.headers", `{"A":"b\r\nC: d"}`), "INVALID_VALUE", "httpEndpoint.headers.A"},
		{"header name with a space", with(t, minimal, "httpEndpoint.headers", `{"A B":"c"}`), "INVALID_VALUE", `httpEndpoint.headers["A B"]`},
		{"another connection", with(t, minimal, "connectionDetails", `{"url":"https://other.example/"}`), "CONSTRAINT_VIOLATION", "connectionDetails.url"},
		{"unknown limit", with(t, minimal, limit, `{"type":"X","size":1}`), "INVALID_VALUE", limit + ".type"},
		{"size without type", with(t, minimal, limit, `{"size":1}`), "REQUIRED_VALUE", limit + ".type"},
		{"0 events", with(t, minimal, limit, `{"type":"EVENTS_PER_PAYLOAD","size":0}`), "OUT_OF_RANGE", limit + ".size"},
		{"-1 events", with(t, minimal, limit, `{"type":"EVENTS_PER_PAYLOAD","size":-1}`), "OUT_OF_RANGE", limit + ".size"},
		{"501 events", with(t, minimal, limit, `{"type":"EVENTS_PER_PAYLOAD","size":501}`), "OUT_OF_RANGE", limit + ".size"},
		{"0 KB", with(t, minimal, limit, `{"type":"KB_PER_PAYLOAD","size":0}`), "OUT_OF_RANGE", limit + ".size"},
		{"4097 KB", with(t, minimal, limit, `{"type":"KB_PER_PAYLOAD","size":4097}`), "OUT_OF_RANGE", limit + ".size"},
		{"half an event", with(t, minimal, limit, `{"type":"EVENTS_PER_PAYLOAD","size":1.5}`), "INVALID_VALUE", limit + ".size"},
		{"huge size", with(t, minimal, limit, `{"type":"EVENTS_PER_PAYLOAD","size":1e99}`), "INVALID_VALUE", limit + ".size"},
		{"size as text", with(t, minimal, limit, `{"type":"EVENTS_PER_PAYLOAD","size":"5"}`), "INVALID_VALUE", limit + ".size"},
		{"unknown payload format", with(t, minimal, https+".format", `"XML"`), "INVALID_VALUE", https + ".format"},
		{"pretty without format", with(t, minimal, https+".prettyPrint", "true"), "CONSTRAINT_VIOLATION", https + ".prettyPrint"},
		{"pretty lines", with(t, minimal, https, `{"format":"ND_JSON","prettyPrint":true}`), "CONSTRAINT_VIOLATION", https + ".prettyPrint"},
		{"TCP format over HTTPS", with(t, minimal, tcp+".format", `"JSON_DOC"`), "CONSTRAINT_VIOLATION", tcp},
		{"key without verification", with(t, minimal, "tlsClientAuthKeyPair", `{"id":"k"}`, "verifyTlsCertificates", "false"), "CONSTRAINT_VIOLATION", "tlsClientAuthKeyPair.id"},
		{"key without id", with(t, minimal, "tlsClientAuthKeyPair", `{}`), "REQUIRED_VALUE", "tlsClientAuthKeyPair.id"},
		{"TCP without address", with(t, overTCP, "connectionDetails", "-"), "REQUIRED_VALUE", "connectionDetails.url"},
		{"TCP with endpoint", with(t, overTCP, "httpEndpoint.url", `"https://receiver.example/"`), "CONSTRAINT_VIOLATION", "httpEndpoint"},
		{"TCP with format", with(t, overTCP, "format", `"ACTIVITY"`), "CONSTRAINT_VIOLATION", "format"},
		{"TCP with limit", with(t, overTCP, limit, `{"type":"KB_PER_PAYLOAD","size":1}`), "CONSTRAINT_VIOLATION", limit},
		{"TCP with HTTPS format", with(t, overTCP, https+".format", `"ND_JSON"`), "CONSTRAINT_VIOLATION", https},
		{"attributes without log line", with(t, overTCP, tcp+".additionalAttributes", `{"a":"b"}`), "CONSTRAINT_VIOLATION", tcp + ".additionalAttributes"},
		{"array", `[]`, "INVALID_VALUE", "$"},
		{"malformed", `{"name":`, "INVALID_VALUE", "$"},
		{"key twice", `{"name":"a","name":"b"}`, "INVALID_VALUE", "$"},
		{"something after", minimal + `{}`, "INVALID_VALUE", "$"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, problems := subscription.Parse([]byte(c.body))
			if len(problems) == 0 {
				t.Fatalf("accepted as %+v", s)
			}
			want := func(p subscription.Problem) bool { return p.Code == c.code && p.Target == c.target }
			if !slices.ContainsFunc(problems, want) {
				t.Fatalf("got %+v, want %s at %s", problems, c.code, c.target)
			}
		})
	}
}

func TestOneDefectIsOneProblem(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"name", "enabled", "verifyTlsCertificates", "filterOptions", "httpEndpoint"} {
		for _, change := range []string{"-", "[]"} {
			if _, problems := subscription.Parse([]byte(with(t, minimal, path, change))); len(problems) == 0 || len(problems) > 2 {
				t.Errorf("%s %s: %+v", path, change, problems)
			}
		}
	}
}

func TestAllProblemsComeAtOnceWithTheirBounds(t *testing.T) {
	t.Parallel()
	_, problems := subscription.Parse([]byte(`{"httpEndpoint":{"url":"http://a.example"},"format":"XML",
		"filterOptions":{"includedActionTypes":[],"includedTags":["x"]},
		"payloadOptions":{"maximumPayloadLimit":{"type":"KB_PER_PAYLOAD","size":5000}}}`))
	byTarget := map[string]subscription.Problem{}
	for _, p := range problems {
		byTarget[p.Target] = p
	}
	want := []string{
		"enabled", "filterOptions.includedActionTypes", "filterOptions.includedTags[0]", "format", "httpEndpoint.url", "name",
		"payloadOptions.maximumPayloadLimit.size", "verifyTlsCertificates",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(byTarget))); diff != "" {
		t.Fatal(diff)
	}
	size := byTarget["payloadOptions.maximumPayloadLimit.size"].Inner
	if *size.RangeMinimumValue != 1 || *size.RangeMaximumValue != 4096 {
		t.Errorf("range of size: %+v", size)
	}
	if diff := cmp.Diff([]string{"ACTIVITY", "SPLUNK", "NEWRELIC"}, byTarget["format"].Inner.AllowedValues); diff != "" {
		t.Error(diff)
	}
}

func TestWhatWasNotSentIsNotShown(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"HTTPS": minimal, "TCP": overTCP} {
		s, problems := subscription.Parse([]byte(body))
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		shown := show(t, s)
		for _, path := range []string{
			"format", "httpEndpoint.headers", "connectionDetails.headers", "filterOptions.includedApplications",
			"filterOptions.includedPopulations", "filterOptions.includedTags", "tlsClientAuthKeyPair", "payloadOptions", "updatedAt",
		} {
			if got := gjson.Get(shown, path); got.Exists() {
				t.Errorf("%s: %s is shown as %s", name, path, got.Raw)
			}
		}
		for _, path := range []string{"filterOptions.ipAddressExposed", "filterOptions.userAgentExposed"} {
			if got := gjson.Get(shown, path); got.Type != gjson.False {
				t.Errorf("%s: %s is shown as %q, want false", name, path, got.Raw)
			}
		}
	}
	s, _ := subscription.Parse([]byte(overTCP))
	if gjson.Get(show(t, s), "httpEndpoint").Exists() {
		t.Error("a TCP subscription shows an httpEndpoint")
	}
}

func TestPartsOfThePayloadOptionsAreShownAsFarAsSent(t *testing.T) {
	t.Parallel()
	for _, options := range []string{
		`{}`, `{"maximumPayloadLimit":{}}`, `{"maximumPayloadLimit":{"type":"KB_PER_PAYLOAD"}}`, `{"payloadFormat":{}}`,
		`{"payloadFormat":{"https":{}}}`, `{"payloadFormat":{"https":{"prettyPrint":false}}}`,
		`{"payloadFormat":{"https":{"format":"JSON_ARRAY","prettyPrint":true}}}`,
	} {
		s, problems := subscription.Parse([]byte(with(t, minimal, "payloadOptions", options)))
		if len(problems) > 0 {
			t.Errorf("%s: %v", options, problems)
		} else if got := gjson.Get(show(t, s), "payloadOptions").Raw; got != options {
			t.Errorf("%s is shown as %s", options, got)
		}
		if s.LimitType == subscription.KBPerPayload && s.LimitSize != 4096 {
			t.Errorf("a limit without size is %d, want the most", s.LimitSize)
		}
	}
}

// TestShownIsReadAsTheSame holds for every valid subscription: what is shown can be sent back and means the same.
func TestShownIsReadAsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := minimal
		set := func(path string, value any) {
			var err error
			if body, err = sjson.Set(body, path, value); err != nil {
				t.Fatal(err)
			}
		}
		maybe := func(label string) bool { return rapid.Bool().Draw(t, label) }
		set("name", rapid.StringMatching(`[^\s\pZ\pC].{0,20}`).Draw(t, "name"))
		set("enabled", maybe("enabled"))
		set("filterOptions.includedActionTypes", rapid.SliceOfN(rapid.StringMatching(`[A-Z_]+\.[A-Z_]+`), 1, 20).Draw(t, "types"))
		if maybe("headers") {
			headers := rapid.MapOf(rapid.StringMatching(`[A-Za-z][A-Za-z0-9-]{0,10}`), rapid.StringMatching(`[ -~é]{0,20}`)).Draw(t, "values")
			set("httpEndpoint.headers", headers)
		}
		if maybe("populations") {
			ids := rapid.SliceOfN(rapid.StringMatching(`[a-z0-9-]{1,8}`), 0, 10).Draw(t, "ids")
			list := []map[string]string{}
			for _, id := range ids {
				list = append(list, map[string]string{"id": id})
			}
			set("filterOptions.includedPopulations", list)
		}
		if maybe("limit") {
			set("payloadOptions.maximumPayloadLimit", map[string]any{
				"type": "EVENTS_PER_PAYLOAD", "size": rapid.IntRange(1, 500).Draw(t, "size"),
			})
		}
		if maybe("key") {
			set("tlsClientAuthKeyPair.id", "k")
		}
		s, problems := subscription.Parse([]byte(body))
		if len(problems) > 0 {
			t.Fatalf("%s: %v", body, problems)
		}
		s.ID, s.EnvironmentID, s.CreatedAt = "i", "e", time.Unix(1, 0)
		encoded, _ := json.Marshal(subscription.Represent(s))
		again, problems := subscription.Parse(encoded)
		if len(problems) > 0 {
			t.Fatalf("%s: %v", encoded, problems)
		}
		again.ID, again.EnvironmentID, again.CreatedAt = s.ID, s.EnvironmentID, s.CreatedAt
		if diff := cmp.Diff(s, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestADroppedCheckAcceptsWhatItRefused(t *testing.T) {
	t.Parallel()
	rules := subscription.Default().Without("https-url")
	if _, problems := rules.Parse([]byte(with(t, minimal, "httpEndpoint.url", `"http://receiver.example/"`))); len(problems) > 0 {
		t.Error(problems)
	}
	if _, problems := subscription.Parse([]byte(with(t, minimal, "httpEndpoint.url", `"http://receiver.example/"`))); len(problems) == 0 {
		t.Error("the default rules lost the check")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte(overTCP))
	f.Add([]byte(`{"name":1,"filterOptions":{"includedPopulations":[{"id":null}]}}`))
	for _, name := range fixtures.SubscriptionNames() {
		raw, err := fixtures.Subscription(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, problems := subscription.Parse(raw)
		for _, p := range problems {
			if p.Target == "" || p.Code == "" || p.Message == "" {
				t.Fatalf("incomplete problem %+v", p)
			}
		}
		if len(problems) > 0 {
			return
		}
		again, problems := subscription.Parse([]byte(show(t, s)))
		if len(problems) > 0 {
			t.Fatalf("%s: %v", show(t, s), problems)
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Fatal(diff)
		}
	})
}
