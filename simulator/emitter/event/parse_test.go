package event_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/fixtures"
	"github.com/hookproof/hookproof/simulator/emitter/event"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC)

// samples are published events with their oddities; the suite's own fixtures
// are read as well.
func samples(t testing.TB) map[string]string {
	t.Helper()
	all := map[string]string{
		"nine fraction digits": `{"id":"x","recordedAt":"2026-08-09T02:24:24.507594727Z","actors":{"client":{"id":"ADMIN"},"user":{"population":{}}},"source":{"userAgent":"Test Connection Client"},"action":{"type":"EVENT_DELIVERY_TEST"},"_embedded":{}}`,
		"source first":         `{ "source" : {"ipAddress":"::1"} , "action":{"type":"A.B"},"id":"x","recordedAt":"2026-08-09T02:24:24Z"}`,
		"source last":          `{"action":{"type":"A.B"},"id":"x","recordedAt":"2026-08-09T02:24:24Z","source":{}}`,
		"escaped name":         `{"action":{"type":"A.B"},"\u0073ource":{"ipAddress":"192.0.2.1"},"id":"x","recordedAt":"2026-08-09T02:24:24Z"}`,
		"resources an object":  `{"action":{"type":"A.B"},"id":"x","recordedAt":"2026-08-09T02:24:24Z","resources":{"type":"USER","id":"u","population":{"id":"p"}}}`,
		"large numbers":        `{"action":{"type":"A.B"},"id":"x","recordedAt":"2026-08-09T02:24:24Z","n":12345678901234567890.10e+2,"z":1E400}`,
	}
	for _, name := range fixtures.EventNames() {
		data, err := fixtures.Event(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(data)
	}
	return all
}

func TestPostedEventsAreKeptAsPosted(t *testing.T) {
	t.Parallel()
	for name, line := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := event.Parse([]byte(line), now)
			if err != nil {
				t.Fatal(err)
			}
			gjson.Parse(line).ForEach(func(key, value gjson.Result) bool {
				got := gjson.Get(r.Body, gjson.Escape(key.String()))
				if key.String() == "source" {
					if got.Exists() {
						t.Errorf("source is left in %s", r.Body)
					}
				} else if got.Raw != value.Raw {
					t.Errorf("%s is %s, was %s", key, got.Raw, value.Raw)
				}
				return true
			})
			if !json.Valid([]byte(r.Body)) {
				t.Errorf("not JSON: %s", r.Body)
			}
		})
	}
}

func TestWhatIsMissingIsFilled(t *testing.T) {
	t.Parallel()
	r, err := event.Parse([]byte(`{"action":{"type":"A.B"}}`), now)
	if err != nil {
		t.Fatal(err)
	}
	if uuid.Validate(gjson.Get(r.Body, "id").String()) != nil || gjson.Get(r.Body, "id").String() != r.ID {
		t.Errorf("id of %s", r.Body)
	}
	if got := gjson.Get(r.Body, "recordedAt").String(); got != "2026-01-02T03:04:05.678Z" {
		t.Errorf("recordedAt is %s", got)
	}
}

func TestFiltersLookAtTheTarget(t *testing.T) {
	t.Parallel()
	r, err := event.Parse([]byte(`{"action":{"type":"USER.UPDATED"},
		"actors":{"client":{"id":"app"},"user":{"id":"u0","population":{"id":"actor's"}}},
		"resources":[{"type":"USER","id":"u1","population":{"id":"target's"}},{"type":"POPULATION","id":"itself"},
		{"type":"APPLICATION","id":"other"},{"type":"USER","id":"u2","population":{}}],"tags":["adminIdentityEvent"]}`), now)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"target's", "itself"}, r.Populations); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"app", "other"}, r.Applications); diff != "" {
		t.Error(diff)
	}
	if strings.ContainsAny(r.Body, "\n\r") {
		t.Errorf("a line break is left in %q", r.Body)
	}
}

func TestInvalidEventsAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, line, want string }{
		{"empty", ``, "not valid JSON"},
		{"truncated", `{"action":`, "not valid JSON"},
		{"trailing", `{"action":{"type":"A.B"}}{}`, "not valid JSON"},
		{"array", `[{"action":{"type":"A.B"}}]`, "not a JSON object"},
		{"not UTF-8", "{\"action\":{\"type\":\"A\xff\"}}", "UTF-8"},
		{"no action", `{}`, "action must be"},
		{"action a string", `{"action":"A.B"}`, "action must be"},
		{"no type", `{"action":{}}`, "action.type"},
		{"type a number", `{"action":{"type":1}}`, "action.type"},
		{"empty type", `{"action":{"type":""}}`, "action.type"},
		{"repeated", `{"action":{"type":"A.B"},"action":{"type":"C.D"}}`, "repeated"},
		{"repeated source", `{"action":{"type":"A.B"},"source":{},"\u0073ource":{"ipAddress":"1"}}`, "repeated"},
		{"id a number", `{"action":{"type":"A.B"},"id":7}`, "id must be"},
		{"id null", `{"action":{"type":"A.B"},"id":null}`, "id must be"},
		{"recordedAt no time", `{"action":{"type":"A.B"},"recordedAt":"yesterday"}`, "recordedAt"},
		{"recordedAt a number", `{"action":{"type":"A.B"},"recordedAt":20260101}`, "recordedAt"},
		{"tags a string", `{"action":{"type":"A.B"},"tags":"x"}`, "tags"},
		{"tags of numbers", `{"action":{"type":"A.B"},"tags":[1]}`, "tags"},
		{"source a string", `{"action":{"type":"A.B"},"source":"192.0.2.1"}`, "source"},
		{"source with a number", `{"action":{"type":"A.B"},"source":{"ipAddress":1}}`, "source.ipAddress"},
		{"source with more", `{"action":{"type":"A.B"},"source":{"port":"1"}}`, "port"},
		{"too large", `{"action":{"type":"` + strings.Repeat("A", event.MaxBytes) + `"}}`, "at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := event.Parse([]byte(c.line), now)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something with %q", err, c.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range samples(f) {
		f.Add([]byte(line))
	}
	f.Add([]byte(`{"action":{"type":"A.B"},"":1,"source":{"ipAddress":"a","userAgent":"b"}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := event.Parse(line, now)
		if err != nil {
			return
		}
		for _, exposed := range []bool{false, true} {
			got := r.JSON(exposed, exposed)
			if !json.Valid(got) {
				t.Fatalf("%q became %q", line, got)
			}
			if bytes.ContainsAny(got, "\n\r") {
				t.Fatalf("%q kept a line break: %q", line, got)
			}
			again, err := event.Parse(got, time.Time{})
			if err != nil || again.ID != r.ID || again.Type != r.Type {
				t.Fatalf("%q became %q, which reads as %+v, %v", line, got, again, err)
			}
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(r.Body), &members); err != nil {
			t.Fatal(err)
		}
		if _, left := members["source"]; left {
			t.Fatalf("source is left of %q: %q", line, r.Body)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"user-created", "user-created-large"} {
		line, err := fixtures.Event(name)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(len(line)), func(b *testing.B) {
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := event.Parse(line, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
