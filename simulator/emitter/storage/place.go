package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Place is where streams and buckets are made, and how they are kept.
type Place struct {
	JetStream jetstream.JetStream
	Kind      jetstream.StorageType // files, or memory
	Replicas  int                   // on how many servers; 0 is 1
	Shared    bool                  // other processes may use the same
}

// Bucket describes a key-value bucket.
type Bucket struct {
	Name, Description string
	// Expiry is after what time an entry is removed that is not put again. 0: never.
	Expiry time.Duration
	// MarkerKept is how long it shows that an entry expired, or was purged with
	// such a time. 0: expiry is not shown.
	MarkerKept time.Duration
	// Atomic buckets take several entries at once, all or none.
	Atomic bool
}

// Wrong revisions, as the servers call them.
const (
	wrongLastSequence         jetstream.ErrorCode = 10071
	wrongLastSequenceConstant jetstream.ErrorCode = 10164
	replicasUnsupported       jetstream.ErrorCode = 10074
)

// Outdated says whether a write was refused because somebody else wrote before.
func Outdated(err error) bool {
	if errors.Is(err, jetstream.ErrKeyExists) {
		return true
	}
	var refused *jetstream.APIError
	return errors.As(err, &refused) && (refused.ErrorCode == wrongLastSequence || refused.ErrorCode == wrongLastSequenceConstant)
}

// Stream makes a stream in the place, or finds it. In a cluster it waits for
// servers that are still joining.
func (p Place) Stream(ctx context.Context, config jetstream.StreamConfig) (jetstream.Stream, error) {
	config.Storage, config.Replicas = p.Kind, max(p.Replicas, 1)
	// A replica may not have heard of what was written through another; where
	// there are several, the leader is asked.
	config.AllowDirect = config.Replicas == 1
	var stream jetstream.Stream
	err := p.persist(ctx, func(ctx context.Context) (err error) {
		stream, err = p.JetStream.CreateOrUpdateStream(ctx, config)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open stream %s on %d servers: %w", config.Name, config.Replicas, err)
	}
	return stream, nil
}

// persist tries until servers that are still joining a cluster are there. A
// request during the election of a leader may never be answered.
func (p Place) persist(ctx context.Context, do func(context.Context) error) error {
	joining, cancel := context.WithTimeout(ctx, joinWithin)
	defer cancel()
	retry := time.NewTicker(joinRetry)
	defer retry.Stop()
	for {
		once, stop := context.WithTimeout(joining, answerWithin)
		err := do(once)
		stop()
		refused := new(jetstream.APIError)
		if err == nil || !p.Shared || errors.As(err, &refused) && refused.ErrorCode == replicasUnsupported {
			return err
		}
		select {
		case <-retry.C:
		case <-joining.Done():
			return fmt.Errorf("not within %v: %w", joinWithin, err)
		}
	}
}

// Bucket makes a key-value bucket in the place, or finds it.
func (p Place) Bucket(ctx context.Context, b Bucket) (jetstream.KeyValue, error) {
	// This is how the client library itself lays out a bucket, but for who may
	// answer reads, and for batches.
	config := jetstream.StreamConfig{
		Name: "KV_" + b.Name, Description: b.Description, Subjects: []string{"$KV." + b.Name + ".>"},
		MaxMsgsPerSubject: 1, MaxAge: b.Expiry, Discard: jetstream.DiscardNew,
		AllowRollup: true, DenyDelete: true, AllowAtomicPublish: b.Atomic,
		AllowMsgTTL: b.MarkerKept > 0, SubjectDeleteMarkerTTL: b.MarkerKept,
	}
	if b.Expiry > 0 { // the server refuses to remember longer than it keeps
		config.Duplicates = min(b.Expiry, 2*time.Minute)
	}
	if _, err := p.Stream(ctx, config); err != nil {
		return nil, err
	}
	var bucket jetstream.KeyValue
	err := p.persist(ctx, func(ctx context.Context) (err error) {
		bucket, err = p.JetStream.KeyValue(ctx, b.Name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", b.Name, err)
	}
	return bucket, nil
}
