package judge

import (
	"bytes"
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// bytesPerKB is how many bytes a KB of a payload limit has. The documents do
// not say whether 1000 or 1024; the wider reading is judged (DLV-010).
const bytesPerKB = 1024

// eachDelivery is the first failure that the judge finds among the complete
// deliveries to the endpoint. Without any delivery there is nothing that the
// promise could be seen in, which fails as well.
func eachDelivery(t *transcript.Transcript, endpoint string, judge func(transcript.Delivery) Outcome) Outcome {
	seen := false
	for _, d := range t.Deliveries(endpoint) {
		if !d.Complete {
			continue
		}
		seen = true
		if o := judge(d); o.failed {
			o.Actual += fmt.Sprintf(" in delivery %d to receiver %q", d.Seq, d.Endpoint)
			return o
		}
	}
	if !seen {
		return Fail("a delivery to receiver %q", endpoint).Got("none").absence()
	}
	return Pass
}

// eachBody is eachDelivery for judges of the events that a delivery holds. A
// body that holds no events of any kind fails.
func eachBody(t *transcript.Transcript, endpoint string, judge func(transcript.Delivery, []gjson.Result) Outcome) Outcome {
	return eachDelivery(t, endpoint, func(d transcript.Delivery) Outcome {
		events, err := Events(d)
		if err != nil {
			return Fail("a body with events").Got("%v", err)
		}
		return judge(d, events)
	})
}

// Requested fails unless every delivery is a request with this method to this
// path and query. (DLV-001)
func Requested(t *transcript.Transcript, endpoint, method, target string) Outcome {
	return eachDelivery(t, endpoint, func(d transcript.Delivery) Outcome { return requested(d, method, target) })
}

func requested(d transcript.Delivery, method, target string) Outcome {
	if d.Method != method || d.Target != target {
		return Fail("%s %s", method, target).Got("%s %s", d.Method, d.Target)
	}
	return Pass
}

// Header is a header that a delivery must carry: once, with one of the
// values, which are two ways to record the same (plain, or as a mark).
type Header struct {
	Name   string
	Values [2]string
}

// Carries fails unless every delivery carries every one of the headers.
// (DLV-002, DLV-003)
func Carries(t *transcript.Transcript, endpoint string, headers ...Header) Outcome {
	return eachDelivery(t, endpoint, func(d transcript.Delivery) Outcome {
		for _, h := range headers {
			if o := carries(d, h); o.failed {
				return o
			}
		}
		return Pass
	})
}

func carries(d transcript.Delivery, h Header) Outcome {
	got := headerValues(d, h.Name)
	if len(got) != 1 || !slices.Contains(h.Values[:], got[0]) {
		return Fail("header %s once, with the configured value (%s)", h.Name, h.Values[1]).Got("%s", describeValues(got))
	}
	return Pass
}

// headerValues are the values of the header, whatever the case of its name.
func headerValues(d transcript.Delivery, name string) []string {
	var found []string
	for n, values := range d.Headers {
		if strings.EqualFold(n, name) {
			found = append(found, values...)
		}
	}
	return found
}

func describeValues(values []string) string {
	if len(values) == 0 {
		return "no such header"
	}
	return fmt.Sprintf("%q", values)
}

// JSONType fails unless every delivery has one Content-Type whose subtype is
// one of JSON: json, x-ndjson, anything that has "json" in it. (DLV-018)
func JSONType(t *transcript.Transcript, endpoint string) Outcome {
	return eachDelivery(t, endpoint, func(d transcript.Delivery) Outcome {
		values := headerValues(d, "Content-Type")
		if len(values) == 1 {
			media, _, err := mime.ParseMediaType(values[0])
			if _, subtype, _ := strings.Cut(media, "/"); err == nil && strings.Contains(subtype, "json") {
				return Pass
			}
		}
		return Fail("one Content-Type with a subtype of JSON").Got("%s", describeValues(values))
	})
}

// OneArray fails unless the body of every delivery is one JSON array of
// objects. (DLV-004)
func OneArray(t *transcript.Transcript, endpoint string) Outcome {
	return eachDelivery(t, endpoint, oneArray)
}

func oneArray(d transcript.Delivery) Outcome {
	events, o := arrayOf(d)
	if o.failed {
		return o
	}
	for i, e := range events {
		if !e.IsObject() {
			return Fail("an object as element %d of the array", i).Got("%s", cut(e.Raw))
		}
	}
	return Pass
}

// arrayOf are the elements of the one JSON array that the body is.
func arrayOf(d transcript.Delivery) ([]gjson.Result, Outcome) {
	if body := gjson.ParseBytes(d.Body); gjson.ValidBytes(d.Body) && body.IsArray() {
		return body.Array(), Pass
	}
	return nil, Fail("a body that is one JSON array").Got("%s", describeBody(d.Body))
}

func describeBody(body []byte) string {
	if len(bytes.TrimSpace(body)) == 0 {
		return "an empty body"
	}
	return cut(body)
}

// AloneInArray fails unless every delivery of the event called name is an
// array with nothing else in it. (DLV-005)
func AloneInArray(t *transcript.Transcript, endpoint, name string) Outcome {
	if o := Delivered(t, endpoint, name); o.failed {
		return o
	}
	for _, c := range CausedAs(t, name) {
		for _, a := range Arrivals(t, endpoint) {
			if !Is(a.Event, c) {
				continue
			}
			elements, o := arrayOf(a.Delivery)
			if o.failed {
				return o
			}
			if len(elements) != 1 {
				return Fail("an array of length 1 with event %s", name).Got("length %d", len(elements))
			}
		}
	}
	return Pass
}

// NoneEmpty fails if a delivery holds no event. (DLV-006)
func NoneEmpty(t *transcript.Transcript, endpoint string) Outcome {
	return eachDelivery(t, endpoint, func(d transcript.Delivery) Outcome {
		if events, err := Events(d); err != nil || len(events) == 0 {
			return Fail("at least one event").Got("%s", describeBody(d.Body))
		}
		return Pass
	})
}

// AtMostEvents fails if a delivery holds more than limit events.
// (DLV-007, DLV-008)
func AtMostEvents(t *transcript.Transcript, endpoint string, limit int) Outcome {
	return eachBody(t, endpoint, func(_ transcript.Delivery, events []gjson.Result) Outcome { return atMostEvents(events, limit) })
}

func atMostEvents(events []gjson.Result, limit int) Outcome {
	if len(events) > limit {
		return Fail("at most %s", count(limit, "event")).Got("%s", count(len(events), "event"))
	}
	return Pass
}

// OneEventEach fails unless every delivery holds exactly one event. (DLV-009)
func OneEventEach(t *transcript.Transcript, endpoint string) Outcome {
	return eachBody(t, endpoint, func(_ transcript.Delivery, events []gjson.Result) Outcome {
		if len(events) != 1 {
			return Fail("exactly one event").Got("%s", count(len(events), "event"))
		}
		return Pass
	})
}

// AtMostKB fails if the body of a delivery is longer than limit KB, unless it
// holds exactly one event. (DLV-010)
func AtMostKB(t *transcript.Transcript, endpoint string, limit int) Outcome {
	return eachBody(t, endpoint, func(d transcript.Delivery, events []gjson.Result) Outcome { return atMostKB(d, events, limit) })
}

func atMostKB(d transcript.Delivery, events []gjson.Result, limit int) Outcome {
	if len(d.Body) > limit*bytesPerKB && len(events) != 1 {
		return Fail("at most %d bytes, or one event", limit*bytesPerKB).Got("%d bytes with %s", len(d.Body), count(len(events), "event"))
	}
	return Pass
}

// LargeAlone fails if an event larger than limit KB arrived together with
// others. (DLV-011)
func LargeAlone(t *transcript.Transcript, endpoint string, limit int) Outcome {
	return eachBody(t, endpoint, func(_ transcript.Delivery, events []gjson.Result) Outcome {
		for _, e := range events {
			if len(e.Raw) > limit*bytesPerKB && len(events) != 1 {
				return Fail("an event of %d bytes alone", len(e.Raw)).Got("%s", count(len(events), "event"))
			}
		}
		return Pass
	})
}

// Largest is the length of the longest event that arrived, in bytes.
func Largest(t *transcript.Transcript, endpoint string) int {
	longest := 0
	for _, a := range Arrivals(t, endpoint) {
		longest = max(longest, len(a.Event.Raw))
	}
	return longest
}

// CountArrived is how many of the caused events have reached the endpoint.
func CountArrived(t *transcript.Transcript, endpoint string) int {
	n, index := 0, indexFirst(t, endpoint)
	for _, c := range t.Caused() {
		if _, ok := index.find(c); ok {
			n++
		}
	}
	return n
}

// Batched fails unless the caused events arrived in fewer deliveries than
// there are events; redeliveries do not count. (DLV-013)
func Batched(t *transcript.Transcript, endpoint string) Outcome {
	if o := Delivered(t, endpoint); o.failed {
		return o
	}
	deliveries, caused, index := map[int]bool{}, t.Caused(), indexFirst(t, endpoint)
	for _, c := range caused {
		a, _ := index.find(c)
		deliveries[a.Delivery.Seq] = true
	}
	if len(deliveries) >= len(caused) {
		return Fail("fewer than %s for %s", count(len(caused), "delivery"), count(len(caused), "event")).Got("%s", count(len(deliveries), "delivery"))
	}
	return Pass
}

// indexFirst finds the first arrival of caused events among thousands.
func indexFirst(t *transcript.Transcript, endpoint string) firstIndex {
	x := firstIndex{ids: map[string]Arrival{}, types: map[string][]Arrival{}}
	for _, a := range Arrivals(t, endpoint) {
		if _, again := x.ids[a.ID()]; !again {
			x.ids[a.ID()] = a
		}
		kind := a.Event.Get("action.type").String()
		x.types[kind] = append(x.types[kind], a)
	}
	return x
}

type firstIndex struct {
	ids   map[string]Arrival
	types map[string][]Arrival
}

func (x firstIndex) find(c transcript.Caused) (Arrival, bool) {
	if c.EventID != "" {
		a, ok := x.ids[c.EventID]
		return a, ok
	}
	i := slices.IndexFunc(x.types[c.Type], func(a Arrival) bool { return Is(a.Event, c) })
	if i < 0 {
		return Arrival{}, false
	}
	return x.types[c.Type][i], true
}
