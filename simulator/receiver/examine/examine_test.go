package examine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookproof/hookproof/simulator/receiver/examine"
)

func at(second int) time.Time { return time.Date(2026, 3, 1, 12, 0, second, 0, time.UTC) }

func event(id string, second int, more string) string {
	return fmt.Sprintf(`{"id":%q,"recordedAt":%q,"action":{"type":"USER.CREATED"}%s}`, id, at(second).Format(time.RFC3339Nano), more)
}

func names(f *examine.Facts) string {
	var list []string
	for _, a := range f.Annotations {
		list = append(list, a.Name)
	}
	return strings.Join(list, " ")
}

func TestEachOddityIsAnnotated(t *testing.T) {
	t.Parallel()
	many := "[" + strings.TrimSuffix(strings.Repeat(`{"action":{"type":"A"}},`, 501), ",") + "]"
	for name, c := range map[string]struct {
		body   string
		events int
		want   string
	}{
		"nothing odd":                  {"[" + event("a", 0, "") + "," + event("b", 1, "") + "]", 2, ""},
		"no body":                      {"", 0, "not-json"},
		"text":                         {"hello", 0, "not-json"},
		"a cut array":                  {"[" + event("a", 0, ""), 0, "not-json"},
		"an object and text":           {event("a", 0, "") + " hello", 0, "not-json"},
		"a number":                     {"42", 0, ""},
		"an empty array":               {" [ ] ", 0, "empty-array"},
		"500 events":                   {strings.Replace(many, `{"action":{"type":"A"}},`, "", 1), 500, ""},
		"501 events":                   {many, 501, "over-500-events"},
		"an event twice":               {"[" + event("a", 0, "") + "," + event("a", 0, "") + "]", 2, "seen-before"},
		"an older event after a newer": {"[" + event("a", 1, "") + "," + event("b", 0, "") + "]", 2, "out-of-order"},
		"an address":                   {"[" + event("a", 0, `,"source":{"ipAddress":"192.0.2.1"}`) + "]", 1, "ip-address"},
		"a user agent":                 {"[" + event("a", 0, `,"source":{"userAgent":"x"}`) + "]", 1, "user-agent"},
		"objects without a break":      {event("a", 0, "") + event("b", 0, `,"note":"}{\"\\"`), 2, ""},
		"lines":                        {event("a", 0, "") + "\n" + event("b", 0, "") + "\r\n", 2, ""},
		"envelopes":                    {`{"time":1,"event":` + event("a", 0, "") + `}` + `{"time":1,"event":` + event("a", 0, "") + `}`, 2, "seen-before"},
	} {
		f := examine.New().Examine(examine.Delivery{Endpoint: "e", Body: []byte(c.body), ArrivedAt: at(2)})
		if names(f) != c.want || f.Events != c.events {
			t.Errorf("%s: %d events, %q; want %d, %q", name, f.Events, names(f), c.events, c.want)
		}
	}
}

// The limit is what is still allowed.
func TestHoldIsMeasuredFromTheOldestEvent(t *testing.T) {
	t.Parallel()
	body := []byte("[" + event("a", 5, "") + "," + event("b", 6, "") + "]")
	for arrived, want := range map[time.Time]string{at(7): "", at(7).Add(time.Millisecond): "held-over-2s"} {
		f := examine.New().Examine(examine.Delivery{Body: body, ArrivedAt: arrived})
		if names(f) != want || !f.Held || f.Hold != arrived.Sub(at(5)) {
			t.Errorf("arrived at %v: %q, held %v", arrived, names(f), f.Hold)
		}
	}
	if f := examine.New().Examine(examine.Delivery{Body: []byte(`[{"id":"a"}]`), ArrivedAt: at(9)}); f.Held {
		t.Errorf("held %v without a recordedAt", f.Hold)
	}
}

