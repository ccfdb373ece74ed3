package judge

import (
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// BearerToken expects that the answer gives a token of type Bearer, a word
// whose case does not matter (RFC 6749 section 5.1). Rule AUT-004.
func BearerToken() Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		if got := gjson.GetBytes(r.Body, "access_token"); got.Type != gjson.String || got.Str == "" {
			return Fail("the string access_token").Got("%s", cut(describe(got)))
		}
		if got := gjson.GetBytes(r.Body, "token_type"); got.Type != gjson.String || !strings.EqualFold(got.Str, "Bearer") {
			return Fail("token_type = Bearer").Got("%s", cut(describe(got)))
		}
		return Pass
	}}
}

// TokenAccepted expects that a request was not refused for its token: it was
// served, or the token is good and lacks the right. Rule AUT-004.
func TokenAccepted() Expectation {
	return Expectation{0, func(r transcript.Response) Outcome {
		if r.Status/100 != 2 && r.Status != http.StatusForbidden {
			return Fail("a status of 2xx or 403").Got("status %d with body %s", r.Status, cut(r.Body))
		}
		return Pass
	}}
}
