package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hookproof/hookproof/internal/nearest"
)

// Known is an entry of a baseline: a scenario that is known to fail, why, for
// how long that is accepted, and how it fails.
//
// It may also be of a scenario that cannot run because of what fails elsewhere,
// as where its first step needs the promise that is broken. Such a scenario
// stays could-not-run; the entry only keeps it from the exit code, and only
// beside a failure that is known: see [ExitCode].
type Known struct {
	// ID is the scenario's.
	ID string `json:"id" yaml:"id"`
	// Reason says why the failure is accepted, and where it is followed up.
	Reason string `json:"reason" yaml:"reason"`
	// Expires is the last day, UTC, on which it is accepted, YYYY-MM-DD.
	Expires string `json:"expires" yaml:"expires"`
	// Message is what the failure says, as [Failure.Text] gives it, or the
	// reason why it could not run. In it * stands for anything. A scenario
	// that fails otherwise is not known.
	Message string `json:"message" yaml:"message"`
	// State is what became of the entry in a run.
	State KnownState `json:"state" yaml:"-"`
}

// KnownState is what became of an entry of a baseline.
type KnownState string

// The states. Expired, Stale and Unmatched entries make the exit code
// [ExitBaseline] where nothing is worse.
const (
	// Matched: the scenario failed, or could not run, as listed.
	Matched KnownState = "matched"
	// Expired: it failed as listed, after the entry's last day.
	Expired KnownState = "expired"
	// Stale: it does not fail any more, or does not apply any more.
	Stale KnownState = "stale"
	// Unmatched: it fails in another way than is listed, or there is no such
	// scenario.
	Unmatched KnownState = "unmatched"
	// Open: this run did not judge it.
	Open KnownState = "open"
)

// outOfDate tells whether an entry must be corrected.
func (s KnownState) outOfDate() bool { return s == Expired || s == Stale || s == Unmatched }

// Text is a failure in one line: the step that failed, what was expected, and
// what was there instead. It is what the message of a baseline's entry is
// compared with.
func (f Failure) Text() string {
	text := fmt.Sprintf("expected %s, got %s", f.Expected, f.Actual)
	if f.Step != "" {
		text = f.Step + ": " + text
	}
	return strings.Join(strings.Fields(text), " ")
}

// covers tells whether a run failed, or could not run, as the entry lists. A run
// without a transcript was never begun, or was ended: no entry covers that.
func (k Known) covers(r Repetition) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.Join(strings.Fields(k.Message), " ")), `\*`, ".*")
	matches := regexp.MustCompile("^(?s:" + pattern + ")$").MatchString
	switch r.Outcome {
	case Fail:
		return r.Failure != nil && matches(r.Failure.Text())
	case CouldNotRun:
		return r.Transcript != "" && matches(strings.Join(strings.Fields(r.Reason), " "))
	}
	return false
}

// Listed tells whether s could not run as a baseline lists, in every run that
// could not.
func (s Scenario) Listed(baseline []Known) bool {
	i := slices.IndexFunc(baseline, func(k Known) bool { return k.ID == s.ID })
	return i >= 0 && s.Outcome == CouldNotRun && !slices.ContainsFunc(s.Repetitions(), func(r Repetition) bool {
		return r.Outcome == CouldNotRun && !baseline[i].covers(r)
	})
}

// Against returns s as a baseline sees it. A failure that is listed is
// expected-fail, if every run that failed did so as listed; one that is listed
// otherwise stays a failure, and says so. A pass that is listed as failing is
// unexpected-pass. Every other outcome stays.
func (s Scenario) Against(baseline []Known) Scenario {
	i := slices.IndexFunc(baseline, func(k Known) bool { return k.ID == s.ID })
	if i < 0 {
		return s
	}
	k := baseline[i]
	switch s.Outcome {
	case Pass:
		s.Outcome, s.Reason = UnexpectedPass, "it passes, and the baseline lists it as failing: take the entry out"
	case Fail:
		runs := s.Repetitions()
		other := slices.IndexFunc(runs, func(r Repetition) bool { return r.Outcome == Fail && !k.covers(r) })
		if other >= 0 {
			s = s.decidedBy(runs[other])
			s.Reason = fmt.Sprintf("it fails, and not as the baseline lists (%s)", k.Message)
			return s
		}
		s.Outcome, s.Reason = ExpectedFail, fmt.Sprintf("known until %s: %s", k.Expires, k.Reason)
	}
	return s
}

// after is the state of the entry after a run. Of a scenario that the run had
// not, the state is what it was planned to be: open, or unmatched where the
// suite has no such scenario.
func (k Known) after(r Results) KnownState {
	i := slices.IndexFunc(r.Scenarios, func(s Scenario) bool { return s.ID == k.ID })
	if i < 0 {
		if k.State == Unmatched {
			return Unmatched
		}
		return Open
	}
	s := r.Scenarios[i]
	switch {
	case s.Outcome == ExpectedFail, s.Listed([]Known{k}):
		if k.Expires < r.StartedAt.UTC().Format(time.DateOnly) {
			return Expired
		}
		return Matched
	case s.Outcome == Fail:
		return Unmatched
	case s.Outcome == CouldNotRun, s.Outcome == Error:
		return Open
	}
	return Stale
}