// What is sent again was held up to its first attempt: a receiver that failed
// made the wait since then.
func TestHoldEndsWithTheFirstAttempt(t *testing.T) {
	t.Parallel()
	a, b := event("a", 1, ""), event("b", 5, "")
	nameless := `{"recordedAt":"2026-03-01T12:00:01Z"}`
	for name, c := range map[string]struct {
		bodies []string
		want   []string // hold, time since the first attempt, annotations
	}{
		"the same body":                {[]string{a, a, a}, []string{"1s", "again 2s: seen-before", "again 4s: seen-before"}},
		"a first one held too long":    {[]string{`[` + event("a", -1, "") + `]`, `[` + event("a", -1, "") + `]`}, []string{"3s: held-over-2s", "again 2s: seen-before"}},
		"in a larger batch":            {[]string{a, "[" + a + "," + b + "]", "[" + a + "," + b + "]"}, []string{"1s", "-1s: seen-before", "again 4s: seen-before"}},
		"in two batches":               {[]string{"[" + a + "," + b + "]", a, b}, []string{"1s", "again 2s: seen-before", "again 4s: seen-before"}},
		"events without an id":         {[]string{nameless, nameless, nameless}, []string{"1s", "again 2s", "again 4s"}},
		"bodies that hold no event":    {[]string{"[]", "[]"}, []string{"none: empty-array", "none: empty-array"}},
		"twice the same in one, first": {[]string{"[" + a + "," + a + "]"}, []string{"1s: seen-before"}},
	} {
		x := examine.New()
		var got []string
		for i, body := range c.bodies {
			f := x.Examine(examine.Delivery{Body: []byte(body), ArrivedAt: at(2 + 2*i)})
			said := "none"
			switch {
			case f.Again:
				said = fmt.Sprintf("again %v", f.Since)
			case f.Held:
				said = f.Hold.String()
			}
			if n := names(f); n != "" {
				said += ": " + n
			}
			got = append(got, said)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Order and repetition are each endpoint's own: two subscriptions may well get
// the same event.
func TestMemoryIsTheEndpointsOwn(t *testing.T) {
	t.Parallel()
	x := examine.New()
	var got []string
	for _, d := range []struct{ endpoint, body string }{
		{"one", "[" + event("a", 5, "") + "]"},
		{"two", "[" + event("a", 5, "") + "]"},
		{"one", "[" + event("b", 3, "") + "]"},
		{"two", "[" + event("c", 6, "") + "]"},
		{"one", "[" + event("a", 5, "") + "]"},
	} {
		f := x.Examine(examine.Delivery{Endpoint: d.endpoint, Body: []byte(d.body), ArrivedAt: at(6)})
		got = append(got, fmt.Sprintf("%d %s", f.Attempt, names(f)))
	}
	want := []string{"1 ", "1 ", "1 out-of-order held-over-2s", "1 ", "2 seen-before"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestContainsFindsEventsByIDAndType(t *testing.T) {
	t.Parallel()
	body := []byte("[" + event("a1", 0, `,"note":"b1"`) + "]")
	created := func(kind string) bool { return kind == "USER.CREATED" }
	none := func(string) bool { return false }
	for i, c := range []struct {
		id   string
		kind func(string) bool
		want bool
	}{{"a1", nil, true}, {"b1", nil, false}, {"", created, true}, {"a1", created, true}, {"a1", none, false}, {"", nil, true}} {
		if got := examine.Contains(body, c.id, c.kind); got != c.want {
			t.Errorf("case %d: %v", i, got)
		}
	}
}

// No body, however odd, makes the examiner fail or find more than there is.
func FuzzExamine(f *testing.F) {
	for _, seed := range []string{"", "[]", "{}", "{}{}", "[1]", `[{"id":1}]`, event("a", 0, ""), `{"event":{"event":{}}}`, `{"a":"\`, "{\"a\":\"}\"}\n{}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		facts := examine.New().Examine(examine.Delivery{Body: body, ArrivedAt: at(0)})
		if facts.Events > len(body)/2 || facts.Attempt != 1 || len(facts.Batch) != 16 {
			t.Fatalf("%+v", facts)
		}
	})
}

func BenchmarkExamine(b *testing.B) {
	var events []string
	for i := range 500 {
		events = append(events, event(fmt.Sprintf("00000000-0000-0000-0000-%012d", i), 0, `,"padding":"`+strings.Repeat("x", 1050)+`"`))
	}
	body := []byte("[" + strings.Join(events, ",") + "]")
	b.SetBytes(int64(len(body)))
	x := examine.New()
	for b.Loop() {
		x.Examine(examine.Delivery{Body: body, ArrivedAt: at(0)})
	}
}
