package steps

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

// memberSteps judge what the events that arrived hold.
func memberSteps() []Step {
	return []Step{
		step(`every event has an id that no other event has`, func(w *World) any {
			return func() error { return w.judged(judge.DistinctIDs(w.driver.Transcript(), theReceiver)) }
		}),
		everyEvent(`every event has the time when it was recorded, in UTC`, judge.RecordedAt),
		everyEvent(`every event tells that its action succeeded`, judge.Succeeded),
		everyEvent(`every event names the resources it is about`, judge.Resources),
		everyEvent(`every event describes its action`, judge.Text("action.description")),
		everyEvent(`every event has a correlation id`, judge.Text("correlationId")),
		step(`every event is of type "([^"]*)"`, func(w *World) any {
			return func(types string) error {
				return w.judged(judge.EveryArrival(w.driver.Transcript(), theReceiver, judge.OfTypes(strings.Split(types, ", ")...)))
			}
		}),
		step(`every event names the scenario's environment`, func(w *World) any {
			return func() error {
				return w.judged(judge.EveryEvent(w.driver.Transcript(), theReceiver, judge.InEnvironment(w.environment.id)))
			}
		}),
		step(`every event names the client that caused it`, func(w *World) any {
			return func() error {
				return w.judged(judge.EveryEvent(w.driver.Transcript(), theReceiver, judge.ByClient(w.driver.Transcript().Client)))
			}
		}),
		step(`the event of "([^"]*)" names the user as the API does`, func(w *World) any { return w.namesUser }),
		step(`the event of "([^"]*)" is (tagged|not tagged) as one of an administrator's identity`, func(w *World) any {
			return func(name, how string) error {
				return w.judgeEvent(name, func(event gjson.Result, _ judge.Origin) judge.Outcome {
					return judge.Tagged(event, how == "tagged")
				})
			}
		}),
		step(`the event of "([^"]*)" (shows|hides) the user agent`, func(w *World) any {
			return func(name, how string) error {
				return w.judgeEvent(name, map[string]originJudge{"shows": judge.ShowsUserAgent, "hides": judge.HidesUserAgent}[how])
			}
		}),
		step(`the event of "([^"]*)" (shows|hides) the IP address`, func(w *World) any {
			return func(name, how string) error {
				return w.judgeEvent(name, map[string]originJudge{"shows": judge.ShowsAddress, "hides": judge.HidesAddress}[how])
			}
		}),
		step(`every event hides the (user agent|IP address)`, func(w *World) any {
			return func(what string) error {
				return w.judgeEach(map[string]originJudge{"user agent": judge.HidesUserAgent, "IP address": judge.HidesAddress}[what])
			}
		}),
		step(`the event of "([^"]*)" holds what was posted`, func(w *World) any {
			return func(name string) error {
				c, err := w.event(name)
				if err != nil {
					return err
				}
				return w.judged(judge.AsPosted(w.driver.Transcript(), theReceiver, c))
			}
		}),
	}
}

// everyEvent is a sentence that judges each of the scenario's events at its
// only receiver.
func everyEvent(sentence string, one func(gjson.Result) judge.Outcome) Step {
	return step(sentence, func(w *World) any {
		return func() error { return w.judged(judge.EveryEvent(w.driver.Transcript(), theReceiver, one)) }
	})
}

// originJudge judges an event by where it came from.
type originJudge func(event gjson.Result, from judge.Origin) judge.Outcome

// event is the caused event of that name.
func (w *World) event(name string) (transcript.Caused, error) {
	c, ok := w.events[name]
	if !ok {
		return c, fmt.Errorf("the scenario has caused no event %q", name)
	}
	return c, nil
}

// judgeEvent judges every arrival of one event.
func (w *World) judgeEvent(name string, one originJudge) error {
	c, err := w.event(name)
	if err != nil {
		return err
	}
	return w.judgeCaused(c, one)
}

// judgeEach judges every arrival of every event of the scenario.
func (w *World) judgeEach(one originJudge) error {
	for _, c := range w.driver.Transcript().Caused() {
		if err := w.judgeCaused(c, one); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) judgeCaused(c transcript.Caused, one originJudge) error {
	t := w.driver.Transcript()
	from := judge.OriginOf(t, c)
	found := false
	for _, a := range judge.Arrivals(t, theReceiver) {
		if !judge.Is(a.Event, c) {
			continue
		}
		found = true
		if err := w.judged(one(a.Event, from)); err != nil {
			return err
		}
	}
	if !found {
		return w.judged(judge.Delivered(t, theReceiver, c.Name))
	}
	return nil
}

// namesUser compares the event's resource with the user as the API returned
// it when it was made.
func (w *World) namesUser(_ context.Context, name string) error {
	u, ok := w.environment.users[name]
	if !ok {
		return fmt.Errorf("the scenario has not made user %q", name)
	}
	return w.judgeEvent(name, func(event gjson.Result, _ judge.Origin) judge.Outcome {
		return judge.About(event, u.id, u.username, u.population)
	})
}
