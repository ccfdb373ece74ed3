package driver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/targets"
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
// suite gives. A collection that the target does not serve has none. The error
// joins what could not be looked for; what was found is returned beside it.
//
// Of a target that does not claim to make environments nothing was left among
// them: that it does not let a client of one environment list them is no error.
func (c *Client) Leftovers(ctx context.Context, claims []targets.Capability) (all []Leftover, err error) {
	var untold []error
	look := func(kind, base, filter string) {
		found, err := c.list(ctx, kind, base, filter)
		if refused := (&refusal{}); errors.As(err, &refused) && kind == "environments" && refused.forbidden() && !slices.Contains(claims, targets.Environments) {
			err = nil
		}
		all, untold = append(all, found...), append(untold, err)
	}
	home := "/v1/environments/" + url.PathEscape(c.system.Emitter.Environment)
	for _, k := range collections() {
		look(k.name, home+"/"+k.name, k.filter)
	}
	look("environments", "/v1/environments", "")
	return all, errors.Join(untold...)
}

// maxListed bounds how many pages of a collection are looked through.
const maxListed = 1000

// refusal is the error of a listing that was not answered 200.
type refusal struct {
	path   string
	status int
}

func (r *refusal) Error() string { return fmt.Sprintf("GET %s is answered %d", r.path, r.status) }

func (r *refusal) forbidden() bool {
	return r.status == http.StatusUnauthorized || r.status == http.StatusForbidden
}

// list finds the suite's own in a collection, with a filter where the target
// takes it. What was found until an error is returned beside it.
func (c *Client) list(ctx context.Context, kind, base, filter string) (found []Leftover, err error) {
	path := base
	if filter != "" {
		path += "?" + url.Values{"filter": {filter}}.Encode()
	}
	found, err = c.pages(ctx, path, kind, base)
	if refused := (&refusal{}); filter != "" && errors.As(err, &refused) && refused.status == http.StatusBadRequest {
		found, err = c.pages(ctx, base, kind, base)
	}
	if err != nil {
		return found, fmt.Errorf("look for leftovers among the %s: %w", kind, err)
	}
	return found, nil
}

// pages finds the suite's own in a collection, page by page from a path on.
func (c *Client) pages(ctx context.Context, path, kind, base string) (found []Leftover, err error) {
	for range maxListed {
		status, body, err := c.Call(ctx, Emitter, http.MethodGet, path, nil)
		switch {
		case err != nil:
			return found, err
		case status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented:
			return found, nil
		case status != http.StatusOK:
			return found, &refusal{path, status}
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
			return found, errors.New("the next page is not below /v1")
		}
		path = next.EscapedPath()[at:] + "?" + next.RawQuery
	}
	return found, fmt.Errorf("there are more than %d pages", maxListed)
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
