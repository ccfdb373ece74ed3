package emitter

import (
	"errors"
	"sync/atomic"
	"time"
)

// maxOffset bounds how far the clock can be advanced, in all.
const maxOffset = 100 * 365 * 24 * time.Hour

// clock shows the machine's time plus an offset that only grows, so that seven
// and fourteen days can be observed.
type clock struct{ offset atomic.Int64 }

// Now is the emitter's time.
func (c *clock) Now() time.Time { return time.Now().Add(c.Offset()) }

// Offset is how far the clock was advanced.
func (c *clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// Advance moves the clock forward.
func (c *clock) Advance(by time.Duration) error {
	for {
		old := c.offset.Load()
		switch {
		case by < 0:
			return errors.New("a clock cannot go back: events would happen before those they follow")
		case by > maxOffset || time.Duration(old) > maxOffset-by:
			return errors.New("a clock cannot be advanced by more than a hundred years")
		}
		if c.offset.CompareAndSwap(old, old+int64(by)) {
			return nil
		}
	}
}
