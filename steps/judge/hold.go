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
