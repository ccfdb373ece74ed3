package driver

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// Leftover is something that a run has made at the target and did not remove,
// because it was killed or could not.
type Leftover struct {
	// Run is what its name has of the run, see Run; "unknown" where the
	// scenario had it called otherwise.
	Run  string
	Kind string // the collection it is in, such as "users"
	Name string
	Path string
}

// named finds the run in a name that Driver.Name has made, wherever in a
// longer one.
var named = regexp.MustCompile(`hookproof-([0-9a-f]{8})-[a-z]+-[0-9a-f]{8}`)

// nowhere finds the run in what Driver.Nowhere has made.
var nowhere = regexp.MustCompile("^" + regexp.QuoteMeta(ours) + `hookproof-([0-9a-f]{8})/`)

// UnknownRun is the run of leftovers whose name does not tell.
const UnknownRun = "unknown"

// ours is where subscriptions of the suite lead that are to deliver nothing.
const ours = "https://hookproof.example/"

// collections are where scenarios make things, in an order in which they can
// be removed, with what narrows a long list to the suite's.
func collections() []struct{ name, filter string } {
	return []struct{ name, filter string }{
		{"users", `email sw "hookproof-"`}, {"subscriptions", ""}, {"applications", ""}, {"keys", ""}, {"certificates", ""}, {"populations", ""},
	}
}

// Leftovers finds what runs have left in the environment of the suite's
// credentials, and the environments they have left, by the names that the
// suite gives. A collection that the target does not serve has none.
func (c *Client) Leftovers(ctx context.Context) ([]Leftover, error) {
	home := "/v1/environments/" + url.PathEscape(c.system.Emitter.Environment)
	var all []Leftover
	for _, k := range collections() {
		path := home + "/" + k.name
		if k.filter != "" {
			path += "?" + url.Values{"filter": {k.filter}}.Encode()
		}
		found, err := c.list(ctx, path, k.name, home+"/"+k.name)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	found, err := c.list(ctx, "/v1/environments", "environments", "/v1/environments")
	return append(all, found...), err
}

// maxListed bounds how many pages of a collection are looked through.
const maxListed = 1000

// list finds the suite's own in a collection, page by page.
func (c *Client) list(ctx context.Context, path, kind, base string) ([]Leftover, error) {
	var found []Leftover
	for range maxListed {
		status, body, err := c.Call(ctx, Emitter, http.MethodGet, path, nil)
		switch {
		case err != nil:
			return nil, fmt.Errorf("look for leftovers among the %s: %w", kind, err)
		case status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented:
			return nil, nil
		case status != http.StatusOK:
			return nil, fmt.Errorf("look for leftovers among the %s: GET %s is answered %d", kind, path, status)
		}
		gjson.GetBytes(body, "_embedded").ForEach(func(_, list gjson.Result) bool {
			for _, item := range list.Array() {
				if run, name := Whose(item); run != "" && item.Get("id").Str != "" {
					found = append(found, Leftover{Run: run, Kind: kind, Name: name, Path: base + "/" + url.PathEscape(item.Get("id").Str)})
				}
			}
			return true
		})
		next, err := url.Parse(gjson.GetBytes(body, "_links.next.href").Str)
		if err != nil || next.Path == "" {
			return found, nil
		}
		at := strings.Index(next.EscapedPath(), "/v1/")
		if at < 0 {
			return nil, fmt.Errorf("look for leftovers among the %s: the next page is not below /v1", kind)
		}
		path = next.EscapedPath()[at:] + "?" + next.RawQuery
	}
	return nil, fmt.Errorf("look for leftovers among the %s: there are more than %d pages", kind, maxListed)
}

// Whose tells of what run something is that a target holds, empty if it is not the
// suite's.
func Whose(item gjson.Result) (run, name string) {
	names := []string{item.Get("name").Str, item.Get("username").Str, item.Get("email").Str, item.Get("subjectDN").Str}
	name = cmp.Or(names...)
	for _, n := range names {
		if m := named.FindStringSubmatch(n); m != nil {
			return m[1], name
		}
	}
	at := item.Get("httpEndpoint.url").Str
	if m := nowhere.FindStringSubmatch(at); m != nil {
		return m[1], name
	}
	if strings.HasPrefix(at, ours) {
		return UnknownRun, name
	}
	return "", name
}

// Remove removes leftovers, and gives those that could not be.
func (c *Client) Remove(ctx context.Context, all []Leftover) (left []Leftover) {
	for range removals {
		left = nil
		for _, l := range all {
			status, _, err := c.Call(ctx, Emitter, http.MethodDelete, l.Path, nil)
			if err != nil || status/100 != 2 && status != http.StatusNotFound {
				left = append(left, l)
			}
		}
		if all = slices.Clone(left); len(all) == 0 {
			return nil
		}
	}
	return left
}
