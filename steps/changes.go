package steps

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	"github.com/cucumber/godog"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

// changeSteps make several subscriptions that deliver side by side, and
// change one in order to observe what it delivers afterwards.
func changeSteps() []Step {
	return []Step{
		step(`subscriptions ((?:"[^"]*"(?:, | and )?)+) to "([^"]*)", each with a receiver of that name`, func(w *World) any {
			return func(ctx context.Context, list, types string) error {
				for _, name := range quoted(list) {
					if err := w.subscribe(ctx, name, types, name, nil); err != nil {
						return err
					}
				}
				return nil
			}
		}),
		step(`subscription "([^"]*)" is switched (on|off)`, func(w *World) any {
			return func(ctx context.Context, name, state string) error {
				return w.change(ctx, name, []setting{{"enabled", map[string]string{"on": "true", "off": "false"}[state]}})
			}
		}),
		step(`subscription "([^"]*)" is moved to a receiver "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, name, receiver string) error {
				if err := w.receiver(ctx, receiver, driver.Listener{Mode: "trusted"}, driver.Behaviour{}); err != nil {
					return err
				}
				return w.change(ctx, name, []setting{{"receiver", receiver}})
			}
		}),
		step(`(?:the subscription|subscription "([^"]*)") is changed with:`, func(w *World) any { return w.changeWith }),
		step(`a first event has been delivered`, func(w *World) any { return w.deliverFirst }),
		step(`subscription "([^"]*)" is removed`, func(w *World) any { return w.remove }),
	}
}

// change puts a subscription with the settings changed; a refusal makes the
// scenario unobserved. What was sent becomes what the next change starts from.
func (w *World) change(ctx context.Context, name string, settings []setting) error {
	s, err := w.subscription(name)
	if err != nil {
		return err
	}
	body, err := w.apply(s.sent, settings)
	if err != nil {
		return err
	}
	x, err := w.call(ctx, http.MethodPut, w.here("/subscriptions/"+s.id), body)
	if err != nil {
		return err
	}
	if _, err := answered(x, judge.Status(http.StatusOK)); err != nil {
		return err
	}
	s.sent = body
	return nil
}

// changeWith puts a subscription with the settings changed. The judges of
// deliveries look from now on only at what begins later than the answer: it is
// to be as the subscription is now.
func (w *World) changeWith(ctx context.Context, name string, table *godog.Table) error {
	settings, err := settingsOf(table)
	if err != nil {
		return err
	}
	if err := w.change(ctx, cmp.Or(name, theSubscription), settings); err != nil {
		return err
	}
	w.since = w.answer.End
	return nil
}

// observed is the transcript, from the last change of a subscription on.
func (w *World) observed() *transcript.Transcript {
	return judge.Since(w.driver.Transcript(), w.since)
}

// deliverFirst makes an event happen and waits until it has come to the
// scenario's only receiver, so that whatever is kept between deliveries is
// there to be kept. An event that does not come makes the scenario unobserved.
func (w *World) deliverFirst(ctx context.Context) error {
	const first = "first"
	if err := w.createUser(ctx, first, ""); err != nil {
		return err
	}
	err := w.delivered(ctx, theReceiver, first)
	if f, ok := asFailure(err); ok {
		return prepared(f.Outcome)
	}
	return err
}

// remove deletes a subscription; a refusal makes the scenario unobserved.
func (w *World) remove(ctx context.Context, name string) error {
	s, err := w.subscription(name)
	if err != nil {
		return err
	}
	x, err := w.call(ctx, http.MethodDelete, w.here("/subscriptions/"+s.id), nil)
	if err != nil {
		return err
	}
	_, err = answered(x, judge.Status(http.StatusNoContent))
	return err
}

// subscription is the one of that name in the scenario's environment.
func (w *World) subscription(name string) (*subscription, error) {
	s := w.environment.subscriptions[name]
	if s == nil {
		return nil, fmt.Errorf("there is no subscription %q", name)
	}
	return s, nil
}
