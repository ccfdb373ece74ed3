package judge_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

type invariantCase struct {
	name  string
	story *story
	rules string // that are broken, by spaces; empty: none
}

func checkInvariants(t *testing.T, cases []invariantCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := judge.Invariants(&c.story.Transcript, documented)
			switch {
			case b == nil && c.rules != "":
				t.Errorf("nothing is found, want %s", c.rules)
			case b != nil && !slices.Equal(b.Rules, strings.Fields(c.rules)):
				t.Errorf("found %v (expected %s, actual %s), want %q", b.Rules, b.Expected, b.Actual, c.rules)
			case b != nil && (b.Expected == "" || b.Actual == ""):
				t.Errorf("a failure without values: %+v", b)
			}
		})
	}
}

func TestEveryRequestIsAsConfigured(t *testing.T) {
	t.Parallel()
	at := func(target string) func(*transcript.Delivery) {
		return func(d *transcript.Delivery) { d.Target = target }
	}
	get := func(d *transcript.Delivery) { d.Method = "GET" }
	head := func(d *transcript.Delivery) { d.Method = "HEAD" }
	one := "[" + userEvent("a") + "]"
	elsewhere := "https://127.0.0.1:7/hooks/r/x?y=1"
	mark := transcript.NewRedactor("salt").Mark
	checkInvariants(t, []invariantCase{
		{"as configured", ordinary().users("a").delivers(200, "a"), ""},
		{"a path and query of its own", ordinary("httpEndpoint.url", elsewhere).users("a").brings(200, one, at("/hooks/r/x?y=1")), ""},
		{"the query is lost", ordinary("httpEndpoint.url", elsewhere).users("a").brings(200, one, at("/hooks/r/x")), "DLV-001"},
		{"another method", ordinary().users("a").brings(200, one, get), "DLV-001"},
		{"another method on the second attempt", ordinary().users("a").delivers(500, "a").brings(200, one, get), "DLV-001"},
		{"a header", ordinary("httpEndpoint.headers.X-Key", "k").users("a").brings(200, one, carrying("X-Key", mark("k"))), ""},
		{"a header recorded as it is", ordinary("httpEndpoint.headers.content-type", "a/b").users("a").brings(200, one, carrying("Content-Type", "a/b")), ""},
		{"no header on the second attempt", ordinary("httpEndpoint.headers.X-Key", "k").users("a").brings(500, one, carrying("X-Key", mark("k"))).delivers(200, "a"), "DLV-002"},
		{"another value", ordinary("httpEndpoint.headers.X-Key", "k").users("a").brings(200, one, carrying("X-Key", mark("K"))), "DLV-002"},
		{"credentials lost", ordinary("httpEndpoint.headers.Authorization", "Basic x").users("a").delivers(200, "a"), "DLV-002 DLV-003"},
		{"no second header", ordinary("httpEndpoint.headers.X-Key", "k", "httpEndpoint.headers.X-Other", "o").users("a").brings(200, one, carrying("X-Key", mark("k"))), "DLV-002"},
		{"no first header", ordinary("httpEndpoint.headers.X-Key", "k", "httpEndpoint.headers.X-Other", "o").users("a").brings(200, one, carrying("X-Other", mark("o"))), "DLV-002"},
		{"a HEAD that tests the connection", ordinary().users("a").brings(200, "", head).delivers(200, "a"), ""},
		{"a HEAD with a body", ordinary().users("a").brings(200, one, head), "DLV-001"},
		{"a receiver with a short path", told().exchange("receiver", "POST", "/inspect/endpoints", `{"name":"a#r"}`, 201, `{"id":"ep-r","urls":{"trusted":"https://127.0.0.1:7/h"}}`).
			subscribed("s", subscriptionTo("r", "httpEndpoint.url", "https://127.0.0.1:7/h")).users("a").brings(200, one, get, at("/h")), "DLV-001"},
		{"nobody subscribed there", told("r").users("a").brings(200, one, get), ""},
		{"a request cut short", ordinary().users("a").brings(200, one, func(d *transcript.Delivery) { d.Complete, d.Body = false, d.Body[:10] }), ""},
	})
}

