// Package auditlog is the append-only log of audit events: one JetStream
// stream, a subject for each environment, a message for each chunk of events
// that arrive together. It knows positions and order; subscriptions, filters
// and deliveries must not enter.
package auditlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

const (
	streamName    = "AUDIT"
	subjectPrefix = "audit."

	// chunkBytes is where a chunk ends. Measured with an embedded server on two
	// cores, chunks of hundreds of events cost a tenth of single ones; larger
	// ones gain nothing and delay the first reader.
	chunkBytes = 512 << 10

	// memoryBytes bounds a log in memory; a full log refuses events.
	memoryBytes = 2 << 30
	// memoryLeft is how full it may be to be called ready: a chunk must fit.
	memoryLeft = 2 * chunkBytes

	// Retention is how long chunks are kept, by the machine's clock: as long as an
	// event may wait to be delivered, which is 14 days for its subscription to be
	// enabled and from then on 7 days for its receiver, and a day more.
	Retention = limits.SuspendedRetention + limits.FailingRetention + 24*time.Hour
)

// ErrEnd says that nothing has been appended beyond the position asked for.
var ErrEnd = errors.New("end of the audit log")

// Position names the next event to read: the chunk's sequence number in the
// stream and the event's index in that chunk. The zero value is the beginning.
type Position struct {
	Sequence uint64 `json:"sequence"`
	Index    int    `json:"index"`
}

// Before says whether p comes before q.
func (p Position) Before(q Position) bool {
	return p.Sequence < q.Sequence || p.Sequence == q.Sequence && p.Index < q.Index
}

// Chunk is a run of events of one environment that were appended together.
// It is shared between readers and must not be changed.
type Chunk struct {
	Sequence uint64
	Accepted time.Time // by the emitter's clock
	Records  []event.Record
}

// Options tell how the log works.
type Options struct {
	Place    storage.Place            // where the stream is; others write to it too if it is shared
	Now      func() time.Time         // the emitter's clock; time.Now when nil
	Appended func(environment string) // told after events became readable; must not block

	// MemoryBytes is the most that a log in memory takes before it refuses
	// events; default 2 GiB. A log on disk is bounded by the disk alone.
	MemoryBytes int64

	// Retention is after how long chunks are removed, by the machine's clock.
	// Default: Retention, and less loses events that are still to be delivered.
	Retention time.Duration

	Log *slog.Logger // nil: nothing is logged
}

// Log is the audit log of all environments.
type Log struct {
	js        jetstream.JetStream
	shared    bool
	stream    jetstream.Stream
	now       func() time.Time
	appended  func(string)
	retention time.Duration
	log       *slog.Logger

	requests chan *request
	encoder  encoder // of the committer
	ahead    *ahead
	closing  chan struct{}
	stop     sync.Once
	done     chan struct{}

	follow follow // of a shared log

	mu     sync.Mutex
	recent recent
}

// Open makes the stream, or finds it as an earlier process left it.
func Open(ctx context.Context, o Options) (*Log, error) {
	o.Retention = cmp.Or(o.Retention, Retention)
	config := jetstream.StreamConfig{
		Name:        streamName,
		Description: "audit events, a message a chunk",
		Subjects:    []string{subjectPrefix + "*"},
		MaxAge:      o.Retention,
		Discard:     jetstream.DiscardNew,
	}
	if o.Place.Kind == jetstream.MemoryStorage {
		config.MaxBytes = cmp.Or(o.MemoryBytes, memoryBytes)
	}
	stream, err := o.Place.Stream(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	l := &Log{
		js: o.Place.JetStream, shared: o.Place.Shared, stream: stream, now: o.Now, appended: o.Appended, retention: o.Retention,
		requests: make(chan *request, 256),
		closing:  make(chan struct{}),
		done:     make(chan struct{}),
		recent:   newRecent(recentBytes),
	}
	l.ahead = newAhead(l.read, l.stored)
	if l.log = o.Log; l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.now == nil {
		l.now = time.Now
	}
	if l.appended == nil {
		l.appended = func(string) {}
	}
	if l.shared {
		if err := l.startFollowing(ctx); err != nil {
			return nil, fmt.Errorf("open audit log: %w", err)
		}
	}
	go l.commit()
	return l, nil
}

// Close refuses further events, waits for those being appended, and returns.
func (l *Log) Close() error {
	l.stop.Do(func() { close(l.closing) })
	<-l.done
	l.ahead.close()
	l.stopFollowing()
	return nil
}

// Healthy says why events cannot be appended, or new ones not be read: nil, or
// an error, which wraps storage.ErrFull where there is no room. It asks the
// storage.
func (l *Log) Healthy(ctx context.Context) error {
	info, err := l.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("ask for the audit log: %w", err)
	}
	if most := info.Config.MaxBytes; most > 0 && info.State.Bytes+memoryLeft > uint64(most) {
		return fmt.Errorf("%w: the audit log has %d of %d bytes", storage.ErrFull, info.State.Bytes, most)
	}
	if !l.shared {
		return nil
	}
	if err := l.follow.missing(info.State.LastSeq); err != nil {
		return fmt.Errorf("follow the audit log: %w", err)
	}
	return nil
}

