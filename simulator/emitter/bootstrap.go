package emitter

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

// bootstrap is the client that may act on all environments.
type bootstrap struct {
	Environment string `json:"environment"`
	ClientID    string `json:"clientId"`
	Secret      string `json:"secret"`

	generated bool // the secret was made just now
}

// openBootstrap takes what the options give, then what an earlier process
// kept, and generates the rest.
func openBootstrap(ctx context.Context, s *storage.Storage, o Options) (bootstrap, error) {
	bucket, err := s.JetStream().CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: "EMITTER", Description: "the first client", Storage: s.Kind(),
	})
	if err != nil {
		return bootstrap{}, fmt.Errorf("open bootstrap client: %w", err)
	}
	var b bootstrap
	entry, err := bucket.Get(ctx, "bootstrap")
	switch {
	case err == nil:
		if err := json.Unmarshal(entry.Value(), &b); err != nil {
			return bootstrap{}, fmt.Errorf("read bootstrap client: %w", err)
		}
	case !errors.Is(err, jetstream.ErrKeyNotFound):
		return bootstrap{}, fmt.Errorf("read bootstrap client: %w", err)
	}
	b.generated = o.ClientSecret == "" && b.Secret == ""
	b.Environment = first(o.Environment, b.Environment, uuid.NewString)
	b.ClientID = first(o.ClientID, b.ClientID, uuid.NewString)
	b.Secret = first(o.ClientSecret, b.Secret, rand.Text)
	value, err := json.Marshal(b)
	if err != nil {
		return bootstrap{}, err
	}
	if _, err := bucket.Put(ctx, "bootstrap", value); err != nil {
		return bootstrap{}, fmt.Errorf("keep bootstrap client: %w", err)
	}
	return b, nil
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
