package reports

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Progress shows how far a run is: a live bar on a terminal, otherwise a line
// now and then. Scenarios that need attention get a line of their own at once,
// on both. It starts no goroutine; its methods may be called from any, and its
// zero value shows nothing.
//
// Progress is a courtesy: what cannot be written is dropped, and shows up as an
// error of the summary that follows on the same writer.
type Progress struct {
	mu      sync.Mutex
	out     io.Writer
	paint   paint
	bar     *progressbar.ProgressBar
	total   int
	done    int
	said    int // value of done at the last plain line
	n       map[Outcome]int
	started time.Time
}

// heartbeats is how many progress lines a whole run prints without a terminal.
const heartbeats = 10

// Progress starts showing a run of total scenarios. With Quiet it shows nothing.
func (c Console) Progress(total int) *Progress {
	if c.Quiet {
		return &Progress{}
	}
	p := &Progress{
		out:     c.Out,
		paint:   c.paint(),
		total:   total,
		n:       make(map[Outcome]int),
		started: time.Now(),
	}
	if c.Terminal && total > 0 {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(c.Out),
			progressbar.OptionSetWidth(30),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(true),
			progressbar.OptionUseANSICodes(true),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionShowDescriptionAtLineEnd(),
			progressbar.OptionSetRenderBlankState(true),
		)
	}
	return p
}

// briefly is how much is shown at once of what a scenario met, in bytes; its
// story tells the whole at the end.
const briefly = 100

// Done shows that s has finished.
func (p *Progress) Done(s Scenario) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil {
		return
	}
	p.done++
	p.n[s.Outcome]++
	if loud(s.Outcome) {
		met := symptomOf(s)
		if s.Failure != nil {
			met = "got " + met
		}
		p.line(p.paint.outcome(s.Outcome, fmt.Sprintf("%-15s", strings.ToUpper(string(s.Outcome)))) +
			fmt.Sprintf(" %s  %s  %s: %s", strings.Join(s.BrokenRules(), ","), oneLine(s.ID), Located(s), cut(oneLine(met), briefly)))
	}
	if p.bar != nil {
		// An error here is more scenarios than announced, or a closed writer.
		p.bar.Describe(p.brief())
		_ = p.bar.Add(1)
		return
	}
	if p.done-p.said >= max(1, p.total/heartbeats) {
		p.heartbeat()
	}
}

// Finish takes the bar away, or writes the last progress line. After it Done
// must not be called.
func (p *Progress) Finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.out == nil:
	case p.bar != nil:
		_ = p.bar.Clear()
	case p.said < p.done:
		p.heartbeat()
	}
	p.out = nil
}

// line writes one line, above the bar where there is one.
func (p *Progress) line(text string) {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	fmt.Fprintln(p.out, text)
	if p.bar != nil {
		_ = p.bar.RenderBlank()
	}
}

func (p *Progress) heartbeat() {
	p.said = p.done
	fmt.Fprintf(p.out, "%d of %s, %s, %.1f s\n",
		p.done, Plural(p.total, "scenario"), tallyWords(p.n), time.Since(p.started).Seconds())
}

// brief fits beside the bar: a line that wraps cannot be taken away again. The
// bar itself shrinks on a narrow terminal, its description does not.
func (p *Progress) brief() string {
	look := 0
	for o, n := range p.n {
		if loud(o) {
			look += n
		}
	}
	if look == 0 {
		return ""
	}
	return fmt.Sprintf("%d to look at", look)
}

// loud outcomes are told at once.
func loud(o Outcome) bool {
	switch o {
	case Pass, NotApplicable, ExpectedFail, CouldNotRun: // the summary groups the last by reason
		return false
	}
	return true
}
