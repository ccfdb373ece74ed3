package steps

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/cucumber/godog"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/fixtures"
	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
)

// theSubscription is what a scenario's only subscription, and its receiver,
// are called where it gives them no name.
const (
	theSubscription = "subscription"
	theReceiver     = "receiver"
)

// subscriptionSteps make subscriptions that are there to deliver, and make
// requests about subscriptions whose answers are judged.
func subscriptionSteps() []Step {
	return []Step{
		step(`a subscription to "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, types string) error {
				return w.subscribe(ctx, theSubscription, types, theReceiver, nil)
			}
		}),
		step(`a subscription to "([^"]*)" with:`, func(w *World) any {
			return func(ctx context.Context, types string, table *godog.Table) error {
				settings, err := settingsOf(table)
				if err != nil {
					return err
				}
				return w.subscribe(ctx, theSubscription, types, theReceiver, settings)
			}
		}),
		step(`a subscription "([^"]*)" to "([^"]*)" at receiver "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, name, types, receiver string) error {
				return w.subscribe(ctx, name, types, receiver, nil)
			}
		}),
		step(`a subscription "([^"]*)" to "([^"]*)" at receiver "([^"]*)" with:`, func(w *World) any {
			return func(ctx context.Context, name, types, receiver string, table *godog.Table) error {
				settings, err := settingsOf(table)
				if err != nil {
					return err
				}
				return w.subscribe(ctx, name, types, receiver, settings)
			}
		}),
		step(`a subscription to "([^"]*)" for (population|application)s? ((?:"[^"]*"(?:, | and )?)+)`, func(w *World) any {
			return func(ctx context.Context, types, kind, list string) error {
				return w.subscribe(ctx, theSubscription, types, theReceiver, []setting{{kind + "s", strings.Join(quoted(list), ", ")}})
			}
		}),
		step(`a subscription is requested`, func(w *World) any {
			return func(ctx context.Context) error { return w.request(ctx, nil) }
		}),
		step(`a subscription is requested with:`, func(w *World) any { return w.request }),
		step(`the request is accepted`, func(w *World) any {
			return func() error { return judged(judge.Response(w.answer, judge.Status(http.StatusCreated))) }
		}),
		step(`the request is refused`, func(w *World) any {
			return func() error {
				return judged(judge.Response(w.answer, judge.Refused(http.StatusBadRequest), judge.Envelope()))
			}
		}),
	}
}

// subscribe makes a subscription that the scenario needs in order to
// observe something else; a refusal makes the scenario unobserved.
func (w *World) subscribe(ctx context.Context, name, types, receiver string, settings []setting) error {
	if w.endpoints[receiver] == nil {
		if err := w.receiver(ctx, receiver, driver.Listener{Mode: "trusted"}, driver.Behaviour{}); err != nil {
			return err
		}
	}
	body, err := w.subscriptionBody(types, append([]setting{{"receiver", receiver}}, settings...))
	if err != nil {
		return err
	}
	id, _, err := w.create(ctx, w.here("/subscriptions"), body)
	if err != nil {
		return err
	}
	w.later(http.MethodDelete, w.here("/subscriptions/"+id))
	w.environment.subscriptions[name] = &subscription{id: id, sent: body, created: w.answer, endpoint: receiver}
	return nil
}

// subscriptionBody is the body of a minimal subscription to the types, with
// the settings put in.
func (w *World) subscriptionBody(types string, settings []setting) ([]byte, error) {
	body, err := fixtures.Subscription("minimal")
	if err != nil {
		return nil, err
	}
	for _, m := range []struct {
		path  string
		value any
	}{
		{"name", w.driver.Name("subscription")},
		{"httpEndpoint.url", noReceiver},
		{"filterOptions.includedActionTypes", strings.Split(types, ", ")},
		{"verifyTlsCertificates", false},
		{"enabled", true},
	} {
		if body, err = sjson.SetBytes(body, m.path, m.value); err != nil {
			return nil, fmt.Errorf("set %s: %w", m.path, err)
		}
	}
	return w.apply(body, settings)
}

// request asks for a subscription; whether it is granted is for the steps
// after it to judge.
func (w *World) request(ctx context.Context, table *godog.Table) error {
	settings, err := settingsOf(table)
	if err != nil {
		return err
	}
	body, err := w.subscriptionBody("USER.CREATED", settings)
	if err != nil {
		return err
	}
	_, err = w.call(ctx, http.MethodPost, w.here("/subscriptions"), body)
	if err == nil && w.answer.Response != nil && w.answer.Response.Status == http.StatusCreated {
		w.keep(theSubscription, body)
	}
	return err
}

// keep remembers the subscription that the last answer is about.
func (w *World) keep(name string, sent []byte) {
	id := gjson.GetBytes(w.answer.Response.Body, "id").String()
	w.environment.subscriptions[name] = &subscription{id: id, sent: sent, created: w.answer}
	w.later(http.MethodDelete, w.here("/subscriptions/"+id))
}
