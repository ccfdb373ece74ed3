package judge_test

import (
	"strings"
	"testing"

	"github.com/hookproof/hookproof/steps/judge"
)

// inBody adds a delivery of this body, answered with the status.
func (s *sink) inBody(status int, body string) *sink { return s.delivery(body, status, 0) }

// besides moves what came last to receiver "beside".
func (s *sink) besides() *sink {
	w := s.Entries[len(s.Entries)-1].Watch
	w.Endpoint, w.Deliveries[0].Endpoint = "beside", "beside"
	return s
}

// interrupted marks what came last as cut off.
func (s *sink) interrupted() *sink {
	s.Entries[len(s.Entries)-1].Watch.Deliveries[0].Complete = false
	return s
}

// streamed marks what came last as a part of a stream over TCP.
func (s *sink) streamed() *sink {
	d := &s.interrupted().Entries[len(s.Entries)-1].Watch.Deliveries[0]
	d.Proto = "TCP"
	return s
}

// adaAndBob caused two events, one by an API call and one posted.
func adaAndBob() *sink {
	return new(sink).caused("Ada", "user-a").posted("Bob", `{"id":"event-b"}`)
}

func TestFound(t *testing.T) {
	t.Parallel()
	const one, two = "9773fa25-a4f4-40d8-ac25-0d53338247c1", "0d533382-47c1-4f40-8d8a-c259773fa25a"
	judged := func(s *sink) judge.Outcome { return judge.Found(&s.Transcript, "sink") }
	uuids := func(body string) judge.Outcome { return judged(new(sink).caused("Ada", one).inBody(200, body)) }
	verdicts(t, map[string]judge.Outcome{
		"in any form":             judged(adaAndBob().inBody(500, `x{"y":"{\"id\":\"user-a\"}"}`).inBody(200, "event-b")),
		"in one body":             judged(adaAndBob().inBody(200, "user-a event-b")),
		"a UUID alone":            uuids(one),
		"a UUID in a text":        uuids("-x-" + one + "-"),
		"a UUID behind a dash":    uuids("-" + one),
		"two UUIDs":               uuids(two + one),
		"a UUID with escapes":     uuids(`{"id":"\u0039773fa25-\u0061\u0034f4-40d8-ac25-0d53338247c1"}`),
		"escapes in a text":       uuids(`{"message":"{\"id\":\"\\u00397\\\\u0037\u0033fa25-a4f4-40d8-ac25-0d53338247c1\"}"}`),
		"not: other escapes":      uuids(`{"id":"\u0038773fa25-a4f4-40d8-ac25-0d53338247c1"}`),
		"not: another UUID":       uuids(two),
		"not: half a UUID":        uuids(one[:35]),
		"not: its end alone":      uuids(one[9:]),
		"not: one is missing":     judged(adaAndBob().inBody(200, "event-b")),
		"not: nothing":            judged(adaAndBob()),
		"not: cut off":            judged(adaAndBob().inBody(200, "user-a event-b").interrupted()),
		"in an endless stream":    judged(adaAndBob().inBody(200, "user-a event-b").streamed()),
		"not: elsewhere":          judged(adaAndBob().inBody(200, "user-a event-b").besides()),
		"not: caused by nobody":   judged(new(sink).inBody(200, "user-a")),
		"one of two":              judge.Found(&adaAndBob().inBody(200, "event-b").Transcript, "sink", "Bob"),
		"not: the other of two":   judge.Found(&adaAndBob().inBody(200, "event-b").Transcript, "sink", "Ada"),
		"not: about nothing":      judge.Found(&new(sink).caused("Ada", "").inBody(200, "user-a").Transcript, "sink"),
		"acknowledged":            judge.FoundAcknowledged(&adaAndBob().inBody(500, "user-a event-b").inBody(200, "user-a event-b").Transcript, "sink"),
		"not: acknowledged later": judge.FoundAcknowledged(&adaAndBob().inBody(500, "user-a event-b").inBody(200, "event-b").Transcript, "sink"),
		"not found":               judge.NotFound(&adaAndBob().inBody(200, "event-b").Transcript, "sink", "Ada"),
		"not: found":              judge.NotFound(&adaAndBob().inBody(500, "event-b").Transcript, "sink", "Bob"),
	})
	if n := judge.CountFound(&adaAndBob().inBody(500, "event-b").inBody(200, "event-b").Transcript, "sink"); n != 1 {
		t.Errorf("counted %d, want 1", n)
	}
}

