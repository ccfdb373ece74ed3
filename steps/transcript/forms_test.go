package transcript

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/internal/secrets"
)

func TestASecretIsMarkedInWhateverFormItIsRepeated(t *testing.T) {
	t.Parallel()
	const secret = `canary "<of>" a/receiver & é`
	r := NewRedactor("salt", secret)
	quoted, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"as it is":           "it is " + secret + "!",
		"JSON, HTML escaped": `{"got":` + string(quoted) + `}`,
		"JSON":               `{"got":"canary \"<of>\" a/receiver & é"}`,
		"JSON, of PHP":       `{"got":"canary \"<of>\" a\/receiver & \u00e9"}`,
		"a form":             "got=" + url.QueryEscape(secret),
		"a path":             "/got/" + url.PathEscape(secret),
		"a path, lower case": "/got/" + strings.ToLower(url.PathEscape(secret)),
		"JavaScript":         strings.ReplaceAll(url.QueryEscape(secret), "+", "%20"),
		"base64":             base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 of Basic":    base64.StdEncoding.EncodeToString([]byte("id:" + secret + "\n")),
		"base64 for URLs":    base64.RawURLEncoding.EncodeToString([]byte("i:" + secret)),
	} {
		for kind, got := range map[string]string{"text": r.Text(text), "bytes": string(r.Bytes([]byte(text))), "JSON": string(r.JSON([]byte(text)))} {
			for _, left := range []string{"canary", "receiver", "Y2FuYXJ5", "NhbmFye", "jYW5hcn"} {
				if strings.Contains(got, left) {
					t.Errorf("%s in %s: %s", name, kind, got)
				}
			}
		}
	}
	if got := gjson.GetBytes(r.JSON([]byte(`{"got":`+string(quoted)+`}`)), "got").Str; got != r.Mark(secret) {
		t.Errorf("in JSON it is %s, elsewhere %s", got, r.Mark(secret))
	}
}

func TestAnAddressThatAnAnswerLeadsToHasNoQuery(t *testing.T) {
	t.Parallel()
	r := NewRedactor("salt", "a-known-canary")
	for address, want := range map[string]string{
		"https://a.example/b?token=canary#canary": "https://a.example/b?" + r.Mark("token=canary#canary"),
		"/b#access_token=canary":                  "/b#" + r.Mark("access_token=canary"),
		"/b/a-known-canary?":                      "/b/" + r.Mark("a-known-canary") + "?",
		"/b":                                      "/b",
	} {
		if got := r.Headers(http.Header{"Location": {address}})["Location"][0]; got != want {
			t.Errorf("%s became %s", address, got)
		}
	}
}

func TestShortSecretsAreMarkedUnlessTheyAreWordsOrNumbers(t *testing.T) {
	t.Parallel()
	r := NewRedactor("salt", "pass1234", "password", "12345678", "ab1", "")
	const text = `{"name":"the password 12345678 of ab1"}`
	if got := r.Text(text); got != text {
		t.Errorf("found by chance: %s", got)
	}
	if got := r.Text("it is pass1234, or " + base64.StdEncoding.EncodeToString([]byte("pass1234"))); strings.Contains(got, "pass1234") || strings.Contains(got, "cGFzczEyMz") {
		t.Errorf("a secret is left: %s", got)
	}
}

func TestMarksStayWhatTheyAre(t *testing.T) {
	t.Parallel()
	mark := NewRedactor("salt").Mark("canary-of-somebody")
	r := NewRedactor("salt", mark, "another-canary")
	text := mark + " " + url.QueryEscape(mark)
	if got := r.Text(text); got != text {
		t.Errorf("%s became %s", text, got)
	}
}

func TestTheIndexFindsWhatASearchFinds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		known := rapid.SliceOfN(rapid.StringMatching(`[ab1]{8,14}`), 1, 4).Draw(t, "known")
		text := rapid.StringMatching(`[ab1]{0,60}`).Draw(t, "text")
		if rapid.Bool().Draw(t, "within") {
			i := rapid.IntRange(0, len(text)).Draw(t, "at")
			text = text[:i] + known[0] + text[i:]
		}
		r := NewRedactor("salt", known...)
		want := false
		for _, k := range known {
			want = want || secrets.Findable(k) && strings.Contains(text, k)
		}
		if got := holds(r.index, text); want && !got || got != holds(r.index, []byte(text)) {
			t.Fatalf("found: %v, want %v", got, want)
		}
		if want && r.Text(text) == text {
			t.Fatalf("%s was left as it is", text)
		}
	})
}

func BenchmarkTextWithoutSecrets(b *testing.B) {
	r := NewRedactor("salt", "https://receiver.example/a/path?and=query", "Bearer a-token-of-the-run", "a-client-secret/with+escapes", "another-token-of-the-run")
	body := []byte(`[` + strings.Repeat(`{"id":"9773fa25-a4f4-40d8-ac25-0d53338247c1","action":{"type":"USER.CREATED"}},`, 25) + `{}]`)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		r.Bytes(body)
	}
}
