package reports

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/joshdk/go-junit"
	"pgregory.net/rapid"
)

func writeJUnit(t interface {
	Helper()
	Fatal(...any)
}, r Results) (string, map[string]junit.Test) {
	t.Helper()
	var b bytes.Buffer
	if err := WriteJUnit(&b, r); err != nil {
		t.Fatal(err)
	}
	suites, err := junit.Ingest(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	tests := make(map[string]junit.Test)
	for _, s := range suites {
		for _, c := range s.Tests {
			tests[c.Name] = c
		}
	}
	return b.String(), tests
}

func TestJUnitTellsEachOutcomeInItsOwnWay(t *testing.T) {
	t.Parallel()
	r := everything()
	_, tests := writeJUnit(t, r)
	if len(tests) != len(r.Scenarios) {
		t.Fatalf("%d test cases for %d scenarios", len(tests), len(r.Scenarios))
	}
	want := map[Outcome]junit.Status{
		Pass: junit.StatusPassed, Warn: junit.StatusPassed,
		NotApplicable: junit.StatusSkipped, ExpectedFail: junit.StatusSkipped,
		Fail: junit.StatusFailed, UnexpectedPass: junit.StatusFailed,
		CouldNotRun: junit.StatusError, Error: junit.StatusError,
	}
	for _, s := range r.Scenarios {
		c := tests[s.ID]
		if c.Status != want[s.Outcome] {
			t.Errorf("%s is %s, want %s", s.Outcome, c.Status, want[s.Outcome])
		}
		if c.Classname != "emitter.subscriptions" || c.Duration != 12*time.Millisecond {
			t.Errorf("%s has class name %q and took %v", s.Outcome, c.Classname, c.Duration)
		}
		if s.Outcome != Pass && s.Outcome != Warn && !strings.Contains(c.Message, headline(s)) {
			t.Errorf("%s has message %q, want %q", s.Outcome, c.Message, headline(s))
		}
		if s.Outcome == Warn && !strings.Contains(c.SystemOut, "status is 201") {
			t.Errorf("a warning says %q", c.SystemOut)
		}
	}
}

func TestJUnitFailureBodyTellsTheWholeStory(t *testing.T) {
	t.Parallel()
	r := everything()
	_, tests := writeJUnit(t, r)
	for _, s := range r.Scenarios {
		if s.Outcome != Fail {
			continue
		}
		var e junit.Error
		if !errors.As(tests[s.ID].Error, &e) {
			t.Fatalf("no failure in %+v", tests[s.ID])
		}
		if e.Type != "fail" {
			t.Errorf("type is %q", e.Type)
		}
		for _, want := range []string{
			"SUB-LIMIT-051", "MUST", "at most 50 subscriptions", "https://docs.example.com/create",
			"The fifty-first subscription", "emitter/subscriptions.feature:16", "Then it is refused",
			`"code": "LIMIT_EXCEEDED"`, "the answer to the 51st POST was 201", s.Transcript, s.Rerun,
		} {
			if !strings.Contains(e.Body, want) {
				t.Errorf("the body lacks %q:\n%s", want, e.Body)
			}
		}
	}
}

func TestJUnitTotalsAgree(t *testing.T) {
	t.Parallel()
	text, _ := writeJUnit(t, everything())
	if want := `<testsuites name="hookproof" tests="8" failures="2" errors="2" skipped="2" time="0.096">`; !strings.Contains(text, want) {
		t.Errorf("no %s in\n%.300s", want, text)
	}
}

func TestJUnitIsNeverGreenWhereTheRunIsNot(t *testing.T) {
	t.Parallel()
	unfinished := with(Pass, Pass)
	unfinished.Verdict = Incomplete
	for name, r := range map[string]Results{
		"nothing run":        with(),
		"nothing applicable": with(NotApplicable),
		"not finished":       unfinished,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, tests := writeJUnit(t, r)
			c, ok := tests["verdict"]
			if !ok || c.Status != junit.StatusError || !strings.Contains(c.Message, "exit code 3") {
				t.Errorf("verdict case is %+v", c)
			}
		})
	}
	if _, tests := writeJUnit(t, with(Pass)); len(tests) != 1 {
		t.Errorf("a green run has cases %v", tests)
	}
}

func TestJUnitIsWellFormedWhateverTheTargetSent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := with(Fail, CouldNotRun)
		raw := string(rapid.SliceOf(rapid.Byte()).Draw(t, "raw"))
		r.Scenarios[0].Failure.Actual = raw
		r.Scenarios[0].Failure.Message = raw
		r.Scenarios[1].Reason = raw + "]]>\x00\uFFFE\u202e"
		r.Target.Name = raw
		text, _ := writeJUnit(t, r)
		if !utf8.ValidString(text) || strings.ContainsRune(text, utf8.RuneError) {
			t.Fatalf("not clean: %q", text)
		}
		d := xml.NewDecoder(strings.NewReader(text))
		for {
			if _, err := d.Token(); err == io.EOF {
				return
			} else if err != nil {
				t.Fatalf("%v in %q", err, text)
			}
		}
	})
}
