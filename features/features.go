// Package features holds WHAT is promised: the catalogue of rules, the frozen
// revisions of it, and the scenarios in Gherkin that judge the rules. It reads
// and checks them, so that whatever loads without an error is consistent.
//
// It knows nothing of how a rule is observed: no HTTP, no target, no judge and
// no simulator may enter. Everything above it may import it.
package features

import "embed"

// FS holds the scenarios, in emitter/*.feature and receiver/*.feature. The
// paths of [Scenario.File] are paths in it.
//
//go:embed all:emitter all:receiver
var FS embed.FS

//go:embed catalogue.yaml
var catalogueYAML []byte

//go:embed unobserved.yaml
var unobservedYAML []byte

//go:embed revisions/*.yaml
var revisionFiles embed.FS
