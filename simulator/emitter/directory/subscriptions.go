package directory

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// Pieces are the parts of the directory that can be exchanged, each a value or a function of plain inputs. A member
// left zero means the default.
type Pieces struct {
	// Rules are what a subscription's request must satisfy.
	Rules subscription.Rules
	// MaxSubscriptions is how many subscriptions one environment may have.
	MaxSubscriptions int
	// Replace makes the subscription that follows old when a request asks for next. next has the request's members
	// and UpdatedAt; everything else the server assigns is to be taken from old.
	Replace func(old, next subscription.Subscription) subscription.Subscription
	// KeyProblem says why a key, if known, cannot be presented by a subscription; nil if it can.
	KeyProblem func(key Key, known bool) *body.Problem
	// Replacing makes, of these pieces, those that judge the request for a replacement; nil: they are the same (V3).
	Replacing func(Pieces) Pieces
}

// DefaultPieces are the documented ones.
func DefaultPieces() Pieces {
	return Pieces{
		Rules:            subscription.Default(),
		MaxSubscriptions: limits.SubscriptionsPerEnvironment,
		Replace:          Replace,
		KeyProblem:       KeyProblem,
	}
}

func (p Pieces) filled() Pieces {
	standard := DefaultPieces()
	if p.Rules.Checks == nil {
		p.Rules = standard.Rules
	}
	if p.MaxSubscriptions == 0 {
		p.MaxSubscriptions = standard.MaxSubscriptions
	}
	if p.Replace == nil {
		p.Replace = standard.Replace
	}
	if p.KeyProblem == nil {
		p.KeyProblem = standard.KeyProblem
	}
	return p
}

// Replace keeps what the server assigned and takes everything else from the request (V3, T1).
func Replace(old, next subscription.Subscription) subscription.Subscription {
	next.ID, next.EnvironmentID, next.CreatedAt, next.StartAfter = old.ID, old.EnvironmentID, old.CreatedAt, old.StartAfter
	return next
}

// KeyProblem demands a key of the environment that was imported for outbound mutual TLS (S1).
func KeyProblem(key Key, known bool) *body.Problem {
	switch {
	case !known:
		return &body.Problem{Code: body.InvalidValue, Message: "There is no key with this id."}
	case key.UsageType != UsageOutboundMTLS:
		return &body.Problem{
			Code: body.ConstraintViolation, Message: "The key must have the usage type " + UsageOutboundMTLS + ".",
			Inner: &body.Inner{AllowedValues: []string{UsageOutboundMTLS}},
		}
	}
	return nil
}

// CreateSubscription makes a subscription that begins at the present end of the environment's log. Its errors are
// ErrNotFound, *Invalid, *LimitReached, or a failure to store.
func (d *Directory) CreateSubscription(ctx context.Context, caller Caller, id string, o body.Object) (subscription.Subscription, error) {
	var made subscription.Subscription
	err := d.alter(ctx, id, func(e *environment) (change, error) {
		pieces := d.pieces.Load()
		var err error
		if made, err = pieces.read(e, o); err != nil {
			return change{}, err
		}
		list := *e.subscriptions.Load()
		if len(list) >= pieces.MaxSubscriptions {
			return change{}, &LimitReached{Limit: pieces.MaxSubscriptions}
		}
		made.ID, made.EnvironmentID, made.CreatedAt = uuid.NewString(), id, d.opts.Now()
		if made.StartAfter, err = d.opts.Tail(ctx, id); err != nil {
			return change{}, fmt.Errorf("find end of log: %w", err)
		}
		made.ConfiguredAfter = made.StartAfter
		return change{
			writes:        []write{{key: storageKey(subscriptionKey, id, made.ID), value: made}},
			events:        []event.Event{d.subscriptionEvent(caller, "Created", made)},
			apply:         func() { e.keepSubscriptions(append(slices.Clone(list), made)) },
			subscriptions: []string{made.ID},
		}, nil
	})
	return made, err
}

// ReplaceSubscription gives a subscription the members of a request and nothing else.
func (d *Directory) ReplaceSubscription(ctx context.Context, caller Caller, environmentID, id string, o body.Object) (subscription.Subscription, error) {
	var next subscription.Subscription
	err := d.alter(ctx, environmentID, func(e *environment) (change, error) {
		old, at := e.subscription(id)
		if at < 0 {
			return change{}, ErrNotFound
		}
		pieces := d.pieces.Load()
		asked, err := pieces.replacing().read(e, o)
		if err != nil {
			return change{}, err
		}
		asked.UpdatedAt = d.opts.Now()
		next = pieces.Replace(old, asked)
		if next.ConfiguredAfter, err = d.opts.Tail(ctx, environmentID); err != nil {
			return change{}, fmt.Errorf("find end of log: %w", err)
		}
		list := slices.Clone(*e.subscriptions.Load())
		list[at] = next
		return change{
			writes:        []write{{key: storageKey(subscriptionKey, environmentID, id), value: next, old: old}},
			events:        []event.Event{d.subscriptionEvent(caller, "Updated", next)},
			apply:         func() { e.keepSubscriptions(list) },
			subscriptions: []string{id},
		}, nil
	})
	return next, err
}

// DeleteSubscription removes a subscription.
func (d *Directory) DeleteSubscription(ctx context.Context, caller Caller, environmentID, id string) error {
	return d.alter(ctx, environmentID, func(e *environment) (change, error) {
		old, at := e.subscription(id)
		if at < 0 {
			return change{}, ErrNotFound
		}
		list := slices.Delete(slices.Clone(*e.subscriptions.Load()), at, at+1)
		return change{
			writes:        []write{{key: storageKey(subscriptionKey, environmentID, id), old: old}},
			events:        []event.Event{d.subscriptionEvent(caller, "Deleted", old)},
			apply:         func() { e.keepSubscriptions(list) },
			subscriptions: []string{id},
		}, nil
	})
}

func (p *Pieces) replacing() *Pieces {
	if p.Replacing == nil {
		return p
	}
	other := p.Replacing(*p)
	return &other
}

// read reports the problems of the body and those with the key it names, all at once.
func (p *Pieces) read(e *environment, o body.Object) (subscription.Subscription, error) {
	rules := p.Rules
	rules.Checks = append(slices.Clone(rules.Checks), subscription.Check{
		Name: "key-usable",
		Run: func(_ subscription.Rules, draft subscription.Draft) {
			if draft.KeyID == "" {
				return
			}
			key, known := e.keys.get(draft.KeyID)
			if problem := p.KeyProblem(key, known); problem != nil {
				problem.Target = "tlsClientAuthKeyPair.id"
				o.Report(*problem)
			}
		},
	})
	s, found := rules.Read(o)
	if len(found) > 0 {
		return s, &Invalid{found}
	}
	return s, nil
}

func (e *environment) subscription(id string) (subscription.Subscription, int) {
	list := *e.subscriptions.Load()
	at := slices.IndexFunc(list, func(s subscription.Subscription) bool { return s.ID == id })
	if at < 0 {
		return subscription.Subscription{}, at
	}
	return list[at], at
}

func (e *environment) keepSubscriptions(list []subscription.Subscription) {
	e.subscriptions.Store(&list)
}

func (d *Directory) subscriptionEvent(c Caller, done string, s subscription.Subscription) event.Event {
	return d.audit(c, done, event.Resource{
		Type: "SUBSCRIPTION", ID: s.ID, Name: s.Name, EnvironmentID: s.EnvironmentID,
		Href: c.href(s.EnvironmentID, "subscriptions", s.ID),
	}, "")
}
