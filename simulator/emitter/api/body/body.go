// Package body reads JSON request bodies member by member and collects every problem it meets, so that a refused
// request names all of them at once. It knows JSON and the platform's problem vocabulary; what a member means, and any
// HTTP, must not enter.
package body

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// MaxDepth is how deeply arrays and objects of a body may nest. The deepest documented body (a subscription's TCP
// attributes) nests 5; the bound keeps a hostile body from exhausting the stack.
const MaxDepth = 64

// A SyntaxError says why a body is not one JSON object. It is answered with INVALID_REQUEST, never with INVALID_DATA.
type SyntaxError struct{ Reason string }

func (e *SyntaxError) Error() string { return "malformed JSON: " + e.Reason }

func malformed(format string, args ...any) error {
	return &SyntaxError{Reason: fmt.Sprintf(format, args...)}
}

// Parse reads raw as exactly one JSON object. A body that is no valid JSON, no UTF-8, has a key twice in one object,
// something after its end, or nests deeper than MaxDepth gives a *SyntaxError. A body that is JSON of another type
// gives an Object whose problems already say so.
func Parse(raw []byte) (Object, error) {
	value, err := decode(raw)
	if err != nil {
		return Object{}, err
	}
	found := &problems{seen: map[string]bool{}}
	members, ok := value.(map[string]any)
	if !ok {
		found.add(Problem{Code: InvalidValue, Target: "$", Message: "The body must be a JSON object."})
	}
	return Object{found: found, members: members}, nil
}

func decode(raw []byte) (any, error) {
	if !utf8.Valid(raw) {
		return nil, malformed("the body is not UTF-8")
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, malformed("the body is empty")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	value, err := next(d, 0)
	if err != nil {
		var own *SyntaxError
		if errors.As(err, &own) {
			return nil, own
		}
		return nil, malformed("%v at offset %d", err, d.InputOffset())
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed("something follows the value at offset %d", d.InputOffset())
	}
	// The token reader is laxer than the grammar in a few places; the validator has the last word.
	if !json.Valid(raw) {
		return nil, malformed("the body is not valid JSON")
	}
	return value, nil
}

func next(d *json.Decoder, depth int) (any, error) {
	if depth > MaxDepth {
		return nil, malformed("nested deeper than %d", MaxDepth)
	}
	token, err := d.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return object(d, depth)
	case json.Delim('['):
		return array(d, depth)
	}
	if delim, ok := token.(json.Delim); ok {
		return nil, malformed("unexpected %q at offset %d", delim.String(), d.InputOffset())
	}
	return token, nil
}

func object(d *json.Decoder, depth int) (any, error) {
	members := map[string]any{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, malformed("a member name must be a string at offset %d", d.InputOffset())
		}
		if _, twice := members[name]; twice {
			return nil, malformed("the member %q stands twice in one object", name)
		}
		value, err := next(d, depth+1)
		if err != nil {
			return nil, err
		}
		members[name] = value
	}
	_, err := d.Token()
	return members, err
}

func array(d *json.Decoder, depth int) (any, error) {
	items := []any{}
	for d.More() {
		value, err := next(d, depth+1)
		if err != nil {
			return nil, err
		}
		items = append(items, value)
	}
	_, err := d.Token()
	return items, err
}
