package judge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

func gjsonLine(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\n", ""), "\t", "")
}

func TestAcknowledged(t *testing.T) {
	t.Parallel()
	judged := func(s *sink) judge.Outcome { return judge.Acknowledged(&s.Transcript, "sink", "Ada") }
	ada := func() *sink { return new(sink).caused("Ada", "a") }
	cut := ada().got(200, about("1", "a"))
	cut.Entries[1].Watch.Deliveries[0].Complete = false
	verdicts(t, map[string]judge.Outcome{
		"at once":             judged(ada().got(200, about("1", "a"))),
		"in the end":          judged(ada().got(500, about("1", "a")).got(200, about("1", "a"))),
		"not: 500 only":       judged(ada().got(500, about("1", "a"))),
		"not: 201":            judged(ada().got(201, about("1", "a"))),
		"not: never answered": judged(ada().got(0, about("1", "a"))),
		"not: another event":  judged(ada().got(200, about("1", "b"))),
		"not: cut off":        judged(cut),
		"not: caused by none": judged(new(sink).got(200, about("1", "a"))),
	})
	s := ada().caused("Bob", "b").got(200, about("1", "a"))
	verdicts(t, map[string]judge.Outcome{
		"not: all, and one is missing": judge.Acknowledged(&s.Transcript, "sink"),
		"not: another receiver":        judge.Acknowledged(&s.Transcript, "drain", "Ada"),
	})
}

func TestAcknowledgedByEither(t *testing.T) {
	t.Parallel()
	judged := func(s *sink) judge.Outcome { return judge.AcknowledgedByEither(&s.Transcript, "sink", "beside") }
	both := func() *sink { return new(sink).caused("Ada", "a").caused("Bob", "b") }
	verdicts(t, map[string]judge.Outcome{
		"at the first":      judged(both().got(200, about("1", "a"), about("2", "b"))),
		"at the second":     judged(both().got(200, about("1", "a"), about("2", "b")).besides()),
		"one at each":       judged(both().got(200, about("1", "a")).besides().got(200, about("2", "b"))),
		"not: one is lost":  judged(both().got(200, about("1", "a")).besides()),
		"not: one was 503":  judged(both().got(200, about("1", "a")).got(503, about("2", "b")).besides()),
		"not: nothing came": judged(both()),
	})
}

func TestRetried(t *testing.T) {
	t.Parallel()
	judged := func(s *sink) judge.Outcome { return judge.Retried(&s.Transcript, "sink", 2) }
	verdicts(t, map[string]judge.Outcome{
		"twice":              judged(new(sink).got(500, "{}").got(404, "{}").got(200, "{}")),
		"never answered":     judged(new(sink).got(0, "{}").got(0, "{}")),
		"not: once":          judged(new(sink).got(500, "{}").got(200, "{}")),
		"not: only accepted": judged(new(sink).got(200, "{}").got(200, "{}")),
		"not: never":         judged(new(sink)),
	})
}

func TestNotResent(t *testing.T) {
	t.Parallel()
	judged := func(s *sink) judge.Outcome { return judge.NotResent(&s.Transcript, "sink") }
	crossing := new(sink).delivery("["+about("1", "a")+"]", 200, time.Minute).got(200, about("1", "a"))
	verdicts(t, map[string]judge.Outcome{
		"once":                       judged(new(sink).got(200, about("1", "a")).got(200, about("2", "b"))),
		"again until the 200":        judged(new(sink).got(500, about("1", "a")).got(200, about("1", "a")).got(200, about("2", "b"))),
		"under way before the 200":   judged(crossing),
		"not: at once":               judged(new(sink).got(200, about("1", "a")).got(200, about("1", "a"))),
		"not: later, with others":    judged(new(sink).got(200, about("1", "a")).got(200, about("2", "b")).got(200, about("3", "c"), about("1", "a"))),
		"not: though it fails there": judged(new(sink).got(200, about("1", "a")).got(500, about("1", "a"))),
	})
}

