package storage_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func open(t *testing.T, dir string) *storage.Storage {
	t.Helper()
	s, err := storage.Open(t.Context(), storage.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func bucket(t *testing.T, s *storage.Storage) jetstream.KeyValue {
	t.Helper()
	kv, err := s.JetStream().CreateOrUpdateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "kept", Storage: s.Kind()})
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

func TestWhatIsStoredInADirectorySurvivesClose(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "when", "missing")
	first := open(t, dir)
	if _, err := bucket(t, first).PutString(t.Context(), "key", "value"); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := bucket(t, open(t, dir)).Get(t.Context(), "key")
	if err != nil || string(got.Value()) != "value" {
		t.Fatalf("after reopening got %v, %v", got, err)
	}
}

func TestADirectoryBelongsToOneProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir)
	if _, err := storage.Open(t.Context(), storage.Options{Dir: dir}); err == nil {
		t.Fatal("the directory was opened twice")
	}
}

func TestMemoryLeavesNothingBehind(t *testing.T) {
	scratch := t.TempDir()
	t.Setenv("TMPDIR", scratch)
	s := open(t, "")
	if s.Kind() != jetstream.MemoryStorage {
		t.Fatalf("kind is %v", s.Kind())
	}
	bucket(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(scratch)
	if err != nil || len(left) != 0 {
		t.Fatalf("left %v, %v", left, err)
	}
}

func TestAnUnusableDirectoryIsAnError(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.Open(t.Context(), storage.Options{Dir: file}); err == nil {
		t.Fatal("a file was opened as a directory")
	}
}
