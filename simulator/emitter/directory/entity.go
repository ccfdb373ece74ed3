package directory

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/google/uuid"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/event"
)

// Kind tells resources apart that are kept much as they were sent.
type Kind int

// The kinds of an Entity in an environment.
const (
	Population Kind = iota
	Application
	User
)

// Type is how audit events name the kind.
func (k Kind) Type() string { return [...]string{"POPULATION", "APPLICATION", "USER"}[k] }

// Plural is the kind's path segment and its name in lists.
func (k Kind) Plural() string { return [...]string{"populations", "applications", "users"}[k] }

func (k Kind) key() string { return [...]string{"population", "application", "user"}[k] }

// An Entity is an environment, a population, an application or a user. It is immutable: nothing reachable from it may
// be changed.
type Entity struct {
	ID            string
	EnvironmentID string         // empty for an environment
	Members       map[string]any // as shown, without what the server assigns; numbers are json.Number
	Secret        string         `json:",omitempty"` // of an application
	Password      *Password      `json:",omitempty"` // of a user
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

func (e Entity) identity() (string, time.Time) { return e.ID, e.CreatedAt }

// Name is the name, or the user name.
func (e Entity) Name() string {
	if name, ok := e.Members["username"].(string); ok {
		return name
	}
	name, _ := e.Members["name"].(string)
	return name
}

// Text is a member that is a string, else "".
func (e Entity) Text(name string) string {
	text, _ := e.Members[name].(string)
	return text
}

// Flag is a member that is a boolean, else false.
func (e Entity) Flag(name string) bool {
	flag, _ := e.Members[name].(bool)
	return flag
}

// PopulationID is the population of a user, else "".
func (e Entity) PopulationID() string {
	population, _ := e.Members["population"].(map[string]any)
	id, _ := population["id"].(string)
	return id
}

// with returns the entity with a member replaced.
func (e Entity) with(name string, value any, now time.Time) Entity {
	e.Members = maps.Clone(e.Members)
	e.Members[name] = value
	e.UpdatedAt = now
	return e
}

// Get returns one resource of an environment.
func (d *Directory) Get(environment string, kind Kind, id string) (Entity, error) {
	e, ok := d.environment(environment)
	if !ok {
		return Entity{}, ErrNotFound
	}
	entity, ok := e.table(kind).get(id)
	if !ok {
		return Entity{}, ErrNotFound
	}
	return entity, nil
}

// List returns an environment's resources of a kind, oldest first.
func (d *Directory) List(environment string, kind Kind) ([]Entity, error) {
	e, ok := d.environment(environment)
	if !ok {
		return nil, ErrNotFound
	}
	return e.table(kind).list(), nil
}

// Create makes a resource from a request. Its errors are ErrNotFound, *Invalid, or a failure to store.
func (d *Directory) Create(ctx context.Context, caller Caller, environmentID string, kind Kind, o body.Object) (Entity, error) {
	return d.create(ctx, caller, environmentID, kind, o, nil)
}

func (d *Directory) create(ctx context.Context, caller Caller, environmentID string, kind Kind, o body.Object, password *Password) (Entity, error) {
	return d.put(ctx, caller, environmentID, kind, func(e *environment) (Entity, Entity, body.Object, error) {
		now := d.opts.Now()
		made := Entity{ID: uuid.NewString(), EnvironmentID: environmentID, Password: password, CreatedAt: now, UpdatedAt: now}
		if kind == Application {
			made.Secret = newSecret()
		}
		return Entity{}, made, o, nil
	})
}

// Replace gives a resource the members of a request, dropping the others except those only the server sets.
func (d *Directory) Replace(ctx context.Context, caller Caller, environmentID string, kind Kind, id string, o body.Object) (Entity, error) {
	return d.put(ctx, caller, environmentID, kind, func(e *environment) (Entity, Entity, body.Object, error) {
		old, next, err := d.successor(e, kind, id)
		return old, next, o, err
	})
}

// Patch changes the members a request names; null removes one.
func (d *Directory) Patch(ctx context.Context, caller Caller, environmentID string, kind Kind, id string, o body.Object) (Entity, error) {
	return d.put(ctx, caller, environmentID, kind, func(e *environment) (Entity, Entity, body.Object, error) {
		old, next, err := d.successor(e, kind, id)
		return old, next, o.Over(old.Members), err
	})
}

// successor returns a resource as it is and as it will be, still with the same members.
func (d *Directory) successor(e *environment, kind Kind, id string) (old, next Entity, err error) {
	old, ok := e.table(kind).get(id)
	if !ok {
		return Entity{}, Entity{}, ErrNotFound
	}
	next = old
	next.UpdatedAt = d.opts.Now()
	return old, next, nil
}

// put creates (old has no id) or updates a resource with the members of a request.
func (d *Directory) put(ctx context.Context, caller Caller, environmentID string, kind Kind,
	start func(*environment) (old, next Entity, o body.Object, err error)) (Entity, error) {
	var result Entity
	err := d.alter(ctx, environmentID, func(e *environment) (change, error) {
		old, next, o, err := start(e)
		if err != nil {
			return change{}, err
		}
		next.Members = kind.read(e, old, o)
		if found := o.Problems(); len(found) > 0 {
			return change{}, &Invalid{found}
		}
		verb := "Created"
		if old.ID != "" {
			verb = "Updated"
		}
		result = next
		c := storing(e, kind, append(demoted(e, kind, next), next)...)
		recorded := d.entityEvent(caller, kind, verb, next, "")
		if kind == User && identityChanged(old, next) {
			recorded = e.tagged(recorded, next)
		}
		c.events = []event.Event{recorded}
		if old.ID == "" && kind == Application && next.Text("type") == "WORKER" && (!o.Sent("assignActorRoles") || o.Bool("assignActorRoles")) {
			c = c.granting(e, actorRoles(next))
		}
		return c, nil
	})
	if err != nil {
		return Entity{}, err
	}
	return result, nil
}

// storing is the change that puts resources, new or known.
func storing(e *environment, kind Kind, entities ...Entity) change {
	var c change
	for _, entity := range entities {
		c.writes = append(c.writes, entityWrite(e, kind, entity))
	}
	c.apply = func() {
		for _, entity := range entities {
			e.table(kind).put(entity)
		}
	}
	return c
}

func entityWrite(e *environment, kind Kind, next Entity) write {
	w := write{key: storageKey(kind.key(), next.EnvironmentID, next.ID), value: next}
	if old, ok := e.table(kind).get(next.ID); ok {
		w.old = old
	}
	return w
}

// demoted returns the former default population when next becomes the default.
func demoted(e *environment, kind Kind, next Entity) []Entity {
	if kind != Population || !next.Flag("default") {
		return nil
	}
	var former []Entity
	for _, p := range e.populations.list() {
		if p.ID != next.ID && p.Flag("default") {
			former = append(former, p.with("default", false, next.UpdatedAt))
		}
	}
	return former
}

// Delete removes a resource. A population that is the default or has users, is not removed: *Conflict.
func (d *Directory) Delete(ctx context.Context, caller Caller, environmentID string, kind Kind, id string) error {
	return d.alter(ctx, environmentID, func(e *environment) (change, error) {
		old, ok := e.table(kind).get(id)
		if !ok {
			return change{}, ErrNotFound
		}
		if err := deletable(e, kind, old); err != nil {
			return change{}, err
		}
		recorded := d.entityEvent(caller, kind, "Deleted", old, "")
		if kind == User {
			recorded = e.tagged(recorded, old)
		}
		return change{
			writes: []write{{key: storageKey(kind.key(), environmentID, id), old: old}},
			events: []event.Event{recorded},
			apply:  func() { e.table(kind).remove(id) },
		}.revoking(e, e.held(kind, id)), nil
	})
}

func deletable(e *environment, kind Kind, old Entity) error {
	if kind != Population {
		return nil
	}
	if old.Flag("default") {
		return &Conflict{Target: "id", Message: "The default population must not be deleted."}
	}
	user, used := e.users.find(func(u Entity) bool { return u.PopulationID() == old.ID })
	if used {
		return &Conflict{Target: "id", Message: fmt.Sprintf("The population must not have users; it has %s.", user.ID)}
	}
	return nil
}
