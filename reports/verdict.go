package reports

// Verdict is the outcome of a run.
type Verdict string

const (
	// Conformant: something was judged, every applicable scenario could be
	// observed, and no promise was broken.
	Conformant Verdict = "conformant"
	// NonConformant: at least one promise was observed to be broken, known to
	// the baseline or not.
	NonConformant Verdict = "non-conformant"
	// Incomplete: nothing broken was seen, but not everything was seen.
	Incomplete Verdict = "incomplete"
)

// Exit codes of every command that ends in a verdict.
const (
	ExitConformant    = 0 // conformant, or failing exactly as the baseline says
	ExitNonConformant = 1 // a promise is broken
	ExitUsage         = 2 // wrong usage or configuration; never the result of a run
	ExitIncomplete    = 3 // not everything could be observed, or nothing ran
	ExitError         = 4 // the suite's own error
	ExitBaseline      = 5 // the baseline is out of date
)

// VerdictOf derives the verdict from the outcomes of the scenarios, whatever
// r.Verdict and r.Counts say:
//
//   - non-conformant if any scenario is fail or expected-fail: a broken promise
//     stays broken when everybody knows of it;
//   - else incomplete if any is could-not-run or error, or if none was judged
//     (nothing selected, nothing run, everything not applicable);
//   - else conformant. A SHOULD not kept (warn) does not change that, neither
//     does a promise kept that the baseline lists as broken (unexpected-pass).
//
// An outcome that is not known counts as error.
func VerdictOf(r Results) Verdict {
	n := tally(r.Scenarios)
	switch {
	case n[Fail]+n[ExpectedFail] > 0:
		return NonConformant
	case n[CouldNotRun]+n[Error] > 0, judged(n) == 0:
		return Incomplete
	}
	return Conformant
}

// ExitCode is the process exit code of a run. The first that applies:
//
//  4. a scenario is error: where the suite erred, its other findings are
//     suspect, and a failure must not be blamed on the target before the suite
//     is in order;
//  1. a scenario is fail: something is broken that no baseline knows of;
//  3. a scenario is could-not-run and the baseline does not list that, nothing
//     was judged, or the run did not finish (r.Verdict is incomplete or not
//     set), be everything listed or not;
//  5. a scenario is unexpected-pass, or an entry of the baseline is expired,
//     stale or unmatched: after everything was observed, the baseline is out
//     of date;
//  0. otherwise: conformant, or non-conformant with exactly the failures
//     (expected-fail) that the baseline lists, and what it lists as not to be
//     run because of them. The verdict of such a run stays
//     non-conformant; the code says that nothing got worse.
//
// It never returns [ExitUsage].
func ExitCode(r Results) int {
	n := tally(r.Scenarios)
	unfinished := r.Verdict != Conformant && r.Verdict != NonConformant
	switch {
	case n[Error] > 0:
		return ExitError
	case n[Fail] > 0:
		return ExitNonConformant
	case n[CouldNotRun] > r.listed(), judged(n) == 0, unfinished:
		return ExitIncomplete
	case n[UnexpectedPass] > 0, len(r.OutOfDate()) > 0:
		return ExitBaseline
	case n[ExpectedFail] == 0 && r.Verdict == NonConformant:
		// Says broken, shows nothing broken: believe the worse.
		return ExitNonConformant
	}
	return ExitConformant
}

// A standing is how a run is shown wherever one word, sign or colour stands for
// all of it. It is also the name of the page's style.
type standing string

const (
	standsKept     standing = "conformant"
	standsBroken   standing = "non-conformant"
	standsUnseen   standing = "incomplete"
	standsErred    standing = "suite-error"
	standsOutdated standing = "baseline-out-of-date"
)

// standingOf is the standing of a run: its verdict, and what the exit code says
// beside that. Only where that is [ExitConformant] it is standsKept, the one that
// is shown green.
func standingOf(r Results) standing {
	switch code := ExitCode(r); {
	case code == ExitError:
		return standsErred
	case r.Verdict == NonConformant, code == ExitNonConformant:
		return standsBroken
	case code == ExitBaseline:
		return standsOutdated
	case code == ExitConformant:
		return standsKept
	}
	return standsUnseen
}

// listed is how many scenarios could not run as the baseline lists.
func (r Results) listed() int {
	n := 0
	for _, s := range r.Scenarios {
		if s.Listed(r.Baseline) {
			n++
		}
	}
	return n
}

// tally counts the scenarios by outcome, every scenario outcome present.
func tally(scenarios []Scenario) map[Outcome]int {
	n := make(map[Outcome]int, len(ScenarioOutcomes()))
	for _, o := range ScenarioOutcomes() {
		n[o] = 0
	}
	for _, s := range scenarios {
		o := s.Outcome
		if _, ok := n[o]; !ok {
			o = Error
		}
		n[o]++
	}
	return n
}

func judged(n map[Outcome]int) int {
	sum := 0
	for o, k := range n {
		if o.Judged() {
			sum += k
		}
	}
	return sum
}
