package page_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// module returns a tab in which one of the page's modules is loaded as m.
func module(t *testing.T, name string) *tab {
	t.Helper()
	d := newDesk(t)
	b := newTab(d)
	b.open(d.url + "/")
	evaluate[bool](b, fmt.Sprintf(`import("/assets/%s").then((loaded) => { window.m = loaded; return true; })`, name))
	return b
}

func toJS(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

// Whatever two texts are: the lines of either side, in order, are all there,
// and lines that are called equal are equal.
func TestADifferenceHoldsBothSides(t *testing.T) {
	t.Parallel()
	b := module(t, "diff.js")
	rapid.Check(t, func(r *rapid.T) {
		line := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		left := rapid.SliceOfN(line, 0, 30).Draw(r, "left")
		right := rapid.SliceOfN(line, 0, 30).Draw(r, "right")
		said := evaluate[string](b, fmt.Sprintf(`(() => {
			const [left, right] = [%s, %s];
			const lines = m.diff(left, right);
			const of = (side) => lines.map((l) => l[side]).filter((i) => i !== null);
			const inOrder = (indexes, length) => indexes.length === length && indexes.every((i, at) => i === at);
			if (!inOrder(of("a"), left.length)) return "the left side is not whole: " + JSON.stringify(lines);
			if (!inOrder(of("b"), right.length)) return "the right side is not whole: " + JSON.stringify(lines);
			if (lines.some((l) => l.a !== null && l.b !== null && left[l.a] !== right[l.b])) return "unequal lines are called equal";
			const rows = m.sideBySide(lines);
			if (!inOrder(rows.map((r) => r.a).filter((i) => i !== null), left.length)) return "the left column is not whole";
			if (!inOrder(rows.map((r) => r.b).filter((i) => i !== null), right.length)) return "the right column is not whole";
			const changes = lines.filter((l) => l.a === null || l.b === null).length;
			if (String(left) === String(right) && changes > 0) return "equal texts differ";
			return "";
		})()`, toJS(left), toJS(right)))
		if said != "" {
			r.Fatal(said)
		}
	})
}

func TestTextsThatHaveNothingInCommonAreNotSearchedForLong(t *testing.T) {
	t.Parallel()
	b := module(t, "diff.js")
	if !evaluate[bool](b, `m.diff(Array.from({ length: 20000 }, (_, i) => "a" + i), Array.from({ length: 20000 }, (_, i) => "b" + i)) === null`) {
		t.Error("the search went on")
	}
}

// Laying out changes white space only.
func TestALayoutKeepsEveryToken(t *testing.T) {
	t.Parallel()
	b := module(t, "json.js")
	rapid.Check(t, func(r *rapid.T) {
		text := toJS(drawJSON(r, 4))
		if rapid.Bool().Draw(r, "with white space") {
			var indented any
			_ = json.Unmarshal([]byte(text), &indented)
			spaced, _ := json.MarshalIndent(indented, "\t", " ")
			text = string(spaced)
		}
		said := evaluate[string](b, fmt.Sprintf(`(() => {
			const text = %s;
			const laid = m.layOut(text);
			if (!laid) return "not taken for JSON: " + text;
			const again = laid.lines.join("\n");
			const bare = (t) => JSON.stringify(JSON.parse(t));
			if (bare(again) !== bare(text)) return "changed to " + again;
			if (laid.lines.some((line) => m.tokens(line).map(([, part]) => part).join("") !== line)) return "a line's tokens are not the line";
			return "";
		})()`, toJS(text)))
		if said != "" {
			r.Fatal(said)
		}
	})
}

func drawJSON(r *rapid.T, depth int) any {
	kind := rapid.IntRange(0, 6).Draw(r, "kind")
	if depth == 0 {
		kind %= 4
	}
	switch kind {
	case 0:
		return rapid.String().Draw(r, "string")
	case 1:
		return rapid.Float64Range(-1e9, 1e9).Draw(r, "number")
	case 2:
		return rapid.Bool().Draw(r, "bool")
	case 3:
		return nil
	case 4:
		object := map[string]any{}
		for range rapid.IntRange(0, 4).Draw(r, "members") {
			object[rapid.String().Draw(r, "name")] = drawJSON(r, depth-1)
		}
		return object
	default:
		list := []any{}
		for range rapid.IntRange(0, 4).Draw(r, "elements") {
			list = append(list, drawJSON(r, depth-1))
		}
		return list
	}
}

func TestWhatIsNotJSONIsNotLaidOut(t *testing.T) {
	t.Parallel()
	b := module(t, "json.js")
	for _, text := range []string{"", " ", "{", "[1,]", "[1 2]", `{"a":}`, `{"a" 1}`, `{1:2}`, "01", "nul", `"\x"`, "\"a\nb\"", "[1]]", "{}x"} {
		if evaluate[bool](b, fmt.Sprintf(`m.layOut(%s) !== null`, toJS(text))) {
			t.Errorf("%q was laid out", text)
		}
	}
	if got := evaluate[string](b, `JSON.stringify(m.layOut('[{"a":1},[],3]').items)`); got != "[1,4,5]" {
		t.Errorf("the elements begin at lines %s", got)
	}
	if got := evaluate[string](b, `JSON.stringify(m.layOut('{"a":1}\n{"b":2} {}').items)`); got != "[0,3,6]" {
		t.Errorf("the values begin at lines %s", got)
	}
}
