package reports

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// column is one outcome in the table: its heading, over as many lines as it has
// words, narrow enough that all nine fit into 80 columns.
type column struct {
	outcome Outcome
	heading []string
	always  bool // shown even where every cell is zero
}

func columns() []column {
	return []column{
		{Pass, []string{"pass"}, true},
		{Fail, []string{"fail"}, true},
		{Warn, []string{"warn"}, true},
		{CouldNotRun, []string{"could", "not run"}, true},
		{NotApplicable, []string{"not", "appl."}, true},
		{NotObserved, []string{"not", "obs."}, true},
		{ExpectedFail, []string{"known", "fail"}, false},
		{UnexpectedPass, []string{"unexp.", "pass"}, false},
		{Error, []string{"suite", "error"}, false},
	}
}

// row counts the rules of one role, area and level by outcome.
type row struct {
	role, area, level string
	n                 map[Outcome]int
}

// shownColumns are the columns that are always shown, and those that have
// anything in them.
func shownColumns(totals []row) []column {
	return slices.DeleteFunc(columns(), func(c column) bool {
		return !c.always && !slices.ContainsFunc(totals, func(t row) bool { return t.n[c.outcome] > 0 })
	})
}

// writeTable writes the number of rules by role, area and level, in the order
// the areas first appear, and a total for each level.
func writeTable(b *strings.Builder, r Results, width int, p paint) {
	rows, totals := tableRows(r.Rules)
	cols := shownColumns(totals)
	t := table{cols: cols, paint: p, area: areaWidth(rows, cols, width)}
	t.headings(b)
	role, area := "", ""
	for _, row := range append(rows, totals...) {
		if row.role != role {
			role, area = row.role, ""
			b.WriteString(p.bold(oneLine(role)) + "\n")
		}
		name := row.area
		if name == area {
			name = ""
		}
		area = row.area
		t.row(b, name, row)
	}
}

// levels are the levels of RFC 2119 that rules have, strongest first.
func levels() []string { return []string{"MUST", "SHOULD", "MAY"} }

func tableRows(rules []Rule) (rows, totals []row) {
	add := func(list []row, role, area, level string, o Outcome) []row {
		i := slices.IndexFunc(list, func(r row) bool {
			return r.role == role && r.area == area && r.level == level
		})
		if i < 0 {
			list = append(list, row{role, area, level, make(map[Outcome]int)})
			i = len(list) - 1
		}
		list[i].n[o]++
		return list
	}
	place := make(map[string]int)
	for _, rule := range rules {
		for _, key := range []string{rule.Role, rule.Role + "\x00" + rule.Area} {
			if _, ok := place[key]; !ok {
				place[key] = len(place)
			}
		}
		rows = add(rows, rule.Role, rule.Area, rule.Level, rule.Outcome)
		totals = add(totals, "total", "all areas", rule.Level, rule.Outcome)
	}
	order := func(a, b row) int {
		for _, d := range []int{
			place[a.role] - place[b.role],
			place[a.role+"\x00"+a.area] - place[b.role+"\x00"+b.area],
		} {
			if d != 0 {
				return d
			}
		}
		return slices.Index(levels(), a.level) - slices.Index(levels(), b.level)
	}
	slices.SortStableFunc(rows, order)
	slices.SortStableFunc(totals, order)
	return rows, totals
}

// levelWidth is the length of the longest level, "SHOULD".
const levelWidth = 6

type table struct {
	cols  []column
	area  int
	paint paint
}

// areaWidth gives the areas the room they need or, if that is less, what the
// other columns leave, but never under eight characters.
func areaWidth(rows []row, cols []column, width int) int {
	need := len("all areas")
	for _, row := range rows {
		need = max(need, utf8.RuneCountInString(oneLine(row.area)))
	}
	rest := width - len(indent) - 1 - levelWidth
	for _, c := range cols {
		rest -= 1 + c.width()
	}
	return max(8, min(need, rest))
}

func (c column) width() int {
	w := 3 // room for 999 rules
	for _, word := range c.heading {
		w = max(w, len(word))
	}
	return w
}

func (t table) headings(b *strings.Builder) {
	height := 0
	for _, c := range t.cols {
		height = max(height, len(c.heading))
	}
	for i := range height {
		line := fmt.Sprintf("%s%-*s %-*s", indent, t.area, "", levelWidth, "")
		if i == height-1 {
			line = fmt.Sprintf("%s%-*s %-*s", indent, t.area, "area", levelWidth, "level")
		}
		for _, c := range t.cols {
			word := ""
			if k := i - (height - len(c.heading)); k >= 0 {
				word = c.heading[k]
			}
			line += fmt.Sprintf(" %*s", c.width(), word)
		}
		b.WriteString(t.paint.dim(strings.TrimRight(line, " ")) + "\n")
	}
}

func (t table) row(b *strings.Builder, name string, r row) {
	name = oneLine(name)
	if n := utf8.RuneCountInString(name); n > t.area {
		name = string([]rune(name)[:t.area-1]) + "…"
	}
	b.WriteString(fmt.Sprintf("%s%-*s %-*s", indent, t.area, name, levelWidth, oneLine(r.level)))
	for _, c := range t.cols {
		// Pad before painting: escape codes have no width.
		if k := r.n[c.outcome]; k > 0 {
			b.WriteString(" " + t.paint.outcome(c.outcome, fmt.Sprintf("%*s", c.width(), strconv.Itoa(k))))
		} else {
			b.WriteString(" " + t.paint.dim(fmt.Sprintf("%*s", c.width(), "-")))
		}
	}
	b.WriteString("\n")
}
