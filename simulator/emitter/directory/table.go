package directory

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// environment is one environment in memory. write is held for the whole of a change, so that what a change checked is
// still true when it becomes visible.
type environment struct {
	// turn is held by the one change that is tried, and tried again, so that what other processes have changed is not
	// kept from being heard of by many that try.
	turn    sync.Mutex
	write   sync.Mutex
	deleted bool // guarded by write

	// Of a shared directory, guarded by write: the revision of the environment's own entry, which every change writes
	// last; that of the last entry of it that is known here; what is closed when another process has changed it.
	version, applied uint64
	moved            chan struct{}

	self          atomic.Pointer[Entity]
	populations   table[Entity]
	applications  table[Entity]
	users         table[Entity]
	keys          table[Key]
	certificates  table[Certificate]
	assignments   table[RoleAssignment]
	subscriptions atomic.Pointer[[]subscription.Subscription]
}

func newEnvironment() *environment {
	e := &environment{moved: make(chan struct{})}
	e.subscriptions.Store(&[]subscription.Subscription{})
	return e
}

// table returns where resources of a kind are.
func (e *environment) table(kind Kind) *table[Entity] {
	switch kind {
	case Population:
		return &e.populations
	case Application:
		return &e.applications
	default:
		return &e.users
	}
}

// item is what a table keeps; its fields are never changed once it is in.
type item interface {
	identity() (id string, created time.Time)
}

// table keeps the resources of one kind in the order of their creation. The zero value is empty.
type table[T item] struct {
	mu   sync.RWMutex
	byID map[string]T
	ids  []string
}

func (t *table[T]) get(id string) (T, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	value, ok := t.byID[id]
	return value, ok
}

func (t *table[T]) list() []T {
	t.mu.RLock()
	defer t.mu.RUnlock()
	list := make([]T, len(t.ids))
	for i, id := range t.ids {
		list[i] = t.byID[id]
	}
	return list
}

// matching returns the resources that satisfy the condition, in order.
func (t *table[T]) matching(condition func(T) bool) []T {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var list []T
	for _, id := range t.ids {
		if value := t.byID[id]; condition(value) {
			list = append(list, value)
		}
	}
	return list
}

// find returns the first resource that satisfies the condition.
func (t *table[T]) find(condition func(T) bool) (T, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, id := range t.ids {
		if condition(t.byID[id]) {
			return t.byID[id], true
		}
	}
	var none T
	return none, false
}

func (t *table[T]) put(value T) {
	id, _ := value.identity()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID == nil {
		t.byID = map[string]T{}
	}
	if _, known := t.byID[id]; !known {
		t.ids = append(t.ids, id)
	}
	t.byID[id] = value
}

func (t *table[T]) remove(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.byID[id]; !known {
		return
	}
	delete(t.byID, id)
	t.ids = slices.DeleteFunc(t.ids, func(other string) bool { return other == id })
}

// restore puts what was loaded in any order into the order of creation.
func (t *table[T]) restore() {
	slices.SortStableFunc(t.ids, func(a, b string) int {
		_, x := t.byID[a].identity()
		_, y := t.byID[b].identity()
		return x.Compare(y)
	})
}
