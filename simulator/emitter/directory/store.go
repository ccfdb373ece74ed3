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
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

const bucket = "directory"

// commitWithin bounds writing and recording a change whose client may be gone already: it is finished or undone, never
// left half-way.
const commitWithin = 10 * time.Second

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
// is returned as it is. When writing or recording fails, what was written is undone and nothing becomes visible.
func (d *Directory) alter(ctx context.Context, id string, decide func(*environment) (change, error)) error {
	e, ok := d.environment(id)
	if !ok {
		return ErrNotFound
	}
	subscriptions, err := d.alterLocked(ctx, id, e, decide)
	if err != nil {
		return err
	}
	d.changed(id, subscriptions)
	return nil
}

func (d *Directory) alterLocked(ctx context.Context, id string, e *environment,
	decide func(*environment) (change, error)) ([]string, error) {
	e.write.Lock()
	defer e.write.Unlock()
	if e.deleted {
		return nil, ErrNotFound
	}
	c, err := decide(e)
	if err != nil {
		return nil, err
	}
	if err := d.commit(ctx, id, c); err != nil {
		return nil, err
	}
	c.apply()
	return c.subscriptions, nil
}

func (d *Directory) commit(ctx context.Context, environment string, c change) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWithin)
	defer cancel()
	for i, w := range c.writes {
		if err := d.store(ctx, w.key, w.value); err != nil {
			return errors.Join(fmt.Errorf("write %s: %w", w.key, err), d.undo(ctx, c.writes[:i+1]))
		}
	}
	if len(c.events) == 0 {
		return nil
	}
	if err := d.opts.Recorder.Record(ctx, environment, c.events...); err != nil {
		return errors.Join(fmt.Errorf("record %s: %w", c.events[0].Type, err), d.undo(ctx, c.writes))
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

// load reads the whole bucket. Entries of an environment whose own entry is gone are leftovers of a deletion that was
// cut off; they are removed.
func (d *Directory) load(ctx context.Context) error {
	entries, err := d.entries(ctx)
	if err != nil {
		return err
	}
	for key, value := range entries {
		if kind, id, _ := split(key); kind == environmentKey {
			e := newEnvironment()
			self, err := decodeEntity(value)
			if err != nil {
				return fmt.Errorf("decode %s: %w", key, err)
			}
			e.self.Store(&self)
			d.environments[id] = e
		}
	}
	leftovers := map[string]bool{}
	for key, value := range entries {
		kind, environment, id := split(key)
		if kind == environmentKey {
			continue
		}
		e, ok := d.environments[environment]
		if !ok {
			leftovers[environment] = true
			continue
		}
		if err := e.restore(kind, id, value); err != nil {
			return fmt.Errorf("decode %s: %w", key, err)
		}
	}
	for _, e := range d.environments {
		e.order()
	}
	for environment := range leftovers {
		if err := d.purge(ctx, environment); err != nil {
			return fmt.Errorf("remove what is left of environment %s: %w", environment, err)
		}
	}
	return nil
}

func (d *Directory) entries(ctx context.Context) (map[string][]byte, error) {
	watcher, err := d.kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, err
	}
	entries := map[string][]byte{}
	for {
		select {
		case entry := <-watcher.Updates():
			if entry == nil { // everything that was there has been sent
				return entries, watcher.Stop()
			}
			entries[entry.Key()] = entry.Value()
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), watcher.Stop())
		}
	}
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
		list := append(slices.Clone(*e.subscriptions.Load()), s)
		e.subscriptions.Store(&list)
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
