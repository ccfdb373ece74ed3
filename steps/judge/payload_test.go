package judge_test

import (
	"strings"
	"testing"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

func TestRequestedIsExactAboutMethodPathAndQuery(t *testing.T) {
	t.Parallel()
	method := func(m string) func(*transcript.Delivery) { return func(d *transcript.Delivery) { d.Method = m } }
	target := func(s string) func(*transcript.Delivery) { return func(d *transcript.Delivery) { d.Target = s } }
	checkScenes(t, func(t *transcript.Transcript) judge.Outcome { return judge.Requested(t, "r", "POST", "/hooks/t?a=1") }, []sceneCase{
		{"as configured", sceneOf("a").array("a"), ""},
		{"PUT", sceneOf("a").body("[]", method("PUT")), "PUT"},
		{"the query is lost", sceneOf("a").body("[]", target("/hooks/t")), "/hooks/t"},
		{"a slash is added", sceneOf("a").body("[]", target("/hooks/t/?a=1")), "/hooks/t/"},
		{"only the second is wrong", sceneOf("a").array("a").body("[]", method("GET")), "delivery 2"},
		{"nothing came", sceneOf("a"), "none"},
		{"another receiver is no matter", sceneOf("a").array("a").body("[]", method("PUT"), func(d *transcript.Delivery) { d.Endpoint = "other" }), ""},
	})
}

func TestCarriesWantsEveryHeaderOnceAndUnchangedOnEveryDelivery(t *testing.T) {
	t.Parallel()
	with := func(h map[string][]string) func(*transcript.Delivery) {
		return func(d *transcript.Delivery) { d.Headers = h }
	}
	wanted := []judge.Header{
		{Name: "x-api-key", Values: [2]string{"key", "[mark]"}},
		{Name: "Content-Type", Values: [2]string{"text/x", "[other]"}},
	}
	checkScenes(t, func(t *transcript.Transcript) judge.Outcome { return judge.Carries(t, "r", wanted...) }, []sceneCase{
		{"both", sceneOf("a").body("[]", with(map[string][]string{"X-Api-Key": {"[mark]"}, "Content-Type": {"text/x"}})), ""},
		{"one is missing", sceneOf("a").body("[]", with(map[string][]string{"X-Api-Key": {"[mark]"}})), "no such header"},
		{"one is another", sceneOf("a").body("[]", with(map[string][]string{"X-Api-Key": {"[mark2]"}, "Content-Type": {"text/x"}})), "mark2"},
		{"one is doubled", sceneOf("a").body("[]", with(map[string][]string{"X-Api-Key": {"[mark]", "[mark]"}, "Content-Type": {"text/x"}})), "mark"},
		{"missing on the second", sceneOf("a").
			body("[]", with(map[string][]string{"X-Api-Key": {"[mark]"}, "Content-Type": {"text/x"}})).
			body("[]", with(map[string][]string{"Content-Type": {"text/x"}})), "delivery 2"},
		{"nothing came", sceneOf("a"), "none"},
	})
}

func TestJSONTypeWantsASubtypeOfJSON(t *testing.T) {
	t.Parallel()
	typed := func(values ...string) scene {
		return sceneOf("a").body("[]", func(d *transcript.Delivery) { d.Headers = map[string][]string{"Content-Type": values} })
	}
	checkScenes(t, at(judge.JSONType), []sceneCase{
		{"JSON", typed("application/json"), ""},
		{"with a charset", typed("application/json; charset=utf-8"), ""},
		{"NDJSON", typed("application/x-ndjson"), ""},
		{"a JSON suffix", typed("application/vnd.x+json"), ""},
		{"none", typed(), "no such header"},
		{"text", typed("text/plain"), "text/plain"},
		{"json as a parameter only", typed("text/plain; x=json"), "text/plain"},
		{"two", typed("application/json", "application/json"), "application/json"},
		{"nothing came", sceneOf("a"), "none"},
	})
}

func TestOneArrayWantsAnArrayOfObjects(t *testing.T) {
	t.Parallel()
	checkScenes(t, at(judge.OneArray), []sceneCase{
		{"an array", sceneOf("a", "b").array("a", "b"), ""},
		{"with white space around it", sceneOf("a").body(" [\n{} ]\n"), ""},
		{"an object", sceneOf("a").body(`{"id":"a"}`), `{"id":"a"}`},
		{"lines", sceneOf("a").body("{}\n{}"), "{}"},
		{"two arrays", sceneOf("a").body("[{}][{}]"), "[{}][{}]"},
		{"cut short", sceneOf("a").body("[{}"), "[{}"},
		{"an array of strings", sceneOf("a").body(`["{}"]`), `"{}"`},
		{"an array in an array", sceneOf("a").body(`[[{}]]`), `[{}]`},
		{"empty", sceneOf("a").body(""), "an empty body"},
		{"nothing came", sceneOf("a"), "none"},
	})
}

func TestAloneInArrayWantsLengthOneEachTime(t *testing.T) {
	t.Parallel()
	checkScenes(t, func(t *transcript.Transcript) judge.Outcome { return judge.AloneInArray(t, "r", "a") }, []sceneCase{
		{"alone", sceneOf("a", "b").array("a").array("b", "c"), ""},
		{"with another", sceneOf("a", "b").array("a", "b"), "length 2"},
		{"an object", sceneOf("a").body(sizedEvent("a", 0)), `"id":"a"`},
		{"an object the second time", sceneOf("a").array("a").body(sizedEvent("a", 0)), `"id":"a"`},
		{"missing", sceneOf("a").array("b"), "missing"},
	})
}

func TestNoneEmptyFindsDeliveriesWithoutEvents(t *testing.T) {
	t.Parallel()
	checkScenes(t, at(judge.NoneEmpty), []sceneCase{
		{"events", sceneOf("a").array("a").body("{}\n"), ""},
		{"an empty array", sceneOf("a").array("a").body("[]"), "[]"},
		{"no body", sceneOf("a").body(""), "an empty body"},
		{"a blank line", sceneOf("a").body("\n"), "an empty body"},
		{"nothing came", sceneOf("a"), "none"},
		{"a broken off delivery is no matter", sceneOf("a").array("a").body("", func(d *transcript.Delivery) { d.Complete = false }), ""},
	})
}

func TestAtMostEventsCountsArraysAndLines(t *testing.T) {
	t.Parallel()
	checkScenes(t, func(t *transcript.Transcript) judge.Outcome { return judge.AtMostEvents(t, "r", 2) }, []sceneCase{
		{"at the limit", sceneOf("a").array("a", "b").array("c"), ""},
		{"one more", sceneOf("a").array("a").array("a", "b", "c"), "3 events"},
		{"one line more", sceneOf("a").body("{}\n{}\n{}\n"), "3 events"},
		{"no events at all", sceneOf("a").body("hello"), "neither"},
		{"nothing came", sceneOf("a"), "none"},
	})
}

func TestOneEventEachWantsNeitherMoreNorFewer(t *testing.T) {
	t.Parallel()
	checkScenes(t, at(judge.OneEventEach), []sceneCase{
		{"one each", sceneOf("a").array("a").array("b"), ""},
		{"two", sceneOf("a").array("a").array("b", "c"), "2 events"},
		{"none", sceneOf("a").body("[]"), "0 events"},
		{"nothing came", sceneOf("a"), "none"},
	})
}

func TestAtMostKBMeasuresTheWholeBody(t *testing.T) {
	t.Parallel()
	padded := func(n int) string { return "[{}," + strings.Repeat(" ", n-7) + "{}]" }
	checkScenes(t, func(t *transcript.Transcript) judge.Outcome { return judge.AtMostKB(t, "r", 1) }, []sceneCase{
		{"1024 bytes", sceneOf("a").body(padded(1024)), ""},
		{"1025 bytes", sceneOf("a").body(padded(1025)), "1025 bytes with 2 events"},
		{"one large event", sceneOf("a").body("[" + sizedEvent("a", 2000) + "]"), ""},
		{"large and empty", sceneOf("a").body("[" + strings.Repeat(" ", 2000) + "]"), "0 events"},
		{"lines", sceneOf("a").body("{}\n" + sizedEvent("a", 1024)), "2 events"},
		{"nothing came", sceneOf("a"), "none"},
	})
}

func TestLargeAloneLooksAtEachEvent(t *testing.T) {
	t.Parallel()
	large, small, limit := sizedEvent("a", 1100), sizedEvent("b", 0), sizedEvent("c", 1024)
	checkScenes(t, func(t *transcript.Transcript) judge.Outcome { return judge.LargeAlone(t, "r", 1) }, []sceneCase{
		{"alone", sceneOf("a").body("[" + large + "]").body("[" + small + "," + small + "]"), ""},
		{"just as large as the limit", sceneOf("a").body("[" + limit + "," + small + "]"), ""},
		{"a byte larger than the limit", sceneOf("a").body("[" + sizedEvent("c", 1025) + "," + small + "]"), "2 events"},
		{"with a small one after it", sceneOf("a").body("[" + large + "," + small + "]"), "2 events"},
		{"with a small one before it", sceneOf("a").body("[" + small + "," + large + "]"), "2 events"},
		{"on a line among others", sceneOf("a").body(small + "\n" + large), "2 events"},
		{"nothing came", sceneOf("a"), "none"},
	})
	if n := judge.Largest(sceneOf("a").body("["+small+","+large+"]").transcript(), "r"); n != len(large) {
		t.Errorf("the largest event has %d bytes, want %d", n, len(large))
	}
}

func TestBatchedCountsDeliveriesOfFirstArrivals(t *testing.T) {
	t.Parallel()
	checkScenes(t, at(judge.Batched), []sceneCase{
		{"two in one", sceneOf("a", "b", "c").array("a", "b").array("c"), ""},
		{"one by one", sceneOf("a", "b").array("a").array("b"), "2 deliveries"},
		{"a redelivery together does not help", sceneOf("a", "b").array("a").array("b").array("a", "b"), "2 deliveries"},
		{"a redelivery does not hurt", sceneOf("a", "b").array("a", "b").array("a", "b"), ""},
		{"one is missing", sceneOf("a", "b").array("a"), "missing"},
	})
}

func TestCountArrivedCountsEventsOnce(t *testing.T) {
	t.Parallel()
	s := sceneOf("a", "b", "c").array("a", "x").array("a", "b").body("[{", func(d *transcript.Delivery) { d.Complete = false })
	s.caused[1] = transcript.Caused{Name: "b", Type: "USER.CREATED"}
	if n := judge.CountArrived(s.transcript(), "r"); n != 2 {
		t.Errorf("%d arrived, want 2", n)
	}
}
