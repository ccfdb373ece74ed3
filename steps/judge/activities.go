package judge

import (
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
			Got("%d activities, none of them it", len(elements))
	}}
}
