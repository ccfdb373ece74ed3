package judge_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

// story is a hand-made transcript as a scenario would leave it: receivers,
// subscriptions, events and deliveries, one after the other.
type story struct {
	transcript.Transcript
	clock time.Time
	seq   map[string]int
}

var documented = judge.Times{Hold: 2 * time.Second, Tolerance: 400 * time.Millisecond}

// told is a story that begins with receivers of these names, which take
// everything.
func told(receivers ...string) *story {
	s := &story{clock: dawn, seq: map[string]int{}}
	s.Salt = "salt"
	for _, name := range receivers {
		s.receiver(name, `{}`)
	}
	return s
}

func (s *story) later(d time.Duration) *story { s.clock = s.clock.Add(d); return s }

func (s *story) add(e transcript.Entry) *story {
	e.At = s.clock
	s.Entries = append(s.Entries, e)
	return s
}

func (s *story) exchange(peer, method, path, sent string, status int, got string) *story {
	x := &transcript.Exchange{Peer: peer, Request: transcript.Request{Method: method, Path: path, Body: transcript.Body(sent)}, End: s.clock}
	if status > 0 {
		x.Response = &transcript.Response{Status: status, Body: transcript.Body(got)}
	}
	return s.add(transcript.Entry{Exchange: x})
}

// slow is a call to the suite's own receiver that takes so long.
func (s *story) slow(d time.Duration) *story {
	s.exchange("receiver", "GET", "/inspect/endpoints", "", 200, "[]")
	s.Entries[len(s.Entries)-1].At = s.clock.Add(-d)
	return s
}

func (s *story) receiver(name, behaviour string) *story {
	return s.exchange("receiver", "POST", "/inspect/endpoints", `{"name":"a/b#`+name+`","behaviour":`+behaviour+`}`, 201,
		`{"id":"ep-`+name+`","urls":{"trusted":"https://127.0.0.1:7/hooks/`+name+`"}}`)
}

// subscriptionTo is the body of one that delivers to the receiver, with members
// of these paths and values set.
func subscriptionTo(receiver string, members ...any) string {
	body := `{"name":"n","enabled":true,"httpEndpoint":{"url":"https://127.0.0.1:7/hooks/` + receiver + `"}}`
	for i := 0; i < len(members); i += 2 {
		body, _ = sjson.Set(body, members[i].(string), members[i+1])
	}
	return string(transcript.NewRedactor("salt").JSON([]byte(body)))
}

const subscriptions = "/v1/environments/e/subscriptions"

func (s *story) subscribed(id, body string) *story {
	return s.exchange("emitter", "POST", subscriptions, body, 201, `{"id":"`+id+`"}`)
}

func (s *story) put(id, body string, status int) *story {
	return s.exchange("emitter", "PUT", subscriptions+"/"+id, body, status, `{}`)
}

// tested asks for a test of the subscription's connection.
func (s *story) tested(id string) *story {
	s.exchange("emitter", "POST", subscriptions+"/"+id, "{}", 204, "")
	s.Entries[len(s.Entries)-1].Exchange.Request.Headers = map[string][]string{"Content-Type": {judge.TestMedia}}
	return s
}

// testedBy is tested with a user agent.
func (s *story) testedBy(id, agent string) *story {
	s.tested(id)
	s.Entries[len(s.Entries)-1].Exchange.Request.Headers["User-Agent"] = []string{agent}
	return s
}

// users makes users by API calls; each causes an event about it.
func (s *story) users(ids ...string) *story {
	for _, id := range ids {
		s.later(time.Millisecond).exchange("emitter", "POST", "/v1/environments/e/users", `{}`, 201, `{"id":"`+id+`"}`)
		s.add(transcript.Entry{Caused: &transcript.Caused{Name: id, Type: "USER.CREATED", Resource: id, At: s.clock}})
	}
	return s
}

// userAskedFor makes a user by a call that takes so long.
func (s *story) userAskedFor(d time.Duration, id string) *story {
	s.users(id)
	s.Entries[len(s.Entries)-2].At = s.clock.Add(-d)
	return s
}

// posts posts events as they stand.
func (s *story) posts(events ...string) *story {
	s.exchange("control", "POST", "/control/environments/e/events", strings.Join(events, "\n"), 202, "")
	for _, e := range events {
		var posted struct{ ID string }
		_ = json.Unmarshal([]byte(e), &posted)
		s.add(transcript.Entry{Caused: &transcript.Caused{Name: posted.ID, EventID: posted.ID, Type: "USER.CREATED", At: s.clock}})
	}
	return s
}

// userEvent is the event of a user's creation, with members set.
func userEvent(id string, members ...any) string {
	event := `{"id":"event-` + id + `","action":{"type":"USER.CREATED"},"resources":[{"id":"` + id + `"}]}`
	for i := 0; i < len(members); i += 2 {
		event, _ = sjson.Set(event, members[i].(string), members[i+1])
	}
	return event
}

// delivers adds a delivery of these users' events, 100 ms later, answered at
// once with the status; 0 is no answer.
func (s *story) delivers(status int, ids ...string) *story {
	events := make([]string, len(ids))
	for i, id := range ids {
		events[i] = userEvent(id)
	}
	return s.brings(status, "["+strings.Join(events, ",")+"]")
}

func (s *story) brings(status int, body string, change ...func(*transcript.Delivery)) *story {
	s.later(100 * time.Millisecond)
	d := transcript.Delivery{
		Endpoint: "r", Method: "POST", Target: "/hooks/r", Complete: true, Headers: map[string][]string{},
		Body: transcript.Body(body), FirstByteAt: s.clock, LastByteAt: s.clock,
		Answer: transcript.Answer{Action: "respond", Status: status, At: s.clock},
	}
	if status == 0 {
		d.Answer.Action = "hang"
	}
	for _, c := range change {
		c(&d)
	}
	s.seq[d.Endpoint]++
	d.Seq = s.seq[d.Endpoint]
	return s.add(transcript.Entry{Watch: &transcript.Watch{Endpoint: d.Endpoint, Deliveries: []transcript.Delivery{d}}})
}

func toward(endpoint string) func(*transcript.Delivery) {
	return func(d *transcript.Delivery) { d.Endpoint, d.Target = endpoint, "/hooks/"+endpoint }
}

func carrying(name, value string) func(*transcript.Delivery) {
	return func(d *transcript.Delivery) { d.Headers[name] = []string{value} }
}

// ordinary is a story of one subscription to one receiver.
func ordinary(members ...any) *story {
	return told("r").subscribed("s", subscriptionTo("r", members...))
}

// many are so many users, and an array of their events with size more bytes
// each.
func many(n int, size int) (ids []string, body string) {
	events := make([]string, n)
	for i := range n {
		ids = append(ids, fmt.Sprint("u", i))
		events[i] = userEvent(ids[i], "pad", strings.Repeat("x", size))
	}
	return ids, "[" + strings.Join(events, ",") + "]"
}
