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
	"github.com/hookproof/hookproof/steps/transcript"
)

// theSubscription is what a scenario's only subscription, and its receiver,
// are called where it gives them no name.
const (
	theSubscription = "subscription"
	theReceiver     = "receiver"
)

// subscriptionSteps make subscriptions that a scenario needs in order to
// observe something else; a refusal makes the scenario unobserved.
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
		step(`a subscription in environment "([^"]*)" to "([^"]*)" at receiver "([^"]*)"`, func(w *World) any { return w.subscribeElsewhere }),
		step(`a subscription to "([^"]*)" for (population|application)s? ((?:"[^"]*"(?:, | and )?)+)`, func(w *World) any {
			return func(ctx context.Context, types, kind, list string) error {
				return w.subscribe(ctx, theSubscription, types, theReceiver, []setting{{kind + "s", strings.Join(quoted(list), ", ")}})
			}
		}),
		step(`a subscription`, func(w *World) any {
			return func(ctx context.Context) error { return w.existing(ctx, nil) }
		}),
		step(`a subscription with:`, func(w *World) any { return w.existing }),
		step(`a subscription with every option`, func(w *World) any {
			return func(ctx context.Context) error {
				body, err := w.everyOption(ctx)
				if err != nil {
					return err
				}
				return w.establish(ctx, theSubscription, body)
			}
		}),
		step(`a receiver on a port that is its own`, func(w *World) any {
			return func(ctx context.Context) error {
				return w.receiver(ctx, theReceiver, driver.Listener{Mode: "trusted", Dedicated: true}, driver.Behaviour{})
			}
		}),
		step(`(\d+) subscriptions(, every second one disabled)?`, func(w *World) any {
			return func(ctx context.Context, count int, disabled string) error {
				if err := w.requestMany(ctx, count, disabled != ""); err != nil {
					return err
				}
				for _, x := range w.answers {
					if _, err := answered(x, judge.Success()); err != nil {
						return err
					}
				}
				return nil
			}
		}),
	}
}

// subscribe makes a subscription that delivers to the receiver, which it
// makes too where the scenario has not.
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
	if err := w.establish(ctx, name, body); err != nil {
		return err
	}
	w.environment.subscriptions[name].endpoint = receiver
	return nil
}

// subscribeElsewhere makes a subscription in another of the scenario's
// environments.
func (w *World) subscribeElsewhere(ctx context.Context, environment, types, receiver string) error {
	other := w.others[environment]
	if other == nil {
		return fmt.Errorf("there is no environment %q", environment)
	}
	own := w.environment
	defer func() { w.environment = own }()
	w.environment = other
	return w.subscribe(ctx, theSubscription, types, receiver, nil)
}

// existing makes a subscription to which nothing is to be delivered.
func (w *World) existing(ctx context.Context, table *godog.Table) error {
	settings, err := settingsOf(table)
	if err != nil {
		return err
	}
	body, err := w.subscriptionBody("USER.CREATED", settings)
	if err != nil {
		return err
	}
	return w.establish(ctx, theSubscription, body)
}

// establish makes a subscription of that body.
func (w *World) establish(ctx context.Context, name string, body []byte) error {
	if _, err := w.call(ctx, http.MethodPost, w.here("/subscriptions"), body); err != nil {
		return err
	}
	if _, err := answered(w.answer, judge.Success()); err != nil {
		return err
	}
	if !w.keep(name, body, w.answer) {
		return unobserved("an answer to the create of a subscription without an id")
	}
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
		{"httpEndpoint.url", w.driver.Nowhere()},
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

// everyOption is the body of a subscription that uses every option there is
// for HTTPS but the client's key, with populations and an application that
// it makes.
func (w *World) everyOption(ctx context.Context) ([]byte, error) {
	if err := w.populations(ctx, `"Staff" and "Customers"`); err != nil {
		return nil, err
	}
	if err := w.applications(ctx, `"Portal"`); err != nil {
		return nil, err
	}
	body, err := fixtures.Subscription("full")
	if err != nil {
		return nil, err
	}
	if body, err = sjson.SetBytes(body, "name", w.driver.Name("subscription")); err != nil {
		return nil, err
	}
	if body, err = sjson.SetBytes(body, "httpEndpoint.url", w.driver.Nowhere()); err != nil {
		return nil, err
	}
	return w.apply(body, []setting{
		{"tlsClientAuthKeyPair", "absent"}, {"populations", "Staff, Customers"}, {"applications", "Portal"},
	})
}

// keep remembers a subscription that an answer says was made, and tells
// whether it does.
func (w *World) keep(name string, sent []byte, x transcript.Exchange) bool {
	if x.Response == nil || x.Response.Status/100 != 2 {
		return false
	}
	id := gjson.GetBytes(x.Response.Body, "id").String()
	if id == "" {
		return false
	}
	w.environment.subscriptions[name] = &subscription{id: id, sent: sent, created: x, written: x}
	return true
}

// theOne is the scenario's only subscription.
func (w *World) theOne() (*subscription, error) {
	s := w.environment.subscriptions[theSubscription]
	if s == nil {
		return nil, unobserved("there is no subscription to look at")
	}
	return s, nil
}
