package steps

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"

	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/fixtures"
	"github.com/hookproof/hookproof/steps/driver"
)

// Where the target has an address of its own that makes events happen, what
// scenarios otherwise do by API calls to users and populations is asked for
// there, as the event that the call would have caused.

// triggerCall asks the implementer's address for events: each as a line of the
// array, in the order in which they are to happen.
func triggerCall(environment string, events [][]byte) driver.Call {
	body := fmt.Appendf(nil, `{"environment":%q,"events":[%s]}`, environment, bytes.Join(events, []byte(",\n")))
	return driver.Call{Peer: driver.Trigger, Method: http.MethodPost, Header: map[string]string{"Content-Type": "application/json"}, Body: body}
}

// callerAddress is where a call comes from that was never made (RFC 5737).
const callerAddress = "203.0.113.17"

// about is the fixture's event about a resource of the given id and name, in
// an environment, as if a call of this run's client, with this user agent, had
// caused it; empty, the scenario's or another one.
func (w *World) about(fixture, environment, id, name, agent string) ([]byte, error) {
	event, err := fixtures.Event(fixture)
	if err != nil {
		return nil, err
	}
	set := []struct{ path, value string }{
		{"resources.0.id", id}, {"resources.0.name", name}, {"resources.0.environment.id", environment}, {"resources.0.href", ""},
		{"source.ipAddress", callerAddress}, {"source.userAgent", cmp.Or(agent, w.agent, w.unmistakable())},
	}
	if t := w.driver.Transcript(); t.Client != "" {
		set = append(set, []struct{ path, value string }{
			{"actors.client.id", t.Client}, {"actors.client.environment.id", t.Environment}, {"actors.client.href", ""},
		}...)
	}
	for _, m := range set {
		if event, err = setOrDelete(event, m.path, m.value); err != nil {
			return nil, fmt.Errorf("set %s: %w", m.path, err)
		}
	}
	return event, nil
}

// triggerUser asks for the event of a user's creation.
func (w *World) triggerUser(ctx context.Context, home *environment, u newUser) error {
	made := user{id: w.driver.UUID(), username: u.name + "." + w.driver.Name("user"), population: home.populations[u.population]}
	if u.population != "" && made.population == "" {
		return fmt.Errorf("the scenario has not made population %q", u.population)
	}
	event, err := w.about("user-created", home.id, made.id, made.username, u.agent)
	if err != nil {
		return err
	}
	if event, err = setOrDelete(event, "resources.0.population.id", made.population); err != nil {
		return err
	}
	home.users[u.name] = made
	return w.postTo(ctx, home.id, []named{{u.name, event, made.id}})
}

// triggerUsers asks for the events of many users' creation at once.
func (w *World) triggerUsers(ctx context.Context, n int) error {
	events := make([]named, n)
	for i := range events {
		id := w.driver.UUID()
		event, err := w.about("user-created", w.environment.id, id, w.driver.Name("user"), "")
		if err != nil {
			return err
		}
		if event, err = sjson.DeleteBytes(event, "resources.0.population"); err != nil {
			return err
		}
		events[i] = named{fmt.Sprintf("user %d", i+1), event, id}
	}
	return w.post(ctx, events)
}

// triggerDeletion asks for the event of a user's deletion.
func (w *World) triggerDeletion(ctx context.Context, name string, u user) error {
	event, err := w.about("user-deleted", w.environment.id, u.id, u.username, "")
	if err != nil {
		return err
	}
	if event, err = setOrDelete(event, "resources.0.population.id", u.population); err != nil {
		return err
	}
	return w.post(ctx, []named{{"deletion of " + name, event, u.id}})
}

// triggerPopulation asks for the event of a population's creation.
func (w *World) triggerPopulation(ctx context.Context, name string) error {
	id := w.driver.UUID()
	event, err := w.about("population-created", w.environment.id, id, name+" "+w.driver.Name("population"), "")
	if err != nil {
		return err
	}
	w.environment.populations[name] = id
	return w.post(ctx, []named{{name, event, id}})
}

func setOrDelete(event []byte, path, value string) ([]byte, error) {
	if value == "" {
		return sjson.DeleteBytes(event, path)
	}
	return sjson.SetBytes(event, path, value)
}
