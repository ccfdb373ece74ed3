package steps

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cucumber/godog"
	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets"
)

// requestSteps make requests about subscriptions whose answers are for later
// steps to judge.
func requestSteps() []Step {
	return []Step{
		step(`a subscription is requested`, func(w *World) any {
			return func(ctx context.Context) error { return w.request(ctx, nil) }
		}),
		step(`a subscription is requested in environment "([^"]*)"`, func(w *World) any { return w.requestElsewhere }),
		step(`a subscription is requested with:`, func(w *World) any { return w.request }),
		step(`a subscription with every option is requested`, func(w *World) any {
			return func(ctx context.Context) error {
				body, err := w.everyOption(ctx)
				if err != nil {
					return err
				}
				return w.submit(ctx, body, "application/json")
			}
		}),
		step(`a subscription is requested for all (applications|populations|applications and populations)`, func(w *World) any { return w.requestForAll }),
		step(`(\d+) subscriptions are requested`, func(w *World) any {
			return func(ctx context.Context, count int) error { return w.requestMany(ctx, count, false) }
		}),
		step(`a subscription has been requested and refused`, func(w *World) any {
			return func(ctx context.Context) error {
				if err := w.request(ctx, nil); err != nil {
					return err
				}
				_, err := answered(w.answer, judge.Refused(http.StatusForbidden))
				return err
			}
		}),
		step(`a subscription is requested as "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, contentType string) error {
				body, err := w.subscriptionBody("USER.CREATED", nil)
				if err != nil {
					return err
				}
				return w.submit(ctx, body, contentType)
			}
		}),
		step(`a subscription is requested in JSON that (is cut short|has a trailing comma|has a name without quotes|is followed by more)`, func(w *World) any { return w.requestMalformed }),
		step(`the subscription is read`, func(w *World) any { return w.read }),
		step(`the subscription is (read|replaced|deleted) in environment "([^"]*)"`, func(w *World) any { return w.elsewhere }),
		step(`the subscription's self link is followed`, func(w *World) any { return w.followSelf }),
		step(`the self link of the answer is followed`, func(w *World) any {
			return func(ctx context.Context) error {
				r, err := answered(w.answer, judge.Success())
				if err != nil {
					return err
				}
				return w.followFrom(ctx, r.Body)
			}
		}),
		step(`the subscriptions are listed`, func(w *World) any {
			return func(ctx context.Context) error { return w.list(ctx, w.environment) }
		}),
		step(`the subscriptions of environment "([^"]*)" are listed`, func(w *World) any {
			return func(ctx context.Context, name string) error {
				other := w.others[name]
				if other == nil {
					return fmt.Errorf("there is no environment %q", name)
				}
				return w.list(ctx, other)
			}
		}),
		step(`the subscription is replaced`, func(w *World) any {
			return func(ctx context.Context) error { return w.replace(ctx, "", nil) }
		}),
		step(`(?:the subscription|subscription "([^"]*)") is replaced with:`, func(w *World) any { return w.replace }),
		step(`the subscription is patched`, func(w *World) any {
			return func(ctx context.Context) error {
				s, err := w.theOne()
				if err != nil {
					return err
				}
				_, err = w.call(ctx, http.MethodPatch, w.here("/subscriptions/"+s.id), map[string]any{"name": w.driver.Name("subscription")})
				return err
			}
		}),
		step(`the subscription is deleted`, func(w *World) any {
			return func(ctx context.Context) error {
				s, err := w.theOne()
				if err != nil {
					return err
				}
				_, err = w.call(ctx, http.MethodDelete, w.here("/subscriptions/"+s.id), nil)
				return err
			}
		}),
		step(`an unknown subscription is (read|replaced|deleted)`, func(w *World) any { return w.unknown }),
		step(`the subscription has grown older`, func(w *World) any { return w.growOlder }),
	}
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
	return w.submit(ctx, body, "application/json")
}

// submit posts the body of one subscription.
func (w *World) submit(ctx context.Context, body []byte, contentType string) error {
	c, err := jsonCall(http.MethodPost, w.here("/subscriptions"), body)
	if err != nil {
		return err
	}
	c.Header["Content-Type"] = contentType
	x, err := w.do(ctx, c)
	if err == nil {
		w.keep(theSubscription, body, x)
	}
	return err
}

