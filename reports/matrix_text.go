package reports

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// MatrixProgress shows on a console how a kill matrix grows: a live bar on a
// terminal, otherwise a line now and then. Rows that need attention get lines
// of their own at once. Its methods are called one at a time, Done's aside.
type MatrixProgress struct {
	console Console
	paint   paint

	mu      sync.Mutex
	bar     *progressbar.ProgressBar
	rows    int
	done    int
	said    int
	started time.Time
}

// MatrixProgress is the progress of a kill matrix on this console.
func (c Console) MatrixProgress() *MatrixProgress {
	return &MatrixProgress{console: c, paint: c.paint()}
}

// Begun says how many rows there will be.
func (p *MatrixProgress) Begun(rows int, seed int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows, p.started = rows, time.Now()
	if p.console.Quiet {
		return
	}
	fmt.Fprintf(p.console.Out, "%s, with seed %d\n", Plural(rows, "row"), seed)
	if p.console.Terminal {
		p.bar = progressbar.NewOptions(rows,
			progressbar.OptionSetWriter(p.console.Out), progressbar.OptionSetWidth(30), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(true), progressbar.OptionUseANSICodes(true),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetRenderBlankState(true))
	}
}

// Fault tells of a fault that was run.
func (p *MatrixProgress) Fault(f FaultRow) { p.row(f.trouble()) }

// Liberty tells of a liberty that was run.
func (p *MatrixProgress) Liberty(l LibertyRow) { p.row(l.trouble()) }

// Finish takes the bar away.
func (p *MatrixProgress) Finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// Again tells which rows are run a second time.
func (p *MatrixProgress) Again(names []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows += len(names)
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar.ChangeMax(p.rows)
	}
	if !p.console.Quiet {
		fmt.Fprintln(p.console.Out, p.paint.outcome(Warn, "once more, one at a time: "+oneLine(strings.Join(names, ", "))))
	}
}

func (p *MatrixProgress) row(trouble []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done++; p.console.Quiet {
		return
	}
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	for _, line := range trouble {
		fmt.Fprintln(p.console.Out, p.paint.outcome(Fail, oneLine(line)))
	}
	switch {
	case p.bar != nil:
		_ = p.bar.Add(1)
	case p.done-p.said >= max(1, p.rows/heartbeats) || p.done == p.rows:
		p.said = p.done
		fmt.Fprintf(p.console.Out, "%d of %s, %.1f s\n", p.done, Plural(p.rows, "row"), time.Since(p.started).Seconds())
	}
}

// trouble is a line for each thing that is amiss.
func (f FaultRow) trouble() []string {
	var lines []string
	if f.Error != "" {
		lines = append(lines, fmt.Sprintf("ERROR     %s met an error: %s", f.Name, f.Error))
	}
	for _, c := range f.Cells {
		switch c.Kill {
		case Survived:
			lines = append(lines, fmt.Sprintf("SURVIVED  %s at %s: %s", f.Name, c.Rule, f.Sentence))
		case KilledByAnother:
			lines = append(lines, fmt.Sprintf("MISSED    %s at %s, noticed by %s only: %s", f.Name, c.Rule, strings.Join(f.noticing(), ", "), f.Sentence))
		}
	}
	return lines
}

// noticing are the rules that noticed.
func (f FaultRow) noticing() []string {
	var rules []string
	for _, c := range f.Cells {
		if c.Kill == Killed {
			rules = append(rules, c.Rule)
		}
	}
	return append(rules, f.Also...)
}

func (l LibertyRow) trouble() []string {
	var lines []string
	if l.Error != "" {
		lines = append(lines, fmt.Sprintf("ERROR     %s could not be run: %s", l.Name, l.Error))
	}
	if l.Error == "" && l.untaken() {
		lines = append(lines, fmt.Sprintf("ERROR     %s met no scenario", l.Name))
	}
	for _, a := range l.FalseAlarms {
		lines = append(lines, fmt.Sprintf("FALSE     %s at %s (%s): %s; expected %s, actual %s", l.Name, a.Scenario, a.Outcome, a.Reason, a.Expected, a.Actual))
	}
	return lines
}

