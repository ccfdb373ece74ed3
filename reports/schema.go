package reports

import (
	"bytes"
	_ "embed"
	"fmt"
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
	if err := s.Validate(doc); err != nil {
		return fmt.Errorf("validate results against %s: %w", SchemaID, err)
	}
	return nil
}
