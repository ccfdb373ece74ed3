// Package seed reads and writes the configuration of an emitter as YAML: what a directory holds before anybody uses it,
// written down for people. It turns a file into requests that the directory checks, and problems into lines of the file.
// HTTP, storage and rules of what a resource may look like must not enter.
package seed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

const (
	maxAliased = 100_000 // scalars, lists and mappings that a file's aliases repeat
	maxFile    = 1 << 20 // bytes of a key or certificate file, as of an upload
	shownLines = 20      // problems that an error spells out
)

// A File is where a seed is read from.
type File struct {
	Name    string                              // in errors
	Content io.Reader                           // one or more YAML documents
	Open    func(string) (io.ReadCloser, error) // of a key or certificate that the seed names; nil: there are none
}

// Loaded says what Load did.
type Loaded struct {
	Environments int      // added
	Known        []string // ids or names of those that were there already, and were left as they are
}

// Line is one thing that is wrong with a seed.
type Line struct {
	Number  int
	Message string
}

// Invalid says what is wrong with a seed, in the order of the file.
type Invalid struct {
	File  string
	Lines []Line
}

func (e *Invalid) Error() string {
	var text strings.Builder
	for i, line := range e.Lines {
		if i == shownLines {
			fmt.Fprintf(&text, "\nand %d more", len(e.Lines)-i)
			break
		}
		if i > 0 {
			text.WriteByte('\n')
		}
		fmt.Fprintf(&text, "%s:%d: %s", e.File, line.Number, line.Message)
	}
	return text.String()
}

// Load adds the environments of a seed to the directory: all of them, or none and an error, which is *Invalid where the
// file is to blame. An environment that is there already, by its id or without one by its name, is left as it is, so
// that an emitter that keeps its data can be started with the same seed again.
func Load(ctx context.Context, d *directory.Directory, f File) (Loaded, error) {
	l := &loader{directory: d, plan: d.Plan(), file: f}
	documents := yaml.NewDecoder(f.Content)
	for {
		var document yaml.Node
		err := documents.Decode(&document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			l.syntax(err)
			break
		}
		l.document(&document)
	}
	if len(l.lines) > 0 {
		slices.SortStableFunc(l.lines, func(a, b Line) int { return a.Number - b.Number })
		return Loaded{}, &Invalid{f.Name, l.lines}
	}
	if err := l.plan.Store(ctx); err != nil {
		return Loaded{}, fmt.Errorf("load %s: %w", f.Name, err)
	}
	return l.loaded, nil
}

// syntax reports what the YAML parser says: "yaml: line 3: did not find …".
func (l *loader) syntax(err error) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	number := 1
	if n, scanErr := fmt.Sscanf(message, "line %d: ", &number); n == 1 && scanErr == nil {
		_, message, _ = strings.Cut(message, ": ")
	}
	l.lines = append(l.lines, Line{number, message})
}
