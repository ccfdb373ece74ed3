package judge

import (
	"net"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// Link reads an absolute link to the API whose base address is given, and
// tells the path and query to ask for there. A link that leads to another
// server cannot be followed with the suite's credentials and is therefore
// none. The names of the loopback interface mean one server.
// Rule SUB-CRUD-005.
func Link(body []byte, name, base string) (target string, o Outcome) {
	path := "_links." + name + ".href"
	got := gjson.GetBytes(body, path)
	wrong := Fail("%s is an absolute URL below %s", path, base).Got("%s", cut(describe(got)))
	link, err := url.Parse(got.Str)
	api, apiErr := url.Parse(strings.TrimSuffix(base, "/"))
	if got.Type != gjson.String || err != nil || apiErr != nil || !link.IsAbs() || link.Host == "" {
		return "", wrong
	}
	if !strings.EqualFold(link.Scheme, api.Scheme) || server(link) != server(api) {
		return "", wrong
	}
	rest, ok := strings.CutPrefix(link.EscapedPath(), api.EscapedPath())
	if !ok || !strings.HasPrefix(rest, "/") {
		return "", wrong
	}
	if link.RawQuery != "" {
		rest += "?" + link.RawQuery
	}
	return rest, Pass
}

// server is the host and port of a URL in a form that can be compared.
func server(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		host = "loopback"
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	return host + ":" + port
}

// Links expects that the link of this name leads to the target below the
// API's base. Rule SUB-CRUD-006.
func Links(name, base, target string) Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		got, o := Link(r.Body, name, base)
		if o.failed {
			return o
		}
		if strings.TrimSuffix(got, "/") != target {
			return Fail("_links.%s.href = %s", name, strings.TrimSuffix(base, "/")+target).Got("%s", gjson.GetBytes(r.Body, "_links."+name+".href").Str)
		}
		return Pass
	}}
}
