package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets"
)

// formatSteps judge deliveries in formats of which it is not documented where
// in a record the event stands.
func formatSteps() []Step {
	return []Step{
		step(`the data of ((?:"[^"]*"(?:, | and )?)+) is found at "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, list, receiver string) error {
				return w.found(ctx, receiver, quoted(list)...)
			}
		}),
		step(`the data of ((?:"[^"]*"(?:, | and )?)+) has come to "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, list, receiver string) error {
				return w.awaitData(ctx, receiver, quoted(list)...)
			}
		}),
		step(`all data is found at "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, receiver string) error { return w.found(ctx, receiver) }
		}),
		step(`the data of "([^"]*)" is sent to "([^"]*)" until it is acknowledged`, func(w *World) any { return w.foundAcknowledged }),
		step(`the data of "([^"]*)" is not found at "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, name, receiver string) error {
				if _, ok := w.events[name]; !ok {
					return fmt.Errorf("the scenario has not made event %q happen", name)
				}
				if err := w.look(ctx, receiver); err != nil {
					return err
				}
				return w.judged(judge.NotFound(w.driver.Transcript(), receiver, name))
			}
		}),
		step(`no delivery to "([^"]*)" has the data of more than (\d+) events`, func(w *World) any {
			return func(receiver string, limit int) error {
				return w.judged(judge.FoundAtMost(w.driver.Transcript(), receiver, limit))
			}
		}),
		step(`no delivery to "([^"]*)" with the data of several events is larger than (\d+) KB`, func(w *World) any {
			return func(receiver string, limit int) error {
				return w.judged(judge.FoundAtMostKB(w.driver.Transcript(), receiver, limit))
			}
		}),
		step(`every delivery to "([^"]*)" is JSON`, func(w *World) any {
			return func(receiver string) error { return w.judged(judge.JSONBodies(w.driver.Transcript(), receiver)) }
		}),
		step(`every record at "([^"]*)" is an object with an event`, func(w *World) any {
			return func(receiver string) error { return w.judged(judge.SplunkRecords(w.driver.Transcript(), receiver)) }
		}),
		step(`the ids of the events at "([^"]*)" are found at "([^"]*)"`, func(w *World) any { return w.sameIDs }),
		step(`what comes to "([^"]*)" hides the (IP address|user agent) of "([^"]*)"`, func(w *World) any { return w.hiddenAt }),
		step(`the event of "([^"]*)" in its record at "([^"]*)" shows the IP address`, func(w *World) any { return w.addressInRecord }),
		step(`the records at "([^"]*)" and "([^"]*)" differ`, func(w *World) any {
			return func(one, other string) error {
				return w.judged(judge.DifferentRecords(w.driver.Transcript(), one, other))
			}
		}),
	}
}

// found waits until the data of the events of these names (of all, without
// names) has reached the receiver; the deadline counts from the last delivery
// that brought something new.
func (w *World) found(ctx context.Context, receiver string, names ...string) error {
	e, err := w.endpoint(receiver)
	if err != nil {
		return err
	}
	t := w.driver.Transcript()
	arrived := -1
	for judge.Found(t, receiver, names...).Failed() {
		now := judge.CountFound(t, receiver)
		if now <= arrived {
			break
		}
		arrived = now
		if _, err := w.driver.AwaitDeliveries(ctx, e, w.deadlines.Delivery, func() bool {
			return judge.CountFound(t, receiver) > arrived
		}); err != nil {
			return err
		}
	}
	return w.judged(judge.Found(t, receiver, names...))
}

// awaitData waits until the data of the events of these names has reached the
// receiver, in order to observe something else; without it the scenario is
// unobserved. Over TCP, a target that claims to deliver does not.
func (w *World) awaitData(ctx context.Context, receiver string, names ...string) error {
	e, err := w.endpoint(receiver)
	if err != nil {
		return err
	}
	t := w.driver.Transcript()
	came, err := w.driver.AwaitDeliveries(ctx, e, w.deadlines.Delivery, func() bool {
		return !judge.Found(t, receiver, names...).Failed()
	})
	if err == nil && !came {
		missing := fmt.Sprintf("within %v nothing with the id of what %q is about was found in what came to receiver %q", w.deadlines.Delivery, names, receiver)
		if strings.HasPrefix(e.URL, "tcp://") && slices.Contains(t.Claims, string(targets.TCPDelivery)) {
			return &Unserved{targets.TCPDelivery, missing}
		}
		return unobserved("%s", missing)
	}
	return err
}

func (w *World) foundAcknowledged(ctx context.Context, name, receiver string) error {
	t := w.driver.Transcript()
	err := w.whileRetrying(ctx, receiver, func() bool { return !judge.FoundAcknowledged(t, receiver, name).Failed() })
	if err != nil {
		return err
	}
	return w.judged(judge.FoundAcknowledged(t, receiver, name))
}

// sameIDs waits until every id of the events at one receiver has come to the
// other.
func (w *World) sameIDs(ctx context.Context, one, other string) error {
	e, err := w.endpoint(other)
	if err != nil {
		return err
	}
	t := w.driver.Transcript()
	if _, err := w.driver.AwaitDeliveries(ctx, e, w.deadlines.Delivery, func() bool {
		return !judge.SameIDs(t, one, other).Failed()
	}); err != nil {
		return err
	}
	return w.judged(judge.SameIDs(t, one, other))
}

// anything waits until a delivery has come to the receiver.
func (w *World) anything(ctx context.Context, receiver string) error {
	e, err := w.endpoint(receiver)
	if err != nil {
		return err
	}
	t := w.driver.Transcript()
	came, err := w.driver.AwaitDeliveries(ctx, e, w.deadlines.Delivery, func() bool { return len(t.Deliveries(receiver)) > 0 })
	if err == nil && !came {
		return unobserved("nothing came to receiver %q within %v", receiver, w.deadlines.Delivery)
	}
	return err
}

// hiddenAt judges that nothing tells where an event came from in what comes to
// the receiver, of whose records nothing is documented.
func (w *World) hiddenAt(ctx context.Context, receiver, what, name string) error {
	c, err := w.event(name)
	if err != nil {
		return err
	}
	if err := w.anything(ctx, receiver); err != nil {
		return err
	}
	hides := map[string]func(*transcript.Transcript, string, judge.Origin) judge.Outcome{
		"IP address": judge.BodiesHideAddress, "user agent": judge.BodiesHideUserAgent,
	}[what]
	return w.judged(hides(w.driver.Transcript(), receiver, judge.OriginOf(w.driver.Transcript(), c)))
}

// addressInRecord judges the event in a record, where there is one.
func (w *World) addressInRecord(ctx context.Context, name, receiver string) error {
	c, err := w.event(name)
	if err != nil {
		return err
	}
	if err := w.anything(ctx, receiver); err != nil {
		return err
	}
	o, told := judge.RecordShowsAddress(w.driver.Transcript(), receiver, c)
	if !told {
		return unobserved("no record at receiver %q has the event %q in it", receiver, name)
	}
	return w.judged(o)
}
