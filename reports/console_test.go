package reports

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s (go test ./reports -update writes it anew):\n%s", path, got)
	}
}

func summary(t *testing.T, c Console, r Results) string {
	t.Helper()
	var b bytes.Buffer
	c.Out = &b
	if err := c.Summary(r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSummary(t *testing.T) {
	t.Parallel()
	unreachable := with(CouldNotRun, CouldNotRun, CouldNotRun)
	unfinished := with(Pass)
	unfinished.Verdict = Incomplete
	for name, tt := range map[string]struct {
		console Console
		results Results
	}{
		"everything":     {Console{Dir: "hookproof-report"}, everything()},
		"narrow":         {Console{Dir: "hookproof-report", Width: 72}, everything()},
		"conformant":     {Console{}, with(Pass, Pass, NotApplicable)},
		"unreachable":    {Console{}, unreachable},
		"nothing-run":    {Console{}, with()},
		"unfinished":     {Console{}, unfinished},
		"known-failures": {Console{}, with(Pass, ExpectedFail)},
		"warnings":       {Console{}, with(Pass, Warn)},
		"quiet":          {Console{Quiet: true}, everything()},
		"quiet-reason":   {Console{Quiet: true}, unreachable},
		"colours":        {Console{Terminal: true}, with(Pass, Fail)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, "summary-"+name, summary(t, tt.console, tt.results))
		})
	}
}

func TestNothingButWhatIsCopiedIsWiderThanTheConsole(t *testing.T) {
	t.Parallel()
	for _, width := range []int{0, 72, 80, 120} {
		limit := width
		if width == 0 {
			limit = 80
		}
		r := everything()
		r.Rules[0].Area = strings.Repeat("very-", 20) + "long"
		for _, line := range strings.Split(summary(t, Console{Width: width, Dir: "d"}, r), "\n") {
			if n := utf8.RuneCountInString(line); n > limit && !strings.Contains(line, "run again") {
				t.Errorf("width %d: %d columns: %s", width, n, line)
			}
		}
	}
}

func TestColoursOnlyOnATerminalAndOnlyIfWanted(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		console Console
		want    bool
	}{
		"no terminal":           {Console{}, false},
		"terminal":              {Console{Terminal: true}, true},
		"terminal and NO_COLOR": {Console{Terminal: true, NoColor: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := summary(t, tt.console, everything())
			if strings.Contains(got, "\x1b") != tt.want {
				t.Errorf("escape codes: %v, want %v", !tt.want, tt.want)
			}
			plain := regexp.MustCompile("\x1b\\[[0-9]+m").ReplaceAllString(got, "")
			if plain != summary(t, Console{}, everything()) {
				t.Errorf("colours change the text:\n%s", plain)
			}
		})
	}
}

func TestValuesOfATargetCannotDriveTheTerminal(t *testing.T) {
	t.Parallel()
	r := with(Fail, CouldNotRun, Error)
	evil := "\x1b]0;title\x07\x1b[2J\r\b\u202e\u009b31m\xff\x00"
	r.Scenarios[0].Failure = &Failure{Expected: evil, Actual: evil, Message: evil, Step: evil, At: evil}
	r.Scenarios[1].Reason, r.Scenarios[2].Reason = evil, evil
	r.Scenarios[0].Name, r.Scenarios[0].Rerun, r.Scenarios[0].File = evil, evil, evil
	r.Target.Name, r.Rules[0].Statement, r.Rules[0].Area = evil, evil, evil
	var b bytes.Buffer
	c := Console{Out: &b}
	p := c.Progress(1)
	p.Done(r.Scenarios[0])
	p.Finish()
	if err := c.Summary(r); err != nil {
		t.Fatal(err)
	}
	for _, ch := range []rune{0x1b, 0x07, '\r', '\b', 0x202e, 0x9b, 0, utf8.RuneError} {
		if strings.ContainsRune(b.String(), ch) {
			t.Errorf("%U reached the terminal", ch)
		}
	}
}