func TestHeadOfLine(t *testing.T) {
	t.Parallel()
	a, b, c := about("1", "a"), about("2", "b"), about("3", "c")
	judged := func(s *sink) judge.Outcome { return judge.HeadOfLine(&s.Transcript, "sink") }
	slow := new(sink).delivery("["+a+"]", 200, time.Minute).got(200, b)
	verdicts(t, map[string]judge.Outcome{
		"nothing fails":               judged(new(sink).got(200, a).got(200, b).got(200, c)),
		"the same until the 200":      judged(new(sink).got(500, a).got(503, a).got(200, a).got(200, b, c)),
		"in smaller pieces":           judged(new(sink).got(500, a, b).got(200, a).got(200, b, c)),
		"several failures":            judged(new(sink).got(500, a).got(200, a).got(500, b).got(200, b).got(200, c)),
		"not: after a 500":            judged(new(sink).got(500, a).got(200, b).got(200, a)),
		"not: after a 201":            judged(new(sink).got(201, a).got(200, b)),
		"not: after no answer":        judged(new(sink).got(0, a).got(200, b).got(200, a)),
		"with more than failed":       judged(new(sink).got(500, a).got(503, a, b).got(200, a, b, c)),
		"cut in another way":          judged(new(sink).got(500, a, b).got(200, a).got(500, b, c).got(200, b, c)),
		"not: with a part of it":      judged(new(sink).got(500, a, b).got(200, b, c).got(200, a)),
		"not: after a part of it":     judged(new(sink).got(500, a, b).got(200, a).got(200, c).got(200, b)),
		"not: with what came along":   judged(new(sink).got(500, a).got(500, a, b).got(200, a, c)),
		"not: after several failures": judged(new(sink).got(500, a).got(500, a).got(500, c).got(200, a)),
		"not: before the answer":      judged(slow),
	})
}

// Of several that wait, the one that waits longest is named.
func TestHeadOfLineNamesTheFirstThatWaits(t *testing.T) {
	t.Parallel()
	a, b, c := about("1", "a"), about("2", "b"), about("3", "c")
	for range 20 { // in whatever order a map gives them
		s := new(sink).got(500, a).got(500, a, b).got(200, c)
		if o := judge.HeadOfLine(&s.Transcript, "sink"); !strings.Contains(o.Expected, "before delivery 1 was") {
			t.Fatalf("got %+v", o)
		}
	}
}

func TestInOrder(t *testing.T) {
	t.Parallel()
	at := func(id, user, recorded string) string {
		return strings.Replace(about(id, user), "{", `{"recordedAt":"`+recorded+`",`, 1)
	}
	three := func() *sink { return new(sink).caused("Ada", "a").caused("Bob", "b").caused("Cleo", "c") }
	a, b, c := about("1", "a"), about("2", "b"), about("3", "c")
	judged := func(s *sink) judge.Outcome { return judge.InOrder(&s.Transcript, "sink") }
	verdicts(t, map[string]judge.Outcome{
		"in one delivery":                judged(three().got(200, a, b, c)),
		"one by one":                     judged(three().got(200, a).got(200, b).got(200, c)),
		"redelivered ones again":         judged(three().got(500, a, b).got(200, a, b).got(200, c)),
		"equal times":                    judged(three().got(200, at("1", "a", "2026-01-01T00:00:00Z"), at("2", "b", "2026-01-01T00:00:00.000Z"))),
		"two that nobody can tell apart": judged(new(sink).caused("Ada", "a").caused("Ada again", "a").got(200, a, about("4", "a"))),
		"not: swapped in a delivery":     judged(three().got(200, a, c, b)),
		"not: swapped deliveries":        judged(three().got(200, b).got(200, a).got(200, c)),
		"not: reversed":                  judged(three().got(200, c, b, a)),
		"not: later after a failure":     judged(three().got(500, b).got(200, a, b, c)),
		"times of other precision":       judged(three().got(200, at("1", "a", "2026-01-01T00:00:00.987Z"), at("2", "b", "2026-01-01T00:00:00Z"))),
		"not: times that go back":        judged(three().got(200, at("1", "a", "2026-01-01T00:00:00.001Z"), at("2", "b", "2026-01-01T00:00:00.000Z"))),
		"not: seconds that go back":      judged(three().got(200, at("1", "a", "2026-01-01T00:00:01Z"), at("2", "b", "2026-01-01T00:00:00Z"))),
		"not: back behind the first":     judged(three().got(200, at("1", "a", "2026-01-01T00:00:00.900Z"), at("2", "b", "2026-01-01T00:00:00Z"), at("3", "c", "2026-01-01T00:00:00.800Z"))),
		"not: one event":                 judged(three().got(200, b)),
		"not: nothing":                   judged(three()),
	})
}

func TestUntouched(t *testing.T) {
	t.Parallel()
	get := transcript.Delivery{Method: "GET", Target: "/hooks/x"}
	s := new(sink).add(transcript.Entry{Watch: &transcript.Watch{Endpoint: "sink", Deliveries: []transcript.Delivery{get}}})
	verdicts(t, map[string]judge.Outcome{
		"nothing":                judge.Untouched(&new(sink).Transcript, "sink"),
		"another receiver":       judge.Untouched(&s.Transcript, "drain"),
		"not: an incomplete GET": judge.Untouched(&s.Transcript, "sink"),
	})
}
