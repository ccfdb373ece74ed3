package directory

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

func number(n int) json.Number { return json.Number(strconv.Itoa(n)) }

// newSecret makes a client secret of 128 bits and more.
func newSecret() string { return rand.Text() + rand.Text() }

// tagged marks what an API client does to an administrator (S1).
func (e *environment) tagged(recorded event.Event, user Entity) event.Event {
	if recorded.Client != nil && e.administrator(user.ID) {
		recorded.Tags = []string{subscription.AdminIdentityEvent}
	}
	return recorded
}

// identityChanged says whether an update touches what makes it an event of an administrator's identity: the user name,
// the e-mail address, whether the user is enabled and whether MFA is on (S1).
func identityChanged(old, next Entity) bool {
	for _, name := range []string{"username", "email"} {
		if old.Text(name) != next.Text(name) {
			return true
		}
	}
	for _, name := range []string{"enabled", "mfaEnabled"} {
		if old.Flag(name) != next.Flag(name) {
			return true
		}
	}
	return false
}

// SetEnabled turns a user on or off.
func (d *Directory) SetEnabled(ctx context.Context, caller Caller, environmentID, id string, o body.Object) (Entity, error) {
	return d.amend(ctx, environmentID, User, id, func(e *environment, old Entity) (Entity, event.Event, error) {
		o.Required("enabled")
		next := old.with("enabled", o.Bool("enabled"), d.opts.Now())
		if found := o.Problems(); len(found) > 0 {
			return next, event.Event{}, &Invalid{found}
		}
		return next, e.tagged(d.entityEvent(caller, User, "Updated", next, "Updated enabled for User "+next.Name()), next), nil
	})
}

// Move puts a user into another population of the environmentID.
func (d *Directory) Move(ctx context.Context, caller Caller, environmentID, id string, o body.Object) (Entity, error) {
	return d.amend(ctx, environmentID, User, id, func(e *environment, old Entity) (Entity, event.Event, error) {
		population := requiredText(o, "id")
		if _, known := e.populations.get(population); !known {
			o.Report(body.Problem{Code: body.InvalidValue, Target: "id", Message: "There is no population with this id."})
		}
		if found := o.Problems(); len(found) > 0 {
			return old, event.Event{}, &Invalid{found}
		}
		next := old.with("population", object{"id": population}, d.opts.Now())
		return next, d.entityEvent(caller, User, "Moved", next, ""), nil
	})
}

// ReadSecret returns an application's secret and records that it was read.
func (d *Directory) ReadSecret(ctx context.Context, caller Caller, environmentID, id string) (string, error) {
	application, err := d.amend(ctx, environmentID, Application, id, func(_ *environment, old Entity) (Entity, event.Event, error) {
		return old, d.secretEvent(caller, old, "Read"), nil
	})
	return application.Secret, err
}

// RotateSecret gives an application a new secret; the old one is worth nothing at once.
func (d *Directory) RotateSecret(ctx context.Context, caller Caller, environmentID, id string) (string, error) {
	application, err := d.amend(ctx, environmentID, Application, id, func(_ *environment, old Entity) (Entity, event.Event, error) {
		old.Secret = newSecret()
		return old, d.secretEvent(caller, old, "Updated"), nil
	})
	return application.Secret, err
}

// secretEvent names the application as the resource: the secret itself stands in no event.
func (d *Directory) secretEvent(caller Caller, application Entity, done string) event.Event {
	e := d.entityEvent(caller, Application, done, application,
		fmt.Sprintf("%s Secret of Application %s", done, application.Name()))
	e.Type, e.Description = "SECRET."+map[string]string{"Read": "READ", "Updated": "UPDATED"}[done], "Secret "+done
	return e
}

// amend replaces one resource by what next makes of it.
func (d *Directory) amend(ctx context.Context, environmentID string, kind Kind, id string,
	next func(*environment, Entity) (Entity, event.Event, error)) (Entity, error) {
	var result Entity
	err := d.alter(ctx, environmentID, func(e *environment) (change, error) {
		old, ok := e.table(kind).get(id)
		if !ok {
			return change{}, ErrNotFound
		}
		amended, recorded, err := next(e, old)
		if err != nil {
			return change{}, err
		}
		result = amended
		c := storing(e, kind, amended)
		c.events = []event.Event{recorded}
		return c, nil
	})
	return result, err
}
