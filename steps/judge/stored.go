package judge

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// promised is an event that the receiver under test took: whoever answers 200
// says that it is kept.
type promised struct {
	id    string
	event gjson.Result
	// enveloped tells that the event came within a record of another format,
	// in which a receiver may keep it: then its id may lead to nothing.
	enveloped bool
	// It came as this one of so many in the delivery with this sequence
	// number; 0 is a post of the suite's own.
	number, of, seq int
}

func (p promised) String() string {
	if p.seq == 0 {
		return fmt.Sprintf("the %s that the suite posted, with id %s", ordinal(p.number, p.of), p.id)
	}
	return fmt.Sprintf("the %s in delivery %d, with id %s", ordinal(p.number, p.of), p.seq, p.id)
}

// promisedBy are the events of every delivery that was answered 200, by whomever
// it was made. The event of a connection test is none that is to be kept.
func promisedBy(t *transcript.Transcript) []promised {
	all := AllAttempts(t)
	for _, x := range postsTo(t) {
		if x.Response != nil && wellFormed(x.Request.Body) {
			all = append(all, Attempt{Body: string(x.Request.Body), Status: x.Response.Status})
		}
	}
	var kept []promised
	for _, a := range all {
		if !a.taken() {
			continue
		}
		records := a.records()
		for i, record := range records {
			p := promised{event: record, seq: a.Seq, number: i + 1, of: len(records)}
			if inner := record.Get("event"); inner.IsObject() {
				p.event, p.enveloped = inner, true
			}
			p.id = p.event.Get("id").String()
			if p.id != "" && p.event.Get("action.type").Str != deliveryTest {
				kept = append(kept, p)
			}
		}
	}
	return kept
}

// postsTo are the suite's own posts to the receiver under test.
func postsTo(t *transcript.Transcript) []transcript.Exchange {
	return slices.DeleteFunc(t.Exchanges("hook"), func(x transcript.Exchange) bool { return x.Request.Method != http.MethodPost })
}

// wellFormed tells whether a body is JSON, or JSON on each of its lines, if it
// has any.
func wellFormed(body []byte) bool {
	if gjson.ValidBytes(body) {
		return true
	}
	for line := range bytes.Lines(bytes.TrimSpace(body)) {
		if !gjson.ValidBytes(line) {
			return false
		}
	}
	return true
}

// readBack are the events that were read back in a scenario, by their ids.
func readBack(t *transcript.Transcript) (events map[string][]gjson.Result, asked bool) {
	events = map[string][]gjson.Result{}
	for _, x := range t.Exchanges("read-back") {
		asked = asked || x.Response != nil
		for _, e := range readEvents(x) {
			if inner := e.Get("event"); inner.IsObject() {
				e = inner
			}
			id := e.Get("id").String()
			events[id] = append(events[id], e)
		}
	}
	return events, asked
}

// lost are the events that were taken and have not been read back. Of those
// in envelopes none is, where none at all was found by its id: such a receiver
// keeps records, and not the events in them.
func lost(t *transcript.Transcript) []promised {
	kept := promisedBy(t)
	events, asked := readBack(t)
	unpacked := !asked || slices.ContainsFunc(kept, func(p promised) bool { return p.enveloped && len(events[p.id]) > 0 })
	return slices.DeleteFunc(kept, func(p promised) bool { return len(events[p.id]) > 0 || p.enveloped && !unpacked })
}

// Unread are the ids of the events that were answered 200 and have not been
// read back, each once.
func Unread(t *transcript.Transcript) []string {
	var ids []string
	seen := map[string]bool{}
	for _, p := range lost(t) {
		if !seen[p.id] {
			seen[p.id] = true
			ids = append(ids, p.id)
		}
	}
	return ids
}

// Kept fails unless every event that was answered 200 was read back, where
// there was reading back at all. (RCV-022)
func Kept(t *transcript.Transcript) Outcome {
	if _, asked := readBack(t); !asked {
		return Pass
	}
	if missing := lost(t); len(missing) > 0 {
		return Fail("every event that was answered 200, read back").
			Got("%d of them are missing, among them %s", len(missing), missing[0])
	}
	return Pass
}

