package directory

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// load reads the whole bucket, and goes on reading where others write to it. Entries of an environment whose own entry
// is gone are leftovers of a deletion or of a plan that was cut off; they are removed.
func (d *Directory) load(ctx context.Context) error {
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	watcher, err := d.kv.WatchAll(following)
	if err != nil {
		stop()
		return err
	}
	if err := d.loadAll(ctx, watcher); err != nil || !d.opts.Place.Shared {
		err = errors.Join(err, watcher.Stop())
		stop()
		return err
	}
	d.stop = stop
	d.done.Go(func() {
		defer func() { _ = watcher.Stop() }() // it fails only when the connection is gone already
		for {
			select {
			case entry, ok := <-watcher.Updates():
				if !ok {
					return
				}
				// Only a process of another version writes what cannot be read; that one knows what to do with it.
				if environment, affected, err := d.learn(entry); err == nil {
					d.changed(environment, affected)
				}
			case <-following.Done():
				return
			}
		}
	})
	return nil
}

func (d *Directory) loadAll(ctx context.Context, watcher jetstream.KeyWatcher) error {
	for {
		select {
		case entry := <-watcher.Updates():
			if entry == nil { // everything that was there has been sent
				return d.loaded(ctx)
			}
			if entry.Operation() != jetstream.KeyValuePut { // there is nothing yet to lose it
				continue
			}
			if _, _, err := d.learn(entry); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *Directory) loaded(ctx context.Context) error {
	for _, e := range d.environments {
		e.order()
	}
	for environment := range d.forming {
		if err := d.purge(ctx, environment); err != nil {
			return fmt.Errorf("remove what is left of environment %s: %w", environment, err)
		}
	}
	d.forming = map[string]*environment{}
	return nil
}

// learn applies an entry that is not from here and returns the subscriptions that it matters to.
func (d *Directory) learn(entry jetstream.KeyValueEntry) (environment string, affected []string, err error) {
	kind, environment, id := split(entry.Key())
	gone := entry.Operation() != jetstream.KeyValuePut
	e := d.lock(environment, gone)
	if e == nil {
		return environment, nil, nil
	}
	defer e.write.Unlock()
	if entry.Revision() <= e.applied {
		return environment, nil, nil
	}
	e.applied = entry.Revision()
	switch {
	case kind == environmentKey:
		affected, err = d.learnSelf(environment, e, entry)
	case gone:
		affected = e.touched(kind, id)
		e.forget(kind, id)
	default:
		err = e.restore(kind, id, entry.Value())
		affected = e.touched(kind, id)
	}
	if err != nil {
		return environment, nil, fmt.Errorf("decode %s: %w", entry.Key(), err)
	}
	return environment, affected, nil
}

// lock returns the environment locked: a new one if it is not known, unless it is only to lose something.
func (d *Directory) lock(id string, gone bool) *environment {
	for {
		d.mu.Lock()
		e := d.at(id)
		if e == nil && gone {
			d.mu.Unlock()
			return nil
		}
		if e == nil {
			e = newEnvironment()
			d.forming[id] = e
		}
		d.mu.Unlock()
		e.write.Lock()
		d.mu.RLock()
		still := d.at(id) == e
		d.mu.RUnlock()
		if still {
			return e
		}
		e.write.Unlock() // while it was waited for, it came to nothing
	}
}

// at is the environment, visible or not. It is called with mu held.
func (d *Directory) at(id string) *environment {
	if e := d.environments[id]; e != nil {
		return e
	}
	return d.forming[id]
}

// learnSelf applies an environment's own entry, the last of every change. All subscriptions are affected when the
// environment comes or goes.
func (d *Directory) learnSelf(id string, e *environment, entry jetstream.KeyValueEntry) ([]string, error) {
	e.version = entry.Revision()
	close(e.moved)
	e.moved = make(chan struct{})
	if entry.Operation() != jetstream.KeyValuePut {
		e.deleted = true
		d.vanish(id, e)
		return e.touched(environmentKey, id), nil
	}
	self, err := decodeEntity(entry.Value())
	if err != nil {
		return nil, err
	}
	e.self.Store(&self)
	if !d.appear(id, e) {
		return nil, nil
	}
	return e.touched(environmentKey, id), nil
}

// form notes an environment that is being made.
func (d *Directory) form(id string, e *environment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forming[id] = e
}

// appear makes an environment visible; it says whether it was not before.
func (d *Directory) appear(id string, e *environment) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.forming, id)
	if d.environments[id] == e {
		return false
	}
	d.environments[id] = e
	close(d.formed)
	d.formed = make(chan struct{})
	return true
}

// vanish makes an environment invisible.
func (d *Directory) vanish(id string, e *environment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, all := range []map[string]*environment{d.environments, d.forming} {
		if all[id] == e {
			delete(all, id)
		}
	}
}

// await returns when the environment is visible.
func (d *Directory) await(ctx context.Context, id string) error {
	for {
		d.mu.RLock()
		_, visible := d.environments[id]
		formed := d.formed
		d.mu.RUnlock()
		if visible {
			return nil
		}
		select {
		case <-formed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// touched are the subscriptions that a change of a resource matters to.
func (e *environment) touched(kind, id string) []string {
	switch kind {
	case environmentKey:
		return e.subscribed(func(subscription.Subscription) bool { return true })
	case subscriptionKey:
		return []string{id}
	case keyKey:
		return e.presenting(id)
	case certificateKey:
		return e.verifying()
	}
	return nil
}

// subscribed are the subscriptions that satisfy the condition.
func (e *environment) subscribed(condition func(subscription.Subscription) bool) []string {
	var ids []string
	for _, s := range *e.subscriptions.Load() {
		if condition(s) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}
