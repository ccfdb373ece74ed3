package judge

import (
	"strings"
	"testing"

	"github.com/hookproof/hookproof/steps/transcript"
)

// replies are answers by what is said of them, and whether an expectation is
// met by each.
type reply struct {
	name  string
	body  string
	meets bool
}

// jsonAnswer is an answer of status 200 with that body.
func jsonAnswer(body string) transcript.Exchange {
	return transcript.Exchange{
		Peer: "emitter", Request: transcript.Request{Method: "GET", Path: "/v1/x"},
		Response: &transcript.Response{
			Status: 200, Headers: map[string][]string{"Content-Type": {"application/json"}}, Body: transcript.Body(body),
		},
	}
}

// tell runs a table of replies against one expectation.
func tell(t *testing.T, e Expectation, replies ...reply) {
	t.Helper()
	for _, r := range replies {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			o := Response(jsonAnswer(r.body), e)
			if o.Failed() == r.meets {
				t.Errorf("meets is %t, want %t: expected %s, got %s", !o.Failed(), r.meets, o.Expected, o.Actual)
			}
			if o.Failed() && (o.Expected == "" || o.Actual == "") {
				t.Errorf("a failure without values: expected %q, got %q", o.Expected, o.Actual)
			}
		})
	}
}

func TestStatusesAreJudged(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		e      Expectation
		status int
		meets  bool
	}{
		{"exactly", Status(201), 201, true},
		{"another of the class", Status(201), 200, false},
		{"one of several", StatusIn(201, 403), 403, true},
		{"none of several", StatusIn(201, 403), 404, false},
		{"success", Success(), 204, true},
		{"a redirect is no success", Success(), 302, false},
		{"refused as usual", Refused(400), 400, true},
		{"refused by another of the class", Refused(400), 422, true},
		{"accepted", Refused(400), 201, false},
		{"broken", Refused(400), 500, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			x := jsonAnswer("{}")
			x.Response.Status = tc.status
			if o := Response(x, tc.e); o.Failed() == tc.meets {
				t.Errorf("meets is %t, want %t: %+v", !o.Failed(), tc.meets, o)
			}
		})
	}
}

func TestTheFirstCauseIsNamed(t *testing.T) {
	t.Parallel()
	all := []Expectation{JSON("id", "a"), ContentType("application/json"), Status(200)}
	x := jsonAnswer(`{"id":"b"}`)
	for _, tc := range []struct {
		name string
		x    transcript.Exchange
		want string
	}{
		{"no answer", transcript.Exchange{Error: "refused"}, "an answer"},
		{"the status", transcript.Exchange{Response: &transcript.Response{Status: 500}}, "status 200"},
		{"a header", transcript.Exchange{Response: &transcript.Response{Status: 200}}, "a Content-Type"},
		{"the body", x, "id = a"},
	} {
		if o := Response(tc.x, all...); !o.Failed() || !strings.HasPrefix(o.Expected, tc.want) {
			t.Errorf("%s: expected %q, want it to begin with %q", tc.name, o.Expected, tc.want)
		}
	}
}

