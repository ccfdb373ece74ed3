package judge

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// asRequested judges method, path and query. (DLV-001)
func asRequested(c configuration, d arrived) *Broken {
	return broken(requested(d.Delivery, http.MethodPost, c.target), "DLV-001")
}

// framing are headers that belong to the transport; what is configured for
// them is not promised to get through.
var framing = map[string]bool{"connection": true, "content-length": true, "host": true, "transfer-encoding": true}

// withHeaders judges the configured headers. They are recorded as marks, and
// arrive as marks or, where they are known to hold no secret, as they are.
// (DLV-002, and DLV-003 for credentials)
func (o *observed) withHeaders(c configuration, d arrived) *Broken {
	var found *Broken
	c.body.Get("httpEndpoint.headers").ForEach(func(name, value gjson.Result) bool {
		if value.Type != gjson.String || framing[strings.ToLower(name.Str)] {
			return true
		}
		rules := []string{"DLV-002"}
		if strings.EqualFold(name.Str, "Authorization") {
			rules = append(rules, "DLV-003")
		}
		marked := d.Delivery
		marked.Headers = map[string][]string{}
		for _, v := range headerValues(d.Delivery, name.Str) {
			marked.Headers[name.Str] = append(marked.Headers[name.Str], o.redact.Mark(v))
		}
		want := o.redact.Mark(value.Str)
		found = broken(carries(marked, Header{Name: name.Str, Values: [2]string{want, want}}), rules...)
		return found == nil
	})
	return found
}

// neverEmpty judges that there is an event. (DLV-006)
func neverEmpty(_ configuration, d arrived) *Broken {
	if len(d.events) > 0 || d.err != nil && strings.TrimSpace(string(d.Body)) != "" {
		return nil
	}
	return broken(Fail("at least one event").Got("%s", describeBody(d.Body)), "DLV-006")
}

// inFormat judges that the body is one array, unless something else was asked
// for. (DLV-004 and DLV-005)
func inFormat(c configuration, d arrived) *Broken {
	switch c.body.Get("payloadOptions.payloadFormat.https.format").String() {
	case "", "JSON_ARRAY":
		rules := []string{"DLV-004"}
		if gjson.ValidBytes(d.Body) && gjson.ParseBytes(d.Body).IsObject() {
			rules = append(rules, "DLV-005")
		}
		return broken(oneArray(d.Delivery), rules...)
	}
	return nil
}

// inLines judges that the body is lines of objects where that was asked for,
// whatever the format of the records. An empty one is for neverEmpty. (DLV-016)
func inLines(c configuration, d arrived) *Broken {
	if c.body.Get("payloadOptions.payloadFormat.https.format").Str != "ND_JSON" || len(bytes.TrimSpace(d.Body)) == 0 {
		return nil
	}
	return broken(onePerLine(d.Delivery), "DLV-016")
}

// laidOut judges that the body is indented where that was asked for, whatever
// the format of the records. (DLV-014)
func laidOut(c configuration, d arrived) *Broken {
	https := c.body.Get("payloadOptions.payloadFormat.https")
	if https.Get("format").Str != "JSON_ARRAY" || !https.Get("prettyPrint").Bool() {
		return nil
	}
	if body := bytes.TrimSpace(d.Body); len(body) == 0 || string(body) == "[]" {
		return nil // for neverEmpty
	}
	return broken(pretty(d.Delivery), "DLV-014")
}

// included judges that every event is of a type that one of the configurations
// includes of which the delivery may be; the event of a connection test is of
// none, and of whatever type it is where a connection was tested (TST-002 is
// no MUST). (FLT-002, or EVT-003 where something else is shown than what
// happened)
func (o *observed) included(configurations []configuration, d arrived) *Broken {
	var types []string
	for _, c := range configurations {
		if !d.Complete || d.Truncated || !c.ofActivities() {
			return nil
		}
		for _, t := range c.body.Get("filterOptions.includedActionTypes").Array() {
			types = append(types, t.String())
		}
	}
	if len(types) == 0 {
		return nil
	}
	for _, e := range d.events {
		shown := e.Get("action.type").String()
		if slices.Contains(types, shown) || shown == deliveryTest {
			continue
		}
		key, known := o.cause(e)
		if !known && o.tested {
			continue
		}
		rule := "EVT-003"
		if known && !slices.Contains(types, o.t.Entries[o.caused[key]].Caused.Type) {
			rule = "FLT-002"
		}
		return broken(Fail("an event of a type that the subscription includes, %s", strings.Join(types, ", ")).Got("%s", describe(e.Get("action.type"))), rule)
	}
	return nil
}

// defaultEvents is how many events a delivery holds at most where no limit
// was asked for. (S1)
const defaultEvents = 500

