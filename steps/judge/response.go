package judge

import (
	"mime"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// An Expectation is one thing that an answer must have.
type Expectation struct {
	stage int // 0 status, 1 headers, 2 body
	judge func(transcript.Response) Outcome
}

// Response judges an exchange by expectations, the status first, then the
// headers, then the body, whatever their order. An exchange without an
// answer fails before any of them.
func Response(x transcript.Exchange, expectations ...Expectation) Outcome {
	request := x.Request.Method + " " + x.Request.Path
	if x.Request.Path == "" { // its address is hidden whole, as it may be a secret
		request = x.Request.Method + " to the event hook"
	}
	if x.Response == nil {
		return Fail("an answer to %s", request).Got("none: %s", x.Error).because("no answer came").absence()
	}
	sorted := slices.Clone(expectations)
	slices.SortStableFunc(sorted, func(a, b Expectation) int { return a.stage - b.stage })
	for _, e := range sorted {
		if o := e.judge(*x.Response); o.failed {
			o.Expected += " in the answer to " + request
			return o.because([]string{"the answer's status", "the answer's headers", "the answer's body"}[e.stage])
		}
	}
	return Pass
}

// Status expects exactly this status.
func Status(want int) Expectation {
	return Expectation{0, func(r transcript.Response) Outcome {
		if r.Status != want {
			o := Fail("status %d", want).Got("status %d with body %s", r.Status, cut(r.Body))
			if want/100 == 2 {
				return o.denial()
			}
			return o
		}
		return Pass
	}}
}

// StatusIn expects one of these statuses.
func StatusIn(want ...int) Expectation {
	return Expectation{0, func(r transcript.Response) Outcome {
		if !slices.Contains(want, r.Status) {
			return Fail("a status of %v", want).Got("status %d with body %s", r.Status, cut(r.Body))
		}
		return Pass
	}}
}

// Success expects a status of the class 2xx.
func Success() Expectation {
	return Expectation{0, func(r transcript.Response) Outcome {
		if r.Status/100 != 2 {
			return Fail("a status of 2xx").Got("status %d with body %s", r.Status, cut(r.Body)).denial()
		}
		return Pass
	}}
}

// Refused expects a status of the class 4xx. The documents say which status
// is usual; the vendor reserves the right to move within the class.
func Refused(usual int) Expectation {
	return Expectation{0, func(r transcript.Response) Outcome {
		if r.Status/100 != 4 {
			return Fail("a status of 4xx, usually %d,", usual).Got("status %d with body %s", r.Status, cut(r.Body))
		}
		return Pass
	}}
}

// JSONContent expects a Content-Type of JSON: application/json or a subtype
// that ends in +json.
func JSONContent() Expectation {
	return Expectation{1, func(r transcript.Response) Outcome {
		var value string
		if values := r.Headers["Content-Type"]; len(values) > 0 {
			value = values[0]
		}
		if !isJSON(value) {
			return Fail("a Content-Type of JSON").Got("%q", value)
		}
		return Pass
	}}
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

// ContentType expects a Content-Type of this media type, with or without
// parameters. Rule SUB-CRUD-023.
func ContentType(want string) Expectation {
	return Expectation{1, func(r transcript.Response) Outcome {
		value := strings.Join(r.Headers["Content-Type"], ", ")
		if media, _, err := mime.ParseMediaType(value); err != nil || media != want {
			return Fail("a Content-Type of %s", want).Got("%q", value)
		}
		return Pass
	}}
}

// NoBody expects an empty body.
func NoBody() Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		if len(r.Body) > 0 {
			return Fail("no body").Got("%s", cut(r.Body))
		}
		return Pass
	}}
}

// JSON expects that the member at the path (gjson) equals want, which is a
// JSON text or a Go value that encoding/json knows how to write.
func JSON(path string, want any) Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		got := gjson.GetBytes(r.Body, path)
		if !gjson.ValidBytes(r.Body) {
			return Fail("%s = %v", path, want).Got("a body that is no JSON: %s", cut(r.Body))
		}
		if !got.Exists() {
			return Fail("%s = %v", path, want).Got("no such member in %s", cut(r.Body))
		}
		if !Same(got.Value(), want) {
			return Fail("%s = %v", path, want).Got("%s", cut(got.Raw))
		}
		return Pass
	}}
}

// Absent expects that there is no member at the path, or that it is null, in
// a body of JSON.
func Absent(path string) Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		if !gjson.ValidBytes(r.Body) {
			return Fail("no %s", path).Got("a body that is no JSON: %s", cut(r.Body))
		}
		if got := gjson.GetBytes(r.Body, path); got.Exists() && got.Type != gjson.Null {
			return Fail("no %s", path).Got("%s", cut(got.Raw))
		}
		return Pass
	}}
}

// Matching expects a string at the path that ok accepts; what names it.
func Matching(path, what string, ok func(string) bool) Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		got := gjson.GetBytes(r.Body, path)
		if got.Type != gjson.String || !ok(got.Str) {
			return Fail("%s is %s", path, what).Got("%s", cut(describe(got)))
		}
		return Pass
	}}
}

// ErrorBody expects the core of the platform's error body: code and message
// as strings and, if it is present, id as one. (V6, O1) Rule SUB-LIMIT-052.
func ErrorBody() Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		if !gjson.ValidBytes(r.Body) {
			return Fail("the platform's error body").Got("the body %q", cut(r.Body))
		}
		body := gjson.ParseBytes(r.Body)
		for _, member := range []string{"code", "message"} {
			if body.Get(member).Type != gjson.String {
				return Fail("an error body with the string %s", member).Got("%s", cut(r.Body))
			}
		}
		if id := body.Get("id"); id.Exists() && id.Type != gjson.Null && id.Type != gjson.String {
			return Fail("an error body whose id is a string").Got("%s", id.Raw)
		}
		return Pass
	}}
}

// Same tells whether two decoded JSON values are equal; numbers are compared
// by value.
func Same(got, want any) bool { return cmp.Equal(plainValue(got), plainValue(want)) }

// plainValue gives the form that decoding a JSON text would give.
func plainValue(v any) any {
	switch v := v.(type) {
	case int:
		return float64(v)
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	case map[string]string:
		out := make(map[string]any, len(v))
		for k, s := range v {
			out[k] = s
		}
		return out
	}
	return v
}

func describe(r gjson.Result) string {
	if !r.Exists() {
		return "no such member"
	}
	return r.Raw
}

// IsUUID tells whether s has the form of a UUID.
func IsUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range s {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return false
			}
		}
	}
	return true
}
