package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// explain says the verdict in words: what was judged, how much of it was
// observed, and everything that keeps the run from being green.
func explain(r Results, width int, p paint) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", p.standing(standingOf(r), verdictWord(r)))
	paragraph(&b, judgedTarget(r), width)
	observed(&b, r, width)
	for _, line := range append(reasons(r), exitLine(r)) {
		paragraph(&b, line, width)
	}
	return b.String()
}

// verdictLine is the verdict in one line, for those who asked for quiet.
func verdictLine(r Results, p paint) string {
	line := fmt.Sprintf("%s  %s: %d of %s observed; scenarios: %s; exit code %d",
		p.standing(standingOf(r), verdictWord(r)), oneLine(r.Target.Name), rulesObserved(r), Plural(len(r.Rules), "rule"),
		tallyWords(tally(r.Scenarios)), ExitCode(r))
	if reason := commonestReason(r); r.Verdict == Incomplete && reason != "" {
		line += "; " + oneLine(reason)
	}
	return line + "\n"
}

// commonestReason is why most of the scenarios that could not run could not;
// empty if all could.
func commonestReason(r Results) (commonest string) {
	times := map[string]int{}
	for _, s := range r.Scenarios {
		if s.Outcome != CouldNotRun {
			continue
		}
		if times[s.Reason]++; times[s.Reason] > times[commonest] {
			commonest = s.Reason
		}
	}
	return commonest
}

// verdictWord is the verdict as a heading, with what the exit code says beside
// it.
func verdictWord(r Results) string {
	if r.Verdict == "" {
		return "NO VERDICT"
	}
	word := strings.ToUpper(oneLine(string(r.Verdict)))
	switch ExitCode(r) {
	case ExitError:
		word += ", SUITE ERROR"
	case ExitBaseline:
		word += ", BASELINE OUT OF DATE"
	}
	return word
}

// tallyWords is "12 pass, 1 fail", what is worst last, or "none".
func tallyWords(n map[Outcome]int) string {
	var parts []string
	for _, o := range ScenarioOutcomes() {
		if n[o] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[o], o))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func unsteadyScenarios(r Results) int {
	n := 0
	for _, s := range r.Scenarios {
		if s.Unsteady {
			n++
		}
	}
	return n
}

func rulesObserved(r Results) int {
	seen := 0
	for _, rule := range r.Rules {
		if rule.Outcome.Judged() {
			seen++
		}
	}
	return seen
}

// paragraph writes wrapped prose, its first line standing out.
func paragraph(b *strings.Builder, text string, width int) {
	for i, line := range wrap(text, max(20, width-2*len(indent))) {
		b.WriteString(indent)
		if i > 0 {
			b.WriteString(indent)
		}
		b.WriteString(line + "\n")
	}
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
	text := fmt.Sprintf("%s as %s, revision %s, seed %d", name, roleWords(r), r.Suite.Revision, r.Seed)
	if s := r.Selection.Shard; s != nil {
		text += fmt.Sprintf(", shard %d of %d", s.Index, s.Count)
	}
	if len(r.Shards) > 0 {
		text += fmt.Sprintf(", merged from %s", Plural(len(r.Shards), "shard"))
	}
	return oneLine(text)
}

// roleWords are the ends of the wire that were judged.
func roleWords(r Results) string {
	return strings.Replace(r.Target.Role, "both", "emitter and receiver", 1)
}

// selected names what of the suite was run.
func selected(r Results) string {
	s := r.Selection
	var parts []string
	for _, list := range []struct {
		name  string
		names []string
	}{{"profile", s.Profiles}, {"level", s.Levels}, {"rule", s.Rules}, {"scenario", s.Scenarios}} {
		if len(list.names) > 0 {
			parts = append(parts, list.name+" "+strings.Join(list.names, ", "))
		}
	}
	if s.Shard != nil {
		parts = append(parts, fmt.Sprintf("shard %d of %d", s.Shard.Index, s.Shard.Count))
	}
	if len(parts) == 0 {
		return "everything for " + roleWords(r)
	}
	return strings.Join(parts, "; ")
}

// observed writes how many rules were observed, and what became of all.
func observed(b *strings.Builder, r Results, width int) {
	paragraph(b, observedLine(r), width)
	for _, c := range ruleCounts(r) {
		fmt.Fprintf(b, "%s%5d  %s\n", indent, c.n, c.words)
		for _, why := range c.reasons {
			for i, line := range wrap(fmt.Sprintf("%d: %s", why.n, why.words), max(20, width-len(indent)-9)) {
				fmt.Fprintf(b, "%s       %s%s\n", indent, strings.Repeat("  ", min(i, 1)), line)
			}
		}
	}
}

// observedLine says how many rules were observed, by how many scenarios; what
// became of all follows it.
func observedLine(r Results) string {
	return fmt.Sprintf("%d of %s observed, by %s in %.1f s:", rulesObserved(r),
		Plural(len(r.Rules), "rule"), Plural(len(r.Scenarios), "scenario"), float64(r.DurationMs)/1000)
}

// ruleCount is how many rules came to an outcome, or did so for a reason.
type ruleCount struct {
	n       int
	words   string
	reasons []ruleCount
}

