package judge_test

import (
	"testing"

	"github.com/hookproof/hookproof/steps/judge"
)

// record is a delivery of that body, of one posted event.
func record(body string) *sink {
	var s sink
	s.posted("Ada", `{"id":"0d7c1f0e-5d3b-4f0f-9d0e-2f6f0a3b1c11","source":{"ipAddress":"203.0.113.8","userAgent":"Agent-1a2b/4.2 \"x\""}}`)
	return s.delivery(body, 200, 0)
}

func TestBodiesHideWhereAnEventCameFrom(t *testing.T) {
	t.Parallel()
	from := judge.Origin{Address: "203.0.113.8", UserAgent: `Agent-1a2b/4.2 "x"`}
	address := func(body string) judge.Outcome {
		return judge.BodiesHideAddress(&record(body).Transcript, "sink", from)
	}
	agent := func(body string) judge.Outcome {
		return judge.BodiesHideUserAgent(&record(body).Transcript, "sink", from)
	}
	verdicts(t, map[string]judge.Outcome{
		"no address":                 address(`{"event":{"id":"1"}}`),
		"the part of another":        address(`{"host":"203.0.113.86"}`),
		"of one that goes on with 0": address(`{"host":"203.0.113.80"}`),
		"of one that goes on with 9": address(`{"host":"203.0.113.89"}`),
		"of one that begins before":  address(`1203.0.113.8 came`),
		"not: at the very beginning": address(`203.0.113.8 came`),
		"not: at the very end":       address(`it came from 203.0.113.8`),
		"not: in a member":           address(`{"event":{"source":{"remote":"203.0.113.8"}}}`),
		"not: in a text in a text":   address(`[{"message":"{\"ip\":\"203.0.113.8\"}"}]`),
		"not: in a line of a log":    address(`<14>1 - - - [a ip="203.0.113.8"] USER.CREATED`),
		"not: with a port":           address(`from 203.0.113.8:4711`),
		"not: nobody knows it":       judge.BodiesHideAddress(&record(`{}`).Transcript, "sink", judge.Origin{}),
		"no agent":                   agent(`{"event":{"id":"1"}}`),
		"not: the product":           agent(`{"by":"Agent-1a2b"}`),
		"not: in another case":       agent(`{"by":"AGENT-1A2B/4.2"}`),
		"not: quoted in a text":      agent(`[{"message":"{\"ua\":\"Agent-1a2b/4.2 \\\"x\\\"\"}"}]`),
		"not: nobody knows that one": judge.BodiesHideUserAgent(&record(`{}`).Transcript, "sink", judge.Origin{}),
	})
}

func TestRecordShowsAddress(t *testing.T) {
	t.Parallel()
	judged := func(body string) (judge.Outcome, bool) {
		s := record(body)
		return judge.RecordShowsAddress(&s.Transcript, "sink", s.Transcript.Caused()[0])
	}
	outcomes := map[string]judge.Outcome{}
	for name, source := range map[string]string{"in its source": `{"a":"203.0.113.8"}`, "not: another": `{"a":"203.0.113.9"}`, "not: none": `{}`} {
		o, told := judged(`[{"event":{"id":"0d7c1f0e-5d3b-4f0f-9d0e-2f6f0a3b1c11","action":{"type":"USER.CREATED"},"source":` + source + `}}]`)
		if !told {
			t.Errorf("%s: nothing is told", name)
		}
		outcomes[name] = o
	}
	verdicts(t, outcomes)
	if _, told := judged(`[{"message":"0d7c1f0e-5d3b-4f0f-9d0e-2f6f0a3b1c11"}]`); told {
		t.Error("a record without an event is judged")
	}
}