func TestContentTypesAreJudged(t *testing.T) {
	t.Parallel()
	for value, want := range map[string][2]bool{ // ContentType, JSONContent
		"application/json":                {true, true},
		"Application/JSON; charset=utf-8": {true, true},
		"application/hal+json":            {false, true},
		"text/json":                       {false, false},
		"text/plain":                      {false, false},
		"":                                {false, false},
	} {
		x := jsonAnswer("{}")
		x.Response.Headers = map[string][]string{"Content-Type": {value}}
		got := [2]bool{!Response(x, ContentType("application/json")).Failed(), !Response(x, JSONContent()).Failed()}
		if got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func TestAContentTypeIsMissed(t *testing.T) {
	t.Parallel()
	x := jsonAnswer("{}")
	x.Response.Headers = nil
	for _, e := range []Expectation{JSONContent(), ContentType("application/json")} {
		if o := Response(x, e); !o.Failed() {
			t.Error("an answer without a Content-Type passes")
		}
	}
}

func TestTextsAreCutForMessages(t *testing.T) {
	t.Parallel()
	whole, long := strings.Repeat("x", 300), strings.Repeat("x", 301)
	for text, want := range map[string]string{"": "", whole: whole, long: whole + "… (301 bytes in all)", "a\xff": "a�"} {
		if got := cut(text); got != want {
			t.Errorf("%q is cut to %q, want %q", text, got, want)
		}
	}
}

func TestABodyIsSeen(t *testing.T) {
	t.Parallel()
	tell(t, NoBody(), reply{"none", "", true}, reply{"some", "{}", false})
}

func TestAMemberIsComparedByValue(t *testing.T) {
	t.Parallel()
	tell(t, JSON("a.b", 5),
		reply{"same", `{"a":{"b":5}}`, true}, reply{"written otherwise", `{"a":{"b":5.0}}`, true},
		reply{"another", `{"a":{"b":6}}`, false}, reply{"a string", `{"a":{"b":"5"}}`, false},
		reply{"missing", `{"a":{}}`, false}, reply{"no JSON", `{"a":{"b":5}`, false})
	tell(t, JSON("a", []string{"x", "y"}),
		reply{"a list", `{"a":["x","y"]}`, true}, reply{"a list in another order", `{"a":["y","x"]}`, false}, reply{"a shorter list", `{"a":["x"]}`, false})
	tell(t, JSON("a", map[string]string{"x": "y"}),
		reply{"an object", `{"a":{"x":"y"}}`, true}, reply{"an object with more", `{"a":{"x":"y","z":""}}`, false}, reply{"an empty object", `{"a":{}}`, false})
}

func TestAMemberIsAbsentOrNull(t *testing.T) {
	t.Parallel()
	tell(t, Absent("a.b"),
		reply{"absent", `{"a":{}}`, true}, reply{"parent absent", `{}`, true}, reply{"null", `{"a":{"b":null}}`, true},
		reply{"an empty object", `{"a":{"b":{}}}`, false}, reply{"an empty list", `{"a":{"b":[]}}`, false},
		reply{"an empty string", `{"a":{"b":""}}`, false}, reply{"no JSON", `oops`, false})
}

func TestAValueMayBeAbsent(t *testing.T) {
	t.Parallel()
	tell(t, JSONOrAbsent("p", "HTTPS"),
		reply{"the value", `{"p":"HTTPS"}`, true}, reply{"absent", `{}`, true}, reply{"null", `{"p":null}`, true},
		reply{"another", `{"p":"TCP_IP"}`, false}, reply{"empty", `{"p":""}`, false}, reply{"no JSON", ``, false})
	tell(t, JSONOrAbsent("f", false), reply{"false", `{"f":false}`, true}, reply{"true", `{"f":true}`, false})
}

func TestAUUIDIsToldFromOtherIDs(t *testing.T) {
	t.Parallel()
	tell(t, Matching("id", "a UUID", IsUUID),
		reply{"lower case", `{"id":"9773fa25-a4f4-40d8-ac25-0d53338247c1"}`, true},
		reply{"upper case", `{"id":"9773FA25-A4F4-40D8-AC25-0D53338247C1"}`, true},
		reply{"too short", `{"id":"9773fa25-a4f4-40d8-ac25-0d53338247c"}`, false},
		reply{"no hexadecimal", `{"id":"9773fa25-a4f4-40d8-ac25-0d53338247cg"}`, false},
		reply{"in braces", `{"id":"{773fa25-a4f4-40d8-ac25-0d53338247c}"}`, false},
		reply{"hyphens elsewhere", `{"id":"9773fa25a-4f4-40d8-ac25-0d53338247c1"}`, false},
		reply{"a number", `{"id":17}`, false}, reply{"absent", `{}`, false})
}

func TestErrorBodiesAreJudged(t *testing.T) {
	t.Parallel()
	tell(t, ErrorBody(),
		reply{"full", `{"id":"9773fa25-a4f4-40d8-ac25-0d53338247c1","code":"INVALID_DATA","message":"No.","details":[]}`, true},
		reply{"code and message", `{"code":"ACCESS_FAILED","message":"No."}`, true},
		reply{"further members", `{"code":"A","message":"No.","more":[1]}`, true},
		reply{"an id that is a number", `{"id":17,"code":"A","message":"No."}`, false},
		reply{"no code", `{"message":"No."}`, false},
		reply{"a number as code", `{"code":403,"message":"No."}`, false},
		reply{"no message", `{"code":"A"}`, false},
		reply{"text", `Forbidden`, false},
		reply{"nothing", ``, false})
}
