package receiver

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// storingFaults are those of what is stored of a delivery that is answered
// 200.
func storingFaults() []Fault {
	return []Fault{
		{"receiver-first-lost", "The first event of a delivery of several is lost.", []string{"RCV-022"}, stored(func(events []string) []string {
			if len(events) > 1 {
				return events[1:]
			}
			return events
		})},
		{"receiver-last-lost", "The last event of a delivery of several is lost.", []string{"RCV-022"}, stored(func(events []string) []string {
			return events[:max(1, len(events)-1)]
		})},
		{"receiver-hundred-stored", "Of a delivery the first hundred events are stored.", []string{"RCV-022"}, stored(func(events []string) []string {
			return events[:min(100, len(events))]
		})},
		{"receiver-pretty-lost", "The last event of a pretty-printed array is lost.", []string{"RCV-022"},
			lost(func(_ *http.Request, body []byte) bool { return bytes.HasPrefix(body, []byte("[\n")) })},
		{"receiver-chunked-lost", "The last event of a delivery without a Content-Length is lost.", []string{"RCV-022"},
			lost(func(r *http.Request, _ []byte) bool { return r.ContentLength < 0 })},
		{"receiver-long-lost", "The last event of a delivery of more than 1 MB is lost.", []string{"RCV-022"},
			lost(func(_ *http.Request, body []byte) bool { return len(body) > 1<<20 })},
		{"receiver-unended-lost", "A last line of NDJSON without a line end is lost.", []string{"RCV-022"}, storedLines(func(lines []string) []string {
			return slices.DeleteFunc(lines, func(l string) bool { return !strings.HasSuffix(l, "\n") })
		})},
		{"receiver-lines-lost", "The last line of NDJSON is lost.", []string{"RCV-022"}, storedLines(func(lines []string) []string {
			return lines[:max(1, len(lines)-1)]
		})},
		{"receiver-mixed-lost", "Of a delivery that begins with an event that is known, nothing else is stored.", []string{"RCV-022"}, func(p *pieces) {
			var mu sync.Mutex
			seen := map[string]bool{}
			stored(func(events []string) []string {
				mu.Lock()
				defer mu.Unlock()
				if len(events) > 0 && seen[gjson.Get(events[0], "id").Str] {
					return events[:1]
				}
				for _, e := range events {
					seen[gjson.Get(e, "id").Str] = true
				}
				return events
			})(p)
		}},
		{"receiver-order-lost", "The events of a delivery are stored in the reverse order.", []string{"RCV-021"}, stored(func(events []string) []string {
			slices.Reverse(events)
			return events
		})},
		{"receiver-many-reversed", "The events of a delivery of more than 50 are stored in the reverse order.", []string{"RCV-021"}, stored(func(events []string) []string {
			if len(events) > 50 {
				slices.Reverse(events)
			}
			return events
		})},
		{"receiver-lines-reversed", "The events of a delivery in NDJSON are stored in the reverse order.", []string{"RCV-021"}, storedLines(func(lines []string) []string {
			slices.Reverse(lines)
			return lines
		})},
		{"receiver-mangles-names", "Letters beyond ASCII are stored as question marks.", []string{"RCV-017"}, altered(func(body []byte) []byte {
			return []byte(strings.Map(func(r rune) rune {
				if r >= utf8.RuneSelf {
					return '?'
				}
				return r
			}, string(body)))
		})},
		{"receiver-drops-escapes", "Escapes are stored without their backslash.", []string{"RCV-017"}, altered(func(body []byte) []byte {
			return bytes.ReplaceAll(body, []byte(`\t`), []byte(`t`))
		})},
		{"receiver-cuts-strings", "Strings are stored up to 1000 letters.", []string{"RCV-017"}, altered(func(body []byte) []byte {
			return longString.ReplaceAll(body, []byte(`$1`))
		})},
	}
}

// longString is a run of the letters that strings are made long with.
var longString = regexp.MustCompile(`(x{1000})x+`)

// stored takes other events of an array than were delivered.
func stored(change func([]string) []string) func(*pieces) {
	return altered(func(body []byte) []byte {
		all := gjson.ParseBytes(body)
		if !all.IsArray() {
			return body
		}
		var events []string
		for _, e := range all.Array() {
			events = append(events, e.Raw)
		}
		return []byte("[" + strings.Join(change(events), ",") + "]")
	})
}

// storedLines takes other lines of NDJSON than were delivered; each has its
// end, the last perhaps.
func storedLines(change func([]string) []string) func(*pieces) {
	return altered(func(body []byte) []byte {
		if !bytes.HasPrefix(body, []byte("{")) || gjson.ValidBytes(body) {
			return body
		}
		return []byte(strings.Join(change(slices.Collect(strings.Lines(string(body)))), ""))
	})
}

// lost takes all events but the last of the arrays that it is about.
func lost(about func(r *http.Request, body []byte) bool) func(*pieces) {
	return handled(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if body, err := read(r); err == io.EOF && about(r, body) {
			if events := eventsOf(body); len(events) > 0 {
				kept := make([]string, len(events)-1)
				for i := range kept {
					kept[i] = events[i].Raw
				}
				put(r, []byte("["+strings.Join(kept, ",")+"]"), err)
			}
		}
		next.ServeHTTP(w, r)
	})
}

