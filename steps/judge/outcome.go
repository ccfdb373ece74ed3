// Package judge decides whether what was observed keeps what was promised.
// Every judge is a pure function of recorded observations: it reads raw
// bytes with gjson and compares with go-cmp, and shares no code with the
// reference implementations, whose mistakes it would repeat.
//
// A judge that fails says what it expected and what it got as values, and
// names the first cause: that nothing came before the status, the status
// before a header, a header before the body.
package judge

import (
	"fmt"
	"strings"
)

// Outcome is what a judge finds. The zero value is Pass.
type Outcome struct {
	// Expected and Actual are values to be read side by side.
	Expected, Actual string
	// Cause is the first cause in a few words, such as "the answer's status";
	// empty where the values say it all.
	Cause  string
	failed bool
	absent bool
	denied bool
	// unrecorded says nothing about the target.
	unrecorded bool
}

// Pass is the outcome of a promise that was kept.
var Pass Outcome

// Fail is the outcome of a promise that was not kept; expected says what
// would have been right. Got adds what was there instead.
func Fail(expected string, args ...any) Outcome {
	return Outcome{Expected: fmt.Sprintf(expected, args...), failed: true}
}

// Got is o with what was there instead of the expected.
func (o Outcome) Got(actual string, args ...any) Outcome {
	o.Actual = fmt.Sprintf(actual, args...)
	return o
}

func (o Outcome) because(cause string) Outcome {
	o.Cause = cause
	return o
}

// unrecorded is the outcome of a comparison with what the suite ought to have
// recorded and has not: nothing is said about the target.
func unrecorded(what string) Outcome {
	o := Fail("the record of %s", what).Got("none")
	o.unrecorded = true
	return o
}

// Unrecorded tells whether the suite has no record of what was to be compared.
func (o Outcome) Unrecorded() bool { return o.unrecorded }

// absence is o of something that did not come.
func (o Outcome) absence() Outcome {
	o.absent = true
	return o
}

// Absent tells whether the promise was broken by something that did not come:
// a delivery, an answer. Then the one who made it may be gone.
func (o Outcome) Absent() bool { return o.failed && o.absent }

// denial is o of an answer that is no success.
func (o Outcome) denial() Outcome {
	o.denied = true
	return o
}

// Denied tells whether the promise was broken by an answer of another status
// than the success that was promised.
func (o Outcome) Denied() bool { return o.failed && o.denied }

// Failed tells whether the promise was broken.
func (o Outcome) Failed() bool { return o.failed }

// All is the first of the outcomes that failed, or Pass.
func All(outcomes ...Outcome) Outcome {
	for _, o := range outcomes {
		if o.failed {
			return o
		}
	}
	return Pass
}

// count is "1 event" or "2 events", "1 delivery" or "2 deliveries".
func count(n int, noun string) string {
	stem, y := strings.CutSuffix(noun, "y")
	switch {
	case n == 1:
		return "1 " + noun
	case y:
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// whole is "the event" or "all 2 events".
func whole(n int, noun string) string {
	if n == 1 {
		return "the " + noun
	}
	return "all " + count(n, noun)
}

// ordinal says which of so many something is.
func ordinal(i, of int) string { return fmt.Sprintf("%d of %d", i, of) }

// cut shortens text for a message to at most about 300 bytes.
func cut[T ~[]byte | ~string](text T) string {
	s := strings.ToValidUTF8(string(text), "�")
	const most = 300
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%s… (%d bytes in all)", strings.ToValidUTF8(s[:most], ""), len(s))
}
