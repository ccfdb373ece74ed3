package features

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Unobserved is a rule that no scenario judges, with the reason. In reports it
// is declared, not observed.
type Unobserved struct {
	Rule, Reason string
	Line         int
}

// LoadUnobserved reads the built-in list of rules without a scenario.
func LoadUnobserved(c *Catalogue) ([]Unobserved, error) {
	return ParseUnobserved("unobserved.yaml", unobservedYAML, c)
}

// ParseUnobserved reads a list of rules without a scenario. The error joins
// every [Problem] found: unknown rules, rules named twice, a missing reason.
func ParseUnobserved(name string, data []byte, c *Catalogue) ([]Unobserved, error) {
	p := &problems{file: name}
	root := document(p, data)
	if root == nil {
		return nil, p.err()
	}
	known(p, root, "unobserved")
	if l := member(root, "unobserved"); l != nil && l.Kind == yaml.SequenceNode && len(l.Content) == 0 {
		return nil, p.err()
	}
	seen := firsts{}
	var out []Unobserved
	for _, n := range items(p, root, "unobserved") {
		known(p, n, "rule", "reason")
		u := Unobserved{Rule: text(member(n, "rule")), Reason: text(member(n, "reason")), Line: n.Line}
		seen.note(p, "rule", u.Rule, u.Line)
		if _, ok := c.Rule(u.Rule); !ok && u.Rule != "" {
			p.add(u.Line, "rule %s is not in the catalogue", u.Rule)
		}
		if u.Reason == "" {
			p.add(u.Line, "rule %s: no reason", u.Rule)
		}
		out = append(out, u)
	}
	return out, p.err()
}

// Untraced tells in one line each where the scenarios and the list of rules
// without one disagree: a rule with neither, or with both.
func Untraced(c *Catalogue, scenarios []Scenario, list []Unobserved) []string {
	judged := map[string]string{}
	for _, s := range scenarios {
		for _, r := range s.Rules {
			judged[r] = s.Location()
		}
	}
	listed := map[string]int{}
	for _, u := range list {
		listed[u.Rule] = u.Line
	}
	var out []string
	for _, r := range c.Rules {
		at, has := judged[r.ID]
		line, named := listed[r.ID]
		switch {
		case has && named:
			out = append(out, fmt.Sprintf("rule %s has a scenario (%s): take it off unobserved.yaml:%d", r.ID, at, line))
		case !has && !named:
			out = append(out, fmt.Sprintf("rule %s (%s) has no scenario: write one", r.ID, r.Area))
		}
	}
	return out
}
