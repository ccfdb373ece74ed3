package features

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode"
)

// maxSteps is how many steps a scenario may have, its Background included: one
// that has more tells more than one thing.
const maxSteps = 10

// The tags that have a meaning besides the ids of rules. Every other tag is an
// error, so that a misspelt one cannot leave a rule out in silence.
const (
	tagWholeEnvironment = "@whole-environment"
	tagWholeTarget      = "@whole-target"
	tagSlow             = "@slow"
	tagNeeds            = "@needs:"
)

// A Scenario is one example of a promise: a Gherkin Scenario, or one Examples
// row of an Outline.
type Scenario struct {
	// ID is "<feature file without extension>/<name as a slug>". It changes
	// only if the file or the name does, not with what stands around it.
	ID   string
	Name string
	// Feature is the feature's name, File its path in the file system, with
	// slashes.
	Feature, File string
	// Line is where the Scenario or Outline begins, which is the line that
	// godog selects by: it then runs every row of an Outline. RowLine is the
	// line of the Examples row, 0 if there is none.
	Line, RowLine int
	// First and Last are the lines between which it stands, tags and Examples
	// included. Last is math.MaxInt for the last one of a file.
	First, Last int
	Role, Area  string
	// Rules are the ids of the rules it judges, in the order of its tags,
	// all of one level.
	Rules []string
	// Needs are the capabilities without which it does not apply: its
	// @needs tags and what its rules need, sorted.
	Needs []string
	// Exclusive tells that it needs a whole environment for itself, and
	// WholeTarget that nothing else may run against the target meanwhile.
	Exclusive, WholeTarget bool
	// Slow tells that it waits for longer than most; such scenarios begin
	// first, so that a run does not end with waiting for one.
	Slow bool
	// Profile is that of its rules; Beta if one of them is.
	Profile string
	// Steps are the texts of its steps, the Background's first.
	Steps []string
	// StepLines are the lines of the steps.
	StepLines []int
	// Text are the steps as they are written, with their keywords and tables, a
	// line each; of a row of an Outline with its values.
	Text []string
	// Tags are all its tags, inherited ones included, with the "@".
	Tags []string
}

// Location is the scenario's place for a reader, as "file:line": the row's line
// for a row of an Outline.
func (s Scenario) Location() string {
	line := s.Line
	if s.RowLine > 0 {
		line = s.RowLine
	}
	return fmt.Sprintf("%s:%d", s.File, line)
}

// Scenarios reads emitter/*.feature and receiver/*.feature of fsys and holds
// them against the catalogue. They come in the order of the files' names and
// of the lines. The error joins every [Problem] found: a file that is no
// Gherkin, an unknown tag, a scenario without a rule, without steps or with
// too many of them, with rules of two levels or of another role than its
// folder, an Outline without rows, two scenarios with one id.
func Scenarios(c *Catalogue, fsys fs.FS) ([]Scenario, error) {
	var out []Scenario
	all := &problems{}
	for _, role := range roles() {
		files, err := fs.Glob(fsys, role+"/*.feature")
		if err != nil {
			return nil, fmt.Errorf("list the features of the %s: %w", role, err)
		}
		for _, file := range files {
			data, err := fs.ReadFile(fsys, file)
			if err != nil {
				return nil, fmt.Errorf("read feature %s: %w", file, err)
			}
			p := &problems{file: file}
			out = append(out, readFeature(p, c, role, data)...)
			all.errs = append(all.errs, p.errs...)
		}
	}
	checkUnique(all, out)
	if err := all.err(); err != nil {
		return nil, err
	}
	return out, nil
}

// readFeature reads one feature file and judges its scenarios.
func readFeature(p *problems, c *Catalogue, role string, data []byte) []Scenario {
	if len(data) > maxFile {
		p.add(0, "larger than %d bytes", maxFile)
		return nil
	}
	doc, err := parseGherkin(p.file, bytes.NewReader(data))
	if err != nil {
		p.add(0, "read Gherkin: %v", err)
		return nil
	}
	for _, line := range doc.barren {
		p.add(line, "an Outline without Examples rows runs nothing")
	}
	if len(doc.pickles) == 0 {
		p.add(0, "no scenario")
	}
	var out []Scenario
	for _, k := range doc.pickles {
		s := Scenario{
			ID:   strings.TrimSuffix(path.Base(p.file), ".feature") + "/" + Slug(k.name),
			Name: k.name, Feature: doc.name, File: p.file, Line: k.line, RowLine: k.row, First: k.first, Last: k.last,
			Role: role, Steps: k.steps, StepLines: k.stepLines, Text: k.text, Tags: k.tags,
		}
		checkScenario(p, &s)
		applyTags(p, c, &s)
		out = append(out, s)
	}
	return out
}

