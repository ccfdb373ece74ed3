package reports

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The files of a kill matrix inside a report directory.
const (
	MatrixName     = "faults.json"
	MatrixPageName = "faults.html"
)

// MatrixSchemaID names the format of faults.json; see [SchemaID] for what may
// change under it.
const MatrixSchemaID = "https://hookproof.dev/schema/faults-1.json"

// Matrix is the kill matrix: what of the suite noticed which deliberate fault,
// and whether it left alone what no rule forbids. It is the content of
// faults.json.
type Matrix struct {
	// Schema is always [MatrixSchemaID].
	Schema string `json:"schema"`
	// Suite is what was put to the test.
	Suite Suite `json:"suite"`
	// Seed chose the sample of the suite and the order of the scenarios.
	Seed int64 `json:"seed"`
	// Shard is which part of the faults was run, such as "2/3"; empty: all.
	Shard string `json:"shard,omitempty"`
	// StartedAt is when it began, RFC 3339; DurationMs how long it took.
	StartedAt  time.Time `json:"startedAt"`
	DurationMs int64     `json:"durationMs"`
	// Faults are those that were run, in their own order.
	Faults []FaultRow `json:"faults"`
	// Liberties are what no rule may take for a fault.
	Liberties []LibertyRow `json:"liberties"`
	// Rules are the observed rules whose killing was asked for, in catalogue
	// order.
	Rules []KilledRule `json:"rules"`
}

// FaultRow is one fault against the suite.
type FaultRow struct {
	Name     string `json:"name"`
	Sentence string `json:"sentence"`
	// Cells has one entry for each rule that must notice.
	Cells []MatrixCell `json:"cells"`
	// Also are other rules that were found broken.
	Also []string `json:"also,omitempty"`
	// Error says why the fault could not be run; nothing is known of it then.
	Error string `json:"error,omitempty"`
	// Scenarios is how many came to an end before every rule had noticed.
	Scenarios  int   `json:"scenarios"`
	DurationMs int64 `json:"durationMs"`
	// First is what the first run found, where a second one was made because a
	// rule had not noticed in it; everything else is of the second then.
	First *FaultRow `json:"first,omitempty"`
}

// Kill is what became of a fault at a rule that must notice it.
type Kill string

const (
	// Killed: a scenario of the rule failed, or warned for a SHOULD, because
	// of that very rule.
	Killed Kill = "killed"
	// KilledByAnother: only other rules were found broken.
	KilledByAnother Kill = "killed-by-another"
	// Survived: nothing was found broken.
	Survived Kill = "survived"
	// Unknown: the fault could not be run.
	Unknown Kill = "unknown"
)

// MatrixCell is one fault at one rule.
type MatrixCell struct {
	Rule string `json:"rule"`
	Kill Kill   `json:"kill"`
	// By are the scenarios of the rule that noticed, as far as they had run.
	By []string `json:"by,omitempty"`
}

// LibertyRow is one liberty against a part of the suite.
type LibertyRow struct {
	Name     string `json:"name"`
	Sentence string `json:"sentence"`
	// Scenarios is how many were run.
	Scenarios int `json:"scenarios"`
	// FalseAlarms are those that did not pass.
	FalseAlarms []FalseAlarm `json:"falseAlarms,omitempty"`
	Error       string       `json:"error,omitempty"`
	DurationMs  int64        `json:"durationMs"`
	// First is what the first run found, as in [FaultRow].
	First *LibertyRow `json:"first,omitempty"`
}

// FalseAlarm is a scenario that took a liberty for a fault.
type FalseAlarm struct {
	Scenario string   `json:"scenario"`
	Outcome  Outcome  `json:"outcome"`
	Rules    []string `json:"rules"`
	Expected string   `json:"expected,omitempty"`
	Actual   string   `json:"actual,omitempty"`
	Reason   string   `json:"reason,omitempty"`
}

