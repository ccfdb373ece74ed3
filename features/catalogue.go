package features

import "slices"

// A Level is the RFC 2119 keyword of a rule.
type Level string

// The levels. A MUST that is not kept makes a target non-conformant, a SHOULD
// is a warning, a MAY is recorded and never judged.
const (
	Must   Level = "MUST"
	Should Level = "SHOULD"
	May    Level = "MAY"
)

// The roles: the end of the wire that a rule binds.
const (
	Emitter  = "emitter"
	Receiver = "receiver"
)

// The profiles. Core has the MUST rules of what is generally available, Full
// its other rules, Beta the rules of what the vendor calls beta.
const (
	Core = "core"
	Full = "full"
	Beta = "beta"
)

// A Catalogue is all rules of one revision, with what they refer to.
type Catalogue struct {
	// Revision is the date of the frozen set that the rules belong to,
	// YYYY-MM-DD.
	Revision string
	// Documents are the sources, in the order of the file.
	Documents []Document
	// Capabilities are what targets may claim.
	Capabilities []Capability
	// Areas are in the order of reports.
	Areas []Area
	// Rules are in the order of the file.
	Rules []Rule
}

// A Document is a source that rules refer to by its key.
type Document struct {
	Key, Title string
	// Address is a URL; empty only if Note says why.
	Address string
	// Kind tells how much weight it carries: "vendor documentation",
	// "vendor documentation of another product", "vendor SDK",
	// "third party" or "standard".
	Kind string
	Note string
	Line int
}

// A Capability is something a target may claim, and on which the applicability
// of rules depends.
type Capability struct {
	Name, Role, Meaning string
	Line                int
}

// An Area groups the rules of one role in reports. Two roles may have areas of
// the same name.
type Area struct {
	Name, Role string
	// Beta tells that the vendor calls the feature beta.
	Beta bool
	Line int
}

// A Rule is one documented promise.
type Rule struct {
	// ID never changes and is never used again, such as "SUB-LIMIT-051".
	ID         string
	Role, Area string
	Level      Level
	// Statement is one sentence that uses the level's keyword.
	Statement string
	// Sources are keys of documents; empty only for an inferred rule.
	Sources []string
	// Inferred tells that no source says so in words; Reason says what it
	// follows from. An inferred rule is never a MUST.
	Inferred bool
	// Needs are the capabilities without which the rule does not apply.
	Needs []string
	// Profile is Core, Full or Beta.
	Profile string
	// Observe says in a few words how the rule is observed from outside.
	Observe string
	Reason  string
	// Line is where the rule stands in the catalogue's file, from 1.
	Line int
}

// Load reads the catalogue that is built in.
func Load() (*Catalogue, error) { return Parse("catalogue.yaml", catalogueYAML) }

// Rule returns the rule of the given id.
func (c *Catalogue) Rule(id string) (Rule, bool) {
	i := slices.IndexFunc(c.Rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return c.Rules[i], true
}

// Document returns the document of the given key.
func (c *Catalogue) Document(key string) (Document, bool) {
	i := slices.IndexFunc(c.Documents, func(d Document) bool { return d.Key == key })
	if i < 0 {
		return Document{}, false
	}
	return c.Documents[i], true
}

// Capability returns the capability of the given name.
func (c *Catalogue) Capability(name string) (Capability, bool) {
	i := slices.IndexFunc(c.Capabilities, func(k Capability) bool { return k.Name == name })
	if i < 0 {
		return Capability{}, false
	}
	return c.Capabilities[i], true
}

// Area returns the area of the given role and name.
func (c *Catalogue) Area(role, name string) (Area, bool) {
	i := slices.IndexFunc(c.Areas, func(a Area) bool { return a.Role == role && a.Name == name })
	if i < 0 {
		return Area{}, false
	}
	return c.Areas[i], true
}
