package behaviour

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed named.yaml
var namedSource []byte

// Named is a behaviour that can be asked for by name.
type Named struct {
	Name      string    `json:"name"`
	Sentence  string    `json:"sentence"` // what it does
	Behaviour Behaviour `json:"behaviour"`
}

// named reads the behaviours that have a name, once.
var named = sync.OnceValues(func() ([]Named, error) {
	var rows []struct {
		Name, Sentence string
		Behaviour      map[string]any
	}
	if err := yaml.Unmarshal(namedSource, &rows); err != nil {
		return nil, fmt.Errorf("read the named behaviours: %w", err)
	}
	list := make([]Named, 0, len(rows))
	for _, row := range rows {
		data, err := json.Marshal(row.Behaviour)
		if err != nil {
			return nil, fmt.Errorf("read the named behaviour %s: %w", row.Name, err)
		}
		b, err := parseObject(data)
		if err != nil {
			return nil, fmt.Errorf("read the named behaviour %s: %w", row.Name, err)
		}
		list = append(list, Named{row.Name, row.Sentence, b})
	}
	return list, nil
})

// All returns the behaviours that can be asked for by name.
func All() ([]Named, error) { return named() }

// ByName returns the behaviour of that name. The error says which there are.
func ByName(name string) (Behaviour, error) {
	all, err := named()
	if err != nil {
		return Behaviour{}, err
	}
	names := make([]string, 0, len(all))
	for _, n := range all {
		if n.Name == name {
			return n.Behaviour, nil
		}
		names = append(names, n.Name)
	}
	return Behaviour{}, fmt.Errorf("there is no behaviour named %q, but %s", name, strings.Join(names, ", "))
}

// ParseYAML reads a behaviour from YAML: the same members as Parse, or a name.
func ParseYAML(data []byte) (Behaviour, error) {
	var value any
	if err := yaml.Unmarshal(data, &value); err != nil {
		return Behaviour{}, fmt.Errorf("not YAML: %w", err)
	}
	if value == nil {
		return Behaviour{}, fmt.Errorf("must be an object or a name")
	}
	converted, err := json.Marshal(value)
	if err != nil {
		return Behaviour{}, fmt.Errorf("not a behaviour: %w", err)
	}
	return Parse(converted)
}
