package reports

import (
	"cmp"
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// maxDiagrams bounds, in bytes, what all diagrams of a page hold together; the
// page has about twice that, and a browser still opens it at once. The first
// failure of every rule comes first; those left out are linked to.
const maxDiagrams = 4 << 20

// page is what the template shows.
type page struct {
	Policy        string
	CSS           template.CSS
	JS            template.JS
	Results       Results
	Word          string
	Standing      standing
	Lead          string
	Reasons       []string
	About         []fact // who was judged, when, and by what: for the top
	Facts         []fact
	Tiles         []tile
	Bar           []segment
	Matrix        []matrixRole
	Broken        []brokenRule
	Unseen        []unseen
	Areas         []areaRules
	Levels        []string
	Outcomes      []Outcome
	ScenarioCount int
}

type fact struct{ Label, Value string }

// tile is how many rules came to an outcome.
type tile struct {
	Outcome Outcome
	N       int
}

// segment is a part of a bar that is 100 wide.
type segment struct {
	Outcome  Outcome
	X, Width float64
	Title    string
}

// matrixRole holds the rows of a role, one each area, with a cell each level.
type matrixRole struct {
	Role string
	Rows []matrixRow
}

type matrixRow struct {
	Area, Anchor string
	Cells        []matrixCell
}

type matrixCell struct {
	Total, Kept int
	// Worst is the highest outcome of the cell's rules.
	Worst Outcome
	Bar   []segment
	Title string
}

// brokenRule is a rule that is not in order, with what found it so.
type brokenRule struct {
	Rule
	Stories []*htmlStory
}

// maxInSight is how many stories of a rule are in sight; the rest is folded.
const maxInSight = 10

// First are the stories in sight, More those behind a fold.
func (b brokenRule) First() []*htmlStory { return b.Stories[:min(len(b.Stories), maxInSight)] }

// More are the stories that First leaves out.
func (b brokenRule) More() []*htmlStory { return b.Stories[len(b.First()):] }

// htmlStory is one scenario that is not in order.
type htmlStory struct {
	Scenario
	Kept []string
	Rows []seqRow
	// Missing says why there is no diagram.
	Missing string
	Open    bool
}

// unseen are rules about which nothing was found out, for one reason.
type unseen struct {
	Outcome Outcome
	Reason  string
	Rules   []Rule
}

// areaRules are the rules of one role and area with their scenarios.
type areaRules struct {
	Role, Area, Anchor string
	Rules              []ruleScenarios
}

type ruleScenarios struct {
	Rule
	By []Scenario
}

func pageOf(r Results, folder fs.FS) page {
	p := page{
		Results: r, Word: verdictWord(r), Standing: standingOf(r), Lead: lead(r), Reasons: reasons(r), About: about(r), Facts: facts(r),
		Levels: levels(), ScenarioCount: len(r.Scenarios),
	}
	n := map[Outcome]int{}
	for _, rule := range r.Rules {
		n[rule.Outcome]++
	}
	for _, o := range toldOutcomes() {
		if n[o] > 0 {
			p.Tiles = append(p.Tiles, tile{o, n[o]})
			p.Outcomes = append(p.Outcomes, o)
		}
	}
	p.Bar = barOf(n)
	p.Matrix = matrixOf(r.Rules)
	p.Broken = brokenRules(r, folder)
	p.Unseen = unseenOf(r.Rules)
	p.Areas = areasOf(r)
	return p
}

// lead is the verdict in a sentence for those who read nothing else.
func lead(r Results) string {
	target := r.Target.Name
	if target == "" {
		target = r.Target.Kind
	}
	if after, ok := strings.CutPrefix(target, "the "); ok {
		target = "The " + after
	}
	broken := 0
	for _, rule := range r.Rules {
		if rule.Outcome == Fail || rule.Outcome == ExpectedFail {
			broken++
		}
	}
	seen := rulesObserved(r)
	switch standingOf(r) {
	case standsErred:
		return fmt.Sprintf("The suite itself erred; what it found out about %s is in doubt.", target)
	case standsBroken:
		return fmt.Sprintf("%s breaks %s of the %d that were observed.", target, Plural(broken, "promise"), seen)
	case standsKept, standsOutdated:
		return fmt.Sprintf("%s keeps every promise that was judged: %d of %s were observed.", target, seen, Plural(len(r.Rules), "rule"))
	}
	return fmt.Sprintf("Nothing broken was seen of %s, but not everything that it claims could be observed.", target)
}

// about is what a verdict is worth nothing without.
func about(r Results) []fact {
	address := r.Target.URL
	if address == r.Target.Name { // one without another name
		address = ""
	}
	return shownFacts([]fact{
		{"Target", cmp.Or(strings.TrimSpace(r.Target.Name+" "+r.Target.Version), r.Target.Kind)},
		{"Address", address},
		{"Date", r.StartedAt.UTC().Format("2006-01-02 15:04 UTC")},
		{"Rules", "revision " + r.Suite.Revision},
		{"Selected", cut(selected(r), 300)},
	})
}

func facts(r Results) []fact {
	return shownFacts([]fact{
		{"Target", strings.TrimSpace(r.Target.Name + " " + r.Target.Version)},
		{"Address", r.Target.URL},
		{"Tested as", roleWords(r)},
		{"Claims", strings.Join(r.Target.Capabilities, ", ")},
		{"Selected", selected(r)},
		{"Rules", "revision " + r.Suite.Revision},
		{"Suite", "hookproof " + r.Suite.Version},
		{"Begun", r.StartedAt.UTC().Format("2006-01-02 15:04:05 UTC")},
		{"Took", fmt.Sprintf("%.1f s, %s", (time.Duration(r.DurationMs) * time.Millisecond).Seconds(), Plural(len(r.Scenarios), "scenario"))},
		{"Seed", fmt.Sprint(r.Seed)},
		{"Command", r.Command},
		{"Exit code", fmt.Sprint(ExitCode(r))},
	})
}

// shownFacts are those that have a value, each bounded.
func shownFacts(all []fact) []fact {
	for i := range all {
		all[i].Value = cut(oneLine(all[i].Value), 2000)
	}
	return slices.DeleteFunc(all, func(f fact) bool { return f.Value == "" })
}

func barOf(n map[Outcome]int) []segment {
	sum := 0
	for _, k := range n {
		sum += k
	}
	var bar []segment
	x := 0.0
	for _, o := range toldOutcomes() {
		if n[o] > 0 {
			width := 100 * float64(n[o]) / float64(sum)
			bar = append(bar, segment{o, x, width, fmt.Sprintf("%d %s", n[o], outcomeWords(o))})
			x += width
		}
	}
	return bar
}

func matrixOf(rules []Rule) []matrixRole {
	rows, _ := tableRows(rules)
	var out []matrixRole
	for _, row := range rows {
		if len(out) == 0 || out[len(out)-1].Role != row.role {
			out = append(out, matrixRole{Role: row.role})
		}
		role := &out[len(out)-1]
		if len(role.Rows) == 0 || role.Rows[len(role.Rows)-1].Area != row.area {
			role.Rows = append(role.Rows, matrixRow{Area: row.area, Anchor: areaAnchor(row.role, row.area), Cells: make([]matrixCell, len(levels()))})
		}
		level := slices.Index(levels(), row.level)
		if level < 0 {
			continue
		}
		cell := &role.Rows[len(role.Rows)-1].Cells[level]
		cell.Kept, cell.Worst, cell.Bar = row.n[Pass], NotObserved, barOf(row.n)
		var words []string
		for _, o := range toldOutcomes() {
			if row.n[o] > 0 {
				cell.Total += row.n[o]
				cell.Worst = Rise(cell.Worst, o)
				words = append(words, fmt.Sprintf("%d %s", row.n[o], outcomeWords(o)))
			}
		}
		cell.Title = strings.Join(words, ", ")
	}
	return out
}

func areaAnchor(role, area string) string { return "area-" + role + "-" + area }

// brokenRules are the rules that are not in order, the most serious first, each
// with its stories. A scenario that broke several rules is told with each.
func brokenRules(r Results, folder fs.FS) []brokenRule {
	var out []brokenRule
	for _, f := range findings(r, Error, Fail, UnexpectedPass, ExpectedFail, Warn) {
		b := brokenRule{Rule: f.Rule}
		for i, s := range f.by {
			story := &htmlStory{Scenario: s, Open: i == 0}
			if s.Failure != nil && len(s.Failure.Rules) > 0 {
				story.Kept = s.Rules
			}
			b.Stories = append(b.Stories, story)
		}
		out = append(out, b)
	}
	illustrate(out, folder)
	return out
}

// illustrate gives the stories their diagrams, those of the rules in turn, as
// long as there is room.
func illustrate(rules []brokenRule, folder fs.FS) {
	room := maxDiagrams
	done := map[string]bool{}
	draw := func(s *htmlStory) {
		s.Failure = readable(s.Failure)
		switch {
		case s.Transcript == "":
			s.Missing = "No transcript was kept."
			return
		case done[s.ID]:
			s.Missing = "Its diagram stands with another rule."
			return
		case room <= 0:
			s.Missing = "Its diagram is left out, to keep this page small."
			return
		}
		text, err := readTranscript(folder, s.Scenario)
		if err != nil {
			s.Missing = oneLine(err.Error()) + "."
			return
		}
		e, err := parseEvidence(text)
		if err != nil {
			s.Missing = oneLine(err.Error()) + "."
			return
		}
		step := ""
		if s.Failure != nil {
			step = s.Failure.Step
		}
		done[s.ID] = true
		s.Rows = sequence(e, step)
		room -= weight(s.Rows)
	}
	for i, j := range inTurn(len(rules), func(i int) int { return len(rules[i].Stories) }) {
		draw(rules[i].Stories[j])
	}
}

// weight is about how many bytes of the page rows take.
func weight(rows []seqRow) int {
	const markup = 300
	sum := 0
	for _, r := range rows {
		sum += markup + len(r.Text) + len(r.Reply) + weight(r.Rows)
		for _, p := range r.Parts {
			sum += markup + len(p.Title) + len(p.Body) + len(strings.Join(p.Lines, "\n"))
		}
	}
	return sum
}

// readable is a failure whose values are bounded and safe to look at.
func readable(f *Failure) *Failure {
	if f == nil {
		return nil
	}
	out := *f
	value := func(s string) string {
		if s == "" {
			return "(empty)"
		}
		return cut(printable(s), maxStoryBytes)
	}
	out.Expected, out.Actual = value(f.Expected), value(f.Actual)
	out.Message, out.Step = cut(oneLine(f.Message), maxStoryBytes), oneLine(f.Step)
	return &out
}

// unseenOf groups the rules about which nothing was found out by the reason.
func unseenOf(rules []Rule) []unseen {
	var out []unseen
	for _, o := range []Outcome{CouldNotRun, NotApplicable, NotObserved} {
		for _, rule := range rules {
			if rule.Outcome != o {
				continue
			}
			reason := cut(oneLine(rule.Reason), 1000)
			i := slices.IndexFunc(out, func(u unseen) bool { return u.Outcome == o && u.Reason == reason })
			if i < 0 {
				out, i = append(out, unseen{Outcome: o, Reason: reason}), len(out)
			}
			out[i].Rules = append(out[i].Rules, rule)
		}
	}
	return out
}

func areasOf(r Results) []areaRules {
	byID := make(map[string]Scenario, len(r.Scenarios))
	for _, s := range r.Scenarios {
		byID[s.ID] = s
	}
	var out []areaRules
	for _, rule := range r.Rules {
		i := slices.IndexFunc(out, func(a areaRules) bool { return a.Role == rule.Role && a.Area == rule.Area })
		if i < 0 {
			out, i = append(out, areaRules{Role: rule.Role, Area: rule.Area, Anchor: areaAnchor(rule.Role, rule.Area)}), len(out)
		}
		one := ruleScenarios{Rule: rule}
		for _, id := range rule.Scenarios {
			one.By = append(one.By, byID[id])
		}
		out[i].Rules = append(out[i].Rules, one)
	}
	return out
}
