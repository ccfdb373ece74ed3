// Package membership says which emitter processes are alive, and which of them
// works what. Processes that are alive keep an entry fresh in a JetStream bucket
// whose entries expire; what a process works, it has claimed in another.
// Agreement is JetStream's: an entry is changed only at the revision that was
// read. What is worked, and how, must not enter.
//
// A process that could not refresh its entry for a while stops by itself before
// the entry expires, so that two never work the same, as long as their clocks
// and the servers' run at about the same speed.
package membership

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

// Timing: a process that dies is noticed after DefaultExpiry at the latest, and
// what it worked is to be taken over within ten seconds.
const (
	DefaultExpiry = 5 * time.Second
	// beats is how often an entry is refreshed in the time in which it expires.
	beats = 5
	// claimRetry is the wait after a claim that failed for another reason than
	// that somebody else was first.
	claimRetry = 500 * time.Millisecond
	// claimWithin bounds one try to claim: a request that was under way to a
	// server that died is not answered.
	claimWithin = 2 * time.Second
	// releaseWithin bounds giving up one claim.
	releaseWithin = 5 * time.Second
	// markerKept is how long the bucket shows that an entry is gone.
	markerKept = time.Minute
)

// ErrLapsed says that this process may be believed dead by the others.
var ErrLapsed = errors.New("the membership of this process has lapsed: its entry could not be refreshed in time")

// Options of a membership. The zero value is complete.
type Options struct {
	// Expiry is after what time without a refresh a process counts as dead;
	// default DefaultExpiry.
	Expiry time.Duration
	// Idle processes are given nothing to work; they may still claim.
	Idle bool
	Log  *slog.Logger // nil: nothing is logged
}

// Members is this process's view of the others, and its own part.
type Members struct {
	Options
	id             string
	alive, claimed jetstream.KeyValue
	cancel         context.CancelFunc
	done           sync.WaitGroup
	closing        sync.Once
	echoed         time.Time // when the entry of this process was last heard of; of the goroutine that follows

	mu      sync.Mutex
	changed func()                     // after processes came or went; never nil
	others  map[string]other           // that are alive
	claims  map[string]claim           // by what is worked
	needed  map[string]context.Context // what is worked here, and under which lease; nil: it is being taken
	news    map[string]chan struct{}
	idle    bool
	lease   context.Context // ends when others may believe this process dead
	lapse   context.CancelCauseFunc
	until   *time.Timer // ends the lease
	expires time.Time
}

// other is another process that is alive.
type other struct {
	wants bool      // work
	heard time.Time // when its entry was last refreshed, by this process's clock
}

type claim struct {
	owner    string
	revision uint64
}

const (
	membersBucket = "MEMBERS"
	claimsBucket  = "CLAIMS"
)

// Values of a process's entry.
const (
	working = "working"
	idle    = "idle"
)

// Join makes this process known. It returns when the others are known, too.
func Join(ctx context.Context, in storage.Place, o Options) (*Members, error) {
	if o.Expiry == 0 {
		o.Expiry = DefaultExpiry
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m := &Members{
		Options: o, id: nuid.Next(), changed: func() {}, idle: o.Idle,
		others: map[string]other{}, claims: map[string]claim{}, needed: map[string]context.Context{}, news: map[string]chan struct{}{},
	}
	m.renewed(time.Time{}) // without a lease until the first refresh
	if err := m.open(ctx, in); err != nil {
		return nil, fmt.Errorf("join the emitters: %w", err)
	}
	return m, nil
}

func (m *Members) open(ctx context.Context, in storage.Place) (err error) {
	if m.alive, err = in.Bucket(ctx, storage.Bucket{
		Name: membersBucket, Description: "emitter processes that are alive", Expiry: m.Expiry, MarkerKept: markerKept,
	}); err != nil {
		return err
	}
	if m.claimed, err = in.Bucket(ctx, storage.Bucket{
		Name: claimsBucket, Description: "which emitter process works what", MarkerKept: markerKept,
	}); err != nil {
		return err
	}
	if err := m.refresh(ctx); err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	m.cancel = cancel
	known := []<-chan struct{}{m.follow(running, in.JetStream, m.members()), m.follow(running, in.JetStream, m.works())}
	m.done.Go(func() { m.beat(running) })
	m.done.Go(func() { m.tidy(running) })
	for _, listed := range known {
		select {
		case <-listed:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), m.Close())
		}
	}
	return nil
}

