package judge

import (
	"fmt"
	"testing"
)

func TestLinksAreReadBelowTheAPI(t *testing.T) {
	t.Parallel()
	const local, remote, below = "http://127.0.0.1:4711", "https://api.example/", "https://gateway.example/pingone"
	for _, tc := range []struct {
		base, href, want string // want "" means that it is no link
	}{
		{local, "http://127.0.0.1:4711/v1/x", "/v1/x"},
		{local, "http://localhost:4711/v1/x?a=1", "/v1/x?a=1"},
		{local, "HTTP://[::1]:4711/v1/x", "/v1/x"},
		{local, "http://127.0.0.1:4712/v1/x", ""},
		{local, "https://127.0.0.1:4711/v1/x", ""},
		{local, "http://api.example:4711/v1/x", ""},
		{local, "/v1/x", ""},
		{local, "//127.0.0.1:4711/v1/x", ""},
		{local, "", ""},
		{remote, "https://API.example:443/v1/x", "/v1/x"},
		{remote, "https://api.example.org/v1/x", ""},
		{remote, "https://api.example", ""},
		{below, "https://gateway.example/pingone/v1/x", "/v1/x"},
		{below, "https://gateway.example/v1/x", ""},
		{below, "https://gateway.example/pingonev1/x", ""},
	} {
		body := fmt.Sprintf(`{"_links":{"self":{"href":%q}}}`, tc.href)
		got, o := Link([]byte(body), "self", tc.base)
		if got != tc.want || o.Failed() != (tc.want == "") {
			t.Errorf("%s below %s: %q, %+v, want %q", tc.href, tc.base, got, o, tc.want)
		}
	}
	if _, o := Link([]byte(`{"_links":{}}`), "self", local); !o.Failed() {
		t.Error("a link that is not there was read")
	}
}

func TestALinkLeadsToItsTarget(t *testing.T) {
	t.Parallel()
	tell(t, Links("environment", "http://127.0.0.1:1", "/v1/environments/e"),
		reply{"there", `{"_links":{"environment":{"href":"http://127.0.0.1:1/v1/environments/e"}}}`, true},
		reply{"with a slash", `{"_links":{"environment":{"href":"http://127.0.0.1:1/v1/environments/e/"}}}`, true},
		reply{"to another", `{"_links":{"environment":{"href":"http://127.0.0.1:1/v1/environments/f"}}}`, false},
		reply{"to what is below", `{"_links":{"environment":{"href":"http://127.0.0.1:1/v1/environments/e/subscriptions"}}}`, false},
		reply{"relative", `{"_links":{"environment":{"href":"/v1/environments/e"}}}`, false},
		reply{"missing", `{"_links":{"self":{"href":"http://127.0.0.1:1/v1/environments/e"}}}`, false})
}
