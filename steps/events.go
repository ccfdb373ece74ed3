package steps

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/fixtures"
	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets"
)

// eventSteps make audit events happen: by API calls that cause them, or by
// posting them where the target offers that.
func eventSteps() []Step {
	return []Step{
		step(`user "([^"]*)" is created`, func(w *World) any {
			return func(ctx context.Context, name string) error { return w.createUser(ctx, name, "") }
		}),
		step(`user "([^"]*)" is created in population "([^"]*)"`, func(w *World) any { return w.createUser }),
		step(`event "([^"]*)" happens, called "([^"]*)"`, func(w *World) any { return w.postFixture }),
	}
}

// createUser makes a user by the management API; the event is called like
// the user.
func (w *World) createUser(ctx context.Context, name, population string) error {
	username := name + "." + w.driver.Name("user")
	body := map[string]any{"username": username, "email": username + "@hookproof.example"}
	if population != "" {
		id, ok := w.environment.populations[population]
		if !ok {
			return fmt.Errorf("the scenario has not made population %q", population)
		}
		body["population"] = map[string]string{"id": id}
	}
	id, _, err := w.create(ctx, w.here("/users"), body)
	if err != nil {
		return err
	}
	w.later(http.MethodDelete, w.here("/users/"+id))
	w.environment.users[name] = user{id: id, username: username, population: population}
	w.caused(transcript.Caused{Name: name, Type: "USER.CREATED", Resource: id, At: w.answer.End})
	return nil
}

// caused records an event that has been made happen.
func (w *World) caused(c transcript.Caused) {
	w.driver.Caused(c)
	w.events[c.Name] = c
}

// postFixture posts the fixture's event, as if it had happened now.
func (w *World) postFixture(ctx context.Context, fixture, name string) error {
	event, err := fixtures.Event(fixture)
	if err != nil {
		return err
	}
	return w.post(ctx, []named{{name, event}})
}

// named is an event to be posted and what the scenario calls it.
type named struct {
	name  string
	event []byte
}

// post makes events happen in the scenario's environment, in this order and
// all at once. Each gets an id of its own and the present time.
func (w *World) post(ctx context.Context, events []named) error {
	if !w.claims(targets.PostEvents) {
		return unobserved("the target does not take posted events")
	}
	var lines bytes.Buffer
	caused := make([]transcript.Caused, len(events))
	for i, e := range events {
		id := w.driver.UUID()
		line, err := sjson.SetBytes(e.event, "id", id)
		if err != nil {
			return fmt.Errorf("give event %q an id: %w", e.name, err)
		}
		lines.Write(line)
		lines.WriteByte('\n')
		caused[i] = transcript.Caused{Name: e.name, EventID: id, Type: gjson.GetBytes(e.event, "action.type").String()}
	}
	x, err := w.driver.Do(ctx, driver.Call{
		Peer: driver.Control, Method: http.MethodPost, Path: "/control/environments/" + w.environment.id + "/events",
		Header: map[string]string{"Content-Type": "application/x-ndjson"}, Body: lines.Bytes(),
	})
	if err != nil {
		return err
	}
	if _, err := answered(x, judge.Status(http.StatusAccepted)); err != nil {
		return err
	}
	for _, c := range caused {
		c.At = x.End
		w.caused(c)
	}
	return nil
}
