package emitter

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// recorder appends the events of API calls to the audit log.
type recorder struct{ to *Emitter }

// Record encodes the events, each once, and appends them together.
func (r recorder) Record(ctx context.Context, environment string, events ...event.Event) error {
	records := make([]event.Record, 0, len(events))
	for _, e := range events {
		if e.RecordedAt.IsZero() {
			e.RecordedAt = r.to.clock.Now()
		}
		records = append(records, e.Record())
	}
	return r.to.append(ctx, environment, records)
}

// append appends to the audit log, and counts.
func (e *Emitter) append(ctx context.Context, environment string, records []event.Record) error {
	if err := e.log.Append(ctx, environment, records...); err != nil {
		return err
	}
	e.metrics.Appended(len(records))
	return nil
}

// relay passes news to the dispatcher, which is made last: it reads what the
// others bring. Until then nobody needs to know.
type relay struct {
	to atomic.Pointer[pipeline.Dispatcher]
}

func (r *relay) Changed(environment, subscription string) {
	if d := r.to.Load(); d != nil {
		d.Changed(environment, subscription)
	}
}

func (r *relay) Appended(environment string) {
	if d := r.to.Load(); d != nil {
		d.Appended(environment)
	}
}

// Lags are those that the dispatcher knows of.
func (r *relay) Lags() []pipeline.Lag {
	if d := r.to.Load(); d != nil {
		return d.Lags()
	}
	return nil
}

func (r *relay) ClockMoved() {
	if d := r.to.Load(); d != nil {
		d.ClockMoved()
	}
}

// Test passes a connection test on; it is asked for only once the API is served.
func (r *relay) Test(ctx context.Context, s subscription.Subscription, e event.Event) error {
	d := r.to.Load()
	if d == nil {
		return errors.New("nothing is delivered yet")
	}
	return d.Test(ctx, s, e)
}
