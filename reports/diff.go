package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Diff is what differs between two reports. Its lists hold rules first, then
// scenarios, in the order of the report that has them, and are never nil.
type Diff struct {
	// Before and After are the two runs.
	Before Side `json:"before"`
	After  Side `json:"after"`
	// Regressions got worse: pass, warn, not-applicable or not-observed,
	// could-not-run or error, fail or expected-fail, in this order. A promise
	// that is not claimed, or not seen to be kept, any more is one too.
	Regressions []Change `json:"regressions"`
	// Fixes are kept now and were not, or were not seen to be.
	Fixes []Change `json:"fixes"`
	// Changed have another outcome that is neither, such as a failure that a
	// baseline lists now, or that is not claimed any more.
	Changed []Change `json:"changed"`
	// New are only in the newer report, Gone only in the older one, of another
	// suite: what one and the same suite leaves out got worse.
	New  []Change `json:"new"`
	Gone []Change `json:"gone"`
}

// Side is one of two reports that are compared.
type Side struct {
	Suite     Suite     `json:"suite"`
	Target    string    `json:"target"`
	StartedAt time.Time `json:"startedAt"`
	Verdict   Verdict   `json:"verdict"`
}

// Change is a rule or a scenario in two reports.
type Change struct {
	// Kind is "rule" or "scenario".
	Kind string `json:"kind"`
	ID   string `json:"id"`
	// Was and Is are its outcomes; empty where a report has it not.
	Was Outcome `json:"was,omitempty"`
	Is  Outcome `json:"is,omitempty"`
	// Why says of a scenario in one line why it is what it is now.
	Why string `json:"why,omitempty"`
}

// DiffOf compares two reports of the same role and selection; others are an
// error, as a rule that was left out would look like one that is gone.
func DiffOf(before, after Results) (Diff, error) {
	if before.Target.Role != after.Target.Role {
		return Diff{}, fmt.Errorf("compare reports: one is of role %s, the other of role %s", before.Target.Role, after.Target.Role)
	}
	if !cmp.Equal(before.Selection, after.Selection, cmpopts.EquateEmpty()) {
		return Diff{}, fmt.Errorf("compare reports: they are of different selections: the old one of %s, the new one of %s; compare runs of the same", before.Selection.Flags(), after.Selection.Flags())
	}
	d := Diff{Before: sideOf(before), After: sideOf(after), Regressions: []Change{}, Fixes: []Change{}, Changed: []Change{}, New: []Change{}, Gone: []Change{}}
	was, is := ends(before), ends(after)
	for _, c := range is {
		i := slices.IndexFunc(was, c.same)
		if i < 0 {
			d.New = append(d.New, c)
			continue
		}
		switch c.Was = was[i].Is; {
		case c.Was == c.Is:
		case badness(c.Is) > badness(c.Was):
			d.Regressions = append(d.Regressions, c)
		case badness(c.Is) == 0 && badness(c.Was) > 0:
			d.Fixes = append(d.Fixes, c)
		default:
			d.Changed = append(d.Changed, c)
		}
	}
	for _, c := range was {
		if slices.ContainsFunc(is, c.same) {
			continue
		}
		gone := Change{Kind: c.Kind, ID: c.ID, Was: c.Is}
		if before.Suite == after.Suite {
			gone.Why = "the newer report leaves it out"
			d.Regressions = append(d.Regressions, gone)
			continue
		}
		d.Gone = append(d.Gone, gone)
	}
	return d, nil
}

func sideOf(r Results) Side {
	return Side{Suite: r.Suite, Target: strings.TrimSpace(r.Target.Name + " " + r.Target.Version), StartedAt: r.StartedAt, Verdict: r.Verdict}
}

// ends are the rules and scenarios of a report with their outcomes.
func ends(r Results) []Change {
	var list []Change
	for _, rule := range r.Rules {
		list = append(list, Change{Kind: "rule", ID: rule.ID, Is: rule.Outcome})
	}
	for _, s := range r.Scenarios {
		list = append(list, Change{Kind: "scenario", ID: s.ID, Is: s.Outcome, Why: headline(s)})
	}
	return list
}

