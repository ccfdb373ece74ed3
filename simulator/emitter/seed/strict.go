package seed

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hookproof/hookproof/internal/nearest"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// meant are, by the list of a resource, the members that a mistaken name may stand for. The API keeps any further member
// of these resources and shows it, and so does a seed. But a name that is near one of these while that one is missing is
// taken for a mistake. These are the members that only a seed has, and those that everything exported has: what the API
// keeps can be exported and loaded again.
var meant = map[string][]string{
	"environments": append([]string{"name", "type", "region", "license"}, lists[:]...),
	"populations":  {"name", "default", "preferredLanguage", "theme"},
	"applications": {"name", "enabled", "protocol", "type", "tokenEndpointAuthMethod", "secret", "roleAssignments"},
	"users":        {"username", "email", "enabled", "mfaEnabled", "lifecycle", "account", "population", "roleAssignments"},
}

// optional are the members that the API knows beside those, which are no mistakes whatever they are near:
// "description" is near "subscriptions".
var optional = [...]string{"description", "icon", "billOfMaterials", "passwordPolicy", "pkceEnforcement", "tags", "name", "type"}

// assigned are the members of an environment that only the emitter sets. What it drops of other resources is seen by
// what it made of them.
var assigned = [...]string{"environment", "_links", "_embedded", "createdAt", "updatedAt", "organization", "status"}

// mistaken reports the members of a resource whose names are mistaken, and puts them under the names that were meant, so
// that nothing is said to be missing as well.
func (l *loader) mistaken(n *yaml.Node, list string, members object) {
	var missing []string
	for _, name := range meant[list] {
		if value, _ := child(n, name); value == nil {
			missing = append(missing, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		near := nearest.To(name, missing)
		if near == "" || slices.Contains(meant[list], name) || slices.Contains(optional[:], name) {
			continue
		}
		l.wrong(n, name, "is unknown here; did you mean %s?", near)
		members[near] = members[name]
		delete(members, name)
		missing = slices.DeleteFunc(missing, func(m string) bool { return m == near })
	}
}

// only reports the members at a path that are none of the known.
func (l *loader) only(n *yaml.Node, members object, path string, known ...string) bool {
	ok := true
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(known, name) {
			l.wrong(n, path+name, "is unknown here; %s", nearest.Hint(name, known, ""))
			ok = false
		}
	}
	return ok
}

// dropped reports the members of a resource that are not in what was made of it.
func (l *loader) dropped(n *yaml.Node, members, made object) {
	for _, path := range ignored(members, made, "") {
		l.unread(n, path)
	}
}

// unread reports a member that the API would drop without a word.
func (l *loader) unread(n *yaml.Node, path string) {
	if parent, name, deeper := strings.Cut(path, "."); deeper && parent == "population" {
		l.wrong(n, path, "is unknown here; %s", nearest.Hint(name, []string{"id", "name"}, ""))
		return
	}
	if path == "password" {
		l.wrong(n, path, "is not taken from a seed; leave it out, and set it by the API")
		return
	}
	l.wrong(n, path, "is set by the emitter, not by a seed; leave it out")
}

// meantOf is what an error about an unknown member of a subscription ends with: the nearest name that the API shows at
// its place, if one is near.
func meantOf(path string) string {
	level := reflect.TypeFor[subscription.Representation]()
	parts := strings.Split(path, ".")
	for i, part := range parts {
		for level.Kind() == reflect.Pointer || level.Kind() == reflect.Slice {
			level = level.Elem()
		}
		if level.Kind() != reflect.Struct {
			return ""
		}
		known := map[string]reflect.Type{}
		for j := range level.NumField() {
			name, _, _ := strings.Cut(level.Field(j).Tag.Get("json"), ",")
			known[name] = level.Field(j).Type
		}
		if i == len(parts)-1 {
			if near := nearest.To(part, slices.Sorted(maps.Keys(known))); near != "" {
				return "; did you mean " + near + "?"
			}
			return ""
		}
		part, _, _ = strings.Cut(part, "[")
		if level = known[part]; level == nil {
			return ""
		}
	}
	return ""
}
