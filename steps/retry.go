package steps

import (
	"context"
	"fmt"
	"net/http"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
)

// retrySteps make receivers that do not take what is delivered, and judge
// how the emitter tries again.
func retrySteps() []Step {
	return append(failingReceiverSteps(), []Step{
		step(`receiver "([^"]*)" refuses connections`, func(w *World) any {
			return func(ctx context.Context, name string) error {
				e, err := w.endpoint(name)
				if err != nil {
					return err
				}
				return w.driver.Open(ctx, e, false)
			}
		}),
		step(`receiver "([^"]*)" recovers`, func(w *World) any { return w.recovers }),
		step(`delivery to "([^"]*)" fails (once|\d+ times) or more`, func(w *World) any { return w.failsOften }),
		step(`the events? of ((?:"[^"]*"(?:, | and )?)+) (?:is|are) sent to "([^"]*)" until (?:it|they) (?:is|are) acknowledged`, func(w *World) any {
			return func(ctx context.Context, list, receiver string) error {
				return w.acknowledged(ctx, receiver, quoted(list)...)
			}
		}),
		step(`all events are sent to "([^"]*)" until they are acknowledged`, func(w *World) any {
			return func(ctx context.Context, receiver string) error { return w.acknowledged(ctx, receiver) }
		}),
		step(`all events are sent to "([^"]*)" or "([^"]*)" until they are acknowledged`, func(w *World) any { return w.acknowledgedByEither }),
		step(`nothing is sent to "([^"]*)" again after it was acknowledged`, func(w *World) any { return w.notResent }),
		step(`no event overtakes a failed delivery at "([^"]*)"`, func(w *World) any {
			return func(receiver string) error { return w.judged(judge.HeadOfLine(w.driver.Transcript(), receiver)) }
		}),
		step(`the events reached "([^"]*)" in the order in which they happened`, func(w *World) any {
			return func(receiver string) error { return w.judged(judge.InOrder(w.driver.Transcript(), receiver)) }
		}),
		step(`every event had the same id and content each time it was sent to "([^"]*)"`, func(w *World) any {
			return func(receiver string) error { return w.judged(judge.SameEachTime(w.driver.Transcript(), receiver)) }
		}),
		step(`nothing is sent to "([^"]*)"`, func(w *World) any { return w.untouched }),
	}...)
}

// failingReceiverSteps make receivers that do not answer 200, or not at once.
func failingReceiverSteps() []Step {
	return []Step{
		step(`a receiver "([^"]*)" that answers (\d+)`, func(w *World) any {
			return func(ctx context.Context, name string, status int) error {
				return w.behaving(ctx, name, driver.Behaviour{Then: &driver.Action{Status: status}})
			}
		}),
		step(`(\d+) subscriptions to "([^"]*)", each at a receiver that answers (\d+)`, func(w *World) any { return w.failingSubscriptions }),
		step(`a receiver "([^"]*)" that answers (\d+) after (\d+) milliseconds`, func(w *World) any {
			return func(ctx context.Context, name string, status, milliseconds int) error {
				return w.behaving(ctx, name, driver.Behaviour{Then: &driver.Action{Status: status, Delay: fmt.Sprintf("%dms", milliseconds)}})
			}
		}),
		step(`a receiver "([^"]*)" that answers (\d+) to the first (\d+) deliveries`, func(w *World) any {
			return func(ctx context.Context, name string, status, n int) error {
				return w.behaving(ctx, name, atFirst(n, driver.Action{Status: status}))
			}
		}),
		step(`a receiver "([^"]*)" that never answers`, func(w *World) any {
			return func(ctx context.Context, name string) error {
				return w.behaving(ctx, name, driver.Behaviour{Then: &driver.Action{Hang: true}})
			}
		}),
		step(`a receiver "([^"]*)" that never answers the first (\d+) deliveries`, func(w *World) any {
			return func(ctx context.Context, name string, n int) error {
				return w.behaving(ctx, name, atFirst(n, driver.Action{Hang: true}))
			}
		}),
		step(`a receiver "([^"]*)" that never answers the first delivery`, func(w *World) any {
			return func(ctx context.Context, name string) error {
				return w.behaving(ctx, name, atFirst(1, driver.Action{Hang: true}))
			}
		}),
		step(`a receiver "([^"]*)" that resets the connections of the first (\d+) deliveries`, func(w *World) any {
			return func(ctx context.Context, name string, n int) error {
				return w.behaving(ctx, name, atFirst(n, driver.Action{Reset: true}))
			}
		}),
		step(`a receiver "([^"]*)" that resets the connection of the second delivery`, func(w *World) any {
			return func(ctx context.Context, name string) error { return w.behaving(ctx, name, secondReset()) }
		}),
		step(`a receiver "([^"]*)" that redirects the first (\d+) deliveries to "([^"]*)" with (\d+)`, func(w *World) any { return w.redirecting }),
		step(`a receiver "([^"]*)" that answers 200 with (.*) to the first (\d+) deliveries`, func(w *World) any { return w.answeringBody }),
		step(`a receiver "([^"]*)" that refuses connections`, func(w *World) any { return w.refusing }),
	}
}