// KeptUnchanged fails unless every string of every event that was answered 200
// is read back as it was delivered, in whatever order the members are. Times
// are not compared: how precisely they are kept is nobody's promise. An event
// that is delivered, or read back, several times is right if any of them are
// alike. What is missing is another rule's, and what was delivered in an
// envelope may be kept in other ways. (RCV-017)
func KeptUnchanged(t *transcript.Transcript) Outcome {
	events, _ := readBack(t)
	wrong, right := map[string]Outcome{}, map[string]bool{}
	var order []string
	for _, p := range promisedBy(t) {
		if p.enveloped || right[p.id] {
			continue
		}
		for _, back := range events[p.id] {
			o := sameStrings(p.event, back, "")
			if !o.failed {
				right[p.id] = true
				break
			}
			if _, again := wrong[p.id]; !again {
				wrong[p.id], order = o, append(order, p.id)
			}
		}
	}
	for _, id := range order {
		if !right[id] {
			o := wrong[id]
			o.Actual += " in event " + id
			return o
		}
	}
	return Pass
}

// KeptInOrder fails if events of a subscription, or of the suite's own posts,
// were read back together in another order than that of their delivery. What
// came in several deliveries has no place: a receiver may keep it where it came
// first or last. Nor is anything said of two subscriptions, which do not wait
// for each other, or of what was read back one after the other. (RCV-021)
func KeptInOrder(t *transcript.Transcript) Outcome {
	places := placesIn(t)
	for _, x := range t.Exchanges("read-back") {
		last, seen := map[string]place{}, map[string]bool{}
		for _, e := range readEvents(x) {
			if inner := e.Get("event"); inner.IsObject() {
				e = inner
			}
			id := e.Get("id").String()
			here, known := places[id]
			if !known || here.times > 1 || seen[id] {
				continue
			}
			seen[id] = true
			if before, any := last[here.stream]; any && here.number < before.number {
				return Fail("the events in the order of their delivery").
					Got("%s, delivered as number %d, after %s, delivered as number %d", id, here.number, before.id, before.number)
			}
			last[here.stream] = here
		}
	}
	return Pass
}

// place is where an event stands among all of a subscription, or of the suite's
// own posts, and how many deliveries it was in.
type place struct {
	id, stream    string
	number, times int
}

// placesIn are those of the events of all deliveries, whatever became of them.
func placesIn(t *transcript.Transcript) map[string]place {
	all := AllAttempts(t)
	for _, x := range postsTo(t) {
		all = append(all, Attempt{Body: string(x.Request.Body)})
	}
	places, count := map[string]place{}, map[string]int{}
	for _, a := range all {
		for _, id := range a.ids() {
			p := places[id]
			if p.times++; p.times == 1 {
				count[a.Subscription]++
				p.id, p.stream, p.number = id, a.Subscription, count[a.Subscription]
			}
			places[id] = p
		}
	}
	return places
}

// timeMembers are those of an event that hold its times.
var timeMembers = []string{"recordedAt", "createdAt"}

// sameStrings fails unless each string below want stands in got at the same
// place. path is that place; it is empty for the event itself.
func sameStrings(want, got gjson.Result, path string) Outcome {
	if want.Type == gjson.String {
		if got.Type != gjson.String || got.Str != want.Str {
			return Fail("%s as it was delivered, %q", path, cut(want.Str)).Got("%s", cut(describe(got)))
		}
		return Pass
	}
	if !want.IsObject() && !want.IsArray() {
		return Pass
	}
	if want.IsArray() {
		theirs := got.Array()
		for i, element := range want.Array() {
			var there gjson.Result
			if got.IsArray() && i < len(theirs) {
				there = theirs[i]
			}
			if o := sameStrings(element, there, fmt.Sprintf("%s.%d", path, i)); o.failed {
				return o
			}
		}
		return Pass
	}
	theirs := got.Map()
	outcome := Pass
	want.ForEach(func(name, value gjson.Result) bool {
		if path == "" && slices.Contains(timeMembers, name.Str) {
			return true
		}
		below := name.Str
		if path != "" {
			below = path + "." + below
		}
		outcome = sameStrings(value, theirs[name.Str], below)
		return !outcome.failed
	})
	return outcome
}
