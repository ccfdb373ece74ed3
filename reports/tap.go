package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteTAP writes r in the Test Anything Protocol, version 14
// (https://testanything.org/tap-version-14-specification.html): one line for
// each scenario, its description the scenario's id.
//
// not-applicable is SKIP. expected-fail is "not ok" with TODO, which readers
// count as known; could-not-run, unexpected-pass and error are "not ok". Every
// line but a plain pass has a YAML block with the story. Where no line says why
// the run is not green, one named "verdict" does.
func WriteTAP(w io.Writer, r Results) error {
	st := newStory(r, junitWidth, "", paint{})
	var lines strings.Builder
	n, broken := 0, false
	for _, s := range r.Scenarios {
		n++
		ok, directive := tapStatus(s)
		broken = broken || ok == "not ok" && directive == ""
		fmt.Fprintf(&lines, "%s %d - %s%s\n", ok, n, tapText(s.ID), directive)
		if s.Outcome != Pass {
			tapBlock(&lines, string(s.Outcome), headline(s), st.of(s), s.DurationMs)
		}
	}
	if code := ExitCode(r); code != ExitConformant && !broken {
		n++
		fmt.Fprintf(&lines, "not ok %d - verdict\n", n)
		tapBlock(&lines, string(r.Verdict), fmt.Sprintf("exit code %d", code), explain(r, junitWidth, paint{}), 0)
	}
	_, err := fmt.Fprintf(w, "TAP version 14\n1..%d\n%s", n, lines.String())
	return err
}

func tapStatus(s Scenario) (ok, directive string) {
	switch s.Outcome {
	case Pass, Warn:
		return "ok", ""
	case NotApplicable:
		return "ok", " # SKIP " + tapText(s.Reason)
	case ExpectedFail:
		return "not ok", " # TODO " + tapText(s.Reason)
	}
	return "not ok", ""
}

// tapText is one line in which nothing begins a directive.
func tapText(s string) string {
	return strings.NewReplacer(`\`, `\\`, "#", `\#`).Replace(cut(oneLine(s), 500))
}

// tapBlock writes a YAML block. Strings are written as JSON writes them, which
// YAML reads the same, but for the story, which stays readable.
func tapBlock(b *strings.Builder, outcome, message, story string, ms int64) {
	fmt.Fprintf(b, "  ---\n  outcome: %s\n  message: %s\n  duration_ms: %d\n  story: |2\n", outcome, yamlString(message), ms)
	for line := range strings.Lines(story) {
		b.WriteString(strings.TrimRight("    "+line, " \n") + "\n")
	}
	b.WriteString("  ...\n")
}

func yamlString(s string) string {
	text, err := json.Marshal(s)
	if err != nil { // a string cannot fail to be marshalled
		return `""`
	}
	return string(text)
}
