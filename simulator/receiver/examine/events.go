package examine

import (
	"bytes"
	"strings"
	"time"
	"unsafe"

	"github.com/tidwall/gjson"
)

// form is how the events of a body are laid out.
type form int

const (
	array      form = iota // a JSON array
	sequence               // objects one after the other, as NDJSON or without a break
	other                  // JSON, but neither: no event
	emptyArray             //
	notJSON                //
)

// forEachEvent hands every event of the body to take: the objects of an array,
// or those of a sequence.
func forEachEvent(body []byte, take func(gjson.Result)) form {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return notJSON
	}
	if !gjson.ValidBytes(trimmed) {
		return forEachObject(trimmed, take)
	}
	parsed := parse(trimmed)
	switch {
	case parsed.IsObject():
		take(parsed)
		return sequence
	case !parsed.IsArray():
		return other
	}
	elements := 0
	parsed.ForEach(func(_, element gjson.Result) bool {
		elements++
		if element.IsObject() {
			take(element)
		}
		return true
	})
	if elements == 0 {
		return emptyArray
	}
	return array
}

// forEachObject reads a sequence of JSON objects. If it is none, nothing is
// handed on.
func forEachObject(body []byte, take func(gjson.Result)) form {
	var objects []gjson.Result
	for rest := body; len(rest) > 0; rest = bytes.TrimSpace(rest) {
		end := objectEnd(rest)
		if end < 0 || !gjson.ValidBytes(rest[:end]) {
			return notJSON
		}
		objects = append(objects, parse(rest[:end]))
		rest = rest[end:]
	}
	for _, o := range objects {
		take(o)
	}
	return sequence
}

// parse reads JSON without a copy of it, which would double the memory that a
// delivery takes. The bytes of a delivery never change, and what is kept of the
// results is cloned.
func parse(text []byte) gjson.Result { return gjson.Parse(unsafe.String(&text[0], len(text))) }

// objectEnd returns where the object ends with which the text begins, or -1.
func objectEnd(text []byte) int {
	if text[0] != '{' {
		return -1
	}
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// event is what is looked at in one audit event.
type event struct {
	id, kind       string
	recordedAt     time.Time
	address, agent bool
}

// read reads an event, or the one in an envelope with a member event, as
// collectors of logs take them.
func read(object gjson.Result) event {
	var e event
	inner := gjson.Result{}
	object.ForEach(func(name, value gjson.Result) bool {
		switch name.Str {
		case "id":
			e.id = strings.Clone(value.String())
		case "recordedAt":
			e.recordedAt, _ = time.Parse(time.RFC3339Nano, value.String())
		case "action":
			e.kind = strings.Clone(value.Get("type").String())
		case "source":
			e.address = value.Get("ipAddress").Exists()
			e.agent = value.Get("userAgent").Exists()
		case "event":
			inner = value
		}
		return true
	})
	if inner.IsObject() && e.kind == "" {
		return read(inner)
	}
	return e
}

// Contains says whether the body has an event with this id, if id is not
// empty, and with an action type that kind takes, if kind is not nil.
func Contains(body []byte, id string, kind func(string) bool) bool {
	if id != "" && !bytes.Contains(body, []byte(id)) {
		return false
	}
	found := false
	forEachEvent(body, func(object gjson.Result) {
		if found {
			return
		}
		e := read(object)
		found = (id == "" || e.id == id) && (kind == nil || kind(e.kind))
	})
	return found
}
