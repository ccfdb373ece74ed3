package auditlog

import (
	"context"
	"sync"
)

const (
	// aheadBytes bounds the events kept in memory that were read from the
	// store, for the subscriptions that follow, in bytes of the events.
	aheadBytes = 16 << 20
	// aheadReads is how many reads may be under way before none is begun that
	// nobody has asked for yet.
	aheadReads = 4
	// aheadChunks is how many chunks are fetched beyond the one asked for: a
	// payload of 500 events needs two, and there should be one to go on with.
	aheadChunks = 3
)

// ahead shares what is read from the store: subscriptions that work off the
// same backlog read each chunk once, and while one is busy with a chunk the
// next is fetched.
type ahead struct {
	read   func(ctx context.Context, environment string, sequence uint64) (Chunk, error)
	stored func(environment string, sequence uint64) bool // must be read to be had

	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	readings map[place]*reading
	kept     []place // of readings that are done; the first goes first
	bytes    int
}

// place is what is asked for: the environment's first chunk from there on.
type place struct {
	environment string
	sequence    uint64
}

type reading struct {
	done  chan struct{} // closed when the others are set
	chunk Chunk
	bytes int
	err   error
}

func newAhead(read func(context.Context, string, uint64) (Chunk, error), stored func(string, uint64) bool) *ahead {
	a := &ahead{read: read, stored: stored, readings: map[place]*reading{}}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

// close ends all reads and waits for them.
func (a *ahead) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.cancel()
	a.running.Wait()
}

// next returns the environment's first chunk from the sequence number on, and
// begins to read those that follow.
func (a *ahead) next(ctx context.Context, environment string, sequence uint64) (Chunk, error) {
	r := a.begin(place{environment, sequence}, 0)
	if r == nil {
		return Chunk{}, errClosed
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return Chunk{}, context.Cause(ctx)
	}
	if r.err == nil {
		a.prepare(environment, r.chunk.Sequence+1, aheadChunks)
	}
	return r.chunk, r.err
}

// prepare sees to it that so many chunks are there, or being read.
func (a *ahead) prepare(environment string, sequence uint64, chunks int) {
	for ; chunks > 0 && a.stored(environment, sequence); chunks-- {
		p := place{environment, sequence}
		a.mu.Lock()
		r, busy := a.readings[p], len(a.readings)-len(a.kept) >= aheadReads
		a.mu.Unlock()
		if r == nil {
			if !busy {
				a.begin(p, chunks-1)
			}
			return
		}
		select {
		case <-r.done:
			sequence = r.chunk.Sequence + 1
		default:
			return // where the next begins is not known yet
		}
	}
}

// begin returns the reading of a place, which may have been under way before;
// nil after close. One that begins now is followed by so many more.
func (a *ahead) begin(p place, more int) *reading {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r := a.readings[p]; r != nil || a.closed {
		return r
	}
	r := &reading{done: make(chan struct{})}
	a.readings[p] = r
	a.running.Go(func() {
		r.chunk, r.err = a.read(a.ctx, p.environment, p.sequence)
		r.bytes = sizeOf(r.chunk.Records)
		a.keep(p, r)
		close(r.done)
		if r.err == nil {
			a.prepare(p.environment, r.chunk.Sequence+1, more)
		}
	})
	return r
}

// keep holds on to a chunk that was read, and lets the oldest go. Whoever asks
// again after a failure, or at the end of the log, reads again.
func (a *ahead) keep(p place, r *reading) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.err != nil {
		delete(a.readings, p)
		return
	}
	a.kept = append(a.kept, p)
	for a.bytes += r.bytes; a.bytes > aheadBytes; {
		oldest := a.kept[0]
		a.kept = a.kept[1:]
		a.bytes -= a.readings[oldest].bytes
		delete(a.readings, oldest)
	}
}