// Advice says why an entry is out of date, and what to do.
func (k Known) Advice(r Results) string {
	i := slices.IndexFunc(r.Scenarios, func(s Scenario) bool { return s.ID == k.ID })
	switch {
	case k.State == Expired:
		return fmt.Sprintf("it still fails, and was accepted until %s (%s): mend it, or give it another day", k.Expires, k.Reason)
	case k.State == Unmatched && i < 0:
		return "the suite has no such scenario: take the entry out, or correct its id"
	case k.State == Unmatched:
		return fmt.Sprintf("it fails otherwise than listed (%s): see above", k.Message)
	case r.Scenarios[i].Outcome == Warn:
		return "it is about a recommendation (SHOULD), which fails no run: take the entry out"
	case r.Scenarios[i].Outcome == NotApplicable:
		return "it does not apply to the target any more: take the entry out"
	}
	return "it does not fail any more: take the entry out"
}

// OutOfDate are the entries of the baseline that must be corrected.
func (r Results) OutOfDate() []Known {
	return slices.DeleteFunc(slices.Clone(r.Baseline), func(k Known) bool { return !k.State.outOfDate() })
}

// BaselineDigest names what a baseline says, whatever the order and form of its
// file: the SHA-256, in hexadecimal digits, of its entries in the order of their
// ids, each as the JSON array [id, reason, expires, message] with a line feed.
func BaselineDigest(list []Known) string {
	sorted := slices.SortedFunc(slices.Values(list), func(a, b Known) int { return strings.Compare(a.ID, b.ID) })
	hash := sha256.New()
	e := json.NewEncoder(hash)
	e.SetEscapeHTML(false)
	for _, k := range sorted {
		_ = e.Encode([]string{k.ID, k.Reason, k.Expires, k.Message}) // neither texts nor a hash fail
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// checkBaseline reports entries that are listed twice, whose state does not
// follow from the scenarios, or that are not those of the baseline's digest.
func (r Results) checkBaseline() error {
	var errs []error
	if r.BaselineSHA256 != "" && r.BaselineSHA256 != BaselineDigest(r.Baseline) {
		errs = append(errs, errors.New("baseline: its entries are not those that baselineSha256 names"))
	}
	for i, k := range r.Baseline {
		if slices.ContainsFunc(r.Baseline[:i], func(other Known) bool { return other.ID == k.ID }) {
			errs = append(errs, fmt.Errorf("baseline: %s is listed twice", k.ID))
		}
		if want := k.after(r); k.State != want {
			errs = append(errs, fmt.Errorf("baseline: %s is %s, the scenarios say %s", k.ID, k.State, want))
		}
	}
	return errors.Join(errs...)
}

// ParseBaseline reads a baseline, a YAML mapping with a list «known» of entries
// with id, reason, expires and message, all of them given. Name is the file's,
// for errors, which name the line.
func ParseBaseline(name string, data []byte) ([]Known, error) {
	var file struct {
		Known []knownNode `yaml:"known"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read baseline %s: it is empty; want a list «known»", name)
		}
		return nil, fmt.Errorf("read baseline %s: %w", name, err)
	}
	var more yaml.Node
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read baseline %s: more than one YAML document; want one list «known»", name)
	}
	var list []Known
	var errs []error
	for _, n := range file.Known {
		if err := n.check(); err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", name, n.line, err))
		}
		if slices.ContainsFunc(list, func(k Known) bool { return k.ID == n.ID }) {
			errs = append(errs, fmt.Errorf("%s:%d: %s is listed twice", name, n.line, n.ID))
		}
		list = append(list, n.Known)
	}
	return list, errors.Join(errs...)
}

// knownMembers are the members of an entry.
var knownMembers = []string{"id", "reason", "expires", "message"}

// knownNode is an entry and where it stands.
type knownNode struct {
	Known
	line    int
	strange []string
}

// UnmarshalYAML keeps the line, and notes members that an entry has not.
func (n *knownNode) UnmarshalYAML(node *yaml.Node) error {
	n.line = node.Line
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		if key := node.Content[i].Value; !slices.Contains(knownMembers, key) {
			n.strange = append(n.strange, key)
		}
	}
	return node.Decode(&n.Known)
}

func (n knownNode) check() error {
	if len(n.strange) > 0 {
		return fmt.Errorf("an entry has no member %q; %s", n.strange[0], nearest.Hint(n.strange[0], knownMembers, ""))
	}
	for _, f := range []struct{ name, value string }{{"id", n.ID}, {"reason", n.Reason}, {"expires", n.Expires}, {"message", n.Message}} {
		if strings.TrimSpace(f.value) == "" {
			return fmt.Errorf("the entry of %q has no %s", n.ID, f.name)
		}
	}
	if strings.ContainsAny(n.ID, " \t\n") {
		return fmt.Errorf("%q is no id of a scenario", n.ID)
	}
	if _, err := time.Parse(time.DateOnly, n.Expires); err != nil {
		return fmt.Errorf("%s expires at %q, which is no day such as 2027-01-31", n.ID, n.Expires)
	}
	return nil
}

// FormatBaseline is a baseline as a file.
func FormatBaseline(list []Known) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# Failures that are known and accepted for a while. hookproof run --baseline FILE\n" +
		"# ends with 0 where nothing fails but these, as listed; * stands for anything.\n")
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if list == nil {
		list = []Known{}
	}
	if err := e.Encode(struct {
		Known []Known `yaml:"known"`
	}{list}); err != nil {
		return nil, fmt.Errorf("write baseline: %w", err)
	}
	return b.Bytes(), nil
}

// A BaselineRefusal says why no baseline can be made from a report.
type BaselineRefusal struct{ Reason string }

func (e *BaselineRefusal) Error() string { return "make a baseline: " + e.Reason }

// BaselineOf makes the baseline of a whole, finished run: an entry for every
// scenario that failed, or could not run beside failures. Those that the run's own baseline listed, and that have
// not expired, stay as they are; the others get the reason and the last day
// given. It is a *BaselineRefusal if the run was narrowed or is a shard, if it
// did not finish or did not observe everything, and if a reason is wanted and
// empty: what was not seen would pass for known.
func BaselineOf(r Results, reason, expires string) ([]Known, error) {
	refuse := func(format string, args ...any) ([]Known, error) {
		return nil, &BaselineRefusal{fmt.Sprintf(format, args...)}
	}
	n := tally(r.Scenarios)
	switch {
	case r.Selection.Shard != nil:
		return refuse("the report is of shard %d of %d; merge all shards first, with «hookproof merge»", r.Selection.Shard.Index, r.Selection.Shard.Count)
	case r.Selection.Narrowed():
		return refuse("the run was narrowed to a selection; run without --profile, --level, --rule and --scenario")
	case n[Error] > 0:
		return refuse("%s ended in an error of the suite", Plural(n[Error], "scenario"))
	case VerdictOf(r) == Incomplete || r.Verdict == Incomplete || r.Verdict == "":
		return refuse("the run is incomplete, with %s that could not run; run again until everything is observed", Plural(n[CouldNotRun], "scenario"))
	}
	var list []Known
	for _, s := range r.Scenarios {
		switch s.Outcome {
		default:
			continue
		case CouldNotRun:
			if slices.ContainsFunc(s.Repetitions(), func(r Repetition) bool { return r.Outcome == CouldNotRun && r.Transcript == "" }) {
				return refuse("%s was not run, or was ended (%s); run again without an interruption", s.ID, s.Reason)
			}
		case Fail, ExpectedFail:
		}
		if i := slices.IndexFunc(r.Baseline, func(k Known) bool { return k.ID == s.ID && k.State == Matched }); i >= 0 {
			list = append(list, r.Baseline[i])
			continue
		}
		if strings.TrimSpace(reason) == "" {
			return refuse("%s fails and is not listed yet; say with --reason why that is accepted", s.ID)
		}
		list = append(list, Known{ID: s.ID, Reason: reason, Expires: expires, Message: s.message()})
	}
	return list, nil
}

// message is how s failed, with * for what differs from run to run and between
// the runs of a repeated scenario.
func (s Scenario) message() string {
	text := ""
	for _, r := range s.Repetitions() {
		var other string
		switch {
		case r.Outcome == Fail:
			other = steady(r.Failure)
		case r.Outcome == CouldNotRun && s.Outcome == CouldNotRun:
			other = shorten(r.Reason, 3*steadyLength)
		default:
			continue
		}
		step, _, found := strings.Cut(text, ": expected ")
		switch {
		case text == "":
			text = other
		case text == other:
		case found && strings.HasPrefix(other, step+": "):
			text = step + ": *"
		default:
			return "*"
		}
	}
	return text
}

// volatile is what differs between runs of the same failure: ids, times,
// durations, ports, long numbers.
var volatile = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F-]{22}` +
	`|\d{4}-\d\d-\d\d(T[0-9:.]+(Z|[+-]\d\d:\d\d)?)?` +
	`|\b[0-9a-fA-F]{8,}\b` +
	`|\b(\d+(\.\d+)?(ns|µs|ms|s|m|h))+\b` +
	`|\d+\.\d+|\d{4,}`)

// steadyLength bounds, in characters, what of an expected or actual value goes
// into a baseline's message: long enough to know a failure again, short enough
// to leave out the body of an answer.
const steadyLength = 70

// steady is the text of a failure with * for what differs from run to run.
func steady(f *Failure) string {
	g := *f
	g.Expected, g.Actual = shorten(f.Expected, steadyLength), shorten(f.Actual, steadyLength)
	return g.Text()
}

// shorten gives the first words of a value, at most limit characters, with * for
// the rest and for what differs from run to run.
func shorten(value string, limit int) string {
	value = volatile.ReplaceAllString(strings.Join(strings.Fields(value), " "), "*")
	r := []rune(value)
	if len(r) <= limit {
		return value
	}
	first := string(r[:limit])
	if space := strings.LastIndexByte(first, ' '); space > 0 {
		first = first[:space]
	}
	return strings.TrimRight(first, "*") + "*"
}
