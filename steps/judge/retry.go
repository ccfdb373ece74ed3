package judge

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// acknowledged tells whether the receiver had the delivery complete and answered
// it with 200, the only answer that ends its retries. (V1)
func acknowledged(d transcript.Delivery) bool {
	return d.Complete && d.Answer.Action == "respond" && d.Answer.Status == http.StatusOK
}

// Acknowledged fails unless every caused event of these names (of all, without
// names) reached the endpoint in a delivery that was answered with 200. Rules
// RTY-001 to RTY-004 and RTY-007.
func Acknowledged(t *transcript.Transcript, endpoint string, names ...string) Outcome {
	accepted := slices.DeleteFunc(Arrivals(t, endpoint), func(a Arrival) bool { return !acknowledged(a.Delivery) })
	return among(t, endpoint, accepted, " in deliveries that it answered with 200", names)
}

// AcknowledgedByEither fails unless every caused event reached one of two
// endpoints in a delivery that was answered with 200.
func AcknowledgedByEither(t *transcript.Transcript, one, other string) Outcome {
	accepted := slices.DeleteFunc(slices.Concat(Arrivals(t, one), Arrivals(t, other)), func(a Arrival) bool { return !acknowledged(a.Delivery) })
	return among(t, one, accepted, " or "+strconv.Quote(other)+", in deliveries that were answered with 200", nil)
}

// FailedDeliveries counts the deliveries to the endpoint that it did not
// answer with 200.
func FailedDeliveries(t *transcript.Transcript, endpoint string) int {
	n := 0
	for _, d := range t.Deliveries(endpoint) {
		if !acknowledged(d) {
			n++
		}
	}
	return n
}

// Retried fails unless at least n deliveries to the endpoint were not
// answered with 200: the emitter kept on trying.
func Retried(t *transcript.Transcript, endpoint string, n int) Outcome {
	if got := FailedDeliveries(t, endpoint); got < n {
		return Fail("at least %s at receiver %q", count(n, "failed delivery"), endpoint).Got("%d; %s", got, Arrived(t, endpoint)).absence()
	}
	return Pass
}

// NotResent fails if an event arrived again at the endpoint after it had been
// accepted there. A delivery that was under way by then is none of these.
// Rule RTY-005.
func NotResent(t *transcript.Transcript, endpoint string) Outcome {
	since := map[string]time.Time{}
	for _, a := range Arrivals(t, endpoint) {
		if at, done := since[a.ID()]; done && !a.Delivery.FirstByteAt.Before(at) {
			return Fail("event %s (%s) not again after the 200", a.ID(), a.Event.Get("action.type")).Got("again in delivery %d", a.Delivery.Seq)
		}
		if _, done := since[a.ID()]; !done && acknowledged(a.Delivery) {
			since[a.ID()] = a.Delivery.Answer.At
		}
	}
	return Pass
}

// HeadOfLine fails if an event arrived at the endpoint while a delivery had not
// been answered with 200, unless everything that waits came along with it. That
// a delivery was tried again with fewer events, or with more, is left open.
// Rule RTY-006.
func HeadOfLine(t *transcript.Transcript, endpoint string) Outcome {
	type sent struct {
		transcript.Delivery
		ids []string
	}
	var before []sent
	for _, d := range t.Deliveries(endpoint) {
		if !d.Complete {
			continue
		}
		events, err := Events(d)
		if err != nil {
			continue
		}
		accepted, waiting := map[string]bool{}, map[string]int{} // the delivery that it waits from, by event
		for _, b := range before {
			done := acknowledged(b.Delivery) && !b.Answer.At.After(d.FirstByteAt)
			for _, id := range b.ids {
				if _, known := waiting[id]; done {
					accepted[id] = true
				} else if !known {
					waiting[id] = b.Seq
				}
			}
		}
		ids := idsOf(events)
		behind := 0 // the first delivery of which something stays behind
		for id, seq := range waiting {
			if !accepted[id] && !slices.Contains(ids, id) && (behind == 0 || seq < behind) {
				behind = seq
			}
		}
		for i, id := range ids {
			if _, waits := waiting[id]; behind > 0 && !waits && !accepted[id] {
				return Fail("no other event at receiver %q before delivery %d was answered with 200", endpoint, behind).
					Got("event %s (%s) in delivery %d", id, events[i].Get("action.type"), d.Seq)
			}
		}
		before = append(before, sent{d, ids})
	}
	return Pass
}

func idsOf(events []gjson.Result) []string {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.Get("id").String()
	}
	return ids
}

// InOrder fails unless the caused events reached the endpoint for the first
// time in the order in which they happened, and with times that never go
// back. Rule RTY-008.
func InOrder(t *transcript.Transcript, endpoint string) Outcome {
	position := map[string]int{} // of the first arrival, by id
	var firsts []Arrival
	for _, a := range Arrivals(t, endpoint) {
		if _, known := position[a.ID()]; !known {
			position[a.ID()] = len(firsts)
			firsts = append(firsts, a)
		}
	}
	last, before := -1, ""
	var own []Arrival
	for _, c := range t.Caused() {
		i := slices.IndexFunc(firsts, func(a Arrival) bool { return Is(a.Event, c) })
		if i < 0 {
			continue
		}
		if i < last {
			return Fail("%s after %s, which happened before it", c.Name, before).Got("it arrived as number %d, %s as number %d", i+1, before, last+1)
		}
		last, before = i, c.Name
		own = append(own, firsts[i])
	}
	if len(own) < 2 {
		return Fail("several events at receiver %q", endpoint).Got("%s", Arrived(t, endpoint))
	}
	return timesInOrder(own)
}

func timesInOrder(firsts []Arrival) Outcome {
	var latest time.Time
	for _, a := range firsts {
		written := a.Event.Get("recordedAt").String()
		at, err := time.Parse(time.RFC3339Nano, written)
		if err != nil {
			continue // for the judge of recordedAt
		}
		if latest.Sub(at) >= grain(written) {
			return Fail("recordedAt not before %s", latest.Format(time.RFC3339Nano)).Got("%s of event %s, which arrived later", at.Format(time.RFC3339Nano), a.ID())
		}
		latest = later(latest, at)
	}
	return Pass
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Untouched fails if anything at all reached the endpoint. Rule RTY-011.
func Untouched(t *transcript.Transcript, endpoint string) Outcome {
	for _, d := range t.Deliveries(endpoint) {
		return Fail("no request at receiver %q", endpoint).Got("%s %s with %s", d.Method, d.Target, count(len(d.Body), "byte"))
	}
	return Pass
}
