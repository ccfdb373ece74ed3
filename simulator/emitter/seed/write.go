package seed

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// Write writes everything in the directory as a seed, one document for each environment. Without secrets it leaves out
// the secrets of applications, private keys with the subscriptions' use of them, and the values of the headers that
// subscriptions send; comments say where. Users' passwords are never written. Load reads either.
func Write(w io.Writer, d *directory.Directory, secrets bool) error {
	environments := d.Environments()
	if len(environments) == 0 {
		return errors.New("no environment is kept there, so that there is nothing to write")
	}
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	for _, id := range environments {
		document, err := writer{d, id, secrets}.document()
		if err != nil {
			return fmt.Errorf("write environment %s: %w", id, err)
		}
		if err := encoder.Encode(document); err != nil {
			return fmt.Errorf("write environment %s: %w", id, err)
		}
	}
	return encoder.Close()
}

// writer writes one environment. What goes away meanwhile is left out.
type writer struct {
	d       *directory.Directory
	env     string
	secrets bool
}

func (w writer) document() (*yaml.Node, error) {
	self, err := w.d.GetEnvironment(w.env)
	if err != nil {
		return nil, err
	}
	environment := node(withID(self.ID, self.Members))
	for _, kind := range []directory.Kind{directory.Population, directory.Application, directory.User} {
		list, err := w.entities(kind)
		if err != nil {
			return nil, err
		}
		put(environment, kind.Plural(), list)
	}
	for name, write := range map[string]func() (*yaml.Node, error){
		"keys": w.keys, "certificates": w.certificates, "subscriptions": w.subscriptions,
	} {
		list, err := write()
		if err != nil {
			return nil, err
		}
		put(environment, name, list)
	}
	arrange(environment)
	document := &yaml.Node{Kind: yaml.MappingNode}
	put(document, "environments", sequence([]*yaml.Node{environment}))
	return document, nil
}

func (w writer) entities(kind directory.Kind) (*yaml.Node, error) {
	all, err := w.d.List(w.env, kind)
	if err != nil {
		return nil, err
	}
	var nodes []*yaml.Node
	for _, entity := range all {
		members := withID(entity.ID, entity.Members)
		hidden := entity.Secret != "" && !w.secrets
		if entity.Secret != "" && w.secrets {
			members["secret"] = entity.Secret
		}
		if kind != directory.Population {
			held, err := w.d.RoleAssignments(w.env, kind, entity.ID)
			if err != nil {
				return nil, err
			}
			if len(held) > 0 {
				members["roleAssignments"] = roleAssignments(held)
			}
		}
		n := node(members)
		if hidden {
			comment(n, "its secret is left out")
		}
		nodes = append(nodes, n)
	}
	return sequence(nodes), nil
}

func roleAssignments(held []directory.RoleAssignment) []any {
	var list []any
	for _, a := range held {
		if role, err := directory.GetRole(a.RoleID); err == nil {
			list = append(list, object{"role": object{"name": role.Name}, "scope": object{"type": a.ScopeType, "id": a.ScopeID}})
		}
	}
	return list
}

func (w writer) keys() (*yaml.Node, error) {
	keys, err := w.d.ListKeys(w.env)
	if err != nil {
		return nil, err
	}
	var nodes []*yaml.Node
	var hidden []string
	for _, k := range keys {
		if !w.secrets {
			hidden = append(hidden, fmt.Sprintf("key %s (%s) is left out", k.Name(), k.ID))
			continue
		}
		file, err := k.PKCS12()
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, node(object{
			"id": k.ID, "name": k.Name(), "usageType": k.UsageType, "default": k.Default,
			"pkcs12": base64.StdEncoding.EncodeToString(file),
		}))
	}
	list := sequence(nodes)
	comment(list, hidden...)
	return list, nil
}

func (w writer) certificates() (*yaml.Node, error) {
	certificates, err := w.d.ListCertificates(w.env)
	if err != nil {
		return nil, err
	}
	var nodes []*yaml.Node
	for _, c := range certificates {
		var text strings.Builder
		for _, der := range c.Chain {
			if err := pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
				return nil, err
			}
		}
		nodes = append(nodes, node(object{"id": c.ID, "usageType": c.UsageType, "pem": text.String()}))
	}
	return sequence(nodes), nil
}

