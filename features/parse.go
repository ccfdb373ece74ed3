package features

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile is the largest file of rules that is read, in bytes. The built-in
// catalogue has about 70 KB; what is over 4 MiB is no catalogue.
const maxFile = 4 << 20

// A Problem is one thing wrong with a file of rules or of scenarios.
type Problem struct {
	File string
	Line int // from 1; 0 when it concerns the whole file
	Text string
}

func (p Problem) Error() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// problems collects what is wrong, so that one look at a file shows all of it.
type problems struct {
	file string
	errs []error
}

func (p *problems) add(line int, format string, args ...any) {
	p.errs = append(p.errs, Problem{p.file, line, fmt.Sprintf(format, args...)})
}

func (p *problems) err() error { return errors.Join(p.errs...) }

// Parse reads a catalogue and checks it. Name is the file's name for messages.
// The error joins every [Problem] found: YAML that is none, unknown members,
// duplicate ids, unknown roles, areas, levels, sources and capabilities, a
// statement that is empty or does not use its level's keyword, a MUST that is
// inferred or that only third parties state, a profile that does not fit.
func Parse(name string, data []byte) (*Catalogue, error) {
	p := &problems{file: name}
	root := document(p, data)
	if root == nil {
		return nil, p.err()
	}
	known(p, root, "revision", "documents", "capabilities", "areas", "rules")
	c := &Catalogue{Revision: text(member(root, "revision"))}
	for _, n := range items(p, root, "documents") {
		c.Documents = append(c.Documents, parseDocument(p, n))
	}
	for _, n := range items(p, root, "capabilities") {
		known(p, n, "name", "role", "meaning")
		c.Capabilities = append(c.Capabilities, Capability{
			Name: text(member(n, "name")), Role: text(member(n, "role")),
			Meaning: text(member(n, "meaning")), Line: n.Line,
		})
	}
	for _, n := range items(p, root, "areas") {
		known(p, n, "name", "role", "beta")
		c.Areas = append(c.Areas, Area{
			Name: text(member(n, "name")), Role: text(member(n, "role")),
			Beta: boolean(p, member(n, "beta")), Line: n.Line,
		})
	}
	for _, n := range items(p, root, "rules") {
		c.Rules = append(c.Rules, parseRule(p, n))
	}
	check(p, c)
	if err := p.err(); err != nil {
		return nil, err
	}
	return c, nil
}

func parseDocument(p *problems, n *yaml.Node) Document {
	known(p, n, "key", "title", "address", "kind", "note")
	return Document{
		Key: text(member(n, "key")), Title: text(member(n, "title")),
		Address: text(member(n, "address")), Kind: text(member(n, "kind")),
		Note: text(member(n, "note")), Line: n.Line,
	}
}

func parseRule(p *problems, n *yaml.Node) Rule {
	known(p, n, "id", "role", "area", "level", "statement", "sources", "inferred",
		"needs", "profile", "observe", "reason")
	return Rule{
		ID: text(member(n, "id")), Role: text(member(n, "role")), Area: text(member(n, "area")),
		Level: Level(text(member(n, "level"))), Statement: text(member(n, "statement")),
		Sources: texts(p, member(n, "sources")), Inferred: boolean(p, member(n, "inferred")),
		Needs: texts(p, member(n, "needs")), Profile: text(member(n, "profile")),
		Observe: text(member(n, "observe")), Reason: text(member(n, "reason")), Line: n.Line,
	}
}

// document returns the mapping at the root of a YAML file, or nil with the
// problem noted.
func document(p *problems, data []byte) *yaml.Node {
	if len(data) > maxFile {
		p.add(0, "larger than %d bytes", maxFile)
		return nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		p.add(0, "read YAML: %v", err)
		return nil
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		p.add(0, "no mapping at the top")
		return nil
	}
	return doc.Content[0]
}

// known notes the members of n that are not among names, or are there twice.
func known(p *problems, n *yaml.Node, names ...string) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if !slices.Contains(names, k.Value) {
			p.add(k.Line, "unknown member %q; known are %s", k.Value, strings.Join(names, ", "))
		} else if seen[k.Value] {
			p.add(k.Line, "member %q for the second time", k.Value)
		}
		seen[k.Value] = true
	}
}

// items returns the mappings in the sequence that is root's member name.
func items(p *problems, root *yaml.Node, name string) []*yaml.Node {
	seq := member(root, name)
	if seq == nil || seq.Kind != yaml.SequenceNode || len(seq.Content) == 0 {
		p.add(root.Line, "%s: no list, or an empty one", name)
		return nil
	}
	var out []*yaml.Node
	for _, n := range seq.Content {
		if n.Kind != yaml.MappingNode {
			p.add(n.Line, "%s: not a mapping", name)
			continue
		}
		out = append(out, n)
	}
	return out
}

func member(n *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

func text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return strings.TrimSpace(n.Value)
}

func texts(p *problems, n *yaml.Node) []string {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		p.add(n.Line, "not a list")
		return nil
	}
	var out []string
	for _, e := range n.Content {
		out = append(out, text(e))
	}
	return out
}

func boolean(p *problems, n *yaml.Node) bool {
	switch text(n) {
	case "true":
		return true
	case "false":
	default:
		if n != nil {
			p.add(n.Line, "neither true nor false")
		}
	}
	return false
}
