package judge

import (
	"time"

	"github.com/hookproof/hookproof/steps/transcript"
)

// HeldAtMost fails unless every caused event of these names (of all, without
// names) reached the receiver within limit of its being caused, the first byte
// of its first delivery counting. The tolerance covers the wire and the clocks,
// not the implementation. (DLV-012)
func HeldAtMost(t *transcript.Transcript, endpoint string, limit, tolerance time.Duration, names ...string) Outcome {
	if o := Delivered(t, endpoint, names...); o.failed {
		return o
	}
	index := indexFirst(t, endpoint)
	for _, c := range CausedAs(t, names...) {
		a, _ := index.find(c)
		if o := heldAtMost(c, a.Delivery, limit, tolerance); o.failed {
			return o
		}
	}
	return Pass
}

// FirstWithin is HeldAtMost where it is not documented what a record looks
// like: the first delivery counts, whatever is in it, from the first caused
// event on. (DLV-012)
func FirstWithin(t *transcript.Transcript, endpoint string, limit, tolerance time.Duration) Outcome {
	deliveries, caused := t.Deliveries(endpoint), t.Caused()
	if len(deliveries) == 0 || len(caused) == 0 {
		return Fail("an event, and a delivery to receiver %q", endpoint).Got("%s, %s", count(len(caused), "event"), count(len(deliveries), "delivery"))
	}
	return heldAtMost(caused[0], deliveries[0], limit, tolerance)
}

func heldAtMost(c transcript.Caused, d transcript.Delivery, limit, tolerance time.Duration) Outcome {
	if held := d.FirstByteAt.Sub(c.At); held > limit+tolerance {
		return Fail("held at most %v (and %v for the wire)", limit, tolerance).Got("%v for event %s", held.Round(time.Millisecond), c.Name)
	}
	return Pass
}
