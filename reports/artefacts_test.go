package reports

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func written(t *testing.T, write func(io.Writer, Results) error, r Results) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTextReports(t *testing.T) {
	t.Parallel()
	unfinished := with(Pass)
	unfinished.Verdict = Incomplete
	for name, r := range map[string]Results{"everything": everything(), "conformant": with(Pass, Pass, NotApplicable), "unfinished": unfinished} {
		for format, write := range map[string]func(io.Writer, Results) error{
			"markdown": WriteMarkdown, "tap": WriteTAP, "ctrf": WriteCTRF, "annotations": WriteAnnotations,
			"badge-json": WriteBadgeJSON, "badge-svg": WriteBadgeSVG,
		} {
			t.Run(format+"/"+name, func(t *testing.T) {
				t.Parallel()
				golden(t, format+"-"+name, written(t, write, r))
			})
		}
	}
}

// Whoever sees a green badge thinks of the whole.
func TestTheBadgeOfASelectionIsNotGreen(t *testing.T) {
	t.Parallel()
	kept, broken := with(Pass), with(Fail)
	kept.Selection.Rules, broken.Selection.Rules = []string{"A"}, []string{"A"}
	if b := badgeOf(kept); b.color != "blue" || !strings.HasPrefix(b.message, "a selection · 1 of 1") {
		t.Errorf("the badge of a selection is %+v", b)
	}
	if b := badgeOf(broken); b.color != "red" {
		t.Errorf("the badge of a selection that fails is %+v", b)
	}
}

// A heading is all that many read of a report.
func TestNoHeadingIsGreenUnlessTheExitCodeIs(t *testing.T) {
	t.Parallel()
	mended := with(Pass, UnexpectedPass)
	gone := with(Pass, NotApplicable)
	gone.Baseline = []Known{{ID: "sb", Reason: "why", Expires: "2027-01-31", Message: "*"}}
	interrupted, unfinished := with(Fail), with(Pass)
	interrupted.Verdict, unfinished.Verdict = Incomplete, Incomplete
	for name, tt := range map[string]struct {
		results Results
		word    string
		green   bool
	}{
		"kept":                     {with(Pass, Warn, NotApplicable), "CONFORMANT", true},
		"a baseline that is old":   {mended, "CONFORMANT, BASELINE OUT OF DATE", false},
		"an entry without use":     {gone.Derive(), "CONFORMANT, BASELINE OUT OF DATE", false},
		"broken, and old":          {with(ExpectedFail, UnexpectedPass), "NON-CONFORMANT, BASELINE OUT OF DATE", false},
		"broken":                   {with(Fail), "NON-CONFORMANT", false},
		"broken, and known":        {with(ExpectedFail), "NON-CONFORMANT", false},
		"broken, and not finished": {interrupted, "INCOMPLETE", false},
		"not finished":             {unfinished, "INCOMPLETE", false},
		"an error of the suite":    {with(Pass, Error), "INCOMPLETE, SUITE ERROR", false},
	} {
		r := tt.results
		markdown, page, badge := written(t, WriteMarkdown, r), htmlOf(t, r, fstest.MapFS{}), badgeOf(r)
		for format, green := range map[string]bool{
			"markdown": strings.HasPrefix(markdown, "# ✅"),
			"html":     strings.Contains(page, `verdict-conformant"`),
			"badge":    badge.color == "brightgreen" || badge.rgb == "#1f7a3d",
			"console":  strings.Contains(summary(t, Console{Terminal: true}, r), ansiGreen+tt.word),
			"quiet":    strings.HasPrefix(summary(t, Console{Terminal: true, Quiet: true}, r), ansiBold+ansiGreen),
		} {
			if green != tt.green {
				t.Errorf("%s: %s is green: %v, want %v", name, format, green, tt.green)
			}
		}
		if _, word, _ := strings.Cut(markdown[:strings.Index(markdown, "\n")], " "); !strings.HasSuffix(word, " "+tt.word) || !strings.Contains(page, `<span class="stamp">`+tt.word+"<") {
			t.Errorf("%s: the headings are %q and another, want %q", name, word, tt.word)
		}
		if strings.Contains(readableText(page), "Nothing broken was seen") && strings.Contains(tt.word+name, "broken") {
			t.Errorf("%s: the page says that nothing broken was seen", name)
		}
	}
	if b := badgeOf(mended); b.message != "baseline out of date" {
		t.Errorf("the badge says %q", b.message)
	}
}

func TestTheSummaryNestsTheReasonsUnderTheirCount(t *testing.T) {
	t.Parallel()
	r := with(Pass, NotApplicable, NotApplicable, NotApplicable)
	r.Scenarios[3].Reason = "the target does not claim #this"
	want := "\n\n- 1 kept\n- 3 not claimed by the target\n  - 2: because of not-applicable\n  - 1: the target does not claim \\#this\n\n"
	if text := written(t, WriteMarkdown, r.Derive()); !strings.Contains(text, want) {
		t.Errorf("want %q in\n%s", want, text)
	}
}

func TestAFolderGetsEveryReport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := WriteAll(dir, everything()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{HTMLName, MarkdownName, JUnitName, CTRFName, CucumberName, TAPName, BadgeJSONName, BadgeSVGName} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || len(text) < 50 {
			t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
	}
}

func TestOneReportThatCannotBeWrittenLeavesTheOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, MarkdownName, "in-the-way"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteAll(dir, everything()); err == nil || !strings.Contains(err.Error(), MarkdownName) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, BadgeSVGName)); err != nil {
		t.Error(err)
	}
}

// nested is text that does its worst in every format.
const nested = "</script><img src=x onerror=alert(1)>\n::error::no\n```\n# not a heading | cell\n...\n]]>\x1b[31m\u202e"

