package driver

import (
	"encoding/base64"
	"testing"
)

func TestCredentialsAreAlmostTheRightOnes(t *testing.T) {
	t.Parallel()
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for name, c := range map[string]struct {
		header, right string
		how           NearMiss
		want          string
	}{
		"other case":               {"Authorization", "Bearer aBcDeFgHiJ", OtherCase, "Bearer AbCdEfGhIj"},
		"other case of hex":        {"Authorization", "Bearer 00aa11bb22", OtherCase, "Bearer 00aa117b22"},
		"other case of a password": {"Authorization", basic("Ada:Secret"), OtherCase, basic("Ada:sECRET")},
		"other byte":               {"X-Api-Key", "an-example-key", OtherByte, "an-example7key"},
		"other byte than 7":        {"X-Api-Key", "1237123", OtherByte, "1233123"},
		"other byte of one":        {"X-Api-Key", "k", OtherByte, "7"},
		"cut":                      {"Authorization", "Bearer abcdefghij", CutShort, "Bearer abcdef"},
		"cut password":             {"Authorization", basic("ada:lovelace"), CutShort, basic("ada:love")},
		"longer":                   {"X-Api-Key", "an-example-key", Lengthened, "an-example-key7AAA"},
		"longer password":          {"Authorization", basic("ada:lovelace"), Lengthened, basic("ada:lovelace7AAA")},
		"within":                   {"Authorization", "Splunk key", Surrounded, "Splunk 7AAAkey7AAA"},
		"schemeless":               {"authorization", "Bearer abcdefghij", Schemeless, "abcdefghij"},
		"without any scheme":       {"X-Api-Key", "an-example-key", Schemeless, "an-example7key"},
		"a scheme of one's own":    {"X-Api-Key", "Key abcdefghij", Schemeless, "Key abcdef7hij"},
		"an empty password":        {"Authorization", basic("key:"), OtherByte, basic("key:7AAA")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := missed(c.header, c.right, c.how); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	for _, right := range []string{"k", "7", "kk", "Bearer k", "an-example-key", basic(":"), basic("a:b"), "Basic !", "", "0123456789"} {
		for how := OtherCase; how <= Schemeless; how++ {
			if missed("Authorization", right, how) == right {
				t.Errorf("%q is right, near miss %d", right, how)
			}
		}
	}
}