// requestElsewhere asks for a subscription in another environment than the
// scenario's own. It goes when the environment does.
func (w *World) requestElsewhere(ctx context.Context, name string) error {
	other := w.others[name]
	if other == nil {
		return fmt.Errorf("there is no environment %q", name)
	}
	body, err := w.subscriptionBody("USER.CREATED", nil)
	if err != nil {
		return err
	}
	c, err := jsonCall(http.MethodPost, "/v1/environments/"+other.id+"/subscriptions", body)
	if err != nil {
		return err
	}
	_, err = w.do(ctx, c)
	return err
}

// requestForAll asks for a subscription to everything of that kind that the
// scenario has made.
func (w *World) requestForAll(ctx context.Context, kinds string) error {
	var settings []setting
	for kind := range strings.SplitSeq(kinds, " and ") {
		made := w.environment.populations
		if kind == "applications" {
			made = w.environment.applications
		}
		names := make([]string, len(made))
		for i := range names {
			names[i] = fmt.Sprintf("%s %d", strings.TrimSuffix(kind, "s"), i+1)
		}
		settings = append(settings, setting{kind, strings.Join(names, ", ")})
	}
	body, err := w.subscriptionBody("USER.CREATED", settings)
	if err != nil {
		return err
	}
	return w.submit(ctx, body, "application/json")
}

// numbered is what one of many subscriptions is called.
func numbered(i int) string { return fmt.Sprintf("subscription %d", i) }

// requestMany asks for so many subscriptions side by side.
func (w *World) requestMany(ctx context.Context, count int, halfDisabled bool) error {
	if err := w.countOccupied(ctx, count); err != nil {
		return err
	}
	if count == maxSubscriptions {
		count -= w.occupied
	}
	bodies, calls := make([][]byte, count), make([]driver.Call, count)
	for i := range calls {
		var settings []setting
		if halfDisabled && i%2 == 1 {
			settings = []setting{{"enabled", "false"}}
		}
		body, err := w.subscriptionBody("USER.CREATED", settings)
		if err != nil {
			return err
		}
		if calls[i], err = jsonCall(http.MethodPost, w.here("/subscriptions"), body); err != nil {
			return err
		}
		bodies[i] = body
	}
	answers, err := w.ask(ctx, calls)
	if err != nil {
		return err
	}
	for i, x := range answers {
		w.keep(numbered(i+1), bodies[i], x)
	}
	w.answer, w.answers = answers[len(answers)-1], answers
	return nil
}

// maxSubscriptions is how many subscriptions an environment holds (S1).
const maxSubscriptions = 50

// countOccupied finds out, before so many subscriptions are requested that
// they fill an environment, how many are there already: in one that was made
// for the scenario, none.
func (w *World) countOccupied(ctx context.Context, count int) error {
	if count < maxSubscriptions || w.claims(targets.Environments) {
		return nil
	}
	if err := w.list(ctx, w.environment); err != nil {
		return err
	}
	w.occupied = 0
	for _, page := range w.answers {
		r, err := answered(page, judge.Status(http.StatusOK))
		if err != nil {
			return err
		}
		w.occupied += len(gjson.GetBytes(r.Body, "_embedded.subscriptions").Array())
	}
	if w.occupied >= maxSubscriptions {
		return unobserved("the environment holds %d subscriptions already, and there is no room for more", w.occupied)
	}
	return nil
}

// requestMalformed asks for a subscription in a body that is no JSON.
func (w *World) requestMalformed(ctx context.Context, how string) error {
	body, err := w.subscriptionBody("USER.CREATED", nil)
	if err != nil {
		return err
	}
	inner := bytes.TrimSuffix(body, []byte("}"))
	switch how {
	case "is cut short":
		body = inner
	case "has a trailing comma":
		body = append(bytes.Clone(inner), ",}"...)
	case "has a name without quotes":
		body = append(bytes.Clone(inner), ",extra:1}"...)
	case "is followed by more":
		body = append(bytes.Clone(body), "}"...)
	}
	return w.submit(ctx, body, "application/json")
}

// read asks for the scenario's only subscription.
func (w *World) read(ctx context.Context) error {
	s, err := w.theOne()
	if err != nil {
		return err
	}
	_, err = w.call(ctx, http.MethodGet, w.here("/subscriptions/"+s.id), nil)
	return err
}

