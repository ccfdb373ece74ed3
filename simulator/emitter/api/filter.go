package api

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
)

// term is one comparison of a filter.
type term struct {
	attribute string // lower case
	operator  string // lower case
	values    []string
}

// condition is a filter: all of some conditions, any of some, or one term.
type condition struct {
	all, any []condition
	term     term
}

// holds evaluates a condition. The zero condition holds if the test says so of a term without an attribute; callers
// do not evaluate filters that were not sent.
func (c condition) holds(test func(term) bool) bool {
	inner := func(c condition) bool { return c.holds(test) }
	switch {
	case c.all != nil:
		return !slices.ContainsFunc(c.all, func(c condition) bool { return !inner(c) })
	case c.any != nil:
		return slices.ContainsFunc(c.any, inner)
	}
	return test(c.term)
}

// conjuncts are the conditions that must all hold.
func (c condition) conjuncts() []condition {
	if c.all != nil {
		return c.all
	}
	return []condition{c}
}

// terms are all comparisons of a condition.
func (c condition) terms() []term {
	if c.all == nil && c.any == nil {
		return []term{c.term}
	}
	var list []term
	for _, inner := range append(slices.Clone(c.all), c.any...) {
		list = append(list, inner.terms()...)
	}
	return list
}

// grammar is what a collection can be filtered by.
type grammar struct {
	attributes map[string][]string // attributes in lower case, with their operators
	or         bool                // whether conditions may be joined with or
}

const (
	maxFilter = 8192 // characters
	maxTerms  = 20
	maxNested = 10 // parentheses
)

var (
	comparison  = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_.]*)\s+([A-Za-z]+)\s*`)
	literal     = regexp.MustCompile(`^("(?:[^"\\]|\\.)*"|true\b|false\b)\s*`)
	conjunction = regexp.MustCompile(`^(?i:and)(?:\s+|\()`)
	disjunction = regexp.MustCompile(`^(?i:or)(?:\s+|\()`)
)

// parser reads a filter from left to right; and binds closer than or.
type parser struct {
	grammar grammar
	rest    string
	terms   int
	nested  int
}

// parseFilter reads a filter. Its error is a 400 with the detail INVALID_FILTER.
func parseFilter(filter string, g grammar) (condition, error) {
	if len(filter) > maxFilter {
		return condition{}, invalidFilter(fmt.Sprintf("The filter must have at most %d characters.", maxFilter), nil)
	}
	p := parser{grammar: g, rest: strings.TrimSpace(filter)}
	c, err := p.any()
	if err == nil && p.rest != "" {
		err = p.unreadable()
	}
	return c, err
}

func (p *parser) unreadable() error {
	return invalidFilter(`The filter must be comparisons like name eq "value", joined with and.`, nil)
}

func (p *parser) any() (condition, error) {
	parts, err := p.joined(disjunction, (*parser).allOf)
	if err != nil || len(parts) == 1 {
		return first(parts), err
	}
	if !p.grammar.or {
		return condition{}, invalidFilter("Comparisons can only be joined with and.", &body.Inner{SupportedOperators: []string{"and"}})
	}
	return condition{any: parts}, nil
}

func (p *parser) allOf() (condition, error) {
	parts, err := p.joined(conjunction, (*parser).one)
	if err != nil || len(parts) == 1 {
		return first(parts), err
	}
	var all []condition
	for _, part := range parts {
		all = append(all, part.conjuncts()...)
	}
	return condition{all: all}, nil
}

func first(parts []condition) condition {
	if len(parts) == 0 {
		return condition{}
	}
	return parts[0]
}

func (p *parser) joined(by *regexp.Regexp, part func(*parser) (condition, error)) ([]condition, error) {
	var parts []condition
	for {
		c, err := part(p)
		if err != nil {
			return nil, err
		}
		parts = append(parts, c)
		word := by.FindString(p.rest)
		if word == "" {
			return parts, nil
		}
		p.rest = p.rest[len(strings.TrimSuffix(word, "(")):]
	}
}

func (p *parser) one() (condition, error) {
	if !strings.HasPrefix(p.rest, "(") {
		return p.compared()
	}
	if p.nested++; p.nested > maxNested {
		return condition{}, p.unreadable()
	}
	p.skip(1)
	c, err := p.any()
	if err != nil {
		return condition{}, err
	}
	if !strings.HasPrefix(p.rest, ")") {
		return condition{}, p.unreadable()
	}
	p.skip(1)
	return c, nil
}

func (p *parser) skip(n int) { p.rest = strings.TrimLeft(p.rest[n:], " \t\r\n") }

func (p *parser) compared() (condition, error) {
	found := comparison.FindStringSubmatch(p.rest)
	if p.terms++; found == nil || p.terms > maxTerms {
		return condition{}, p.unreadable()
	}
	t := term{attribute: strings.ToLower(found[1]), operator: strings.ToLower(found[2])}
	operators, known := p.grammar.attributes[t.attribute]
	if !known {
		return condition{}, invalidFilter("The attribute "+found[1]+" cannot be filtered by.", &body.Inner{SupportedAttributes: p.grammar.names()})
	}
	if !slices.Contains(operators, t.operator) {
		return condition{}, invalidFilter("The operator "+found[2]+" is not supported for "+found[1]+".", &body.Inner{SupportedOperators: operators})
	}
	p.skip(len(found[0]))
	var err error
	if t.operator == "in" {
		t.values, err = p.list()
	} else {
		var value string
		value, err = p.value()
		t.values = []string{value}
	}
	return condition{term: t}, err
}

func (g grammar) names() []string {
	names := make([]string, 0, len(g.attributes))
	for name := range g.attributes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// value reads a string, or a bare true or false.
func (p *parser) value() (string, error) {
	found := literal.FindStringSubmatch(p.rest)
	if found == nil {
		return "", p.unreadable()
	}
	p.skip(len(found[0]))
	if !strings.HasPrefix(found[1], `"`) {
		return found[1], nil
	}
	value, err := strconv.Unquote(found[1])
	if err != nil {
		return "", invalidFilter("A value has an escape that is not known.", nil)
	}
	return value, nil
}

// list reads values in brackets or parentheses.
func (p *parser) list() ([]string, error) {
	end := ""
	switch {
	case strings.HasPrefix(p.rest, "["):
		end = "]"
	case strings.HasPrefix(p.rest, "("):
		end = ")"
	default:
		return nil, invalidFilter(`The operator in needs a list like ["A","B"].`, nil)
	}
	p.skip(1)
	var values []string
	for {
		value, err := p.value()
		if err != nil {
			return nil, err
		}
		values = append(values, value)
		switch {
		case strings.HasPrefix(p.rest, ","):
			p.skip(1)
		case strings.HasPrefix(p.rest, end):
			p.skip(1)
			return values, nil
		default:
			return nil, p.unreadable()
		}
	}
}

func invalidFilter(message string, inner *body.Inner) Failure {
	return failed(400, "INVALID_REQUEST", "The request was refused because a parameter is not valid.",
		body.Problem{Code: body.InvalidFilter, Target: "filter", Message: message, Inner: inner})
}
