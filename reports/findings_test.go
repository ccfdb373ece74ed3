package reports

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// crowded is a run in which rule SUB-R000 is broken by many scenarios, which come
// first, and each of so many other rules by two, all in different ways.
func crowded(many, others int) Results {
	var ids []string
	for i := range others + 1 {
		ids = append(ids, fmt.Sprintf("r%03d", i))
	}
	r := planned(ids...)
	own := r.Scenarios
	r.Scenarios = nil
	add := func(of Scenario, n int) {
		for i := range n {
			s := ended(of, Fail)
			s.ID = fmt.Sprintf("%s-%d", of.ID, i)
			s.Failure.Actual = "the answer of " + s.ID
			r.Scenarios = append(r.Scenarios, s)
		}
	}
	add(own[0], many)
	for _, s := range own[1:] {
		add(s, 2)
	}
	return r.Derive()
}

// toldOf is how many stories a text tells of the rule of a number.
func toldOf(text string, rule int) int {
	return strings.Count(text, fmt.Sprintf("the answer of r%03d-", rule))
}

func TestTheConsoleTellsSomeOfEveryRuleAndCountsTheRest(t *testing.T) {
	t.Parallel()
	got := summary(t, Console{Dir: "out"}, crowded(100, 10))
	for rule, want := range []int{0: maxOfRule, 1: 2, 10: 2} {
		if n := toldOf(got, rule); n != want && want > 0 {
			t.Errorf("%d stories of rule %d, want %d", n, rule, want)
		}
	}
	for _, want := range []string{"\nand 97 more of SUB-R000\n", "\nout/report.html tells them all.\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("does not say %q", want)
		}
	}
	if strings.Contains(got, "of SUB-R001\n") || strings.Contains(got, FileName) {
		t.Error("something is counted that was told, or the reader is sent to " + FileName)
	}
	if strings.Contains(summary(t, Console{}, crowded(maxOfRule, 2)), HTMLName) {
		t.Error("all was told, and the reader is sent elsewhere")
	}

	// With more rules than there is room for, none has a second story.
	got = summary(t, Console{}, crowded(100, maxStories+4))
	for rule := range maxStories {
		if n := toldOf(got, rule); n != 1 {
			t.Errorf("%d stories of rule %d, want 1", n, rule)
		}
	}
	if n := strings.Count(got, "run again"); n != maxStories {
		t.Errorf("%d stories, want %d", n, maxStories)
	}
	for _, want := range []string{"\nand 99 more of SUB-R000\n", "\nand 1 more of SUB-R001\n", fmt.Sprintf("\nand 2 of SUB-R%03d\n", maxStories+4)} {
		if !strings.Contains(got, want) {
			t.Errorf("does not say %q", want)
		}
	}
}

func TestTheSummaryTellsSomeOfEveryRuleWhereNotAllFit(t *testing.T) {
	t.Parallel()
	r := crowded(600, 10)
	for i := range r.Scenarios {
		r.Scenarios[i].Failure.Actual += strings.Repeat(" and more", 400)
	}
	text := written(t, WriteMarkdown, r)
	for rule := 1; rule <= 10; rule++ {
		if n := toldOf(text, rule); n != 2 {
			t.Errorf("%d stories of rule %d, want 2", n, rule)
		}
	}
	if told := toldOf(text, 0); told < 10 || !strings.Contains(text, fmt.Sprintf("\nand %d more of SUB-R000\n", 600-told)) {
		t.Errorf("%d stories of the rule with most, and the rest is not counted", told)
	}
	if !strings.Contains(text, "report.html tells them all") {
		t.Error("the reader is not sent to the page")
	}
}

func TestTheSummaryTellsOnceWhatFailedInTheVerySameWay(t *testing.T) {
	t.Parallel()
	text := written(t, WriteMarkdown, with(Fail, Fail, Fail))
	if n := strings.Count(text, "<details><summary><b>FAIL"); n != 1 || !strings.Contains(text, "(SUB-SA), and 2 scenarios in the same way</summary>") || !strings.Contains(text, "the same    sb (SUB-SB)\n") {
		t.Errorf("%d stories of one failure:\n%s", n, text)
	}
}

// Who is sent to the page finds there whatever is not in order: also what a rule
// is not told by, because another of its scenarios could not run.
func TestThePageTellsOfARuleThatCouldNotBeJudgedToo(t *testing.T) {
	t.Parallel()
	r := with(Warn, CouldNotRun)
	r.Rules = r.Rules[:1]
	r.Scenarios[1].Rules = r.Scenarios[0].Rules
	r = r.Derive()
	if o := r.Rules[0].Outcome; o != CouldNotRun {
		t.Fatalf("the rule is %s", o)
	}
	if text := readableText(htmlOf(t, r, fstest.MapFS{})); !strings.Contains(text, "Found by 1 scenario. ! warn Scenario sa") {
		t.Errorf("the warning is lost:\n%s", text)
	}
}

func TestFindingsComeInTheOrderOfTheirOutcomesAndThenOfTheCatalogue(t *testing.T) {
	t.Parallel()
	var order []string
	for _, f := range findings(with(Warn, Fail, Pass, Error, CouldNotRun, Fail), Error, Fail, Warn) {
		order = append(order, f.ID)
	}
	if want := []string{"SUB-SD", "SUB-SB", "SUB-SF", "SUB-SA"}; !slices.Equal(order, want) {
		t.Errorf("the order is %v, want %v", order, want)
	}
}

func TestListsTakeTurns(t *testing.T) {
	t.Parallel()
	lists := []string{"abc", "", "d", "ef"}
	var got strings.Builder
	for i, j := range inTurn(len(lists), func(i int) int { return len(lists[i]) }) {
		got.WriteByte(lists[i][j])
		if lists[i][j] == 'f' {
			break
		}
	}
	if got.String() != "adebf" {
		t.Errorf("the order is %q, want %q", &got, "adebf")
	}
}