func TestAChangeCountsFromItsAnswerOn(t *testing.T) {
	t.Parallel()
	mark := transcript.NewRedactor("salt").Mark
	old, changed := subscriptionTo("r", "httpEndpoint.headers.X-Key", "old"), subscriptionTo("r", "httpEndpoint.headers.X-Key", "new")
	one, two, both := "["+userEvent("a")+"]", "["+userEvent("b")+"]", "["+userEvent("a")+","+userEvent("b")+"]"
	oldKey, newKey := carrying("X-Key", mark("old")), carrying("X-Key", mark("new"))
	base := func() *story { return told("r").subscribed("s", old).users("a") }
	checkInvariants(t, []invariantCase{
		{"caused before, delivered as before", base().put("s", changed, 200).brings(200, one, oldKey), ""},
		{"caused before, delivered as after", base().put("s", changed, 200).brings(200, one, newKey), ""},
		{"caused after, delivered as after", base().brings(200, one, oldKey).put("s", changed, 200).users("b").brings(200, two, newKey), ""},
		{"caused after, delivered as before", base().brings(200, one, oldKey).put("s", changed, 200).users("b").brings(200, two, oldKey), "DLV-002"},
		{"caused before and after", base().put("s", changed, 200).users("b").brings(200, both, oldKey), ""},
		{"delivered as after, and not yet asked for", base().brings(200, one, newKey).put("s", changed, 200), "DLV-002"},
		{"refused", base().put("s", changed, 400).users("b").brings(200, both, newKey), "DLV-002"},
		{"failed, and done", base().put("s", changed, 500).users("b").brings(200, both, newKey), ""},
		{"failed, and not done", base().put("s", changed, 500).users("b").brings(200, both, oldKey), ""},
		{"never answered, and done", base().put("s", changed, 0).users("b").brings(200, both, newKey), ""},
		{"never answered, and not done", base().put("s", changed, 0).users("b").brings(200, both, oldKey), ""},
		{"neither", base().put("s", changed, 0).users("b").brings(200, both, carrying("X-Key", mark("third"))), "DLV-002"},
		{"of another subscription", base().subscribed("t", changed).users("b").brings(200, two, newKey), ""},
		{"an event of somebody else", base().put("s", changed, 200).brings(200, "["+userEvent("z")+"]", oldKey), ""},
		{"moved away", told("r", "q").subscribed("s", old).put("s", subscriptionTo("q"), 200).users("b").brings(200, two, toward("q")), ""},
		{"deleted", base().exchange("emitter", "DELETE", subscriptions+"/s", "", 204, "").users("b").brings(200, two), ""},
	})
}

func TestEveryBodyIsAsConfigured(t *testing.T) {
	t.Parallel()
	const limit = "payloadOptions.maximumPayloadLimit"
	format, kind := "payloadOptions.payloadFormat.https.format", map[string]any{"type": "EVENTS_PER_PAYLOAD", "size": 2}
	kb := map[string]any{"type": "KB_PER_PAYLOAD", "size": 1}
	ids, most := many(500, 0)
	more, tooMany := many(501, 0)
	three, bodyOfThree := many(3, 0)
	_, large := many(1, 3000)
	_, larger := many(2, 600)
	lines := userEvent("a") + "\n" + userEvent("b") + "\n"
	checkInvariants(t, []invariantCase{
		{"500 events", ordinary().users(ids...).brings(200, most), ""},
		{"501 events", ordinary().users(more...).brings(200, tooMany), "DLV-007"},
		{"as many as the limit", ordinary(limit, kind).users("a", "b").delivers(200, "a", "b"), ""},
		{"more than the limit", ordinary(limit, kind).users(three...).brings(200, bodyOfThree), "DLV-008"},
		{"more than the limit, in vain", ordinary(limit, kind).users(three...).brings(500, bodyOfThree), "DLV-008"},
		{"one event larger than the limit", ordinary(limit, kb).users("u0").brings(200, large), ""},
		{"two events larger than the limit", ordinary(limit, kb).users("u0", "u1").brings(200, larger), "DLV-010"},
		{"a limit nobody knows", ordinary(limit, map[string]any{"type": "BYTES", "size": 1}).users(more...).brings(200, tooMany), ""},
		{"one object", ordinary().users("a").brings(200, userEvent("a")), "DLV-004 DLV-005"},
		{"lines where an array is due", ordinary().users("a", "b").brings(200, lines), "DLV-004"},
		{"lines", ordinary(format, "ND_JSON").users("a", "b").brings(200, lines), ""},
		{"an array where lines are due", ordinary(format, "ND_JSON").users("a").delivers(200, "a"), "DLV-016"},
		{"an array of something else", ordinary().users("a").brings(200, `["a"]`), "DLV-004"},
		{"no event", ordinary().users("a").delivers(200, "a").brings(200, "[]"), "DLV-006"},
		{"no body", ordinary().users("a").brings(200, ""), "DLV-006"},
		{"no line", ordinary(format, "ND_JSON").users("a").brings(200, "\n\n"), "DLV-006"},
		{"another product's format", ordinary("format", "SPLUNK").users("a").brings(200, `{"event":{}}`), ""},
		{"another product's format in lines", ordinary("format", "SPLUNK", format, "ND_JSON").users("a").brings(200, `{"event":{}}`), ""},
		{"another product's format in an array where lines are due", ordinary("format", "SPLUNK", format, "ND_JSON").users("a").brings(200, `[{"event":{}}]`), "DLV-016"},
		{"another product's format, cut short", ordinary("format", "SPLUNK", format, "ND_JSON").users("a").brings(200, `[{"ev`, func(d *transcript.Delivery) { d.Truncated = true }), ""},
		{"the format of activities", ordinary("format", "ACTIVITY").users("a").brings(200, `{}`), "DLV-004 DLV-005"},
	})
}

