package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// MaxBytes bounds the results.json that [Decode] and [Read] accept: 64 MiB,
// more than two hundred times what a run of the whole catalogue writes.
const MaxBytes = 64 << 20

// ErrNoReport is the error for what is no report at all: it cannot be read, is no
// JSON, or is not of the schema [SchemaID]. What is of that schema and keeps it
// not, or contradicts itself, is a report, and a wrong one.
var ErrNoReport = errors.New("this is no report of a run")

// otherVersion is the error for a report whose schema has another number. It is
// an [ErrNoReport], for this version cannot read it.
type otherVersion struct{ schema string }

func (e otherVersion) Error() string {
	return fmt.Sprintf("it was written by another version of hookproof: its schema is %.100q, and this version reads %q", e.schema, SchemaID)
}

// Is makes it an ErrNoReport.
func (otherVersion) Is(target error) bool { return target == ErrNoReport }

// ofVersion is the form of [SchemaID], whatever its number.
var ofVersion = regexp.MustCompile(`^https://hookproof\.dev/schema/results-[0-9]+\.json$`)

// Encode checks r with [Results.Check] and writes it as indented JSON.
func Encode(w io.Writer, r Results) error {
	if err := r.Check(); err != nil {
		return fmt.Errorf("encode results: %w", err)
	}
	text, err := marshal(r)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

// Decode reads a results.json of at most [MaxBytes]. It refuses with
// [ErrNoReport] what is longer, no JSON or of another schema, and otherwise
// whatever the published schema or [Results.Check] refuses. Members it does not
// know are ignored; a member that stands twice in its object, or whose name
// differs from the schema's in case only, is refused, as another reader may take
// it otherwise.
func Decode(from io.Reader) (Results, error) {
	text, err := io.ReadAll(io.LimitReader(from, MaxBytes+1))
	if err != nil {
		return Results{}, fmt.Errorf("%w: %w", ErrNoReport, err)
	}
	if len(text) > MaxBytes {
		return Results{}, fmt.Errorf("%w: longer than %d bytes", ErrNoReport, MaxBytes)
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return Results{}, fmt.Errorf("%w: %w", ErrNoReport, err)
	}
	if ofVersion.MatchString(head.Schema) && head.Schema != SchemaID {
		return Results{}, otherVersion{head.Schema}
	}
	if head.Schema != SchemaID {
		return Results{}, fmt.Errorf("%w: its schema is %.100q, not %q", ErrNoReport, head.Schema, SchemaID)
	}
	// Into the struct first: it bounds the numbers before the schema, which
	// computes with them at any precision, sees them.
	var r Results
	if err := json.Unmarshal(text, &r); err != nil {
		return Results{}, fmt.Errorf("parse results: %w", err)
	}
	if err := oneMeaning(bytes.NewReader(text)); err != nil {
		return Results{}, fmt.Errorf("parse results: %w", err)
	}
	if err := validate(text); err != nil {
		return Results{}, err
	}
	if err := r.Check(); err != nil {
		return Results{}, fmt.Errorf("check results:%s", few(strings.Split(err.Error(), "\n")))
	}
	return r, nil
}

// Write checks r and puts it at path in one step: a reader sees the old file or
// the new one, never a part. The folder is made if missing.
func Write(path string, r Results) error {
	var text bytes.Buffer
	if err := Encode(&text, r); err != nil {
		return err
	}
	return replaceFile(path, text.Bytes(), true)
}

// Folder is the folder of a report that path names: itself, or that of the
// results.json that it is.
func Folder(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() && filepath.Base(path) == FileName {
		return filepath.Dir(path)
	}
	return path
}

// Read reads the results.json at path; see [Decode]. One that cannot be read is
// an [ErrNoReport] too.
func Read(path string) (Results, error) {
	f, err := os.Open(path)
	if err != nil {
		return Results{}, fmt.Errorf("%w: %w; give a folder that «hookproof run --out» has written", ErrNoReport, err)
	}
	defer f.Close()
	r, err := Decode(f)
	switch {
	case errors.As(err, new(otherVersion)):
		return Results{}, fmt.Errorf("%s: %w", path, err)
	case errors.Is(err, ErrNoReport):
		return Results{}, fmt.Errorf("%s: %w; it was cut off, or is another file: give a folder as «hookproof run --out» has left it", path, err)
	case err != nil:
		return Results{}, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func marshal(r Results) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r.withoutNil()); err != nil {
		return nil, fmt.Errorf("encode results: %w", err)
	}
	return b.Bytes(), nil
}

// temporary begins the name of a report while it is being written.
func temporary(name string) string { return "." + name + "." }

// replaceFile writes a temporary file beside path and renames it. With durable
// it also survives a power cut, which a file rewritten many times a second does
// not need.
func replaceFile(path string, text []byte, durable bool) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make report folder: %w", err)
	}
	f, err := os.CreateTemp(dir, temporary(filepath.Base(path))+"*")
	if err != nil {
		return fmt.Errorf("create temporary report: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(text); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	// CreateTemp makes files only their owner can read; reports are for others.
	if err = f.Chmod(0o644); err != nil {
		return fmt.Errorf("open report to readers: %w", err)
	}
	if durable {
		if err = f.Sync(); err != nil {
			return fmt.Errorf("sync report: %w", err)
		}
	}
	if err = f.Close(); err != nil {
		return fmt.Errorf("close report: %w", err)
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("put report in place: %w", err)
	}
	return nil
}
