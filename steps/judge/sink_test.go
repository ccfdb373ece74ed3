package judge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

// dawn is when the hand-made transcripts of these tests begin.
var dawn = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// sink is a hand-made transcript of what came to receiver "sink".
type sink struct {
	transcript.Transcript
	seq int
}

// caused adds an event about a resource, made by an API call.
func (s *sink) caused(name, resource string) *sink {
	return s.add(transcript.Entry{Caused: &transcript.Caused{Name: name, Type: "USER.CREATED", Resource: resource, At: s.now()}})
}

// posted adds an event that was posted as it stands; its id tells it apart.
func (s *sink) posted(name, event string) *sink {
	return s.postedBy("control", "/control/environments/e/events", name, event, event+"\n")
}

// asked is posted at the implementer's own address.
func (s *sink) asked(name, event string) *sink {
	return s.postedBy("trigger", "", name, event, `{"environment":"e","events":[`+event+`]}`)
}

func (s *sink) postedBy(peer, path, name, event, body string) *sink {
	x := &transcript.Exchange{Peer: peer, Request: transcript.Request{Method: "POST", Path: path, Body: transcript.Body(body)}, End: s.now()}
	id := gjson.Get(event, "id").String()
	return s.add(transcript.Entry{Exchange: x}).add(transcript.Entry{Caused: &transcript.Caused{Name: name, EventID: id, At: s.now()}})
}

// got adds a delivery of events, answered with the status one second later;
// the status 0 stands for no answer.
func (s *sink) got(status int, events ...string) *sink {
	return s.delivery("["+strings.Join(events, ",")+"]", status, time.Second)
}

func (s *sink) delivery(body string, status int, after time.Duration) *sink {
	s.seq++
	d := transcript.Delivery{
		Endpoint: "sink", Seq: s.seq, Method: "POST", Target: "/hooks/x", Body: transcript.Body(body), Complete: true,
		FirstByteAt: s.now(), LastByteAt: s.now(),
		Answer: transcript.Answer{Action: "respond", Status: status, At: s.now().Add(after)},
	}
	if status == 0 {
		d.Answer.Action = "hang"
	}
	return s.add(transcript.Entry{Watch: &transcript.Watch{Endpoint: "sink", Deliveries: []transcript.Delivery{d}}})
}

// now is ten seconds later with every delivery.
func (s *sink) now() time.Time { return dawn.Add(time.Duration(s.seq) * 10 * time.Second) }

func (s *sink) add(e transcript.Entry) *sink {
	s.Entries = append(s.Entries, e)
	return s
}

// about is the event of a user's creation.
func about(id, user string) string {
	return `{"id":"` + id + `","action":{"type":"USER.CREATED"},"resources":[{"type":"USER","id":"` + user + `"}]}`
}

// verdicts runs a table of outcomes; a name that begins with "not:" wants a
// failure that says both what was expected and what was there.
func verdicts(t *testing.T, table map[string]judge.Outcome) {
	t.Helper()
	for name, o := range table {
		bad := strings.HasPrefix(name, "not:")
		switch {
		case o.Failed() && !bad:
			t.Errorf("%s: want pass, got expected %s, actual %s", name, o.Expected, o.Actual)
		case !o.Failed() && bad:
			t.Errorf("%s: want a failure, got pass", name)
		case bad && (o.Expected == "" || o.Actual == ""):
			t.Errorf("%s: a failure without both values: %+v", name, o)
		}
	}
}

// each judges one event at a time.
func each(t *testing.T, one func(gjson.Result) judge.Outcome, table map[string]string) {
	t.Helper()
	outcomes := map[string]judge.Outcome{}
	for name, event := range table {
		if !gjson.Valid(event) {
			t.Fatalf("%s: %s is no JSON", name, event)
		}
		outcomes[name] = one(gjson.Parse(event))
	}
	verdicts(t, outcomes)
}