func (w writer) subscriptions() (*yaml.Node, error) {
	var nodes []*yaml.Node
	for _, s := range w.d.Subscriptions(w.env) {
		n, err := w.subscription(s)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return sequence(nodes), nil
}

func (w writer) subscription(s subscription.Subscription) (*yaml.Node, error) {
	var hidden []string
	if !w.secrets && len(s.Headers) > 0 {
		hidden = append(hidden, "headers left out: "+strings.Join(slices.Sorted(maps.Keys(s.Headers)), ", "))
		s.Headers = nil
	}
	if !w.secrets && s.KeyID != "" {
		hidden = append(hidden, "client authentication by key "+s.KeyID+" left out")
		s.KeyID, s.Sent.KeyPair = "", false
	}
	members, err := represent(s)
	if err != nil {
		return nil, err
	}
	for _, assigned := range []string{"environment", "_links", "createdAt", "updatedAt"} {
		delete(members, assigned)
	}
	if s.Protocol == subscription.HTTPS {
		delete(members, "connectionDetails") // says the same as httpEndpoint
	}
	n := node(members)
	comment(n, hidden...)
	return n, nil
}

// represent shows a subscription as the API does.
func represent(s subscription.Subscription) (object, error) {
	raw, err := json.Marshal(subscription.Represent(s))
	if err != nil {
		return nil, err
	}
	var members object
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	return members, decoder.Decode(&members)
}

func withID(id string, members object) object {
	members = maps.Clone(members)
	members["id"] = id
	return members
}

// first are the members that stand before the others, which follow by name; last come an environment's lists.
var first = [...]string{"id", "name", "username", "usageType", "enabled", "type", "protocol"}

// node writes a value as encoding/json decodes it.
func node(value any) *yaml.Node {
	switch v := value.(type) {
	case object:
		n := &yaml.Node{Kind: yaml.MappingNode}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			put(n, name, node(v[name]))
		}
		arrange(n)
		return n
	case []any:
		items := make([]*yaml.Node, len(v))
		for i, item := range v {
			items[i] = node(item)
		}
		return sequence(items)
	case nil:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(v)}
	case json.Number:
		tag := "!!int"
		if strings.ContainsAny(v.String(), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: v.String()}
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: fmt.Sprint(value)}
	if strings.HasPrefix(n.Value, "-----BEGIN ") {
		n.Style = yaml.LiteralStyle
	}
	return n
}

func sequence(items []*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Content: items}
}

// put adds a member, unless it is an empty list with nothing to say.
func put(n *yaml.Node, name string, value *yaml.Node) {
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}
	if isList(name) && value.Kind == yaml.SequenceNode && len(value.Content) == 0 {
		if value.HeadComment == "" {
			return
		}
		key.HeadComment, value.HeadComment = value.HeadComment, ""
	}
	n.Content = append(n.Content, key, value)
}

// arrange puts the members in the order in which people look for them.
func arrange(n *yaml.Node) {
	rank := func(name string) int {
		if i := slices.Index(first[:], name); i >= 0 {
			return i
		}
		if i := slices.Index(lists[:], name); i >= 0 {
			return 2*len(first) + i
		}
		return len(first)
	}
	type member struct{ key, value *yaml.Node }
	var members []member
	for i := 0; i+1 < len(n.Content); i += 2 {
		members = append(members, member{n.Content[i], n.Content[i+1]})
	}
	slices.SortStableFunc(members, func(a, b member) int { return rank(a.key.Value) - rank(b.key.Value) })
	n.Content = n.Content[:0]
	for _, m := range members {
		n.Content = append(n.Content, m.key, m.value)
	}
}

func comment(n *yaml.Node, lines ...string) {
	if len(lines) > 0 {
		n.HeadComment = "# " + strings.Join(lines, "\n# ")
	}
}
