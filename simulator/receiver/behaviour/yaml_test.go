package behaviour_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
)

func TestYAMLAndJSONAreTheSame(t *testing.T) {
	t.Parallel()
	for yaml, json := range map[string]string{
		"{}":          `{}`,
		"unavailable": `"unavailable"`,
		"steps:\n- status: 500\n  headers: {X-A: 'b'}\n- hang: true\nthen: {delay: 10ms}\n": `{"steps":[{"status":500,"headers":{"X-A":"b"}},{"hang":true}],"then":{"delay":"10ms"}}`,
		`{"then":{"status":204}}`: `{"then":{"status":204}}`,
	} {
		one, err := behaviour.ParseYAML([]byte(yaml))
		if err != nil {
			t.Errorf("%q: %v", yaml, err)
		}
		other, err := behaviour.Parse([]byte(json))
		if err != nil {
			t.Errorf("%s: %v", json, err)
		}
		if diff := cmp.Diff(one, other); diff != "" {
			t.Errorf("%q: %s", yaml, diff)
		}
	}
	for _, bad := range []string{"", "[}", "- 1", "then: {1: 2}", "7", "then:\n  status: 20x", "a: &a [*a]",
		"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]"} {
		if b, err := behaviour.ParseYAML([]byte(bad)); err == nil {
			t.Errorf("%q is %+v", bad, b)
		}
	}
}

// Attempts are counted for many bodies, and memory of them is bounded: the
// oldest are forgotten, the newest never.
func TestAttemptsAreCountedForTheNewestBodies(t *testing.T) {
	t.Parallel()
	b, err := behaviour.Parse([]byte(`{"rules":[{"when":{"attempt":{"from":2}},"do":{"status":299}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	script := behaviour.NewScript(b)
	next := func(body string) int {
		return script.Next(script.Look(behaviour.Request{Body: []byte(body)})).Code()
	}
	for i := range 40_000 {
		body := strings.Repeat("x", i)[:i%50] + string(rune('a'+i%26)) + strings.Repeat("y", i/1000) + string(rune(0x4e00+i%20_000))
		if first, second := next(body), next(body); second != 299 || i == 0 && first != 200 {
			t.Fatalf("body %d: %d, then %d", i, first, second)
		}
	}
}
