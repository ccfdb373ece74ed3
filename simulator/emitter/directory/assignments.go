package directory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// A RoleAssignment gives a user or an application a role within a scope. A user who has one is an administrator.
type RoleAssignment struct {
	ID            string
	EnvironmentID string // of the holder
	Holder        Kind   // User or Application
	HolderID      string
	RoleID        string
	ScopeType     string
	ScopeID       string
	CreatedAt     time.Time
}

func (r RoleAssignment) identity() (string, time.Time) { return r.ID, r.CreatedAt }

// RoleAssignments returns what a user or an application holds, oldest first.
func (d *Directory) RoleAssignments(environmentID string, holder Kind, id string) ([]RoleAssignment, error) {
	e, ok := d.environment(environmentID)
	if !ok {
		return nil, ErrNotFound
	}
	if _, ok := e.table(holder).get(id); !ok {
		return nil, ErrNotFound
	}
	return e.held(holder, id), nil
}

// GetRoleAssignment returns one assignment of a holder.
func (d *Directory) GetRoleAssignment(environmentID string, holder Kind, holderID, id string) (RoleAssignment, error) {
	e, ok := d.environment(environmentID)
	if !ok {
		return RoleAssignment{}, ErrNotFound
	}
	return e.assignment(holder, holderID, id)
}

func (e *environment) assignment(holder Kind, holderID, id string) (RoleAssignment, error) {
	a, ok := e.assignments.get(id)
	if !ok || a.Holder != holder || a.HolderID != holderID {
		return RoleAssignment{}, ErrNotFound
	}
	return a, nil
}

func (e *environment) held(holder Kind, id string) []RoleAssignment {
	return e.assignments.matching(func(a RoleAssignment) bool { return a.Holder == holder && a.HolderID == id })
}

// administrator says whether a user holds a role.
func (e *environment) administrator(user string) bool {
	_, holds := e.assignments.find(func(a RoleAssignment) bool { return a.Holder == User && a.HolderID == user })
	return holds
}

// AssignRole gives a user or an application a role. Its errors are ErrNotFound, *Invalid, or a failure to store.
func (d *Directory) AssignRole(ctx context.Context, caller Caller, environmentID string, holder Kind, holderID string, o body.Object) (RoleAssignment, error) {
	var made RoleAssignment
	err := d.alter(ctx, environmentID, func(e *environment) (change, error) {
		subject, ok := e.table(holder).get(holderID)
		if !ok {
			return change{}, ErrNotFound
		}
		made = d.readAssignment(e, o)
		made.Holder, made.HolderID = holder, holderID
		for _, other := range e.held(holder, holderID) {
			if other.RoleID == made.RoleID && other.ScopeType == made.ScopeType && other.ScopeID == made.ScopeID {
				o.Report(body.Problem{
					Code: body.UniquenessViolation, Target: "role", Message: "May not assign duplicate Role",
					Inner: &body.Inner{ExistingID: other.ID},
				})
			}
		}
		if found := o.Problems(); len(found) > 0 {
			return change{}, &Invalid{found}
		}
		made.ID, made.EnvironmentID, made.CreatedAt = uuid.NewString(), environmentID, d.opts.Now()
		return change{
			writes: []write{{key: storageKey(assignmentKey, environmentID, made.ID), value: made}},
			events: []event.Event{d.assignmentEvent(caller, "Created", holder, subject)},
			apply:  func() { e.assignments.put(made) },
		}, nil
	})
	return made, err
}

// RevokeRole takes a role away.
func (d *Directory) RevokeRole(ctx context.Context, caller Caller, environmentID string, holder Kind, holderID, id string) error {
	return d.alter(ctx, environmentID, func(e *environment) (change, error) {
		old, err := e.assignment(holder, holderID, id)
		if err != nil {
			return change{}, err
		}
		subject, ok := e.table(holder).get(holderID)
		if !ok {
			return change{}, ErrNotFound
		}
		return change{
			writes: []write{{key: storageKey(assignmentKey, environmentID, id), old: old}},
			events: []event.Event{d.assignmentEvent(caller, "Deleted", holder, subject)},
			apply:  func() { e.assignments.remove(id) },
		}, nil
	})
}

