package steps

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

// payloadSteps judge what single deliveries look like, how many events they
// hold and how long the events were held for them.
func payloadSteps() []Step {
	return []Step{
		step(`every delivery is a POST to the configured path and query`, func(w *World) any { return w.requestedAsConfigured }),
		step(`every delivery carries the configured headers`, func(w *World) any { return w.carriesConfigured }),
		everyDelivery(`every delivery has a Content-Type of JSON`, judge.JSONType),
		everyDelivery(`every delivery is one JSON array`, judge.OneArray),
		everyDelivery(`every delivery holds at least one event`, judge.NoneEmpty),
		everyDelivery(`every delivery holds exactly one event`, judge.OneEventEach),
		everyDelivery(`there are fewer deliveries than events`, judge.Batched),
		everyDelivery(`every delivery is indented over several lines`, judge.Pretty),
		everyDelivery(`no delivery has line breaks between its values`, judge.Compact),
		everyDelivery(`every line of every delivery is one JSON object`, judge.OnePerLine),
		step(`the event of "([^"]*)" arrives in an array of its own`, func(w *World) any {
			return func(ctx context.Context, name string) error {
				if err := w.delivered(ctx, theReceiver, name); err != nil {
					return err
				}
				return w.judged(judge.AloneInArray(w.driver.Transcript(), theReceiver, name))
			}
		}),
		step(`no delivery holds more than (\d+) events`, func(w *World) any {
			return func(limit int) error {
				return w.judged(judge.AtMostEvents(w.observed(), theReceiver, limit))
			}
		}),
		step(`no delivery of several events is larger than (\d+) KB`, func(w *World) any {
			return func(limit int) error {
				return w.judged(judge.AtMostKB(w.observed(), theReceiver, limit))
			}
		}),
		step(`every event larger than (\d+) KB is delivered alone`, func(w *World) any { return w.largeAlone }),
		step(`receivers "([^"]*)" and "([^"]*)" got the same data`, func(w *World) any {
			return func(one, other string) error {
				return w.judged(judge.SameData(w.driver.Transcript(), one, other))
			}
		}),
		step(`no event was held longer than 2 seconds`, func(w *World) any {
			return func() error { return w.heldAtMost() }
		}),
		step(`the event of "([^"]*)" was not held longer than 2 seconds`, func(w *World) any {
			return func(name string) error { return w.heldAtMost(name) }
		}),
		step(`the first delivery to "([^"]*)" comes within 2 seconds`, func(w *World) any { return w.firstInTime }),
	}
}

// heldAtMost judges how long the events of these names (all, without names)
// were held on their way to the scenario's only receiver.
func (w *World) heldAtMost(names ...string) error {
	return w.judged(judge.HeldAtMost(w.driver.Transcript(), theReceiver, w.deadlines.Hold, w.deadlines.HoldTolerance, names...))
}

// firstInTime judges when the first delivery came that the one event of the
// scenario can have caused, whatever is in it.
func (w *World) firstInTime(ctx context.Context, receiver string) error {
	if err := w.anything(ctx, receiver); err != nil {
		return err
	}
	return w.judged(judge.FirstWithin(w.driver.Transcript(), receiver, w.deadlines.Hold, w.deadlines.HoldTolerance))
}

// everyDelivery is a sentence that judges all that has come to the scenario's
// only receiver, since the subscription was changed if it was.
func everyDelivery(sentence string, judgeAll func(*transcript.Transcript, string) judge.Outcome) Step {
	return step(sentence, func(w *World) any {
		return func() error { return w.judged(judgeAll(w.observed(), theReceiver)) }
	})
}

// requestedAsConfigured judges method, path and query of the deliveries.
func (w *World) requestedAsConfigured() error {
	s, err := w.subscription(theSubscription)
	if err != nil {
		return err
	}
	u, err := url.Parse(gjson.GetBytes(s.sent, "httpEndpoint.url").String())
	if err != nil {
		return fmt.Errorf("read the configured URL: %w", err)
	}
	return w.judged(judge.Requested(w.observed(), theReceiver, http.MethodPost, u.RequestURI()))
}

// carriesConfigured judges the headers of the deliveries by what was
// configured. Most values are recorded as marks, a few as they are.
func (w *World) carriesConfigured() error {
	s, err := w.subscription(theSubscription)
	if err != nil {
		return err
	}
	var wanted []judge.Header
	gjson.GetBytes(s.sent, "httpEndpoint.headers").ForEach(func(name, value gjson.Result) bool {
		wanted = append(wanted, judge.Header{Name: name.String(), Values: [2]string{value.String(), w.driver.Mark(value.String())}})
		return true
	})
	if len(wanted) == 0 {
		return fmt.Errorf("the scenario has configured no headers")
	}
	return w.judged(judge.Carries(w.observed(), theReceiver, wanted...))
}

// largeAlone judges events larger than limit KB, of which there must be one.
func (w *World) largeAlone(limit int) error {
	t := w.driver.Transcript()
	if n := judge.Largest(t, theReceiver); n <= limit*1024 {
		return unobserved("no event was larger than %d KB, the largest had %d bytes", limit, n)
	}
	return w.judged(judge.LargeAlone(t, theReceiver, limit))
}