func TestEveryArrayIsIndentedWhereThatWasAskedFor(t *testing.T) {
	t.Parallel()
	format, pretty := "payloadOptions.payloadFormat.https.format", "payloadOptions.payloadFormat.https.prettyPrint"
	flat := "[" + userEvent("a") + "]"
	indented := "[\n  " + userEvent("a") + "\n]"
	checkInvariants(t, []invariantCase{
		{"indented", ordinary(format, "JSON_ARRAY", pretty, true).users("a").brings(200, indented), ""},
		{"flat", ordinary(format, "JSON_ARRAY", pretty, true).users("a").brings(200, flat), "DLV-014"},
		{"flat the second time", ordinary(format, "JSON_ARRAY", pretty, true).users("a").brings(500, indented).brings(200, flat), "DLV-014"},
		{"flat as was asked for", ordinary(format, "JSON_ARRAY", pretty, false).users("a").brings(200, flat), ""},
		{"indented unasked is another rule's", ordinary(format, "JSON_ARRAY").users("a").brings(200, indented), ""},
		{"pretty without a format", ordinary(pretty, true).users("a").brings(200, flat), ""},
		{"lines", ordinary(format, "ND_JSON", pretty, true).users("a").brings(200, userEvent("a")), ""},
		{"nothing to indent", ordinary(format, "JSON_ARRAY", pretty, true).users("a").brings(200, "[]"), "DLV-006"},
		{"another product's format, flat", ordinary(format, "JSON_ARRAY", pretty, true, "format", "SPLUNK").users("a").brings(200, flat), "DLV-014"},
		{"another product's format, indented", ordinary(format, "JSON_ARRAY", pretty, true, "format", "SPLUNK").users("a").brings(200, indented), ""},
		{"another product's format, records in a row", ordinary(format, "JSON_ARRAY", pretty, true, "format", "SPLUNK").users("a").brings(200, "{\n  \"event\":{}\n}\n{\n  \"event\":{}\n}\n"), ""},
		{"nothing at all to indent", ordinary(format, "JSON_ARRAY", pretty, true).users("a").brings(200, "\n"), "DLV-006"},
	})
}

