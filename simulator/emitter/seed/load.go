package seed

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hookproof/hookproof/internal/nearest"
	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

// loader reads one file.
type loader struct {
	directory *directory.Directory
	plan      *directory.Plan
	file      File
	depth     int  // of the value being looked at
	aliases   int  // that led to it
	aliased   int  // values that aliases brought
	refusing  bool // nothing more is looked at
	lines     []Line
	loaded    Loaded
}

// named finds resources of an environment by their kind and name.
type named map[string]map[string]string

func (n named) put(kind, name, id string) {
	if n[kind] == nil {
		n[kind] = map[string]string{}
	}
	n[kind][name] = id
}

// lists are the members of an environment that hold its resources, in the order in which they are made: each may name
// those before it.
var lists = [...]string{"populations", "applications", "users", "keys", "certificates", "subscriptions"}

func (l *loader) document(document *yaml.Node) {
	if document.Kind == yaml.DocumentNode {
		document = document.Content[0]
	}
	if document.ShortTag() == "!!null" {
		return
	}
	if document.Kind != yaml.MappingNode {
		l.report(document, "a document must be a mapping with a list of environments")
		return
	}
	for i := 0; i+1 < len(document.Content); i += 2 {
		if key := document.Content[i]; key.Value != "environments" {
			l.report(key, "%s: is unknown here; %s", key.Value, nearest.Hint(key.Value, []string{"environments"}, ""))
		}
	}
	for _, n := range l.items(document, "environments") {
		l.environment(n)
	}
}

func (l *loader) environment(n *yaml.Node) {
	self := n
	if n.Kind == yaml.MappingNode { // its resources are read one by one below
		only := *n
		only.Content = nil
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !isList(n.Content[i].Value) {
				only.Content = append(only.Content, n.Content[i], n.Content[i+1])
			}
		}
		self = &only
	}
	members, ok := l.mapping(self, "an environment")
	if !ok {
		return
	}
	l.mistaken(n, "environments", members)
	id, name := l.text(n, members, "id"), plain(members["name"])
	if (id != "" || name != "") && l.directory.Known(id, name) {
		l.loaded.Known = append(l.loaded.Known, strings.TrimSpace(id+" "+name))
		return
	}
	for name, value := range members {
		if _, isSequence := value.([]any); isSequence && !isList(name) {
			l.wrong(n, name, "is unknown here; %s", nearest.Hint(name, lists[:], ""))
		}
		if slices.Contains(assigned[:], name) {
			l.unread(n, name)
		}
	}
	draft, err := l.plan.Environment(id, l.object(members))
	if err != nil {
		l.refused(n, err)
		return
	}
	l.loaded.Environments++
	e := &environmentLoader{loader: l, draft: draft, names: named{}}
	for _, role := range directory.Roles() {
		e.names.put("roles", role.Name, role.ID)
	}
	for _, list := range lists {
		for _, item := range defaultFirst(l.items(n, list)) {
			e.resource(list, item)
		}
	}
}

func isList(name string) bool { return slices.Contains(lists[:], name) }

// defaultFirst puts the default population before the others, which may have the name of the one it replaces.
func defaultFirst(items []*yaml.Node) []*yaml.Node {
	var first, others []*yaml.Node
	for _, item := range items {
		if value, _ := child(item, "default"); value != nil && value.Value == "true" {
			first = append(first, item)
		} else {
			others = append(others, item)
		}
	}
	return append(first, others...)
}

// environmentLoader reads the resources of one environment.
type environmentLoader struct {
	*loader
	draft *directory.Draft
	names named
}

func (e *environmentLoader) resource(list string, n *yaml.Node) {
	members, ok := e.mapping(n, "an entry of "+list)
	if !ok {
		return
	}
	id := e.text(n, members, "id")
	delete(members, "id")
	e.mistaken(n, list, members)
	switch list {
	case "populations":
		e.entity(n, directory.Population, id, members)
	case "applications":
		e.entity(n, directory.Application, id, members)
	case "users":
		if e.resolve(n, members, "populations", "population") {
			e.entity(n, directory.User, id, members)
		}
	case "keys":
		e.key(n, id, members)
	case "certificates":
		e.certificate(n, id, members)
	case "subscriptions":
		e.subscription(n, id, members)
	}
}

