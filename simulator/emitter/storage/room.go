package storage

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// JetStream never recovers from a write that found the disk full: the stream
// refuses everything until the server is started again. So nothing is written
// when little is left: then a write is refused here, and taken again as soon as
// there is room.
const (
	// reserve is what new events and configuration leave free, in bytes: room
	// for the server's own files and for what Reserved writes meanwhile.
	reserve = 32 << 20
	// reserveLeft is what Reserved leaves of it.
	reserveLeft = 8 << 20
)

// ErrFull says that nothing was written because there is no room for it: on the
// disk, or in a stream that may not grow any more.
var ErrFull = errors.New("the storage is full")

// streamStoreFailed is how the server calls a message that it could not store,
// and streamMaxBytes how it says that the stream's bytes are the reason.
const (
	streamStoreFailed jetstream.ErrorCode = 10077
	streamMaxBytes                        = "maximum bytes exceeded"
)

// Refused is what a server's refusal to store a message means: one because the
// stream may not grow wraps ErrFull, any other is returned as it is.
func Refused(err error) error {
	var refused *jetstream.APIError
	if errors.As(err, &refused) && refused.ErrorCode == streamStoreFailed && refused.Description == streamMaxBytes {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// Room says whether there is room for new events and configuration: nil, or an
// error that wraps ErrFull.
func (s *Storage) Room() error { return s.room(reserve) }

func (s *Storage) room(left uint64) error {
	if s.server == nil || s.kind == jetstream.MemoryStorage {
		return nil // a cluster watches its own disks
	}
	free, err := freeBytes(s.dir)
	if err != nil {
		return fmt.Errorf("see what is free in %s: %w", s.dir, err)
	}
	if free < left {
		return fmt.Errorf("%w: %d MiB are free in %s, %d MiB must be left; make room there", ErrFull, free>>20, s.dir, left>>20)
	}
	return nil
}

// guarded writes only while there is room.
type guarded struct {
	jetstream.JetStream
	room func() error
}

func (g guarded) PublishMsgAsync(m *nats.Msg, opts ...jetstream.PublishOpt) (jetstream.PubAckFuture, error) {
	if err := g.room(); err != nil {
		return nil, err
	}
	return g.JetStream.PublishMsgAsync(m, opts...)
}

func (g guarded) KeyValue(ctx context.Context, name string) (jetstream.KeyValue, error) {
	bucket, err := g.JetStream.KeyValue(ctx, name)
	if err != nil {
		return nil, err
	}
	return guardedBucket{bucket, g.room}, nil
}

// guardedBucket is a bucket of guarded. Removing a key writes a mark, too.
type guardedBucket struct {
	jetstream.KeyValue
	room func() error
}

func (b guardedBucket) Put(ctx context.Context, key string, value []byte) (uint64, error) {
	if err := b.room(); err != nil {
		return 0, err
	}
	return b.KeyValue.Put(ctx, key, value)
}

func (b guardedBucket) PutString(ctx context.Context, key, value string) (uint64, error) {
	return b.Put(ctx, key, []byte(value))
}

func (b guardedBucket) Create(ctx context.Context, key string, value []byte, opts ...jetstream.KVCreateOpt) (uint64, error) {
	if err := b.room(); err != nil {
		return 0, err
	}
	return b.KeyValue.Create(ctx, key, value, opts...)
}

func (b guardedBucket) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if err := b.room(); err != nil {
		return 0, err
	}
	return b.KeyValue.Update(ctx, key, value, revision)
}

func (b guardedBucket) Delete(ctx context.Context, key string, opts ...jetstream.KVDeleteOpt) error {
	if err := b.room(); err != nil {
		return err
	}
	return b.KeyValue.Delete(ctx, key, opts...)
}

func (b guardedBucket) Purge(ctx context.Context, key string, opts ...jetstream.KVDeleteOpt) error {
	if err := b.room(); err != nil {
		return err
	}
	return b.KeyValue.Purge(ctx, key, opts...)
}