func TestEveryEventIsOfAnIncludedType(t *testing.T) {
	t.Parallel()
	const types = "filterOptions.includedActionTypes"
	created, deleted := []string{"USER.CREATED"}, []string{"USER.DELETED"}
	gone := "[" + userEvent("a", "action.type", "USER.DELETED") + "]"
	both := "[" + userEvent("a") + "," + userEvent("b", "action.type", "USER.DELETED") + "]"
	checkInvariants(t, []invariantCase{
		{"included", ordinary(types, created).users("a").delivers(200, "a"), ""},
		{"not included", ordinary(types, deleted).users("a").delivers(200, "a"), "FLT-002"},
		{"not included, of somebody else", ordinary(types, created).users("a").brings(200, gone), "EVT-003"},
		{"shown as another", ordinary(types, created).posts(userEvent("a")).brings(200, gone), "EVT-003"},
		{"shown in another case", ordinary(types, created).users("a").brings(200, "["+userEvent("a", "action.type", "user.created")+"]"), "EVT-003"},
		{"of no type", ordinary(types, created).users("a").brings(200, "["+userEvent("a", "action", map[string]any{})+"]"), "EVT-003"},
		{"the second of two", ordinary(types, created).users("a").brings(200, both), "EVT-003"},
		{"one of several", ordinary(types, []string{"USER.DELETED", "USER.CREATED"}).users("a").brings(200, both), ""},
		{"the event of a connection test", ordinary(types, deleted).brings(200, "["+userEvent("a", "action.type", "EVENT_DELIVERY_TEST")+"]"), ""},
		{"the event of a connection test, of another type", ordinary(types, deleted).tested("s").brings(200, "["+userEvent("a", "action.type", "CONNECTION.TESTED")+"]"), ""},
		{"not included, beside a connection test", ordinary(types, deleted).tested("s").users("a").delivers(200, "a"), "FLT-002"},
		{"shown as another, beside a connection test", ordinary(types, created).tested("s").posts(userEvent("a")).brings(200, gone), "EVT-003"},
		{"of before and after a change", ordinary(types, created).users("a").put("s", subscriptionTo("r", types, deleted), 200).brings(200, both), ""},
		{"after a change", ordinary(types, created).put("s", subscriptionTo("r", types, deleted), 200).users("a").delivers(200, "a"), "FLT-002"},
		{"of two subscriptions", ordinary(types, created).subscribed("t", subscriptionTo("r", types, deleted)).users("a").brings(200, both), ""},
		{"no types are known", ordinary().users("a").delivers(200, "a"), ""},
		{"another product's format", ordinary(types, deleted, "format", "SPLUNK").users("a").delivers(200, "a"), ""},
	})
}

func TestEveryEventHasAnIDOfItsOwn(t *testing.T) {
	t.Parallel()
	same := userEvent("b", "id", "event-a")
	checkInvariants(t, []invariantCase{
		{"sent to two receivers", told("r", "q").subscribed("s", subscriptionTo("r")).subscribed("t", subscriptionTo("q")).users("a").delivers(200, "a").
			brings(200, "["+userEvent("a")+"]", toward("q")), ""},
		{"the same for two", ordinary().users("a", "b").delivers(200, "a").brings(200, "["+same+"]"), "EVT-001"},
		{"twice in a delivery", ordinary().users("a").delivers(200, "a", "a"), "EVT-001"},
		{"none", ordinary().users("a").brings(200, "["+userEvent("a", "id", "")+"]"), "EVT-001"},
		{"a number", ordinary().users("a").brings(200, "["+userEvent("a", "id", 5)+"]"), "EVT-001"},
	})
}

