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
	"time"
)

// Parse reads a behaviour from JSON:
//
//	{"steps":[ACTION…],"then":ACTION}
//	ACTION = {"delay":"150ms","status":503,"headers":{"Retry-After":"1"},"body":"…","contentType":"…"}
//	       | {"reset":true} | {"hang":true}
//
// Every member may be left out. Errors name the member by its path, such as
// steps[2].delay. Unknown members are errors: a typing mistake must not turn
// into a behaviour that nobody asked for.
func Parse(data []byte) (Behaviour, error) {
	var b Behaviour
	members, err := object("", data)
	if err != nil {
		return b, err
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		switch name {
		case "steps":
			b.Steps, err = parseSteps(members[name])
		case "then":
			b.Then, err = parseAction(name, members[name])
		default:
			err = fmt.Errorf("%s: unknown member; a behaviour has steps and then", name)
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

// set parses one member of an action.
func (a *Action) set(name, path string, data json.RawMessage) error {
	switch name {
	case "delay":
		return a.setDelay(path, data)
	case "status":
		if err := value(path, data, &a.Status, "an integer"); err != nil {
			return err
		}
		if a.Status < 200 || a.Status > 599 {
			return fmt.Errorf("%s: %d is not a final HTTP status, 200 to 599", path, a.Status)
		}
		return nil
	case "headers":
		if err := value(path, data, &a.Headers, "an object of strings"); err != nil {
			return err
		}
		return checkHeaders(path, a.Headers)
	case "body":
		if err := value(path, data, &a.Body, "a string"); err != nil {
			return err
		}
		if len(a.Body) > MaxBodyBytes {
			return fmt.Errorf("%s: %d bytes are too many, at most %d", path, len(a.Body), MaxBodyBytes)
		}
		return nil
	case "contentType":
		if err := value(path, data, &a.ContentType, "a string"); err != nil {
			return err
		}
		if a.ContentType == "" {
			return fmt.Errorf("%s: must not be empty", path)
		}
		return checkFieldValue(path, a.ContentType)
	case "reset":
		return value(path, data, &a.Reset, "a boolean")
	case "hang":
		return value(path, data, &a.Hang, "a boolean")
	}
	return fmt.Errorf("%s: unknown member; an action has delay, status, headers, body, contentType, reset or hang", path)
}

func (a *Action) setDelay(path string, data json.RawMessage) error {
	const form = `a duration such as "150ms"`
	var text string
	if err := value(path, data, &text, form); err != nil {
		return err
	}
	delay, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%s: must be %s", path, form)
	}
	if delay < 0 || delay > MaxDelay {
		return fmt.Errorf("%s: %v is out of range, 0s to %v", path, delay, MaxDelay)
	}
	a.Delay = Duration(delay)
	return nil
}

// consistent refuses members that contradict each other, naming the one that
// has no effect.
func (a *Action) consistent(path string, members map[string]json.RawMessage) error {
	if a.Reset && a.Hang {
		return fmt.Errorf("%s.hang: cannot be combined with reset", path)
	}
	for _, silent := range []struct {
		name string
		set  bool
	}{{"reset", a.Reset}, {"hang", a.Hang}} {
		if !silent.set {
			continue
		}
		for _, name := range []string{"delay", "status", "headers", "body", "contentType"} {
			if _, given := members[name]; given {
				return fmt.Errorf("%s.%s: cannot be combined with %s, which never answers", path, name, silent.name)
			}
		}
	}
	if a.Body != "" && (a.Status == http.StatusNoContent || a.Status == http.StatusNotModified) {
		return fmt.Errorf("%s.body: status %d has no body", path, a.Status)
	}
	return nil
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
