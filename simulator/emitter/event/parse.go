package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/tidwall/gjson"
)

// MaxBytes is the largest posted event. It is above the largest payload that
// can be configured (4096 KB, S1), so that an event larger than any limit can
// be sent.
const MaxBytes = 6 << 20

// Parse reads one posted event and keeps its bytes: fraction digits, member
// order, `population: {}`, missing actors, client ids that are no UUIDs and
// unknown members are delivered as they came. Only `id` and `recordedAt` are
// put in front where missing (recordedAt = now), and `source` is taken apart,
// because a subscription decides what of it is delivered. Line breaks between
// tokens, which would end a record of ND_JSON, are taken out.
//
// It fails unless the line is one JSON object of at most MaxBytes without
// repeated members at its top level, with a non-empty string action.type; with
// id, if present, a non-empty string; recordedAt, if present, RFC 3339; tags,
// if present, an array of strings; and source, if present, an object with
// string members ipAddress and userAgent and no others.
func Parse(line []byte, now time.Time) (Record, error) {
	members, err := split(line)
	if err != nil {
		return Record{}, err
	}
	var r Record
	if r.Type, err = actionType(members); err != nil {
		return Record{}, err
	}
	if r.Tags, err = tags(members); err != nil {
		return Record{}, err
	}
	if r.IPAddress, r.UserAgent, err = source(members); err != nil {
		return Record{}, err
	}
	if r.ID, err = identity(members); err != nil {
		return Record{}, err
	}
	if r.RecordedAt, err = recordedAt(members); err != nil {
		return Record{}, err
	}
	r.Populations, r.Applications = filtered(members)

	var filled strings.Builder
	if r.ID == "" {
		r.ID = uuid.NewString()
		fmt.Fprintf(&filled, `"id":"%s",`, r.ID)
	}
	if r.RecordedAt.IsZero() {
		r.RecordedAt = now.UTC().Truncate(time.Millisecond)
		fmt.Fprintf(&filled, `"recordedAt":"%s",`, r.RecordedAt.Format(TimeFormat))
	}
	r.Body = "{" + filled.String() + withoutSource(members)[1:]
	if strings.ContainsAny(r.Body, "\r\n") { // whitespace only: strings escape theirs
		var b bytes.Buffer
		if err := json.Compact(&b, []byte(r.Body)); err != nil {
			return Record{}, err
		}
		r.Body = b.String()
	}
	return r, nil
}

// object is a JSON object and its top-level members in order.
type object struct {
	text    string
	members []member
}

type member struct {
	name       string
	start, end int // of `"name": value` in the text
	value      gjson.Result
}

func (o object) get(name string) gjson.Result {
	for _, m := range o.members {
		if m.name == name {
			return m.value
		}
	}
	return gjson.Result{}
}

func split(line []byte) (object, error) {
	if len(line) > MaxBytes {
		return object{}, fmt.Errorf("an event has at most %d bytes", MaxBytes)
	}
	if !utf8.Valid(line) {
		return object{}, errors.New("not valid UTF-8")
	}
	if !json.Valid(line) {
		return object{}, errors.New("not valid JSON")
	}
	o := object{text: string(bytes.TrimSpace(line))}
	if o.text[0] != '{' {
		return object{}, errors.New("not a JSON object")
	}
	seen := map[string]bool{}
	var repeated string
	gjson.Parse(o.text).ForEach(func(key, value gjson.Result) bool {
		m := member{name: key.Str, start: key.Index, end: value.Index + len(value.Raw), value: value}
		if seen[m.name] {
			repeated = m.name
			return false
		}
		seen[m.name] = true
		o.members = append(o.members, m)
		return true
	})
	if repeated != "" {
		return object{}, fmt.Errorf("member %q is repeated", repeated)
	}
	return o, nil
}

func actionType(o object) (string, error) {
	t := o.get("action")
	if !t.IsObject() {
		return "", errors.New("action must be an object")
	}
	if t = t.Get("type"); t.Type != gjson.String || t.Str == "" {
		return "", errors.New("action.type must be a non-empty string")
	}
	return t.Str, nil
}

func identity(o object) (string, error) {
	id := o.get("id")
	if !id.Exists() {
		return "", nil
	}
	if id.Type != gjson.String || id.Str == "" {
		return "", errors.New("id must be a non-empty string")
	}
	return id.Str, nil
}

func recordedAt(o object) (time.Time, error) {
	v := o.get("recordedAt")
	if !v.Exists() {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, v.Str)
	if v.Type != gjson.String || err != nil || t.IsZero() {
		return time.Time{}, errors.New("recordedAt must be an RFC 3339 time")
	}
	return t.UTC(), nil
}

func tags(o object) ([]string, error) {
	v := o.get("tags")
	if !v.Exists() {
		return nil, nil
	}
	if !v.IsArray() {
		return nil, errors.New("tags must be an array of strings")
	}
	var list []string
	for _, tag := range v.Array() {
		if tag.Type != gjson.String {
			return nil, errors.New("tags must be an array of strings")
		}
		list = append(list, tag.Str)
	}
	return list, nil
}

func source(o object) (ip, userAgent string, err error) {
	v := o.get("source")
	if !v.Exists() {
		return "", "", nil
	}
	if !v.IsObject() {
		return "", "", errors.New("source must be an object")
	}
	v.ForEach(func(key, value gjson.Result) bool {
		switch {
		case value.Type != gjson.String:
			err = fmt.Errorf("source.%s must be a string", key.Str)
		case key.Str == "ipAddress" && ip == "":
			ip = value.Raw
		case key.Str == "userAgent" && userAgent == "":
			userAgent = value.Raw
		default:
			err = fmt.Errorf("source has ipAddress and userAgent only, each once; got %q", key.Str)
		}
		return err == nil
	})
	return ip, userAgent, err
}

// filtered collects what the population and application filters compare. One
// published schematic shows `resources` as an object (V10), so both are read.
func filtered(o object) (populations, applications []string) {
	applications = appendNew(applications, o.get("actors").Get("client.id").String())
	resources := o.get("resources")
	list := []gjson.Result{resources}
	if resources.IsArray() {
		list = resources.Array()
	}
	for _, r := range list {
		id, kind := r.Get("id").String(), r.Get("type").String()
		populations = appendPopulation(populations, kind, id, r.Get("population.id").String())
		if kind == "APPLICATION" {
			applications = appendNew(applications, id)
		}
	}
	return populations, applications
}

// withoutSource cuts the member `source` and one comma out of the object.
func withoutSource(o object) string {
	for i, m := range o.members {
		switch {
		case m.name != "source":
		case i+1 < len(o.members):
			return o.text[:m.start] + o.text[o.members[i+1].start:]
		default: // action comes before it, else actionType had failed
			return o.text[:o.members[i-1].end] + o.text[m.end:]
		}
	}
	return o.text
}