func TestWhatWasNotOptedInIsHidden(t *testing.T) {
	t.Parallel()
	address, agent := "filterOptions.ipAddressExposed", "filterOptions.userAgentExposed"
	shown := userEvent("a", "source.ipAddress", "203.0.113.86")
	posted := userEvent("a", "source.ipAddress", "203.0.113.86", "source.userAgent", "curl/8.1")
	hidden := userEvent("a")
	leaking := userEvent("a", "result.description", "by curl/8.1")
	plain := userEvent("a", "source.userAgent", "Go-http-client/1.1")
	checkInvariants(t, []invariantCase{
		{"the address of a caller", ordinary().users("a").brings(200, "["+shown+"]"), "EVT-012"},
		{"the address of somebody else", ordinary().brings(200, "["+shown+"]"), "EVT-012"},
		{"the address, opted in", ordinary(address, true).users("a").brings(200, "["+shown+"]"), ""},
		{"the address, the other opted in", ordinary(agent, true).users("a").brings(200, "["+shown+"]"), "EVT-012"},
		{"posted and hidden", ordinary().posts(posted).brings(200, "["+hidden+"]"), ""},
		{"posted and shown", ordinary(address, true).posts(posted).brings(200, "["+posted+"]"), "EVT-013"},
		{"posted and shown elsewhere", ordinary().posts(posted).brings(200, "["+leaking+"]"), "EVT-013"},
		{"posted elsewhere as well", ordinary().posts(userEvent("a", "source.userAgent", "curl/8.1", "result.description", "by curl/8.1")).brings(200, "["+leaking+"]"), ""},
		{"the address posted elsewhere as well", ordinary().posts(userEvent("a", "source.ipAddress", "203.0.113.86", "name", "203.0.113.86")).
			brings(200, "["+userEvent("a", "name", "203.0.113.86")+"]"), ""},
		{"both opted in", ordinary(address, true, agent, true).posts(posted).brings(200, "["+posted+"]"), ""},
		{"in a record, hidden", ordinary("format", "SPLUNK").posts(posted).brings(200, `[{"event":`+hidden+`}]`), ""},
		{"in a record, with the address", ordinary("format", "SPLUNK", agent, true).posts(posted).brings(200, `[{"event":`+posted+`}]`), "EVT-012"},
		{"in a record, with the agent", ordinary("format", "NEWRELIC", address, true).posts(posted).brings(200, `[{"message":`+strconv.Quote(posted)+`}]`), "EVT-013"},
		{"in a record, opted in", ordinary("format", "SPLUNK", address, true, agent, true).posts(posted).brings(200, `[{"event":`+posted+`}]`), ""},
		{"in a record, posted elsewhere as well", ordinary("format", "SPLUNK").posts(userEvent("a", "source.userAgent", "curl/8.1", "result.description", "by curl/8.1")).
			brings(200, `[{"event":`+leaking+`}]`), ""},
		{"the suite's own agent", ordinary().users("a").brings(200, "["+plain+"]"), "EVT-013"},
		{"of a connection test, hidden", ordinary().tested("s").brings(200, "["+userEvent("a", "action.type", "EVENT_DELIVERY_TEST")+"]"), ""},
		{"of a connection test, with the agent", ordinary().tested("s").brings(200, "["+userEvent("a", "action.type", "EVENT_DELIVERY_TEST", "action.by", "Go-http-client/2.0")+"]"), "EVT-013"},
		{"of a connection test, with the agent that was sent", ordinary().testedBy("s", "Probe/7").brings(200, "["+userEvent("a", "action.type", "EVENT_DELIVERY_TEST", "action.by", "probe 7")+"]"), "EVT-013"},
		{"of a connection test, with another agent than was sent", ordinary().testedBy("s", "Probe/7").brings(200, "["+userEvent("a", "action.type", "EVENT_DELIVERY_TEST", "action.by", "curl/8.1")+"]"), ""},
		{"of a connection test, with the address", ordinary().tested("s").brings(200, "["+userEvent("a", "action.type", "EVENT_DELIVERY_TEST", "action.by", "somebody at 203.0.113.86")+"]"), "EVT-012"},
		{"of a connection test, opted in", ordinary(address, true, agent, true).tested("s").brings(200, "["+userEvent("a", "action.type", "EVENT_DELIVERY_TEST", "action.by", "Go-http-client/2.0 at 203.0.113.86")+"]"), ""},
		{"of no connection test", ordinary().brings(200, "["+userEvent("a", "action.type", "EVENT_DELIVERY_TEST", "action.by", "somebody at 203.0.113.86")+"]"), ""},
		{"opted out, and caused before", ordinary(agent, true).users("a").put("s", subscriptionTo("r"), 200).brings(200, "["+plain+"]"), ""},
		{"opted out, and caused after", ordinary(agent, true).put("s", subscriptionTo("r"), 200).users("a").brings(200, "["+plain+"]"), "EVT-013"},
	})
}

