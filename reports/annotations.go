package reports

import (
	"fmt"
	"io"
	"strings"
)

// maxAnnotations is how many annotations of one kind GitHub shows for a step
// (https://docs.github.com/en/rest/checks/runs); the last tells of the rest.
const maxAnnotations = 10

// WriteAnnotations writes what is not in order as workflow commands, which
// GitHub shows beside the job: an error for each rule that is broken or could
// not be judged, a warning for each SHOULD that is not kept. A rule is told
// once, with the first scenario that found it. Where none says why the run is
// not green, the verdict does.
func WriteAnnotations(w io.Writer, r Results) error {
	var b strings.Builder
	for _, kind := range []struct {
		command  string
		outcomes []Outcome
	}{
		{"error", []Outcome{Error, Fail, CouldNotRun, UnexpectedPass}},
		{"warning", []Outcome{Warn}},
	} {
		annotate(&b, r, kind.command, kind.outcomes)
	}
	if ExitCode(r) != ExitConformant && !strings.Contains(b.String(), "::error ") {
		fmt.Fprintf(&b, "::error title=%s::%s\n", commandProperty(verdictWord(r)), commandText(strings.Join(append(reasons(r), exitLine(r)), " ")))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func annotate(b *strings.Builder, r Results, command string, outcomes []Outcome) {
	byID := make(map[string]Scenario, len(r.Scenarios))
	for _, s := range r.Scenarios {
		byID[s.ID] = s
	}
	var found []string
	for _, o := range outcomes {
		for _, rule := range r.Rules {
			if rule.Outcome != o {
				continue
			}
			for _, id := range rule.Scenarios {
				if s := byID[id]; s.Outcome == o {
					found = append(found, annotation(command, rule, s))
					break
				}
			}
		}
	}
	for i, text := range found {
		if i == maxAnnotations-1 && len(found) > maxAnnotations {
			fmt.Fprintf(b, "::%s title=%d more rules::See the job's summary, or %s.\n", command, len(found)-i, HTMLName)
			return
		}
		b.WriteString(text)
	}
}

func annotation(command string, rule Rule, s Scenario) string {
	text := rule.Statement + "\n" + headline(s)
	if s.Rerun != "" {
		text += "\nrun again: " + oneLine(s.Rerun)
	}
	return fmt.Sprintf("::%s file=%s,line=%d,title=%s::%s\n", command, commandProperty(featuresFolder+s.File), s.Line,
		commandProperty(fmt.Sprintf("%s %s: %s", rule.ID, rule.Level, s.Outcome)), commandText(text))
}

// commandText and commandProperty escape what ends a workflow command, or one
// of its properties.
func commandText(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(printable(s))
}

func commandProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(commandText(s))
}
