package judge_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

// FuzzInvariants: evidence that somebody hands in may hold anything; what looks
// through it finds something or nothing, and the same each time.
func FuzzInvariants(f *testing.F) {
	seeds := []*story{
		ordinary().users("a", "b").delivers(500, "a").delivers(200, "b"),
		ordinary("payloadOptions.payloadFormat.https.format", "ND_JSON", "httpEndpoint.headers.X-Key", "k").posts(userEvent("a", "source.userAgent", "x")).delivers(0, "a").delivers(200, "a"),
		ordinary("format", "SPLUNK").users("a").put("s", subscriptionTo("r"), 0).brings(200, `{"event":{"id":"1"}}`),
		told().receiver("r", `{"steps":[]}`).exchange("receiver", "PUT", "/inspect/endpoints/ep-r/listener", "{}", 200, "").subscribed("s", subscriptionTo("r")).delivers(200, "a"),
		told("r").exchange("control", "GET", "/control/subscriptions/s/attempts", "", 200, `{"attempts":[{"seq":1,"status":202,"body":"[{\"id\":\"a\"}]"}]}`),
	}
	for _, s := range seeds {
		s.Schema = transcript.Schema
		var text bytes.Buffer
		if err := s.Write(&text); err != nil {
			f.Fatal(err)
		}
		f.Add(text.String())
	}
	f.Fuzz(func(t *testing.T, text string) {
		log, err := transcript.Read(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, find := range []func() *judge.Broken{
			func() *judge.Broken { return judge.Invariants(log, documented) },
			func() *judge.Broken { return judge.HookInvariants(log) },
		} {
			first, again := find(), find()
			if (first == nil) != (again == nil) {
				t.Errorf("found %+v, and then %+v", first, again)
			}
			if first != nil && (!first.Failed() || len(first.Rules) == 0 || first.Expected == "") {
				t.Errorf("a promise is broken without a rule or an expectation: %+v", first)
			}
		}
		judge.EveryDeliveryTaken(log)
		judge.Invariants(judge.Since(log, dawn.Add(time.Second)), documented)
	})
}
