package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/cucumber/godog"

	"github.com/hookproof/hookproof/steps/judge"
)

// promised are the members whose values an answer repeats (S2, T1).
func promised() []string {
	return []string{"name", "enabled", "format", "verifyTlsCertificates", "httpEndpoint.url", "httpEndpoint.headers", "filterOptions"}
}

// settable are the members that a client may set; the protocol, which HTTPS
// subscriptions may leave unsaid (SUB-REQ-022), is not among them.
func settable() []string { return append(promised(), "payloadOptions") }

// answerSteps judge the answers to requests about subscriptions. A step that
// judges what an answer holds presupposes that the request succeeded: that
// it did is a promise of its own.
func answerSteps() []Step {
	return []Step{
		step(`the request is accepted`, func(w *World) any {
			return func() error { return w.judged(judge.Response(w.answer, judge.Status(http.StatusCreated))) }
		}),
		step(`every request is accepted`, func(w *World) any {
			return func() error { return w.judged(judge.Accepted(w.answers)) }
		}),
		step(`only (\d+) of them are accepted`, func(w *World) any {
			return func(most int) error {
				most -= w.occupied
				if granted := judge.Granted(w.answers); granted < most {
					return unobserved("only %d of %d requests were granted", granted, len(w.answers))
				}
				return w.judged(judge.GrantedAtMost(w.answers, most))
			}
		}),
		step(`the request is refused`, func(w *World) any { return w.refused }),
		step(`the answer is (\d+)`, func(w *World) any {
			return func(status int) error { return w.judged(judge.Response(w.answer, judge.Status(status))) }
		}),
		step(`the answer is (\d+) without a body`, func(w *World) any {
			return func(status int) error {
				return w.judged(judge.Response(w.answer, judge.Status(status), judge.NoBody()))
			}
		}),
		step(`the answer is of type "([^"]*)"`, func(w *World) any {
			return func(media string) error { return w.judged(judge.Response(w.answer, judge.ContentType(media))) }
		}),
		step(`the answer has the platform's error body`, func(w *World) any {
			return func() error {
				if r := w.answer.Response; r != nil && r.Status/100 == 2 {
					return unobserved("the request was not refused: status %d", r.Status)
				}
				return w.judged(judge.Response(w.answer, judge.ErrorBody()))
			}
		}),
		step(`the answer repeats what was sent`, func(w *World) any {
			return func() error { return w.holds(judge.Repeats(w.answer.Request.Body, promised()...)) }
		}),
		step(`the answer has no "([^"]*)"`, func(w *World) any {
			return func(path string) error { return w.holds(judge.Absent(path)) }
		}),
		step(`the answer's "([^"]*)" is (\S+)`, func(w *World) any {
			return func(path, value string) error { return w.value(path, value, judge.JSON) }
		}),
		step(`the answer's "([^"]*)" is (\S+) or absent`, func(w *World) any {
			return func(path, value string) error { return w.value(path, value, judge.JSONOrAbsent) }
		}),
		step(`the answer's "([^"]*)" equals its "([^"]*)"`, func(w *World) any {
			return func(path, other string) error { return w.holds(judge.Equal(path, other)) }
		}),
		step(`the answer's "([^"]*)" is that of the environment`, func(w *World) any {
			return func(path string) error { return w.holds(judge.JSON(path, w.environment.id)) }
		}),
		step(`the answer's "([^"]*)" is a UUID`, func(w *World) any {
			return func(path string) error { return w.holds(judge.Matching(path, "a UUID", judge.IsUUID)) }
		}),
		step(`the answer's "([^"]*)" is the time of the request`, func(w *World) any {
			return func(path string) error { return w.holds(judge.AtTimeOf(path, w.answer)) }
		}),
		step(`the answer's "([^"]*)" is not before its "([^"]*)"`, func(w *World) any {
			return func(path, other string) error { return w.holds(judge.NotBefore(path, other)) }
		}),
		step(`the answer links to its environment`, func(w *World) any {
			return func() error {
				return w.holds(judge.Links("environment", w.driver.Transcript().API, "/v1/environments/"+w.environment.id))
			}
		}),
		step(`no two have the same id`, func(w *World) any {
			return func() error { return w.judged(judge.DifferentIDs(w.answers)) }
		}),
		step(`the server's own "([^"]*)" stands, or the request is refused`, func(w *World) any { return w.overridden }),
		step(`the answer is the same subscription`, func(w *World) any { return w.same }),
		step(`it reads as it was created`, func(w *World) any { return w.readsAsCreated }),
		step(`it reads as it was sent`, func(w *World) any { return w.readsAsSent }),
		step(`a read shows none of:`, func(w *World) any { return w.showsNone }),
		step(`its id, environment and creation time are as before`, func(w *World) any { return w.identity }),
		step(`the list holds every subscription`, func(w *World) any { return w.listsAll }),
		step(`the list holds (\d+) subscriptions?`, func(w *World) any {
			return func(count int) error { return w.judged(judge.Holds(w.answers, count)) }
		}),
		step(`the list does not hold the subscription`, func(w *World) any { return w.notListed }),
		step(`the list counts itself`, func(w *World) any {
			return func() error { return w.holds(judge.CountsItself()) }
		}),
		step(`the list is one page with a link to itself`, func(w *World) any {
			return func() error { return w.holds(judge.OnePage()) }
		}),
	}
}

