package behaviour

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Parse reads a behaviour from JSON, or the name of one:
//
//	"outage-then-recover" | {"rules":[{"when":WHEN,"do":ACTION}…],"steps":[ACTION…],"then":ACTION,"seed":1}
//	ACTION = {"delay":"150ms","status":503,"headers":{"Retry-After":"1"},"body":"…","contentType":"…"…}
//	       | {"reset":true} | {"hang":true}
//
// Every member may be left out; the types of the package list them all. Errors
// name the member by its path, such as steps[2].delay. Unknown members are
// errors: a typing mistake must not turn into a behaviour that nobody asked
// for.
func Parse(data []byte) (Behaviour, error) {
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] == '"' {
		var name string
		if err := value("", data, &name, "an object or a name"); err != nil {
			return Behaviour{}, err
		}
		return ByName(name)
	}
	return parseObject(data)
}

// parseObject reads a behaviour that is written out.
func parseObject(data []byte) (Behaviour, error) {
	var b Behaviour
	members, err := object("", data)
	if err != nil {
		return b, err
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		switch name {
		case "rules":
			b.Rules, err = parseRules(members[name])
		case "steps":
			b.Steps, err = parseSteps(members[name])
		case "then":
			b.Then, err = parseAction(name, members[name])
		case "seed":
			err = value(name, members[name], &b.Seed, "an integer")
		default:
			err = fmt.Errorf("%s: unknown member; a behaviour has rules, steps, then and seed", name)
		}
		if err != nil {
			return Behaviour{}, err
		}
	}
	return b, nil
}

func parseSteps(data json.RawMessage) ([]Action, error) {
	var raw []json.RawMessage
	if err := value("steps", data, &raw, "an array of actions"); err != nil {
		return nil, err
	}
	if len(raw) > MaxSteps {
		return nil, fmt.Errorf("steps: %d are too many, at most %d", len(raw), MaxSteps)
	}
	steps := make([]Action, 0, len(raw))
	for i, r := range raw {
		action, err := parseAction(fmt.Sprintf("steps[%d]", i), r)
		if err != nil {
			return nil, err
		}
		steps = append(steps, action)
	}
	return steps, nil
}

func parseAction(path string, data json.RawMessage) (Action, error) {
	members, err := object(path, data)
	if err != nil {
		return Action{}, err
	}
	var a Action
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if err := a.set(name, path+"."+name, members[name]); err != nil {
			return Action{}, err
		}
	}
	if err := a.consistent(path, members); err != nil {
		return Action{}, err
	}
	return a, nil
}

func checkHeaders(path string, headers map[string]string) error {
	if len(headers) > MaxHeaders {
		return fmt.Errorf("%s: %d are too many, at most %d", path, len(headers), MaxHeaders)
	}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		member := fmt.Sprintf("%s[%q]", path, name)
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !IsTokenRune(r) }) {
			return fmt.Errorf("%s: not a header name", member)
		}
		switch http.CanonicalHeaderKey(name) {
		case "Content-Length", "Transfer-Encoding", "Trailer":
			return fmt.Errorf("%s: frames the message and is set by the server", member)
		}
		if len(name)+len(headers[name]) > MaxHeaderBytes {
			return fmt.Errorf("%s: name and value take more than %d bytes", member, MaxHeaderBytes)
		}
		if err := checkFieldValue(member, headers[name]); err != nil {
			return err
		}
	}
	return nil
}

// checkFieldValue refuses control characters (RFC 9110, section 5.5): a line
// break in a value would be a header that nobody declared.
func checkFieldValue(path, text string) error {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return fmt.Errorf("%s: a header value must not hold control characters", path)
	}
	return nil
}

// IsTokenRune says whether r may stand in a header name or a method: a tchar
// of RFC 9110, section 5.6.2.
func IsTokenRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// object reads a JSON object into its members.
func object(path string, data []byte) (map[string]json.RawMessage, error) {
	var members map[string]json.RawMessage
	err := value(path, data, &members, "an object")
	return members, err
}

// value reads exactly one JSON value that is not null into target.
func value(path string, data []byte, target any, want string) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	err := decoder.Decode(target)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%snot JSON: %w", prefix(path), err)
	case err != nil || bytes.Equal(bytes.TrimSpace(data), []byte("null")):
		return fmt.Errorf("%smust be %s", prefix(path), want)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%sholds more than one JSON value", prefix(path))
	}
	return nil
}

func prefix(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}