func hostile() Results {
	r := with(Fail, CouldNotRun, ExpectedFail, Warn)
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		s.Name, s.Reason = nested, nested
		if s.Failure != nil {
			s.Failure.Expected, s.Failure.Actual, s.Failure.Message, s.Failure.Step = nested, nested, nested, nested
		}
	}
	r.Target.Name = nested
	for i := range r.Rules {
		r.Rules[i].Statement = nested
	}
	return r.Derive()
}

func TestNoTextOfATargetActsOnItsReader(t *testing.T) {
	t.Parallel()
	for _, a := range artefacts() {
		var b bytes.Buffer
		if err := a.write(&b, hostile(), fstest.MapFS{}); err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"\x1b", "\u202e"} {
			if strings.Contains(b.String(), bad) && a.name != CucumberName {
				t.Errorf("%s holds %q", a.name, bad)
			}
		}
		if a.name == HTMLName && strings.Contains(b.String(), "<img") {
			t.Errorf("%s holds the target's markup", a.name)
		}
	}
	for line := range strings.Lines(written(t, WriteAnnotations, hostile())) {
		if !strings.HasPrefix(line, "::error file=") && !strings.HasPrefix(line, "::warning file=") {
			t.Errorf("a command of the target's: %s", line)
		}
	}
	inBlock := false
	for line := range strings.Lines(written(t, WriteTAP, hostile())) {
		switch {
		case line == "  ---\n":
			inBlock = true
		case line == "  ...\n":
			inBlock = false
		case !inBlock && !strings.HasPrefix(line, "ok ") && !strings.HasPrefix(line, "not ok ") && !strings.HasPrefix(line, "1..") && line != "TAP version 14\n":
			t.Errorf("no line of TAP: %s", line)
		}
	}
	fence := ""
	for line := range strings.Lines(written(t, WriteMarkdown, hostile())) {
		line = strings.TrimSpace(line)
		switch {
		case fence == "" && strings.HasSuffix(line, "`text"):
			fence = strings.TrimSuffix(line, "text")
		case line == fence:
			fence = ""
		case fence == "" && strings.Contains(line, "<img"):
			t.Errorf("the target's markup: %s", line)
		}
	}
	if fence != "" {
		t.Error("a code block does not end")
	}
}

func TestASummaryStaysBelowAMebibyteAndSaysWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	outcomes := make([]Outcome, 600)
	for i := range outcomes {
		outcomes[i] = Fail
	}
	r := planned(make([]string, 0)...)
	ids := make([]string, len(outcomes))
	for i := range ids {
		ids[i] = fmt.Sprintf("s%03d", i)
	}
	r = planned(ids...)
	for i := range r.Scenarios {
		r.Scenarios[i] = ended(r.Scenarios[i], Fail)
		r.Scenarios[i].Failure.Actual = r.Scenarios[i].ID + strings.Repeat("x", maxValue)
	}
	for i := range 300 {
		r.Rules = append(r.Rules, Rule{ID: fmt.Sprintf("NON-%03d", i), Role: "emitter", Area: "idle", Level: "MUST", Statement: "s", Reason: strings.Repeat("because ", 1000)})
	}
	text := written(t, WriteMarkdown, r.Derive())
	if len(text) > maxMarkdown || !strings.Contains(text, "they did not fit here") || !strings.Contains(text, "more: see") {
		t.Errorf("%d bytes", len(text))
	}
	var page bytes.Buffer
	if err := WriteHTML(&page, r.Derive(), fstest.MapFS{}); err != nil || page.Len() > 16<<20 {
		t.Errorf("the page has %d bytes, %v", page.Len(), err)
	}
}

func TestTAPIsGreenOnlyWhereTheRunIs(t *testing.T) {
	t.Parallel()
	for _, r := range []Results{everything(), with(), with(CouldNotRun), with(Error), with(UnexpectedPass), with(Pass, Warn, NotApplicable), with(Pass, ExpectedFail)} {
		red, n := false, 0
		for line := range strings.Lines(written(t, WriteTAP, r)) {
			if strings.HasPrefix(line, "ok ") || strings.HasPrefix(line, "not ok ") {
				n++
			}
			red = red || strings.HasPrefix(line, "not ok ") && !strings.Contains(line, "# TODO")
		}
		if text := written(t, WriteTAP, r); red != (ExitCode(r) != ExitConformant) || !strings.Contains(text, fmt.Sprintf("\n1..%d\n", n)) {
			t.Errorf("exit code %d:\n%s", ExitCode(r), text)
		}
	}
}

func TestNoNameIsADirectiveOfTAP(t *testing.T) {
	t.Parallel()
	r := with(Fail)
	r.Scenarios[0].ID = "it fails # TODO later"
	if text := written(t, WriteTAP, r.Derive()); !strings.Contains(text, `not ok 1 - it fails \# TODO later`+"\n") {
		t.Errorf("got %s", text)
	}
}

func TestABadgeIsWellFormed(t *testing.T) {
	t.Parallel()
	var svg struct {
		XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
		Title   string   `xml:"title"`
	}
	if err := xml.Unmarshal([]byte(written(t, WriteBadgeSVG, everything())), &svg); err != nil || !strings.Contains(svg.Title, "suite error") {
		t.Errorf("%q, %v", svg.Title, err)
	}
	var shield map[string]any
	if err := json.Unmarshal([]byte(written(t, WriteBadgeJSON, with(Pass))), &shield); err != nil || shield["schemaVersion"] != 1.0 || shield["message"] != "conformant · 1 of 1 rules kept" {
		t.Errorf("%v, %v", shield, err)
	}
}
