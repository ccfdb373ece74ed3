package judge

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// An Attempt is one try of the reference emitter to deliver to the receiver
// under test, as its control API told of it.
type Attempt struct {
	Subscription string
	Seq          int
	Body         string
	Status       int    // of the answer, or 0
	Error        string // why there was none
}

// taken tells whether the receiver took the delivery: by 200, and nothing
// else (V1).
func (a Attempt) taken() bool { return a.Status == 200 }

// Count is how many events the delivery carries: records of an array, or
// lines.
func (a Attempt) Count() int { return len(a.records()) }

func (a Attempt) records() []gjson.Result {
	var all []gjson.Result
	gjson.ForEachLine(a.Body, func(line gjson.Result) bool {
		if line.IsArray() {
			all = append(all, line.Array()...)
		} else {
			all = append(all, line)
		}
		return true
	})
	return all
}

// ids are those of its events, bare or in the envelope of a format.
func (a Attempt) ids() []string {
	records := a.records()
	ids := make([]string, len(records))
	for i, r := range records {
		if event := r.Get("event"); event.IsObject() {
			r = event
		}
		ids[i] = r.Get("id").String()
	}
	return ids
}

func (a Attempt) String() string {
	delivery := fmt.Sprintf("delivery %d, of %s in %s", a.Seq, count(a.Count(), "event"), count(len(a.Body), "byte"))
	if a.Status == 0 {
		return fmt.Sprintf("no answer to %s: %s", delivery, a.Error)
	}
	return fmt.Sprintf("status %d to %s", a.Status, delivery)
}

// Tries are the attempts for one subscription.
type Tries struct{ List []Attempt }

// attemptsPath is where the reference emitter tells of its attempts for a
// subscription.
const attemptsPath = "/control/subscriptions/"

// AttemptsFor are the attempts for a subscription, in their order.
func AttemptsFor(t *transcript.Transcript, subscription string) *Tries {
	a := &Tries{}
	for _, x := range t.Exchanges("control") {
		id, rest, _ := strings.Cut(strings.TrimPrefix(x.Request.Path, attemptsPath), "/")
		if id != subscription || !strings.HasPrefix(rest, "attempts") || x.Response == nil {
			continue
		}
		for _, made := range gjson.GetBytes(x.Response.Body, "attempts").Array() {
			a.List = append(a.List, Attempt{
				Subscription: id, Seq: int(made.Get("seq").Int()), Body: made.Get("body").Str,
				Status: int(made.Get("status").Int()), Error: made.Get("error").Str,
			})
		}
	}
	return a
}

// AllAttempts are those for all subscriptions.
func AllAttempts(t *transcript.Transcript) []Attempt {
	var all []Attempt
	var seen []string
	for _, x := range t.Exchanges("control") {
		rest, ok := strings.CutPrefix(x.Request.Path, attemptsPath)
		id, _, _ := strings.Cut(rest, "/")
		if ok && !slices.Contains(seen, id) {
			seen = append(seen, id)
			all = append(all, AttemptsFor(t, id).List...)
		}
	}
	return all
}

// Failed tells whether an attempt was not answered by 200.
func (a *Tries) Failed() bool {
	return slices.ContainsFunc(a.List, func(x Attempt) bool { return !x.taken() })
}

// TookAll tells whether every event that happened was in a delivery that was
// taken.
func (a *Tries) TookAll(t *transcript.Transcript) bool { return len(missing(t, a.List)) == 0 }

// Tried tells whether there was an attempt.
func Tried(a *Tries) bool { return len(a.List) > 0 }

// Answered tells whether an attempt was answered.
func Answered(a *Tries) bool {
	return slices.ContainsFunc(a.List, func(x Attempt) bool { return x.Status != 0 })
}

// missing are the events that happened and are in none of the deliveries that
// were taken.
func missing(t *transcript.Transcript, list []Attempt) []transcript.Caused {
	taken := map[string]bool{}
	for _, a := range list {
		if a.taken() {
			for _, id := range a.ids() {
				taken[id] = true
			}
		}
	}
	return slices.DeleteFunc(t.Caused(), func(c transcript.Caused) bool { return taken[c.EventID] })
}

