package auditlog

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/hookproof/hookproof/simulator/emitter/event"
)

// shelf is a store whose chunks have every third sequence number.
type shelf struct {
	last  uint64
	bytes int // of a chunk
	fail  error

	mu    sync.Mutex
	reads map[uint64]int // of chunks
}

func (s *shelf) read(_ context.Context, _ string, sequence uint64) (Chunk, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return Chunk{}, s.fail
	}
	found := (sequence + 2) / 3 * 3
	if found > s.last {
		return Chunk{}, ErrEnd
	}
	s.reads[found]++
	return Chunk{Sequence: found, Records: []event.Record{{Body: strings.Repeat("x", s.bytes)}}}, nil
}

func (s *shelf) has(_ string, sequence uint64) bool { return sequence <= s.last }

func TestABacklogIsReadOnceForAllWhoWorkItOff(t *testing.T) {
	t.Parallel()
	s := &shelf{last: 300, bytes: 10, reads: map[uint64]int{}}
	a := newAhead(s.read, s.has)
	defer a.close()
	var readers sync.WaitGroup
	for range 20 {
		readers.Go(func() {
			sequence := uint64(1)
			for want := uint64(3); want <= s.last; want += 3 {
				chunk, err := a.next(t.Context(), "env", sequence)
				if err != nil || chunk.Sequence != want {
					t.Errorf("from %d on: chunk %d, %v; want %d", sequence, chunk.Sequence, err, want)
					return
				}
				sequence = chunk.Sequence + 1
			}
			if _, err := a.next(t.Context(), "env", sequence); !errors.Is(err, ErrEnd) {
				t.Errorf("behind the last: %v", err)
			}
		})
	}
	readers.Wait()
	for sequence, n := range s.reads {
		if n != 1 {
			t.Errorf("chunk %d was read %d times", sequence, n)
		}
	}
}

func TestWhatWasReadAheadIsBounded(t *testing.T) {
	t.Parallel()
	s := &shelf{last: 90, bytes: aheadBytes / 4, reads: map[uint64]int{}}
	a := newAhead(s.read, s.has)
	for sequence := uint64(1); sequence <= s.last; sequence += 3 {
		if _, err := a.next(t.Context(), "env", sequence); err != nil {
			t.Fatal(err)
		}
	}
	a.close()
	if a.bytes > aheadBytes || len(a.readings) != len(a.kept) || len(a.kept) > 4 {
		t.Errorf("%d bytes in %d chunks are kept, %d readings", a.bytes, len(a.kept), len(a.readings))
	}
	if _, err := a.next(t.Context(), "env", 1); !errors.Is(err, errClosed) {
		t.Errorf("after close: %v", err)
	}
}

func TestAFailedReadIsMadeAgain(t *testing.T) {
	t.Parallel()
	s := &shelf{last: 3, bytes: 10, reads: map[uint64]int{}, fail: errors.New("the disk is gone")}
	a := newAhead(s.read, s.has)
	defer a.close()
	if _, err := a.next(t.Context(), "env", 1); !errors.Is(err, s.fail) {
		t.Fatalf("the read said %v", err)
	}
	s.mu.Lock()
	s.fail = nil
	s.mu.Unlock()
	if chunk, err := a.next(t.Context(), "env", 1); err != nil || chunk.Sequence != 3 {
		t.Errorf("chunk %d, %v", chunk.Sequence, err)
	}
}
