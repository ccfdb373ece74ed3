package judge

import (
	"time"

	"github.com/hookproof/hookproof/steps/transcript"
)

// HeldAtMost fails unless every caused event reached the receiver within
// limit of its being caused, the first byte of its first delivery counting.
// The tolerance covers the wire and the clocks, not the implementation.
// (DLV-012)
func HeldAtMost(t *transcript.Transcript, endpoint string, limit, tolerance time.Duration) Outcome {
	if o := Delivered(t, endpoint); o.failed {
		return o
	}
	index := indexFirst(t, endpoint)
	for _, c := range t.Caused() {
		a, _ := index.find(c)
		if held := a.Delivery.FirstByteAt.Sub(c.At); held > limit+tolerance {
			return Fail("held at most %v (and %v for the wire)", limit, tolerance).Got("%v for event %s", held.Round(time.Millisecond), c.Name)
		}
	}
	return Pass
}

// DataHeldAtMost is HeldAtMost where it is not documented what a record looks
// like: the data of the events is looked for in the text. It says nothing, and
// false, unless that of every caused event is found. (DLV-012)
func DataHeldAtMost(t *transcript.Transcript, endpoint string, limit, tolerance time.Duration) (Outcome, bool) {
	late := Pass
	for _, c := range t.Caused() {
		d, found := firstWith(t, endpoint, c)
		if !found {
			return Pass, false
		}
		if held := d.FirstByteAt.Sub(c.At); held > limit+tolerance && !late.failed {
			late = Fail("held at most %v (and %v for the wire)", limit, tolerance).Got("%v for event %s", held.Round(time.Millisecond), c.Name)
		}
	}
	return late, true
}

// firstWith is the first delivery to the endpoint that has the event's data.
func firstWith(t *transcript.Transcript, endpoint string, c transcript.Caused) (transcript.Delivery, bool) {
	for _, d := range t.Deliveries(endpoint) {
		if whole(d) && dataOf(d).has(c) {
			return d, true
		}
	}
	return transcript.Delivery{}, false
}
