package features

import (
	"strings"
	"testing"
)

func TestTheCatalogueHoldsTheRulesOfBothRoles(t *testing.T) {
	t.Parallel()
	c := load(t)
	count := map[string]int{}
	for _, r := range c.Rules {
		count[r.Role]++
	}
	// The first revision had as many; a rule is never taken back without one.
	if count[Emitter] < 187 || count[Receiver] < 23 {
		t.Errorf("rules by role: %v, want at least 187 of the emitter and 23 of the receiver", count)
	}
	r, ok := c.Rule("SUB-LIMIT-051")
	if !ok || r.Level != Must || r.Area != "limits" || !strings.Contains(r.Statement, "403") || r.Line == 0 {
		t.Errorf("SUB-LIMIT-051 is %+v, %t", r, ok)
	}
	if _, ok := c.Rule("NO-SUCH"); ok {
		t.Error("a rule NO-SUCH was found")
	}
	if d, ok := c.Document("S2"); !ok || !strings.HasPrefix(d.Address, "https://developer.pingidentity.com/") {
		t.Errorf("S2 is %+v, %t", d, ok)
	}
}

func TestEveryAreaDocumentAndCapabilityIsUsed(t *testing.T) {
	t.Parallel()
	c := load(t)
	used := map[string]bool{"capability post-events": true, "capability tcp-delivery": true} // scenarios need them, rules do not
	for _, r := range c.Rules {
		used["area "+r.Role+"/"+r.Area] = true
		for _, s := range r.Sources {
			used["document "+s] = true
		}
		for _, n := range r.Needs {
			used["capability "+n] = true
		}
	}
	var all []string
	for _, d := range c.Documents {
		all = append(all, "document "+d.Key)
	}
	for _, k := range c.Capabilities {
		all = append(all, "capability "+k.Name)
	}
	for _, a := range c.Areas {
		all = append(all, "area "+a.Role+"/"+a.Name)
	}
	for _, what := range all {
		if !used[what] {
			t.Errorf("%s: no rule refers to it", what)
		}
	}
}

// small is a catalogue without a fault; its rule begins on line 10.
const small = `revision: '2026-01-02'
documents:
  - {key: S1, title: A guide, address: 'https://example.com/guide', kind: vendor documentation}
  - {key: R1, title: A note, kind: third party, note: address not kept}
capabilities:
  - {name: clock-control, role: emitter, meaning: the clock can be advanced}
  - {name: read-back, role: receiver, meaning: events can be read back}
areas: [{name: limits, role: emitter}, {name: tcp, role: emitter, beta: true}, {name: answer, role: receiver}]
rules:
  - {id: SUB-LIMIT-051, role: emitter, area: limits, level: MUST, statement: 'It MUST be so.',
     sources: [S1], needs: [clock-control], profile: core, observe: look}
`

func TestASmallCatalogueIsRead(t *testing.T) {
	t.Parallel()
	c, err := Parse("small.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if r := c.Rules[0]; r.Line != 10 || r.Needs[0] != "clock-control" || r.Profile != Core {
		t.Errorf("the rule is %+v", r)
	}
}

