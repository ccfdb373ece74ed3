package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/hookproof/hookproof/simulator/receiver/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func entry(n int64) store.Entry {
	return store.Entry{Number: n, Group: "one", Seq: n + 100, Head: fmt.Appendf(nil, "head %d", n), Body: fmt.Appendf(nil, "body %d", n)}
}

func numbers(t *testing.T, s *store.Store) []int64 {
	t.Helper()
	var list []int64
	err := s.Entries(func(e store.Entry) error {
		if want := entry(e.Number); string(e.Head) != string(want.Head) || string(e.Body) != string(want.Body) {
			t.Errorf("entry %d is %s, %s", e.Number, e.Head, e.Body)
		}
		list = append(list, e.Number)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestWhatWasPutIsThereAfterOpeningAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "by", "it")
	s := open(t, dir)
	if err := s.PutGroup("one", []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := s.PutGroup("two", []byte("second")); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteGroup("two"); err != nil {
		t.Fatal(err)
	}
	var waiting sync.WaitGroup
	for n := range int64(300) {
		done := s.Put(entry(n + 1))
		waiting.Go(func() {
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	waiting.Wait()
	for n := range int64(297) {
		s.Remove(n + 1)
	}
	s.Remove(300)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-s.Put(entry(301)); err == nil {
		t.Error("a closed store takes entries")
	}

	s = open(t, dir)
	if diff := cmp.Diff([]int64{298, 299}, numbers(t, s)); diff != "" {
		t.Error(diff)
	}
	if last, err := s.Last(); last != 300 || err != nil {
		t.Errorf("the last number is %d, %v", last, err)
	}
	var groups []string
	if err := s.Groups(func(name string, description []byte, last int64) error {
		groups = append(groups, fmt.Sprintf("%s %s %d", name, description, last))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"one first 400"}, groups); diff != "" {
		t.Error(diff)
	}
}

// What leaves before it was written must not be there afterwards.
func TestEntryRemovedBeforeItIsWritten(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	var done []<-chan error
	for n := range int64(50) {
		done = append(done, s.Put(entry(n+1)))
		s.Remove(n + 1)
	}
	done = append(done, s.Put(entry(51)))
	for _, d := range done {
		if err := <-d; err != nil {
			t.Fatal(err)
		}
	}
	if err := <-s.Put(entry(52)); err != nil { // any removal has been written before it
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{51, 52}, numbers(t, s)); diff != "" {
		t.Error(diff)
	}
}

// Room is used again: the file does not grow with what has left.
func TestFileStaysWithinWhatIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	const size, kept = 100_000, 10
	for n := range int64(300) {
		e := entry(n + 1)
		e.Body = make([]byte, size)
		if err := <-s.Put(e); err != nil {
			t.Fatal(err)
		}
		s.Remove(n + 1 - kept)
	}
	info, err := os.Stat(filepath.Join(dir, store.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if most := int64(8 * size * kept); info.Size() > most {
		t.Errorf("the file has %d bytes for %d entries of %d, at most %d are fine", info.Size(), kept, size, most)
	}
}

func TestFileIsForOneProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir)
	if _, err := store.Open(dir); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("opened twice: %v", err)
	}
	if _, err := store.Open(filepath.Join(dir, store.FileName)); err == nil {
		t.Error("a file is taken for a folder")
	}
}