// Changed sets what is told after processes came, went or became idle. It must
// not block.
func (m *Members) Changed(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changed = f
}

// Mine says whether what has the key falls to this process, of those that are
// alive and want work: the one with the highest weight, so that a process that
// comes or goes moves only its own share.
func (m *Members) Mine(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.idle {
		return false
	}
	own := weight(key, m.id)
	for other, o := range m.others {
		if o.wants && cmp.Or(cmp.Compare(weight(key, other), own), cmp.Compare(other, m.id)) > 0 {
			return false
		}
	}
	return true
}

func weight(key, member string) uint64 {
	sum := sha256.Sum256([]byte(key + " " + member))
	return binary.BigEndian.Uint64(sum[:])
}

// Err is nil while this process is alive to the others, else ErrLapsed.
func (m *Members) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return context.Cause(m.lease)
}

// Retire makes the others take over what falls to this process as it is
// released. It is not given anything more.
func (m *Members) Retire(ctx context.Context) error {
	m.mu.Lock()
	m.idle = true
	m.mu.Unlock()
	if err := m.refresh(ctx); err != nil {
		return fmt.Errorf("retire: %w", err)
	}
	return nil
}

// Close makes the process unknown and ends its lease. What it still claims is
// anybody's.
func (m *Members) Close() error {
	var failed error
	m.closing.Do(func() {
		m.cancel()
		m.done.Wait()
		if m.Err() == nil {
			ctx, cancel := context.WithTimeout(context.Background(), releaseWithin)
			defer cancel()
			if err := m.alive.Purge(ctx, m.id); err != nil {
				failed = fmt.Errorf("leave the emitters: %w", err)
			}
		}
		m.expire(time.Now().Add(m.Expiry))
	})
	return failed
}

// beat refreshes the entry until the process leaves.
func (m *Members) beat(ctx context.Context) {
	m.atEachBeat(ctx, func() {
		if err := m.refresh(ctx); err != nil && ctx.Err() == nil {
			m.Log.Warn("other emitters may believe this one dead", "error", err)
		}
	})
}

// atEachBeat calls do a few times within an expiry, until ctx ends.
func (m *Members) atEachBeat(ctx context.Context, do func()) {
	tick := time.NewTicker(m.Expiry / beats)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		do()
	}
}

// refresh puts the entry anew. The lease counts from before, as the entry may
// have been stored at once.
func (m *Members) refresh(ctx context.Context) error {
	m.mu.Lock()
	value := working
	if m.idle {
		value = idle
	}
	m.mu.Unlock()
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, m.Expiry/beats)
	defer cancel()
	if _, err := m.alive.PutString(ctx, m.id, value); err != nil {
		return fmt.Errorf("refresh the entry of this process: %w", err)
	}
	// One beat before the entry can expire, the process no longer trusts in it.
	m.renewed(began.Add(m.Expiry - m.Expiry/beats))
	return nil
}

// renewed makes the lease last until then.
func (m *Members) renewed(until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expires = until
	if m.until != nil {
		m.until.Stop()
	}
	if m.lease == nil || m.lease.Err() != nil {
		m.lease, m.lapse = context.WithCancelCause(context.Background())
		m.wake()
	}
	m.until = time.AfterFunc(time.Until(until), func() {
		if m.expire(time.Now()) && !until.IsZero() {
			m.Log.Warn("what this process works is stopped, others may take it over", "error", ErrLapsed)
		}
	})
}

// expire ends the lease unless it was renewed meanwhile; it says whether it
// did.
func (m *Members) expire(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Before(m.expires) || m.lease.Err() != nil {
		return false
	}
	m.until.Stop()
	m.lapse(ErrLapsed)
	return true
}
