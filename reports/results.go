package reports

import (
	"fmt"
	"strings"
	"time"
)

// SchemaID names the format of results.json. It is an identifier and is never
// fetched. Members may be added under the same identifier, and readers ignore
// members they do not know; a change that breaks a reader gets a new identifier.
const SchemaID = "https://hookproof.dev/schema/results-1.json"

// FileName is the name of the canonical report inside a report directory.
const FileName = "results.json"

// Results is one run: what was tested, what was observed, and what follows.
// It is the content of results.json.
type Results struct {
	// Schema is always [SchemaID].
	Schema string `json:"schema"`
	// Suite is what judged.
	Suite Suite `json:"suite"`
	// Target is what was judged.
	Target Target `json:"target"`
	// Selection is what of the suite was selected; empty lists select all.
	Selection Selection `json:"selection"`
	// Command is the command line or test that made this run, as it can be
	// typed again, without secrets.
	Command string `json:"command"`
	// Seed is the seed of the scenario order and of every random choice,
	// 0 to 2^53-1 so that every JSON reader keeps it exactly.
	Seed int64 `json:"seed"`
	// Repeat is how often each scenario was run, 2 or more; absent is once.
	Repeat int `json:"repeat,omitempty"`
	// Shards are the runs that a merged report is made of, by index; absent
	// in the report of one run.
	Shards []Part `json:"shards,omitempty"`
	// Baseline holds the known failures that the run was told of, and what
	// became of each.
	Baseline []Known `json:"baseline,omitempty"`
	// BaselineSHA256 names the baseline that the run was told of, an empty one
	// too, as [BaselineDigest] does; absent where it was told of none.
	BaselineSHA256 string `json:"baselineSha256,omitempty"`
	// StartedAt is when the run began, RFC 3339.
	StartedAt time.Time `json:"startedAt"`
	// DurationMs is the wall clock time of the run in milliseconds, up to the
	// moment this file was written.
	DurationMs int64 `json:"durationMs"`
	// Verdict is the outcome of the run. It is "incomplete" until the run has
	// finished; see [VerdictOf].
	Verdict Verdict `json:"verdict"`
	// Counts holds the number of scenarios for each of the eight scenario
	// outcomes, zeros included.
	Counts map[Outcome]int `json:"counts"`
	// Rules are the rules the run speaks about, in catalogue order, each once;
	// those that were found broken without being planned stand at the end.
	Rules []Rule `json:"rules"`
	// Scenarios are the scenarios of the run in the order they were planned,
	// each once. One that has not finished is "could-not-run".
	Scenarios []Scenario `json:"scenarios"`
}

// Selection names what of the suite a run was narrowed to; the role is that
// of the target.
type Selection struct {
	// Profiles are profiles of the catalogue, or areas.
	Profiles []string `json:"profiles,omitempty"`
	// Levels are those of the rules whose scenarios were selected: "MUST",
	// "SHOULD" or "MAY".
	Levels []string `json:"levels,omitempty"`
	// Rules are ids of rules whose scenarios were selected.
	Rules []string `json:"rules,omitempty"`
	// Scenarios are ids of scenarios that were selected.
	Scenarios []string `json:"scenarios,omitempty"`
	// Shard is the part of all that that was run; absent is the whole.
	Shard *Shard `json:"shard,omitempty"`
}

// Narrowed tells whether less than everything that the target's role has was
// selected.
func (s Selection) Narrowed() bool {
	return len(s.Profiles)+len(s.Levels)+len(s.Rules)+len(s.Scenarios) > 0 || s.Shard != nil
}

// Flags are those of «hookproof run» that make the selection; none is
// "everything".
func (s Selection) Flags() string {
	var flags []string
	for _, f := range []struct {
		name   string
		values []string
	}{{"profile", s.Profiles}, {"level", lower(s.Levels)}, {"rule", s.Rules}, {"scenario", s.Scenarios}} {
		if len(f.values) > 0 {
			flags = append(flags, "--"+f.name+" "+oneLine(strings.Join(f.values, ",")))
		}
	}
	if s.Shard != nil {
		flags = append(flags, fmt.Sprintf("--shard %d/%d", s.Shard.Index, s.Shard.Count))
	}
	if len(flags) == 0 {
		return "everything"
	}
	return strings.Join(flags, " ")
}

// lower gives levels as flags take them: "must" for "MUST".
func lower(levels []string) []string {
	return strings.Fields(strings.ToLower(strings.Join(levels, " ")))
}

// Shard is one of several runs that together run a selection.
type Shard struct {
	// Index counts from 1 to Count.
	Index int `json:"index"`
	// Count is how many there are, at least 1.
	Count int `json:"count"`
}

// Part is what a merged report keeps of the run of one shard.
type Part struct {
	// Index is the shard's, from 1.
	Index int `json:"index"`
	// Command made the run.
	Command string `json:"command"`
	// StartedAt and DurationMs are when it began, and how long it took.
	StartedAt  time.Time `json:"startedAt"`
	DurationMs int64     `json:"durationMs"`
}