// EveryDeliveryTaken fails unless every event that happened was delivered,
// and every delivery was answered 200. (RCV-002 to RCV-009, RCV-012, RCV-015
// to RCV-017)
func EveryDeliveryTaken(t *transcript.Transcript) Outcome {
	all := AllAttempts(t)
	for _, a := range all {
		if !a.taken() {
			o := Fail("status 200 to every delivery").Got("%s", a).because("the answer's status")
			if a.Status == 0 {
				return o.because("no answer came").absence()
			}
			return o
		}
	}
	if left := missing(t, all); len(left) > 0 {
		return Fail("a delivery of every event").Got("none of %d, among them %q", len(left), left[0].Name).absence()
	}
	return Pass
}

// TakenBy200 fails if a delivery was answered by a success other than 200,
// which no emitter takes for one. What is refused, or redirected, is no
// success. (RCV-008)
func TakenBy200(t *transcript.Transcript) Outcome {
	for _, a := range AllAttempts(t) {
		if a.Status/100 == 2 && !a.taken() {
			return Fail("status 200 to whatever is taken").Got("%s", a).because("the answer's status")
		}
	}
	return Pass
}

// NotRedirected fails if a delivery was answered by a redirect. (RCV-010)
func NotRedirected(t *transcript.Transcript) Outcome {
	for _, a := range AllAttempts(t) {
		if a.Status/100 == 3 {
			return Fail("no status of 3xx").Got("%s", a).because("the answer's status")
		}
	}
	return Pass
}

// RefusedWith fails unless every delivery was answered with one of the
// statuses. (RCV-011)
func RefusedWith(t *transcript.Transcript, statuses ...int) Outcome {
	all := AllAttempts(t)
	for _, a := range all {
		if !slices.Contains(statuses, a.Status) {
			o := Fail("a status of %v to every delivery", statuses).Got("%s", a).because("the answer's status")
			if a.Status == 0 {
				return o.because("no answer came").absence()
			}
			return o
		}
	}
	if len(all) == 0 {
		return Fail("a delivery that is refused").Got("none was tried").absence()
	}
	return Pass
}

// NoneTaken fails if a delivery was answered by a success: a handshake that
// fails, a connection that is closed and an answer of refusal are all right.
// (RCV-014)
func NoneTaken(t *transcript.Transcript) Outcome {
	for _, a := range AllAttempts(t) {
		if a.Status/100 == 2 {
			return Fail("no delivery that is taken").Got("%s", a)
		}
	}
	return Pass
}

// AnsweredOverTLS fails unless the connection led to an answer by HTTP over
// TLS. (RCV-001)
func AnsweredOverTLS(x transcript.Exchange) Outcome {
	switch {
	case x.Link == nil || !x.Link.Connected:
		return Fail("a connection over IPv4").Got("none: %s", x.Error).because("no connection").absence()
	case x.Link.TLS == "":
		return Fail("a TLS handshake").Got("none: %s", x.Error).because("no TLS handshake")
	case x.Response == nil:
		return Fail("an HTTP answer over %s", x.Link.TLS).Got("none: %s", x.Error).because("no answer came").absence()
	}
	return Pass
}

// HandshakeRefused fails if a handshake was agreed upon; without a connection
// nothing was refused. (RCV-013)
func HandshakeRefused(x transcript.Exchange) Outcome {
	switch {
	case x.Link == nil || !x.Link.Connected:
		return Fail("a connection").Got("none: %s", x.Error).because("no connection").absence()
	case x.Link.TLS != "":
		return Fail("a handshake that is refused").Got("%s is agreed", x.Link.TLS)
	}
	return Pass
}

