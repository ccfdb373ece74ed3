package membership

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"
)

// follow keeps the view up to date until ctx ends. What it returns is closed
// when everything that was there is known.
func (m *Members) follow(ctx context.Context) (<-chan struct{}, error) {
	alive, err := m.alive.WatchAll(ctx)
	if err != nil {
		return nil, err
	}
	claimed, err := m.claimed.WatchAll(ctx)
	if err != nil {
		return nil, errors.Join(err, alive.Stop())
	}
	known := make(chan struct{})
	m.done.Go(func() {
		defer func() { // they fail only when the connection is gone already
			_ = alive.Stop()
			_ = claimed.Stop()
		}()
		for open := 2; ctx.Err() == nil; {
			var entry jetstream.KeyValueEntry
			learn := m.member
			ok := true
			select {
			case entry, ok = <-alive.Updates():
			case entry, ok = <-claimed.Updates():
				learn = m.worked
			case <-ctx.Done():
				return
			}
			switch {
			case !ok: // the connection was closed
				return
			case entry != nil:
				learn(entry)
			default: // all that was there has been sent
				if open--; open == 0 {
					close(known)
				}
			}
		}
	})
	return known, nil
}

// member notes that a process is alive, or no longer.
func (m *Members) member(entry jetstream.KeyValueEntry) {
	id := entry.Key()
	if id == m.id {
		return
	}
	m.mu.Lock()
	wanted, known := m.others[id]
	wants, alive := string(entry.Value()) == working, entry.Operation() == jetstream.KeyValuePut
	if alive {
		m.others[id] = wants
	} else {
		delete(m.others, id)
	}
	changed := m.changed
	if known == alive && wanted == (alive && wants) {
		m.mu.Unlock()
		return // it only was refreshed
	}
	m.wake()
	m.mu.Unlock()
	m.Log.Info("emitters changed", "member", id, "alive", alive, "works", alive && wants)
	changed()
}

// worked notes who works what.
func (m *Members) worked(entry jetstream.KeyValueEntry) {
	c := claim{revision: entry.Revision()}
	if entry.Operation() == jetstream.KeyValuePut {
		c.owner = string(entry.Value())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.learn(entry.Key(), c)
}
