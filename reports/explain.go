package reports

import (
	"fmt"
	"strings"
)

// explain says the verdict in words: what was judged, how much of it was
// observed, and everything that keeps the run from being green.
func explain(r Results, width int, p paint) string {
	var b strings.Builder
	word := strings.ToUpper(string(r.Verdict))
	if word == "" {
		word = "NO VERDICT"
	}
	fmt.Fprintf(&b, "%s  %s\n", p.verdict(r.Verdict, word), judgedTarget(r))
	for _, line := range append(observed(r), reasons(r)...) {
		for i, part := range wrap(line, max(20, width-4)) {
			lead := "  "
			if i > 0 {
				lead = "    "
			}
			b.WriteString(lead + part + "\n")
		}
	}
	return b.String()
}

// judgedTarget names what was judged, and against what.
func judgedTarget(r Results) string {
	name := r.Target.Name
	if name == "" {
		name = r.Target.Kind
	}
	if r.Target.Version != "" {
		name += " " + r.Target.Version
	}
	role := r.Target.Role
	if role == "both" {
		role = "emitter and receiver"
	}
	return oneLine(fmt.Sprintf("%s as %s, revision %s, seed %d", name, role, r.Suite.Revision, r.Seed))
}

func observed(r Results) []string {
	n := make(map[Outcome]int)
	judgedRules := 0
	for _, rule := range r.Rules {
		n[rule.Outcome]++
		if rule.Outcome.Judged() {
			judgedRules++
		}
	}
	line := fmt.Sprintf("%d of %s observed", judgedRules, plural(len(r.Rules), "rule"))
	var rest []string
	for _, part := range []struct {
		outcome Outcome
		words   string
	}{
		{Pass, "kept"},
		{Fail, "broken"},
		{ExpectedFail, "broken as the baseline says"},
		{UnexpectedPass, "kept although the baseline says broken"},
		{Warn, "not kept, and only recommended"},
		{CouldNotRun, "could not be judged"},
		{Error, "lost to the suite's own errors"},
		{NotApplicable, "not claimed by the target"},
		{NotObserved, "declared, not observed"},
	} {
		if n[part.outcome] > 0 {
			rest = append(rest, fmt.Sprintf("%d %s", n[part.outcome], part.words))
		}
	}
	if len(rest) > 0 {
		line += ": " + strings.Join(rest, ", ")
	}
	line += fmt.Sprintf(". %s in %.1f s.", plural(len(r.Scenarios), "scenario"), float64(r.DurationMs)/1000)
	return []string{line}
}

// reasons lists what keeps the run from exit code 0, most serious first, or
// why it is 0 all the same.
func reasons(r Results) []string {
	n := tally(r.Scenarios)
	var lines []string
	say := func(k int, format string, args ...any) {
		if k > 0 {
			lines = append(lines, plural(k, "scenario")+" "+fmt.Sprintf(format, args...))
		}
	}
	say(n[Error], "ended in an error of the suite itself: nothing is said about the target there.")
	say(n[Fail], "failed: a promise is broken.")
	say(n[CouldNotRun], "could not run: what the target claims was not seen, so it is not taken for kept.")
	if judged(n) == 0 {
		lines = append(lines, "Nothing was judged: a run that observes nothing shows nothing.")
	}
	if r.Verdict == Incomplete && VerdictOf(r) != Incomplete {
		lines = append(lines, "The run did not finish.")
	}
	say(n[UnexpectedPass], "passed although the baseline lists them as failing: take them out of the baseline.")
	say(n[ExpectedFail], "failed as the baseline lists: known, and still not conformant.")
	say(n[Warn], "found a recommendation (SHOULD) not kept: that does not change the verdict.")
	code := ExitCode(r)
	switch {
	case code == ExitConformant && r.Verdict == Conformant:
		lines = append(lines, "Every promise that was judged is kept.")
	case code == ExitConformant:
		lines = append(lines, "Nothing is worse than the baseline: exit code 0.")
		return lines
	}
	return append(lines, fmt.Sprintf("Exit code %d.", code))
}
