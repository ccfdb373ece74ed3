package judge_test

import (
	"net/http"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

func TestEventsReadsArraysAndLines(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		`[]`: 0, `[{}]`: 1, " [ {\"a\":1},\n{} ] \n": 2, `{"a":1}`: 1, "{}\n{}\n": 2, "{}\r\n\n{}": 2,
		``: -1, " \n": -1, `[{}`: -1, `"x"`: -1, "{}\n[1]": -1, "{\n}": -1, `7`: -1, `[{}] x`: -1,
	} {
		events, err := judge.Events(transcript.Delivery{Body: transcript.Body(body)})
		if want < 0 && err == nil || want >= 0 && (err != nil || len(events) != want) {
			t.Errorf("%q: got %d events, error %v, want %d", body, len(events), err, want)
		}
	}
}

func FuzzEvents(f *testing.F) {
	for _, seed := range []string{`[]`, `[{"id":"1"}]`, "{}\n{}", "{\"a\":\"\\n\"}\r\n", "[", "\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := judge.Events(transcript.Delivery{Body: body})
		if err != nil && events != nil {
			t.Errorf("events along with the error %v", err)
		}
		for _, e := range events {
			if !gjson.Valid(e.Raw) {
				t.Errorf("an event that is no JSON: %q", e.Raw)
			}
		}
	})
}

func TestDeliveredAndOnlyDelivered(t *testing.T) {
	t.Parallel()
	scenario := func() *sink { return new(sink).caused("Ada", "a").posted("Bob", `{"id":"2"}`).caused("Cleo", "c") }
	all := scenario().got(200, about("1", "a"), `{"id":"2"}`).got(200, about("3", "c"))
	some := scenario().got(500, about("1", "a")).got(200, about("1", "a"), about("9", "z"))
	verdicts(t, map[string]judge.Outcome{
		"all of them":               judge.Delivered(&all.Transcript, "sink"),
		"one of them":               judge.Delivered(&some.Transcript, "sink", "Ada"),
		"only that one":             judge.OnlyDelivered(&some.Transcript, "sink", "Ada"),
		"none of the others":        judge.NotDelivered(&some.Transcript, "sink", "Bob", "Cleo"),
		"not: all of them":          judge.Delivered(&some.Transcript, "sink"),
		"not: a posted one":         judge.Delivered(&some.Transcript, "sink", "Ada", "Bob"),
		"not: at another":           judge.Delivered(&all.Transcript, "drain", "Ada"),
		"not: an unknown name":      judge.Delivered(&all.Transcript, "sink", "Zoe"),
		"not: only one of all":      judge.OnlyDelivered(&all.Transcript, "sink", "Ada", "Cleo"),
		"not: only, and missing":    judge.OnlyDelivered(&some.Transcript, "sink", "Ada", "Bob"),
		"not: none, and one is":     judge.NotDelivered(&all.Transcript, "sink", "Bob"),
		"not: none, and another is": judge.NotDelivered(&some.Transcript, "sink"),
	})
}

func TestListsEvent(t *testing.T) {
	t.Parallel()
	event := gjson.Parse(`{"id":"1","correlationId":"c"}`)
	judged := func(body string) judge.Outcome {
		x := transcript.Exchange{Response: &transcript.Response{Status: http.StatusOK, Body: transcript.Body(body)}}
		return judge.Response(x, judge.ListsEvent(event))
	}
	verdicts(t, map[string]judge.Outcome{
		"by id":               judged(`{"_embedded":{"activities":[{"id":"0"},{"id":"1"}]}}`),
		"by correlationId":    judged(`{"_embedded":{"activities":[{"id":"9","correlationId":"c"}]}}`),
		"not: others":         judged(`{"_embedded":{"activities":[{"id":"9","correlationId":"d"}]}}`),
		"not: empty":          judged(`{"_embedded":{"activities":[]}}`),
		"not: another list":   judged(`{"_embedded":{"users":[{"id":"1"}]}}`),
		"not: an error":       judged(`{"code":"ACCESS_FAILED","id":"1"}`),
		"not: across members": judged(`{"_embedded":{"activities":[{"id":"c","correlationId":"1"}]}}`),
	})
	bare := gjson.Parse(`{"id":""}`)
	x := transcript.Exchange{Response: &transcript.Response{Status: http.StatusOK, Body: transcript.Body(`{"_embedded":{"activities":[{"id":""}]}}`)}}
	verdicts(t, map[string]judge.Outcome{"not: an event without ids": judge.Response(x, judge.ListsEvent(bare))})
}
