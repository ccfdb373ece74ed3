package steps

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

// eventSteps make audit events happen by API calls that cause them. An event
// is called like what it is about; the deletion of "A" is called
// "deletion of A".
func eventSteps() []Step {
	return []Step{
		step(`user "([^"]*)" is created`, func(w *World) any {
			return func(ctx context.Context, name string) error { return w.createUser(ctx, name, "") }
		}),
		step(`users ((?:"[^"]*"(?:, | and )?)+) are created`, func(w *World) any {
			return func(ctx context.Context, list string) error {
				for _, name := range quoted(list) {
					if err := w.createUser(ctx, name, ""); err != nil {
						return err
					}
				}
				return nil
			}
		}),
		step(`user "([^"]*)" is created in population "([^"]*)"`, func(w *World) any { return w.createUser }),
		step(`user "([^"]*)" is created in environment "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, name, environment string) error {
				return w.makeUser(ctx, newUser{name: name, environment: environment})
			}
		}),
		step(`user "([^"]*)" is created by a client with an unmistakable user agent`, func(w *World) any {
			return func(ctx context.Context, name string) error {
				return w.makeUser(ctx, newUser{name: name, agent: w.unmistakable()})
			}
		}),
		step(`user "([^"]*)" is created by a client with a user agent of (\d+) characters`, func(w *World) any {
			return func(ctx context.Context, name string, n int) error {
				agent := w.unmistakable()
				return w.makeUser(ctx, newUser{name: name, agent: agent + strings.Repeat("+", max(0, n-len(agent)))})
			}
		}),
		step(`every call is made with an unmistakable user agent`, func(w *World) any {
			return func() { w.agent = w.unmistakable() }
		}),
		step(`user "([^"]*)" is deleted`, func(w *World) any { return w.deleteUser }),
		step(`population "([^"]*)" is created`, func(w *World) any { return w.createPopulation }),
	}
}

// newUser is a user to be made: in the default population and the scenario's
// own environment, by the suite's ordinary user agent, where nothing is said.
type newUser struct{ name, population, environment, agent string }

// unmistakable makes up a user agent that nothing else can have sent, with
// characters that are easily lost on the way.
func (w *World) unmistakable() string {
	return w.driver.Name("agent") + `/4.2 (+https://hookproof.example/agent; "as sent")  \kept`
}

// createUser makes a user in the scenario's environment, in the default
// population where none is named.
func (w *World) createUser(ctx context.Context, name, population string) error {
	return w.makeUser(ctx, newUser{name: name, population: population})
}

// makeUser makes a user by the management API; the event is called like
// the user.
func (w *World) makeUser(ctx context.Context, u newUser) error {
	home := w.environment
	if u.environment != "" {
		if home = w.others[u.environment]; home == nil {
			return fmt.Errorf("the scenario has not made environment %q", u.environment)
		}
	}
	if w.driver.Transcript().Trigger {
		return w.triggerUser(ctx, home, u)
	}
	unique := w.driver.Name("user")
	username := u.name + "." + unique // the name may have spaces, an address may not
	body := map[string]any{"username": username, "email": unique + "@hookproof.example"}
	if u.population != "" {
		id, ok := home.populations[u.population]
		if !ok {
			return fmt.Errorf("the scenario has not made population %q", u.population)
		}
		body["population"] = map[string]string{"id": id}
	}
	c, err := jsonCall(http.MethodPost, "/v1/environments/"+home.id+"/users", body)
	if err != nil {
		return err
	}
	if u.agent != "" {
		c.Header["User-Agent"] = u.agent
	}
	x, err := w.do(ctx, c)
	if err != nil {
		return err
	}
	r, err := answered(x, judge.Status(http.StatusCreated))
	if err != nil {
		return err
	}
	id := gjson.GetBytes(r.Body, "id").String()
	if id == "" {
		return unobserved("an answer to POST %s without an id", c.Path)
	}
	home.users[u.name] = user{id: id, username: username, population: cmp.Or(gjson.GetBytes(r.Body, "population.id").String(), home.populations[u.population])}
	w.caused(transcript.Caused{Name: u.name, Type: "USER.CREATED", Resource: id, At: x.End})
	return nil
}

func (w *World) deleteUser(ctx context.Context, name string) error {
	u, ok := w.environment.users[name]
	if !ok {
		return fmt.Errorf("the scenario has not made user %q", name)
	}
	if w.driver.Transcript().Trigger {
		return w.triggerDeletion(ctx, name, u)
	}
	x, err := w.call(ctx, http.MethodDelete, w.here("/users/"+u.id), nil)
	if err != nil {
		return err
	}
	if _, err := answered(x, judge.Status(http.StatusNoContent)); err != nil {
		return err
	}
	w.caused(transcript.Caused{Name: "deletion of " + name, Type: "USER.DELETED", Resource: u.id, At: x.End})
	return nil
}

// createPopulation makes a population for the sake of its event.
func (w *World) createPopulation(ctx context.Context, name string) error {
	if w.driver.Transcript().Trigger {
		return w.triggerPopulation(ctx, name)
	}
	if err := w.populations(ctx, `"`+name+`"`); err != nil {
		return err
	}
	w.caused(transcript.Caused{Name: name, Type: "POPULATION.CREATED", Resource: w.environment.populations[name], At: w.answer.End})
	return nil
}

// caused records an event that has been made happen.
func (w *World) caused(c transcript.Caused) {
	w.driver.Caused(c)
	w.events[c.Name] = c
}