// holds judges what a successful answer holds.
func (w *World) holds(expectations ...judge.Expectation) error {
	if _, err := answered(w.answer, judge.Success()); err != nil {
		return err
	}
	return w.judged(judge.Response(w.answer, expectations...))
}

// value judges a member of the answer by a JSON value.
func (w *World) value(path, text string, by func(string, any) judge.Expectation) error {
	var want any
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		return fmt.Errorf("read %s as JSON: %w", text, err)
	}
	return w.holds(by(path, want))
}

// refused judges that a request was refused for what it asks. Statuses that
// say that nobody has looked at it prove nothing.
func (w *World) refused() error {
	blind := []int{http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooManyRequests}
	if w.answer.Request.Method == http.MethodPost {
		blind = append(blind, http.StatusNotFound)
	}
	if r := w.answer.Response; r != nil && slices.Contains(blind, r.Status) {
		return unobserved("the request was answered with %d, which does not refuse its content", r.Status)
	}
	return w.judged(judge.Response(w.answer, judge.Refused(http.StatusBadRequest)))
}

// overridden judges that a member that only the server sets did not become
// what the client sent; a refusal keeps the promise too.
func (w *World) overridden(path string) error {
	if r := w.answer.Response; r != nil && r.Status/100 == 4 {
		return w.refused()
	}
	return w.holds(judge.Overridden(w.answer.Request.Body, path))
}

// same judges that the answer is the scenario's subscription.
func (w *World) same() error {
	s, err := w.theOne()
	if err != nil {
		return err
	}
	return w.judged(judge.Response(w.answer, judge.Status(http.StatusOK), judge.JSON("id", s.id),
		judge.Agrees(s.written.Response.Body, promised()...)))
}

func (w *World) readsAsCreated(ctx context.Context) error {
	if err := w.read(ctx); err != nil {
		return err
	}
	s, err := w.theOne()
	if err != nil {
		return err
	}
	members := append(settable(), "id", "environment.id")
	return w.judged(judge.Response(w.answer, judge.Status(http.StatusOK), judge.Agrees(s.created.Response.Body, members...),
		judge.SameTime(s.created.Response.Body, "createdAt")))
}

func (w *World) readsAsSent(ctx context.Context) error {
	s, err := w.theOne()
	if err != nil {
		return err
	}
	if err := w.read(ctx); err != nil {
		return err
	}
	return w.judged(judge.Response(w.answer, judge.Status(http.StatusOK), judge.JSON("id", s.id),
		judge.Repeats(s.written.Request.Body, settable()...)))
}

// showsNone reads the subscription and judges that the members are gone.
func (w *World) showsNone(ctx context.Context, table *godog.Table) error {
	if _, err := answered(w.answer, judge.Success()); err != nil {
		return err
	}
	if err := w.read(ctx); err != nil {
		return err
	}
	gone := []judge.Expectation{judge.Status(http.StatusOK)}
	for _, row := range table.Rows {
		gone = append(gone, judge.Gone(row.Cells[0].Value))
	}
	return w.judged(judge.Response(w.answer, gone...))
}

// identity judges what a replacement leaves as it was, in its own answer and
// in that of a read.
func (w *World) identity(ctx context.Context) error {
	s, err := w.theOne()
	if err != nil {
		return err
	}
	was := s.created.Response.Body
	expectations := []judge.Expectation{judge.JSON("id", s.id), judge.JSON("environment.id", w.environment.id), judge.SameTime(was, "createdAt")}
	if err := w.holds(expectations...); err != nil {
		return err
	}
	if err := w.read(ctx); err != nil {
		return err
	}
	return w.holds(expectations...)
}

func (w *World) listsAll() error {
	var ids []string
	for _, s := range w.environment.subscriptions {
		ids = append(ids, s.id)
	}
	slices.Sort(ids)
	return w.judged(judge.Lists(w.answers, ids...))
}

func (w *World) notListed() error {
	s, err := w.theOne()
	if err != nil {
		return err
	}
	return w.judged(judge.DoesNotList(w.answers, s.id))
}
