package seed

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
)

// object is a mapping as encoding/json decodes it.
type object = map[string]any

// mapping returns a node's members as values; it reports a node that is something else.
func (l *loader) mapping(n *yaml.Node, what string) (object, bool) {
	members, ok := l.value(n).(object)
	if !ok {
		l.report(n, "%s must be a mapping", what)
	}
	return members, ok
}

// value turns a node into what encoding/json would make of the same JSON, numbers as json.Number. What stands in the file
// is bounded by the file; what aliases make of it, here.
func (l *loader) value(n *yaml.Node) any {
	l.depth++
	defer func() { l.depth-- }()
	if l.aliases > 0 {
		l.aliased++
	}
	if l.depth > body.MaxDepth || l.aliased > maxAliased {
		if !l.refusing {
			l.report(n, "this nests more than %d deep, or aliases bring more than %d values", body.MaxDepth, maxAliased)
		}
		l.refusing = true // a list may hold itself many times: it is said once
	}
	if l.refusing {
		return nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		l.aliases++
		defer func() { l.aliases-- }()
		return l.value(n.Alias)
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			list[i] = l.value(item)
		}
		return list
	case yaml.MappingNode:
		return l.members(n)
	}
	return l.scalar(n)
}

func (l *loader) members(n *yaml.Node) object {
	members := make(object, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" {
			l.report(key, "a name must be plain text")
			continue
		}
		if _, twice := members[key.Value]; twice {
			l.report(key, "%s stands twice", key.Value)
		}
		members[key.Value] = l.value(n.Content[i+1])
	}
	return members
}

func (l *loader) scalar(n *yaml.Node) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		var value bool
		if err := n.Decode(&value); err == nil {
			return value
		}
	case "!!int":
		var value int64
		if err := n.Decode(&value); err == nil {
			return json.Number(strconv.FormatInt(value, 10))
		}
	case "!!float":
		var value float64
		if err := n.Decode(&value); err == nil && !math.IsInf(value, 0) && !math.IsNaN(value) {
			if json.Valid([]byte(n.Value)) {
				return json.Number(n.Value)
			}
			return json.Number(strconv.FormatFloat(value, 'g', -1, 64))
		}
	default: // text, and dates: those are text in JSON
		return n.Value
	}
	l.report(n, "%s cannot be written as JSON", n.Value)
	return nil
}

// child returns the node of a member and the line of its name; nil if there is none.
func child(n *yaml.Node, name string) (*yaml.Node, int) {
	if n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, 0
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1], n.Content[i].Line
		}
	}
	return nil, 0
}

// items are the nodes of a list that is a member; it reports a member that is no list.
func (l *loader) items(n *yaml.Node, name string) []*yaml.Node {
	list, _ := child(n, name)
	switch {
	case list == nil || list.ShortTag() == "!!null":
		return nil
	case list.Kind == yaml.AliasNode:
		list = list.Alias
	}
	if list.Kind != yaml.SequenceNode {
		l.report(list, "%s must be a list", name)
		return nil
	}
	return list.Content
}

// at is the line of the member that a JSON path leads to, or of the nearest above it that is there.
func at(n *yaml.Node, path string) int {
	line := n.Line
	for rest := strings.TrimPrefix(path, "$"); rest != ""; {
		var name string
		index := -1
		switch {
		case strings.HasPrefix(rest, `["`):
			quoted, err := strconv.QuotedPrefix(rest[1:])
			if err != nil {
				return line
			}
			name, _ = strconv.Unquote(quoted)
			rest = strings.TrimPrefix(rest[1+len(quoted):], "]")
		case strings.HasPrefix(rest, "["):
			if _, err := fmt.Sscanf(rest, "[%d]", &index); err != nil {
				return line
			}
			rest = rest[strings.IndexByte(rest, ']')+1:]
		default:
			rest = strings.TrimPrefix(rest, ".")
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			name, rest = rest[:end], rest[end:]
		}
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		if index >= 0 {
			if n.Kind != yaml.SequenceNode || index >= len(n.Content) {
				return line
			}
			n = n.Content[index]
			line = n.Line
			continue
		}
		next, named := child(n, name)
		if next == nil {
			return line
		}
		n, line = next, named
	}
	return line
}

func (l *loader) report(n *yaml.Node, format string, args ...any) {
	l.lines = append(l.lines, Line{n.Line, fmt.Sprintf(format, args...)})
}
