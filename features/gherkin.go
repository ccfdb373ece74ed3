package features

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	gherkin "github.com/cucumber/gherkin/go/v26"
	messages "github.com/cucumber/messages/go/v21"
)

// feature is what is needed of a parsed feature file.
type feature struct {
	name    string
	pickles []pickle
	// barren are the lines of Outlines without any Examples row, which no
	// pickle tells about.
	barren []int
}

// pickle is one scenario, or one row of an Outline, ready to run.
type pickle struct {
	name        string
	line, row   int
	first, last int // lines of the scenario, its tags and Examples included
	steps, tags []string
	stepLines   []int
	text        []string // of the steps, with their keywords and tables
}

// parseGherkin reads a feature file and finds the lines its pickles come from.
func parseGherkin(uri string, r io.Reader) (feature, error) {
	next := 0
	id := func() string { next++; return strconv.Itoa(next) }
	doc, err := gherkin.ParseGherkinDocument(r, id)
	if err != nil {
		return feature{}, err
	}
	if doc.Feature == nil {
		return feature{}, nil
	}
	lines, outlines := places(doc.Feature)
	words := keywords(doc.Feature)
	begins := beginnings(doc.Feature)
	f := feature{name: doc.Feature.Name}
	for _, k := range gherkin.Pickles(*doc, uri, id) {
		p := pickle{name: k.Name, line: lines[k.AstNodeIds[0]]}
		delete(outlines, k.AstNodeIds[0])
		p.first, p.last = begins.around(p.line)
		if len(k.AstNodeIds) > 1 {
			p.row = lines[k.AstNodeIds[1]]
		}
		for _, s := range k.Steps {
			p.steps = append(p.steps, s.Text)
			p.text = append(append(p.text, words[s.AstNodeIds[0]]+s.Text), rows(s.Argument)...)
			p.stepLines = append(p.stepLines, lines[s.AstNodeIds[0]])
		}
		seen := map[string]bool{}
		for _, t := range k.Tags {
			if !seen[t.Name] {
				p.tags = append(p.tags, t.Name)
			}
			seen[t.Name] = true
		}
		f.pickles = append(f.pickles, p)
	}
	for _, line := range outlines {
		f.barren = append(f.barren, line)
	}
	return f, nil
}

// keywords maps the ids of steps to how they begin, such as "Given ".
func keywords(f *messages.Feature) map[string]string {
	words := map[string]string{}
	note := func(b *messages.Background, s *messages.Scenario) {
		var steps []*messages.Step
		if b != nil {
			steps = append(steps, b.Steps...)
		}
		if s != nil {
			steps = append(steps, s.Steps...)
		}
		for _, step := range steps {
			words[step.Id] = step.Keyword
		}
	}
	for _, child := range f.Children {
		note(child.Background, child.Scenario)
		if child.Rule != nil {
			for _, c := range child.Rule.Children {
				note(c.Background, c.Scenario)
			}
		}
	}
	return words
}

// rows are those of a step's data table, its columns one below the other.
func rows(argument *messages.PickleStepArgument) (list []string) {
	if argument == nil || argument.DataTable == nil {
		return nil
	}
	var wide []int
	for _, row := range argument.DataTable.Rows {
		for i, cell := range row.Cells {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], utf8.RuneCountInString(cell.Value))
		}
	}
	for _, row := range argument.DataTable.Rows {
		line := "  |"
		for i, cell := range row.Cells {
			line += fmt.Sprintf(" %-*s |", wide[i], cell.Value)
		}
		list = append(list, line)
	}
	return list
}

// starts are lines at which something below the feature begins, in order.
type starts []int

// beginnings are those of all scenarios, rules and backgrounds, a tag being
// where they begin.
func beginnings(f *messages.Feature) (s starts) {
	note := func(at *messages.Location, tags []*messages.Tag) {
		first := at.Line
		for _, t := range tags {
			first = min(first, t.Location.Line)
		}
		s = append(s, int(first))
	}
	one := func(b *messages.Background, scenario *messages.Scenario) {
		if b != nil {
			note(b.Location, nil)
		}
		if scenario != nil {
			note(scenario.Location, scenario.Tags)
		}
	}
	for _, child := range f.Children {
		one(child.Background, child.Scenario)
		if r := child.Rule; r != nil {
			note(r.Location, r.Tags)
			for _, c := range r.Children {
				one(c.Background, c.Scenario)
			}
		}
	}
	return s
}

// around is the first and the last line of what the line belongs to; the last
// of the file is not known.
func (s starts) around(line int) (first, last int) {
	i, exact := slices.BinarySearch(s, line)
	if !exact {
		i--
	}
	if i+1 < len(s) {
		return s[i], s[i+1] - 1
	}
	return s[i], math.MaxInt
}

// places maps the ids of scenarios, their steps and Examples rows to their
// lines, and those of all scenarios once more for finding the ones without a
// pickle.
func places(f *messages.Feature) (lines, scenarios map[string]int) {
	lines, scenarios = map[string]int{}, map[string]int{}
	noteSteps := func(steps []*messages.Step) {
		for _, s := range steps {
			lines[s.Id] = int(s.Location.Line)
		}
	}
	background := func(b *messages.Background) {
		if b != nil {
			noteSteps(b.Steps)
		}
	}
	note := func(s *messages.Scenario) {
		if s == nil {
			return
		}
		noteSteps(s.Steps)
		lines[s.Id] = int(s.Location.Line)
		scenarios[s.Id] = int(s.Location.Line)
		for _, e := range s.Examples {
			for _, row := range e.TableBody {
				lines[row.Id] = int(row.Location.Line)
			}
		}
	}
	for _, child := range f.Children {
		background(child.Background)
		note(child.Scenario)
		if child.Rule != nil {
			for _, c := range child.Rule.Children {
				background(c.Background)
				note(c.Scenario)
			}
		}
	}
	return lines, scenarios
}
