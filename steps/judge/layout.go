package judge

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// Pretty fails unless every body is JSON spread over several lines, some of
// them indented: one value, or several in a row, as a format whose records are
// not documented may have them. (DLV-014)
func Pretty(t *transcript.Transcript, endpoint string) Outcome {
	return eachDelivery(t, endpoint, pretty)
}

func pretty(d transcript.Delivery) Outcome {
	if !jsonValues(d.Body) {
		return Fail("indented JSON with line breaks").Got("%s", describeBody(d.Body))
	}
	// A JSON string holds no raw line break, so that every one here
	// stands between values.
	lines := bytes.Split(bytes.TrimSpace(d.Body), []byte("\n"))
	if !slices.ContainsFunc(lines, indented) {
		return Fail("indented JSON with line breaks").Got("%s, none of them indented: %s", count(len(lines), "line"), cut(d.Body))
	}
	return Pass
}

// jsonValues tells whether the body is JSON values and nothing else.
func jsonValues(body []byte) bool {
	values := json.NewDecoder(bytes.NewReader(body))
	for n := 0; ; n++ {
		var value json.RawMessage
		if err := values.Decode(&value); err != nil {
			return err == io.EOF && n > 0
		}
	}
}

func indented(line []byte) bool {
	return bytes.HasPrefix(line, []byte(" ")) || bytes.HasPrefix(line, []byte("\t"))
}

// Compact fails if a body has line breaks between its values. One at the very
// end is no layout. (DLV-015)
func Compact(t *transcript.Transcript, endpoint string) Outcome {
	return eachDelivery(t, endpoint, func(d transcript.Delivery) Outcome {
		if n := bytes.Count(bytes.TrimSpace(d.Body), []byte("\n")); n > 0 {
			return Fail("no line breaks between values").Got("%d: %s", n, cut(d.Body))
		}
		return Pass
	})
}

// OnePerLine fails unless every line of every body that is not empty is one
// JSON object. (DLV-016)
func OnePerLine(t *transcript.Transcript, endpoint string) Outcome {
	return eachDelivery(t, endpoint, onePerLine)
}

func onePerLine(d transcript.Delivery) Outcome {
	empty := true
	for line := range bytes.Lines(d.Body) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if !gjson.ValidBytes(line) || !gjson.ParseBytes(line).IsObject() {
			return Fail("a JSON object on every line").Got("%s", cut(line))
		}
		empty = false
	}
	if empty {
		return Fail("a JSON object on every line").Got("no line that is not empty")
	}
	return Pass
}

// SameData fails unless every caused event reached both endpoints with the
// same content. (DLV-014)
func SameData(t *transcript.Transcript, one, other string) Outcome {
	if o := All(Delivered(t, one), Delivered(t, other)); o.failed {
		return o
	}
	at, with := indexFirst(t, one), indexFirst(t, other)
	for _, c := range t.Caused() {
		a, _ := at.find(c)
		b, _ := with.find(c)
		if !Same(a.Event.Value(), b.Event.Value()) {
			return Fail("event %s at receiver %q as at %q: %s", c.Name, one, other, cut(b.Event.Raw)).Got("%s", cut(a.Event.Raw))
		}
	}
	return Pass
}
