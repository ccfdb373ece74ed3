package reports

import (
	"encoding/xml"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"time"
)

// JUnitName is the usual name of the JUnit report inside a report directory.
const JUnitName = "junit.xml"

// junitWidth is the column at which prose in JUnit bodies is wrapped; CI pages
// show them in a fixed font.
const junitWidth = 100

// WriteJUnit writes r as JUnit XML: a test suite for each role and area, a test
// case for each scenario, its name the scenario's id.
//
// A fail and an unexpected-pass are <failure>; could-not-run and error are
// <error>, so that no CI shows them green; not-applicable, expected-fail and a
// could-not-run that the baseline lists are <skipped> with the reason; a warn passes and says so in <system-out>. Bodies
// hold the whole story. Where no test case says why the run is not green
// (nothing ran, or it did not finish), a case named "verdict" does.
func WriteJUnit(w io.Writer, r Results) error {
	doc := junitDoc(r)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(doc); err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	return nil
}

type junitSuites struct {
	XMLName xml.Name `xml:"testsuites"`
	Name    string   `xml:"name,attr"`
	junitTotals
	Suites []*junitSuite `xml:"testsuite"`
}

type junitTotals struct {
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Skipped  int    `xml:"skipped,attr"`
	Time     string `xml:"time,attr"`
	ms       int64
}

type junitSuite struct {
	Name      string `xml:"name,attr"`
	Timestamp string `xml:"timestamp,attr"`
	junitTotals
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Classname string       `xml:"classname,attr"`
	Name      string       `xml:"name,attr"`
	File      string       `xml:"file,attr,omitempty"`
	Line      int          `xml:"line,attr,omitempty"`
	Time      string       `xml:"time,attr"`
	Failure   *junitDetail `xml:"failure"`
	Error     *junitDetail `xml:"error"`
	Skipped   *junitDetail `xml:"skipped"`
	SystemOut string       `xml:"system-out,omitempty"`
}

type junitDetail struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Body    string `xml:",chardata"`
}

func junitDoc(r Results) *junitSuites {
	st := newStory(r, junitWidth, "", paint{})
	doc := &junitSuites{Name: "hookproof"}
	byName := make(map[string]*junitSuite)
	for _, s := range r.Scenarios {
		name := st.place(s)
		suite := byName[name]
		if suite == nil {
			suite = newJUnitSuite(name, r)
			byName[name] = suite
			doc.Suites = append(doc.Suites, suite)
		}
		suite.add(junitCaseOf(name, s, st), s.DurationMs)
	}
	doc.total()
	if ExitCode(r) != ExitConformant && doc.Failures+doc.Errors == 0 {
		suite := newJUnitSuite("hookproof", r)
		suite.add(junitVerdict(r), 0)
		doc.Suites = append(doc.Suites, suite)
		doc.total()
	}
	return doc
}

// place is where a scenario belongs: role and area of its first rule, or the
// folder and name of its feature if that rule is not in the report.
func (st story) place(s Scenario) string {
	for _, id := range s.Rules {
		if rule, ok := st.rules[id]; ok {
			return oneLine(rule.Role + "." + rule.Area)
		}
	}
	return oneLine(filepath.ToSlash(s.File))
}

func newJUnitSuite(name string, r Results) *junitSuite {
	return &junitSuite{
		Name:      name,
		Timestamp: r.StartedAt.UTC().Format(time.RFC3339),
		Properties: []junitProperty{
			{"hookproof.version", oneLine(r.Suite.Version)},
			{"hookproof.revision", oneLine(r.Suite.Revision)},
			{"hookproof.seed", strconv.FormatInt(r.Seed, 10)},
			{"hookproof.verdict", string(r.Verdict)},
			{"target.role", oneLine(r.Target.Role)},
			{"target.kind", oneLine(r.Target.Kind)},
			{"target.name", oneLine(r.Target.Name)},
			{"target.version", oneLine(r.Target.Version)},
			{"target.url", oneLine(r.Target.URL)},
		},
	}
}

func (suite *junitSuite) add(c junitCase, ms int64) {
	suite.Cases = append(suite.Cases, c)
	suite.Tests++
	suite.ms += ms
	suite.Time = seconds(suite.ms)
	switch {
	case c.Failure != nil:
		suite.Failures++
	case c.Error != nil:
		suite.Errors++
	case c.Skipped != nil:
		suite.Skipped++
	}
}

func (doc *junitSuites) total() {
	var sum junitTotals
	for _, s := range doc.Suites {
		sum.Tests += s.Tests
		sum.Failures += s.Failures
		sum.Errors += s.Errors
		sum.Skipped += s.Skipped
		sum.ms += s.ms
	}
	sum.Time = seconds(sum.ms)
	doc.junitTotals = sum
}

func junitCaseOf(classname string, s Scenario, st story) junitCase {
	c := junitCase{
		Classname: classname,
		Name:      oneLine(s.ID),
		File:      oneLine(s.File),
		Line:      s.Line,
		Time:      seconds(s.DurationMs),
	}
	detail := &junitDetail{Message: headline(s), Type: string(s.Outcome), Body: st.of(s)}
	switch s.Outcome {
	case Pass:
	case Warn:
		c.SystemOut = detail.Body
	case Fail, UnexpectedPass:
		c.Failure = detail
	case NotApplicable, ExpectedFail:
		c.Skipped = detail
		detail.Type = ""
	case CouldNotRun:
		if s.Listed(st.results.Baseline) {
			c.Skipped = detail
			detail.Type = ""
			break
		}
		c.Error = detail
	default:
		c.Error = detail
	}
	return c
}

// headline is the outcome of s in one line: its reason, or what was expected
// and what was there instead.
func headline(s Scenario) string {
	text := s.Reason
	if text == "" && s.Failure != nil {
		text = fmt.Sprintf("expected %s, got %s", s.Failure.Expected, s.Failure.Actual)
	}
	return cut(oneLine(text), 500)
}

func junitVerdict(r Results) junitCase {
	return junitCase{
		Classname: "hookproof",
		Name:      "verdict",
		Time:      seconds(0),
		Error: &junitDetail{
			Message: fmt.Sprintf("%s (exit code %d)", r.Verdict, ExitCode(r)),
			Type:    string(r.Verdict),
			Body:    explain(r, junitWidth, paint{}),
		},
	}
}

func seconds(ms int64) string {
	return strconv.FormatFloat(float64(ms)/1000, 'f', 3, 64)
}