func TestEveryFaultOfACatalogueIsNamedWithItsLine(t *testing.T) {
	t.Parallel()
	another := small + "  - {id: SUB-LIMIT-051, role: emitter, area: limits, level: MUST, statement: 'It MUST.', sources: [S1], profile: core, observe: look}\n"
	for name, tc := range map[string]struct{ from, to, want string }{
		"duplicate id":             {small, another, "small.yaml:12: rule SUB-LIMIT-051 is already on line 10"},
		"unknown level":            {"level: MUST", "level: OUGHT", `small.yaml:10: rule SUB-LIMIT-051: unknown level "OUGHT"`},
		"unknown role":             {"role: emitter, area: limits", "role: judge, area: limits", `small.yaml:10: rule SUB-LIMIT-051: unknown role "judge"`},
		"unknown area":             {"area: limits", "area: limit", `emitter has no area "limit"`},
		"unknown source":           {"[S1]", "[S1, S9]", `small.yaml:10: rule SUB-LIMIT-051: unknown source "S9"`},
		"unknown capability":       {"[clock-control]", "[clock]", `small.yaml:10: rule SUB-LIMIT-051: unknown capability "clock"`},
		"capability of the other":  {"[clock-control]", "[read-back]", `capability "read-back" is one of a receiver`},
		"empty statement":          {"'It MUST be so.'", "' '", "small.yaml:10: rule SUB-LIMIT-051: statement is empty"},
		"keyword missing":          {"It MUST be", "It must be", "MUST occurs in the statement: false"},
		"keyword of another level": {"It MUST be", "It MUST and MAY be", "MAY occurs in the statement: true"},
		"no source":                {"[S1]", "[]", "small.yaml:10: rule SUB-LIMIT-051: no source, and not marked as inferred"},
		"inferred MUST":            {"[S1]", "[], inferred: true, reason: so", "a MUST cannot be inferred"},
		"inferred without reason":  {"[S1]", "[], inferred: true", "inferred, but no reason what from"},
		"third party MUST":         {"[S1]", "[R1]", "a MUST needs a source other than third parties"},
		"wrong profile":            {"profile: core", "profile: full", `profile "full", but MUST in area limits belongs to "core"`},
		"beta profile":             {"area: limits", "area: tcp", `belongs to "beta"`},
		"no observation":           {"observe: look", "observe: ''", "observe is empty"},
		"strange id":               {"id: SUB-LIMIT-051", "id: limit51", "rule limit51: an id looks like"},
		"no id":                    {"id: SUB-LIMIT-051, ", "", "small.yaml:10: rule without a name"},
		"unknown member":           {"observe: look", "observe: look, levle: MUST", `unknown member "levle"`},
		"member twice":             {"observe: look", "observe: look, observe: at", "small.yaml:11"},
		"sources no list":          {"[S1]", "S1", "small.yaml:11: not a list"},
		"inferred no boolean":      {"[S1]", "[S1], inferred: perhaps", "neither true nor false"},
		"no date":                  {"'2026-01-02'", "'second'", `revision "second" is no date`},
		"document without address": {"note: address not kept", "note: ''", "document R1: neither an address nor a note"},
		"address no URL":           {"https://example.com/guide", "guide.md", `small.yaml:3: document S1: address "guide.md" is no https URL`},
		"unknown kind":             {"kind: vendor documentation", "kind: hearsay", `document S1: unknown kind "hearsay"`},
		"duplicate document":       {"key: R1", "key: S1", "small.yaml:4: document S1 is already on line 3"},
		"no rules":                 {small[strings.Index(small, "rules:"):], "rules: []\n", "rules: no list, or an empty one"},
		"rule no mapping":          {small[strings.Index(small, "  - {id: SUB"):], "  - SUB-LIMIT-051\n", "small.yaml:10: rules: not a mapping"},
		"no YAML":                  {small, "rules: [", "small.yaml: read YAML"},
		"no mapping":               {small, "- a\n- b\n", "no mapping at the top"},
		"empty":                    {small, "", "no mapping at the top"},
		"huge":                     {small, strings.Repeat("# padding\n", maxFile/10+1), "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(small, tc.from) {
				t.Fatalf("the small catalogue has no %q", tc.from)
			}
			c, err := Parse("small.yaml", []byte(strings.Replace(small, tc.from, tc.to, 1)))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error is %v, want one with %q", err, tc.want)
			}
			if c != nil {
				t.Error("a catalogue came with the error")
			}
		})
	}
}

func TestAllFaultsAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	bad := strings.NewReplacer("[S1]", "[S9]", "level: MUST", "level: OUGHT", "observe: look", "observe: ''").Replace(small)
	_, err := Parse("small.yaml", []byte(bad))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"S9", "OUGHT", "observe is empty"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not among the faults:\n%v", want, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("rules:\n  - &a {id: *a}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("fuzz.yaml", data)
		if (c == nil) == (err == nil) {
			t.Errorf("catalogue %v with error %v", c, err)
		}
	})
}
