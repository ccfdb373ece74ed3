package reports

import "github.com/hookproof/hookproof/features"

// RuleOf is a rule of the catalogue as a run's plan takes it, its sources
// resolved to titles and addresses so that results.json can be read without the
// catalogue. An inferred rule, which no document states in words, has one
// source, "inferred", whose title is what it follows from. The outcome is left
// to [Results.Derive].
func RuleOf(c *features.Catalogue, rule features.Rule) Rule {
	out := Rule{
		ID:        rule.ID,
		Role:      rule.Role,
		Area:      rule.Area,
		Level:     string(rule.Level),
		Statement: rule.Statement,
	}
	for _, key := range rule.Sources {
		source := Source{Key: key, Title: key}
		if doc, ok := c.Document(key); ok {
			source.Title, source.URL = doc.Title, doc.Address
		}
		out.Sources = append(out.Sources, source)
	}
	if rule.Inferred {
		out.Sources = append(out.Sources, Source{Key: "inferred", Title: rule.Reason})
	}
	return out
}
