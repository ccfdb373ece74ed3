package driver

import (
	"encoding/json"
	"testing"
)

func TestReadingBackIsDoneWhenAllThatIsAskedForIsThere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		events []string
		done   bool
	}{
		"all":                     {[]string{`{"id":"b"}`, `{"id":"a"}`}, true},
		"in envelopes":            {[]string{`{"event":{"id":"b"}}`, `{"event":{"id":"a"}}`}, true},
		"one, stored twice":       {[]string{`{"id":"a"}`, `{"id":"a"}`}, false},
		"one, and what was there": {[]string{`{"id":"a"}`, `{"id":"c"}`}, false},
	} {
		var events []json.RawMessage
		for _, e := range c.events {
			events = append(events, json.RawMessage(e))
		}
		if got := among(events, []string{"a", "b"}); got != c.done {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
