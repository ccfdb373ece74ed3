// Package record keeps what the receiver simulator observed, in memory, in
// order, and within bounds: logs with sequence numbers that readers can wait
// on, sharing one budget of bytes and entries.
//
// What must not enter: what is recorded. The package knows sizes and order,
// never deliveries or connections.
package record

import (
	"container/list"
	"context"
	"errors"
	"sync"
)

// ErrDiscarded is returned by a log that was discarded.
var ErrDiscarded = errors.New("the log was discarded")

// Budget bounds all the logs that share it. Beyond the bounds the oldest
// entries over all logs leave first. The newest entry always stays, so the
// memory in use is at most the budget plus one entry.
type Budget struct {
	maxBytes   int64
	maxEntries int

	mu    sync.Mutex
	bytes int64
	order list.List // of held, oldest first
}

// held is one entry's place in the order of eviction.
type held struct {
	owner interface{ evictOldest() }
	size  int64
}

// NewBudget returns a budget of so many bytes and entries, both at least 1.
func NewBudget(maxBytes int64, maxEntries int) *Budget {
	return &Budget{maxBytes: max(maxBytes, 1), maxEntries: max(maxEntries, 1)}
}

// Used returns the bytes and entries held at the moment.
func (b *Budget) Used() (bytes int64, entries int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes, b.order.Len()
}

// hold books an entry and evicts what no longer fits. b.mu is held.
func (b *Budget) hold(h held) *list.Element {
	place := b.order.PushBack(h)
	b.bytes += h.size
	for b.order.Len() > 1 && (b.bytes > b.maxBytes || b.order.Len() > b.maxEntries) {
		oldest := b.order.Front()
		b.release(oldest)
		oldest.Value.(held).owner.evictOldest()
	}
	return place
}

// release gives the bytes of an entry back. b.mu is held.
func (b *Budget) release(place *list.Element) {
	b.order.Remove(place)
	b.bytes -= place.Value.(held).size
}

// Log is an append-only sequence of entries numbered from 1, the oldest of
// which may have been evicted. Its methods may be called from several
// goroutines at once.
type Log[T any] struct {
	budget *Budget
	// The rest is guarded by budget.mu: an append must be one step with the
	// evictions that it causes, and both take well under a microsecond.
	entries   []entry[T]
	evicted   int64 // also: the sequence number before entries[0]
	discarded bool
	grown     chan struct{} // closed at the next append or at discard
	left      func(T)       // or nil
}

type entry[T any] struct {
	value T
	place *list.Element
}

// NewLog returns an empty log within the budget.
func NewLog[T any](budget *Budget) *Log[T] {
	return &Log[T]{budget: budget, grown: make(chan struct{})}
}

// ContinueLog returns an empty log within the budget whose next sequence number
// is after+1. left, if not nil, is told of every entry that leaves the log; it
// is called with the budget locked and must be quick.
func ContinueLog[T any](budget *Budget, after int64, left func(T)) *Log[T] {
	return &Log[T]{budget: budget, evicted: after, grown: make(chan struct{}), left: left}
}

// Append adds the entry that record makes for its sequence number; readers
// that wait are woken. The size in bytes is what the entry counts against the
// budget. record is called with the log locked: it must be quick and must not
// use a log. A discarded log answers ErrDiscarded without calling record.
func (l *Log[T]) Append(size int64, record func(seq int64) T) error {
	l.budget.mu.Lock()
	defer l.budget.mu.Unlock()
	if l.discarded {
		return ErrDiscarded
	}
	l.entries = append(l.entries, entry[T]{value: record(l.evicted + int64(len(l.entries)) + 1)})
	// Evicting may shift the entries, so the place is set through the end.
	place := l.budget.hold(held{owner: l, size: size})
	l.entries[len(l.entries)-1].place = place
	close(l.grown)
	l.grown = make(chan struct{})
	return nil
}

// evictOldest drops the first entry. budget.mu is held.
func (l *Log[T]) evictOldest() {
	gone := l.entries[0].value
	l.entries[0] = entry[T]{} // or the array would keep it alive
	l.entries = l.entries[1:]
	l.evicted++
	if l.left != nil {
		l.left(gone)
	}
}

// Clear empties the log. Its sequence numbers go on, and what was cleared
// counts as evicted.
func (l *Log[T]) Clear() {
	l.budget.mu.Lock()
	defer l.budget.mu.Unlock()
	l.empty()
}

// empty drops every entry. budget.mu is held.
func (l *Log[T]) empty() {
	for len(l.entries) > 0 {
		l.budget.release(l.entries[0].place)
		l.evictOldest()
	}
	l.entries = nil
}

// Discard empties the log for good, gives its bytes back and wakes its
// readers.
func (l *Log[T]) Discard() {
	l.budget.mu.Lock()
	defer l.budget.mu.Unlock()
	if l.discarded {
		return
	}
	l.discarded = true
	l.empty()
	close(l.grown)
}

// Bounds limits what one reading returns.
type Bounds struct {
	Entries int   // at most so many entries; at least 1
	Bytes   int64 // stop before exceeding so many bytes, but return one entry at least
}

// Page is what one reading returned.
type Page[T any] struct {
	Entries []T
	// Last is the sequence number to read on from: that of the last entry
	// here, or the one asked after if there is none.
	Last int64
	// Evicted counts the entries that have left this log since it began.
	Evicted int64
}

// Read returns the entries with a sequence number above after. It waits for
// the first until ctx is done; what it has then may be nothing, which is no
// error. The only error is ErrDiscarded.
func (l *Log[T]) Read(ctx context.Context, after int64, bounds Bounds) (Page[T], error) {
	for {
		page, grown, err := l.read(after, bounds)
		if err != nil || len(page.Entries) > 0 {
			return page, err
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return page, nil
		}
	}
}

func (l *Log[T]) read(after int64, bounds Bounds) (Page[T], <-chan struct{}, error) {
	l.budget.mu.Lock()
	defer l.budget.mu.Unlock()
	if l.discarded {
		return Page[T]{}, nil, ErrDiscarded
	}
	page := Page[T]{Last: after, Evicted: l.evicted}
	start := max(after-l.evicted, 0)
	var size int64
	for i := start; i < int64(len(l.entries)) && len(page.Entries) < max(bounds.Entries, 1); i++ {
		size += l.entries[i].place.Value.(held).size
		if len(page.Entries) > 0 && size > bounds.Bytes {
			break
		}
		page.Entries = append(page.Entries, l.entries[i].value)
		page.Last = l.evicted + i + 1
	}
	return page, l.grown, nil
}

// Newest returns up to count of the last entries, oldest first.
func (l *Log[T]) Newest(count int) Page[T] {
	l.budget.mu.Lock()
	defer l.budget.mu.Unlock()
	page := Page[T]{Last: l.evicted + int64(len(l.entries)), Evicted: l.evicted}
	for _, e := range l.entries[max(0, len(l.entries)-count):] {
		page.Entries = append(page.Entries, e.value)
	}
	return page
}
