package judge_test

import (
	"testing"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

func TestPrettyWantsIndentedLines(t *testing.T) {
	t.Parallel()
	checkScenes(t, at(judge.Pretty), []sceneCase{
		{"two spaces", sceneOf("a").body("[\n  {\n    \"id\": \"a\"\n  }\n]\n"), ""},
		{"tabs and CR LF", sceneOf("a").body("[\r\n\t{}\r\n]"), ""},
		{"objects on the level of the array", sceneOf("a").body("[{\n  \"id\": 1\n}]"), ""},
		{"with an empty line", sceneOf("a").body("[\n\n  {}\n]"), ""},
		{"one line", sceneOf("a").array("a"), "1 line"},
		{"an escaped line break in a string", sceneOf("a").body(`[{"a":"\n  "}]`), "1 line"},
		{"line breaks without indentation", sceneOf("a").body("[\n{}\n]"), "none of them"},
		{"white space around it only", sceneOf("a").body("\n  [{}]\n  "), "1 line"},
		{"records in a row", sceneOf("a").body("{\n  \"id\":1\n}\n{\n  \"id\":2\n}"), ""},
		{"lines of objects", sceneOf("a").body("{\"id\":1}\n{\"id\":2}"), "none of them"},
		{"no JSON behind it", sceneOf("a").body("[\n  {}\n]]"), "["},
		{"nothing in it", sceneOf("a").body(" \n  \n"), "empty"},
		{"broken by it", sceneOf("a").body("[\n  {\"a\n  \":1}\n]"), "["},
		{"nothing came", sceneOf("a"), "none"},
	})
}

func TestCompactFindsLineBreaks(t *testing.T) {
	t.Parallel()
	checkScenes(t, at(judge.Compact), []sceneCase{
		{"one line", sceneOf("a").array("a"), ""},
		{"spaces", sceneOf("a").body(`[ {"a": 1} ]`), ""},
		{"one at the end", sceneOf("a").body("[{}]\n"), ""},
		{"an escaped one", sceneOf("a").body(`[{"a":"\n"}]`), ""},
		{"between events", sceneOf("a").body("[{},\n{}]"), "1:"},
		{"in the second delivery", sceneOf("a").array("a").body("[\n{}]"), "delivery 2"},
		{"nothing came", sceneOf("a"), "none"},
	})
}

func TestOnePerLineWantsObjectsOnLines(t *testing.T) {
	t.Parallel()
	checkScenes(t, at(judge.OnePerLine), []sceneCase{
		{"one", sceneOf("a").body(`{"id":"a"}`), ""},
		{"several, with empty lines", sceneOf("a").body("{}\n\n{}\r\n{}\n"), ""},
		{"an array", sceneOf("a").array("a"), "["},
		{"an object over two lines", sceneOf("a").body("{\n}"), "{"},
		{"two on a line", sceneOf("a").body("{} {}"), "{} {}"},
		{"commas at the ends", sceneOf("a").body("{},\n{}"), "{},"},
		{"a string", sceneOf("a").body(`"{}"`), `"{}"`},
		{"empty", sceneOf("a").body("\n"), "no line"},
		{"nothing came", sceneOf("a"), "none"},
	})
}

func TestSameDataComparesValuesNotBytes(t *testing.T) {
	t.Parallel()
	there := func(d *transcript.Delivery) { d.Endpoint = "other" }
	both := func(one, other string) scene { return sceneOf("a").body("["+one+"]").body("["+other+"]", there) }
	checkScenes(t, func(t *transcript.Transcript) judge.Outcome { return judge.SameData(t, "r", "other") }, []sceneCase{
		{"the same bytes", both(`{"id":"a","n":1}`, `{"id":"a","n":1}`), ""},
		{"another layout, order and escapes", both(`{"id":"a","n":"é"}`, "{\n \"n\" : \"\\u00e9\", \"id\":\"a\" }"), ""},
		{"a changed string", both(`{"id":"a","n":"x, y"}`, `{"id":"a","n":"x,y"}`), "x, y"},
		{"a lost member", both(`{"id":"a"}`, `{"id":"a","n":1}`), `{"id":"a"}`},
		{"missing at one", sceneOf("a").array("a"), "missing"},
		{"another first delivery", sceneOf("a").body(`[{"id":"a","n":2}]`).body(`[{"id":"a","n":1}]`).body(`[{"id":"a","n":1}]`, there), `"n":2`},
	})
}
