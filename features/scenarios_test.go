package features

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTheBuiltInScenariosFitTheCatalogue(t *testing.T) {
	t.Parallel()
	if _, err := Scenarios(load(t), FS); err != nil {
		t.Error(err)
	}
}

// What many events at once do to others in a shared environment, such as keep
// them from being delivered in time, must not be taken for the target's fault.
func TestABurstHasItsEnvironmentForItself(t *testing.T) {
	t.Parallel()
	scenarios, err := Scenarios(load(t), FS)
	if err != nil {
		t.Fatal(err)
	}
	burst := regexp.MustCompile(`^(\d+) (?:users|events|applications) .*at once$|^(\d+) events? of .* bytes`)
	found := 0
	for _, s := range scenarios {
		if s.Role != Emitter {
			continue // a receiver under test meets the suite's own emitter
		}
		for _, step := range s.Steps {
			m := burst.FindStringSubmatch(step)
			if m == nil {
				continue
			}
			if n, err := strconv.Atoi(m[1] + m[2]); err == nil && n >= 30 {
				found++
				if !s.Exclusive {
					t.Errorf("%s: «%s» disturbs others: tag it %s", s.ID, step, tagWholeEnvironment)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d bursts were found: the test looks for the wrong steps", found)
	}
}

// TestEveryRuleHasAScenarioOrAReason is the traceability of the suite.
func TestEveryRuleHasAScenarioOrAReason(t *testing.T) {
	t.Parallel()
	c := load(t)
	scenarios, err := Scenarios(c, FS)
	if err != nil {
		t.Fatal(err)
	}
	list, err := LoadUnobserved(c)
	if err != nil {
		t.Fatal(err)
	}
	if out := Untraced(c, scenarios, list); len(out) > 0 {
		t.Errorf("%d rules:\n  %s", len(out), strings.Join(out, "\n  "))
	}
}

func TestTraceabilitySeesRulesWithNeitherAndWithBoth(t *testing.T) {
	t.Parallel()
	c := &Catalogue{Rules: []Rule{{ID: "FLT-001", Area: "filtering"}, {ID: "FLT-002"}, {ID: "FLT-003"}, {ID: "FLT-004"}}}
	scenarios := []Scenario{{File: "emitter/a.feature", Line: 7, Rules: []string{"FLT-002", "FLT-003"}}}
	want := []string{
		"rule FLT-001 (filtering) has no scenario: write one",
		"rule FLT-003 has a scenario (emitter/a.feature:7): take it off unobserved.yaml:3",
	}
	list := []Unobserved{{Rule: "FLT-003", Line: 3}, {Rule: "FLT-004", Line: 4}}
	if d := cmp.Diff(want, Untraced(c, scenarios, list)); d != "" {
		t.Error(d)
	}
}

func TestAListOfUnobservedRulesIsChecked(t *testing.T) {
	t.Parallel()
	c := load(t)
	for name, tc := range map[string]struct{ list, want string }{
		"unknown rule": {"unobserved:\n  - {rule: FLT-999, reason: so}\n", "u.yaml:2: rule FLT-999 is not in the catalogue"},
		"no reason":    {"unobserved:\n  - {rule: FLT-001}\n", "u.yaml:2: rule FLT-001: no reason"},
		"twice":        {"unobserved:\n  - {rule: FLT-001, reason: so}\n  - {rule: FLT-001, reason: so}\n", "u.yaml:3: rule FLT-001 is already on line 2"},
		"no list":      {"unobserved: FLT-001\n", "unobserved: no list"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseUnobserved("u.yaml", []byte(tc.list), c)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error is %v, want one with %q", err, tc.want)
			}
		})
	}
	if list, err := ParseUnobserved("u.yaml", []byte("unobserved: []\n"), c); err != nil || len(list) != 0 {
		t.Errorf("an empty list: %v, %v", list, err)
	}
}

// limits is a feature without a fault.
const limits = `@emitter
Feature: Limits

  Background:
    Given an environment

  @SUB-LIMIT-051 @SUB-LIMIT-054 @whole-environment
  Rule: At most 50

    Scenario: The 51st is refused!
      When one more is created
      Then it is refused

    @needs:post-events
    Scenario Outline: A limit of <size> events is refused
      When a limit of <size> is asked for

      @SUB-LIMIT-E02
      Examples:
        | size |
        | 0    |
        | 501  |
`

func TestScenariosAndRowsOfOutlinesAreReadWithTheirPlaces(t *testing.T) {
	t.Parallel()
	got, err := Scenarios(load(t), fstest.MapFS{
		"emitter/limits.feature": {Data: []byte(limits)},
		"emitter/notes.txt":      {Data: []byte("no feature")},
		"elsewhere/x.feature":    {Data: []byte("no Gherkin")},
	})
	if err != nil {
		t.Fatal(err)
	}
	base := Scenario{Feature: "Limits", File: "emitter/limits.feature", Role: Emitter, Area: "limits", Exclusive: true, Profile: Core}
	one, two := base, base
	one.ID, one.Name, one.Line = "limits/the-51st-is-refused", "The 51st is refused!", 10
	one.First, one.Last = 10, 13
	one.Rules, one.Needs = []string{"SUB-LIMIT-051", "SUB-LIMIT-054"}, []string{"environments"}
	one.Steps, one.StepLines = []string{"an environment", "one more is created", "it is refused"}, []int{5, 11, 12}
	one.Text = []string{"Given an environment", "When one more is created", "Then it is refused"}
	one.Tags = []string{"@emitter", "@SUB-LIMIT-051", "@SUB-LIMIT-054", "@whole-environment"}
	two.ID, two.Name, two.Line, two.RowLine = "limits/a-limit-of-0-events-is-refused", "A limit of 0 events is refused", 15, 21
	two.First, two.Last = 14, math.MaxInt
	two.Rules, two.Needs = []string{"SUB-LIMIT-051", "SUB-LIMIT-054", "SUB-LIMIT-E02"}, []string{"environments", "post-events"}
	two.Steps, two.StepLines = []string{"an environment", "a limit of 0 is asked for"}, []int{5, 16}
	two.Text = []string{"Given an environment", "When a limit of 0 is asked for"}
	two.Tags = append(append([]string{}, one.Tags...), "@needs:post-events", "@SUB-LIMIT-E02")
	three := two
	three.ID, three.Name, three.RowLine = "limits/a-limit-of-501-events-is-refused", "A limit of 501 events is refused", 22
	three.Steps = []string{"an environment", "a limit of 501 is asked for"}
	three.Text = []string{"Given an environment", "When a limit of 501 is asked for"}
	if d := cmp.Diff([]Scenario{one, two, three}, got); d != "" {
		t.Error(d)
	}
	if got[0].Location() != "emitter/limits.feature:10" || got[2].Location() != "emitter/limits.feature:22" {
		t.Errorf("locations %s and %s", got[0].Location(), got[2].Location())
	}
}

func TestAScenarioMayNeedTheWholeTarget(t *testing.T) {
	t.Parallel()
	text := strings.Replace(limits, "    Scenario: The 51st", "    @whole-target\n    Scenario: The 51st", 1)
	got, err := Scenarios(load(t), fstest.MapFS{"emitter/limits.feature": {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false, false} {
		if got[i].WholeTarget != want || !got[i].Exclusive {
			t.Errorf("%s: whole target %t, whole environment %t", got[i].ID, got[i].WholeTarget, got[i].Exclusive)
		}
	}
}

func TestAScenarioMayBeSlow(t *testing.T) {
	t.Parallel()
	text := strings.Replace(limits, "    Scenario: The 51st", "    @slow\n    Scenario: The 51st", 1)
	got, err := Scenarios(load(t), fstest.MapFS{"emitter/limits.feature": {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	if !got[0].Slow || got[1].Slow {
		t.Errorf("slow are %t and %t", got[0].Slow, got[1].Slow)
	}
}

func TestEveryFaultOfAFeatureIsNamedWithItsLine(t *testing.T) {
	t.Parallel()
	eleven := strings.Repeat("      And again\n", 9)
	for name, tc := range map[string]struct{ from, to, want string }{
		"unknown rule":          {"@SUB-LIMIT-054", "@SUB-LIMIT-099", "emitter/limits.feature:10: scenario \"The 51st is refused!\": tag @SUB-LIMIT-099 is no rule"},
		"whole target misspelt": {"@whole-environment", "@whole-targets", "unknown tag @whole-targets"},
		"unknown tag":           {"@whole-environment", "@whole-enviroment", ":10: scenario \"The 51st is refused!\": unknown tag @whole-enviroment"},
		"rule tag misspelt":     {"@SUB-LIMIT-054", "@sub-limit-054", "unknown tag @sub-limit-054"},
		"role of the other":     {"@emitter", "@receiver", "unknown tag @receiver"},
		"unknown capability":    {"@needs:post-events", "@needs:posts", `emitter has no capability "posts"`},
		"capability of other":   {"@needs:post-events", "@needs:read-back", `emitter has no capability "read-back"`},
		"no rule":               {"@SUB-LIMIT-051 @SUB-LIMIT-054", "", ":10: scenario \"The 51st is refused!\" judges no rule"},
		"two levels":            {"@SUB-LIMIT-054", "@SUB-LIMIT-053", "SUB-LIMIT-051 is a MUST, SUB-LIMIT-053 a SHOULD"},
		"rule of the receiver":  {"@SUB-LIMIT-054", "@RCV-001", "rule RCV-001 binds the receiver"},
		"too many steps":        {"      Then it is refused\n", eleven, `:10: scenario "The 51st is refused!" has 11 steps`},
		"no steps":              {"      When one more is created\n      Then it is refused\n", "", `:10: scenario "The 51st is refused!" has no steps`},
		"two rows of one name":  {"of <size> events", "of some events", "emitter/limits.feature:22: scenario id limits/a-limit-of-some-events-is-refused is already that of emitter/limits.feature:21"},
		"two of one name":       {"Scenario Outline: A limit of <size> events is refused", "Scenario Outline: The 51st is REFUSED?", "is already that of emitter/limits.feature:10"},
		"no name":               {"Scenario: The 51st is refused!", "Scenario: !", ":10: a scenario without a name"},
		"outline without rows":  {"        | 0    |\n        | 501  |\n", "", ":15: an Outline without Examples rows runs nothing"},
		"no scenario":           {limits[strings.Index(limits, "  Background"):], "", "emitter/limits.feature: no scenario"},
		"empty":                 {limits, "", "emitter/limits.feature: no scenario"},
		"no Gherkin":            {limits, "Feature: x\n  Scenari: y\n    Whenever\n@", "emitter/limits.feature: read Gherkin"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(limits, tc.from) {
				t.Fatalf("the feature has no %q", tc.from)
			}
			changed := strings.Replace(limits, tc.from, tc.to, 1)
			got, err := Scenarios(load(t), fstest.MapFS{"emitter/limits.feature": {Data: []byte(changed)}})
			if err == nil || !strings.Contains(err.Error(), tc.want) || got != nil {
				t.Errorf("%d scenarios, error is %v, want one with %q", len(got), err, tc.want)
			}
		})
	}
}

func TestOneIDInTwoFoldersIsAnError(t *testing.T) {
	t.Parallel()
	receiver := strings.NewReplacer("@emitter", "@receiver", "@SUB-LIMIT-051 @SUB-LIMIT-054 @whole-environment", "@RCV-001",
		"@needs:post-events", "", "@SUB-LIMIT-E02", "@RCV-002").Replace(limits)
	_, err := Scenarios(load(t), fstest.MapFS{
		"emitter/limits.feature":  {Data: []byte(limits)},
		"receiver/limits.feature": {Data: []byte(receiver)},
	})
	want := "receiver/limits.feature:10: scenario id limits/the-51st-is-refused is already that of emitter/limits.feature:10"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error is %v, want one with %q", err, want)
	}
}

func TestASlugIsStable(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"The 51st is refused!": "the-51st-is-refused", "  a -- b  ": "a-b", "<size>=0": "size-0", "Ærø 東京": "ærø-東京", "!?": "",
	} {
		if got := Slug(name); got != want {
			t.Errorf("slug of %q is %q, want %q", name, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := Slug(rapid.String().Draw(t, "name"))
		if Slug(s) != s || strings.Contains(s, "--") || strings.HasPrefix(s, "-") || strings.HasSuffix(s, "-") {
			t.Fatalf("slug %q", s)
		}
		if strings.ContainsAny(s, "/: \t\n") {
			t.Fatalf("slug %q cannot stand in an id", s)
		}
	})
}

func TestTheTextOfAScenarioHasItsTablesInColumns(t *testing.T) {
	t.Parallel()
	const table = "\n      | name | a longer one |\n      | limit | 1 |\n"
	scenarios, err := Scenarios(load(t), fstest.MapFS{"emitter/limits.feature": {Data: []byte(strings.Replace(limits, "When one more is created\n", "When one more is created"+table, 1))}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Given an environment", "When one more is created", "  | name  | a longer one |", "  | limit | 1            |", "Then it is refused"}
	if d := cmp.Diff(want, scenarios[0].Text); d != "" {
		t.Error(d)
	}
}
