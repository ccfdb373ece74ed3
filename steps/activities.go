package steps

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/hookproof/hookproof/steps/judge"
)

// activitySteps compare events with what the audit activities API tells.
func activitySteps() []Step {
	return []Step{
		step(`the activities list the event of "([^"]*)"`, func(w *World) any { return w.listed }),
	}
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
	e, err := w.endpoint(theReceiver)
	if err != nil {
		return err
	}
	delivered, _ := judge.Find(w.driver.Transcript(), theReceiver, c)
	filter := fmt.Sprintf("recordedAt gt %q and recordedAt lt %q and resources.id eq %q",
		c.At.Add(-around).UTC().Format(time.RFC3339), c.At.Add(around).UTC().Format(time.RFC3339), c.Resource)
	path := w.here("/activities?" + url.Values{"filter": {filter}, "limit": {"100"}}.Encode())
	for {
		x, err := w.call(ctx, http.MethodGet, path, nil)
		if err != nil {
			return err
		}
		outcome := judge.Response(x, judge.Status(http.StatusOK), judge.ListsEvent(delivered.Event))
		if !outcome.Failed() || x.Response == nil || x.Response.Status != http.StatusOK || x.End.Sub(c.At) > w.deadlines.Delivery {
			return w.judged(outcome)
		}
		if _, err := w.driver.AwaitDeliveries(ctx, e, askAgain, func() bool { return false }); err != nil {
			return err
		}
	}
}
