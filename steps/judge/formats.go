package judge

import (
	"bytes"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// The judges of formats whose records are not documented look for an event's
// data anywhere in a body: for the id that it was posted with, or else that of
// the resource it is about. Both are made up at random and stand nowhere else.

// data is a body, and the UUIDs that stand in it: most ids are UUIDs, and
// hundreds of them are looked for in one body.
type data struct {
	body  []byte
	uuids map[string]bool
}

func dataOf(d transcript.Delivery) data {
	x := data{unescaped(d.Body), map[string]bool{}}
	for rest := x.body; ; {
		dash := bytes.IndexByte(rest, '-')
		if dash < 0 {
			return x
		}
		// The first dash of a UUID comes after eight digits.
		if from := dash - 8; from >= 0 && from+36 <= len(rest) && IsUUID(string(rest[from:from+36])) {
			x.uuids[string(rest[from:from+36])] = true
			dash = from + 35
		}
		rest = rest[dash+1:]
	}
}

// letterEscape is how JSON may write a character of ASCII, with more backslashes
// where it stands in a text that is within a text.
var letterEscape = regexp.MustCompile(`\\+u00([2-7][0-9a-fA-F])`)

// unescaped is a body in which characters that ids have stand as themselves.
func unescaped(body []byte) []byte {
	if !bytes.Contains(body, []byte(`\u00`)) {
		return body
	}
	return letterEscape.ReplaceAllFunc(body, func(escape []byte) []byte {
		c, _ := hex.DecodeString(string(escape[len(escape)-2:])) // two digits, says the pattern
		return c
	})
}

// has tells whether the body has the data of the caused event.
func (x data) has(c transcript.Caused) bool {
	id := c.EventID
	if id == "" {
		id = c.Resource
	}
	if IsUUID(id) {
		return x.uuids[id]
	}
	return id != "" && bytes.Contains(x.body, []byte(id))
}

// held are the caused events whose data the body has.
func held(t *transcript.Transcript, d transcript.Delivery) int {
	n, x := 0, dataOf(d)
	for _, c := range t.Caused() {
		if x.has(c) {
			n++
		}
	}
	return n
}

// lacking are those of the events whose data is in no such delivery.
func lacking(t *transcript.Transcript, endpoint string, by func(transcript.Delivery) bool, wanted []transcript.Caused) []transcript.Caused {
	missing := slices.Clone(wanted)
	for _, d := range t.Deliveries(endpoint) {
		if complete(d) && by(d) {
			missing = slices.DeleteFunc(missing, dataOf(d).has)
		}
	}
	return missing
}

// complete tells whether there is no more of the delivery to come. Where a record
// ends in a stream over TCP is not documented, so that no end is waited for.
func complete(d transcript.Delivery) bool { return d.Complete || d.Proto == "TCP" }

func anyDelivery(transcript.Delivery) bool { return true }

// Found fails unless the data of every caused event of these names (of all,
// without names) reached the endpoint. Rules FMT-N01 and FMT-X01.
func Found(t *transcript.Transcript, endpoint string, names ...string) Outcome {
	return found(t, endpoint, "", anyDelivery, names)
}

// FoundAcknowledged is Found for deliveries that were answered with 200. Rule
// FMT-X01.
func FoundAcknowledged(t *transcript.Transcript, endpoint string, names ...string) Outcome {
	return found(t, endpoint, " in deliveries that it answered with 200", acknowledged, names)
}

func found(t *transcript.Transcript, endpoint, how string, by func(transcript.Delivery) bool, names []string) Outcome {
	wanted := CausedAs(t, names...)
	if len(wanted) == 0 {
		return Fail("an event called %s among those caused", strings.Join(names, ", ")).Got("none")
	}
	if missing := lacking(t, endpoint, by, wanted); len(missing) > 0 {
		return Fail("the data of %s at receiver %q%s", whole(len(wanted), "event"), endpoint, how).
			Got("that of %d is missing, the first being %s; %s arrived there", len(missing), missing[0].Name, count(len(t.Deliveries(endpoint)), "delivery"))
	}
	return Pass
}

// CountFound counts the caused events whose data reached the endpoint.
func CountFound(t *transcript.Transcript, endpoint string) int {
	return len(t.Caused()) - len(lacking(t, endpoint, anyDelivery, t.Caused()))
}

// NotFound fails if the data of a caused event of these names reached the
// endpoint. Rule FMT-X01.
func NotFound(t *transcript.Transcript, endpoint string, names ...string) Outcome {
	for _, c := range CausedAs(t, names...) {
		if len(lacking(t, endpoint, anyDelivery, []transcript.Caused{c})) == 0 {
			return Fail("no data of %s at receiver %q", c.Name, endpoint).Got("%s (%s) delivered", c.Name, c.Type)
		}
	}
	return Pass
}

// FoundAtMost fails if a delivery has the data of more than limit events. Rule
// FMT-X01.
func FoundAtMost(t *transcript.Transcript, endpoint string, limit int) Outcome {
	return eachDelivery(t, endpoint, func(d transcript.Delivery) Outcome {
		if n := held(t, d); n > limit {
			return Fail("the data of at most %s", count(limit, "event")).Got("that of %d", n)
		}
		return Pass
	})
}

// FoundAtMostKB fails if a delivery with the data of several events is larger
// than limit KB. Rule FMT-X01.
func FoundAtMostKB(t *transcript.Transcript, endpoint string, limit int) Outcome {
	return eachDelivery(t, endpoint, func(d transcript.Delivery) Outcome {
		if n := held(t, d); n > 1 && len(d.Body) > limit*bytesPerKB {
			return Fail("at most %d bytes with the data of several events", limit*bytesPerKB).Got("%d bytes with that of %d", len(d.Body), n)
		}
		return Pass
	})
}

// JSONBodies fails unless every body is JSON: one value, or one on every line.
// Rule FMT-N01.
func JSONBodies(t *transcript.Transcript, endpoint string) Outcome {
	return eachDelivery(t, endpoint, func(d transcript.Delivery) Outcome {
		body := bytes.TrimSpace(d.Body)
		if len(body) == 0 {
			return Fail("JSON").Got("an empty body")
		}
		if gjson.ValidBytes(body) {
			return Pass
		}
		for line := range bytes.Lines(body) {
			if line = bytes.TrimSpace(line); len(line) > 0 && !gjson.ValidBytes(line) {
				return Fail("JSON, in one piece or a value on every line").Got("%s", cut(line))
			}
		}
		return Pass
	})
}

// SameIDs fails unless the id of every event that reached the endpoint one
// stands in a body at the other. Rule FMT-N01.
func SameIDs(t *transcript.Transcript, one, other string) Outcome {
	arrivals := Arrivals(t, one)
	if len(arrivals) == 0 {
		return Fail("events at receiver %q", one).Got("none")
	}
	for _, a := range arrivals {
		if len(lacking(t, other, anyDelivery, []transcript.Caused{{EventID: a.ID()}})) > 0 {
			return Fail("the id %q of an event at receiver %q in a body at %q", a.ID(), one, other).
				Got("it is in none of %s", count(len(t.Deliveries(other)), "delivery"))
		}
	}
	return Pass
}

// SplunkRecords fails unless every record is an object whose event is an
// object with an id and a type. Rule FMT-S01.
func SplunkRecords(t *transcript.Transcript, endpoint string) Outcome {
	return eachBody(t, endpoint, func(_ transcript.Delivery, records []gjson.Result) Outcome {
		if len(records) == 0 {
			return Fail("records with an event").Got("no record")
		}
		for _, r := range records {
			event := r.Get("event")
			if !event.IsObject() {
				return Fail("a record whose event is an object").Got("%s", cut(r.Raw))
			}
			for _, member := range []string{"id", "action.type"} {
				if v := event.Get(member); v.Type != gjson.String || v.String() == "" {
					return Fail("a record whose event has a string %s", member).Got("%s", cut(r.Raw))
				}
			}
		}
		return Pass
	})
}

// DifferentRecords fails if the record of a caused event is the same at both
// endpoints. Rule FMT-X02.
func DifferentRecords(t *transcript.Transcript, one, other string) Outcome {
	if o := All(Found(t, one), Found(t, other)); o.failed {
		return o
	}
	for _, c := range t.Caused() {
		a, foundA := recordOf(t, one, c)
		b, foundB := recordOf(t, other, c)
		if foundA && foundB && Same(a.Value(), b.Value()) {
			return Fail("a record of %s at receiver %q that differs from that at %q", c.Name, one, other).Got("twice the same: %s", cut(a.Raw))
		}
	}
	return Pass
}

// recordOf is the first record at the endpoint that has the event's data.
func recordOf(t *transcript.Transcript, endpoint string, c transcript.Caused) (gjson.Result, bool) {
	for _, d := range t.Deliveries(endpoint) {
		records, err := Events(d)
		if err != nil || !d.Complete {
			continue
		}
		for _, r := range records {
			if dataOf(transcript.Delivery{Body: transcript.Body(r.Raw)}).has(c) {
				return r, true
			}
		}
	}
	return gjson.Result{}, false
}