func TestNothingComesAgainAfterItsAcknowledgement(t *testing.T) {
	t.Parallel()
	checkInvariants(t, []invariantCase{
		{"after a failure", ordinary().users("a").delivers(500, "a").delivers(200, "a"), ""},
		{"after a 200", ordinary().users("a").delivers(200, "a").delivers(200, "a"), "RTY-005"},
		{"with others", ordinary().users("a", "b").delivers(200, "a").delivers(200, "a", "b"), "RTY-005"},
		{"under way by then", ordinary().users("a").brings(200, "["+userEvent("a")+"]", func(d *transcript.Delivery) { d.Answer.At = d.Answer.At.Add(time.Second) }).delivers(200, "a"), ""},
		{"after a change", ordinary().users("a").delivers(200, "a").put("s", subscriptionTo("r", "name", "other"), 200).delivers(200, "a"), "RTY-005"},
		{"so late that the answer may have been lost", ordinary().users("a").later(2*time.Second).delivers(200, "a").delivers(200, "a"), ""},
		{"a second after it was asked for", ordinary().users("a").delivers(200, "a").later(800*time.Millisecond).delivers(200, "a"), ""},
		{"just before that", ordinary().users("a").delivers(200, "a").later(799*time.Millisecond).delivers(200, "a"), "RTY-005"},
		{"of no subscription", told("r").users("a").delivers(200, "a").delivers(200, "a"), ""},
		{"of two subscriptions", ordinary().subscribed("t", subscriptionTo("r")).users("a").delivers(200, "a").delivers(200, "a"), ""},
		{"of one that was asked for in vain, as it seems", ordinary().exchange("emitter", "POST", subscriptions, subscriptionTo("r"), 0, "").users("a").delivers(200, "a").delivers(200, "a"), ""},
	})
}

func TestNothingOvertakesWhatFails(t *testing.T) {
	t.Parallel()
	slow := func(d *transcript.Delivery) { d.Answer.At = d.Answer.At.Add(time.Second) }
	a, b := "["+userEvent("a")+"]", "["+userEvent("b")+"]"
	fresh := "[" + userEvent("a", "id", "event-again") + "]"
	checkInvariants(t, []invariantCase{
		{"in turn", ordinary().users("a", "b").delivers(500, "a").delivers(200, "a").delivers(200, "b"), ""},
		{"overtaken", ordinary().users("a", "b").delivers(500, "a").delivers(200, "b").delivers(200, "a"), "RTY-006"},
		{"overtaken after several attempts", ordinary().users("a", "b").delivers(500, "a").delivers(404, "a").delivers(200, "b"), "RTY-006"},
		{"joined by another", ordinary().users("a", "b").delivers(500, "a").delivers(200, "a", "b"), ""},
		{"joined by another in the place of one", ordinary().users("a", "b", "c").delivers(500, "a", "b").delivers(200, "a", "c"), "RTY-006"},
		{"overtaken by what is taken in pieces", ordinary().users("a", "b", "c").delivers(413, "a", "b").delivers(200, "a").delivers(200, "c"), "RTY-006"},
		{"in other pieces", ordinary().users("a", "b", "c").delivers(413, "a", "b").delivers(200, "a").delivers(200, "b", "c"), ""},
		{"after a reset", ordinary().users("a", "b").brings(0, a, func(d *transcript.Delivery) { d.Answer.Action = "reset" }).delivers(200, "b"), "RTY-006"},
		{"in pieces", ordinary().users("a", "b").delivers(413, "a", "b").delivers(200, "a").delivers(200, "b"), ""},
		{"side by side, both taken", ordinary().users("a", "b").brings(200, a, slow).delivers(200, "b"), ""},
		{"side by side, one fails", ordinary().users("a", "b").brings(500, a, slow).brings(200, b).later(2*time.Second).delivers(200, "a"), ""},
		{"never answered, not known yet", ordinary().users("a", "b").delivers(0, "a").delivers(200, "b").delivers(200, "a"), ""},
		{"never answered, and tried again", ordinary().users("a", "b").delivers(0, "a").delivers(0, "a").delivers(200, "b"), "RTY-006"},
		{"never answered, and overtaken", ordinary().users("a", "b").delivers(0, "a").delivers(500, "a").delivers(200, "b"), "RTY-006"},
		{"another id each time is no overtaking", ordinary().users("a").delivers(500, "a").brings(200, fresh), "RTY-012"},
		{"changed meanwhile", ordinary().users("a").delivers(500, "a").put("s", subscriptionTo("r", "name", "other"), 200).users("b").delivers(200, "b"), "RTY-006"},
		{"changed meanwhile, in turn", ordinary().users("a").delivers(500, "a").put("s", subscriptionTo("r", "name", "other"), 200).users("b").delivers(200, "a", "b"), ""},
		{"filtered in another way meanwhile", ordinary().users("a").delivers(500, "a").put("s", subscriptionTo("r", "filterOptions.includedTags", []string{"t"}), 200).users("b").delivers(200, "b"), ""},
		{"in another format meanwhile", ordinary().users("a").delivers(500, "a").put("s", subscriptionTo("r", "format", "SPLUNK"), 200).users("b").delivers(200, "b"), ""},
		{"moved meanwhile", ordinary().users("a").delivers(500, "a").put("s", subscriptionTo("r", "httpEndpoint.url", "https://127.0.0.1:7/hooks/r/x"), 200).users("b").
			brings(200, b, func(d *transcript.Delivery) { d.Target += "/x" }), ""},
		{"suspended meanwhile", ordinary().users("a").delivers(500, "a").put("s", subscriptionTo("r", "enabled", false), 200).put("s", subscriptionTo("r"), 200).users("b").delivers(200, "b"), ""},
		{"deleted meanwhile", ordinary().users("a", "b").delivers(500, "a").exchange("emitter", "DELETE", subscriptions+"/s", "", 204, "").delivers(200, "b"), ""},
		{"of two subscriptions", ordinary().subscribed("t", subscriptionTo("r")).users("a", "b").delivers(500, "a").delivers(200, "b"), ""},
		{"the clock was moved", ordinary().users("a", "b").delivers(500, "a").exchange("control", "POST", "/control/clock", "{}", 200, "").delivers(200, "b"), ""},
	})
}

