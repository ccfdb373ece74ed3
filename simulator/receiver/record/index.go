package record

import (
	"slices"
	"sync"
)

// Index is the order of the entries of several logs: entries by numbers that
// rise and are never used again. It holds no budget of its own; what leaves a
// log must be removed. Its methods may be called from several goroutines at
// once.
type Index[T any] struct {
	mu      sync.RWMutex
	entries []numbered[T] // by number; removed ones stay for a while
	live    int
	last    int64
	removed int64
}

type numbered[T any] struct {
	number int64
	value  T
	gone   bool
}

// ContinueIndex returns an index whose next number is after+1.
func ContinueIndex[T any](after int64) *Index[T] { return &Index[T]{last: after} }

// Add adds the entry that make makes for its number.
func (x *Index[T]) Add(make func(number int64) T) T {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.add(x.last+1, make)
}

// Restore adds an entry with a number that is above all others, and tells
// whether it is.
func (x *Index[T]) Restore(number int64, value T) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if n := len(x.entries); n > 0 && x.entries[n-1].number >= number {
		return false
	}
	x.add(number, func(int64) T { return value })
	return true
}

func (x *Index[T]) add(number int64, make func(number int64) T) T {
	value := make(number)
	x.last = max(x.last, number)
	x.entries = append(x.entries, numbered[T]{number: number, value: value})
	x.live++
	return value
}

// Remove takes the entry out, if it is there.
func (x *Index[T]) Remove(number int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	i, ok := x.find(number)
	if !ok || x.entries[i].gone {
		return
	}
	x.entries[i] = numbered[T]{number: number, gone: true}
	x.live--
	x.removed++
	for len(x.entries) > 0 && x.entries[0].gone {
		x.entries = x.entries[1:]
	}
	if len(x.entries) > 2*x.live+1024 {
		kept := make([]numbered[T], 0, x.live)
		for _, e := range x.entries {
			if !e.gone {
				kept = append(kept, e)
			}
		}
		x.entries = kept
	}
}

// find returns where the number is or would be. mu is held.
func (x *Index[T]) find(number int64) (int, bool) {
	return slices.BinarySearchFunc(x.entries, number, func(e numbered[T], n int64) int {
		return int(min(max(e.number-n, -1), 1))
	})
}

// Get returns the entry with the number, if it is there.
func (x *Index[T]) Get(number int64) (value T, ok bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if i, found := x.find(number); found && !x.entries[i].gone {
		return x.entries[i].value, true
	}
	return value, false
}

// After returns up to count entries with numbers above the given one,
// ascending.
func (x *Index[T]) After(number int64, count int) []T {
	x.mu.RLock()
	defer x.mu.RUnlock()
	start, _ := x.find(number + 1)
	var found []T
	for i := start; i < len(x.entries) && len(found) < count; i++ {
		if !x.entries[i].gone {
			found = append(found, x.entries[i].value)
		}
	}
	return found
}

// Before returns up to count entries with numbers below the given one,
// descending.
func (x *Index[T]) Before(number int64, count int) []T {
	x.mu.RLock()
	defer x.mu.RUnlock()
	end, _ := x.find(number)
	var found []T
	for i := end - 1; i >= 0 && len(found) < count; i-- {
		if !x.entries[i].gone {
			found = append(found, x.entries[i].value)
		}
	}
	return found
}

// Extent is how far an index reaches.
type Extent struct {
	Kept    int   // entries that are there
	Removed int64 // entries that were there
	Oldest  int64 // number of the first that is there; Last+1 if there is none
	Last    int64 // number of the newest that ever was
}

// Extent returns how far the index reaches.
func (x *Index[T]) Extent() Extent {
	x.mu.RLock()
	defer x.mu.RUnlock()
	e := Extent{Kept: x.live, Removed: x.removed, Oldest: x.last + 1, Last: x.last}
	if len(x.entries) > 0 {
		e.Oldest = x.entries[0].number
	}
	return e
}
