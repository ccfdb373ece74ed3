package features

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
)

// A Revision is the frozen set of rules of one date: what a report of that
// revision was judged by. A rule that is added, removed, reworded or given
// another level makes a new one.
type Revision struct {
	Date  string
	Rules []FrozenRule
}

// A FrozenRule is what a revision keeps of a rule.
type FrozenRule struct {
	ID    string
	Level Level
	// Statement is the SHA-256 of the statement in UTF-8, in lower-case hex.
	Statement string
	Line      int
}

// Freeze makes the revision that the catalogue now is.
func (c *Catalogue) Freeze() Revision {
	r := Revision{Date: c.Revision}
	for _, rule := range c.Rules {
		sum := sha256.Sum256([]byte(rule.Statement))
		r.Rules = append(r.Rules, FrozenRule{ID: rule.ID, Level: rule.Level, Statement: hex.EncodeToString(sum[:])})
	}
	return r
}

// YAML is the revision as a file under revisions/.
func (r Revision) YAML() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# The rules as they stood at this date. Never edited afterwards.\nrevision: '%s'\nrules:\n", r.Date)
	for _, f := range r.Rules {
		fmt.Fprintf(&b, "  - {id: %s, level: %s, statement: '%s'}\n", f.ID, f.Level, f.Statement)
	}
	return []byte(b.String())
}

// Revisions reads the built-in revisions, oldest first.
func Revisions() ([]Revision, error) {
	entries, err := revisionFiles.ReadDir("revisions")
	if err != nil {
		return nil, fmt.Errorf("list revisions: %w", err)
	}
	var out []Revision
	for _, e := range entries {
		name := path.Join("revisions", e.Name())
		data, err := revisionFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read revision %s: %w", name, err)
		}
		r, err := ParseRevision(name, data)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// ParseRevision reads a file of revisions/. Its date must be that of the
// file's name. The error joins every [Problem] found.
func ParseRevision(name string, data []byte) (Revision, error) {
	p := &problems{file: name}
	root := document(p, data)
	if root == nil {
		return Revision{}, p.err()
	}
	known(p, root, "revision", "rules")
	r := Revision{Date: text(member(root, "revision"))}
	if want := strings.TrimSuffix(path.Base(name), ".yaml"); r.Date != want {
		p.add(root.Line, "revision %q in the file of %q", r.Date, want)
	}
	seen := firsts{}
	for _, n := range items(p, root, "rules") {
		known(p, n, "id", "level", "statement")
		f := FrozenRule{
			ID: text(member(n, "id")), Level: Level(text(member(n, "level"))),
			Statement: text(member(n, "statement")), Line: n.Line,
		}
		seen.note(p, "rule", f.ID, f.Line)
		r.Rules = append(r.Rules, f)
	}
	return r, p.err()
}

// Diff tells in one line each what differs in the catalogue from r. It is
// empty when they are the same set, whatever the order.
func (r Revision) Diff(c *Catalogue) []string {
	now := map[string]FrozenRule{}
	for _, f := range c.Freeze().Rules {
		now[f.ID] = f
	}
	var out []string
	for _, old := range r.Rules {
		f, ok := now[old.ID]
		delete(now, old.ID)
		switch {
		case !ok:
			out = append(out, "rule "+old.ID+" is gone")
		case f.Level != old.Level:
			out = append(out, fmt.Sprintf("rule %s was a %s and is a %s", f.ID, old.Level, f.Level))
		case f.Statement != old.Statement:
			out = append(out, "rule "+f.ID+" has another statement")
		}
	}
	for _, rule := range c.Rules {
		if _, ok := now[rule.ID]; ok {
			out = append(out, "rule "+rule.ID+" is new")
		}
	}
	return out
}
