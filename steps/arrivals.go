package steps

import (
	"context"
	"fmt"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
)

// arrivalSteps wait for events at a receiver and judge which came.
func arrivalSteps() []Step {
	return []Step{
		step(`the events? of ((?:"[^"]*"(?:, | and )?)+) (?:is|are) delivered`, func(w *World) any {
			return func(ctx context.Context, list string) error {
				return w.delivered(ctx, theReceiver, quoted(list)...)
			}
		}),
		step(`the events? of ((?:"[^"]*"(?:, | and )?)+) (?:is|are) delivered to "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, list, receiver string) error {
				return w.delivered(ctx, receiver, quoted(list)...)
			}
		}),
		step(`only the events? of ((?:"[^"]*"(?:, | and )?)+) (?:is|are) delivered`, func(w *World) any {
			return func(ctx context.Context, list string) error {
				return w.deliveredOnly(ctx, list, theReceiver)
			}
		}),
	}
}

// endpoint is the receiver of that name.
func (w *World) endpoint(name string) (*driver.Endpoint, error) {
	e := w.endpoints[name]
	if e == nil {
		return nil, fmt.Errorf("there is no receiver %q", name)
	}
	return e, nil
}

// delivered waits until the events of these names (all caused, without
// names) have reached the receiver, and fails when the deadline passes first.
func (w *World) delivered(ctx context.Context, receiver string, names ...string) error {
	e, err := w.endpoint(receiver)
	if err != nil {
		return err
	}
	t := w.driver.Transcript()
	_, err = w.driver.AwaitDeliveries(ctx, e, w.deadlines.Delivery, func() bool {
		return !judge.Delivered(t, receiver, names...).Failed()
	})
	if err != nil {
		return err
	}
	return w.judged(judge.Delivered(t, receiver, names...))
}

// deliveredOnly waits for the events of the list, the last of which is caused
// last, and fails if another event of the scenario has come by then.
func (w *World) deliveredOnly(ctx context.Context, list, receiver string) error {
	if err := w.delivered(ctx, receiver, quoted(list)...); err != nil {
		return err
	}
	return w.judged(judge.OnlyDelivered(w.driver.Transcript(), receiver, quoted(list)...))
}
