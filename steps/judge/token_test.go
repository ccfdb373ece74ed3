package judge

import "testing"

func TestTokensAreJudged(t *testing.T) {
	t.Parallel()
	tell(t, BearerToken(),
		reply{"a token", `{"access_token":"a","token_type":"Bearer","expires_in":3600}`, true},
		reply{"the type in lower case", `{"access_token":"a","token_type":"bearer"}`, true},
		reply{"no token", `{"token_type":"Bearer"}`, false},
		reply{"an empty token", `{"access_token":"","token_type":"Bearer"}`, false},
		reply{"a number as token", `{"access_token":1,"token_type":"Bearer"}`, false},
		reply{"no type", `{"access_token":"a"}`, false},
		reply{"another type", `{"access_token":"a","token_type":"mac"}`, false},
		reply{"in camel case", `{"accessToken":"a","tokenType":"Bearer"}`, false},
		reply{"text", `token`, false})
	for status, accepted := range map[int]bool{200: true, 204: true, 403: true, 400: false, 401: false, 404: false, 500: false, 302: false} {
		x := jsonAnswer(`{}`)
		x.Response.Status = status
		if o := Response(x, TokenAccepted()); o.Failed() == accepted {
			t.Errorf("%d: accepted is %t, want %t", status, !o.Failed(), accepted)
		}
	}
}
