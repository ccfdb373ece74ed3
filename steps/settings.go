package steps

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/cucumber/godog"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

// A setting is one row of the tables that describe a subscription: a word of
// the vocabulary, or the path of a member, and its value.
type setting struct{ name, value string }

// settingsOf are the rows of a table.
func settingsOf(table *godog.Table) ([]setting, error) {
	if table == nil {
		return nil, nil
	}
	var rows []setting
	for _, row := range table.Rows {
		if len(row.Cells) != 2 {
			return nil, fmt.Errorf("a row of settings has %d cells, want a name and a value", len(row.Cells))
		}
		rows = append(rows, setting{row.Cells[0].Value, row.Cells[1].Value})
	}
	return rows, nil
}

// apply puts settings into a subscription's body. Known words are
// "receiver", "populations", "applications", "tags", "limit", "body",
// "exposes", "header NAME", "long header NAME" with a number of characters,
// "key", a "name" that is another, and "below", which lengthens the path of the
// URL; anything else is the path of a member with its JSON value, or "absent" to
// leave the member out.
func (w *World) apply(body []byte, settings []setting) ([]byte, error) {
	for _, s := range settings {
		if s.name == "exposes" {
			pair, err := exposure(s.value)
			if err != nil {
				return nil, err
			}
			if body, err = w.apply(body, pair); err != nil {
				return nil, err
			}
			continue
		}
		if s.name == "below" {
			s = setting{"httpEndpoint.url", strconv.Quote(gjson.GetBytes(body, "httpEndpoint.url").String() + s.value)}
		}
		path, value, err := w.member(s)
		if err != nil {
			return nil, err
		}
		switch v := value.(type) {
		case nil:
			body, err = sjson.DeleteBytes(body, path)
		case json.RawMessage:
			body, err = sjson.SetRawBytes(body, path, v)
		default:
			body, err = sjson.SetBytes(body, path, v)
		}
		if err != nil {
			return nil, fmt.Errorf("set %s to %s: %w", s.name, s.value, err)
		}
	}
	return body, nil
}

// member is the path and the value that a setting stands for; a nil value
// leaves the member out.
func (w *World) member(s setting) (path string, value any, err error) {
	if header, ok := strings.CutPrefix(s.name, "header "); ok {
		return "httpEndpoint.headers." + gjson.Escape(header), s.value, nil
	}
	if header, ok := strings.CutPrefix(s.name, "long header "); ok {
		n, err := strconv.Atoi(s.value)
		if err != nil {
			return "", nil, fmt.Errorf("%s of %q characters: %w", s.name, s.value, err)
		}
		return "httpEndpoint.headers." + gjson.Escape(header), strings.Repeat("0123456789", (n+9)/10)[:n], nil
	}
	switch s.name {
	case "receiver":
		e := w.endpoints[s.value]
		if e == nil {
			return "", nil, fmt.Errorf("there is no receiver %q", s.value)
		}
		return "httpEndpoint.url", e.URL, nil
	case "populations":
		value, err = references(w.environment.populations, s.value)
		return "filterOptions.includedPopulations", value, err
	case "applications":
		value, err = references(w.environment.applications, s.value)
		return "filterOptions.includedApplications", value, err
	case "tags":
		return "filterOptions.includedTags", strings.Split(s.value, ", "), nil
	case "limit":
		value, err = limit(s.value)
		return "payloadOptions.maximumPayloadLimit", value, err
	case "body":
		value, err = payloadFormat(s.value)
		return "payloadOptions.payloadFormat.https", value, err
	case "name":
		if s.value == "another" { // like every name, so that it is known to be the suite's
			return s.name, w.driver.Name("subscription"), nil
		}
	case "key":
		k, ok := w.environment.keys[s.value]
		if !ok {
			return "", nil, fmt.Errorf("there is no key %q", s.value)
		}
		return "tlsClientAuthKeyPair", map[string]string{"id": k.id}, nil
	}
	if s.value == "absent" {
		return s.name, nil, nil
	}
	if !json.Valid([]byte(s.value)) {
		return "", nil, fmt.Errorf("setting %q is no word of the vocabulary, and %q no JSON value for a member of that path", s.name, s.value)
	}
	return s.name, json.RawMessage(s.value), nil
}

// references is the list of {"id": …} that names stand for.
func references(ids map[string]string, names string) ([]map[string]string, error) {
	var list []map[string]string
	for name := range strings.SplitSeq(names, ", ") {
		id, ok := ids[name]
		if !ok {
			return nil, fmt.Errorf("the scenario has not made %q", name)
		}
		list = append(list, map[string]string{"id": id})
	}
	return list, nil
}

// limit reads "500 events" or "4096 KB".
func limit(text string) (map[string]any, error) {
	size, unit, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(size)
	kinds := map[string]string{"events": "EVENTS_PER_PAYLOAD", "event": "EVENTS_PER_PAYLOAD", "KB": "KB_PER_PAYLOAD"}
	if err != nil || kinds[unit] == "" {
		return nil, fmt.Errorf("limit %q is neither «N events» nor «N KB»", text)
	}
	return map[string]any{"type": kinds[unit], "size": n}, nil
}

func payloadFormat(text string) (map[string]any, error) {
	switch text {
	case "array":
		return map[string]any{"format": "JSON_ARRAY"}, nil
	case "compact array":
		return map[string]any{"format": "JSON_ARRAY", "prettyPrint": false}, nil
	case "pretty array":
		return map[string]any{"format": "JSON_ARRAY", "prettyPrint": true}, nil
	case "NDJSON":
		return map[string]any{"format": "ND_JSON"}, nil
	case "pretty NDJSON":
		return map[string]any{"format": "ND_JSON", "prettyPrint": true}, nil
	}
	return nil, fmt.Errorf("body %q is none of array, compact array, pretty array, NDJSON, pretty NDJSON", text)
}

// exposure reads "IP address", "user agent", "IP address and user agent" or
// "nothing"; both opt-ins are sent, whatever their value.
func exposure(text string) ([]setting, error) {
	both := map[string][2]string{
		"IP address": {"true", "false"}, "user agent": {"false", "true"},
		"IP address and user agent": {"true", "true"}, "nothing": {"false", "false"},
	}
	values, ok := both[text]
	if !ok {
		return nil, fmt.Errorf("exposes %q is none of IP address, user agent, IP address and user agent, nothing", text)
	}
	return []setting{{"filterOptions.ipAddressExposed", values[0]}, {"filterOptions.userAgentExposed", values[1]}}, nil
}
