package steps

import "time"

// Deadlines are the times that scenarios wait at most. Each says the longest
// that a conformant implementation may take; a run against a fast target
// waits no longer than that target needs.
type Deadlines struct {
	// Call bounds one API call. PingOne names no figure; 30 s is what common
	// gateways allow.
	Call time.Duration
	// Delivery bounds the time from an event to its first delivery where the
	// 2-second rule is not what is judged: a conformant emitter holds an
	// event for 2 s (S1); the rest is for slow lines and for finding the
	// receiver.
	Delivery time.Duration
	// Hold is the documented longest time that an event is held before it is
	// sent: 2 s (S1).
	Hold time.Duration
	// HoldTolerance is added to Hold when DLV-012 is judged. It covers the
	// wire and the clocks between the API's answer and the first byte at the
	// receiver, not the implementation.
	HoldTolerance time.Duration
	// Retry bounds the time until a failed delivery is tried again. The
	// back-off is not documented; a minute is what the suite's users are
	// asked to configure at most. A scenario has up to 12 failures in a row.
	Retry time.Duration
	// Scenario ends a scenario that hangs; longer than all the others that
	// one scenario can add up.
	Scenario time.Duration
	// CleanUp bounds the removal of what one scenario has made: 60
	// subscriptions, a few at a time, at a target that takes a second for
	// each.
	CleanUp time.Duration
}

// DefaultDeadlines are those of a run that sets none.
func DefaultDeadlines() Deadlines {
	return Deadlines{
		Call:          30 * time.Second,
		Delivery:      10 * time.Second,
		Hold:          2 * time.Second,
		HoldTolerance: 400 * time.Millisecond,
		Retry:         60 * time.Second,
		Scenario:      15 * time.Minute,
		CleanUp:       time.Minute,
	}
}
