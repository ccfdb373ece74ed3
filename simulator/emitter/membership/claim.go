package membership

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

// Take claims what has the key, after waiting until no process that is alive
// has claimed it. The context that it returns ends with ErrLapsed when others
// may take it over; it must be worked no longer then. Take fails only when ctx
// ends. A key is taken once at a time by a process.
func (m *Members) Take(ctx context.Context, key string) (context.Context, error) {
	m.mu.Lock()
	m.needed[key] = nil
	m.mu.Unlock()
	lease, err := m.take(ctx, key)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		delete(m.needed, key)
		return nil, err
	}
	m.needed[key] = lease
	return lease, nil
}

func (m *Members) take(ctx context.Context, key string) (context.Context, error) {
	for {
		m.mu.Lock()
		lease, held := m.lease, m.claims[key]
		_, alive := m.others[held.owner]
		news := m.listen(key)
		m.mu.Unlock()
		var again <-chan time.Time
		if !alive && lease.Err() == nil {
			err := m.claim(ctx, key, held)
			if err == nil {
				return lease, nil
			}
			if ctx.Err() == nil && !storage.Outdated(err) {
				m.Log.Warn("cannot claim, will be retried", "key", key, "error", err)
			}
			again = time.After(claimRetry)
		}
		select {
		case <-news:
		case <-again:
		case <-ctx.Done():
			return nil, fmt.Errorf("claim %s: %w", key, context.Cause(ctx))
		}
	}
}

var errAlive = errors.New("its owner has only just appeared")

// claim writes this process's name, if nothing has changed since held was read.
func (m *Members) claim(ctx context.Context, key string, held claim) (err error) {
	ctx, cancel := context.WithTimeout(ctx, claimWithin)
	defer cancel()
	var revision uint64
	switch held.owner {
	case "":
		revision, err = m.claimed.Create(ctx, key, []byte(m.id))
	default:
		// That a process came may be heard after what it claimed: the bucket itself
		// knows.
		if _, err := m.alive.Get(ctx, held.owner); err == nil {
			return errAlive
		} else if !errors.Is(err, jetstream.ErrKeyNotFound) {
			return err
		}
		fallthrough
	case m.id:
		revision, err = m.claimed.Update(ctx, key, []byte(m.id), held.revision)
	}
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.learn(key, claim{m.id, revision})
	return nil
}

// Release gives up a claim, so that another process can take over at once.
// Giving up what another has claimed meanwhile is no error. After an error it
// is tried again, as long as the key is not taken anew.
func (m *Members) Release(ctx context.Context, key string) error {
	m.mu.Lock()
	delete(m.needed, key)
	held := m.claims[key]
	m.mu.Unlock()
	return m.release(context.WithoutCancel(ctx), key, held)
}

func (m *Members) release(ctx context.Context, key string, held claim) error {
	if held.owner != m.id {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, releaseWithin)
	defer cancel()
	err := m.claimed.Purge(ctx, key, jetstream.LastRevision(held.revision), jetstream.PurgeTTL(markerKept))
	if storage.Outdated(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("release %s: %w", key, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.claims[key] == held { // nothing was heard of it yet
		m.learn(key, claim{revision: held.revision})
	}
	return nil
}

// tidy gives up, until ctx ends, what this process claims and does not work: a
// release that failed, and what it was not given again after its lease had
// lapsed. Nobody else may claim that as long as this process is alive.
func (m *Members) tidy(ctx context.Context) {
	m.atEachBeat(ctx, func() {
		for key, held := range m.unneeded() {
			if err := m.release(ctx, key, held); err != nil {
				break // the others will not fare better now
			}
		}
	})
}

// unneeded is what this process claims and does not work.
func (m *Members) unneeded() map[string]claim {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[string]claim{}
	for key, held := range m.claims {
		lease, needed := m.needed[key]
		if held.owner == m.id && (!needed || lease != nil && lease.Err() != nil) {
			all[key] = held
		}
	}
	return all
}

// learn notes a claim unless a later one is known. It is called with the lock
// held.
func (m *Members) learn(key string, c claim) {
	if c.revision < m.claims[key].revision {
		return
	}
	if m.claims[key] = c; c.owner == "" {
		delete(m.claims, key)
	}
	if news := m.news[key]; news != nil {
		close(news)
		delete(m.news, key)
	}
}

// listen returns what is closed at the next news about the key, or about the
// processes. It is called with the lock held.
func (m *Members) listen(key string) <-chan struct{} {
	if m.news[key] == nil {
		m.news[key] = make(chan struct{})
	}
	return m.news[key]
}

// wake tells everybody who waits for news. It is called with the lock held.
func (m *Members) wake() {
	for _, news := range m.news {
		close(news)
	}
	clear(m.news)
}
