package transcript

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
)

func TestEqualSecretsGetEqualMarksWithinARunOnly(t *testing.T) {
	t.Parallel()
	one, other := NewRedactor("a"), NewRedactor("b")
	mark, again := one.Mark("s3cret"), one.Mark("s3cret")
	if mark != again {
		t.Error("the same secret got two marks")
	}
	if mark == one.Mark("S3cret") || mark == other.Mark("s3cret") {
		t.Error("another secret, or another run, got the same mark")
	}
	if strings.Contains(one.Mark("s3cret"), "s3cret") {
		t.Error("the mark shows the secret")
	}
	if twice := one.Mark(one.Mark("s3cret")); twice != one.Mark("s3cret") {
		t.Errorf("a mark was marked again: %s", twice)
	}
}

func TestAValueThatOnlyLooksLikeAMarkIsMarked(t *testing.T) {
	t.Parallel()
	const disguised = "[redacted s3cret]"
	if got := NewRedactor("a").Mark(disguised); strings.Contains(got, "s3cret") {
		t.Errorf("a secret in the form of a mark was kept: %s", got)
	}
}

func TestHeadersAreMarkedUnlessKnownToCarryNoSecret(t *testing.T) {
	t.Parallel()
	r := NewRedactor("salt")
	headers := http.Header{"Authorization": {"Bearer canary"}, "X-Anything": {"canary", "canary2"}, "Content-Type": {"application/json"}, "User-Agent": {"agent"}}
	got := r.Headers(headers)
	want := map[string][]string{
		"Authorization": {r.Mark("Bearer canary")}, "X-Anything": {r.Mark("canary"), r.Mark("canary2")},
		"Content-Type": {"application/json"}, "User-Agent": {"agent"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if headers.Get("Authorization") != "Bearer canary" {
		t.Error("the headers themselves were changed")
	}
}

func TestSecretsInJSONBodiesAreMarkedAndNothingElseIs(t *testing.T) {
	t.Parallel()
	r := NewRedactor("salt")
	for name, c := range map[string]struct {
		body   string
		marked []string // paths
	}{
		"token answer":          {`{"access_token":"canary","expires_in":3600}`, []string{"access_token"}},
		"subscription headers":  {`{"name":"n","httpEndpoint":{"url":"u","headers":{"Authorization":"canary","a.b":"canary","n":5}},"connectionDetails":{"headers":{"x":"canary"}}}`, []string{`httpEndpoint.headers.Authorization`, `httpEndpoint.headers.a\.b`, `connectionDetails.headers.x`}},
		"nested in an array":    {`{"list":[{"secret":"canary"},{"deep":[{"password":"canary"}]}]}`, []string{"list.0.secret", "list.1.deep.0.password"}},
		"the same member twice": {`{"password":"canary","password":"canary"}`, []string{"password"}},
		"escaped":               {`{ "password" : "can\u0061ry" }`, []string{"password"}},
		"nothing secret":        {`{"name":"canary is a name","secret":{"id":"x"}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := r.JSON([]byte(c.body))
			if !gjson.ValidBytes(got) {
				t.Fatalf("no JSON any more: %s", got)
			}
			for _, path := range c.marked {
				if value := gjson.GetBytes(got, path).String(); value != r.Mark("canary") {
					t.Errorf("%s is %q", path, value)
				}
			}
			if len(c.marked) == 0 && string(got) != c.body {
				t.Errorf("changed to %s", got)
			}
			if len(c.marked) > 0 && strings.Contains(string(got), `"canary"`) {
				t.Errorf("a secret is left: %s", got)
			}
		})
	}
}

func FuzzJSONStaysJSONAndLosesItsSecrets(f *testing.F) {
	f.Add(`{"password":"x","headers":{"a":"b"}}`)
	f.Add(`{"headers":{"a.b*c":"d","":"e"},"":{"secret":"f"}}`)
	f.Add(`[[{"token":"x"}]]`)
	f.Fuzz(func(t *testing.T, body string) {
		got := NewRedactor("salt").JSON([]byte(body))
		if gjson.Valid(body) && !gjson.ValidBytes(got) {
			t.Fatalf("%q became %q, which is no JSON", body, got)
		}
	})
}

func TestWhatJSONMarksIsKnownByItsMarks(t *testing.T) {
	t.Parallel()
	r := NewRedactor("salt")
	body := []byte(`{"a":{"secret":"one \" quoted"},"headers":{"X":"two"},"name":"three","token":"` + r.Mark("four") + `"}`)
	known := r.Secrets(body)
	want := map[string]string{r.Mark(`one " quoted`): `one " quoted`, r.Mark("two"): "two"}
	if diff := cmp.Diff(want, known); diff != "" {
		t.Error(diff)
	}
	for text, sent := range map[string]string{
		"Bearer " + r.Mark("two") + "x": "Bearer twox",
		r.Mark("two") + r.Mark("two"):   "twotwo",
		r.Mark("three"):                 r.Mark("three"),
		"two":                           "two",
		"":                              "",
	} {
		if got := Unmark(text, known); got != sent {
			t.Errorf("%q became %q, want %q", text, got, sent)
		}
	}
	if found := r.Secrets([]byte("no JSON")); len(found) != 0 {
		t.Errorf("found %v", found)
	}
}
