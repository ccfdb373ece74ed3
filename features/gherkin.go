package features

import (
	"io"
	"strconv"

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
	steps, tags []string
	stepLines   []int
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
	f := feature{name: doc.Feature.Name}
	for _, k := range gherkin.Pickles(*doc, uri, id) {
		p := pickle{name: k.Name, line: lines[k.AstNodeIds[0]]}
		delete(outlines, k.AstNodeIds[0])
		if len(k.AstNodeIds) > 1 {
			p.row = lines[k.AstNodeIds[1]]
		}
		for _, s := range k.Steps {
			p.steps = append(p.steps, s.Text)
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