func (w *World) elsewhere(ctx context.Context, what, name string) error {
	s, err := w.theOne()
	if err != nil {
		return err
	}
	other := w.others[name]
	if other == nil {
		return fmt.Errorf("there is no environment %q", name)
	}
	method := map[string]string{"read": http.MethodGet, "replaced": http.MethodPut, "deleted": http.MethodDelete}[what]
	var body any
	if what == "replaced" {
		if body, err = w.subscriptionBody("USER.UPDATED, USER.DELETED", nil); err != nil {
			return err
		}
	}
	_, err = w.call(ctx, method, "/v1/environments/"+other.id+"/subscriptions/"+s.id, body)
	return err
}

// followSelf asks for what the subscription's own link leads to. That the
// link leads anywhere is part of the promise.
func (w *World) followSelf(ctx context.Context) error {
	s, err := w.theOne()
	if err != nil {
		return err
	}
	return w.followFrom(ctx, s.created.Response.Body)
}

// followFrom asks for what the link of a subscription to itself leads to.
func (w *World) followFrom(ctx context.Context, shown []byte) error {
	target, o := judge.Link(shown, "self", w.driver.Transcript().API)
	if err := w.judged(o); err != nil {
		return err
	}
	_, err := w.call(ctx, http.MethodGet, target, nil)
	return err
}

// maxPages bounds how many pages of a collection are read: as many as a list
// of 50 could have, and some.
const maxPages = 60

// list reads an environment's subscriptions, all pages; they become the
// world's answers, the first page its answer.
func (w *World) list(ctx context.Context, e *environment) error {
	next := "/v1/environments/" + e.id + "/subscriptions"
	var pages []transcript.Exchange
	for range maxPages {
		page, err := w.call(ctx, http.MethodGet, next, nil)
		if err != nil {
			return err
		}
		pages = append(pages, page)
		if page.Response == nil || !gjson.GetBytes(page.Response.Body, "_links.next.href").Exists() {
			break
		}
		var o judge.Outcome
		if next, o = judge.Link(page.Response.Body, "next", w.driver.Transcript().API); o.Failed() {
			return w.judged(o)
		}
	}
	w.answer, w.answers = pages[0], pages
	return nil
}

// replace puts a minimal subscription, with the settings, in the place of
// one of the scenario's, of its only one if no name is given.
func (w *World) replace(ctx context.Context, name string, table *godog.Table) error {
	s, err := w.theOne()
	if name != "" {
		s, err = w.subscription(name)
	}
	if err != nil {
		return err
	}
	settings, err := settingsOf(table)
	if err != nil {
		return err
	}
	body, err := w.subscriptionBody("USER.UPDATED, USER.DELETED", settings)
	if err != nil {
		return err
	}
	x, err := w.call(ctx, http.MethodPut, w.here("/subscriptions/"+s.id), body)
	if err == nil && x.Response != nil && x.Response.Status/100 == 2 {
		s.sent, s.written = body, x
	}
	return err
}

// unknown makes a request about a subscription that there is not.
func (w *World) unknown(ctx context.Context, what string) error {
	path := w.here("/subscriptions/" + w.driver.UUID())
	switch what {
	case "read":
		_, err := w.call(ctx, http.MethodGet, path, nil)
		return err
	case "deleted":
		_, err := w.call(ctx, http.MethodDelete, path, nil)
		return err
	}
	body, err := w.subscriptionBody("USER.CREATED", nil)
	if err != nil {
		return err
	}
	_, err = w.call(ctx, http.MethodPut, path, body)
	return err
}

// older is how much later a time must be to differ from an earlier one in
// milliseconds, the precision of the vendor's samples (S2).
const older = 5 * time.Millisecond

// maxReads bounds how often growOlder reads.
const maxReads = 100

// growOlder reads the subscription until its creation lies so far back that
// the present time cannot be mistaken for it.
func (w *World) growOlder(ctx context.Context) error {
	s, err := w.theOne()
	if err != nil {
		return err
	}
	for range maxReads {
		if err := w.read(ctx); err != nil {
			return err
		}
		if w.answer.End.Sub(s.created.End) > older {
			return nil
		}
	}
	return unobserved("%d reads took less than %v", maxReads, older)
}
