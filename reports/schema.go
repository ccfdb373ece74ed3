package reports

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed results.schema.json
var schemaText string

// Schema is the published JSON Schema (draft 2020-12) of results.json.
func Schema() []byte { return []byte(schemaText) }

// compiledSchema compiles the published schema once; it is read-only after.
var compiledSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		return nil, fmt.Errorf("parse results schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(SchemaID, doc); err != nil {
		return nil, fmt.Errorf("add results schema: %w", err)
	}
	s, err := c.Compile(SchemaID)
	if err != nil {
		return nil, fmt.Errorf("compile results schema: %w", err)
	}
	return s, nil
})

// validate checks JSON text against the published schema.
func validate(text []byte) error {
	s, err := compiledSchema()
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("parse results: %w", err)
	}
	err = s.Validate(doc)
	var refused *jsonschema.ValidationError
	if errors.As(err, &refused) {
		return fmt.Errorf("it is not as %s says:%s", SchemaID, few(complaints(refused)))
	}
	return err
}

// complaints are what a schema refuses, each with the place of the value that it
// is about, and not the rules of the schema that led there. The innermost value
// comes first: what is wrong there may be wrong about those around it too.
func complaints(refused *jsonschema.ValidationError) []string {
	var leaves []*jsonschema.ValidationError
	var collect func(e *jsonschema.ValidationError)
	collect = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 {
			leaves = append(leaves, e)
		}
		for _, cause := range e.Causes {
			collect(cause)
		}
	}
	collect(refused)
	slices.SortFunc(leaves, func(a, b *jsonschema.ValidationError) int {
		return cmp.Or(len(b.InstanceLocation)-len(a.InstanceLocation), slices.Compare(a.InstanceLocation, b.InstanceLocation))
	})
	lines := make([]string, len(leaves))
	for i, e := range leaves {
		lines[i] = cmp.Or(strings.Join(e.InstanceLocation, "."), "the document") + ": " + e.BasicOutput().Error.String()
	}
	return lines
}

// maxComplaints is how many things that are wrong with a document are told: they
// follow from one another, and who has read five knows what kind of document it
// is.
const maxComplaints = 5

// few are the first of some complaints, each once, and how many more there are:
// a single one ends the line that is begun, several stand below it.
func few(lines []string) string {
	lines = slices.Compact(slices.Clone(lines))
	if len(lines) == 1 {
		return " " + cut(oneLine(lines[0]), 300)
	}
	var b strings.Builder
	for _, line := range lines[:min(len(lines), maxComplaints)] {
		b.WriteString("\n" + indent + cut(oneLine(line), 300))
	}
	if more := len(lines) - maxComplaints; more > 0 {
		fmt.Fprintf(&b, "\n%sand %d more", indent, more)
	}
	return b.String()
}
