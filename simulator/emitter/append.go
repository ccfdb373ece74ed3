package emitter

import (
	"context"

	"github.com/hookproof/hookproof/simulator/emitter/event"
)

// Append puts events into an environment's audit log, past every API, and
// returns when they are stored: what the control API does with posted events
// once it has read them. The environment must exist. It must not be called
// after Close.
func (e *Emitter) Append(ctx context.Context, environment string, records ...event.Record) error {
	return e.append(ctx, environment, records)
}