func (c Change) same(other Change) bool { return c.Kind == other.Kind && c.ID == other.ID }

// badness orders outcomes for whoever compares two runs: what was kept and is
// not claimed or not seen any more got worse.
func badness(o Outcome) int {
	switch o {
	case Pass, UnexpectedPass:
		return 0
	case Warn:
		return 1
	case NotApplicable, NotObserved:
		return 2
	case Fail, ExpectedFail:
		return 4
	}
	return 3
}

// ExitCode is [ExitNonConformant] if anything got worse.
func (d Diff) ExitCode() int {
	if len(d.Regressions) > 0 {
		return ExitNonConformant
	}
	return ExitConformant
}

// sections are the lists of d with their headings, worst first.
func (d Diff) sections() []section {
	return []section{
		{"Regressions", d.Regressions}, {"Fixes", d.Fixes}, {"Changed otherwise", d.Changed}, {"New", d.New}, {"Gone", d.Gone},
	}
}

type section struct {
	title   string
	changes []Change
}

// step says how an outcome changed.
func (c Change) step() string {
	switch {
	case c.Was == "":
		return string(c.Is)
	case c.Is == "":
		return "was " + string(c.Was)
	}
	return string(c.Was) + " → " + string(c.Is)
}

// counted is "2 regressions, 1 fix, …" in the order of the sections.
func (d Diff) counted() string {
	return fmt.Sprintf("%s, %d fixed, %d changed otherwise, %d new, %d gone",
		Plural(len(d.Regressions), "regression"), len(d.Fixes), len(d.Changed), len(d.New), len(d.Gone))
}

func (s Side) String() string {
	return fmt.Sprintf("%s, %s, revision %s, %s", s.Target, s.StartedAt.UTC().Format("2006-01-02 15:04"), s.Suite.Revision, s.Verdict)
}

// WriteText writes d for people.
func (d Diff) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "old  %s\nnew  %s\n", oneLine(d.Before.String()), oneLine(d.After.String()))
	for _, s := range d.sections() {
		if len(s.changes) > 0 {
			fmt.Fprintf(&b, "\n%s\n", s.title)
		}
		for _, c := range s.changes {
			fmt.Fprintf(&b, "  %-8s  %s: %s\n", c.Kind, oneLine(c.ID), c.step())
			if c.Why != "" && c.Was != "" {
				fmt.Fprintf(&b, "            %s\n", cut(oneLine(c.Why), 200))
			}
		}
	}
	fmt.Fprintf(&b, "\n%s\n", d.counted())
	return write(w, b.String())
}

// maxMarkdownRows bounds each table: five such tables of rows of 300 characters
// are still a comment that GitHub takes (65,536 characters).
const maxMarkdownRows = 40

// WriteMarkdown writes d as a comment on a pull request: a table for each kind
// of change.
func (d Diff) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### hookproof: %s\n\n| | target and run |\n| --- | --- |\n| old | %s |\n| new | %s |\n",
		d.counted(), cell(d.Before.String(), 200), cell(d.After.String(), 200))
	for _, s := range d.sections() {
		if len(s.changes) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n**%s**\n\n| | | outcome | |\n| --- | --- | --- | --- |\n", s.title)
		for i, c := range s.changes {
			if i == maxMarkdownRows {
				fmt.Fprintf(&b, "| | | | and %d more |\n", len(s.changes)-i)
				break
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", c.Kind, cell(c.ID, 200), c.step(), cell(c.Why, 100))
		}
	}
	return write(w, b.String())
}

// cell is text in a cell of a Markdown table, in which nothing is markup.
func cell(text string, limit int) string {
	text = cut(oneLine(text), limit)
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune("\\`*_{}[]<>()#+!|~&@", r) {
			fmt.Fprintf(&b, "&#%d;", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// WriteJSON writes d as indented JSON.
func (d Diff) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

func write(w io.Writer, text string) error {
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}