// ruleCounts are the numbers of rules by outcome, in the order they are told;
// those that are not applicable are counted by the reason too.
func ruleCounts(r Results) (counts []ruleCount) {
	n := make(map[Outcome]int)
	for _, rule := range r.Rules {
		n[rule.Outcome]++
	}
	for _, o := range toldOutcomes() {
		if n[o] == 0 {
			continue
		}
		c := ruleCount{n: n[o], words: outcomeWords(o)}
		if o == NotApplicable {
			c.reasons = unclaimed(r)
		}
		counts = append(counts, c)
	}
	return counts
}

// unclaimed counts why rules are not applicable, the commonest reason first.
func unclaimed(r Results) (counts []ruleCount) {
	n := make(map[string]int)
	for _, rule := range r.Rules {
		if rule.Outcome == NotApplicable && rule.Reason != "" {
			n[oneLine(rule.Reason)]++
		}
	}
	for _, reason := range slices.SortedFunc(maps.Keys(n), func(x, y string) int {
		return cmp.Or(cmp.Compare(n[y], n[x]), cmp.Compare(x, y))
	}) {
		counts = append(counts, ruleCount{n: n[reason], words: reason})
	}
	return counts
}

// toldOutcomes are the outcomes of rules in the order they are told.
func toldOutcomes() []Outcome {
	return []Outcome{Pass, Fail, ExpectedFail, UnexpectedPass, Warn, CouldNotRun, Error, NotApplicable, NotObserved}
}

// outcomeWords says what an outcome of a rule means.
func outcomeWords(o Outcome) string {
	switch o {
	case Pass:
		return "kept"
	case Fail:
		return "broken"
	case ExpectedFail:
		return "broken, as the baseline says"
	case UnexpectedPass:
		return "kept, although the baseline says broken"
	case Warn:
		return "not kept, and only recommended"
	case CouldNotRun:
		return "could not be judged"
	case NotApplicable:
		return "not claimed by the target"
	case NotObserved:
		return "declared, not observed"
	}
	return "lost to the suite's own errors"
}

// reasons lists what keeps the run from being green, most serious first, or why
// it is green all the same.
func reasons(r Results) []string {
	n := tally(r.Scenarios)
	var lines []string
	say := func(k int, format string, args ...any) {
		if k > 0 {
			lines = append(lines, Plural(k, "scenario")+" "+fmt.Sprintf(format, args...))
		}
	}
	say(n[Error], "ended in an error of the suite itself: nothing is said about the target there.")
	oneCause := false
	sayAlike := func(o Outcome) {
		if line := alike(r, o); line != "" {
			lines, oneCause = append(lines, line), true
		}
	}
	say(n[Fail], "failed: a promise is broken.")
	sayAlike(Fail)
	say(n[CouldNotRun]-r.listed(), "could not run: what the target claims was not seen, so it is not taken for kept.")
	say(unbegun(r), "among them had no turn: the run was ended before.")
	sayAlike(CouldNotRun)
	if role := r.Target.Role; role == "receiver" && !oneCause && meets(r, unknownAuthority) {
		lines = append(lines, remedy(unknownAuthority, role))
	}
	if judged(n) == 0 {
		lines = append(lines, "Nothing was judged: a run that observes nothing shows nothing.")
	}
	if r.Target.Kind != "embedded" && (oneCause || judged(n) == 0 && n[CouldNotRun] > 0) {
		lines = append(lines, "«hookproof doctor» with the same flags looks for what is missing or wrong in them.")
	}
	if r.Verdict == Incomplete && VerdictOf(r) != Incomplete {
		lines = append(lines, "The run did not finish.")
	}
	if old := r.OutOfDate(); len(old) > 0 {
		lines = append(lines, fmt.Sprintf("The baseline is out of date: %d of its %d entries must be corrected.", len(old), len(r.Baseline)))
	}
	say(r.listed(), "could not run as listed in the baseline: known, and still not seen to hold.")
	say(n[ExpectedFail], "failed as listed in the baseline: known, and still not conformant.")
	say(n[Warn], "found a recommendation (SHOULD) not kept: that does not change the verdict.")
	say(unsteadyScenarios(r), "unsteady: judged differently when run again.")
	if n[NotApplicable] > 0 {
		lines = append(lines, "What the target does not claim was not looked at: it is neither kept nor broken.")
	}
	code := ExitCode(r)
	switch {
	case code == ExitConformant && r.Verdict == Conformant && n[Warn] > 0:
		lines = append(lines, "Everything else that was judged is kept.")
	case code == ExitConformant && r.Verdict == Conformant:
		lines = append(lines, "Every promise that was judged is kept.")
	case code == ExitConformant:
		lines = append(lines, "Nothing is worse than the baseline.")
	}
	return lines
}

// unbegun is how many scenarios had no turn.
func unbegun(r Results) int {
	n := 0
	for _, s := range r.Scenarios {
		if s.Outcome == CouldNotRun && s.Reason == NotBegun {
			n++
		}
	}
	return n
}

// meets tells whether a scenario that failed has a symptom.
func meets(r Results, symptom string) bool {
	return slices.ContainsFunc(r.Scenarios, func(s Scenario) bool {
		return s.Outcome == Fail && s.Failure != nil && symptomOf(s) == symptom
	})
}

func exitLine(r Results) string { return fmt.Sprintf("Exit code %d.", ExitCode(r)) }