func TestLongValuesAreCut(t *testing.T) {
	t.Parallel()
	r := with(Fail)
	r.Scenarios[0].Failure.Actual = strings.Repeat("line\n", 1000)
	r.Scenarios[0].Failure.Expected = strings.Repeat("x", 100_000)
	got := summary(t, Console{}, r)
	for _, want := range []string{"… (100000 bytes in all)", "… (1000 lines in all)"} {
		if !strings.Contains(got, want) {
			t.Errorf("does not say %q", want)
		}
	}
	if len(got) > 20_000 {
		t.Errorf("%d bytes for one failure", len(got))
	}
}

// unwrapped is text without its line breaks and columns.
func unwrapped(text string) string { return strings.Join(strings.Fields(text), " ") }

func TestWhatFailsAlikeIsToldOnceAndNamedInTheVerdict(t *testing.T) {
	t.Parallel()
	failing := func(n int, actual func(int) string) Results {
		r := with(make([]Outcome, n)...)
		for i := range r.Scenarios {
			r.Scenarios[i] = ended(r.Scenarios[i], Fail)
			r.Scenarios[i].Failure.Actual = actual(i)
		}
		return r.Derive()
	}
	const shared = "All of these met the same"
	got := summary(t, Console{}, failing(12, func(int) string { return "POST /v1/environments is answered 404" }))
	for _, want := range []string{"  the same    sb (SUB-SB)\n", "\n              … and 1 more\n", shared, "one cause: POST /v1/environments is answered 404", "«hookproof doctor»"} {
		if !strings.Contains(unwrapped(got), unwrapped(want)) {
			t.Errorf("does not say %q:\n%s", want, got)
		}
	}
	if n := strings.Count(got, "run again"); n != 1 {
		t.Errorf("%d stories of one failure", n)
	}
	got = summary(t, Console{}, failing(12, func(i int) string { return fmt.Sprintf("status 401 to a delivery of %d bytes", i) }))
	if !strings.Contains(unwrapped(got), "an answer with status 401") || strings.Count(got, "run again") != 12 {
		t.Errorf("one status in twelve failures that differ:\n%s", got)
	}
	asReceiver := func(r Results) Results { r.Target.Role = "receiver"; return r }
	unauthorized := failing(12, func(int) string { return "status 401 with body no" })
	waiting := func(reason string) Results {
		r := with(make([]Outcome, 12)...)
		for i := range r.Scenarios {
			r.Scenarios[i] = ended(r.Scenarios[i], CouldNotRun)
			r.Scenarios[i].Reason = reason
		}
		return r.Derive()
	}
	for want, r := range map[string]Results{
		"an answer with status 401. If it asks for a key: --hook-header,":                               asReceiver(unauthorized),
		"an answer with status 401. Check what the run may do: --client-id":                             unauthorized,
		"an answer with status 404. Check the path in --target.":                                        asReceiver(failing(10, func(int) string { return "status 404 with body" })),
		"unknown authority. If the authority is one of your own, give it with --ca.":                    failing(10, func(i int) string { return fmt.Sprintf("none: %d: x509: certificate signed by unknown authority", i) }),
		"promise is broken. If the authority is one of your own, give it with --ca.":                    asReceiver(failing(1, func(int) string { return "no answer: x509: certificate signed by unknown authority" })),
		"connection refused. Nothing listens at that address":                                           waiting("at «a step»: expected an answer to POST read-back, got none: dial tcp 127.0.0.1:1: connect: connection refused"),
		"status 401. Check what the run may do":                                                         waiting("at «a step»: expected a status of 2xx in the answer to POST to the event hook, got status 401 with body no"),
		"12 scenarios among them had no turn: the run was ended before. Nothing was judged: a run that": waiting(NotBegun),
	} {
		if got := unwrapped(summary(t, Console{}, r)); !strings.Contains(got, want) {
			t.Errorf("does not say %q:\n%s", want, got)
		}
	}
	for name, r := range map[string]Results{
		"few":       failing(9, func(int) string { return "201" }),
		"different": failing(21, func(i int) string { return fmt.Sprint(i % 3) }),
	} {
		if got := summary(t, Console{}, r); strings.Contains(got, "one cause") || strings.Contains(got, "doctor") {
			t.Errorf("%s: a cause is made up:\n%s", name, got)
		}
	}
}