func (d *Directory) readAssignment(e *environment, o body.Object) RoleAssignment {
	role, scope := o.Object("role"), o.Object("scope")
	role.Required("id")
	scope.Required("id")
	scope.Required("type")
	a := RoleAssignment{RoleID: role.String("id"), ScopeType: scope.String("type"), ScopeID: scope.String("id")}
	known, err := GetRole(a.RoleID)
	if err != nil {
		o.Report(body.Problem{Code: body.InvalidValue, Target: "role.id", Message: "There is no role with this id."})
	} else if scope.Sent("type") {
		oneOf(scope, "type", a.ScopeType, known.ApplicableTo...)
	}
	if scope.Sent("id") && !d.reachable(e, a.ScopeType, a.ScopeID) {
		o.Report(body.Problem{Code: body.InvalidValue, Target: "scope.id", Message: "There is no such scope with this id."})
	}
	return a
}

// reachable says whether a scope exists. Populations and applications are those of the holder's environment.
func (d *Directory) reachable(e *environment, scopeType, id string) bool {
	var ok bool
	switch scopeType {
	case ScopeOrganization:
		return id == OrganizationID
	case ScopeEnvironment:
		_, ok = d.environment(id)
	case ScopePopulation:
		_, ok = e.populations.get(id)
	case ScopeApplication:
		_, ok = e.applications.get(id)
	}
	return ok
}

// actorRoles are what a new worker application holds unless its request says otherwise: all of its own environment,
// nothing of another.
func actorRoles(application Entity) []RoleAssignment {
	var roles []RoleAssignment
	for i, name := range []string{RoleEnvironmentAdmin, RoleIdentityDataAdmin, RoleClientApplicationDeveloper} {
		roles = append(roles, RoleAssignment{
			ID: uuid.NewString(), EnvironmentID: application.EnvironmentID, Holder: Application, HolderID: application.ID,
			RoleID: RoleID(name), ScopeType: ScopeEnvironment, ScopeID: application.EnvironmentID,
			CreatedAt: application.CreatedAt.Add(time.Duration(i)), // one after the other, for their order after a restart
		})
	}
	return roles
}

// granting adds role assignments to a change.
func (c change) granting(e *environment, roles []RoleAssignment) change {
	apply := c.apply
	for _, r := range roles {
		c.writes = append(c.writes, write{key: storageKey(assignmentKey, r.EnvironmentID, r.ID), value: r})
	}
	c.apply = func() {
		apply()
		for _, r := range roles {
			e.assignments.put(r)
		}
	}
	return c
}

// revoking takes role assignments away together with a change.
func (c change) revoking(e *environment, roles []RoleAssignment) change {
	apply := c.apply
	for _, r := range roles {
		c.writes = append(c.writes, write{key: storageKey(assignmentKey, r.EnvironmentID, r.ID), old: r})
	}
	c.apply = func() {
		apply()
		for _, r := range roles {
			e.assignments.remove(r.ID)
		}
	}
	return c
}

// assignmentEvent names the holder as the resource. Adding to or taking from a user's roles is always about an
// administrator (S1).
func (d *Directory) assignmentEvent(c Caller, done string, holder Kind, subject Entity) event.Event {
	e := d.entityEvent(c, holder, done, subject, done+" Role Assignment for "+title(holder.Type())+" "+subject.Name())
	e.Type, e.Description = "ROLE_ASSIGNMENT."+map[string]string{"Created": "CREATED", "Deleted": "DELETED"}[done], "Role Assignment "+done
	if holder == User {
		e.Tags = []string{subscription.AdminIdentityEvent}
	}
	return e
}
