package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	messages "github.com/cucumber/messages/go/v21"

	"github.com/hookproof/hookproof/features"
)

// ofTheFeatures is a finished run of real scenarios, one for each outcome.
func ofTheFeatures(t *testing.T) Results {
	t.Helper()
	catalogue, err := features.Load()
	if err != nil {
		t.Fatal(err)
	}
	scenarios, err := features.Scenarios(catalogue, features.FS)
	if err != nil {
		t.Fatal(err)
	}
	r := planned()
	for i, o := range ScenarioOutcomes() {
		s := scenarios[i*40]
		line := max(s.Line, s.RowLine)
		one := ended(Scenario{ID: s.ID, Name: s.Name, File: s.File, Line: line, Rules: s.Rules}, o)
		if one.Failure != nil {
			one.Failure.Step, one.Failure.At = "", ""
		}
		r.Scenarios = append(r.Scenarios, one)
		for _, id := range s.Rules {
			if rule, ok := catalogue.Rule(id); ok {
				r.Rules = append(r.Rules, RuleOf(catalogue, rule))
			}
		}
	}
	return r.Derive()
}

func envelopes(t *testing.T, r Results) []messages.Envelope {
	t.Helper()
	var text bytes.Buffer
	if err := WriteCucumber(&text, r, fstest.MapFS{}); err != nil {
		t.Fatal(err)
	}
	var all []messages.Envelope
	for line := range bytes.Lines(text.Bytes()) {
		m, err := envelope(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		all = append(all, m)
	}
	return all
}

// envelope reads a line of Cucumber Messages as strictly as their schema, which
// is not published as a Go module: the types are made from it. A member without
// omitempty is required, null stands nowhere, a word of an enum is one of its
// own, no member is unknown, and a line holds one message.
func envelope(line []byte) (m messages.Envelope, err error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, err
	}
	var raw any
	if err := json.Unmarshal(line, &raw); err != nil { // one value, unlike d
		return m, err
	}
	if object, ok := raw.(map[string]any); !ok || len(object) != 1 {
		return m, errors.New("it holds no message, or several")
	}
	return m, asTheSchemaSays(reflect.ValueOf(m), raw, "envelope")
}

// asTheSchemaSays compares what was decoded with the JSON that it came from.
func asTheSchemaSays(v reflect.Value, raw any, path string) error {
	switch {
	case raw == nil:
		return fmt.Errorf("%s is null", path)
	case v.Kind() == reflect.Pointer:
		return asTheSchemaSays(v.Elem(), raw, path)
	case v.Kind() == reflect.Slice:
		var errs []error
		for i, item := range raw.([]any) {
			errs = append(errs, asTheSchemaSays(v.Index(i), item, fmt.Sprintf("%s[%d]", path, i)))
		}
		return errors.Join(errs...)
	case v.Kind() == reflect.Struct:
		var errs []error
		for i := range v.NumField() {
			name, optional := strings.CutSuffix(v.Type().Field(i).Tag.Get("json"), ",omitempty")
			switch member, is := raw.(map[string]any)[name]; {
			case is:
				errs = append(errs, asTheSchemaSays(v.Field(i), member, path+"."+name))
			case !optional:
				errs = append(errs, fmt.Errorf("%s has no %s", path, name))
			}
		}
		return errors.Join(errs...)
	}
	if word, ok := v.Interface().(fmt.Stringer); ok {
		return knownWord(word, path)
	}
	return nil
}

// knownWord asks the type of an enum, which panics at a word that it has not.
func knownWord(word fmt.Stringer, path string) (err error) {
	defer func() {
		if amiss := recover(); amiss != nil {
			err = fmt.Errorf("%s: %v", path, amiss)
		}
	}()
	_ = word.String()
	return nil
}

func TestWhatIsNoCucumberMessageIsNoticed(t *testing.T) {
	t.Parallel()
	const good = `{"testStepFinished":{"testCaseStartedId":"s","testStepId":"t","timestamp":{"seconds":1,"nanos":0},"testStepResult":{"duration":{"seconds":0,"nanos":0},"status":"PASSED"}}}`
	if _, err := envelope([]byte(good)); err != nil {
		t.Errorf("a good message: %v", err)
	}
	for name, c := range map[string]struct{ old, instead string }{
		"without a required member": {`"testStepId":"t",`, ``}, "without a required object": {`,"timestamp":{"seconds":1,"nanos":0}`, ``},
		"an object that lacks a member": {`,"nanos":0},"testStepResult"`, `},"testStepResult"`}, "a null": {`"t"`, `null`},
		"an unknown word": {`"PASSED"`, `"PASS"`}, "an empty word": {`"PASSED"`, `""`}, "an unknown member": {`{"testCase`, `{"more":1,"testCase`},
		"a number as text": {`"seconds":1`, `"seconds":"1"`}, "nothing": {good, `{}`}, "two messages": {`{"testStepF`, `{"testRunStarted":{"timestamp":{"seconds":1,"nanos":0}},"testStepF`},
		"two lines in one": {good, good + good},
	} {
		bad := strings.Replace(good, c.old, c.instead, 1)
		if _, err := envelope([]byte(bad)); bad == good || err == nil {
			t.Errorf("%s is taken for a message: %s", name, bad)
		}
	}
}