// atFirst is a receiver that answers 200 after n times of something else.
func atFirst(n int, action driver.Action) driver.Behaviour {
	var b driver.Behaviour
	for range n {
		b.Steps = append(b.Steps, action)
	}
	return b
}

// secondReset is a receiver that answers 200 but for the second delivery, which
// is therefore sent again on another connection.
func secondReset() driver.Behaviour {
	return driver.Behaviour{Steps: []driver.Action{{Status: http.StatusOK}, {Reset: true}}}
}

func (w *World) behaving(ctx context.Context, name string, b driver.Behaviour) error {
	return w.receiver(ctx, name, driver.Listener{Mode: "trusted"}, b)
}

func (w *World) redirecting(ctx context.Context, name string, n int, target string, status int) error {
	e, err := w.endpoint(target)
	if err != nil {
		return err
	}
	return w.behaving(ctx, name, atFirst(n, driver.Action{Status: status, Headers: map[string]string{"Location": e.URL}}))
}

// answeringBody makes a receiver whose 200 has a body that could be taken for
// a failure.
func (w *World) answeringBody(ctx context.Context, name, body string, n int) error {
	bodies := map[string]driver.Action{
		"an HTML page":    {Status: http.StatusOK, ContentType: "text/html", Body: "<!doctype html><title>Error</title><h1>500 Internal Server Error</h1>"},
		"a JSON error":    {Status: http.StatusOK, ContentType: "application/json", Body: `{"status":500,"error":"not accepted"}`},
		"malformed JSON":  {Status: http.StatusOK, ContentType: "application/json", Body: `{"ok":`},
		"64 KB of binary": {Status: http.StatusOK, ContentType: "application/octet-stream", Body: binary(64 << 10)},
	}
	action, ok := bodies[body]
	if !ok {
		return fmt.Errorf("no receiver answers with %s", body)
	}
	return w.behaving(ctx, name, atFirst(n, action))
}

// binary is a text of n bytes that is nothing anybody could read.
func binary(n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = byte(i % 0x80)
	}
	return string(text)
}

// refusing makes a receiver whose port is closed until it recovers.
func (w *World) refusing(ctx context.Context, name string) error {
	if err := w.receiver(ctx, name, driver.Listener{Mode: "trusted", Dedicated: true}, driver.Behaviour{}); err != nil {
		return err
	}
	return w.driver.Open(ctx, w.endpoints[name], false)
}

// recovers makes the receiver take everything from now on.
func (w *World) recovers(ctx context.Context, name string) error {
	e, err := w.endpoint(name)
	if err != nil {
		return err
	}
	if e.Dedicated {
		if err := w.driver.Open(ctx, e, true); err != nil {
			return err
		}
	}
	return w.driver.Behave(ctx, e, driver.Behaviour{})
}

