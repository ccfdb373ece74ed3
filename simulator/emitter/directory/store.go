package directory

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

const bucket = "directory"

// commitWithin bounds writing and recording a change whose client may be gone already: it is finished or undone, never
// left half-way.
const commitWithin = 10 * time.Second

// outdatedRetry is after what time a change is tried again that another process was faster than, if nothing is heard
// of that process's change.
const outdatedRetry = 100 * time.Millisecond

// Kinds of keys in the bucket: "<kind>.<environment>" or "<kind>.<environment>.<id>".
const (
	environmentKey  = "environment"
	keyKey          = "key"
	certificateKey  = "certificate"
	subscriptionKey = "subscription"
	assignmentKey   = "roleAssignment"
)

func storageKey(kind, environment, id string) string {
	if id == "" {
		return kind + "." + environment
	}
	return kind + "." + environment + "." + id
}

// write is one entry of the bucket to be put, or deleted where value is nil.
type write struct {
	key   string
	value any
	old   any // what undoes it; nil: there was nothing
}

// change is what one request does: first durably, then on record, then visibly.
type change struct {
	writes        []write
	events        []event.Event
	apply         func()
	subscriptions []string // told to the observer
}

// alter makes a change of one environment. decide runs alone in the environment and must not have effects; its error
// is returned as it is. When writing or recording fails, what was written is undone and nothing becomes visible. Where
// another process was faster, decide runs again upon what it left.
func (d *Directory) alter(ctx context.Context, id string, decide func(*environment) (change, error)) error {
	e, ok := d.environment(id)
	if !ok {
		return ErrNotFound
	}
	e.turn.Lock()
	defer e.turn.Unlock()
	within := time.After(commitWithin)
	for {
		subscriptions, moved, err := d.alterLocked(ctx, id, e, decide)
		switch {
		case err == nil:
			d.changed(id, subscriptions)
			return nil
		case !storage.Outdated(err):
			return err
		}
		select {
		case <-moved:
		case <-time.After(outdatedRetry): // whoever was faster may have failed after all
		case <-within:
			return err
		case <-ctx.Done():
			return err
		}
	}
}

func (d *Directory) alterLocked(ctx context.Context, id string, e *environment,
	decide func(*environment) (change, error)) ([]string, <-chan struct{}, error) {
	e.write.Lock()
	defer e.write.Unlock()
	if e.deleted {
		return nil, nil, ErrNotFound
	}
	c, err := decide(e)
	if err != nil {
		return nil, nil, err
	}
	if err := d.commit(ctx, id, e, c); err != nil {
		return nil, e.moved, err
	}
	c.apply()
	return c.subscriptions, nil, nil
}

// commit writes and records a change. It is called with the environment locked.
func (d *Directory) commit(ctx context.Context, id string, e *environment, c change) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWithin)
	defer cancel()
	if d.opts.Room != nil {
		if err := d.opts.Room(); err != nil {
			return err
		}
	}
	undo := d.undo
	if d.opts.Place.Shared {
		if err := d.writeTogether(ctx, id, e, c.writes); err != nil {
			return err
		}
		undo = func(ctx context.Context, writes []write) error { return d.undoTogether(ctx, id, e, writes) }
	} else {
		for i, w := range c.writes {
			if err := d.store(ctx, w.key, w.value); err != nil {
				return errors.Join(fmt.Errorf("write %s: %w", w.key, err), d.undo(ctx, c.writes[:i+1]))
			}
		}
	}
	if len(c.events) == 0 {
		return nil
	}
	if err := d.opts.Recorder.Record(ctx, id, c.events...); err != nil {
		return errors.Join(fmt.Errorf("record %s: %w", c.events[0].Type, err), undo(ctx, c.writes))
	}
	return nil
}

func (d *Directory) store(ctx context.Context, key string, value any) error {
	if value == nil {
		return d.kv.Delete(ctx, key)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = d.kv.Put(ctx, key, encoded)
	return err
}

func (d *Directory) undo(ctx context.Context, writes []write) error {
	var failed []error
	for _, w := range slices.Backward(writes) {
		if err := d.store(ctx, w.key, w.old); err != nil {
			failed = append(failed, fmt.Errorf("undo %s: %w", w.key, err))
		}
	}
	return errors.Join(failed...)
}

// purge removes the entries of everything in an environment at once, however many.
func (d *Directory) purge(ctx context.Context, environment string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWithin)
	defer cancel()
	return d.stream.Purge(ctx, jetstream.WithPurgeSubject("$KV."+bucket+"."+storageKey("*", environment, "*")))
}

func split(key string) (kind, environment, id string) {
	kind, rest, _ := strings.Cut(key, ".")
	environment, id, _ = strings.Cut(rest, ".")
	return kind, environment, id
}

func (e *environment) restore(kind, id string, value []byte) error {
	switch kind {
	case keyKey:
		return restore(&e.keys, value, (*Key).complete)
	case certificateKey:
		return restore(&e.certificates, value, (*Certificate).complete)
	case assignmentKey:
		return restore(&e.assignments, value, func(*RoleAssignment) error { return nil })
	case subscriptionKey:
		var s subscription.Subscription
		if err := json.Unmarshal(value, &s); err != nil {
			return err
		}
		list := slices.Clone(*e.subscriptions.Load())
		if _, at := e.subscription(id); at >= 0 {
			list[at] = s
		} else {
			list = append(list, s)
		}
		e.keepSubscriptions(list)
		return nil
	}
	for _, known := range []Kind{Population, Application, User} {
		if known.key() == kind {
			entity, err := decodeEntity(value)
			if err != nil {
				return err
			}
			e.table(known).put(entity)
			return nil
		}
	}
	return fmt.Errorf("unknown kind of resource %q", kind)
}

func restore[T item](into *table[T], value []byte, complete func(*T) error) error {
	var t T
	if err := json.Unmarshal(value, &t); err != nil {
		return err
	}
	if err := complete(&t); err != nil {
		return err
	}
	into.put(t)
	return nil
}

// forget removes what an entry was about that is gone.
func (e *environment) forget(kind, id string) {
	switch kind {
	case keyKey:
		e.keys.remove(id)
	case certificateKey:
		e.certificates.remove(id)
	case assignmentKey:
		e.assignments.remove(id)
	case subscriptionKey:
		if _, at := e.subscription(id); at >= 0 {
			e.keepSubscriptions(slices.Delete(slices.Clone(*e.subscriptions.Load()), at, at+1))
		}
	default:
		for _, known := range []Kind{Population, Application, User} {
			if known.key() == kind {
				e.table(known).remove(id)
			}
		}
	}
}

func (e *environment) order() {
	e.populations.restore()
	e.applications.restore()
	e.users.restore()
	e.keys.restore()
	e.certificates.restore()
	e.assignments.restore()
	slices.SortStableFunc(*e.subscriptions.Load(), func(a, b subscription.Subscription) int {
		return a.CreatedAt.Compare(b.CreatedAt)
	})
}

// decodeEntity keeps numbers as they were written.
func decodeEntity(value []byte) (Entity, error) {
	var e Entity
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	err := decoder.Decode(&e)
	return e, err
}
