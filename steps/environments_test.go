package steps

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/transcript"
)

// young is a target whose new environments can be read before anything can be
// created in them: so many creates are answered 404. A call takes a second.
type young struct {
	fake
	refuses int
	now     time.Time
}

func (y *young) Exchange(ctx context.Context, calls []driver.Call) ([]transcript.Entry, error) {
	entries, err := y.fake.Exchange(ctx, calls)
	for _, e := range entries {
		y.now = y.now.Add(time.Second)
		e.Exchange.End = y.now
		switch r := e.Exchange.Request; {
		case r.Method == "GET":
			e.Exchange.Response.Status = 200
		case strings.HasSuffix(r.Path, "/subscriptions") && y.refuses > 0:
			y.refuses--
			e.Exchange.Response.Status = 404
		}
	}
	return entries, err
}

// posts are the statuses of the creates of subscriptions that are on record.
func posts(t *transcript.Transcript) (statuses []int) {
	for _, e := range t.Entries {
		if x := e.Exchange; x != nil && x.Request.Method == "POST" && strings.HasSuffix(x.Request.Path, "/subscriptions") {
			statuses = append(statuses, x.Response.Status)
		}
	}
	return statuses
}

func TestANewEnvironmentMayBeUnknownToCreatesForAWhile(t *testing.T) {
	t.Parallel()
	header := transcript.Transcript{Seed: "1", Environment: "e", Claims: []string{"environments"}}
	one := scenario("an environment", "a subscription is requested", "the request is accepted")
	for name, c := range map[string]struct {
		scenario Scenario
		refuses  int
		kind     Kind
		recorded int // creates
	}{
		"known at once":           {one, 0, Passed, 1},
		"known after a while":     {one, 3, Passed, 4},
		"not known in time":       {one, 1000, Failed, int(settles / time.Second)}, // the first is 2 s after the environment
		"several, known by parts": {scenario("an environment", "3 subscriptions are requested", "the request is accepted"), 4, Passed, 3 + 3 + 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := Run(t.Context(), c.scenario, &young{fake: fake{status: 201}, refuses: c.refuses}, header, DefaultDeadlines())
			if e.Kind != c.kind || len(posts(e.Transcript)) != c.recorded {
				t.Errorf("got kind %d, reason %q, creates %v", e.Kind, e.Reason, posts(e.Transcript))
			}
			again := Run(t.Context(), c.scenario, driver.NewReplay(e.Transcript), header, DefaultDeadlines())
			if again.Kind != e.Kind || again.Reason != e.Reason {
				t.Errorf("judged again: kind %d, reason %q", again.Kind, again.Reason)
			}
		})
	}
}

func TestAnEnvironmentThatWasThereIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	e := Run(t.Context(), scenario("an environment", "a subscription is requested", "the request is accepted"),
		&young{fake: fake{status: 201}, refuses: 1}, transcript.Transcript{Seed: "1", Environment: "e"}, DefaultDeadlines())
	if e.Kind != Failed || len(posts(e.Transcript)) != 1 {
		t.Errorf("got kind %d, reason %q, creates %v", e.Kind, e.Reason, posts(e.Transcript))
	}
}
