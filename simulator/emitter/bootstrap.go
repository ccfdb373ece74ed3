package emitter

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookproof/hookproof/simulator/emitter/api"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

// bootstrap is the client that may act on all environments.
type bootstrap struct {
	Environment string `json:"environment"`
	ClientID    string `json:"clientId"`
	Secret      string `json:"secret"`

	generated bool // the secret was made just now
}

// bucketName is where the emitter keeps what is its own: the first client, the
// key of its tokens, the authority of its certificate.
const bucketName = "EMITTER"

// own is that bucket.
type own struct{ jetstream.KeyValue }

func openOwn(ctx context.Context, s *storage.Storage) (own, error) {
	bucket, err := s.Place().Bucket(ctx, storage.Bucket{Name: bucketName, Description: "what is the emitter's own"})
	return own{bucket}, err
}

// kept returns an entry, nil if there is none.
func (o own) kept(ctx context.Context, key string) ([]byte, error) {
	entry, err := o.Get(ctx, key)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	return entry.Value(), nil
}

func (o own) keep(ctx context.Context, key string, value []byte) error {
	if _, err := o.Put(ctx, key, value); err != nil {
		return fmt.Errorf("keep %s: %w", key, err)
	}
	return nil
}

// openBootstrap takes what the options give, then what an earlier process
// kept, and generates the rest.
func openBootstrap(ctx context.Context, bucket own, o Options) (bootstrap, error) {
	var b bootstrap
	value, err := bucket.kept(ctx, "bootstrap")
	if err != nil {
		return bootstrap{}, err
	}
	if value != nil {
		if err := json.Unmarshal(value, &b); err != nil {
			return bootstrap{}, fmt.Errorf("read bootstrap client: %w", err)
		}
	}
	b.generated = o.ClientSecret == "" && b.Secret == ""
	b.Environment = first(o.Environment, b.Environment, uuid.NewString)
	b.ClientID = first(o.ClientID, b.ClientID, uuid.NewString)
	b.Secret = first(o.ClientSecret, b.Secret, rand.Text)
	if value, err = json.Marshal(b); err != nil {
		return bootstrap{}, err
	}
	return b, bucket.keep(ctx, "bootstrap", value)
}

// openTokenKey returns the key that an earlier process signed tokens with, or a
// new one.
func openTokenKey(ctx context.Context, bucket own) (*api.TokenKey, error) {
	value, err := bucket.kept(ctx, "token-key")
	if err != nil {
		return nil, err
	}
	if value != nil {
		return api.ParseTokenKey(value)
	}
	key, err := api.NewTokenKey()
	if err != nil {
		return nil, err
	}
	if value, err = key.Encode(); err != nil {
		return nil, err
	}
	return key, bucket.keep(ctx, "token-key", value)
}

func first(given, kept string, generate func() string) string {
	switch {
	case given != "":
		return given
	case kept != "":
		return kept
	}
	return generate()
}