func TestCucumberMessagesNameOnlyWhatWasSaidBefore(t *testing.T) {
	t.Parallel()
	r := ofTheFeatures(t)
	known, ast := map[string]bool{}, map[string]bool{}
	is := func(what, id string) {
		if !known[what+id] {
			t.Errorf("%s %q was not said before", what, id)
		}
	}
	add := func(what, id string) {
		if id == "" || known[what+id] {
			t.Errorf("%s %q is empty or said twice", what, id)
		}
		known[what+id] = true
	}
	cases := 0
	for _, m := range envelopes(t, r) {
		switch {
		case m.GherkinDocument != nil:
			text, err := json.Marshal(m.GherkinDocument)
			if err != nil {
				t.Fatal(err)
			}
			ast[string(text)] = true
		case m.Pickle != nil:
			add("pickle", m.Pickle.Id)
			for _, s := range m.Pickle.Steps {
				add("pickle step", s.Id)
			}
			for _, id := range m.Pickle.AstNodeIds {
				found := false
				for doc := range ast {
					found = found || strings.Contains(doc, `"id":"`+id+`"`)
				}
				if !found {
					t.Errorf("node %s stands in no document", id)
				}
			}
		case m.TestCase != nil:
			is("pickle", m.TestCase.PickleId)
			add("case", m.TestCase.Id)
			for _, s := range m.TestCase.TestSteps {
				is("pickle step", s.PickleStepId)
				add("step", s.Id)
			}
		case m.TestCaseStarted != nil:
			is("case", m.TestCaseStarted.TestCaseId)
			add("started", m.TestCaseStarted.Id)
		case m.TestStepFinished != nil:
			is("started", m.TestStepFinished.TestCaseStartedId)
			is("step", m.TestStepFinished.TestStepId)
		case m.Attachment != nil:
			is("started", m.Attachment.TestCaseStartedId)
		case m.TestCaseFinished != nil:
			is("started", m.TestCaseFinished.TestCaseStartedId)
			cases++
		}
	}
	if cases != len(r.Scenarios) || len(ast) == 0 {
		t.Errorf("%d cases of %d documents for %d scenarios", cases, len(ast), len(r.Scenarios))
	}
}

func TestCucumberMessagesTellEachOutcomeInTheirOwnWay(t *testing.T) {
	t.Parallel()
	want := map[Outcome]messages.TestStepResultStatus{
		Pass: "PASSED", Warn: "PASSED", Fail: "FAILED", Error: "FAILED", UnexpectedPass: "FAILED",
		CouldNotRun: "PENDING", NotApplicable: "SKIPPED", ExpectedFail: "SKIPPED",
	}
	for _, r := range []Results{ofTheFeatures(t), everything()} {
		worst := map[string]messages.TestStepResultStatus{}
		success := true
		for _, m := range envelopes(t, r) {
			if f := m.TestStepFinished; f != nil {
				id := strings.TrimPrefix(f.TestCaseStartedId, "started:")
				if old := worst[id]; old == "" || old == "PASSED" {
					worst[id] = f.TestStepResult.Status
				}
			}
			if m.TestRunFinished != nil {
				success = m.TestRunFinished.Success
			}
		}
		for _, s := range r.Scenarios {
			if worst[s.ID] != want[s.Outcome] {
				t.Errorf("%s (%s) is %s, want %s", s.ID, s.Outcome, worst[s.ID], want[s.Outcome])
			}
		}
		if success {
			t.Error("a run with failures succeeded")
		}
	}
}

func TestCucumberFailsAtTheStepThatTheFailureNames(t *testing.T) {
	t.Parallel()
	r := with(Fail)
	r.Scenarios[0].ID, r.Scenarios[0].Name = "limits/a-51st-subscription-is-refused", "A 51st subscription is refused"
	text, err := features.FS.ReadFile("emitter/limits.feature")
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), "Scenario: A 51st subscription is refused\n")
	line := strings.Count(before, "\n") + 1
	r.Scenarios[0].File, r.Scenarios[0].Line = "emitter/limits.feature", line
	r.Scenarios[0].Failure.At = fmt.Sprintf("emitter/limits.feature:%d", line+2)
	var got []string
	for _, m := range envelopes(t, r.Derive()) {
		if m.TestStepFinished != nil {
			got = append(got, string(m.TestStepFinished.TestStepResult.Status))
		}
	}
	if all := strings.Join(got, " "); !strings.HasSuffix(all, "PASSED FAILED SKIPPED") {
		t.Errorf("got %s", all)
	}
}