func TestFoundAtMost(t *testing.T) {
	t.Parallel()
	few := func(s *sink) judge.Outcome { return judge.FoundAtMost(&s.Transcript, "sink", 1) }
	small := func(s *sink) judge.Outcome { return judge.FoundAtMostKB(&s.Transcript, "sink", 1) }
	both, long := "user-a event-b", strings.Repeat("x", 1024-14)
	verdicts(t, map[string]judge.Outcome{
		"one each":                few(adaAndBob().inBody(200, "user-a").inBody(200, "event-b")),
		"none":                    few(adaAndBob().inBody(200, "{}")),
		"not: two in one":         few(adaAndBob().inBody(200, "user-a").inBody(200, both)),
		"not: nothing came":       few(adaAndBob()),
		"just as large":           small(adaAndBob().inBody(200, both+long)),
		"alone however large":     small(adaAndBob().inBody(200, "user-a"+long+long)),
		"not: a byte too large":   small(adaAndBob().inBody(200, both+long+"x")),
		"not: the second of them": small(adaAndBob().inBody(200, both).inBody(200, both+long+long)),
	})
}

func TestJSONBodies(t *testing.T) {
	t.Parallel()
	judged := func(body string) judge.Outcome {
		return judge.JSONBodies(&new(sink).inBody(200, body).Transcript, "sink")
	}
	verdicts(t, map[string]judge.Outcome{
		"an array":            judged(`[{"a":1}]`),
		"over several lines":  judged("[\n  {\n \"a\": 1\n}\n]\n"),
		"lines":               judged("{\"a\":1}\n{\"b\":2}\n"),
		"lines among blanks":  judged("{\"a\":1}\n\n \n{\"b\":2}\n"),
		"one object":          judged(`{"logs":[]}`),
		"not: text":           judged("time=1 message=x"),
		"not: one bad line":   judged("{\"a\":1}\n{\"b\":\n"),
		"not: nothing":        judged(" \n"),
		"not: cut off":        judged(`[{"a":1}`),
		"not: never anything": judge.JSONBodies(&new(sink).Transcript, "sink"),
	})
}

func TestSameIDs(t *testing.T) {
	t.Parallel()
	judged := func(s *sink) judge.Outcome { return judge.SameIDs(&s.Transcript, "beside", "sink") }
	seen := func() *sink { return new(sink).got(200, about("id-1", "a"), about("id-2", "b")).besides() }
	verdicts(t, map[string]judge.Outcome{
		"in two bodies":           judged(seen().inBody(200, "id-1").inBody(200, "id-2")),
		"not: one is missing":     judged(seen().inBody(200, "id-1")),
		"not: nothing came":       judged(seen()),
		"not: nothing to compare": judged(new(sink).inBody(200, "id-1")),
		"not: events without ids": judged(new(sink).got(200, `{"action":{"type":"USER.CREATED"}}`).besides().inBody(200, "id-1")),
	})
}

func TestSplunkRecords(t *testing.T) {
	t.Parallel()
	judged := func(body string) judge.Outcome {
		return judge.SplunkRecords(&new(sink).inBody(200, body).Transcript, "sink")
	}
	event := about("1", "a")
	verdicts(t, map[string]judge.Outcome{
		"an array":              judged(`[{"event":` + event + `,"time":1},{"event":` + event + `}]`),
		"lines":                 judged(`{"event":` + event + "}\n{\"event\":" + event + "}\n"),
		"not: bare":             judged("[" + event + "]"),
		"not: the second bare":  judged(`[{"event":` + event + `},` + event + `]`),
		"not: a text":           judged(`[{"event":"{\"id\":\"1\"}"}]`),
		"not: without id":       judged(`[{"event":{"action":{"type":"A"}}}]`),
		"not: an empty id":      judged(`[{"event":{"id":"","action":{"type":"A"}}}]`),
		"not: without a type":   judged(`[{"event":{"id":"1","action":{}}}]`),
		"not: a type elsewhere": judged(`[{"event":{"id":"1","type":"A"}}]`),
		"not: no records":       judged("[]"),
		"not: no JSON":          judged("event=1"),
	})
}

func TestDifferentRecords(t *testing.T) {
	t.Parallel()
	judged := func(one, other string) judge.Outcome {
		s := new(sink).caused("Ada", "a").inBody(200, one).inBody(200, other).besides()
		return judge.DifferentRecords(&s.Transcript, "sink", "beside")
	}
	event := about("1", "a")
	verdicts(t, map[string]judge.Outcome{
		"an envelope":            judged("["+event+"]", `[{"event":`+event+`}]`),
		"another member":         judged("["+event+"]", strings.Replace("["+event+"]", "{", `{"time":1,`, 1)),
		"not: the same":          judged("["+event+"]", "["+event+"]"),
		"not: in lines":          judged("["+event+"]", event+"\n"),
		"not: in another layout": judged("["+event+"]", strings.ReplaceAll("["+event+"]", ",", " ,\n ")),
		"not: only one came":     judged("["+event+"]", "[]"),
	})
}
