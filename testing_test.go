package hookproof

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets"
)

func TestASubtestIsNamedExactly(t *testing.T) {
	t.Parallel()
	if got, want := exactly("TestConformance/limits/a-51st.b"), `^TestConformance$/^limits$/^a-51st\.b$`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAStoryNamesItsTranscriptWhereItLies(t *testing.T) {
	t.Parallel()
	catalogue, err := features.Load()
	if err != nil {
		t.Fatal(err)
	}
	r := reports.Scenario{Outcome: reports.CouldNotRun, Reason: "nobody answered", Transcript: "transcripts/a.b.json"}
	for out, want := range map[string]string{"": "", "evidence": "\ntranscript " + filepath.Join("evidence", "transcripts", "a.b.json")} {
		r := r
		if out == "" {
			r.Transcript = "" // nothing is kept then
		}
		if _, got, _ := strings.Cut((&Plan{Catalogue: catalogue}).story(r, out), r.Reason); got != want {
			t.Errorf("in %q: %q, want %q", out, got, want)
		}
	}
}

func TestWhatSelectsNothingIsNamedInFull(t *testing.T) {
	t.Parallel()
	_, err := NewPlan(targets.Info{Role: targets.RoleBoth}, Selection{Profiles: []string{"limits"}, Levels: []string{"may"}})
	if want := "profile limits, within level MAY, selects no scenario of role both"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}