// whileRetrying waits until done; the deadline for a retry begins anew with
// every delivery that comes.
func (w *World) whileRetrying(ctx context.Context, receiver string, done func() bool) error {
	e, err := w.endpoint(receiver)
	if err != nil {
		return err
	}
	t := w.driver.Transcript()
	for !done() {
		before := len(t.Deliveries(receiver))
		more, err := w.driver.AwaitDeliveries(ctx, e, w.deadlines.Retry, func() bool { return done() || len(t.Deliveries(receiver)) > before })
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// inVain is the outcome after a wait for retries, with what the wait was for: an
// emitter may be right, and have a back-off that a test has no time for.
func (w *World) inVain(o judge.Outcome) judge.Outcome {
	if o.Failed() && o.Cause == "" {
		o.Cause = fmt.Sprintf("nothing more was sent within %v; an emitter that retries later has to retry sooner while it is tested", w.deadlines.Retry)
	}
	return o
}

// failsOften waits for so many failed deliveries, and fails when the emitter
// has given up before.
func (w *World) failsOften(ctx context.Context, receiver, often string) error {
	n := 1
	if often != "once" {
		if _, err := fmt.Sscanf(often, "%d times", &n); err != nil {
			return fmt.Errorf("read %q: %w", often, err)
		}
	}
	t := w.driver.Transcript()
	if err := w.whileRetrying(ctx, receiver, func() bool { return judge.FailedDeliveries(t, receiver) >= n }); err != nil {
		return err
	}
	return w.judged(w.inVain(judge.Retried(t, receiver, n)))
}

// acknowledged waits until the receiver has answered 200 to deliveries of all
// these events (all caused, without names).
func (w *World) acknowledged(ctx context.Context, receiver string, names ...string) error {
	t := w.driver.Transcript()
	err := w.whileRetrying(ctx, receiver, func() bool { return !judge.Acknowledged(t, receiver, names...).Failed() })
	if err != nil {
		return err
	}
	return w.judged(w.inVain(judge.Acknowledged(t, receiver, names...)))
}

// acknowledgedByEither is acknowledged where no document says at which of two
// receivers the events arrive, as after a move. The deadline begins anew as
// long as something comes to either.
func (w *World) acknowledgedByEither(ctx context.Context, one, other string) error {
	t := w.driver.Transcript()
	done := func() bool { return !judge.AcknowledgedByEither(t, one, other).Failed() }
	for came := -1; !done(); {
		if err := w.look(ctx, other); err != nil {
			return err
		}
		now := len(t.Deliveries(one)) + len(t.Deliveries(other))
		if now == came {
			break
		}
		came = now
		// What comes to the other meanwhile is noticed with the next look at the one.
		if err := w.whileRetrying(ctx, one, func() bool { return w.look(ctx, other) == nil && done() }); err != nil {
			return err
		}
	}
	return w.judged(judge.AcknowledgedByEither(t, one, other))
}

func (w *World) notResent(ctx context.Context, receiver string) error {
	if err := w.look(ctx, receiver); err != nil {
		return err
	}
	return w.judged(judge.NotResent(w.driver.Transcript(), receiver))
}

func (w *World) untouched(ctx context.Context, receiver string) error {
	if err := w.look(ctx, receiver); err != nil {
		return err
	}
	return w.judged(judge.Untouched(w.driver.Transcript(), receiver))
}

// look takes in what has come to the receiver until now.
func (w *World) look(ctx context.Context, receiver string) error {
	e, err := w.endpoint(receiver)
	if err != nil {
		return err
	}
	return w.driver.LookOnce(ctx, e)
}

// failingSubscriptions makes so many subscriptions, each with a receiver of its
// own that takes nothing.
func (w *World) failingSubscriptions(ctx context.Context, n int, types string, status int) error {
	for i := range n {
		name := fmt.Sprintf("failing %d", i+1)
		if err := w.receiver(ctx, name, driver.Listener{Mode: "trusted"}, driver.Behaviour{Then: &driver.Action{Status: status}}); err != nil {
			return err
		}
		if err := w.subscribe(ctx, name, types, name, nil); err != nil {
			return err
		}
	}
	return nil
}