func TestNothingIsHeldForLong(t *testing.T) {
	t.Parallel()
	long := 3 * time.Second
	checkInvariants(t, []invariantCase{
		{"at once", ordinary().users("a").delivers(200, "a"), ""},
		{"held", ordinary().users("a").later(long).delivers(200, "a"), "DLV-012"},
		{"held after another", ordinary().users("a").delivers(200, "a").users("b").later(long).delivers(200, "b"), "DLV-012"},
		{"behind one that took long", ordinary().users("a", "b").brings(200, "["+userEvent("a")+"]", func(d *transcript.Delivery) { d.Answer.At = d.Answer.At.Add(long) }).
			later(long).delivers(200, "b"), ""},
		{"behind one that failed", ordinary().users("a").delivers(500, "a").users("b").later(long).delivers(200, "a").delivers(200, "b"), ""},
		{"switched off", ordinary("enabled", false).users("a").later(long).delivers(200, "a"), "SUS-003"},
		{"switched on meanwhile", ordinary("enabled", false).users("a").later(long).put("s", subscriptionTo("r"), 200).delivers(200, "a"), ""},
		{"a receiver that was told to fail", told().receiver("r", `{"steps":[{"delay":"3s"}]}`).subscribed("s", subscriptionTo("r")).users("a").later(long).delivers(200, "a"), ""},
		{"a receiver that was closed", ordinary().exchange("receiver", "PUT", "/inspect/endpoints/ep-r/listener", "{}", 200, "").users("a").later(long).delivers(200, "a"), ""},
		{"from before the subscription", told("r").users("a").later(long).subscribed("s", subscriptionTo("r")).delivers(200, "a"), ""},
		{"of somebody else", ordinary().later(long).delivers(200, "a"), ""},
		{"just as long as is allowed", ordinary().users("a").later(2300*time.Millisecond).delivers(200, "a"), ""},
		{"by a machine that has just time enough", ordinary().slow(400*time.Millisecond).users("a").later(long).delivers(200, "a"), "DLV-012"},
		{"by a machine that has no time", ordinary().slow(time.Second).users("a").later(long).delivers(200, "a"), ""},
		{"never delivered", ordinary().users("a").later(long), ""},
	})
}

