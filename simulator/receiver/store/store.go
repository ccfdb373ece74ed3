// Package store keeps what the receiver simulator recorded on disk, so that it
// is there after a restart, however the process ended. It is one file of
// bbolt, an embedded key-value store.
//
// What must not enter: what is stored. The package knows numbers and bytes,
// never deliveries or endpoints.
package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// FileName is the name of the file within the folder of the data.
const FileName = "receiver.db"

// The buckets of the file. Heads and bodies have the same keys: numbers in
// big-endian order.
var (
	heads   = []byte("heads")
	bodies  = []byte("bodies")
	groups  = []byte("groups") // by name: what describes a group of entries
	lasts   = []byte("lasts")  // by group: the sequence number of its newest entry
	counter = []byte("counter")
)

// Entry is one thing that is kept.
type Entry struct {
	Number int64  // rising, never used again
	Group  string // to which it belongs
	Seq    int64  // its number within the group
	Head   []byte
	Body   []byte
}

// Store is an open file. Its methods may be called from several goroutines at
// once.
type Store struct {
	db     *bbolt.DB
	notify chan struct{} // holds one token when there is something to write
	ended  chan struct{} // closed when the writer has ended

	mu      sync.Mutex
	queue   []write
	removed []int64
	closed  bool
	failed  error // the first error of writing; nothing is written after it
}

// write is an entry that waits to be written.
type write struct {
	entry Entry
	done  chan error
}

// lockTimeout is how long another process may hold the file at the start.
const lockTimeout = 2 * time.Second

// Open opens the file in the folder, making both if they are not there. One
// process at a time can have it open.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the data folder: %w", err)
	}
	path := filepath.Join(dir, FileName)
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, FreelistType: bbolt.FreelistMapType, NoFreelistSync: true})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("open %s: another process has it open", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{heads, bodies, groups, lasts, counter} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare %s: %w", path, err), db.Close())
	}
	s := &Store{db: db, notify: make(chan struct{}, 1), ended: make(chan struct{})}
	go s.write()
	return s, nil
}

// Groups hands every group to take, by name.
func (s *Store) Groups(take func(name string, description []byte, last int64) error) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(groups).ForEach(func(name, description []byte) error {
			return take(string(name), append([]byte{}, description...), number(tx.Bucket(lasts).Get(name)))
		})
	})
}

// Entries hands every entry to take, by number. The group of the entries is
// not told: it is in the head if it is wanted.
func (s *Store) Entries(take func(Entry) error) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(heads).ForEach(func(k, head []byte) error {
			body := tx.Bucket(bodies).Get(k)
			return take(Entry{Number: number(k), Head: append([]byte{}, head...), Body: append([]byte{}, body...)})
		})
	})
}

// Last returns the highest number that was ever written.
func (s *Store) Last() (int64, error) {
	var last int64
	err := s.db.View(func(tx *bbolt.Tx) error {
		last = number(tx.Bucket(counter).Get(counter))
		return nil
	})
	return last, err
}

// PutGroup keeps the description of a group.
func (s *Store) PutGroup(name string, description []byte) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(groups).Put([]byte(name), description) })
}

// DeleteGroup forgets the description of a group, but not its entries.
func (s *Store) DeleteGroup(name string) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		return errors.Join(tx.Bucket(groups).Delete([]byte(name)), tx.Bucket(lasts).Delete([]byte(name)))
	})
}

// Put has the entry written and returns at once; entries reach the disk in the
// order of the calls. The channel tells when the entry is there to stay, or
// why it is not.
func (s *Store) Put(e Entry) <-chan error {
	w := write{entry: e, done: make(chan error, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		w.done <- errors.New("the store is closed")
	case s.failed != nil:
		w.done <- s.failed
	default:
		s.queue = append(s.queue, w)
		s.wake()
	}
	return w.done
}

// Remove has the entry removed some time, soon.
func (s *Store) Remove(number int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && s.failed == nil {
		s.removed = append(s.removed, number)
		s.wake()
	}
}

func (s *Store) wake() {
	select {
	case s.notify <- struct{}{}:
	default:
	}
}

// Close writes what waits and closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.notify)
	s.mu.Unlock()
	<-s.ended
	return s.db.Close()
}

// write writes what waits in groups: one transaction and one sync for all that
// came while the last was under way.
func (s *Store) write() {
	defer close(s.ended)
	for open := true; open; {
		_, open = <-s.notify
		s.mu.Lock()
		queue, removed, err := s.queue, s.removed, s.failed
		s.queue, s.removed = nil, nil
		s.mu.Unlock()
		if len(queue)+len(removed) == 0 {
			continue
		}
		if err == nil {
			err = s.commit(queue, removed)
		}
		if err != nil {
			err = fmt.Errorf("write to disk: %w", err)
			s.mu.Lock()
			s.failed = err
			queue = append(queue, s.queue...)
			s.queue = nil
			s.mu.Unlock()
		}
		for _, w := range queue {
			w.done <- err
		}
	}
}

// commit writes one group. What is removed leaves first, so that its room is
// used again.
func (s *Store) commit(queue []write, removed []int64) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		h, b := tx.Bucket(heads), tx.Bucket(bodies)
		gone := make(map[int64]bool, len(removed))
		for _, n := range removed {
			gone[n] = true
			if err := errors.Join(h.Delete(key(n)), b.Delete(key(n))); err != nil {
				return err
			}
		}
		for _, w := range queue {
			e := w.entry
			if !gone[e.Number] {
				if err := errors.Join(h.Put(key(e.Number), e.Head), b.Put(key(e.Number), e.Body)); err != nil {
					return err
				}
			}
			if err := tx.Bucket(counter).Put(counter, key(e.Number)); err != nil {
				return err
			}
			if tx.Bucket(groups).Get([]byte(e.Group)) == nil {
				continue // deleted meanwhile
			}
			if err := tx.Bucket(lasts).Put([]byte(e.Group), key(e.Seq)); err != nil {
				return err
			}
		}
		return nil
	})
}

func key(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func number(key []byte) int64 {
	if len(key) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(key))
}