// readEvents are the events that reading back gave, one after the other.
func readEvents(x transcript.Exchange) []gjson.Result {
	var events []gjson.Result
	if x.Response != nil {
		gjson.ForEachLine(string(bytes.TrimSpace(x.Response.Body)), func(line gjson.Result) bool {
			events = append(events, line)
			return true
		})
	}
	return events
}

// AllReadBack fails unless every event that happened and was answered 200 is
// read back. (RCV-022)
func AllReadBack(t *transcript.Transcript, x transcript.Exchange) Outcome {
	found := map[string]bool{}
	for _, e := range readEvents(x) {
		found[e.Get("id").String()] = true
	}
	for _, a := range AllAttempts(t) {
		if !a.taken() {
			continue
		}
		for i, id := range a.ids() {
			if !found[id] {
				return Fail("every event that was answered 200, read back").
					Got("%s, without the %s in delivery %d, with id %s", count(len(found), "event"), ordinal(i+1, a.Count()), a.Seq, id)
			}
		}
	}
	return Pass
}

// ReadBackInOrder fails unless the events are read back in the order in which
// they were delivered for the first time. Those that are missing, and those
// that come again, are another rule's. (RCV-021)
func ReadBackInOrder(t *transcript.Transcript, x transcript.Exchange) Outcome {
	place := map[string]int{}
	for _, a := range AllAttempts(t) {
		for _, id := range a.ids() {
			if _, again := place[id]; !again && a.taken() {
				place[id] = len(place)
			}
		}
	}
	last, lastID, seen := -1, "", map[string]bool{}
	for _, e := range readEvents(x) {
		id := e.Get("id").String()
		at, known := place[id]
		if !known || seen[id] {
			continue
		}
		seen[id] = true
		if at < last {
			return Fail("the events in the order of their delivery").Got("%s, delivered as number %d, after %s, delivered as number %d", id, at+1, lastID, last+1)
		}
		last, lastID = at, id
	}
	if len(seen) == 0 {
		return Fail("events that are read back").Got("none").absence()
	}
	return Pass
}

// ReadBackUnchanged fails unless every string of every event that happened is
// read back as it was posted. What the emitter decides about, where the event
// came from and when, is not compared. (RCV-017)
func ReadBackUnchanged(t *transcript.Transcript, x transcript.Exchange) Outcome {
	found := map[string]gjson.Result{}
	for _, e := range readEvents(x) {
		found[e.Get("id").String()] = e
	}
	for _, c := range t.Caused() {
		posted := Posted(t, c.EventID)
		back, ok := found[c.EventID]
		if !ok {
			return Fail("event %q, read back", c.Name).Got("no event with id %s", c.EventID)
		}
		for _, path := range []string{"resources.0.name", "actors.client.name", "result.description", "action.description"} {
			want, got := posted.Get(path), back.Get(path)
			if want.Exists() && (got.Type != gjson.String || got.Str != want.Str) {
				return Fail("%s of event %q is %q", path, c.Name, cut(want.Str)).Got("%s", cut(describe(got)))
			}
		}
	}
	return Pass
}

// NothingReadBack fails if anything is read back. (RCV-020)
func NothingReadBack(x transcript.Exchange) Outcome {
	if events := readEvents(x); len(events) > 0 {
		return Fail("no event of a delivery that was cut off").Got("%d, among them %s", len(events), cut(events[0].Raw))
	}
	return Pass
}

// HookInvariants looks through a scenario of a receiver for promises that
// hold for every delivery, whatever the scenario is about, and gives the first
// that is broken; nil, if none is. A MUST goes before a SHOULD.
func HookInvariants(t *transcript.Transcript) *Broken {
	for _, p := range []struct {
		judge func(*transcript.Transcript) Outcome
		rule  string
	}{{TakenBy200, "RCV-008"}, {Kept, "RCV-022"}, {KeptUnchanged, "RCV-017"}, {KeptInOrder, "RCV-021"}, {NotRedirected, "RCV-010"}} {
		if b := broken(p.judge(t), p.rule); b != nil {
			return b
		}
	}
	return nil
}
