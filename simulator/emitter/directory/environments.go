package directory

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/event"
)

// OrganizationID is the one organization that all environments belong to, and LicenseID its one license: fixed, since
// neither is modelled.
const (
	OrganizationID = "0f6a9c1e-8d5b-4f0e-9a34-6d1c7b2e5a10"
	LicenseID      = "7c3d2f58-19b4-4d6a-8f21-b0e94a6c8d33"
)

// GetEnvironment returns one environment.
func (d *Directory) GetEnvironment(id string) (Entity, error) {
	e, ok := d.environment(id)
	if !ok {
		return Entity{}, ErrNotFound
	}
	return *e.self.Load(), nil
}

// ListEnvironments returns all environments, oldest first.
func (d *Directory) ListEnvironments() []Entity {
	d.mu.RLock()
	list := make([]Entity, 0, len(d.environments))
	for _, e := range d.environments {
		list = append(list, *e.self.Load())
	}
	d.mu.RUnlock()
	slices.SortFunc(list, func(a, b Entity) int {
		if order := a.CreatedAt.Compare(b.CreatedAt); order != 0 {
			return order
		}
		return slices.Compare([]byte(a.ID), []byte(b.ID))
	})
	return list
}

// CreateEnvironment makes an environment with its default population. Its errors are *Invalid or a failure to store.
func (d *Directory) CreateEnvironment(ctx context.Context, caller Caller, o body.Object) (Entity, error) {
	members := readEnvironment(o)
	if found := o.Problems(); len(found) > 0 {
		return Entity{}, &Invalid{found}
	}
	return d.found(ctx, caller, uuid.NewString(), members)
}

// root makes the environment of the options when it is missing.
func (d *Directory) root(ctx context.Context) error {
	id := d.opts.Root
	if id == "" {
		return nil
	}
	if parsed, err := uuid.Parse(id); err != nil || parsed.String() != id {
		return fmt.Errorf("root environment %q is not a UUID in lower case", id)
	}
	if _, known := d.environment(id); known {
		return nil
	}
	_, err := d.found(ctx, Caller{}, id, object{
		"name": "Administrators", "type": "PRODUCTION", "region": "NA", "license": object{"id": LicenseID},
	})
	return err
}

func (d *Directory) found(ctx context.Context, caller Caller, id string, members object) (Entity, error) {
	now := d.opts.Now()
	self := Entity{ID: id, Members: members, CreatedAt: now, UpdatedAt: now}
	population := Entity{ID: uuid.NewString(), EnvironmentID: id, CreatedAt: now, UpdatedAt: now, Members: object{
		"name": "Default", "default": true, "preferredLanguage": "en", "theme": object{"id": id},
		"description": "Automatically created population.",
	}}
	e := newEnvironment()
	e.self.Store(&self)
	e.populations.put(population)
	e.write.Lock()
	defer e.write.Unlock()
	d.form(id, e)
	err := d.commit(ctx, id, e, change{
		writes: []write{
			{key: storageKey(environmentKey, id, ""), value: self},
			{key: storageKey(Population.key(), id, population.ID), value: population},
		},
		events: []event.Event{
			d.environmentEvent(caller, "Created", self),
			d.entityEvent(caller, Population, "Created", population, ""),
		},
	})
	if err != nil {
		d.vanish(id, e)
		return Entity{}, err
	}
	d.appear(id, e)
	return self, nil
}

// ReplaceEnvironment gives an environment the members of a request.
func (d *Directory) ReplaceEnvironment(ctx context.Context, caller Caller, id string, o body.Object) (Entity, error) {
	var next Entity
	err := d.alter(ctx, id, func(e *environment) (change, error) {
		old := *e.self.Load()
		next = old
		next.Members, next.UpdatedAt = readEnvironment(o), d.opts.Now()
		if _, ok := next.Members["billOfMaterials"]; !ok {
			// It has an address of its own; a replacement that does not name it leaves it.
			if kept, ok := old.Members["billOfMaterials"]; ok {
				next.Members["billOfMaterials"] = kept
			}
		}
		if found := o.Problems(); len(found) > 0 {
			return change{}, &Invalid{found}
		}
		return change{
			writes: []write{{key: storageKey(environmentKey, id, ""), value: next, old: old}},
			events: []event.Event{d.environmentEvent(caller, "Updated", next)},
			apply:  func() { e.self.Store(&next) },
		}, nil
	})
	return next, err
}

// DeleteEnvironment removes an environment with everything in it.
func (d *Directory) DeleteEnvironment(ctx context.Context, caller Caller, id string) error {
	err := d.alter(ctx, id, func(e *environment) (change, error) {
		self := *e.self.Load()
		c := change{
			writes: []write{{key: storageKey(environmentKey, id, ""), old: self}},
			events: []event.Event{d.environmentEvent(caller, "Deleted", self)},
			apply: func() {
				e.deleted = true
				d.vanish(id, e)
			},
		}
		for _, s := range *e.subscriptions.Load() {
			c.subscriptions = append(c.subscriptions, s.ID)
		}
		return c, nil
	})
	if err != nil {
		return err
	}
	// With its own entry gone the environment is deleted. What was in it is out of reach already; if it cannot be
	// removed now, the next start does.
	_ = d.purge(ctx, id)
	return nil
}

// regions are where an environment can be (S2, G1).
var regions = []string{"NA", "EU", "AP", "CA", "AU", "SG"}

func readEnvironment(o body.Object) object {
	requiredText(o, "name")
	oneOf(o, "region", requiredText(o, "region"), regions...)
	oneOf(o, "type", requiredText(o, "type"), "PRODUCTION", "SANDBOX")
	text(o, "description", "icon")
	text(o.Object("license"), "id")
	if o.Sent("billOfMaterials") {
		readBill(o.Object("billOfMaterials"))
	}
	members := sent(o, "organization", "status")
	if !o.Sent("license.id") {
		members["license"] = object{"id": LicenseID}
	}
	return members
}

// readBill demands a type of every product.
func readBill(o body.Object) {
	o.Required("products")
	for _, product := range o.Objects("products") {
		requiredText(product, "type")
		product.Strings("tags")
	}
	text(o, "solutionType")
}

// ReplaceBill gives an environment another bill of materials. Its errors are ErrNotFound, *Invalid, or a failure to
// store.
func (d *Directory) ReplaceBill(ctx context.Context, caller Caller, id string, o body.Object) (Entity, error) {
	var next Entity
	err := d.alter(ctx, id, func(e *environment) (change, error) {
		readBill(o)
		if found := o.Problems(); len(found) > 0 {
			return change{}, &Invalid{found}
		}
		old := *e.self.Load()
		next = old.with("billOfMaterials", sent(o), d.opts.Now())
		return change{
			writes: []write{{key: storageKey(environmentKey, id, ""), value: next, old: old}},
			events: []event.Event{d.environmentEvent(caller, "Updated", next)},
			apply:  func() { e.self.Store(&next) },
		}, nil
	})
	return next, err
}

func oneOf(o body.Object, name, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		o.Report(body.Problem{
			Code: body.InvalidValue, Target: o.Path(name), Message: "The value is not one of the allowed values.",
			Inner: &body.Inner{AllowedValues: allowed},
		})
	}
}

func (d *Directory) environmentEvent(c Caller, done string, e Entity) event.Event {
	return d.audit(c, done, event.Resource{
		Type: "ENVIRONMENT", ID: e.ID, Name: e.Name(), EnvironmentID: e.ID, Href: c.href(e.ID),
	}, "")
}
