package pipeline

import (
	"bytes"
	"io"
	"sync/atomic"
	"testing"
)

func large() Payload {
	return Payload{Body: bytes.Repeat([]byte("x"), sharedBytes), readers: new(atomic.Int64)}
}

func TestTheMemoryOfABodyIsKeptOnlyWhenNobodyReadsIt(t *testing.T) {
	t.Parallel()
	var b bodies
	p := large()
	first, second := p.open(), p.open() // a request, and its repetition on a new connection
	for _, open := range []io.Closer{first, second} {
		if b.put(p); b.get(sharedBytes) != nil {
			t.Fatal("memory that is being read was kept")
		}
		for range 2 { // closing twice counts once
			if err := open.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := p.readers.Load(); n != 0 {
		t.Errorf("%d readers are open", n)
	}
	if n, err := first.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Error("a closed body was read")
	}
}

func TestABodyIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	p := large()
	r := p.open()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, p.Body) {
		t.Errorf("%d bytes were read: %v", len(got), err)
	}
}

// Without concurrency the pool gives back what it got, most of the time: under
// the race detector it drops some on purpose.
func TestTheMemoryOfLargeBodiesIsUsedAgain(t *testing.T) {
	t.Parallel()
	var b bodies
	for range 1000 {
		b.put(large())
		if memory := b.get(sharedBytes); memory != nil {
			if len(memory) != 0 || cap(memory) < sharedBytes {
				t.Errorf("memory of length %d, capacity %d", len(memory), cap(memory))
			}
			b.put(Payload{Body: make([]byte, 10), readers: new(atomic.Int64)})
			if b.get(10) != nil {
				t.Error("a small body got memory")
			}
			return
		}
	}
	t.Error("memory was never used again")
}