// closedPipe refuses everything.
type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, errors.New("closed") }

func TestASummaryThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	c := Console{Out: closedPipe{}}
	p := c.Progress(1)
	p.Done(with(Fail).Scenarios[0])
	p.Finish()
	if err := c.Summary(with(Pass)); err == nil {
		t.Error("no error")
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	env := map[string]string{"NO_COLOR": "1"}
	c := ConsoleFor(f, func(k string) string { return env[k] })
	if c.Terminal || !c.NoColor || c.Out != f {
		t.Errorf("console is %+v", c)
	}
}

func progress(t *testing.T, c Console, total int, scenarios []Scenario) string {
	t.Helper()
	var b bytes.Buffer
	c.Out = &b
	synctest.Test(t, func(t *testing.T) {
		p := c.Progress(total)
		for _, s := range scenarios {
			<-time.After(150 * time.Millisecond) // the bubble's clock, not the wall's
			p.Done(s)
		}
		p.Finish()
	})
	return b.String()
}

func TestPlainProgressTellsFailuresAtOnceAndTheRestNowAndThen(t *testing.T) {
	t.Parallel()
	outcomes := make([]Outcome, 25)
	for i := range outcomes {
		outcomes[i] = Pass
	}
	outcomes[3], outcomes[4], outcomes[11], outcomes[12] = Fail, NotApplicable, CouldNotRun, Warn
	golden(t, "progress-plain", progress(t, Console{}, 26, with(outcomes...).Scenarios))
}

func TestTerminalProgressDrawsABarAndTakesItAway(t *testing.T) {
	t.Parallel()
	r := with(Pass, Fail, Pass)
	for _, total := range []int{3, 5} {
		got := progress(t, Console{Terminal: true}, total, r.Scenarios)
		for _, want := range []string{fmt.Sprintf("(2/%d)", total), "1 to look at", "SUB-SB  sb  features/emitter/subscriptions.feature:11: got 201\n"} {
			if !strings.Contains(got, want) {
				t.Errorf("no %q in %q", want, got)
			}
		}
		if !strings.HasSuffix(got, "\x1b[2K\r") {
			t.Errorf("the bar is left behind: %q", got[max(0, len(got)-80):])
		}
	}
}

func TestTheBarFitsIntoEightyColumns(t *testing.T) {
	t.Parallel()
	scenarios := with(make([]Outcome, 300)...).Scenarios
	for i := range scenarios {
		scenarios[i] = ended(scenarios[i], ScenarioOutcomes()[i%8])
	}
	got := progress(t, Console{Terminal: true, NoColor: true}, len(scenarios)+700, scenarios)
	for _, frame := range strings.FieldsFunc(got, func(r rune) bool { return r == '\r' || r == '\n' }) {
		frame = regexp.MustCompile("\x1b\\[[0-9]*K").ReplaceAllString(frame, "")
		if n := utf8.RuneCountInString(frame); n > 79 && strings.Contains(frame, "%") {
			t.Fatalf("%d columns: %q", n, frame)
		}
	}
}

func TestQuietProgressIsSilent(t *testing.T) {
	t.Parallel()
	for _, terminal := range []bool{false, true} {
		if got := progress(t, Console{Terminal: terminal, Quiet: true}, 3, with(Pass, Fail).Scenarios); got != "" {
			t.Errorf("wrote %q", got)
		}
	}
}

func TestProgressSurvivesMoreScenariosThanAnnounced(t *testing.T) {
	t.Parallel()
	for _, terminal := range []bool{false, true} {
		for _, total := range []int{0, 1} {
			got := progress(t, Console{Terminal: terminal}, total, with(Pass, Fail, Error).Scenarios)
			if !strings.Contains(got, "ERROR") {
				t.Errorf("total %d, terminal %v: lost the last scenario: %q", total, terminal, got)
			}
		}
	}
}
