// Package openapi holds the OpenAPI document of the management API. What the API does, is elsewhere.
package openapi

import (
	_ "embed" // for the document
	"encoding/json"
	"fmt"

	"go.yaml.in/yaml/v3"
)

//go:embed openapi.yaml
var source []byte

// JSON is the document as JSON, an OpenAPI 3.1 description.
func JSON() ([]byte, error) {
	var document any
	if err := yaml.Unmarshal(source, &document); err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	encoded, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("encode OpenAPI document: %w", err)
	}
	return encoded, nil
}
