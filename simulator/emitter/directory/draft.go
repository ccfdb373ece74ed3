package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// A Plan is environments that are put together in memory, with the checks that requests meet, and then stored and made
// visible all at once. What it brings is the state that an emitter begins with: it makes no audit events. A Plan is for
// one goroutine.
type Plan struct {
	d      *Directory
	drafts []*Draft
}

// A Draft is one environment of a Plan.
type Draft struct {
	plan  *Plan
	id    string
	e     *environment
	seen  map[string]bool // ids given out in it
	plain bool            // the default population is still the one that every environment gets
}

// Plan begins an empty plan.
func (d *Directory) Plan() *Plan { return &Plan{d: d} }

// Known says whether the directory has an environment with the id; or, where the id is empty, with the name.
func (d *Directory) Known(id, name string) bool {
	if id != "" {
		_, known := d.environment(id)
		return known
	}
	return slices.ContainsFunc(d.ListEnvironments(), func(e Entity) bool { return e.Name() == name })
}

// Environment adds an environment with its default population. An empty id is replaced by a new one, here and in the
// methods of the draft; their errors are *Invalid.
func (p *Plan) Environment(id string, o body.Object) (*Draft, error) {
	members := readEnvironment(o)
	t := &Draft{plan: p, e: newEnvironment(), seen: map[string]bool{}, plain: true}
	t.id = t.identify(id, o)
	if p.draft(t.id) != nil || p.d.Known(t.id, "") {
		o.Report(taken("id"))
	}
	if found := o.Problems(); len(found) > 0 {
		return nil, &Invalid{found}
	}
	now := p.d.opts.Now()
	self := Entity{ID: t.id, Members: members, CreatedAt: now, UpdatedAt: now}
	t.e.self.Store(&self)
	t.e.populations.put(Entity{ID: uuid.NewString(), EnvironmentID: t.id, CreatedAt: now, UpdatedAt: now, Members: object{
		"name": "Default", "default": true, "preferredLanguage": "en", "theme": object{"id": t.id},
		"description": "Automatically created population.",
	}})
	p.drafts = append(p.drafts, t)
	return t, nil
}

func (p *Plan) draft(id string) *Draft {
	for _, t := range p.drafts {
		if t.id == id {
			return t
		}
	}
	return nil
}

// ID is the environment's.
func (t *Draft) ID() string { return t.id }

// identify checks a given id or makes one.
func (t *Draft) identify(id string, o body.Object) string {
	if id == "" {
		return uuid.NewString()
	}
	if parsed, err := uuid.Parse(id); err != nil || parsed.String() != id {
		o.Report(body.Problem{Code: body.InvalidValue, Target: "id", Message: "The id must be a UUID in lower case."})
	} else if t.seen[id] {
		o.Report(taken("id"))
	}
	t.seen[id] = true
	return id
}

func taken(name string) body.Problem {
	return body.Problem{Code: body.UniquenessViolation, Target: name, Message: "A resource with the specified " + name + " already exists."}
}

// Add puts a population, an application or a user into the environment. A population that is the default takes the place
// of the one that every environment gets. An application without a secret gets one; a worker has no roles but those that
// are assigned to it here.
func (t *Draft) Add(kind Kind, id, secret string, o body.Object) (Entity, error) {
	replaced, _ := t.e.populations.find(func(p Entity) bool { return t.plain && p.Flag("default") })
	if kind == Population && o.Bool("default") {
		if !t.plain {
			o.Report(body.Problem{Code: body.ConstraintViolation, Target: "default", Message: "Another population is the default already."})
		}
		t.e.populations.remove(replaced.ID)
		t.plain = false
	}
	now := t.plan.d.opts.Now()
	made := Entity{ID: t.identify(id, o), EnvironmentID: t.id, Secret: secret, CreatedAt: now, UpdatedAt: now}
	if kind == Application && secret == "" {
		made.Secret = newSecret()
	}
	made.Members = kind.read(t.e, Entity{}, o)
	if found := o.Problems(); len(found) > 0 {
		return Entity{}, &Invalid{found}
	}
	t.e.table(kind).put(made)
	return made, nil
}

// Assign gives a user or an application of the draft a role.
func (t *Draft) Assign(holder Kind, holderID string, o body.Object) error {
	scope := o.Object("scope")
	scopeType, scopeID := requiredText(scope, "type"), requiredText(scope, "id")
	roleID := requiredText(o.Object("role"), "id")
	role, err := GetRole(roleID)
	if err != nil {
		o.Report(body.Problem{Code: body.InvalidValue, Target: "role.id", Message: "There is no role with this id."})
	} else {
		oneOf(scope, "type", scopeType, role.ApplicableTo...)
	}
	planned := scopeType == ScopeEnvironment && t.plan.draft(scopeID) != nil
	if !planned && !t.plan.d.reachable(t.e, scopeType, scopeID) {
		o.Report(body.Problem{Code: body.InvalidValue, Target: "scope.id", Message: "There is no such scope with this id."})
	}
	if found := o.Problems(); len(found) > 0 {
		return &Invalid{found}
	}
	t.e.assignments.put(RoleAssignment{
		ID: uuid.NewString(), EnvironmentID: t.id, Holder: holder, HolderID: holderID,
		RoleID: roleID, ScopeType: scopeType, ScopeID: scopeID, CreatedAt: t.plan.d.opts.Now(),
	})
	return nil
}

