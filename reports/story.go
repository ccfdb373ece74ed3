package reports

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Bounds of a value in a story. The whole value stands in results.json, up to
// its own bound, and in the transcript.
const (
	maxStoryBytes = 4 << 10
	maxStoryLines = 40
)

// labelWidth is the column in which the values of a story begin: the longest
// label, "transcript", and two spaces.
const labelWidth = 12

// featuresFolder is the folder of the suite's source in which the feature files
// lie that scenarios and steps name; people are shown the whole path.
const featuresFolder = "features/"

// Located is where a scenario stands, as people are shown it.
func Located(s Scenario) string {
	return fmt.Sprintf("%s%s:%d", featuresFolder, oneLine(s.File), s.Line)
}

// indent stands before every line of a story but its first.
const indent = "  "

// story writes everything a reader needs to understand one scenario's outcome
// without a second look: the rules and their sources, the scenario, the step,
// expected, actual, cause, transcript, and the command to see it again.
type story struct {
	results Results
	rules   map[string]Rule
	width   int    // columns for prose
	dir     string // where the transcript paths start from
	paint   paint
}

func newStory(r Results, width int, dir string, p paint) story {
	rules := make(map[string]Rule, len(r.Rules))
	for _, rule := range r.Rules {
		rules[rule.ID] = rule
	}
	return story{results: r, rules: rules, width: width, dir: dir, paint: p}
}

// of returns the story of s, each line ended.
func (st story) of(s Scenario) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", st.paint.outcome(s.Outcome, strings.ToUpper(string(s.Outcome))), oneLine(s.ID))
	if s.Unsteady {
		st.exact(&b, "unsteady", s.Tally())
	}
	for _, id := range s.BrokenRules() {
		st.rule(&b, id)
	}
	if s.Failure != nil && len(s.Failure.Rules) > 0 {
		st.exact(&b, "kept", strings.Join(s.Rules, ", "))
	}
	st.prose(&b, "scenario", s.Name)
	st.exact(&b, "", Located(s))
	if f := s.Failure; f != nil {
		if f.Step != "" {
			st.prose(&b, "step", f.Step)
			st.exact(&b, "", featuresFolder+f.At)
		}
		st.value(&b, "expected", f.Expected)
		st.value(&b, "actual", f.Actual)
		st.prose(&b, "cause", f.Message)
	}
	st.prose(&b, "reason", s.Reason)
	if s.Transcript != "" {
		st.exact(&b, "transcript", filepath.Join(st.dir, filepath.FromSlash(s.Transcript)))
	}
	st.exact(&b, "run again", s.Rerun)
	return b.String()
}

// same lists the scenarios that failed in the very same way.
func (st story) same(b *strings.Builder, others []Scenario) {
	names := make([]string, len(others))
	for i, s := range others {
		names[i] = named(s)
	}
	st.lines(b, "the same", firstOf(names))
}

func (st story) rule(b *strings.Builder, id string) {
	rule, ok := st.rules[id]
	if !ok {
		st.exact(b, "rule", id)
		return
	}
	st.exact(b, "rule", fmt.Sprintf("%s  %s  %s", rule.ID, rule.Level, rule.Area))
	st.prose(b, "", rule.Statement)
	for _, src := range rule.Sources {
		st.prose(b, "source", fmt.Sprintf("%s %s", src.Key, src.Title))
		st.exact(b, "", src.URL)
	}
}

// prose writes text wrapped to the width; nothing if it is empty.
func (st story) prose(b *strings.Builder, label, text string) {
	if text == "" {
		return
	}
	text = cut(oneLine(text), maxStoryBytes)
	st.lines(b, label, wrap(text, max(20, st.width-len(indent)-labelWidth)))
}

// exact writes one line as it is, however long, so that it can be copied.
func (st story) exact(b *strings.Builder, label, text string) {
	if text != "" {
		st.lines(b, label, []string{oneLine(text)})
	}
}

// value writes a value line by line, unwrapped, cut at the bounds above. An
// empty value is said to be empty.
func (st story) value(b *strings.Builder, label, text string) {
	if text == "" {
		text = "(empty)"
	}
	lines := cutLines(strings.Split(strings.TrimSuffix(printable(text), "\n"), "\n"), maxStoryLines)
	st.lines(b, label, strings.Split(cut(strings.Join(lines, "\n"), maxStoryBytes), "\n"))
}

func (st story) lines(b *strings.Builder, label string, lines []string) {
	for i, line := range lines {
		if i > 0 {
			label = ""
		}
		padded := st.paint.dim(fmt.Sprintf("%-*s", labelWidth, label))
		b.WriteString(strings.TrimRight(indent+padded+line, " ") + "\n")
	}
}
