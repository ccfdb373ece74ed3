package steps

import (
	"context"
	"fmt"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
)

// receiverSteps make the opposite end, and tell what has come to it.
func receiverSteps() []Step {
	return []Step{
		step(`a receiver "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, name string) error {
				return w.receiver(ctx, name, driver.Listener{Mode: "trusted"}, driver.Behaviour{})
			}
		}),
		step(`a receiver at path and query "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, below string) error { return w.receiverAt(ctx, below, driver.Behaviour{}) }
		}),
		step(`a receiver at path and query "([^"]*)" that answers (\d+) to the first (\d+) deliveries`, func(w *World) any {
			return func(ctx context.Context, below string, status, n int) error {
				return w.receiverAt(ctx, below, atFirst(n, driver.Action{Status: status}))
			}
		}),
		step(`every event is delivered`, func(w *World) any {
			return func(ctx context.Context) error { return w.allDelivered(ctx, theReceiver) }
		}),
		step(`the events? of ((?:"[^"]*"(?:, | and )?)+) (?:has|have) not come to "([^"]*)"`, func(w *World) any {
			return w.notArrived
		}),
	}
}

// receiver makes an endpoint at the receiver simulator.
func (w *World) receiver(ctx context.Context, name string, listener driver.Listener, behaviour driver.Behaviour) error {
	listener.Open = true
	e, err := w.driver.NewEndpoint(ctx, name, listener, behaviour)
	if err != nil {
		return err
	}
	w.endpoints[name] = e
	return nil
}

// receiverAt makes a receiver that is to be reached below its path, with a
// query.
func (w *World) receiverAt(ctx context.Context, below string, behaviour driver.Behaviour) error {
	if err := w.receiver(ctx, theReceiver, driver.Listener{Mode: "trusted"}, behaviour); err != nil {
		return err
	}
	w.endpoints[theReceiver].URL += below
	return nil
}

// allDelivered waits until every event has reached the receiver. A burst may
// take many deliveries, one after the other: the deadline counts from the
// last one that brought something new.
func (w *World) allDelivered(ctx context.Context, receiver string) error {
	e, err := w.endpoint(receiver)
	if err != nil {
		return err
	}
	t := w.driver.Transcript()
	wanted, arrived := len(t.Caused()), -1
	for now := judge.CountArrived(t, receiver); now > arrived && now < wanted; now = judge.CountArrived(t, receiver) {
		arrived = now
		if _, err := w.driver.AwaitDeliveries(ctx, e, w.deadlines.Delivery, func() bool {
			return judge.CountArrived(t, receiver) > arrived
		}); err != nil {
			return err
		}
	}
	return w.judged(judge.Delivered(t, receiver))
}

// notArrived looks once at the receiver and judges that none of the events
// has come there. What came elsewhere before shows that the time had come.
func (w *World) notArrived(ctx context.Context, list, receiver string) error {
	e, err := w.endpoint(receiver)
	if err != nil {
		return err
	}
	if err := w.driver.LookOnce(ctx, e); err != nil {
		return err
	}
	for _, name := range quoted(list) {
		if _, ok := w.events[name]; !ok {
			return fmt.Errorf("the scenario has not made event %q happen", name)
		}
	}
	return w.judged(judge.NotDelivered(w.driver.Transcript(), receiver, quoted(list)...))
}