// Key puts a key from a PKCS #12 file into the environment; an empty name is that of its certificate.
func (t *Draft) Key(id, name string, isDefault bool, u Upload, o body.Object) (Key, error) {
	problems := usageProblems(u, UsageEncryption, UsageSigning, UsageTLS, UsageIssuance, UsageOutboundMTLS)
	made, more := readKey(u, t.plan.d.opts.Now())
	for _, problem := range append(problems, more...) {
		o.Report(problem)
	}
	made.ID, made.EnvironmentID, made.UsageType, made.Default = t.identify(id, o), t.id, u.UsageType, isDefault
	made.Label, made.CreatedAt = name, t.plan.d.opts.Now()
	if found := o.Problems(); len(found) > 0 {
		return Key{}, &Invalid{found}
	}
	t.e.keys.put(made)
	return made, nil
}

// Certificate puts a certificate into the environment.
func (t *Draft) Certificate(id string, u Upload, o body.Object) (Certificate, error) {
	problems := usageProblems(u, UsageEncryption, UsageSigning, UsageTLS, UsageIssuance)
	made, more := readCertificate(u, t.plan.d.opts.Now())
	for _, problem := range append(problems, more...) {
		o.Report(problem)
	}
	made.ID, made.EnvironmentID, made.UsageType = t.identify(id, o), t.id, u.UsageType
	made.CreatedAt = t.plan.d.opts.Now()
	if found := o.Problems(); len(found) > 0 {
		return Certificate{}, &Invalid{found}
	}
	t.e.certificates.put(made)
	return made, nil
}

// Subscription puts a subscription into the environment. The documented rules hold, whatever faults are on.
func (t *Draft) Subscription(id string, o body.Object) (subscription.Subscription, error) {
	pieces := DefaultPieces()
	id = t.identify(id, o)
	made, err := pieces.read(t.e, o)
	if err != nil {
		return made, err
	}
	list := *t.e.subscriptions.Load()
	if len(list) >= limits.SubscriptionsPerEnvironment {
		o.Report(body.Problem{
			Code: body.ConstraintViolation, Target: "$",
			Message: fmt.Sprintf("The maximum of %d subscriptions is reached.", limits.SubscriptionsPerEnvironment),
		})
		return made, &Invalid{o.Problems()}
	}
	made.ID, made.EnvironmentID, made.CreatedAt = id, t.id, t.plan.d.opts.Now()
	t.e.keepSubscriptions(append(slices.Clone(list), made))
	return made, nil
}

// Store stores the plan and makes it visible: all of it, or nothing and an error. A process that is killed meanwhile
// leaves whole environments or none of each.
func (p *Plan) Store(ctx context.Context) error {
	for i, t := range p.drafts {
		if err := t.store(ctx); err != nil {
			return errors.Join(fmt.Errorf("store environment %s: %w", t.id, err), p.undo(ctx, p.drafts[:i+1]))
		}
	}
	if p.d.opts.Place.Shared { // they come back as what everybody else stores
		return p.await(ctx)
	}
	for _, t := range p.drafts {
		p.d.appear(t.id, t.e)
	}
	for _, t := range p.drafts {
		for _, s := range *t.e.subscriptions.Load() {
			p.d.changed(t.id, []string{s.ID})
		}
	}
	return nil
}

// await waits until all environments of the plan are visible.
func (p *Plan) await(ctx context.Context) error {
	for _, t := range p.drafts {
		if err := p.d.await(ctx, t.id); err != nil {
			return fmt.Errorf("store environment %s: %w", t.id, err)
		}
	}
	return nil
}

// store writes the environment's own entry last: without it, the next start takes the others for leftovers.
func (t *Draft) store(ctx context.Context) error {
	tail, err := t.plan.d.opts.Tail(ctx, t.id)
	if err != nil {
		return fmt.Errorf("find end of log: %w", err)
	}
	list := *t.e.subscriptions.Load()
	for i := range list {
		list[i].StartAfter = tail
	}
	for _, w := range t.entries() {
		if err := t.plan.d.store(ctx, w.key, w.value); err != nil {
			return fmt.Errorf("write %s: %w", w.key, err)
		}
	}
	return nil
}

func (t *Draft) entries() []write {
	var all []write
	put := func(kind, id string, value any) {
		all = append(all, write{key: storageKey(kind, t.id, id), value: value})
	}
	for _, kind := range []Kind{Population, Application, User} {
		for _, entity := range t.e.table(kind).list() {
			put(kind.key(), entity.ID, entity)
		}
	}
	for _, a := range t.e.assignments.list() {
		put(assignmentKey, a.ID, a)
	}
	for _, k := range t.e.keys.list() {
		put(keyKey, k.ID, k)
	}
	for _, c := range t.e.certificates.list() {
		put(certificateKey, c.ID, c)
	}
	for _, s := range *t.e.subscriptions.Load() {
		put(subscriptionKey, s.ID, s)
	}
	put(environmentKey, "", *t.e.self.Load())
	return all
}

func (p *Plan) undo(ctx context.Context, drafts []*Draft) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWithin)
	defer cancel()
	var failed []error
	for _, t := range drafts {
		if err := p.d.kv.Delete(ctx, storageKey(environmentKey, t.id, "")); err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
			failed = append(failed, fmt.Errorf("undo %s: %w", t.id, err))
			continue
		}
		failed = append(failed, p.d.purge(ctx, t.id))
	}
	return errors.Join(failed...)
}

// Root makes the environment of the bootstrap client unless it is there, as Options.Root does at Open.
func (d *Directory) Root(ctx context.Context, id string) error {
	d.opts.Root = id
	if err := d.root(ctx); err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	return nil
}

// PKCS12 is the key with its certificates as a PKCS #12 file without a password: a secret.
func (k Key) PKCS12() ([]byte, error) {
	file, err := pkcs12.Modern2023.Encode(k.signer, k.chain[0], k.chain[1:], "")
	if err != nil {
		return nil, fmt.Errorf("encode key %s: %w", k.ID, err)
	}
	return file, nil
}
