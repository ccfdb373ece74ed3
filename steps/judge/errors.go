package judge

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// ErrorText expects the strings code and message in an error's JSON body.
// Rule ERR-001.
func ErrorText() Expectation {
	return errorBody(func(_ int, body gjson.Result) Outcome {
		for _, member := range []string{"code", "message"} {
			if got := body.Get(member); got.Type != gjson.String {
				return Fail("an error body with the string %s", member).Got("%s in %s", describe(got), cut(body.Raw))
			}
		}
		return Pass
	})
}

// ErrorID expects that the id of an error's JSON body is a UUID. Answers of
// 400, 401, 404 and 500 must have one, others may (O1). Rule ERR-002.
func ErrorID() Expectation {
	return errorBody(func(status int, body gjson.Result) Outcome {
		id := body.Get("id")
		required := slices.Contains([]int{400, 401, 404, 500}, status)
		switch {
		case !required && (!id.Exists() || id.Type == gjson.Null):
		case id.Type != gjson.String || !IsUUID(id.Str):
			return Fail("an error body whose id is a UUID").Got("%s in an answer of %d", cut(describe(id)), status)
		}
		return Pass
	})
}

// ErrorDetails expects that the details of an error's JSON body, where there
// are any, are an array of objects with the strings code and message.
// Rule ERR-003.
func ErrorDetails() Expectation {
	return errorBody(func(_ int, body gjson.Result) Outcome {
		details := body.Get("details")
		if !details.Exists() || details.Type == gjson.Null {
			return Pass
		}
		if !details.IsArray() {
			return Fail("an error body whose details are an array").Got("%s", cut(details.Raw))
		}
		for i, detail := range details.Array() {
			if !detail.IsObject() || detail.Get("code").Type != gjson.String || detail.Get("message").Type != gjson.String {
				return Fail("an object with the strings code and message in details[%d]", i).Got("%s", cut(detail.Raw))
			}
		}
		return Pass
	})
}

// Names expects that a refusal names the member in a target of its details.
// How a target is written is not documented, so that the last name of a path
// counts, whatever stands before it. Rule ERR-004.
func Names(member string) Expectation {
	return errorBody(func(_ int, body gjson.Result) Outcome {
		var targets []string
		for _, detail := range body.Get("details").Array() {
			target := detail.Get("target")
			if target.Type == gjson.String && lastName(target.Str) == lastName(member) {
				return Pass
			}
			targets = append(targets, describe(target))
		}
		return Fail("a detail whose target is %s", member).Got("the targets %v in %s", targets, cut(body.Raw))
	})
}

// lastName is the last name in a path, however it is written: "a.b[0]",
// "$.a.b" or "/a/b".
func lastName(path string) string {
	names := regexp.MustCompile(`[\p{L}_][\p{L}\p{N}_-]*`).FindAllString(path, -1)
	if len(names) == 0 {
		return ""
	}
	return names[len(names)-1]
}

// errorBody is an expectation of the JSON object in an error's body.
func errorBody(judge func(status int, body gjson.Result) Outcome) Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		body := gjson.ParseBytes(r.Body)
		if !gjson.ValidBytes(r.Body) || !body.IsObject() {
			return Fail("an error body that is a JSON object").Got("the body %q", cut(r.Body))
		}
		return judge(r.Status, body)
	}}
}

// Tells says whether an error's answer has a body that its type says is JSON:
// what the platform promises of error bodies it promises of those.
func Tells(r transcript.Response) bool {
	return r.Status >= 400 && len(r.Body) > 0 && isJSON(strings.Join(r.Headers["Content-Type"], ", "))
}
