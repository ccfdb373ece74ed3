package reports

import (
	"bytes"
	_ "embed"
	"html/template"
	"slices"
	"sync"
)

//go:embed page/matrix.html
var matrixHTML string

var matrixTemplate = sync.OnceValues(func() (*template.Template, error) {
	return template.New("matrix").Funcs(template.FuncMap{"line": oneLine}).Parse(matrixHTML)
})

// matrixArea is one area's part of the matrix: its rules against all faults
// that one of them must notice.
type matrixArea struct {
	Role, Name string
	Faults     []FaultRow
	Rules      []matrixRule
}

type matrixRule struct {
	KilledRule
	Cells []matrixMark // one for each fault of the area
	// Killed are the faults that the rule noticed, of the Due that it must.
	Killed, Due int
}

// matrixMark is a cell of the page: what became of the fault at the rule, empty
// where the rule need not notice; Also: it noticed nevertheless.
type matrixMark struct {
	Kill  Kill
	Also  bool
	Title string
}

// matrixPage is the matrix as one page that needs nothing else.
func matrixPage(m Matrix) ([]byte, error) {
	t, err := matrixTemplate()
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	err = t.Execute(&page, map[string]any{"Matrix": m, "Words": m.Tally().words(), "Areas": matrixAreas(m), "Passed": m.ExitCode() == ExitConformant})
	return page.Bytes(), err
}

func matrixAreas(m Matrix) []matrixArea {
	var areas []matrixArea
	for _, r := range m.Rules {
		at := slices.IndexFunc(areas, func(a matrixArea) bool { return a.Role == r.Role && a.Name == r.Area })
		if at < 0 {
			at, areas = len(areas), append(areas, matrixArea{Role: r.Role, Name: r.Area})
		}
		areas[at].Rules = append(areas[at].Rules, matrixRule{KilledRule: r})
	}
	for i := range areas {
		a := &areas[i]
		for _, f := range m.Faults {
			if slices.ContainsFunc(f.Cells, func(c MatrixCell) bool {
				return slices.ContainsFunc(a.Rules, func(r matrixRule) bool { return r.ID == c.Rule })
			}) {
				a.Faults = append(a.Faults, f)
			}
		}
		for j, r := range a.Rules {
			rule := &a.Rules[j]
			for _, f := range a.Faults {
				mark := f.mark(r.ID)
				rule.Cells = append(rule.Cells, mark)
				if mark.Kill != "" {
					rule.Due++
				}
				if mark.Kill == Killed {
					rule.Killed++
				}
			}
		}
	}
	return areas
}

func (f FaultRow) mark(rule string) matrixMark {
	for _, c := range f.Cells {
		if c.Rule == rule {
			return matrixMark{Kill: c.Kill, Title: f.Name + " at " + rule + ": " + string(c.Kill)}
		}
	}
	if slices.Contains(f.Also, rule) {
		return matrixMark{Also: true, Title: f.Name + " at " + rule + ": noticed as well"}
	}
	return matrixMark{}
}