// Matrix writes the kill matrix: a line for each fault, a column of dots and
// letters for the rules that must notice it, and what follows.
func (c Console) Matrix(m Matrix) error {
	var b strings.Builder
	p := c.paint()
	if !c.Quiet {
		name := 0
		for _, f := range m.Faults {
			name = max(name, len(f.Name))
		}
		for _, l := range m.Liberties {
			name = max(name, len(l.Name))
		}
		for _, f := range m.Faults {
			cells := make([]string, len(f.Cells))
			for i, cell := range f.Cells {
				cells[i] = p.kill(cell.Kill, cell.Rule+" "+cell.Kill.short())
			}
			line := strings.Join(cells, ", ")
			if f.Error != "" {
				line += "; " + p.outcome(Fail, oneLine(f.Error))
			}
			fmt.Fprintf(&b, "%-*s  %s%s\n", name, f.Name, line, second(f.First != nil))
		}
		for _, l := range m.Liberties {
			word := p.outcome(Pass, fmt.Sprintf("passed, %d scenarios", l.Scenarios))
			switch {
			case len(l.FalseAlarms) == 0 && l.untaken():
				word = p.outcome(Fail, "could not be run: "+oneLine(cmp.Or(l.Error, "it met no scenario")))
			case len(l.FalseAlarms) > 0:
				word = p.outcome(Fail, fmt.Sprintf("falsely failed, %d of %d scenarios", len(l.FalseAlarms), l.Scenarios))
			}
			fmt.Fprintf(&b, "%-*s  %s%s\n", name, l.Name, word, second(l.First != nil))
		}
		b.WriteString("\n")
	}
	t := m.Tally()
	for _, line := range t.words() {
		b.WriteString(line + "\n")
	}
	if len(t.Unproven) == 0 && len(m.Rules) > 0 {
		fmt.Fprintf(&b, "Each of %s has a fault.\n", Plural(len(m.Rules), "observed rule"))
	}
	fmt.Fprintf(&b, "Seed %d, %.1f s.\n", m.Seed, float64(m.DurationMs)/1000)
	_, err := io.WriteString(c.Out, b.String())
	return err
}

// Amiss says in short what a run found otherwise than it should.
func (f *FaultRow) Amiss() string {
	var list []string
	for _, c := range f.Cells {
		if c.Kill != Killed {
			list = append(list, c.Rule+" "+c.Kill.short())
		}
	}
	return oneLine(strings.Join(list, ", ") + told(f.Error))
}

// Amiss says in short what a run found otherwise than it should.
func (l *LibertyRow) Amiss() string {
	var list []string
	for _, a := range l.FalseAlarms {
		list = append(list, a.Scenario+" falsely failed")
	}
	return oneLine(strings.Join(list, ", ") + told(l.Error))
}

// second marks the line of what was run a second time; what follows the lines
// says what the first run found.
func second(run bool) string {
	if run {
		return ", in a second run"
	}
	return ""
}

// told is an error, if there is one, after something else.
func told(err string) string {
	if err == "" {
		return ""
	}
	return "; " + err
}

// words say what a matrix shows, to those who know nothing of it yet.
func (t Tally) words() []string {
	var lines []string
	if t.Faults > 0 {
		line := Plural(t.Faults, "deliberately wrong implementation") + ". " + t.refusals()
		if t.Broken > 0 {
			line += fmt.Sprintf(" Beside that, %d met an error of the suite's own.", t.Broken)
		}
		lines = append(lines, line)
	}
	if t.Liberties > 0 {
		refused := "none was refused"
		if t.FalselyFailed > 0 {
			refused = fmt.Sprintf("%d refused, which is wrong", t.FalselyFailed)
		}
		if t.NotTaken > 0 {
			refused += fmt.Sprintf("; %d could not be run", t.NotTaken)
		}
		lines = append(lines, Plural(t.Liberties, "right implementation")+" with an unusual behaviour that no rule forbids (a liberty): "+refused+".")
	}
	if len(t.Again) > 0 {
		lines = append(lines, fmt.Sprintf("Run a second time, because a first run did not come out as it should: %s.", strings.Join(t.Again, ", ")))
	}
	if len(t.Unproven) > 0 {
		lines = append(lines, fmt.Sprintf("Without any fault: %s.", strings.Join(t.Unproven, ", ")))
	}
	return lines
}

// refusals tell how many of the rules that must notice a fault did.
func (t Tally) refusals() string {
	due := t.Killed + t.ByAnother + t.Survived + t.Unknown
	switch {
	case t.Killed < due:
		var rest []string
		for _, r := range []struct {
			n    int
			what string
		}{{t.ByAnother, "killed only by another rule"}, {t.Survived, "survived"}, {t.Unknown, "unknown"}} {
			if r.n > 0 {
				rest = append(rest, fmt.Sprintf("%d %s", r.n, r.what))
			}
		}
		return fmt.Sprintf("Not each was refused by all of the rules that must notice: %d of %d killed, %s.", t.Killed, due, strings.Join(rest, ", "))
	case t.Faults == 1:
		return fmt.Sprintf("It was refused, by each of the rules that must notice (%d of %d).", t.Killed, due)
	}
	return fmt.Sprintf("All were refused, by each of the rules that must notice (%d of %d).", t.Killed, due)
}

func (k Kill) short() string {
	switch k {
	case Killed:
		return "killed"
	case KilledByAnother:
		return "by another"
	case Survived:
		return "SURVIVED"
	}
	return "unknown"
}

func (p paint) kill(k Kill, text string) string {
	if k == Killed {
		return p.outcome(Pass, text)
	}
	return p.outcome(Fail, text)
}
