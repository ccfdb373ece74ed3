package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

// State is what a subscription's worker must not forget.
type State struct {
	// Position is the first event not yet delivered or passed over.
	Position auditlog.Position `json:"position"`
	// Filter holds for what is behind the last of Past.
	Filter Filter  `json:"filter"`
	Past   []Epoch `json:"past,omitempty"`
	// Suspended says how the subscription was last seen, ResumedAt when it was
	// last enabled again.
	Suspended bool      `json:"suspended,omitempty"`
	ResumedAt time.Time `json:"resumedAt,omitzero"`
	// CaughtUp is when nothing waited in the log, by the emitter's clock: the
	// last time, or up to a day before.
	CaughtUp time.Time `json:"caughtUp,omitzero"`
}

// Epoch is a filter that has been replaced: it holds for the chunks up to Until.
// An event is matched against the filter in force when it happened.
type Epoch struct {
	Until  uint64 `json:"until"`
	Filter Filter `json:"filter"`
}

// Cursors keeps the state of each subscription's worker.
type Cursors interface {
	Load(ctx context.Context, environment, subscription string) (State, bool, error)
	Store(ctx context.Context, environment, subscription string, s State) error
	Delete(ctx context.Context, environment, subscription string) error
}

// ErrFenced says that somebody else has stored the cursor since it was loaded:
// who gets it no longer works the subscription, or does not know what it last
// stored, and loads it again.
var ErrFenced = errors.New("the cursor was stored by somebody else")

// KeyValueCursors keeps cursors in a JetStream bucket. A cursor is stored only
// at the revision that was loaded or stored here last.
type KeyValueCursors struct {
	bucket jetstream.KeyValue

	mu        sync.Mutex
	revisions map[string]uint64
}

// OpenCursors makes the bucket, or finds it as an earlier process left it.
func OpenCursors(ctx context.Context, in storage.Place) (*KeyValueCursors, error) {
	bucket, err := in.Bucket(ctx, storage.Bucket{Name: "CURSORS", Description: "what each subscription has been delivered"})
	if err != nil {
		return nil, fmt.Errorf("open cursors: %w", err)
	}
	return &KeyValueCursors{bucket: bucket, revisions: map[string]uint64{}}, nil
}

func (c *KeyValueCursors) revision(key string) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.revisions[key]
}

func (c *KeyValueCursors) remember(key string, revision uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.revisions[key] = revision; revision == 0 {
		delete(c.revisions, key)
	}
}

// Load returns the stored state, if there is one.
func (c *KeyValueCursors) Load(ctx context.Context, environment, subscription string) (State, bool, error) {
	entry, err := c.bucket.Get(ctx, environment+"."+subscription)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		c.remember(environment+"."+subscription, 0)
		return State{}, false, nil
	}
	if err != nil {
		return State{}, false, fmt.Errorf("load cursor of %s: %w", subscription, err)
	}
	var s State
	if err := json.Unmarshal(entry.Value(), &s); err != nil {
		return State{}, false, fmt.Errorf("read cursor of %s: %w", subscription, err)
	}
	c.remember(entry.Key(), entry.Revision())
	return s, true, nil
}

// Store replaces the state; it is durable when Store returns. The error is
// ErrFenced when it has changed since it was loaded or stored here.
func (c *KeyValueCursors) Store(ctx context.Context, environment, subscription string, s State) error {
	value, err := json.Marshal(s)
	if err != nil {
		return err
	}
	key := environment + "." + subscription
	revision, err := c.bucket.Update(ctx, key, value, c.revision(key))
	if storage.Outdated(err) {
		err = ErrFenced
	}
	if err != nil {
		return fmt.Errorf("store cursor of %s: %w", subscription, err)
	}
	c.remember(key, revision)
	return nil
}

// Delete forgets the subscription. Deleting what is not there is no error.
func (c *KeyValueCursors) Delete(ctx context.Context, environment, subscription string) error {
	if err := c.bucket.Purge(ctx, environment+"."+subscription); err != nil {
		return fmt.Errorf("delete cursor of %s: %w", subscription, err)
	}
	c.remember(environment+"."+subscription, 0)
	return nil
}
