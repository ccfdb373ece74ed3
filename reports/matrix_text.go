package reports

import (
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
	fmt.Fprintf(p.console.Out, "%d rows, with seed %d\n", rows, seed)
	if p.console.Terminal {
		p.bar = progressbar.NewOptions(rows,
			progressbar.OptionSetWriter(p.console.Out), progressbar.OptionSetWidth(30), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(true), progressbar.OptionUseANSICodes(true),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetRenderBlankState(true))
	}
}

// Fault tells of a fault that was run.
func (p *MatrixProgress) Fault(f FaultRow) { p.row(f.trouble()) }

// Variation tells of a variation that was run.
func (p *MatrixProgress) Variation(v VariationRow) { p.row(v.trouble()) }

// Finish takes the bar away.
func (p *MatrixProgress) Finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
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
		fmt.Fprintf(p.console.Out, "%d of %d rows, %.1f s\n", p.done, p.rows, time.Since(p.started).Seconds())
	}
}

// trouble is a line for each thing that is amiss.
func (f FaultRow) trouble() []string {
	var lines []string
	if f.Error != "" {
		lines = append(lines, fmt.Sprintf("ERROR     %s could not be run: %s", f.Name, f.Error))
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

func (v VariationRow) trouble() []string {
	var lines []string
	if v.Error != "" {
		lines = append(lines, fmt.Sprintf("ERROR     %s could not be run: %s", v.Name, v.Error))
	}
	for _, a := range v.FalseAlarms {
		lines = append(lines, fmt.Sprintf("FALSE     %s at %s (%s): %s; expected %s, actual %s", v.Name, a.Scenario, a.Outcome, a.Reason, a.Expected, a.Actual))
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
		for _, v := range m.Variations {
			name = max(name, len(v.Name))
		}
		for _, f := range m.Faults {
			cells := make([]string, len(f.Cells))
			for i, cell := range f.Cells {
				cells[i] = p.kill(cell.Kill, cell.Rule+" "+cell.Kill.short())
			}
			fmt.Fprintf(&b, "%-*s  %s\n", name, f.Name, strings.Join(cells, ", "))
		}
		for _, v := range m.Variations {
			word := p.outcome(Pass, fmt.Sprintf("passed, %d scenarios", v.Scenarios))
			if v.Error != "" || len(v.FalseAlarms) > 0 {
				word = p.outcome(Fail, fmt.Sprintf("falsely failed, %d of %d scenarios", len(v.FalseAlarms), v.Scenarios))
			}
			fmt.Fprintf(&b, "%-*s  %s\n", name, v.Name, word)
		}
		b.WriteString("\n")
	}
	t := m.Tally()
	fmt.Fprintf(&b, "%s with %d rules that must notice: %d killed, %d killed only by another rule, %d survived, %d unknown.\n",
		plural(t.Faults, "fault"), t.Killed+t.ByAnother+t.Survived+t.Unknown, t.Killed, t.ByAnother, t.Survived, t.Unknown)
	fmt.Fprintf(&b, "%s: %d passed, %d falsely failed.\n", plural(t.Variations, "variation"), t.Variations-t.FalselyFailed, t.FalselyFailed)
	if len(t.Unproven) > 0 {
		fmt.Fprintf(&b, "Without any fault: %s.\n", strings.Join(t.Unproven, ", "))
	} else if len(m.Rules) > 0 {
		fmt.Fprintf(&b, "Each of %s has a fault.\n", plural(len(m.Rules), "observed rule"))
	}
	fmt.Fprintf(&b, "Seed %d, %.1f s.\n", m.Seed, float64(m.DurationMs)/1000)
	_, err := io.WriteString(c.Out, b.String())
	return err
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