// KilledRule is one observed rule and the faults that prove that it bites.
type KilledRule struct {
	ID        string `json:"id"`
	Role      string `json:"role"`
	Area      string `json:"area"`
	Level     string `json:"level"`
	Statement string `json:"statement"`
	// Faults are those of the whole list that the rule must notice, run or not.
	Faults []string `json:"faults"`
}

// Tally counts the cells of a matrix, its liberties and what is amiss.
type Tally struct {
	Faults, Killed, ByAnother, Survived, Unknown int
	Liberties, FalselyFailed                     int
	Broken                                       int      // faults that were killed, and beside that met an error of the suite's own
	NotTaken                                     int      // liberties that could not be run, or that no scenario met
	Unproven                                     []string // rules without a fault
	Again                                        []string // what was run a second time, and what the first run found
}

// Tally counts.
func (m Matrix) Tally() Tally {
	t := Tally{Faults: len(m.Faults), Liberties: len(m.Liberties)}
	for _, f := range m.Faults {
		if f.First != nil {
			t.Again = append(t.Again, f.Name+" ("+f.First.Amiss()+")")
		}
		if f.Error != "" && f.Worst() == Killed {
			t.Broken++
		}
		for _, c := range f.Cells {
			switch c.Kill {
			case Killed:
				t.Killed++
			case KilledByAnother:
				t.ByAnother++
			case Survived:
				t.Survived++
			default:
				t.Unknown++
			}
		}
	}
	for _, l := range m.Liberties {
		if l.First != nil {
			t.Again = append(t.Again, l.Name+" ("+l.First.Amiss()+")")
		}
		switch {
		case len(l.FalseAlarms) > 0:
			t.FalselyFailed++
		case l.untaken():
			t.NotTaken++
		}
	}
	for _, r := range m.Rules {
		if len(r.Faults) == 0 {
			t.Unproven = append(t.Unproven, r.ID)
		}
	}
	return t
}

// untaken tells whether nothing is known of the liberty.
func (l LibertyRow) untaken() bool { return l.Error != "" || l.Scenarios == 0 }

// ExitCode is [ExitNonConformant] if a fault was not noticed by a rule that must
// notice it, a liberty was taken for a fault, or a rule has nothing to prove it,
// whatever else is amiss; [ExitError] if something could not be run, or the suite
// met an error of its own; [ExitIncomplete] if nothing was run at all.
func (m Matrix) ExitCode() int {
	t := m.Tally()
	switch {
	case t.ByAnother+t.Survived+t.FalselyFailed+len(t.Unproven) > 0:
		return ExitNonConformant
	case t.Unknown+t.Broken+t.NotTaken > 0:
		return ExitError
	case t.Killed == 0 && t.Liberties == 0:
		return ExitIncomplete
	}
	return ExitConformant
}

// Worst is the lowest of what became of a fault at its rules.
func (f FaultRow) Worst() Kill {
	order := []Kill{Killed, KilledByAnother, Survived, Unknown}
	worst := 0
	for _, c := range f.Cells {
		worst = max(worst, slices.Index(order, c.Kill))
	}
	return order[worst]
}

// Sound tells whether the suite took the liberty for none, and could be run.
func (l LibertyRow) Sound() bool { return l.Error == "" && len(l.FalseAlarms) == 0 }

// WriteMatrix writes faults.json and faults.html into a folder, which is made
// if need be.
func WriteMatrix(dir string, m Matrix) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write the kill matrix: %w; choose another folder", err)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", MatrixName, err)
	}
	if err := os.WriteFile(filepath.Join(dir, MatrixName), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the kill matrix: %w; choose another folder", err)
	}
	page, err := matrixPage(m)
	if err != nil {
		return fmt.Errorf("write %s: %w", MatrixPageName, err)
	}
	if err := os.WriteFile(filepath.Join(dir, MatrixPageName), page, 0o644); err != nil {
		return fmt.Errorf("write the kill matrix: %w; choose another folder", err)
	}
	return nil
}
