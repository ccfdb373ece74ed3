package steps

import (
	"context"
	"strings"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

// readBackSteps ask the receiver under test what it has stored.
func readBackSteps() []Step {
	return []Step{
		step(`every event is read back`, func(w *World) any {
			return func(ctx context.Context) error {
				return w.readBack(ctx, func(x transcript.Exchange) judge.Outcome { return judge.AllReadBack(w.driver.Transcript(), x) })
			}
		}),
		step(`what was posted is read back`, func(w *World) any {
			return func(ctx context.Context) error {
				if _, err := w.stored(ctx, eventIDs(w.offered), true); err != nil {
					return err
				}
				return w.judged(judge.Kept(w.driver.Transcript()))
			}
		}),
		step(`the events are read back in the order of their delivery`, func(w *World) any {
			return func(ctx context.Context) error {
				return w.readBack(ctx, func(x transcript.Exchange) judge.Outcome { return judge.ReadBackInOrder(w.driver.Transcript(), x) })
			}
		}),
		step(`every event is read back unchanged, where reading back is offered`, func(w *World) any {
			return func(ctx context.Context) error {
				if !w.canReadBack() {
					return nil
				}
				return w.readBack(ctx, func(x transcript.Exchange) judge.Outcome { return judge.ReadBackUnchanged(w.driver.Transcript(), x) })
			}
		}),
		step(`nothing of the delivery is read back`, func(w *World) any {
			return func(ctx context.Context) error {
				x, err := w.stored(ctx, eventIDs(w.offered), false)
				if err != nil {
					return err
				}
				return w.judged(judge.NothingReadBack(x))
			}
		}),
	}
}

// readBack asks for every event that happened, and judges what comes.
func (w *World) readBack(ctx context.Context, j func(transcript.Exchange) judge.Outcome) error {
	var ids []string
	for _, c := range w.driver.Transcript().Caused() {
		ids = append(ids, c.EventID)
	}
	x, err := w.stored(ctx, ids, true)
	if err != nil {
		return err
	}
	return w.judged(j(x))
}

// readBackTaken asks, where reading back is offered, for the events that were
// answered 200 in the scenario and that no step has read back. It asks once,
// and waits only for those that are not there yet.
func (w *World) readBackTaken(ctx context.Context) error {
	if !w.canReadBack() {
		return nil
	}
	for _, wait := range []bool{false, true} {
		ids := judge.Unread(w.driver.Transcript())
		if len(ids) == 0 {
			return nil
		}
		if !wait {
			w.driver.Step(afterwardsStep)
		}
		if _, err := w.stored(ctx, ids, wait); err != nil {
			return err
		}
	}
	return nil
}

// stored asks for the events with these ids, and waits for all of them where
// that is wanted.
func (w *World) stored(ctx context.Context, ids []string, wait bool) (transcript.Exchange, error) {
	c := driver.Call{Peer: driver.ReadBack, Method: "READ", Path: "events", Body: []byte(strings.Join(ids, "\n"))}
	if wait {
		c.Within = w.deadlines.Delivery
	}
	x, err := w.driver.Do(ctx, c)
	if err != nil {
		return x, err
	}
	if x.Response == nil {
		return x, unobserved("reading back: %s", x.Error)
	}
	return x, nil
}
