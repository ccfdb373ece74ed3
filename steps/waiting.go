package steps

import (
	"context"
	"fmt"
	"net/http"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/targets"
)

// waitingSteps let days pass by the target's clock, and judge what becomes of
// events that wait: for a suspended subscription, or a receiver that fails.
func waitingSteps() []Step {
	return []Step{
		step(`the target's clock is advanced by (\d+) days`, func(w *World) any {
			return func(ctx context.Context, days int) error { return w.advance(ctx, days, 0) }
		}),
		step(`the target's clock is advanced by (\d+) days and (\d+) hours?`, func(w *World) any { return w.advance }),
		step(`users ((?:"[^"]*"(?:, | and )?)+) are created, each after the one before has come to "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, list, receiver string) error {
				for _, name := range quoted(list) {
					if err := w.createUser(ctx, name, ""); err != nil {
						return err
					}
					if err := w.delivered(ctx, receiver, name); err != nil {
						return err
					}
				}
				return nil
			}
		}),
		step(`nothing is sent to "([^"]*)" after the event of "([^"]*)" has come to "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, receiver, name, witness string) error {
				if err := w.look(ctx, receiver); err != nil {
					return err
				}
				return w.judged(judge.QuietSince(w.driver.Transcript(), receiver, name, witness))
			}
		}),
		step(`the event of "([^"]*)" comes to "([^"]*)" without that of "([^"]*)"`, func(w *World) any { return w.withoutTheOther }),
		step(`the event of "([^"]*)", and not that of "([^"]*)", is sent to "([^"]*)" until it is acknowledged`, func(w *World) any {
			return func(ctx context.Context, name, other, receiver string) error {
				if err := w.acknowledged(ctx, receiver, name); err != nil {
					return err
				}
				return w.judged(judge.NeverAcknowledged(w.driver.Transcript(), receiver, other))
			}
		}),
		step(`only the events? of ((?:"[^"]*"(?:, | and )?)+) (?:is|are) delivered to "([^"]*)"`, func(w *World) any { return w.deliveredOnly }),
	}
}

// advance moves the target's clock forward.
func (w *World) advance(ctx context.Context, days, hours int) error {
	if !w.claims(targets.ClockControl) {
		return unobserved("the target's clock cannot be advanced")
	}
	x, err := w.driver.Do(ctx, driver.Call{
		Peer: driver.Control, Method: http.MethodPost, Path: "/control/clock",
		Header: map[string]string{"Content-Type": "application/json"}, Body: fmt.Appendf(nil, `{"advance":"%dh"}`, 24*days+hours),
	})
	if err != nil {
		return err
	}
	_, err = answered(x, judge.Status(http.StatusOK))
	return err
}

// withoutTheOther waits until an event has been sent to a receiver that fails,
// however often others are sent to it before.
func (w *World) withoutTheOther(ctx context.Context, name, receiver, other string) error {
	e, err := w.endpoint(receiver)
	if err != nil {
		return err
	}
	t := w.driver.Transcript()
	if _, err := w.driver.AwaitDeliveries(ctx, e, w.deadlines.Retry, func() bool {
		return !judge.Delivered(t, receiver, name).Failed()
	}); err != nil {
		return err
	}
	return w.judged(judge.ArrivedWithout(t, receiver, name, other))
}
