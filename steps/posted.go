package steps

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/cucumber/godog"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/fixtures"
	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets"
)

// postedSteps make audit events happen by posting them, where the target
// offers that: events that no call of a generic scenario could cause.
func postedSteps() []Step {
	return []Step{
		step(`sample event "([^"]*)" happens`, func(w *World) any { return w.postSample }),
		step(`these events happen:`, func(w *World) any { return w.postTable }),
		step(`event "([^"]*)" happens at address "([^"]*)" with an unmistakable user agent`, func(w *World) any { return w.postFrom }),
	}
}

// named is an event to be posted and what the scenario calls it.
type named struct {
	name     string
	event    []byte
	resource string // what it must be about; empty: the event's id is enough
}

// postSample posts the fixture's event as it stands, with an id of its own;
// the event is called like the fixture.
func (w *World) postSample(ctx context.Context, fixture string) error {
	event, err := fixtures.Event(fixture)
	if err != nil {
		return err
	}
	return w.send(ctx, w.environment.id, []named{{name: fixture, event: event}})
}

// postTable posts one event for each row, all at once: changes of a user, of
// the type in the column "type" or USER.CREATED. Further columns:
//   - "user of": the population of the user acted on; empty, it has none
//   - "by user of": the population of the acting user
//   - "by application": the acting client; "none" for no client at all
//   - "tag": one tag
func (w *World) postTable(ctx context.Context, table *godog.Table) error {
	if len(table.Rows) < 2 {
		return fmt.Errorf("a table of events without events")
	}
	var events []named
	for _, row := range table.Rows[1:] {
		event, err := fixtures.Event("user-created")
		if err != nil {
			return err
		}
		if event, err = sjson.SetBytes(event, "resources.0.id", w.driver.UUID()); err != nil {
			return err
		}
		name := ""
		for i, cell := range row.Cells {
			switch column := table.Rows[0].Cells[i].Value; column {
			case "event":
				name = cell.Value
			default:
				if event, err = w.shape(event, column, cell.Value); err != nil {
					return fmt.Errorf("event %q: %w", name, err)
				}
			}
		}
		events = append(events, named{name: name, event: event})
	}
	return w.post(ctx, events)
}

// shape puts one cell of a table of events into an event.
func (w *World) shape(event []byte, column, value string) ([]byte, error) {
	switch column {
	case "type":
		return sjson.SetBytes(event, "action.type", value)
	case "user of":
		return w.shapePopulation(event, "resources.0.population", value)
	case "by user of":
		actor := map[string]any{
			"id": w.driver.UUID(), "name": "ada.actor", "type": "USER", "environment": map[string]string{"id": w.environment.id},
		}
		event, err := sjson.SetBytes(event, "actors.user", actor)
		if err != nil {
			return nil, err
		}
		return w.shapePopulation(event, "actors.user.population", value)
	case "by application":
		if value == "none" {
			return sjson.DeleteBytes(event, "actors")
		}
		id, ok := w.environment.applications[value]
		if !ok {
			return nil, fmt.Errorf("the scenario has not made application %q", value)
		}
		return sjson.SetBytes(event, "actors.client", map[string]any{
			"id": id, "name": value, "type": "CLIENT", "environment": map[string]string{"id": w.environment.id},
		})
	case "tag":
		if value == "" {
			return sjson.DeleteBytes(event, "tags")
		}
		return sjson.SetBytes(event, "tags", []string{value})
	}
	return nil, fmt.Errorf("column %q is none of event, type, user of, by user of, by application, tag", column)
}

func (w *World) shapePopulation(event []byte, path, name string) ([]byte, error) {
	if name == "" {
		return sjson.DeleteBytes(event, path)
	}
	id, ok := w.environment.populations[name]
	if !ok {
		return nil, fmt.Errorf("the scenario has not made population %q", name)
	}
	return sjson.SetBytes(event, path, map[string]string{"id": id})
}

// postFrom posts an event that says where it came from. In JSON, other than
// in a header, characters beyond ASCII mean the same to everybody.
func (w *World) postFrom(ctx context.Context, name, address string) error {
	event, err := fixtures.Event("user-created")
	if err != nil {
		return err
	}
	source := map[string]string{"ipAddress": address, "userAgent": w.unmistakable() + " für 監査"}
	if event, err = sjson.SetBytes(event, "source", source); err != nil {
		return err
	}
	return w.post(ctx, []named{{name: name, event: event}})
}

// post makes events happen now in the scenario's environment, in this order
// and all at once. Each gets an id of its own; the target gives them the
// present time.
func (w *World) post(ctx context.Context, events []named) error {
	return w.postTo(ctx, w.environment.id, events)
}

// postTo is post for any environment.
func (w *World) postTo(ctx context.Context, environment string, events []named) error {
	present := make([]named, len(events))
	for i, e := range events {
		event, err := sjson.DeleteBytes(e.event, "recordedAt")
		if err != nil {
			return fmt.Errorf("take the time out of event %q: %w", e.name, err)
		}
		present[i] = named{e.name, event, e.resource}
	}
	return w.send(ctx, environment, present)
}

// send posts events with ids of their own and otherwise as they are. Several
// for a receiver under test come to it in as few deliveries as its
// subscriptions allow.
func (w *World) send(ctx context.Context, environment string, events []named) error {
	if w.driver.Transcript().Hook != nil && len(events) > 1 {
		return w.together(ctx, func() error { return w.sendNow(ctx, environment, events) })
	}
	return w.sendNow(ctx, environment, events)
}

func (w *World) sendNow(ctx context.Context, environment string, events []named) error {
	if !w.claims(targets.PostEvents) {
		return unobserved("the target does not take posted events")
	}
	lines := make([][]byte, len(events))
	caused := make([]transcript.Caused, len(events))
	for i, e := range events {
		id := w.driver.UUID()
		line, err := sjson.SetBytes(e.event, "id", id)
		if err != nil {
			return fmt.Errorf("give event %q an id: %w", e.name, err)
		}
		lines[i] = line
		caused[i] = transcript.Caused{Name: e.name, EventID: id, Type: gjson.GetBytes(e.event, "action.type").String(), Resource: e.resource}
	}
	call, want := driver.Call{
		Peer: driver.Control, Method: http.MethodPost, Path: "/control/environments/" + environment + "/events",
		Header: map[string]string{"Content-Type": "application/x-ndjson"}, Body: append(bytes.Join(lines, []byte("\n")), '\n'),
	}, judge.Status(http.StatusAccepted)
	if w.driver.Transcript().Trigger {
		call, want = triggerCall(environment, lines), judge.Success()
	}
	x, err := w.driver.Do(ctx, call)
	if err != nil {
		return err
	}
	if _, err := answered(x, want); err != nil {
		return err
	}
	for _, c := range caused {
		c.At = x.End
		w.caused(c)
	}
	return nil
}