// withinLimit judges the payload limit. (DLV-007, DLV-008, DLV-010)
func withinLimit(c configuration, d arrived) *Broken {
	limit := c.body.Get("payloadOptions.maximumPayloadLimit")
	size := int(limit.Get("size").Int())
	switch {
	case !limit.Exists(), limit.Type == gjson.Null:
		return broken(atMostEvents(d.events, defaultEvents), "DLV-007")
	case size < 1:
		return nil
	case limit.Get("type").Str == "EVENTS_PER_PAYLOAD":
		return broken(atMostEvents(d.events, size), "DLV-008")
	case limit.Get("type").Str == "KB_PER_PAYLOAD":
		return broken(atMostKB(d.Delivery, d.events, size), "DLV-010")
	}
	return nil
}

// withID judges that every event has an id, once in a delivery. (EVT-001)
func withID(_ configuration, d arrived) *Broken {
	seen := map[string]bool{}
	for _, e := range d.events {
		if b := broken(identified(e), "EVT-001"); b != nil {
			return b
		}
		id := e.Get("id").Str
		if seen[id] {
			return broken(Fail("every id once in a delivery").Got("id %s twice", id), "EVT-001")
		}
		seen[id] = true
	}
	return nil
}

// plainAgent is how the user agent begins that Go's client sends where a
// step names none.
const plainAgent = "go-http-client/"

// hidingAddress judges that an event whose subscription has not opted in
// says nothing of the caller's IP address. (EVT-012)
func (o *observed) hidingAddress(c configuration, d arrived) *Broken {
	if c.body.Get("filterOptions.ipAddressExposed").Bool() {
		return nil
	}
	for _, e := range d.events {
		leak := HidesAddress(e.Get("source"), Origin{})
		if key, ok := o.cause(e); ok && !leak.failed {
			if posted, ok := o.posted[key]; ok {
				leak = hides(e, posted, "source.ipAddress", "the IP address")
			} else {
				leak = HidesAddress(e, Origin{})
			}
		} else if o.ofTest(e) && !leak.failed {
			leak = HidesAddress(e, Origin{})
		}
		if leak.failed {
			return broken(leak.Got("%s in event %s", leak.Actual, cut(e.Raw)), "EVT-012")
		}
	}
	return nil
}

// hidingAgent is hidingAddress for the user agent. (EVT-013)
func (o *observed) hidingAgent(c configuration, d arrived) *Broken {
	if c.body.Get("filterOptions.userAgentExposed").Bool() {
		return nil
	}
	for _, e := range d.events {
		key, ok := o.cause(e)
		if !ok && !o.ofTest(e) {
			continue
		}
		var leak Outcome
		if posted, ok := o.posted[key]; ok {
			leak = hides(e, posted, "source.userAgent", "the user agent")
		} else if agent := o.agent(key); agent != "" {
			leak = HidesUserAgent(e, Origin{UserAgent: agent})
		} else if occurs(e, plainAgent) {
			leak = Fail("nothing of the caller's user agent").Got("%s", plainAgent)
		}
		if leak.failed {
			return broken(leak.Got("%s in event %s", leak.Actual, cut(e.Raw)), "EVT-013")
		}
	}
	return nil
}

// ofTest tells whether the event is that of a connection test.
func (o *observed) ofTest(e gjson.Result) bool {
	return o.tested && e.Get("action.type").Str == deliveryTest
}

// agent is the user agent of the API call that caused an event, or of the
// connection test whose event was caused by nothing else; empty, where the
// suite named none.
func (o *observed) agent(key string) string {
	if key == "" {
		return o.tester
	}
	return o.origin(key).UserAgent
}

// origin is where an event came from that an API call caused.
func (o *observed) origin(key string) Origin {
	return OriginOf(o.t, *o.t.Entries[o.caused[key]].Caused)
}

// hides fails if what was posted at the path occurs in the event. Where the
// rest of what was posted holds it as well, nothing is said.
func hides(event, posted gjson.Result, path, what string) Outcome {
	secret := posted.Get(path).String()
	if secret == "" || !occurs(event, secret) {
		return Pass
	}
	if elsewhere(posted, secret) {
		return Pass
	}
	return Fail("nothing of %s %q", what, secret).Got("it")
}

// elsewhere tells whether the text stands outside the source of what was
// posted.
func elsewhere(posted gjson.Result, text string) bool {
	found := false
	posted.ForEach(func(name, value gjson.Result) bool {
		found = found || name.Str != "source" && occurs(value, text)
		return !found
	})
	return found
}

// occurs tells whether the text stands in any string of v, in any case.
func occurs(v gjson.Result, text string) bool {
	found, lower := false, strings.ToLower(text)
	eachText(v, func(s string) { found = found || strings.Contains(strings.ToLower(s), lower) })
	return found
}
