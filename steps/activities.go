package steps

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

// activitySteps compare events with what the audit activities API tells.
func activitySteps() []Step {
	return []Step{
		step(`the activities list the event of "([^"]*)"`, func(w *World) any { return w.listed }),
		step(`the activities of the last hour can be read`, func(w *World) any {
			return func(ctx context.Context) error {
				x, err := w.call(ctx, http.MethodGet, w.here(""), nil)
				if err != nil {
					return err
				}
				if x, err = w.call(ctx, http.MethodGet, w.activities(between(x.End), 1), nil); err != nil {
					return err
				}
				_, err = answered(x, judge.Status(http.StatusOK))
				return err
			}
		}),
		step(`the activities are read without a filter`, func(w *World) any {
			return func(ctx context.Context) error {
				_, err := w.call(ctx, http.MethodGet, w.here("/activities"), nil)
				return err
			}
		}),
		step(`the activities of type "([^"]*)" are read without a range of dates`, func(w *World) any {
			return func(ctx context.Context, kind string) error {
				_, err := w.call(ctx, http.MethodGet, w.activities(fmt.Sprintf("action.type eq %q", kind), 1), nil)
				return err
			}
		}),
		step(`the activities about "([^"]*)" are read`, func(w *World) any { return w.readActivities }),
		step(`every activity has a link to itself and the times of its recording and creation`, func(w *World) any {
			return func() error {
				return w.judged(judge.Response(w.answer, judge.Status(http.StatusOK), judge.Activities()))
			}
		}),
	}
}

// activities is the path of a search for activities.
func (w *World) activities(filter string, limit int) string {
	return w.here("/activities?" + url.Values{"filter": {filter}, "limit": {strconv.Itoa(limit)}}.Encode())
}

// between is a filter for the time around a moment.
func between(at time.Time) string {
	return fmt.Sprintf("recordedAt gt %q and recordedAt lt %q", at.Add(-around).UTC().Format(time.RFC3339), at.Add(around).UTC().Format(time.RFC3339))
}

const (
	// around is how far the clocks of the suite and the target may be apart
	// for an activity still to be found.
	around = time.Hour
	// askAgain is how long is waited before the activities are asked again.
	askAgain = 250 * time.Millisecond
)

// listed asks the activities until they list the delivered event, and judges
// the answer that was the last when the deadline passed.
func (w *World) listed(ctx context.Context, name string) error {
	c, err := w.event(name)
	if err != nil {
		return err
	}
	if err := w.delivered(ctx, theReceiver, name); err != nil {
		return err
	}
	delivered, _ := judge.Find(w.driver.Transcript(), theReceiver, c)
	expected := []judge.Expectation{judge.Status(http.StatusOK), judge.ListsEvent(delivered.Event)}
	if err := w.search(ctx, c, func() bool { return !judge.Response(w.answer, expected...).Failed() }); err != nil {
		return err
	}
	return w.judged(judge.Response(w.answer, expected...))
}

// readActivities asks for the activities about what an event is about, until
// there are any.
func (w *World) readActivities(ctx context.Context, name string) error {
	c, err := w.event(name)
	if err != nil {
		return err
	}
	return w.search(ctx, c, func() bool {
		return w.answer.Response != nil && gjson.GetBytes(w.answer.Response.Body, "_embedded.activities.0").Exists()
	})
}

// search asks for the activities about the event's resource until there is
// enough, no answer of 200 or the deadline has passed. The answer that was
// the last is the world's.
func (w *World) search(ctx context.Context, c transcript.Caused, enough func() bool) error {
	e, err := w.endpoint(theReceiver)
	if err != nil {
		return err
	}
	path := w.activities(between(c.At)+fmt.Sprintf(" and resources.id eq %q", c.Resource), 100)
	for {
		x, err := w.call(ctx, http.MethodGet, path, nil)
		if err != nil {
			return err
		}
		if x.Response == nil || x.Response.Status != http.StatusOK || enough() || x.End.Sub(c.At) > w.deadlines.Delivery {
			return nil
		}
		if _, err := w.driver.AwaitDeliveries(ctx, e, askAgain, func() bool { return false }); err != nil {
			return err
		}
	}
}
