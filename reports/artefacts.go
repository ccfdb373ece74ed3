package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Names of the reports inside a report folder, besides [FileName] and
// [JUnitName].
const (
	HTMLName      = "report.html"
	MarkdownName  = "summary.md"
	CTRFName      = "ctrf.json"
	CucumberName  = "cucumber.ndjson"
	TAPName       = "report.tap"
	BadgeJSONName = "badge.json"
	BadgeSVGName  = "badge.svg"
)

// An artefact is one derived report. Its writer may look into the report's
// folder for transcripts.
type artefact struct {
	name  string
	write func(w io.Writer, r Results, folder fs.FS) error
}

// alone makes a writer that needs no transcripts an artefact's.
func alone(write func(io.Writer, Results) error) func(io.Writer, Results, fs.FS) error {
	return func(w io.Writer, r Results, _ fs.FS) error { return write(w, r) }
}

func artefacts() []artefact {
	return []artefact{
		{HTMLName, WriteHTML},
		{MarkdownName, alone(WriteMarkdown)},
		{JUnitName, alone(WriteJUnit)},
		{CTRFName, alone(WriteCTRF)},
		{CucumberName, WriteCucumber},
		{TAPName, alone(WriteTAP)},
		{BadgeJSONName, alone(WriteBadgeJSON)},
		{BadgeSVGName, alone(WriteBadgeSVG)},
	}
}

// WriteAll writes every report that follows from r into dir, beside
// results.json and the transcripts that r names. Each is put in place in one
// step. One that cannot be written does not keep the others from it.
func WriteAll(dir string, r Results) error {
	var errs []error
	for _, a := range artefacts() {
		text, err := a.derive(dir, r)
		if err == nil {
			err = replaceFile(filepath.Join(dir, a.name), text, false)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("write %s: %w", a.name, err))
		}
	}
	return errors.Join(errs...)
}

// RemoveAll removes from dir what [WriteAll] has written there, and whatever a
// run that was killed has half written: it would contradict the results of a run
// that begins.
func RemoveAll(dir string) error {
	var errs []error
	remove := func(name string) {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	for _, a := range artefacts() {
		remove(a.name)
	}
	entries, err := os.ReadDir(dir)
	errs = append(errs, err)
	for _, e := range entries {
		if Unfinished(e.Name()) {
			remove(e.Name())
		}
	}
	return errors.Join(errs...)
}

// Unfinished tells whether a file in a report's folder, by its name, is one that
// was being written when its run was killed.
func Unfinished(name string) bool {
	is := func(report string) bool { return strings.HasPrefix(name, temporary(report)) }
	return is(FileName) || slices.ContainsFunc(artefacts(), func(a artefact) bool { return is(a.name) })
}

// Altered names the reports in dir that are not what follows from r. One that is
// not there is not altered.
func Altered(dir string, r Results) ([]string, error) {
	var altered []string
	for _, a := range artefacts() {
		stored, err := os.ReadFile(filepath.Join(dir, a.name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return altered, fmt.Errorf("read a report: %w", err)
		}
		text, err := a.derive(dir, r)
		if err != nil {
			return altered, fmt.Errorf("derive %s: %w", a.name, err)
		}
		if !bytes.Equal(stored, text) {
			altered = append(altered, a.name)
		}
	}
	return altered, nil
}

func (a artefact) derive(dir string, r Results) ([]byte, error) {
	var text bytes.Buffer
	err := a.write(&text, r, os.DirFS(dir))
	return text.Bytes(), err
}
