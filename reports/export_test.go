package reports

import (
	"os"
	"path/filepath"
	"testing"
)

// WriteSample writes the page of a run with every outcome, for the tests that
// look at it from outside.
func WriteSample(t *testing.T, dir string) {
	t.Helper()
	r, folder := illustrated(t, `{"status":"here"}`)
	for name, file := range folder {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteAll(dir, r); err != nil {
		t.Fatal(err)
	}
}
