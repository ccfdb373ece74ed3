package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
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

// KeyValueCursors keeps cursors in a JetStream bucket.
type KeyValueCursors struct{ bucket jetstream.KeyValue }

// OpenCursors makes the bucket, or finds it as an earlier process left it.
func OpenCursors(ctx context.Context, js jetstream.JetStream, kind jetstream.StorageType) (*KeyValueCursors, error) {
	bucket, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: "CURSORS", Description: "what each subscription has been delivered", Storage: kind,
	})
	if err != nil {
		return nil, fmt.Errorf("open cursors: %w", err)
	}
	return &KeyValueCursors{bucket}, nil
}

// Load returns the stored state, if there is one.
func (c *KeyValueCursors) Load(ctx context.Context, environment, subscription string) (State, bool, error) {
	entry, err := c.bucket.Get(ctx, environment+"."+subscription)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return State{}, false, nil
	}
	if err != nil {
		return State{}, false, fmt.Errorf("load cursor of %s: %w", subscription, err)
	}
	var s State
	if err := json.Unmarshal(entry.Value(), &s); err != nil {
		return State{}, false, fmt.Errorf("read cursor of %s: %w", subscription, err)
	}
	return s, true, nil
}

// Store replaces the state; it is durable when Store returns.
func (c *KeyValueCursors) Store(ctx context.Context, environment, subscription string, s State) error {
	value, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if _, err := c.bucket.Put(ctx, environment+"."+subscription, value); err != nil {
		return fmt.Errorf("store cursor of %s: %w", subscription, err)
	}
	return nil
}

// Delete forgets the subscription. Deleting what is not there is no error.
func (c *KeyValueCursors) Delete(ctx context.Context, environment, subscription string) error {
	if err := c.bucket.Purge(ctx, environment+"."+subscription); err != nil {
		return fmt.Errorf("delete cursor of %s: %w", subscription, err)
	}
	return nil
}