func TestWhatIsSentAgainIsTheSame(t *testing.T) {
	t.Parallel()
	other := "[" + userEvent("a", "result.status", "FAILED") + "]"
	reordered := `[{"action":{"type":"USER.CREATED"},"id":"event-a","resources":[{"id":"a"}]}]`
	checkInvariants(t, []invariantCase{
		{"the same", ordinary().users("a").delivers(500, "a").delivers(200, "a"), ""},
		{"the same in another order", ordinary().users("a").delivers(500, "a").brings(200, reordered), ""},
		{"another content", ordinary().users("a").delivers(500, "a").brings(200, other), "RTY-012"},
		{"another id", ordinary().users("a").delivers(500, "a").brings(200, "["+userEvent("a", "id", "x")+"]"), "RTY-012"},
		{"changed meanwhile", ordinary().users("a").delivers(500, "a").put("s", subscriptionTo("r"), 200).brings(200, other), ""},
		{"two events about one user", ordinary().users("a", "a").delivers(200, "a").brings(200, "["+userEvent("a", "id", "x")+"]"), ""},
		{"records that tell no id", ordinary("format", "NEWRELIC").users("a", "b").brings(200, `[{"message":"one"}]`).brings(200, `[{"message":"another"}]`), ""},
		{"a MUST goes first", ordinary().users("a").delivers(500, "a").brings(200, other).delivers(200, "a"), "RTY-005"},
	})
}

func TestNothingIsDeliveredOfWhatHappensWhileDisabled(t *testing.T) {
	t.Parallel()
	off, on := subscriptionTo("r", "enabled", false), subscriptionTo("r")
	stays := subscriptionTo("r", "enabled", false, "name", "other")
	checkInvariants(t, []invariantCase{
		{"disabled", ordinary().put("s", off, 200).users("a").delivers(200, "a"), "DLV-020"},
		{"disabled, and the delivery fails", ordinary().put("s", off, 200).users("a").delivers(500, "a"), "DLV-020"},
		{"disabled, and caused before", ordinary().users("a").put("s", off, 200).delivers(200, "a"), ""},
		{"disabled, and one of two caused before", ordinary().users("a").put("s", off, 200).users("b").delivers(200, "a", "b"), "DLV-020"},
		{"disabled, refused", ordinary().put("s", off, 400).users("a").delivers(200, "a"), ""},
		{"disabled, never answered", ordinary().put("s", off, 0).users("a").delivers(200, "a"), ""},
		{"enabled again", ordinary().put("s", off, 200).users("a").put("s", on, 200).delivers(200, "a"), ""},
		{"created disabled", ordinary("enabled", false).users("a").delivers(200, "a"), "SUS-003"},
		{"created disabled, and changed", ordinary("enabled", false).put("s", stays, 200).users("a").delivers(200, "a"), "DLV-020"},
		{"moved here while it was off", told("q", "r").subscribed("s", subscriptionTo("q", "enabled", false)).put("s", off, 200).users("a").delivers(200, "a"), "DLV-020"},
		{"another delivers here as well", ordinary().subscribed("t", on).put("s", off, 200).users("a").delivers(200, "a"), ""},
		{"an event of somebody else", ordinary().put("s", off, 200).delivers(200, "a"), ""},
		{"two events about one user", ordinary().users("a").put("s", off, 200).users("a").delivers(200, "a"), ""},
	})
}

func TestEventsStandInTheOrderInWhichTheyHappened(t *testing.T) {
	t.Parallel()
	lines := userEvent("b") + "\n" + userEvent("a") + "\n"
	checkInvariants(t, []invariantCase{
		{"in order", ordinary().users("a", "b", "c").delivers(200, "a", "b", "c"), ""},
		{"the last first", ordinary().users("a", "b", "c").delivers(200, "c", "a", "b"), "RTY-008"},
		{"one behind one whose call overlapped others", ordinary().users("c", "a").userAskedFor(time.Second, "b").delivers(200, "a", "b", "c"), "RTY-008"},
		{"two changed places", ordinary().users("a", "b", "c").delivers(200, "a", "c", "b"), "RTY-008"},
		{"lines in reverse order", ordinary("payloadOptions.payloadFormat.https.format", "ND_JSON").users("a", "b").brings(200, lines), "RTY-008"},
		{"in reverse order the second time", ordinary().users("a", "b").delivers(500, "a", "b").delivers(200, "b", "a"), ""},
		{"posted at once", ordinary().posts(userEvent("a"), userEvent("b")).delivers(200, "b", "a"), ""},
		{"posted one after the other", ordinary().posts(userEvent("a")).later(time.Millisecond).posts(userEvent("b")).delivers(200, "b", "a"), "RTY-008"},
		{"in two deliveries", ordinary().users("a", "b").delivers(200, "b").delivers(200, "a"), ""},
		{"events of somebody else", ordinary().users("a").delivers(200, "y", "a", "x"), ""},
	})
}
