package judge

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// Arrival is one event in one delivery.
type Arrival struct {
	Delivery transcript.Delivery
	Event    gjson.Result
}

// ID is the event's id.
func (a Arrival) ID() string { return a.Event.Get("id").String() }

// Events are the events in a delivery's body: the elements of the one JSON
// array, or the objects of the lines where the delivery is NDJSON. An error
// says what the body is instead.
func Events(d transcript.Delivery) ([]gjson.Result, error) {
	body := bytes.TrimSpace(d.Body)
	switch {
	case len(body) == 0:
		return nil, fmt.Errorf("an empty body")
	case body[0] == '[':
		if !gjson.ValidBytes(body) {
			return nil, fmt.Errorf("no valid JSON: %s", cut(body))
		}
		return gjson.ParseBytes(body).Array(), nil
	}
	var found []gjson.Result
	for line := range bytes.Lines(body) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if !gjson.ValidBytes(line) || line[0] != '{' {
			return nil, fmt.Errorf("neither a JSON array nor lines of JSON objects: %s", cut(line))
		}
		found = append(found, gjson.ParseBytes(line))
	}
	return found, nil
}

// Arrivals are all events that reached the endpoint (all endpoints, with an
// empty name), in order of arrival, redelivered ones again. Bodies that
// hold no events are left out: they are for the judges of bodies.
func Arrivals(t *transcript.Transcript, endpoint string) []Arrival {
	var found []Arrival
	for _, d := range t.Deliveries(endpoint) {
		if !d.Complete {
			continue
		}
		events, err := Events(d)
		if err != nil {
			continue
		}
		for _, e := range events {
			found = append(found, Arrival{d, e})
		}
	}
	return found
}

// Is tells whether the event is the caused one: the same id where the event
// was posted with one, else the same type about the same resource.
func Is(event gjson.Result, c transcript.Caused) bool {
	if c.EventID != "" {
		return event.Get("id").String() == c.EventID
	}
	if event.Get("action.type").String() != c.Type {
		return false
	}
	if c.Resource == "" {
		return true
	}
	for _, r := range event.Get("resources").Array() {
		if r.Get("id").String() == c.Resource {
			return true
		}
	}
	return false
}

// Find is the first arrival of the caused event at the endpoint.
func Find(t *transcript.Transcript, endpoint string, c transcript.Caused) (Arrival, bool) {
	for _, a := range Arrivals(t, endpoint) {
		if Is(a.Event, c) {
			return a, true
		}
	}
	return Arrival{}, false
}

// CausedAs are the caused events of these names, in the order they happened;
// without names, all.
func CausedAs(t *transcript.Transcript, names ...string) []transcript.Caused {
	var found []transcript.Caused
	for _, c := range t.Caused() {
		if len(names) == 0 || slices.Contains(names, c.Name) {
			found = append(found, c)
		}
	}
	return found
}

// Delivered fails unless every caused event of these names (of all, without
// names) reached the endpoint.
func Delivered(t *transcript.Transcript, endpoint string, names ...string) Outcome {
	return among(t, endpoint, Arrivals(t, endpoint), "", names)
}

// among fails unless every caused event of these names (of all, without names)
// is one of the endpoint's arrivals, of which it is said what they are.
func among(t *transcript.Transcript, endpoint string, arrivals []Arrival, what string, names []string) Outcome {
	wanted := CausedAs(t, names...)
	if len(wanted) == 0 {
		return Fail("an event called %s among those caused", strings.Join(names, ", ")).Got("none")
	}
	index := indexOf(arrivals)
	missing := slices.DeleteFunc(slices.Clone(wanted), index.has)
	if len(missing) == 0 {
		return Pass
	}
	return Fail("%s at receiver %q%s", whole(len(wanted), "event"), endpoint, what).
		Got("%d missing, the first being %s (%s); %s", len(missing), missing[0].Name, missing[0].Type, Arrived(t, endpoint)).absence()
}

// OnlyDelivered fails unless the caused events of these names, and no other
// caused event, reached the endpoint.
func OnlyDelivered(t *transcript.Transcript, endpoint string, names ...string) Outcome {
	if o := Delivered(t, endpoint, names...); o.failed {
		return o
	}
	index := indexArrivals(t, endpoint)
	for _, c := range t.Caused() {
		if !slices.Contains(names, c.Name) && index.has(c) {
			return Fail("only %s at receiver %q", strings.Join(names, ", "), endpoint).Got("%s (%s) as well", c.Name, c.Type)
		}
	}
	return Pass
}

// NotDelivered fails if a caused event of these names (any, without names)
// reached the endpoint.
func NotDelivered(t *transcript.Transcript, endpoint string, names ...string) Outcome {
	index := indexArrivals(t, endpoint)
	for _, c := range CausedAs(t, names...) {
		if index.has(c) {
			return Fail("%s not at receiver %q", c.Name, endpoint).Got("%s (%s) delivered", c.Name, c.Type)
		}
	}
	return Pass
}

// Arrived says in a few words what reached the endpoint.
func Arrived(t *transcript.Transcript, endpoint string) string {
	deliveries := t.Deliveries(endpoint)
	if len(deliveries) == 0 {
		return "nothing arrived there"
	}
	types := map[string]int{}
	for _, a := range Arrivals(t, endpoint) {
		types[a.Event.Get("action.type").String()]++
	}
	var events []string
	for _, name := range slices.Sorted(maps.Keys(types)) {
		events = append(events, fmt.Sprintf("%d of %s", types[name], cmp.Or(name, "no type")))
	}
	what := "without an event"
	if len(events) > 0 {
		what = "with " + strings.Join(events, ", ")
	}
	return count(len(deliveries), "delivery") + " arrived there " + what
}

// arrivalIndex finds caused events among thousands of arrivals.
type arrivalIndex struct {
	ids   map[string]bool
	about map[string][]gjson.Result // by type
}

func indexArrivals(t *transcript.Transcript, endpoint string) arrivalIndex {
	return indexOf(Arrivals(t, endpoint))
}

func indexOf(arrivals []Arrival) arrivalIndex {
	index := arrivalIndex{ids: map[string]bool{}, about: map[string][]gjson.Result{}}
	for _, a := range arrivals {
		index.ids[a.ID()] = true
		kind := a.Event.Get("action.type").String()
		index.about[kind] = append(index.about[kind], a.Event)
	}
	return index
}

func (x arrivalIndex) has(c transcript.Caused) bool {
	if c.EventID != "" {
		return x.ids[c.EventID]
	}
	return slices.ContainsFunc(x.about[c.Type], func(e gjson.Result) bool { return Is(e, c) })
}
