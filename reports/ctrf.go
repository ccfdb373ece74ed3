package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
)

// ctrfVersion is the version of the Common Test Report Format that is written:
// the first that has all the members below (testId came with 0.0.3, lists in
// labels too) and that calls itself by its own number. The snapshots before it
// all say "0.0.0" (CHANGELOG.md and RELEASE.md of github.com/ctrf-io/ctrf).
const ctrfVersion = "0.1.0"

type ctrfReport struct {
	ReportFormat string      `json:"reportFormat"`
	SpecVersion  string      `json:"specVersion"`
	ReportID     string      `json:"reportId"`
	Timestamp    time.Time   `json:"timestamp"`
	GeneratedBy  string      `json:"generatedBy"`
	Results      ctrfResults `json:"results"`
}

type ctrfResults struct {
	Tool        ctrfTool        `json:"tool"`
	Summary     ctrfSummary     `json:"summary"`
	Tests       []ctrfTest      `json:"tests"`
	Environment ctrfEnvironment `json:"environment"`
}

type ctrfTool struct {
	Name    string         `json:"name"`
	Version string         `json:"version"`
	Extra   map[string]any `json:"extra"`
}

type ctrfSummary struct {
	Tests    int            `json:"tests"`
	Passed   int            `json:"passed"`
	Failed   int            `json:"failed"`
	Skipped  int            `json:"skipped"`
	Pending  int            `json:"pending"`
	Other    int            `json:"other"`
	Flaky    int            `json:"flaky"`
	Suites   int            `json:"suites"`
	Start    int64          `json:"start"`
	Stop     int64          `json:"stop"`
	Duration int64          `json:"duration"`
	Extra    map[string]any `json:"extra"`
}

type ctrfTest struct {
	TestID      string              `json:"testId"`
	Name        string              `json:"name"`
	Status      string              `json:"status"`
	RawStatus   string              `json:"rawStatus"`
	Duration    int64               `json:"duration"`
	Suite       []string            `json:"suite"`
	Message     string              `json:"message,omitempty"`
	Trace       string              `json:"trace,omitempty"`
	FilePath    string              `json:"filePath,omitempty"`
	Line        int                 `json:"line,omitempty"`
	Flaky       bool                `json:"flaky,omitempty"`
	Labels      map[string][]string `json:"labels,omitempty"`
	Attachments []ctrfAttachment    `json:"attachments,omitempty"`
	Extra       map[string]any      `json:"extra,omitempty"`
}

type ctrfAttachment struct {
	Name        string `json:"name"`
	ContentType string `json:"contentType"`
	Path        string `json:"path"`
}

type ctrfEnvironment struct {
	ReportName string         `json:"reportName"`
	AppName    string         `json:"appName"`
	AppVersion string         `json:"appVersion,omitempty"`
	Healthy    bool           `json:"healthy"`
	Extra      map[string]any `json:"extra"`
}

// WriteCTRF writes r in the Common Test Report Format (https://ctrf.io): one
// test for each scenario, its own word for the outcome in rawStatus.
//
// could-not-run and error are "failed", as readers pass over "other" and
// "pending"; not-applicable and expected-fail are "skipped"; a warn is "passed"
// with its message. An unsteady scenario is flaky, and how often each outcome
// came stands beside it; its status stays that of its worst run, as one that
// passes now and then is not kept. Where no test says why the run is not green, one named
// "verdict" does. The report's id follows from the run, so that it stays the
// same when it is made again.
func WriteCTRF(w io.Writer, r Results) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(ctrfOf(r))
}

func ctrfOf(r Results) ctrfReport {
	start := r.StartedAt.UnixMilli()
	stop := r.StartedAt.Add(time.Duration(r.DurationMs) * time.Millisecond).UTC()
	id := uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "%s#%s/%d", SchemaID, r.StartedAt.Format(time.RFC3339Nano), r.Seed))
	out := ctrfReport{
		ReportFormat: "CTRF", SpecVersion: ctrfVersion, ReportID: id.String(), Timestamp: stop, GeneratedBy: "hookproof",
		Results: ctrfResults{
			Tool:    ctrfTool{"hookproof", oneLine(r.Suite.Version), map[string]any{"revision": oneLine(r.Suite.Revision), "seed": r.Seed}},
			Summary: ctrfSummary{Start: start, Stop: stop.UnixMilli(), Duration: r.DurationMs},
			Tests:   []ctrfTest{},
			Environment: ctrfEnvironment{
				ReportName: "PingOne webhooks conformance", AppName: oneLine(r.Target.Name), AppVersion: oneLine(r.Target.Version),
				Healthy: ExitCode(r) == ExitConformant,
				Extra: map[string]any{
					"role": r.Target.Role, "kind": r.Target.Kind, "url": oneLine(r.Target.URL), "capabilities": orEmpty(r.Target.Capabilities),
				},
			},
		},
	}
	st := newStory(r, junitWidth, "", paint{})
	for _, s := range r.Scenarios {
		out.Results.Tests = append(out.Results.Tests, ctrfTestOf(s, st))
	}
	out.count()
	if ExitCode(r) != ExitConformant && out.Results.Summary.Failed == 0 {
		out.Results.Tests = append(out.Results.Tests, ctrfTest{
			TestID: "verdict", Name: "verdict", Status: "failed", RawStatus: string(r.Verdict), Suite: []string{"hookproof"},
			Message: fmt.Sprintf("%s (exit code %d)", r.Verdict, ExitCode(r)), Trace: explain(r, junitWidth, paint{}),
		})
		out.count()
	}
	out.Results.Summary.Extra = map[string]any{"verdict": r.Verdict, "exitCode": ExitCode(r), "outcomes": tally(r.Scenarios)}
	return out
}

func ctrfTestOf(s Scenario, st story) ctrfTest {
	t := ctrfTest{
		TestID: oneLine(s.ID), Name: oneLine(s.Name), Status: ctrfStatus(s.Outcome), RawStatus: string(s.Outcome), Duration: s.DurationMs,
		Suite: []string{st.place(s)}, FilePath: oneLine(s.File), Line: s.Line, Labels: map[string][]string{"rules": s.Rules},
	}
	if s.Outcome != Pass {
		t.Message, t.Trace = headline(s), st.of(s)
	}
	if s.Unsteady {
		t.Flaky, t.Extra = true, map[string]any{"runs": s.Tally()}
	}
	if s.Transcript != "" {
		t.Attachments = []ctrfAttachment{{"transcript", "application/json", s.Transcript}}
	}
	return t
}

func ctrfStatus(o Outcome) string {
	switch o {
	case Pass, Warn:
		return "passed"
	case NotApplicable, ExpectedFail:
		return "skipped"
	}
	return "failed"
}

// count fills the summary from the tests.
func (c *ctrfReport) count() {
	s := &c.Results.Summary
	suites := map[string]bool{}
	s.Tests, s.Passed, s.Failed, s.Skipped, s.Flaky = len(c.Results.Tests), 0, 0, 0, 0
	for _, t := range c.Results.Tests {
		suites[t.Suite[0]] = true
		if t.Flaky {
			s.Flaky++
		}
		switch t.Status {
		case "passed":
			s.Passed++
		case "skipped":
			s.Skipped++
		default:
			s.Failed++
		}
	}
	s.Suites = len(suites)
}