// Suite identifies the judging side.
type Suite struct {
	// Version is the version of hookproof, such as "v1.2.0" or "(devel)".
	Version string `json:"version"`
	// Revision is the revision of the rule catalogue that was judged against.
	Revision string `json:"revision"`
}

// Target identifies the judged side.
type Target struct {
	// Role is "emitter", "receiver" or "both".
	Role string `json:"role"`
	// Kind is "embedded", "url" or "image".
	Kind string `json:"kind"`
	// Name is the target's name for people.
	Name string `json:"name"`
	// Version is the target's own version, empty where it is not known.
	Version string `json:"version"`
	// URL is the address that was tested, or the image reference, without
	// credentials; empty for the embedded target.
	URL string `json:"url"`
	// Capabilities are those the target claims, sorted.
	Capabilities []string `json:"capabilities"`
}

// Rule is one documented promise and what the run found out about it.
type Rule struct {
	// ID is the stable id, such as "SUB-LIMIT-051".
	ID string `json:"id"`
	// Role is "emitter" or "receiver".
	Role string `json:"role"`
	// Area is the subject the rule belongs to, such as "filtering".
	Area string `json:"area"`
	// Level is "MUST", "SHOULD" or "MAY" (RFC 2119).
	Level string `json:"level"`
	// Statement is the promise in one sentence.
	Statement string `json:"statement"`
	// Sources are the documents that make the promise.
	Sources []Source `json:"sources"`
	// Outcome is the highest outcome among its scenarios ([Rise]), or
	// "not-observed" where there is none.
	Outcome Outcome `json:"outcome"`
	// Scenarios are the ids of the scenarios of this run that judge the rule,
	// and of those that found it broken while judging others.
	Scenarios []string `json:"scenarios"`
	// Reason says why the rule was not observed, not applicable or could not
	// be judged; for other outcomes it may be absent.
	Reason string `json:"reason,omitempty"`
}

// Source is a document that a rule was taken from.
type Source struct {
	// Key is the short key the catalogue uses, such as "S2".
	Key string `json:"key"`
	// Title is the document's title.
	Title string `json:"title"`
	// URL is where it can be read; empty for a document without an address.
	URL string `json:"url,omitempty"`
}

// Scenario is one Gherkin scenario, or one row of an outline, and its outcome.
type Scenario struct {
	// ID is stable: it does not change when other scenarios come or go.
	ID string `json:"id"`
	// Name is the scenario's title.
	Name string `json:"name"`
	// File is the feature file, relative to the features folder, with slashes.
	File string `json:"file"`
	// Line is the line of the scenario, or of the Examples row, from 1.
	Line int `json:"line"`
	// Rules are the ids of the rules it judges, at least one.
	Rules []string `json:"rules"`
	// Outcome is any outcome except "not-observed".
	Outcome Outcome `json:"outcome"`
	// Reason says why; always present for "not-applicable", "could-not-run",
	// "expected-fail", "unexpected-pass" and "error".
	Reason string `json:"reason,omitempty"`
	// DurationMs is its wall clock time in milliseconds, that of all its runs
	// together, 0 if it did not run.
	DurationMs int64 `json:"durationMs"`
	// Failure is what was wrong; always present for "fail" and "warn".
	Failure *Failure `json:"failure,omitempty"`
	// Runs are its runs, in a report in which each scenario was repeated. The
	// outcome is then the highest of theirs, and reason, failure and transcript
	// are those of the run that decided it.
	Runs []Repetition `json:"runs,omitempty"`
	// Unsteady tells that its runs were judged differently.
	Unsteady bool `json:"unsteady,omitempty"`
	// Transcript is the path of its transcript relative to the folder of
	// results.json, with slashes; absent where none was kept.
	Transcript string `json:"transcript,omitempty"`
	// TranscriptSHA256 is the SHA-256 of that file, 64 lower-case hex digits;
	// present exactly where Transcript is.
	TranscriptSHA256 string `json:"transcriptSha256,omitempty"`
	// Rerun is the command that runs just this scenario again, as it can be
	// pasted, without secrets.
	Rerun string `json:"rerun,omitempty"`
}

// Failure is the first cause of an outcome that is not a pass.
type Failure struct {
	// Expected is the value that keeps the promise.
	Expected string `json:"expected"`
	// Actual is the value that was observed, secrets redacted.
	Actual string `json:"actual"`
	// Message is the first cause in a few words (no answer before status before
	// headers before body); empty where the values say it all.
	Message string `json:"message"`
	// Step is the text of the step that failed.
	Step string `json:"step,omitempty"`
	// At is where that step stands, "file:line", the file as in [Scenario.File].
	At string `json:"at,omitempty"`
	// Rules are the ids of the rules that were broken, where they are not
	// those that the scenario judges: promises that hold for every delivery,
	// whatever a scenario is about. The scenario's own rules were kept.
	Rules []string `json:"rules,omitempty"`
}

// BrokenRules are the rules that s found broken if it is a fail or a warn:
// those that its failure names, else its own.
func (s Scenario) BrokenRules() []string {
	if s.Failure != nil && len(s.Failure.Rules) > 0 {
		return s.Failure.Rules
	}
	return s.Rules
}
