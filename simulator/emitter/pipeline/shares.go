package pipeline

import (
	"context"
	"errors"
)

// Shares divides the subscriptions among the processes that work them together.
// Keys are made of an environment's and a subscription's id.
type Shares interface {
	// Mine says whether what has the key falls to this process. It is cheap.
	Mine(key string) bool
	// Take waits until no other process works what has the key. What it returns
	// ends as soon as another one may. It fails only when ctx ends.
	Take(ctx context.Context, key string) (context.Context, error)
	// Release lets another process work it at once.
	Release(ctx context.Context, key string) error
}

func shareKey(environment, id string) string { return environment + "." + id }

var (
	errHandedOver = errors.New("the subscription falls to another process now")
	errLapsed     = errors.New("another process may work the subscription")
)

func (d *Dispatcher) mine(environment, id string) bool {
	return d.Shares == nil || d.Shares.Mine(shareKey(environment, id))
}

// Reshared tells that other subscriptions fall to this process than before.
// Those that no longer do are given up as soon as attempts under way have ended.
func (d *Dispatcher) Reshared() {
	for _, environment := range d.Directory.Environments() {
		for _, s := range d.Directory.Subscriptions(environment) {
			d.reshare(environment, s.ID)
		}
	}
}

// reshare employs or dismisses. It asks only with the lock held: what was true
// before may have been acted upon since, and nobody would ask again.
func (d *Dispatcher) reshare(environment, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, exists := d.Directory.Subscription(environment, id)
	if d.closed || !exists {
		return
	}
	switch w, mine := d.workers[environment][id], d.mine(environment, id); {
	case w == nil && mine:
		d.employ(s)
	case w != nil && !mine:
		d.dismiss(w, errHandedOver)
	}
}

// dismiss stops a worker. It is called with the lock held.
func (d *Dispatcher) dismiss(w *worker, why error) {
	delete(d.workers[w.environment], w.id)
	if len(d.workers[w.environment]) == 0 {
		delete(d.workers, w.environment)
	}
	key := shareKey(w.environment, w.id)
	d.leaving[key] = w.done
	d.done.Go(func() {
		<-w.done
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.leaving[key] == w.done {
			delete(d.leaving, key)
		}
	})
	w.cancel(why)
}

// begin begins a term: it waits until no other process works the subscription.
// The term's context ends with the worker's, and when another process may.
func (w *worker) begin(ctx context.Context) (term context.Context, release func(), taken bool) {
	term, w.end = context.WithCancelCause(ctx)
	w.mu.Lock()
	w.loaded = false // somebody else may have stored another state since
	w.mu.Unlock()
	if w.dispatcher.Shares == nil {
		w.lease = context.WithoutCancel(ctx)
		return term, func() { w.end(nil) }, true
	}
	key := shareKey(w.environment, w.id)
	lease, err := w.dispatcher.Shares.Take(ctx, key)
	if err != nil { // the worker is to stop
		w.end(nil)
		return nil, nil, false
	}
	w.lease = lease
	forget := context.AfterFunc(lease, func() { w.end(errLapsed) })
	w.log.Debug("subscription taken")
	return term, func() {
		forget()
		w.end(nil)
		if lease.Err() == nil {
			if err := w.dispatcher.Shares.Release(ctx, key); err != nil {
				w.log.Error("the subscription is not released, others take it over later", "error", err)
			}
		}
		w.log.Debug("subscription given up")
	}, true
}
