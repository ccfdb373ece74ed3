package emitter

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

const (
	// maxOffset bounds how far the clock can be advanced, in all.
	maxOffset = 100 * 365 * 24 * time.Hour
	// clockKey is where the offset is kept, in nanoseconds.
	clockKey = "clock"
)

var errClockNotKept = errors.New("the clock cannot be kept")

// clock shows the machine's time plus an offset that only grows, so that seven
// and fourteen days can be observed. It is kept with the data, as events have
// happened by it, and it is one clock for all processes that share them.
type clock struct {
	offset atomic.Int64
	kept   own
	moved  func()
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// Now is the emitter's time.
func (c *clock) Now() time.Time { return time.Now().Add(c.Offset()) }

// Offset is how far the clock was advanced.
func (c *clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// keep takes the clock as an earlier process left it; and, when it is shared,
// follows it until close. moved is told of every advance.
func (c *clock) keep(ctx context.Context, bucket own, shared bool, moved func()) error {
	c.kept, c.moved = bucket, moved
	if _, err := c.read(ctx); err != nil {
		return err
	}
	if !shared {
		return nil
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	watcher, err := bucket.Watch(ctx, clockKey)
	if err != nil {
		stop()
		return fmt.Errorf("follow the clock: %w", err)
	}
	c.stop = stop
	c.done.Go(func() {
		defer func() { _ = watcher.Stop() }() // it fails only when the connection is gone already
		for {
			select {
			case entry, ok := <-watcher.Updates():
				if !ok {
					return
				}
				if entry == nil {
					continue
				}
				if offset, err := strconv.ParseInt(string(entry.Value()), 10, 64); err == nil {
					c.show(offset)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return nil
}

func (c *clock) close() {
	if c.stop != nil {
		c.stop()
		c.done.Wait()
	}
}

// read shows what is kept and returns its revision, 0 if nothing is.
func (c *clock) read(ctx context.Context) (revision uint64, err error) {
	entry, err := c.kept.Get(ctx, clockKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errClockNotKept, err)
	}
	offset, err := strconv.ParseInt(string(entry.Value()), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: read %q: %w", errClockNotKept, entry.Value(), err)
	}
	c.show(offset)
	return entry.Revision(), nil
}

// show moves the clock to an offset, unless it is there already.
func (c *clock) show(offset int64) {
	for {
		old := c.offset.Load()
		if offset <= old {
			return
		}
		if c.offset.CompareAndSwap(old, offset) {
			c.moved()
			return
		}
	}
}

// Advance moves the clock forward, for every process that shares it.
func (c *clock) Advance(ctx context.Context, by time.Duration) error {
	for {
		revision, err := c.read(ctx)
		if err != nil {
			return err
		}
		old := c.Offset()
		switch {
		case by < 0:
			return errors.New("a clock cannot go back: events would happen before those they follow")
		case by > maxOffset || old > maxOffset-by:
			return errors.New("a clock cannot be advanced by more than a hundred years")
		}
		next := int64(old + by)
		_, err = c.kept.Update(ctx, clockKey, []byte(strconv.FormatInt(next, 10)), revision)
		if storage.Outdated(err) {
			continue // another process advanced it meanwhile
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errClockNotKept, err)
		}
		c.show(next)
		return nil
	}
}
