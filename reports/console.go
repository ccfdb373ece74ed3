package reports

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"
)

// defaultWidth is the width, in columns, where none is known; minWidth is what
// the table needs when every outcome has a column.
const (
	defaultWidth = 80
	minWidth     = 72
)

// Console says how to write for people. Its zero value with Out set writes
// plain text for 80 columns. A Console never looks at the environment itself.
type Console struct {
	// Out takes everything.
	Out io.Writer
	// Terminal allows a live progress bar and colours.
	Terminal bool
	// NoColor forbids colours on a terminal (https://no-color.org).
	NoColor bool
	// Width is the number of columns; 0 is 80, less than 72 counts as 72.
	Width int
	// Quiet leaves only the verdict, in one line.
	Quiet bool
	// Dir is the folder of results.json, put before transcript paths.
	Dir string
}

// ConsoleFor describes the console behind f. env looks up environment
// variables, such as os.Getenv: NO_COLOR, if not empty, forbids colours, and
// TERM=dumb is no terminal.
func ConsoleFor(f *os.File, env func(string) string) Console {
	c := Console{Out: f, NoColor: env("NO_COLOR") != ""}
	if !term.IsTerminal(int(f.Fd())) || env("TERM") == "dumb" {
		return c
	}
	c.Terminal = true
	if width, _, err := term.GetSize(int(f.Fd())); err == nil {
		c.Width = width
	}
	return c
}

// Summary writes the end of a run: a table by area, each failure as the whole
// story, what could not run and why, what the baseline lists and what of it is
// out of date, scenarios that are unsteady, and the verdict in words. With Quiet only the verdict, in one line.
func (c Console) Summary(r Results) error {
	var b strings.Builder
	if c.Quiet {
		b.WriteString(verdictLine(r, c.paint()))
	} else {
		b.WriteString("\n")
		writeTable(&b, r, c.width(), c.paint())
		c.stories(&b, r)
		c.grouped(&b, r, CouldNotRun, "Could not run")
		c.grouped(&b, r, ExpectedFail, "Failed as the baseline lists")
		c.outOfDate(&b, r)
		c.unsteady(&b, r)
		b.WriteString("\n" + explain(r, c.width(), c.paint()))
	}
	if _, err := io.WriteString(c.Out, b.String()); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

// maxStories bounds the stories told at length, and maxOfRule those of one rule:
// nobody reads on beyond thirty, or learns much from a fourth. [HTMLName] has
// them all.
const (
	maxStories = 30
	maxOfRule  = 3
)

// stories tells errors first, as they put the rest in doubt, then failures,
// then recommendations not kept, rule by rule. Where there is no room for all,
// the first of every rule goes before the second of any; what is left out is
// counted. What failed in the very same way is told once.
func (c Console) stories(b *strings.Builder, r Results) {
	st := newStory(r, c.width(), c.Dir, c.paint())
	list := chapters(r, Error, Fail, Warn)
	told, room := make([]int, len(list)), maxStories
	for i := range inTurn(len(list), func(i int) int { return min(len(list[i].stories), maxOfRule) }) {
		if room--; room < 0 {
			break
		}
		told[i]++
	}
	left := false
	for i, ch := range list {
		for _, same := range ch.stories[:told[i]] {
			b.WriteString("\n" + st.of(same[0]))
			st.same(b, same[1:])
		}
		if rest := ch.rest(told[i]); rest != "" {
			left = true
			b.WriteString("\n" + rest + "\n")
		}
	}
	if left {
		fmt.Fprintf(b, "\n%s tells them all.\n", filepath.Join(c.Dir, HTMLName))
	}
}

// maxGroups and maxPerGroup bound the lists of scenarios that share a reason.
const (
	maxGroups   = 20
	maxPerGroup = 10
)

// grouped lists the scenarios of one outcome under their reasons: an
// unreachable target gives a hundred scenarios the same one.
func (c Console) grouped(b *strings.Builder, r Results, o Outcome, title string) {
	var reasons []string
	by := make(map[string][]string)
	for _, s := range r.Scenarios {
		if s.Outcome != o {
			continue
		}
		reason := cut(oneLine(s.Reason), 500)
		if _, ok := by[reason]; !ok {
			reasons = append(reasons, reason)
		}
		by[reason] = append(by[reason], named(s))
	}
	if len(reasons) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", c.paint().outcome(o, title))
	for i, reason := range reasons {
		if i == maxGroups {
			fmt.Fprintf(b, "  %s more: see %s.\n", Plural(len(reasons)-maxGroups, "reason"), FileName)
			return
		}
		for _, line := range wrap(reason, c.width()-2) {
			b.WriteString("  " + line + "\n")
		}
		for _, line := range firstOf(by[reason]) {
			b.WriteString("    " + line + "\n")
		}
	}
}

// named is a scenario in a list of those that share a reason.
func named(s Scenario) string {
	return fmt.Sprintf("%s (%s)", oneLine(s.ID), strings.Join(s.BrokenRules(), ", "))
}

// firstOf are as many of a list as are shown, and how many are not.
func firstOf(list []string) []string {
	if len(list) <= maxPerGroup {
		return list
	}
	return append(list[:maxPerGroup:maxPerGroup], fmt.Sprintf("… and %d more", len(list)-maxPerGroup))
}

// outOfDate lists the entries of the baseline that must be corrected.
func (c Console) outOfDate(b *strings.Builder, r Results) {
	known := r.OutOfDate()
	if len(known) > 0 {
		fmt.Fprintf(b, "\n%s\n", c.paint().outcome(UnexpectedPass, "The baseline is out of date"))
	}
	for _, k := range known {
		b.WriteString("  " + oneLine(k.ID) + "\n")
		for _, line := range wrap(oneLine(k.Advice(r)), c.width()-4) {
			b.WriteString("    " + line + "\n")
		}
	}
}

// unsteady lists the scenarios that were judged differently each time.
func (c Console) unsteady(b *strings.Builder, r Results) {
	heading := fmt.Sprintf("\n%s\n", c.paint().outcome(Warn, fmt.Sprintf("Unsteady in %d runs each", r.Repeat)))
	for _, s := range r.Scenarios {
		if s.Unsteady {
			fmt.Fprintf(b, "%s  %s: %s\n", heading, oneLine(s.ID), s.Tally())
			heading = ""
		}
	}
}

func (c Console) width() int {
	if c.Width == 0 {
		return defaultWidth
	}
	return max(c.Width, minWidth)
}

func (c Console) paint() paint { return paint{on: c.Terminal && !c.NoColor} }