// sizeFaults are those of deliveries of some size or form.
func sizeFaults() []Fault {
	return []Fault{
		{"receiver-refuses-one", "A delivery of a single event is refused.", []string{"RCV-003"}, dislikes(func(events []gjson.Result, _ []byte) bool { return len(events) == 1 })},
		{"receiver-refuses-many", "A delivery of more than 100 events is refused.", []string{"RCV-004"},
			refused(http.StatusRequestEntityTooLarge, func(_ *http.Request, body []byte) bool { return len(eventsOf(body)) > 100 })},
		{"receiver-refuses-long", "A delivery of more than 1 MB is refused.", []string{"RCV-005"},
			refused(http.StatusRequestEntityTooLarge, func(_ *http.Request, body []byte) bool { return len(body) > 1<<20 })},
		{"receiver-refuses-pretty", "A delivery with line breaks in its array is refused.", []string{"RCV-006"},
			refused(http.StatusBadRequest, func(_ *http.Request, body []byte) bool { return bytes.HasPrefix(body, []byte("[\n")) })},
		{"receiver-refuses-lines", "NDJSON is refused.", []string{"RCV-007"},
			refused(http.StatusUnsupportedMediaType, func(_ *http.Request, body []byte) bool { return bytes.HasPrefix(body, []byte("{")) })},
	}
}

// toleranceFaults are those of events that are not as expected.
func toleranceFaults() []Fault {
	return []Fault{
		{"receiver-knows-members", "Events with members that are not known are refused.", []string{"RCV-015"}, dislikes(anyEvent(func(e gjson.Result) bool {
			unknown := false
			e.ForEach(func(name, _ gjson.Result) bool {
				unknown = unknown || !slices.Contains(knownMembers, name.Str)
				return true
			})
			return unknown
		}))},
		{"receiver-refuses-nulls", "Events with a member that is null are refused.", []string{"RCV-015"}, dislikes(anyEvent(func(e gjson.Result) bool {
			null := false
			e.ForEach(func(_, value gjson.Result) bool {
				null = null || value.Type == gjson.Null
				return true
			})
			return null
		}))},
		{"receiver-needs-actors", "Events without actors are refused.", []string{"RCV-015"}, dislikes(anyEvent(func(e gjson.Result) bool { return !e.Get("actors").Exists() }))},
		{"receiver-needs-population", "Events with an empty population are refused.", []string{"RCV-015"}, dislikes(anyEvent(func(e gjson.Result) bool {
			p := e.Get("resources.0.population")
			return p.Exists() && !p.Get("id").Exists()
		}))},
		{"receiver-knows-types", "Events of a type that is not known are refused.", []string{"RCV-015"}, dislikes(anyEvent(func(e gjson.Result) bool {
			object, _, _ := strings.Cut(e.Get("action.type").Str, ".")
			return e.Get("action.type").Exists() && !slices.Contains([]string{"USER", "FLOW", "ACTION", "EVENT_DELIVERY_TEST"}, object)
		}))},
		{"receiver-needs-order", "Events whose first member is not the id are refused.", []string{"RCV-015"}, dislikes(anyEvent(func(e gjson.Result) bool {
			first := ""
			e.ForEach(func(name, _ gjson.Result) bool { first = name.Str; return false })
			return e.Get("id").Exists() && first != "id" && first != "recordedAt"
		}))},
		{"receiver-needs-fraction", "Times without a fraction of the second are refused.", []string{"RCV-016"}, dislikes(anyEvent(func(e gjson.Result) bool {
			at := e.Get("recordedAt").Str
			return at != "" && !strings.Contains(at, ".")
		}))},
		{"receiver-three-digits", "Times with more than three digits after the point are refused.", []string{"RCV-016"}, dislikes(anyEvent(func(e gjson.Result) bool {
			_, fraction, _ := strings.Cut(strings.TrimSuffix(e.Get("recordedAt").Str, "Z"), ".")
			return len(fraction) > 3
		}))},
		{"receiver-refuses-names", "Events with letters beyond ASCII are refused.", []string{"RCV-017"},
			refused(http.StatusBadRequest, func(_ *http.Request, body []byte) bool {
				return bytes.ContainsFunc(body, func(r rune) bool { return r >= utf8.RuneSelf })
			})},
		{"receiver-refuses-test", "The event of a connection test is refused.", []string{"RCV-018"}, dislikes(anyEvent(func(e gjson.Result) bool { return e.Get("action.type").Str == "EVENT_DELIVERY_TEST" }))},
	}
}

// knownMembers are those of an event that the documents show.
var knownMembers = []string{
	"id", "recordedAt", "createdAt", "correlationId", "internalCorrelation", "actors", "source", "action", "resources", "result", "tags",
	"_embedded", "subscriptionName", "time", "host", "event", "timestamp", "message",
}

// dislikes answers 400 to deliveries whose events are not liked.
func dislikes(disliked func(events []gjson.Result, body []byte) bool) func(*pieces) {
	return refused(http.StatusBadRequest, func(_ *http.Request, body []byte) bool { return disliked(eventsOf(body), body) })
}

func anyEvent(disliked func(gjson.Result) bool) func([]gjson.Result, []byte) bool {
	return func(events []gjson.Result, _ []byte) bool { return slices.ContainsFunc(events, disliked) }
}

// eventsOf are the events of an array; other bodies have none.
func eventsOf(body []byte) []gjson.Result {
	if all := gjson.ParseBytes(body); all.IsArray() && gjson.ValidBytes(body) {
		return all.Array()
	}
	return nil
}
