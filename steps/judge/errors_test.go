package judge

import (
	"testing"

	"github.com/hookproof/hookproof/steps/transcript"
)

func TestAnErrorTellsACodeAndAMessage(t *testing.T) {
	t.Parallel()
	tell(t, ErrorText(),
		reply{"both", `{"code":"NOT_FOUND","message":"There is none."}`, true},
		reply{"further members", `{"more":1,"code":"A","message":"B","details":{}}`, true},
		reply{"no code", `{"message":"B"}`, false},
		reply{"null as code", `{"code":null,"message":"B"}`, false},
		reply{"a number as code", `{"code":404,"message":"B"}`, false},
		reply{"no message", `{"code":"A"}`, false},
		reply{"a list of messages", `{"code":"A","message":["B"]}`, false},
		reply{"both below another member", `{"error":{"code":"A","message":"B"}}`, false},
		reply{"both in a list", `[{"code":"A","message":"B"}]`, false},
		reply{"broken JSON", `{"code":"A","message":"B"`, false},
		reply{"nothing", ``, false})
}

func TestAnErrorsIDIsJudged(t *testing.T) {
	t.Parallel()
	const uuid = `"9773fa25-a4f4-40d8-ac25-0d53338247c1"`
	required, optional := []int{400, 401, 404, 500}, []int{403, 405, 409, 415, 429, 503}
	for _, tc := range []struct {
		name, id                 string // id as JSON; empty: left out
		whereRequired, elsewhere bool
	}{
		{"a UUID", uuid, true, true},
		{"a UUID in upper case", `"9773FA25-A4F4-40D8-AC25-0D53338247C1"`, true, true},
		{"none", "", false, true},
		{"null", "null", false, true},
		{"empty", `""`, false, false},
		{"a word", `"17"`, false, false},
		{"a number", "17", false, false},
		{"a UUID in a list", "[" + uuid + "]", false, false},
	} {
		body := `{"code":"A","message":"B"}`
		if tc.id != "" {
			body = `{"id":` + tc.id + `,"code":"A","message":"B"}`
		}
		for _, statuses := range []struct {
			of    []int
			meets bool
		}{{required, tc.whereRequired}, {optional, tc.elsewhere}} {
			for _, status := range statuses.of {
				x := jsonAnswer(body)
				x.Response.Status = status
				if o := Response(x, ErrorID()); o.Failed() == statuses.meets {
					t.Errorf("%s in an answer of %d: failed is %t", tc.name, status, o.Failed())
				}
			}
		}
	}
}

func TestDetailsOfAnErrorAreJudged(t *testing.T) {
	t.Parallel()
	tell(t, ErrorDetails(),
		reply{"none", `{"code":"A"}`, true},
		reply{"null", `{"details":null}`, true},
		reply{"an empty list", `{"details":[]}`, true},
		reply{"one", `{"details":[{"code":"A","message":"B"}]}`, true},
		reply{"two with more", `{"details":[{"code":"A","message":"B","target":"c"},{"code":"A","message":"B","innerError":{"quotaLimit":1}}]}`, true},
		reply{"an object", `{"details":{"code":"A","message":"B"}}`, false},
		reply{"a text", `{"details":"No."}`, false},
		reply{"a list of texts", `{"details":["No."]}`, false},
		reply{"no code", `{"details":[{"message":"B"}]}`, false},
		reply{"no message in the second", `{"details":[{"code":"A","message":"B"},{"code":"A"}]}`, false},
		reply{"a number as code", `{"details":[{"code":1,"message":"B"}]}`, false},
		reply{"a number in the list", `{"details":[1]}`, false},
		reply{"text", `No.`, false})
}

func TestARefusalNamesTheMember(t *testing.T) {
	t.Parallel()
	target := func(json string) string {
		return `{"details":[{"code":"A","message":"B"},{"code":"A","message":"B","target":` + json + `}]}`
	}
	tell(t, Names("httpEndpoint.url"),
		reply{"as a path with dots", target(`"httpEndpoint.url"`), true},
		reply{"as a JSON path", target(`"$.httpEndpoint.url"`), true},
		reply{"as a JSON pointer", target(`"/httpEndpoint/url"`), true},
		reply{"with an index", target(`"$['httpEndpoint']['url'][0]"`), true},
		reply{"by itself", target(`"url"`), true},
		reply{"its parent", target(`"httpEndpoint"`), false},
		reply{"another", target(`"httpEndpoint.headers"`), false},
		reply{"a longer name", target(`"httpEndpoint.curl"`), false},
		reply{"in another case", target(`"httpEndpoint.URL"`), false},
		reply{"nothing", target(`""`), false},
		reply{"a list", target(`["httpEndpoint.url"]`), false},
		reply{"no details", `{"code":"A","message":"httpEndpoint.url"}`, false},
		reply{"details that are an object", `{"details":{"target":"name"}}`, false})
}

func TestWhatIsBoundByTheRulesOfErrorBodies(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, media, body string
		status            int
		bound             bool
	}{
		{"JSON", "application/json", `{}`, 400, true},
		{"JSON with parameters", "application/json; charset=utf-8", `{}`, 500, true},
		{"JSON of a kind", "application/problem+json", `{}`, 404, true},
		{"JSON that is broken", "application/json", `{`, 404, true},
		{"a success", "application/json", `{}`, 200, false},
		{"nothing", "application/json", ``, 404, false},
		{"a page", "text/html", `<p>`, 404, false},
		{"no type", "", `{}`, 404, false},
	} {
		r := transcript.Response{Status: tc.status, Headers: map[string][]string{"Content-Type": {tc.media}}, Body: transcript.Body(tc.body)}
		if Tells(r) != tc.bound {
			t.Errorf("%s: %t, want %t", tc.name, !tc.bound, tc.bound)
		}
	}
}
