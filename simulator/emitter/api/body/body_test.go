package body_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
)

func TestMalformedBodiesAreSyntaxErrors(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"", " ", "{", "}", "nul", `{"a":1,}`, `{"a" 1}`, `{a:1}`, `[1 2]`, `{"a":1}x`, `{"a":1}{}`, "{\"a\":\"\xff\"}", `{"a":01}`,
		`{"a":1,"a":1}`, `{"a":{"b":1,"b":2}}`, `{"a":1,"\u0061":2}`, strings.Repeat("[", 100) + strings.Repeat("]", 100), "\ufeff{}",
	} {
		_, err := body.Parse([]byte(raw))
		var syntax *body.SyntaxError
		if !errors.As(err, &syntax) || syntax.Reason == "" {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestNumbersAreIntegersByTheirValue(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]int{"7": 7, "-1": -1, "5e2": 500, "500.0": 500, "2147483647": 1<<31 - 1} {
		o, err := body.Parse([]byte(`{"n":` + raw + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Int("n"); got != want || len(o.Problems()) > 0 {
			t.Errorf("%s is %d with %v", raw, got, o.Problems())
		}
	}
	for _, raw := range []string{"1.5", "2147483648", "1e400", `"1"`, "true", "[]"} {
		o, err := body.Parse([]byte(`{"n":` + raw + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if o.Int("n"); len(o.Problems()) != 1 {
			t.Errorf("%s: %v", raw, o.Problems())
		}
	}
}

func TestPathsLeadToTheMember(t *testing.T) {
	t.Parallel()
	o, err := body.Parse([]byte(`{"a":{"b":[{"id":1},{}],"c.d":{"e f":1},"g":[1]}}`))
	if err != nil {
		t.Fatal(err)
	}
	a := o.Object("a")
	a.IDs("b")
	a.Object("c.d").String("e f")
	a.Strings("g")
	a.Required("x.y")
	a.Required("x.y") // once is enough
	var targets []string
	for _, p := range o.Problems() {
		targets = append(targets, p.Target)
	}
	want := []string{"a.b[0].id", "a.b[1].id", `a["c.d"]["e f"]`, "a.g[0]", "a.x.y"}
	if diff := cmp.Diff(want, targets); diff != "" {
		t.Error(diff)
	}
}

func TestMergingChangesNothingOfTheOld(t *testing.T) {
	t.Parallel()
	old := map[string]any{"keep": "1", "drop": "2", "in": map[string]any{"x": "3", "y": "4"}}
	patch, err := body.Parse([]byte(`{"drop":null,"in":{"y":null,"z":5},"new":[1]}`))
	if err != nil {
		t.Fatal(err)
	}
	merged, err := json.Marshal(patch.Over(old).Members())
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"in":{"x":"3","z":5},"keep":"1","new":[1]}`; string(merged) != want {
		t.Errorf("merged %s", merged)
	}
	if diff := cmp.Diff(map[string]any{"keep": "1", "drop": "2", "in": map[string]any{"x": "3", "y": "4"}}, old); diff != "" {
		t.Error(diff)
	}
}

func TestMembersOfTheZeroObjectAreZero(t *testing.T) {
	t.Parallel()
	var o body.Object
	if o.String("a") != "" || o.Bool("a") || o.Int("a") != 0 || o.Strings("a") != nil || o.IDs("a") != nil || o.StringMap("a") != nil || o.Sent("a.b") {
		t.Error("a member of nothing has a value")
	}
	o.Required("a")
	if got := o.Problems(); got != nil {
		t.Errorf("problems of nothing: %v", got)
	}
}