func checkScenario(p *problems, s *Scenario) {
	if Slug(s.Name) == "" {
		p.add(s.Line, "a scenario without a name")
	}
	switch n := len(s.Steps); {
	case n == 0:
		p.add(s.Line, "scenario %q has no steps", s.Name)
	case n > maxSteps:
		p.add(s.Line, "scenario %q has %d steps, the Background's included; at most %d", s.Name, n, maxSteps)
	}
}

// applyTags gives the scenario what its tags say.
func applyTags(p *problems, c *Catalogue, s *Scenario) {
	needs := map[string]bool{}
	for _, tag := range s.Tags {
		name := strings.TrimPrefix(tag, "@")
		switch {
		case ruleID.MatchString(name):
			if r, ok := c.Rule(name); ok {
				addRule(p, c, s, r, needs)
			} else {
				p.add(s.Line, "scenario %q: tag %s is no rule of the catalogue", s.Name, tag)
			}
		case strings.HasPrefix(tag, tagNeeds):
			need := strings.TrimPrefix(tag, tagNeeds)
			if k, ok := c.Capability(need); !ok || k.Role != s.Role {
				p.add(s.Line, "scenario %q: %s has no capability %q", s.Name, s.Role, need)
			}
			needs[need] = true
		case tag == tagWholeEnvironment:
			s.Exclusive = true
		case tag == tagSlow:
			s.Slow = true
		case tag == tagWholeTarget:
			s.WholeTarget = true
		case tag == "@"+s.Role:
		default:
			p.add(s.Line, "scenario %q: unknown tag %s; known are rule ids, @%s, %s, %s, %s and %sCAPABILITY",
				s.Name, tag, s.Role, tagSlow, tagWholeEnvironment, tagWholeTarget, tagNeeds)
		}
	}
	if len(s.Rules) == 0 {
		p.add(s.Line, "scenario %q judges no rule: tag it with a rule's id", s.Name)
	}
	for n := range needs {
		s.Needs = append(s.Needs, n)
	}
	slices.Sort(s.Needs)
}

func addRule(p *problems, c *Catalogue, s *Scenario, r Rule, needs map[string]bool) {
	if r.Role != s.Role {
		p.add(s.Line, "scenario %q is one of the %s, but rule %s binds the %s", s.Name, s.Role, r.ID, r.Role)
	}
	if len(s.Rules) == 0 {
		s.Area, s.Profile = r.Area, r.Profile
	} else if first, _ := c.Rule(s.Rules[0]); first.Level != r.Level {
		p.add(s.Line, "scenario %q judges rules of two levels: %s is a %s, %s a %s; give each its own scenario",
			s.Name, first.ID, first.Level, r.ID, r.Level)
	}
	if r.Profile == Beta {
		s.Profile = Beta
	}
	s.Rules = append(s.Rules, r.ID)
	for _, n := range r.Needs {
		needs[n] = true
	}
}

// checkUnique notes scenarios that share an id, with both places.
func checkUnique(all *problems, scenarios []Scenario) {
	first := map[string]Scenario{}
	for _, s := range scenarios {
		if o, dup := first[s.ID]; dup {
			p := &problems{file: s.File}
			line := max(s.Line, s.RowLine)
			p.add(line, "scenario id %s is already that of %s; in an Outline the name carries a placeholder", s.ID, o.Location())
			all.errs = append(all.errs, p.errs...)
			continue
		}
		first[s.ID] = s
	}
}

// Slug makes a name fit for an id: letters and digits in lower case, anything
// else a single hyphen, none at the ends.
func Slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimSuffix(b.String(), "-")
}
