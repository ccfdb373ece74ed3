package features

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// ruleID is what a rule's id looks like, so that a tag can be told to be one.
var ruleID = regexp.MustCompile(`^[A-Z]{3}(-[A-Z]+)?-[A-Z]?[0-9]{2,3}[A-Z]?$`)

// thirdParty is the kind of a document that alone never makes a MUST.
const thirdParty = "third party"

func roles() []string { return []string{Emitter, Receiver} }

func kinds() []string {
	return []string{"vendor documentation", "vendor documentation of another product", "vendor SDK", thirdParty, "standard"}
}

// check notes everything in the catalogue that is inconsistent.
func check(p *problems, c *Catalogue) {
	if _, err := time.Parse(time.DateOnly, c.Revision); err != nil {
		p.add(0, "revision %q is no date YYYY-MM-DD", c.Revision)
	}
	seen := firsts{}
	for _, d := range c.Documents {
		checkDocument(p, d)
		seen.note(p, "document", d.Key, d.Line)
	}
	for _, k := range c.Capabilities {
		seen.note(p, "capability", k.Name, k.Line)
		if !slices.Contains(roles(), k.Role) {
			p.add(k.Line, "capability %s: unknown role %q", k.Name, k.Role)
		}
		if k.Meaning == "" {
			p.add(k.Line, "capability %s: no meaning", k.Name)
		}
	}
	for _, a := range c.Areas {
		seen.note(p, "area", a.Role+"/"+a.Name, a.Line)
		if !slices.Contains(roles(), a.Role) {
			p.add(a.Line, "area %s: unknown role %q", a.Name, a.Role)
		}
	}
	for _, r := range c.Rules {
		seen.note(p, "rule", r.ID, r.Line)
		checkRule(p, c, r)
		checkEvidence(p, c, r)
	}
}

// firsts remembers where a key was first seen.
type firsts map[string]int

func (f firsts) note(p *problems, what, key string, line int) {
	if key == "" || strings.HasSuffix(key, "/") {
		p.add(line, "%s without a name", what)
		return
	}
	if first, dup := f[what+key]; dup {
		p.add(line, "%s %s is already on line %d", what, key, first)
		return
	}
	f[what+key] = line
}

func checkDocument(p *problems, d Document) {
	if d.Title == "" {
		p.add(d.Line, "document %s: no title", d.Key)
	}
	if !slices.Contains(kinds(), d.Kind) {
		p.add(d.Line, "document %s: unknown kind %q", d.Key, d.Kind)
	}
	if d.Address == "" {
		if d.Note == "" {
			p.add(d.Line, "document %s: neither an address nor a note why not", d.Key)
		}
	} else if u, err := url.Parse(d.Address); err != nil || u.Scheme != "https" || u.Host == "" {
		p.add(d.Line, "document %s: address %q is no https URL", d.Key, d.Address)
	}
}

func checkRule(p *problems, c *Catalogue, r Rule) {
	if r.ID != "" && !ruleID.MatchString(r.ID) {
		p.add(r.Line, "rule %s: an id looks like %s", r.ID, ruleID)
	}
	if !slices.Contains(roles(), r.Role) {
		p.add(r.Line, "rule %s: unknown role %q", r.ID, r.Role)
	}
	area, ok := c.Area(r.Role, r.Area)
	if !ok {
		p.add(r.Line, "rule %s: %s has no area %q", r.ID, r.Role, r.Area)
	}
	checkStatement(p, r)
	if r.Observe == "" {
		p.add(r.Line, "rule %s: observe is empty", r.ID)
	}
	want := Full
	if area.Beta {
		want = Beta
	} else if r.Level == Must {
		want = Core
	}
	if r.Profile != want {
		p.add(r.Line, "rule %s: profile %q, but %s in area %s belongs to %q", r.ID, r.Profile, r.Level, r.Area, want)
	}
	for _, n := range r.Needs {
		if k, ok := c.Capability(n); !ok {
			p.add(r.Line, "rule %s: unknown capability %q", r.ID, n)
		} else if k.Role != r.Role {
			p.add(r.Line, "rule %s: capability %q is one of a %s", r.ID, n, k.Role)
		}
	}
}

func checkStatement(p *problems, r Rule) {
	levels := []Level{Must, Should, May}
	if !slices.Contains(levels, r.Level) {
		p.add(r.Line, "rule %s: unknown level %q", r.ID, r.Level)
		return
	}
	if r.Statement == "" {
		p.add(r.Line, "rule %s: statement is empty", r.ID)
		return
	}
	words := strings.FieldsFunc(r.Statement, func(c rune) bool { return c < 'A' || c > 'Z' })
	for _, l := range levels {
		if has := slices.Contains(words, string(l)); has != (l == r.Level) {
			p.add(r.Line, "rule %s: its level is %s, but %s occurs in the statement: %t", r.ID, r.Level, l, has)
		}
	}
}

// checkEvidence holds the rule's level against what its sources can carry.
func checkEvidence(p *problems, c *Catalogue, r Rule) {
	strong := false
	for _, s := range r.Sources {
		d, ok := c.Document(s)
		if !ok {
			p.add(r.Line, "rule %s: unknown source %q", r.ID, s)
		}
		strong = strong || ok && d.Kind != thirdParty
	}
	switch {
	case len(r.Sources) == 0 && !r.Inferred:
		p.add(r.Line, "rule %s: no source, and not marked as inferred", r.ID)
	case r.Inferred && r.Level == Must:
		p.add(r.Line, "rule %s: a MUST cannot be inferred", r.ID)
	case r.Level == Must && !strong:
		p.add(r.Line, "rule %s: a MUST needs a source other than third parties", r.ID)
	}
	if r.Inferred && r.Reason == "" {
		p.add(r.Line, "rule %s: inferred, but no reason what from", r.ID)
	}
}
