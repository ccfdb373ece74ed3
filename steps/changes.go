package steps

import (
	"context"
	"fmt"
	"net/http"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
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
