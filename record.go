package hookproof

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/reports"
)

// record keeps the results of a run as they come: in the report's folder, or
// in one that is thrown away where no report is wanted.
type record struct {
	recorder *reports.Recorder
	scratch  string
	mu       sync.Mutex // one observer call at a time
}

// newRecord begins to keep results. From its first moment on, results.json of
// the report's folder says that the run is incomplete, whatever ends it: an
// earlier verdict is overwritten before anything else there is touched.
func newRecord(out string, blank reports.Results) (*record, error) {
	if out == "" {
		scratch, err := os.MkdirTemp("", "hookproof-")
		if err != nil {
			return nil, err
		}
		r := &record{scratch: scratch}
		if r.recorder, err = reports.NewRecorder(filepath.Join(scratch, reports.FileName), blank); err != nil {
			r.discard()
			return nil, err
		}
		return r, nil
	}
	ours, err := claim(out)
	if err != nil {
		return nil, err
	}
	recorder, err := reports.NewRecorder(filepath.Join(out, reports.FileName), blank)
	if unwritable := (&fs.PathError{}); errors.As(err, &unwritable) {
		err = usage("the reports cannot be written to %s: %v; choose another folder", out, err)
	}
	if err != nil {
		return nil, err
	}
	if err := clearOut(out, ours); err != nil {
		return nil, errors.Join(err, recorder.Close())
	}
	return &record{recorder: recorder}, nil
}

// claim tells whether a folder for reports has but what runs have left there:
// a report, or the beginning of one. A folder of transcripts that belongs to no
// report is somebody else's, and refused.
func claim(out string) (ours bool, err error) {
	_, unread := reports.Read(filepath.Join(out, reports.FileName))
	if unread == nil {
		return true, nil
	}
	entries, err := os.ReadDir(out)
	if err != nil {
		return false, nil // not there yet, or not to be read: writing to it will tell
	}
	begun := func(e fs.DirEntry) bool {
		if e.Name() != transcriptDir {
			return reports.Unfinished(e.Name())
		}
		inner, err := os.ReadDir(filepath.Join(out, transcriptDir))
		return err == nil && len(inner) == 0
	}
	for _, e := range entries {
		ours = begun(e)
		if !ours {
			break
		}
	}
	if _, err := os.Lstat(filepath.Join(out, transcriptDir)); err == nil && !ours {
		return false, usage("%s holds a folder %q and no report that it could belong to (%v); choose another folder for the reports, or remove it", out, transcriptDir, unread)
	}
	return ours, nil
}

// clearOut removes what an earlier run has left beside results.json: its
// transcripts would lie among those of this one, and its verdict, on a page or a
// badge, would stay there for this one's if this one is killed. It touches no
// reports where no run has left any.
func clearOut(out string, ours bool) error {
	if ours {
		if err := reports.RemoveAll(out); err != nil {
			return usage("the reports of an earlier run cannot be removed from %s: %v; choose another folder", out, err)
		}
	}
	transcripts := filepath.Join(out, transcriptDir)
	if err := os.RemoveAll(transcripts); err != nil {
		return usage("the transcripts of an earlier run cannot be removed from %s: %v; choose another folder", out, err)
	}
	if err := os.MkdirAll(transcripts, 0o755); err != nil {
		return usage("the transcripts cannot be written to %s: %v; choose another folder", out, err)
	}
	return nil
}

// done records a scenario that has ended. Rules that it found broken are
// spoken of from now on, planned or not.
func (r *record) done(s reports.Scenario, c *features.Catalogue, observe func(reports.Scenario)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range s.AllBrokenRules() {
		if rule, ok := c.Rule(id); ok {
			r.recorder.Speak(reports.RuleOf(c, rule))
		}
	}
	err := r.recorder.Done(s)
	observe(s)
	return err
}

func (r *record) finish() (reports.Results, error) { return r.recorder.Finish() }

func (r *record) close() error {
	err := r.recorder.Close()
	r.discard()
	return err
}

func (r *record) discard() {
	if r.scratch != "" {
		_ = os.RemoveAll(r.scratch)
	}
}
