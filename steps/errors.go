package steps

import (
	"context"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

// errorSteps make requests that must be refused, and judge how.
func errorSteps() []Step {
	return []Step{
		step(`a subscription is requested without its "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, member string) error {
				body, err := w.subscriptionBody("USER.CREATED", []setting{{member, "absent"}})
				if err != nil {
					return err
				}
				return w.submit(ctx, body, "application/json")
			}
		}),
		step(`an unknown (user|population|application|environment) is read`, func(w *World) any {
			return func(ctx context.Context, kind string) error {
				path := w.here("/" + kind + "s/" + w.driver.UUID())
				if kind == "environment" {
					path = "/v1/environments/" + w.driver.UUID()
				}
				_, err := w.call(ctx, http.MethodGet, path, nil)
				return err
			}
		}),
		step(`the error body has a code and a message`, func(w *World) any {
			return func() error { return w.errorBody(judge.ErrorText()) }
		}),
		step(`the error body has an id that is a UUID, where it must have one`, func(w *World) any {
			return func() error { return w.errorBody(judge.ErrorID()) }
		}),
		step(`the details of the error body, if it has any, have codes and messages`, func(w *World) any {
			return func() error { return w.errorBody(judge.ErrorDetails()) }
		}),
		step(`the answer is (\d+) with the code "([^"]*)"`, func(w *World) any {
			return func(status int, code string) error {
				return w.judged(judge.Response(w.answer, judge.Status(status), judge.JSON("code", code)))
			}
		}),
		step(`the refusal has the code "([^"]*)" and names "([^"]*)"`, func(w *World) any {
			return func(code, member string) error {
				if _, err := refusal(w.answer); err != nil {
					return err
				}
				return w.judged(judge.Response(w.answer, judge.JSON("code", code), judge.Names(member)))
			}
		}),
		step(`nothing of what was refused is listed`, func(w *World) any { return w.leftNothing }),
	}
}

// refusal is the answer that refused a request; one that did not leaves
// nothing to judge.
func refusal(x transcript.Exchange) (transcript.Response, error) {
	return answered(x, judge.Refused(http.StatusBadRequest))
}

// errorBody judges the JSON body of an error. Errors without one are bound by
// no rule of error bodies, and show nothing.
func (w *World) errorBody(e judge.Expectation) error {
	r, err := answered(w.answer)
	if err != nil {
		return err
	}
	if !judge.Tells(r) {
		return unobserved("an answer of %d with a body of type %q holds no error in JSON", r.Status, strings.Join(r.Headers["Content-Type"], ", "))
	}
	return w.judged(judge.Response(w.answer, e))
}

// leftNothing lists the subscriptions after a refused create and looks for
// what the create had asked for, by the name that it made up.
func (w *World) leftNothing(ctx context.Context) error {
	if _, err := refusal(w.answer); err != nil {
		return err
	}
	name := gjson.GetBytes(w.answer.Request.Body, "name").String()
	if err := w.list(ctx, w.environment); err != nil {
		return err
	}
	if _, err := answered(w.answer, judge.Status(http.StatusOK)); err != nil {
		return err
	}
	return w.judged(judge.ListsNone(w.answers, name))
}
