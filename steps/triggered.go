package steps

import (
	"bytes"
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

// about is the fixture's event about a resource of the given id and name, in
// an environment.
func about(fixture, environment, id, name string) ([]byte, error) {
	event, err := fixtures.Event(fixture)
	if err != nil {
		return nil, err
	}
	for _, m := range []struct{ path, value string }{
		{"resources.0.id", id}, {"resources.0.name", name}, {"resources.0.environment.id", environment},
	} {
		if event, err = sjson.SetBytes(event, m.path, m.value); err != nil {
			return nil, fmt.Errorf("set %s: %w", m.path, err)
		}
	}
	return sjson.DeleteBytes(event, "resources.0.href")
}

// triggerUser asks for the event of a user's creation.
func (w *World) triggerUser(ctx context.Context, home *environment, u newUser) error {
	made := user{id: w.driver.UUID(), username: u.name + "." + w.driver.Name("user"), population: home.populations[u.population]}
	if u.population != "" && made.population == "" {
		return fmt.Errorf("the scenario has not made population %q", u.population)
	}
	event, err := about("user-created", home.id, made.id, made.username)
	if err != nil {
		return err
	}
	if event, err = setOrDelete(event, "resources.0.population.id", made.population); err != nil {
		return err
	}
	agent := u.agent
	if agent == "" {
		agent = w.agent
	}
	if agent != "" {
		if event, err = sjson.SetBytes(event, "source.userAgent", agent); err != nil {
			return err
		}
	}
	home.users[u.name] = made
	return w.postTo(ctx, home.id, []named{{u.name, event, made.id}})
}

// triggerUsers asks for the events of many users' creation at once.
func (w *World) triggerUsers(ctx context.Context, n int) error {
	events := make([]named, n)
	for i := range events {
		id := w.driver.UUID()
		event, err := about("user-created", w.environment.id, id, w.driver.Name("user"))
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
	event, err := about("user-deleted", w.environment.id, u.id, u.username)
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
	event, err := about("population-created", w.environment.id, id, name+" "+w.driver.Name("population"))
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
