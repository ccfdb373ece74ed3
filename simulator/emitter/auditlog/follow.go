package auditlog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// pullExpiry and pullHeartbeat bound for how long it is not noticed that the
	// server from which the log is followed is gone: twice the heartbeat.
	pullExpiry    = 5 * time.Second
	pullHeartbeat = time.Second
	// followRetry is the wait after following failed.
	followRetry = 250 * time.Millisecond
	// behindAtMost bounds waiting for what others have appended.
	behindAtMost = 10 * time.Second
)

// follow is how a process learns of what all of them append: the stream brings
// every chunk in its order, those of this process too.
type follow struct {
	from uint64 // what is behind it was there before
	stop context.CancelFunc
	done sync.WaitGroup

	mu    sync.Mutex
	last  uint64
	err   error         // why following failed; nil since a chunk came
	moved chan struct{} // closed when last grows
}

// startFollowing begins behind what is there already, which is read when it is
// asked for.
func (l *Log) startFollowing(ctx context.Context) error {
	last, err := l.sharedTail(ctx)
	if err != nil {
		return err
	}
	f := &l.follow
	f.from, f.last, f.moved = last, last, make(chan struct{})
	l.recent.base = last
	ctx, f.stop = context.WithCancel(context.WithoutCancel(ctx))
	f.done.Go(func() {
		for ctx.Err() == nil {
			// It ends only when the connection is lost for good, or the stream; until
			// that is mended nothing new can be read, and Healthy says so.
			if err := l.followOnce(ctx); ctx.Err() == nil && f.fail(err) {
				l.log.Error("the audit log cannot be followed", "error", err)
			}
			select {
			case <-time.After(followRetry):
			case <-ctx.Done():
			}
		}
	})
	return nil
}

func (l *Log) stopFollowing() {
	if l.follow.stop != nil {
		l.follow.stop()
		l.follow.done.Wait()
	}
}

func (l *Log) followOnce(ctx context.Context) error {
	consumer, err := l.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: l.follow.position() + 1,
	})
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		message, err := messages.Next(jetstream.NextContext(ctx))
		switch {
		case errors.Is(err, jetstream.ErrNoHeartbeat): // it looks for another server by itself
			l.follow.fail(err)
			continue
		case err != nil:
			return err
		}
		if err := l.followed(message); err != nil {
			return err
		}
	}
}

// followed makes a chunk readable.
func (l *Log) followed(message jetstream.Msg) error {
	meta, err := message.Metadata()
	if err != nil {
		return err
	}
	sequence := meta.Sequence.Stream
	if sequence <= l.follow.position() {
		return nil
	}
	chunk, err := decode(message.Data())
	if err != nil {
		return fmt.Errorf("read chunk %d: %w", sequence, err)
	}
	chunk.Sequence = sequence
	environment := strings.TrimPrefix(message.Subject(), subjectPrefix)
	l.mu.Lock()
	l.recent.add(environment, chunk, sizeOf(chunk.Records))
	l.mu.Unlock()
	l.follow.move(sequence)
	l.appended(environment)
	return nil
}

// fail keeps why following failed, and says whether it is the first time since
// a chunk came.
func (f *follow) fail(err error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := f.err == nil
	f.err = err
	return first
}

// missing is why chunks up to the sequence number cannot be read, if they cannot.
func (f *follow) missing(sequence uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last >= sequence {
		return nil
	}
	return f.err
}

func (f *follow) position() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

func (f *follow) move(to uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last, f.err = to, nil
	close(f.moved)
	f.moved = make(chan struct{})
}

// sharedTail is the end of the log of all environments and processes.
func (l *Log) sharedTail(ctx context.Context) (uint64, error) {
	info, err := l.stream.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("find the end of the log: %w", err)
	}
	return info.State.LastSeq, nil
}

// caughtUp returns when everything that any process has appended until now can
// be read here.
func (l *Log) caughtUp(ctx context.Context) error {
	if !l.shared {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, behindAtMost)
	defer cancel()
	end, err := l.sharedTail(ctx)
	if err != nil {
		return err
	}
	for {
		l.follow.mu.Lock()
		last, moved := l.follow.last, l.follow.moved
		l.follow.mu.Unlock()
		if last >= end {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("wait for what other emitters have appended: %w", context.Cause(ctx))
		}
	}
}
