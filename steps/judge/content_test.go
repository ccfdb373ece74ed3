package judge_test

import (
	"testing"

	"github.com/hookproof/hookproof/steps/judge"
)

func TestAsPosted(t *testing.T) {
	t.Parallel()
	const sent = `{"id":"1","recordedAt":"2026-08-09T02:24:24.507594727Z","action":{"type":"USER.CREATED"},"population":{},"list":[],"gone":null,
		"resources":[{"type":"USER","id":"u"}],"source":{"userAgent":"x"},"n":4,"_embedded":{"flow":{"version":4}}}`
	judged := func(arrived string) judge.Outcome {
		s := new(sink).posted("sample", gjsonLine(sent)).got(200, arrived)
		return judge.AsPosted(&s.Transcript, "sink", s.Transcript.Caused()[0])
	}
	const rest = `"action":{"type":"USER.CREATED"},"resources":[{"type":"USER","id":"u"}],"n":4,"_embedded":{"flow":{"version":4}}`
	verdicts(t, map[string]judge.Outcome{
		"as it was":                     judged(sent),
		"without source, null and {}":   judged(`{"id":"1","recordedAt":"2026-08-09T02:24:24.507594727Z",` + rest + `}`),
		"with null for {} and []":       judged(`{"id":"1","population":null,"list":null,"gone":null,"recordedAt":"2026-08-09T02:24:24.507594727Z",` + rest + `}`),
		"with more members":             judged(`{"id":"1","subscriptionName":"x","recordedAt":"2026-08-09T02:24:24.507594727Z",` + rest + `}`),
		"with the time in milliseconds": judged(`{"id":"1","recordedAt":"2026-08-09T02:24:24.507Z",` + rest + `}`),
		"with a number written longer":  judged(`{"recordedAt":"2026-08-09T02:24:24.507Z","id":"1","action":{"type":"USER.CREATED"},"resources":[{"id":"u","type":"USER"}],"n":4.0,"_embedded":{"flow":{"version":4}}}`),
		"with the time in seconds":      judged(`{"id":"1","recordedAt":"2026-08-09T02:24:24Z",` + rest + `}`),
		"with the time in tenths":       judged(`{"id":"1","recordedAt":"2026-08-09t02:24:24.5z",` + rest + `}`),
		"not: another second":           judged(`{"id":"1","recordedAt":"2026-08-09T02:24:26Z",` + rest + `}`),
		"not: another tenth":            judged(`{"id":"1","recordedAt":"2026-08-09T02:24:24.3Z",` + rest + `}`),
		"not: the next millisecond":     judged(`{"id":"1","recordedAt":"2026-08-09T02:24:24.508594727Z",` + rest + `}`),
		"not: another millisecond":      judged(`{"id":"1","recordedAt":"2026-08-09T02:24:24.509Z",` + rest + `}`),
		"not: no time":                  judged(`{"id":"1",` + rest + `}`),
		"not: nothing arrived":          judged(`{"id":"2"}`),
		"not: a member less":            judged(`{"id":"1","recordedAt":"2026-08-09T02:24:24.507594727Z","action":{"type":"USER.CREATED"},"resources":[{"type":"USER","id":"u"}],"n":4,"_embedded":{}}`),
		"not: a resource more":          judged(`{"id":"1","recordedAt":"2026-08-09T02:24:24.507594727Z","action":{"type":"USER.CREATED"},"resources":[{"type":"USER","id":"u"},{}],"n":4,"_embedded":{"flow":{"version":4}}}`),
		"not: an object for an array":   judged(`{"id":"1","recordedAt":"2026-08-09T02:24:24.507594727Z","action":{"type":"USER.CREATED"},"resources":{"type":"USER","id":"u"},"n":4,"_embedded":{"flow":{"version":4}}}`),
		"not: a text for a number":      judged(`{"id":"1","recordedAt":"2026-08-09T02:24:24.507594727Z","action":{"type":"USER.CREATED"},"resources":[{"type":"USER","id":"u"}],"n":"4","_embedded":{"flow":{"version":4}}}`),
	})
}

func TestSameEachTime(t *testing.T) {
	t.Parallel()
	judged := func(s *sink) judge.Outcome { return judge.SameEachTime(&s.Transcript, "sink") }
	ada := func() *sink { return new(sink).caused("Ada", "a").got(500, about("1", "a")) }
	verdicts(t, map[string]judge.Outcome{
		"the same":                  judged(ada().got(200, about("1", "a"))),
		"in another batch":          judged(ada().got(200, about("2", "b"), about("1", "a"))),
		"members in another order":  judged(ada().got(200, `{"resources":[{"id":"a","type":"USER"}],"id":"1","action":{"type":"USER.CREATED"}}`)),
		"not: a new id":             judged(ada().got(200, about("2", "a"))),
		"not: a new id, third time": judged(ada().got(500, about("1", "a")).got(200, about("3", "a"))),
		"not: another content":      judged(ada().got(200, `{"id":"1","action":{"type":"USER.CREATED"},"attempt":2,"resources":[{"type":"USER","id":"a"}]}`)),
		"not: only once":            judged(ada()),
		"not: never":                judged(new(sink).caused("Ada", "a")),
	})
}
