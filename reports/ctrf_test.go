package reports

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

// ctrfSchema names the file of CTRF's JSON Schema, which is not ours to ship.
const ctrfSchema = "HOOKPROOF_CTRF_SCHEMA"

// ctrfSamples are runs whose reports are held against the format.
func ctrfSamples() map[string]Results {
	return map[string]Results{"everything": everything(), "nothing run": with(), "hostile": hostile(), "unsteady": shaky()}
}

// shaky is a run with a scenario that failed once in three runs.
func shaky() Results {
	r := with(Pass, Pass)
	r.Repeat = 3
	r.Scenarios[0] = r.Scenarios[0].Over([]Repetition{{Outcome: Pass}, {Outcome: Fail, Failure: sampleFailure()}, {Outcome: Pass}})
	r.Scenarios[1] = r.Scenarios[1].Over([]Repetition{{Outcome: Pass}, {Outcome: Pass}, {Outcome: Pass}})
	return r.Derive()
}

func TestCTRFFitsItsSchema(t *testing.T) {
	t.Parallel()
	path := os.Getenv(ctrfSchema)
	if path == "" {
		t.Skipf("%s does not name the file of CTRF's schema; TestCTRFHasTheMembersOfItsFormat knows the members that are written", ctrfSchema)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range ctrfSamples() {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(written(t, WriteCTRF, r)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Kinds of values in JSON.
const (
	someObject  = `(?s)\{.*\}`
	someText    = `(?s)".+"`
	anyText     = `(?s)".*"`
	wholeNumber = `-?\d+`
	someTexts   = `(?s)\[\s*".*"\s*\]` // at least one
	objects     = `(?s)\[(\s*\{.*\})?\s*\]`
	aStatus     = `"(passed|failed|skipped|pending|other)"`
)

// ctrfMembers are the members that are written, as CTRF's specification 0.1.0
// defines them: where they stand, whether the format requires them, and what
// their values look like. It allows no others; what is below "extra" is ours.
var ctrfMembers = []struct {
	object, name string
	required     bool
	value        string
}{
	{"", "reportFormat", true, `"CTRF"`},
	{"", "specVersion", true, `"0\.1\.0"`},
	{"", "results", true, someObject},
	{"", "reportId", false, `"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"`},
	{"", "timestamp", false, `"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"`},
	{"", "generatedBy", false, someText},
	{"results", "tool", true, someObject},
	{"results", "summary", true, someObject},
	{"results", "tests", true, objects},
	{"results", "environment", false, someObject},
	{"results.tool", "name", true, someText},
	{"results.tool", "version", false, anyText},
	{"results.tool", "extra", false, someObject},
	{"results.summary", "tests", true, wholeNumber},
	{"results.summary", "passed", true, wholeNumber},
	{"results.summary", "failed", true, wholeNumber},
	{"results.summary", "skipped", true, wholeNumber},
	{"results.summary", "pending", true, wholeNumber},
	{"results.summary", "other", true, wholeNumber},
	{"results.summary", "start", true, wholeNumber},
	{"results.summary", "stop", true, wholeNumber},
	{"results.summary", "flaky", false, wholeNumber},
	{"results.summary", "suites", false, wholeNumber},
	{"results.summary", "duration", false, wholeNumber},
	{"results.summary", "extra", false, someObject},
	{"results.tests.#", "name", true, someText},
	{"results.tests.#", "status", true, aStatus},
	{"results.tests.#", "duration", true, wholeNumber},
	{"results.tests.#", "testId", false, someText},
	{"results.tests.#", "rawStatus", false, someText},
	{"results.tests.#", "suite", false, someTexts},
	{"results.tests.#", "message", false, anyText},
	{"results.tests.#", "trace", false, anyText},
	{"results.tests.#", "filePath", false, anyText},
	{"results.tests.#", "line", false, wholeNumber},
	{"results.tests.#", "flaky", false, `true|false`},
	{"results.tests.#", "labels", false, someObject},
	{"results.tests.#", "attachments", false, objects},
	{"results.tests.#", "extra", false, someObject},
	{"results.tests.#.labels", "rules", false, someTexts},
	{"results.tests.#.attachments.#", "name", true, someText},
	{"results.tests.#.attachments.#", "contentType", true, someText},
	{"results.tests.#.attachments.#", "path", true, someText},
	{"results.environment", "reportName", false, anyText},
	{"results.environment", "appName", false, anyText},
	{"results.environment", "appVersion", false, anyText},
	{"results.environment", "healthy", false, `true|false`},
	{"results.environment", "extra", false, someObject},
}

// ctrfAmiss says what of a value, which stands at path, is not as in
// ctrfMembers.
func ctrfAmiss(path string, v gjson.Result) (amiss []string) {
	if v.IsArray() {
		for _, item := range v.Array() {
			amiss = append(amiss, ctrfAmiss(path+".#", item)...)
		}
		return amiss
	}
	if !v.IsObject() || strings.HasSuffix(path, ".extra") {
		return nil
	}
	known := map[string]bool{}
	for _, m := range ctrfMembers {
		if m.object != path {
			continue
		}
		known[m.name] = true
		switch value := v.Get(m.name); {
		case !value.Exists() && m.required:
			amiss = append(amiss, fmt.Sprintf("%q has no %s", path, m.name))
		case value.Exists() && !regexp.MustCompile("^("+m.value+")$").MatchString(value.Raw):
			amiss = append(amiss, fmt.Sprintf("%s of %q is %s", m.name, path, value.Raw))
		}
	}
	v.ForEach(func(key, value gjson.Result) bool {
		if !known[key.String()] {
			amiss = append(amiss, fmt.Sprintf("%q has %s", path, key))
		}
		amiss = append(amiss, ctrfAmiss(strings.TrimPrefix(path+"."+key.String(), "."), value)...)
		return true
	})
	return amiss
}

func TestCTRFHasTheMembersOfItsFormat(t *testing.T) {
	t.Parallel()
	for name, r := range ctrfSamples() {
		if amiss := ctrfAmiss("", gjson.Parse(written(t, WriteCTRF, r))); len(amiss) > 0 {
			t.Errorf("%s: %s", name, strings.Join(amiss, "; "))
		}
	}
	good := written(t, WriteCTRF, everything())
	for path, value := range map[string]any{
		"reportFormat": "ctrf", "specVersion": "0.0.0", "timestamp": "yesterday", "extension": 1, "results.tests": nil,
		"results.tests.0.status": "pass", "results.tests.0.duration": "12", "results.tests.0.suite": []string{}, "results.tests.0.labels.rules": []string{},
		"results.tests.0.flaky": "yes", "results.environment.healthy": "true", "results.summary.warned": 1,
	} {
		bad, err := sjson.Set(good, path, value)
		if err != nil {
			t.Fatal(err)
		}
		if len(ctrfAmiss("", gjson.Parse(bad))) == 0 {
			t.Errorf("%s = %v is taken for CTRF", path, value)
		}
	}
	for _, path := range []string{"results", "results.tool.name", "results.summary.other", "results.tests.0.name", "results.tests.0.status", "results.tests.0.duration"} {
		bad, err := sjson.Delete(good, path)
		if err != nil {
			t.Fatal(err)
		}
		if len(ctrfAmiss("", gjson.Parse(bad))) == 0 {
			t.Errorf("a report without %s is taken for CTRF", path)
		}
	}
}

func TestCTRFCallsTheUnsteadyFlakyAndNotPassed(t *testing.T) {
	t.Parallel()
	doc := gjson.Parse(written(t, WriteCTRF, shaky()))
	for path, want := range map[string]string{
		"results.summary.flaky": "1", "results.tests.0.flaky": "true", "results.tests.0.status": "failed", "results.tests.0.extra.runs": "2 pass, 1 fail",
		"results.tests.1.flaky": "", "results.tests.1.extra": "",
	} {
		if got := doc.Get(path).String(); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

func TestCTRFCountsWhatItLists(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]Results{"everything": everything(), "nothing run": with(), "could not run": with(CouldNotRun), "all kept": with(Pass, Warn, NotApplicable), "unsteady": shaky()} {
		var doc ctrfReport
		d := json.NewDecoder(strings.NewReader(written(t, WriteCTRF, r)))
		d.DisallowUnknownFields()
		if err := d.Decode(&doc); err != nil {
			t.Fatal(err)
		}
		s, n := doc.Results.Summary, map[string]int{}
		for _, test := range doc.Results.Tests {
			n[test.Status]++
			if want := map[Outcome]string{Pass: "passed", Warn: "passed", NotApplicable: "skipped", ExpectedFail: "skipped"}[Outcome(test.RawStatus)]; test.Status != cmp.Or(want, "failed") {
				t.Errorf("%s: %s is %s", name, test.RawStatus, test.Status)
			}
			if test.Name == "" || len(test.Suite) == 0 {
				t.Errorf("%s: a test without name or suite: %+v", name, test)
			}
		}
		if s.Tests != len(doc.Results.Tests) || s.Passed != n["passed"] || s.Failed != n["failed"] || s.Skipped != n["skipped"] || s.Tests != s.Passed+s.Failed+s.Skipped {
			t.Errorf("%s: summary %+v, tests %v", name, s, n)
		}
		if (s.Failed == 0) != (ExitCode(r) == ExitConformant) {
			t.Errorf("%s: %d failed, exit code %d", name, s.Failed, ExitCode(r))
		}
		if doc.ReportFormat != "CTRF" || s.Stop-s.Start != s.Duration || doc.ReportID == "" {
			t.Errorf("%s: %+v", name, doc)
		}
	}
}
