package judge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

// sceneStart is when the events of a scene happen.
var sceneStart = time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)

// scene is a hand-made transcript: what was caused, and what came of it at
// receivers.
type scene struct {
	caused      []transcript.Caused
	deliveries  []transcript.Delivery
	connections []transcript.Connection
}

// sceneOf is a scene in which events with these ids were posted.
func sceneOf(ids ...string) scene {
	var s scene
	for _, id := range ids {
		s.caused = append(s.caused, transcript.Caused{Name: id, EventID: id, Type: "USER.CREATED", At: sceneStart})
	}
	return s
}

// body adds a delivery with this body to receiver "r", 100 ms after the
// events happened; change, where given, alters it.
func (s scene) body(body string, change ...func(*transcript.Delivery)) scene {
	at := sceneStart.Add(100 * time.Millisecond)
	d := transcript.Delivery{
		Endpoint: "r", Seq: len(s.deliveries) + 1, Method: "POST", Target: "/hooks/t?a=1", Complete: true,
		Headers: map[string][]string{"Content-Type": {"application/json"}}, Body: transcript.Body(body), FirstByteAt: at, LastByteAt: at,
		Answer: transcript.Answer{Action: "respond", Status: 200, At: at},
	}
	for _, c := range change {
		c(&d)
	}
	s.deliveries = append(s.deliveries[:len(s.deliveries):len(s.deliveries)], d)
	return s
}

// array adds a delivery of one array with these events.
func (s scene) array(ids ...string) scene {
	return s.body("[" + strings.Join(eventsOf(ids), ",") + "]")
}

func (s scene) connection(c transcript.Connection) scene {
	s.connections = append(s.connections[:len(s.connections):len(s.connections)], c)
	return s
}

func eventsOf(ids []string) []string {
	events := make([]string, len(ids))
	for i, id := range ids {
		events[i] = sizedEvent(id, 0)
	}
	return events
}

// sizedEvent is an event of at least size bytes.
func sizedEvent(id string, size int) string {
	text := fmt.Sprintf(`{"id":%q,"action":{"type":"USER.CREATED"},"pad":"%%s"}`, id)
	return fmt.Sprintf(text, strings.Repeat("x", max(0, size-len(text)+2)))
}

func (s scene) transcript() *transcript.Transcript {
	t := &transcript.Transcript{}
	for _, c := range s.caused {
		t.Entries = append(t.Entries, transcript.Entry{Caused: &c})
	}
	for _, d := range s.deliveries {
		t.Entries = append(t.Entries, transcript.Entry{Watch: &transcript.Watch{Endpoint: d.Endpoint, Deliveries: []transcript.Delivery{d}}})
	}
	t.Entries = append(t.Entries, transcript.Entry{Watch: &transcript.Watch{Endpoint: "r", Connections: s.connections}})
	return t
}

// sceneCase is a scene and what a judge must find in it: nothing wrong, or a
// failure whose actual value has this in it.
type sceneCase struct {
	name  string
	scene scene
	wrong string // empty: it passes
}

func checkScenes(t *testing.T, judgeOf func(*transcript.Transcript) judge.Outcome, cases []sceneCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := judgeOf(c.scene.transcript())
			switch {
			case o.Failed() != (c.wrong != ""):
				t.Errorf("failed: %t (expected %q, actual %q)", o.Failed(), o.Expected, o.Actual)
			case !strings.Contains(o.Actual, c.wrong):
				t.Errorf("actual is %q, want something with %q", o.Actual, c.wrong)
			case o.Failed() && (o.Expected == "" || o.Actual == ""):
				t.Errorf("a failure without values: expected %q, actual %q", o.Expected, o.Actual)
			}
		})
	}
}

// at receiver "r": what most judges are asked about.
func at(j func(*transcript.Transcript, string) judge.Outcome) func(*transcript.Transcript) judge.Outcome {
	return func(t *transcript.Transcript) judge.Outcome { return j(t, "r") }
}
