package judge

import (
	"net/url"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// ListsEvent expects a collection that has the event among its elements, by its id
// or its correlationId. Rule EVT-018.
func ListsEvent(event gjson.Result) Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		elements := gjson.GetBytes(r.Body, "_embedded.activities").Array()
		for _, member := range []string{"id", "correlationId"} {
			want := event.Get(member)
			for _, e := range elements {
				if want.Str != "" && e.Get(member).Str == want.Str {
					return Pass
				}
			}
		}
		return Fail("an activity with id %s or correlationId %s", event.Get("id").String(), describe(event.Get("correlationId"))).
			Got("%s, none of them it", count(len(elements), "activity"))
	}}
}

// Activities expects at least one activity, each with an absolute link to
// itself and the times when it was recorded and created. Rule ACT-002.
func Activities() Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		list := gjson.GetBytes(r.Body, "_embedded.activities")
		if !list.IsArray() || len(list.Array()) == 0 {
			return Fail("activities in _embedded.activities").Got("the body %q", cut(r.Body))
		}
		for i, activity := range list.Array() {
			link := activity.Get("_links.self.href")
			if target, err := url.Parse(link.Str); link.Type != gjson.String || err != nil || !target.IsAbs() || target.Host == "" {
				return Fail("an absolute _links.self.href in activity %d", i).Got("%s", cut(describe(link)))
			}
			for _, member := range []string{"recordedAt", "createdAt"} {
				if got := activity.Get(member); got.Type != gjson.String || !IsDateTime(got.Str) {
					return Fail("%s in activity %d is a date and time of RFC 3339", member, i).Got("%s", cut(describe(got)))
				}
			}
		}
		return Pass
	}}
}
