package secrets_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hookproof/hookproof/internal/secrets"
)

func TestOnlyWhatIsNotFoundByChanceIsFindable(t *testing.T) {
	t.Parallel()
	for secret, want := range map[string]bool{
		"": false, "x1": false, "pass12!": false, "password": false, "12345678": false, "hookproof": false, "$$$$$$$$$$": false,
		"pass1234": true, "Ünder123": true, "a-long-word-": true, "123456789012": true,
	} {
		if got := secrets.Findable(secret); got != want {
			t.Errorf("%q: %v", secret, got)
		}
	}
}

func TestEveryFormOfASecretIsFound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringN(8, 40, -1).Draw(t, "secret")
		around := rapid.StringN(0, 5, -1)
		before, after := around.Draw(t, "before"), around.Draw(t, "after")
		quoted, err := json.Marshal(secret)
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]string{"JSON": string(quoted), "query": url.QueryEscape(secret), "path": url.PathEscape(secret)}
		for name, encoding := range map[string]*base64.Encoding{"std": base64.StdEncoding, "url": base64.URLEncoding, "raw std": base64.RawStdEncoding, "raw url": base64.RawURLEncoding} {
			texts[name] = encoding.EncodeToString([]byte(before + secret + after))
		}
		for name, text := range texts {
			found := strings.Contains(text, secret)
			for _, f := range secrets.Forms(secret) {
				found = found || strings.Contains(text, f.Text)
				if f.Text == secret || len(f.Text) < len(secret) {
					t.Errorf("form %q", f.Text)
				}
			}
			if !found {
				t.Errorf("%s: nothing is found in %q", name, text)
			}
		}
	})
}