func (e *environmentLoader) entity(n *yaml.Node, kind directory.Kind, id string, members object) {
	secret := ""
	if kind == directory.Application {
		secret = e.text(n, members, "secret")
		delete(members, "secret")
	}
	var roles []*yaml.Node
	if kind != directory.Population {
		roles = e.items(n, "roleAssignments")
		delete(members, "roleAssignments")
	}
	made, err := e.draft.Add(kind, id, secret, e.object(members))
	if err != nil {
		e.refused(n, err)
		return
	}
	e.dropped(n, members, made.Members)
	e.names.put(kind.Plural(), made.Name(), made.ID)
	for _, role := range roles {
		e.assign(role, kind, made.ID)
	}
}

func (e *environmentLoader) assign(n *yaml.Node, holder directory.Kind, id string) {
	members, ok := e.mapping(n, "an entry of roleAssignments")
	if !ok {
		return
	}
	ok = e.only(n, members, "", "role", "scope")
	if role, isObject := members["role"].(object); isObject {
		ok = e.only(n, role, "role.", "id", "name") && ok
	}
	ok = e.resolve(n, members, "roles", "role") && ok
	if scope, isObject := members["scope"].(object); isObject {
		known := []string{"type", "id", "name"}
		if scope["type"] == directory.ScopeOrganization || scope["type"] == directory.ScopeEnvironment {
			known = known[:2]
		}
		ok = e.only(n, scope, "scope.", known...) && ok
		switch scope["type"] {
		case directory.ScopeOrganization:
			orDefault(scope, directory.OrganizationID)
		case directory.ScopeEnvironment:
			orDefault(scope, e.draft.ID())
		case directory.ScopePopulation:
			ok = e.resolve(n, members, "populations", "scope") && ok
		case directory.ScopeApplication:
			ok = e.resolve(n, members, "applications", "scope") && ok
		}
	}
	if !ok {
		return
	}
	if err := e.draft.Assign(holder, id, e.object(members)); err != nil {
		e.refused(n, err)
	}
}

func orDefault(scope object, id string) {
	if scope["id"] == nil {
		scope["id"] = id
	}
}

// resolve puts the id of what a member names by {name: …} in the place of the name; it reports a name that nothing has.
func (e *environmentLoader) resolve(n *yaml.Node, members object, kind, member string) bool {
	reference, ok := members[member].(object)
	return !ok || e.reference(n, reference, kind, member)
}

func (e *environmentLoader) reference(n *yaml.Node, reference object, kind, path string) bool {
	name, isText := reference["name"].(string)
	switch {
	case !isText:
		return true
	case reference["id"] != nil:
		e.wrong(n, path+".name", "stands beside id; leave one of them out")
		return false
	}
	id, known := e.names[kind][name]
	if !known {
		e.wrong(n, path, "the environment has no %s named %s", strings.TrimSuffix(kind, "s"), name)
		return false
	}
	reference["id"] = id
	delete(reference, "name")
	return true
}

func (e *environmentLoader) key(n *yaml.Node, id string, members object) {
	isDefault, _ := members["default"].(bool)
	upload, ok := e.upload(n, members, "pkcs12", "name", "default", "password")
	if !ok {
		return
	}
	made, err := e.draft.Key(id, e.text(n, members, "name"), isDefault, upload, e.object(nil))
	if err != nil {
		e.refused(n, inlined(n, err, "pkcs12"))
		return
	}
	e.names.put("keys", made.Name(), made.ID)
}

func (e *environmentLoader) certificate(n *yaml.Node, id string, members object) {
	upload, ok := e.upload(n, members, "pem")
	if !ok {
		return
	}
	if _, err := e.draft.Certificate(id, upload, e.object(nil)); err != nil {
		e.refused(n, inlined(n, err, "pem"))
	}
}

// inlined speaks of a file that stands in the seed by the name that it has there.
func inlined(n *yaml.Node, err error, name string) error {
	var invalid *directory.Invalid
	if file, _ := child(n, "file"); file != nil || !errors.As(err, &invalid) {
		return err
	}
	problems := slices.Clone(invalid.Problems)
	for i := range problems {
		if problems[i].Target == "file" {
			problems[i].Target = name
		}
	}
	return &directory.Invalid{Problems: problems}
}

