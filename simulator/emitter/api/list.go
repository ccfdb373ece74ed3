package api

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

const (
	pageSize    = 100 // items of a page when no limit is given
	maxPageSize = 1000
)

type object = map[string]any

func href(url string) object { return object{"href": url} }

// collection is the platform's list envelope (G1).
func collection(self, plural string, items []object, count int) object {
	if items == nil {
		items = []object{}
	}
	return object{
		"_links":    object{"self": href(self)},
		"_embedded": object{plural: items},
		"count":     count,
		"size":      len(items),
	}
}

// limit reads the page size of a request.
func (r *request) limit() (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return pageSize, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxPageSize {
		return 0, invalidParameter(body.InvalidParameter, "limit", fmt.Sprintf("The limit must be between 1 and %d.", maxPageSize))
	}
	return n, nil
}

// matched are what text attributes are compared by; identical are for ids and the like.
var (
	matched   = []string{"eq", "sw"}
	identical = []string{"eq"}
)

// filterable is what each collection can be filtered by (V7, G1).
var filterable = map[string]grammar{
	"environments": {attributes: map[string][]string{
		"id": identical, "name": matched, "type": identical, "region": identical, "license.id": identical,
	}},
	"populations": {attributes: map[string][]string{"id": identical, "name": matched}},
	"applications": {attributes: map[string][]string{
		"id": identical, "name": matched, "enabled": identical, "protocol": identical, "type": identical,
	}},
	"users": {or: true, attributes: map[string][]string{
		"id": identical, "username": matched, "email": matched, "population.id": identical, "enabled": identical,
		"externalid": identical, "name.given": matched, "name.family": matched, "mobilephone": matched,
	}},
	"licenses": {attributes: map[string][]string{"id": identical, "name": matched, "package": identical, "status": identical}},
}

// page answers with the entities that satisfy the request's filter, a page at a time, with a link to the next.
func (r *request) page(all []directory.Entity, plural, self string, show func(directory.Entity) object) (response, error) {
	limit, err := r.limit()
	if err != nil {
		return response{}, err
	}
	matching := all
	if filter := r.URL.Query().Get("filter"); filter != "" {
		wanted, err := parseFilter(filter, filterable[plural])
		if err != nil {
			return response{}, err
		}
		matching = slices.DeleteFunc(all, func(e directory.Entity) bool {
			return !wanted.holds(func(t term) bool { return satisfies(e, t) })
		})
	}
	rest, err := r.after(matching)
	if err != nil {
		return response{}, err
	}
	var items []object
	for _, e := range rest[:min(limit, len(rest))] {
		items = append(items, show(e))
	}
	envelope := collection(self, plural, items, len(matching))
	if len(rest) > limit {
		query := r.URL.Query()
		query.Set("cursor", cursor(rest[limit-1]))
		envelope["_links"].(object)["next"] = href(self + "?" + query.Encode())
	}
	return response{200, envelope}, nil
}

// cursor names the last entity of a page by its time and id, so that deleting it does not lose the place.
func cursor(e directory.Entity) string {
	return base64.RawURLEncoding.EncodeToString([]byte(e.CreatedAt.UTC().Format(time.RFC3339Nano) + " " + e.ID))
}

func (r *request) after(all []directory.Entity) ([]directory.Entity, error) {
	text := r.URL.Query().Get("cursor")
	if text == "" {
		return all, nil
	}
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	created, id, _ := strings.Cut(string(decoded), " ")
	at, timeErr := time.Parse(time.RFC3339Nano, created)
	if err != nil || timeErr != nil {
		return nil, invalidParameter(body.InvalidParameter, "cursor", "The cursor is not one of this API.")
	}
	if i := slices.IndexFunc(all, func(e directory.Entity) bool { return e.ID == id }); i >= 0 {
		return all[i+1:], nil
	}
	i := slices.IndexFunc(all, func(e directory.Entity) bool { return e.CreatedAt.After(at) })
	if i < 0 {
		return nil, nil
	}
	return all[i:], nil
}

// satisfies compares without regard to case, as the platform's directory does (V7).
func satisfies(e directory.Entity, t term) bool {
	value, ok := attribute(e, t.attribute)
	value, want := strings.ToLower(value), strings.ToLower(t.values[0])
	if t.operator == "sw" {
		return ok && strings.HasPrefix(value, want)
	}
	return ok && value == want
}

// attribute finds a string, or a boolean as a string, by its dotted path in lower case.
func attribute(e directory.Entity, path string) (string, bool) {
	if path == "id" {
		return e.ID, true
	}
	var value any = e.Members
	for _, name := range strings.Split(path, ".") {
		members, _ := value.(map[string]any)
		value = member(members, name)
	}
	switch v := value.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// member finds a member by its name in lower case.
func member(members map[string]any, name string) any {
	if value, ok := members[name]; ok {
		return value
	}
	for candidate, value := range members {
		if strings.ToLower(candidate) == name {
			return value
		}
	}
	return nil
}

// self is the address of the request, with its query.
func (r *request) self() string {
	link := r.base + (&url.URL{Path: strings.TrimSuffix(r.URL.Path, "/")}).EscapedPath()
	if r.URL.RawQuery != "" {
		link += "?" + r.URL.RawQuery
	}
	return link
}
