package reports

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

func TestWrittenResultsAgreeWithThePublishedSchema(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]Results{
		"everything":  everything(),
		"nothing run": Results{Suite: Suite{Version: "v1", Revision: "r"}, Target: Target{Role: "both", Kind: "embedded"}}.Derive(),
		"all pass":    with(Pass, Pass),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := validate(text); err != nil {
				t.Error(err)
			}
			if err := r.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSchemaRefusesWrongResults(t *testing.T) {
	t.Parallel()
	good, err := marshal(everything())
	if err != nil {
		t.Fatal(err)
	}
	at := func(outcome Outcome) string {
		for i, s := range everything().Scenarios {
			if s.Outcome == outcome {
				return "scenarios." + string(rune('0'+i)) + "."
			}
		}
		t.Fatalf("no scenario is %s", outcome)
		return ""
	}
	const missing = "\x00missing"
	for name, tt := range map[string]struct {
		path  string
		value any
	}{
		"other schema":                     {"schema", "https://hookproof.dev/schema/results-2.json"},
		"no schema":                        {"schema", missing},
		"no verdict":                       {"verdict", missing},
		"unknown verdict":                  {"verdict", "green"},
		"no seed":                          {"seed", missing},
		"negative seed":                    {"seed", -1},
		"seed beyond exact numbers":        {"seed", 1 << 53},
		"start is no time":                 {"startedAt", "yesterday"},
		"duration is text":                 {"durationMs", "12"},
		"fractional duration":              {"durationMs", 1.5},
		"unknown role":                     {"target.role", "sender"},
		"unknown kind":                     {"target.kind", "docker"},
		"capabilities are null":            {"target.capabilities", nil},
		"capability twice":                 {"target.capabilities", []string{"a", "a"}},
		"count missing":                    {"counts.error", missing},
		"count of no outcome":              {"counts.not-observed", 0},
		"negative count":                   {"counts.pass", -1},
		"rule id in lower case":            {"rules.0.id", "sub-1"},
		"rule of both roles":               {"rules.0.role", "both"},
		"unknown level":                    {"rules.0.level", "must"},
		"unknown rule outcome":             {"rules.0.outcome", "skipped"},
		"rule without scenarios":           {"rules.0.scenarios", missing},
		"not observed without reason":      {"rules.9.reason", missing},
		"source without title":             {"rules.0.sources.0.title", missing},
		"scenario is not-observed":         {"scenarios.0.outcome", "not-observed"},
		"scenario id with space":           {"scenarios.0.id", "a b"},
		"scenario without rules":           {"scenarios.0.rules", []string{}},
		"line zero":                        {"scenarios.0.line", 0},
		"fail without failure":             {at(Fail) + "failure", missing},
		"warn without failure":             {at(Warn) + "failure", missing},
		"failure without actual":           {at(Fail) + "failure.actual", missing},
		"not applicable without reason":    {at(NotApplicable) + "reason", missing},
		"could not run without reason":     {at(CouldNotRun) + "reason", missing},
		"could not run for empty reason":   {at(CouldNotRun) + "reason", ""},
		"expected fail without reason":     {at(ExpectedFail) + "reason", missing},
		"unexpected pass without reason":   {at(UnexpectedPass) + "reason", missing},
		"error without reason":             {at(Error) + "reason", missing},
		"transcript without its hash":      {at(Fail) + "transcriptSha256", missing},
		"hash without its transcript":      {at(Fail) + "transcript", missing},
		"hash in capitals":                 {at(Fail) + "transcriptSha256", strings.Repeat("0A", 32)},
		"digest that is none":              {"baselineSha256", "none"},
		"transcript with an absolute path": {at(Fail) + "transcript", "/etc/passwd"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var bad []byte
			var err error
			if tt.value == missing {
				if !gjson.GetBytes(good, tt.path).Exists() {
					t.Fatalf("%s is not in the sample", tt.path)
				}
				bad, err = sjson.DeleteBytes(slices.Clone(good), tt.path)
			} else {
				bad, err = sjson.SetBytes(slices.Clone(good), tt.path, tt.value)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := validate(bad); err == nil {
				t.Errorf("the schema takes %s = %v", tt.path, tt.value)
			}
		})
	}
}

// The schema describes every member that the types write, and no other.
func TestSchemaAndTypesHaveTheSameMembers(t *testing.T) {
	t.Parallel()
	schema := gjson.ParseBytes(Schema())
	for path, typ := range map[string]reflect.Type{
		"properties":                                     reflect.TypeFor[Results](),
		"properties.suite.properties":                    reflect.TypeFor[Suite](),
		"properties.target.properties":                   reflect.TypeFor[Target](),
		"$defs.rule.properties":                          reflect.TypeFor[Rule](),
		"$defs.rule.properties.sources.items.properties": reflect.TypeFor[Source](),
		"$defs.scenario.properties":                      reflect.TypeFor[Scenario](),
		"$defs.failure.properties":                       reflect.TypeFor[Failure](),
	} {
		var want, got []string
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			want = append(want, name)
		}
		schema.Get(path).ForEach(func(key, _ gjson.Result) bool {
			got = append(got, key.String())
			return true
		})
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Errorf("%s: schema has %v, the type %v", path, got, want)
		}
	}
}

func TestSchemaNamesTheOutcomesAndItself(t *testing.T) {
	t.Parallel()
	schema := gjson.ParseBytes(Schema())
	var words []Outcome
	if err := json.Unmarshal([]byte(schema.Get("$defs.scenarioOutcome.enum").Raw), &words); err != nil {
		t.Fatal(err)
	}
	want := ScenarioOutcomes()
	slices.Sort(want)
	slices.Sort(words)
	if !slices.Equal(words, want) {
		t.Errorf("schema knows %v, want %v", words, want)
	}
	if got := schema.Get("$id").String(); got != SchemaID {
		t.Errorf("$id is %q, want %q", got, SchemaID)
	}
}
