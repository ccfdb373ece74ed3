package judge

import (
	"slices"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// QuietSince fails if a delivery to the endpoint began after the caused event
// of this name had arrived at the witness. Rule SUS-004.
func QuietSince(t *transcript.Transcript, endpoint, name, witness string) Outcome {
	caused := CausedAs(t, name)
	if len(caused) == 0 {
		return Fail("an event called %s among those caused", name).Got("none")
	}
	since, ok := Find(t, witness, caused[0])
	if !ok {
		return Fail("%s at receiver %q", name, witness).Got("%s", Arrived(t, witness))
	}
	for _, d := range t.Deliveries(endpoint) {
		if late := d.FirstByteAt.Sub(since.Delivery.LastByteAt); late > 0 {
			return Fail("no delivery to receiver %q after %s had arrived at %q", endpoint, name, witness).
				Got("delivery %d, %v later", d.Seq, late)
		}
	}
	return Pass
}

// ArrivedWithout fails unless the caused event of this name reached the
// endpoint, and in no delivery together with the other: nobody holds it back
// for the other any more. Rule RTY-013.
func ArrivedWithout(t *transcript.Transcript, endpoint, name, other string) Outcome {
	if o := Delivered(t, endpoint, name); o.failed {
		return o
	}
	one, two := CausedAs(t, name), CausedAs(t, other)
	if len(two) == 0 {
		return Fail("an event called %s among those caused", other).Got("none")
	}
	for _, d := range t.Deliveries(endpoint) {
		events, err := Events(d)
		if err != nil {
			continue
		}
		if slices.ContainsFunc(events, func(e gjson.Result) bool { return Is(e, one[0]) }) &&
			slices.ContainsFunc(events, func(e gjson.Result) bool { return Is(e, two[0]) }) {
			return Fail("%s at receiver %q without %s", name, endpoint, other).Got("both in delivery %d", d.Seq)
		}
	}
	return Pass
}

// NeverAcknowledged fails if the endpoint answered a delivery of the caused
// event with 200. Rule RTY-013.
func NeverAcknowledged(t *transcript.Transcript, endpoint, name string) Outcome {
	if len(CausedAs(t, name)) == 0 {
		return Fail("an event called %s among those caused", name).Got("none")
	}
	if !Acknowledged(t, endpoint, name).failed {
		return Fail("%s in no delivery that receiver %q answered with 200", name, endpoint).Got("it is in one")
	}
	return Pass
}