// Tail is a sequence number that no chunk of the environment is beyond, and 0
// when there is none: a subscription made now starts after it.
func (l *Log) Tail(ctx context.Context, environment string) (uint64, error) {
	if l.shared {
		return l.sharedTail(ctx)
	}
	return l.end(ctx, environment)
}

// end is the sequence number of the environment's last chunk that is known here.
func (l *Log) end(ctx context.Context, environment string) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, known := l.recent.last(environment); known {
		return last, nil
	}
	if l.shared {
		return l.follow.from, nil
	}
	subject, err := subjectOf(environment)
	if err != nil {
		return 0, err
	}
	var last uint64
	msg, err := l.stream.GetLastMsgForSubject(ctx, subject)
	switch {
	case err == nil:
		last = msg.Sequence
	case !errors.Is(err, jetstream.ErrMsgNotFound):
		return 0, fmt.Errorf("find the end of the log of %s: %w", environment, err)
	}
	l.recent.start(environment, last)
	return last, nil
}

// Next returns the environment's first chunk whose sequence number is at least
// the given one, or ErrEnd. Chunks appended lately come from memory; with others
// those that follow are fetched as well.
func (l *Log) Next(ctx context.Context, environment string, sequence uint64) (Chunk, error) {
	last, err := l.end(ctx, environment)
	if err != nil {
		return Chunk{}, err
	}
	if sequence > last {
		return Chunk{}, ErrEnd
	}
	l.mu.Lock()
	chunk, found := l.recent.next(environment, sequence)
	l.mu.Unlock()
	if found {
		return chunk, nil
	}
	return l.ahead.next(ctx, environment, sequence)
}

// Expired says whether a reader who is to go on at the sequence number, and had
// read everything at the time since, by the emitter's clock, may miss chunks
// that were removed as they were too old. Nothing remains of those to tell whose
// they were: they may all have been other environments'.
func (l *Log) Expired(ctx context.Context, sequence uint64, since time.Time) (bool, error) {
	if l.now().Sub(since) <= l.retention { // the emitter's clock is never slower than the machine's
		return false, nil
	}
	info, err := l.stream.Info(ctx)
	if err != nil {
		return false, fmt.Errorf("find the beginning of the log: %w", err)
	}
	return sequence < info.State.FirstSeq, nil
}

// stored says whether there is a chunk from the sequence number on that is not
// in memory.
func (l *Log) stored(environment string, sequence uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	last, known := l.recent.last(environment)
	_, found := l.recent.next(environment, sequence)
	return known && sequence <= last && !found
}

func (l *Log) read(ctx context.Context, environment string, sequence uint64) (Chunk, error) {
	subject, err := subjectOf(environment)
	if err != nil {
		return Chunk{}, err
	}
	msg, err := l.stream.GetMsg(ctx, max(sequence, 1), jetstream.WithGetMsgSubject(subject))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Chunk{}, ErrEnd
	}
	if err != nil {
		return Chunk{}, fmt.Errorf("read the log of %s from %d: %w", environment, sequence, err)
	}
	chunk, err := decode(msg.Data)
	if err != nil {
		return Chunk{}, fmt.Errorf("read chunk %d: %w", msg.Sequence, err)
	}
	chunk.Sequence = msg.Sequence
	return chunk, nil
}

// subjectOf refuses names that would mean something else to the server.
func subjectOf(environment string) (string, error) {
	if environment == "" || strings.ContainsAny(environment, ".*> \t\r\n") {
		return "", fmt.Errorf("%q cannot name an environment's log", environment)
	}
	return subjectPrefix + environment, nil
}
