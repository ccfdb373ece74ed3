package steps

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/cucumber/godog"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/fixtures"
	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/targets"
)

// hookDeliverySteps have the reference emitter deliver to the receiver under
// test, and judge what it answered.
func hookDeliverySteps() []Step {
	return []Step{
		step(`the receiver under test, subscribed to "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, types string) error { return w.hookSubscribed(ctx, types, nil) }
		}),
		step(`the receiver under test, subscribed to "([^"]*)" with:`, func(w *World) any { return w.hookSubscribed }),
		step(`the receiver under test, subscribed a second time to "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, types string) error {
				return w.hookSubscription(ctx, "second "+theSubscription, types, nil)
			}
		}),
		step(`the receiver is subscribed with the credentials (in other case|with one byte changed|cut short|lengthened|within a longer value|without their scheme)`,
			func(w *World) any { return w.hookNearMiss }),
		step(`the receiver is subscribed with (wrong credentials|no credentials|no client certificate|a client certificate of another authority)`,
			func(w *World) any { return w.hookStranger }),
		step(`sample events ((?:"[^"]*"(?:, | and )?)+) happen at once`, func(w *World) any { return w.postSamples }),
		step(`an event whose members come in the reverse order`, func(w *World) any { return w.postReversed }),
		step(`events with 0 to 9 digits of a second's fraction`, func(w *World) any { return w.postFractions }),
		step(`an event with a string of (\d+) letters`, func(w *World) any { return w.postLongString }),

		step(`every delivery is answered 200`, func(w *World) any { return w.hookTaken }),
		step(`a delivery of (\d+) events? is answered 200`, func(w *World) any {
			return func(ctx context.Context, n int) error {
				return w.hookTook(ctx, fmt.Sprintf("a delivery of %d events", n), func(d judge.Attempt) bool { return d.Count() == n })
			}
		}),
		step(`a delivery of (\d+) to (\d+) bytes is answered 200`, func(w *World) any {
			return func(ctx context.Context, least, most int) error {
				return w.hookTook(ctx, fmt.Sprintf("a delivery of %d to %d bytes", least, most), func(d judge.Attempt) bool {
					return len(d.Body) >= least && len(d.Body) <= most
				})
			}
		}),
		step(`whatever is taken is answered 200`, func(w *World) any {
			return func(ctx context.Context) error {
				if err := w.awaitAnswer(ctx); err != nil {
					return err
				}
				return w.judged(judge.TakenBy200(w.driver.Transcript()))
			}
		}),
		step(`no delivery is redirected`, func(w *World) any {
			return func(ctx context.Context) error {
				if err := w.awaitAnswer(ctx); err != nil {
					return err
				}
				return w.judged(judge.NotRedirected(w.driver.Transcript()))
			}
		}),
		step(`every delivery is refused with 401 or 403`, func(w *World) any {
			return func(ctx context.Context) error {
				if err := w.awaitAttempts(ctx, judge.Answered); err != nil {
					return err
				}
				return w.judged(judge.RefusedWith(w.driver.Transcript(), http.StatusUnauthorized, http.StatusForbidden))
			}
		}),
		step(`no delivery is taken`, func(w *World) any {
			return func(ctx context.Context) error {
				if err := w.awaitAttempts(ctx, judge.Tried); err != nil {
					return err
				}
				return w.judged(judge.NoneTaken(w.driver.Transcript()))
			}
		}),
	}
}

// hookSubscribed makes an environment at the reference emitter, and in it a
// subscription that delivers to the receiver under test as was agreed.
func (w *World) hookSubscribed(ctx context.Context, types string, table *godog.Table) error {
	settings, err := settingsOf(table)
	if err != nil {
		return err
	}
	if w.environment == nil {
		if err := w.anEnvironment(ctx); err != nil {
			return err
		}
	}
	return w.hookSubscription(ctx, theSubscription, types, settings)
}

// hookSubscription makes a subscription that delivers to the receiver under
// test as was agreed, unless the settings say otherwise.
func (w *World) hookSubscription(ctx context.Context, name, types string, settings []setting) error {
	hook := w.driver.Transcript().Hook
	if hook == nil {
		return fmt.Errorf("there is no receiver under test")
	}
	agreed := []setting{{"httpEndpoint.url", strconv.Quote(hook.URL)}}
	for _, header := range sortedKeys(hook.Headers) {
		agreed = append(agreed, setting{"header " + header, hook.Headers[header]})
	}
	if hook.Key != "" && !slices.ContainsFunc(settings, func(s setting) bool { return s.name == "key" || s.name == "tlsClientAuthKeyPair" }) {
		if err := w.hookKey(ctx); err != nil {
			return err
		}
		agreed = append(agreed, setting{"key", agreedKey}, verified)
	}
	body, err := w.subscriptionBody(types, append(agreed, settings...))
	if err != nil {
		return err
	}
	return w.establish(ctx, name, body)
}

// verified is how a subscription with a client certificate must be (SUB-TLS-001).
var verified = setting{"verifyTlsCertificates", "true"}

// agreedKey is what the key is called whose certificate the receiver expects.
const agreedKey = "agreed"

// hookKey brings the agreed key to the scenario's environment.
func (w *World) hookKey(ctx context.Context) error {
	if _, there := w.environment.keys[agreedKey]; there {
		return nil
	}
	hook := w.driver.Transcript().Hook
	x, err := w.do(ctx, driver.Call{
		Peer: driver.Emitter, Method: http.MethodPost, Path: w.here("/keys"), Header: map[string]string{"Accept": "application/json"},
		Form: []driver.Field{
			{Name: "usageType", Value: []byte(usageMTLS)},
			{Name: "file", FileName: "key.p12", Value: []byte(hook.Key), Secret: true},
			{Name: "password", Value: []byte(hook.Password), Secret: true},
		},
	})
	if err != nil {
		return err
	}
	if _, err := answered(x, judge.Status(http.StatusCreated)); err != nil {
		return err
	}
	w.environment.keys[agreedKey] = key{id: idIn(x)}
	return nil
}

// hookStranger subscribes the receiver with something that was not agreed.
func (w *World) hookStranger(ctx context.Context, how string) error {
	if err := w.anEnvironment(ctx); err != nil {
		return err
	}
	hook := w.driver.Transcript().Hook
	var settings []setting
	switch how {
	case "no client certificate":
		settings = []setting{{"tlsClientAuthKeyPair", "absent"}}
	case "a client certificate of another authority":
		if err := w.key(ctx, theKey, usageMTLS); err != nil {
			return err
		}
		settings = []setting{{"key", theKey}, verified}
	default:
		if len(hook.Headers) == 0 {
			return unobserved("the target claims to check credentials, and none are given")
		}
		for _, header := range sortedKeys(hook.Headers) {
			value := setting{"header " + header, "Bearer " + w.driver.UUID()}
			if how == "no credentials" {
				value = setting{"httpEndpoint.headers", "absent"}
			}
			settings = append(settings, value)
		}
	}
	return w.hookSubscription(ctx, theSubscription, "USER.CREATED", settings)
}

// hookNearMiss subscribes the receiver with almost the right credentials, in
// every header that was agreed.
func (w *World) hookNearMiss(ctx context.Context, how string) error {
	if err := w.anEnvironment(ctx); err != nil {
		return err
	}
	hook := w.driver.Transcript().Hook
	if len(hook.Headers) == 0 {
		return unobserved("the target claims to check credentials, and none are given")
	}
	var settings []setting
	for _, header := range sortedKeys(hook.Headers) {
		value, err := w.driver.NearMiss(header, map[string]driver.NearMiss{
			"in other case": driver.OtherCase, "with one byte changed": driver.OtherByte, "cut short": driver.CutShort,
			"lengthened": driver.Lengthened, "within a longer value": driver.Surrounded, "without their scheme": driver.Schemeless,
		}[how])
		if err != nil {
			return err
		}
		settings = append(settings, setting{"header " + header, value})
	}
	return w.hookSubscription(ctx, theSubscription, "USER.CREATED", settings)
}

// postSamples posts the fixtures' events as they stand, all at once.
func (w *World) postSamples(ctx context.Context, list string) error {
	var events []named
	for _, fixture := range quoted(list) {
		event, err := fixtures.Event(fixture)
		if err != nil {
			return err
		}
		events = append(events, named{name: fixture, event: event})
	}
	return w.send(ctx, w.environment.id, events)
}

// postReversed posts an event with its members, but for id, from the last to
// the first.
func (w *World) postReversed(ctx context.Context) error {
	event, err := fixtures.Event("user-created")
	if err != nil {
		return err
	}
	var members []string
	gjson.ParseBytes(event).ForEach(func(name, value gjson.Result) bool {
		if name.Str != "source" { // the emitter decides about it
			members = append(members, name.Raw+":"+value.Raw)
		}
		return true
	})
	slices.Reverse(members)
	reversed := []byte("{")
	for i, m := range members {
		if i > 0 {
			reversed = append(reversed, ',')
		}
		reversed = append(reversed, m...)
	}
	return w.send(ctx, w.environment.id, []named{{name: "reversed", event: append(reversed, '}')}})
}

// postFractions posts events whose times have from no digit to nine digits
// after the point of the second.
func (w *World) postFractions(ctx context.Context) error {
	event, err := fixtures.Event("user-created")
	if err != nil {
		return err
	}
	const digits = ".123456789"
	var events []named
	for n := range len(digits) {
		fraction := digits[:n+1]
		if n == 0 {
			fraction = ""
		}
		timed, err := sjson.SetBytes(event, "recordedAt", "2026-03-04T09:15:27"+fraction+"Z")
		if err != nil {
			return err
		}
		events = append(events, named{name: fmt.Sprintf("%d digits", n), event: timed})
	}
	return w.send(ctx, w.environment.id, events)
}

func (w *World) postLongString(ctx context.Context, letters int) error {
	return w.postSized(ctx, []int{letters})
}

// together has the reference emitter deliver what happens in post only when all
// of it has happened: it begins to deliver what it has after a while, and on a
// machine with much to do a large post takes longer than that.
func (w *World) together(ctx context.Context, post func() error) error {
	names := sortedKeys(w.environment.subscriptions)
	for _, name := range names {
		if err := w.change(ctx, name, []setting{{"enabled", "false"}}); err != nil {
			return err
		}
	}
	if err := post(); err != nil {
		return err
	}
	for _, name := range names {
		if err := w.change(ctx, name, []setting{{"enabled", "true"}}); err != nil {
			return err
		}
	}
	return nil
}

// awaitAttempts looks at what the reference emitter tried to deliver until
// enough has been seen, or nothing new came of it for the deadline of a
// delivery.
func (w *World) awaitAttempts(ctx context.Context, enough func(*judge.Tries) bool) error {
	for _, name := range sortedKeys(w.environment.subscriptions) {
		id := w.environment.subscriptions[name].id
		t := w.driver.Transcript()
		if _, err := w.driver.AwaitAttempts(ctx, id, w.deadlines.Delivery, func() bool { return enough(judge.AttemptsFor(t, id)) }); err != nil {
			return err
		}
	}
	if len(judge.AllAttempts(w.driver.Transcript())) == 0 {
		return unobserved("the reference emitter tried no delivery within %v", w.deadlines.Delivery)
	}
	return nil
}

// awaitAnswer waits until an attempt was answered; where none was, nothing can
// be said of answers.
func (w *World) awaitAnswer(ctx context.Context) error {
	if err := w.awaitAttempts(ctx, judge.Answered); err != nil {
		return err
	}
	for _, a := range judge.AllAttempts(w.driver.Transcript()) {
		if a.Status != 0 {
			return nil
		}
	}
	return unobserved("no delivery was answered within %v", w.deadlines.Delivery)
}

// hookTaken waits until every event was taken, or a delivery was not.
func (w *World) hookTaken(ctx context.Context) error {
	t := w.driver.Transcript()
	if err := w.awaitAttempts(ctx, func(a *judge.Tries) bool { return a.Failed() || a.TookAll(t) }); err != nil {
		return err
	}
	return w.judged(judge.EveryDeliveryTaken(t))
}

// hookTook is hookTaken, of deliveries among which one of that kind must be.
func (w *World) hookTook(ctx context.Context, what string, kind func(judge.Attempt) bool) error {
	if err := w.hookTaken(ctx); err != nil {
		return err
	}
	if !slices.ContainsFunc(judge.AllAttempts(w.driver.Transcript()), kind) {
		return unobserved("the reference emitter did not make %s", what)
	}
	return nil
}

// canReadBack tells whether the receiver under test can be asked for what it
// has stored.
func (w *World) canReadBack() bool { return w.claims(targets.CanReadBack) }