// upload reads what a key or a certificate is made from: a file beside the seed, or its content in the seed.
func (e *environmentLoader) upload(n *yaml.Node, members object, inline string, others ...string) (directory.Upload, bool) {
	before := len(e.lines)
	e.only(n, members, "", append([]string{"usageType", "file", inline}, others...)...)
	u := directory.Upload{UsageType: e.text(n, members, "usageType"), Password: e.text(n, members, "password")}
	file, content := e.text(n, members, "file"), e.text(n, members, inline)
	switch {
	case (file == "") == (content == ""):
		e.report(n, "either file or %s is needed", inline)
	case file != "":
		data, err := e.read(file)
		if err != nil {
			e.wrong(n, "file", "%v", err)
		}
		u.File = data
	case inline == "pem":
		u.File = []byte(content)
	default:
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(content), ""))
		if err != nil {
			e.wrong(n, inline, "must be base64")
		}
		u.File = data
	}
	return u, len(e.lines) == before
}

func (l *loader) read(file string) ([]byte, error) {
	if l.file.Open == nil {
		return nil, errors.New("files cannot be read from here")
	}
	f, err := l.file.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errors.New("the file is too large")
	}
	return data, err
}

func (e *environmentLoader) subscription(n *yaml.Node, id string, members object) {
	found := e.resolve(n, members, "keys", "tlsClientAuthKeyPair")
	if filter, ok := members["filterOptions"].(object); ok {
		for member, kind := range map[string]string{"includedPopulations": "populations", "includedApplications": "applications"} {
			list, _ := filter[member].([]any)
			for _, item := range list {
				if reference, ok := item.(object); ok {
					found = e.reference(n, reference, kind, "filterOptions."+member) && found
				}
			}
		}
	}
	if !found {
		return
	}
	made, err := e.draft.Subscription(id, e.object(members))
	if err != nil {
		e.refused(n, err)
		return
	}
	shown, err := represent(made)
	if err != nil {
		e.report(n, "%v", err)
		return
	}
	for _, path := range ignored(members, shown, "") {
		e.wrong(n, path, "is unknown here%s", meantOf(path))
	}
}

// ignored are the paths of members that a subscription does not show: the API takes such a request, but whoever writes
// a file has mistaken a name.
func ignored(sent, shown any, path string) []string {
	var paths []string
	switch v := sent.(type) {
	case object:
		known, _ := shown.(object)
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if value, ok := known[name]; ok {
				paths = append(paths, ignored(v[name], value, path+name+".")...)
			} else if v[name] != nil {
				paths = append(paths, path+name)
			}
		}
	case []any:
		known, _ := shown.([]any)
		for i := range min(len(v), len(known)) {
			paths = append(paths, ignored(v[i], known[i], fmt.Sprintf("%s[%d].", strings.TrimSuffix(path, "."), i))...)
		}
	}
	return paths
}

// object makes the request body that has the members.
func (l *loader) object(members object) body.Object {
	if members == nil {
		members = object{}
	}
	members = maps.Clone(members)
	delete(members, "id")
	raw, err := json.Marshal(members)
	if err == nil {
		var o body.Object
		if o, err = body.Parse(raw); err == nil {
			return o
		}
	}
	o, _ := body.Parse([]byte("{}")) // nothing is wrong with that
	o.Report(body.Problem{Code: body.InvalidValue, Target: "$", Message: err.Error()})
	return o
}

// text is a member that must be a text, "" if it is missing.
func (l *loader) text(n *yaml.Node, members object, name string) string {
	value, ok := members[name]
	text, isText := value.(string)
	if ok && value != nil && !isText {
		l.wrong(n, name, "must be a text")
	}
	return text
}

func plain(value any) string {
	text, _ := value.(string)
	return text
}

// refused reports what the directory has against a resource.
func (l *loader) refused(n *yaml.Node, err error) {
	var invalid *directory.Invalid
	if !errors.As(err, &invalid) {
		l.report(n, "%v", err)
		return
	}
	for _, p := range invalid.Problems {
		l.wrong(n, strings.TrimPrefix(p.Target, "$"), "%s", p.Message)
	}
}

// wrong reports the member of a resource that a path leads to; "" is the resource.
func (l *loader) wrong(n *yaml.Node, path, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if path != "" {
		message = path + ": " + message
	}
	l.lines = append(l.lines, Line{at(n, path), message})
}
