package hookproof

import (
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

func newRecord(out string, blank reports.Results) (*record, error) {
	r := &record{}
	if out == "" {
		scratch, err := os.MkdirTemp("", "hookproof-")
		if err != nil {
			return nil, err
		}
		r.scratch, out = scratch, scratch
	}
	recorder, err := reports.NewRecorder(filepath.Join(out, reports.FileName), blank)
	if err != nil {
		r.discard()
		return nil, err
	}
	r.recorder = recorder
	return r, nil
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
