package pipeline

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// sharedBytes is the length in bytes from which the memory of a body is kept
// for the next: that of small ones is not worth it.
const sharedBytes = 64 << 10

// bodies keeps the memory of large bodies that were delivered, so that a
// backlog is worked off without allocating. What is not used for a while is
// freed. Its zero value is empty.
type bodies struct{ free sync.Pool }

// get returns memory for a body of about so many bytes; nil: there is none.
func (b *bodies) get(bytes int) []byte {
	if bytes < sharedBytes {
		return nil
	}
	if memory, ok := b.free.Get().(*[]byte); ok {
		return (*memory)[:0]
	}
	return nil
}

// put takes the memory of a payload that was delivered, unless somebody still
// reads it: an answer may come before a request is written.
func (b *bodies) put(p Payload) {
	if cap(p.Body) >= sharedBytes && p.readers != nil && p.readers.Load() == 0 {
		b.free.Put(&p.Body)
	}
}

// open returns a reader of the payload's body that counts as one until it is
// closed.
func (p Payload) open() io.ReadCloser {
	if p.readers == nil {
		return io.NopCloser(bytes.NewReader(p.Body))
	}
	p.readers.Add(1)
	return &bodyReader{rest: p.Body, readers: p.readers}
}

var errBodyClosed = errors.New("the body was closed")

// bodyReader reads a body that may be used for another once it is closed.
// A transport that gives up closes it while it is being read.
type bodyReader struct {
	mu      sync.Mutex
	rest    []byte
	closed  bool
	readers *atomic.Int64
}

func (r *bodyReader) Read(to []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return 0, errBodyClosed
	case len(r.rest) == 0:
		return 0, io.EOF
	}
	n := copy(to, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *bodyReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed, r.rest = true, nil
		r.readers.Add(-1)
	}
	return nil
}
