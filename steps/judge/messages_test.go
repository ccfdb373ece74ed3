package judge_test

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

// What a failure says is all that its reader has: numbers and names in it are
// judged like the verdict.
func TestFailuresTellTheRightNumbersAndNames(t *testing.T) {
	t.Parallel()
	whole := hooked(t, tried(200, "a", "b"), tried(200, "c"))
	stored := func(ids ...string) transcript.Exchange { return read(eventsOf(ids)...) }
	three := func() *sink { return new(sink).caused("Ada", "a").caused("Bob", "b").caused("Cleo", "c") }
	large := new(sink).caused("Ada", "a").caused("Bob", "b").got(200, sizedEvent("a", 2000), sizedEvent("b", 0))
	created := func(status int) transcript.Exchange {
		return transcript.Exchange{Response: &transcript.Response{Status: status}}
	}
	for name, c := range map[string]struct {
		outcome          judge.Outcome
		expected, actual string
	}{
		"which event of a delivery":     {judge.AllReadBack(whole, stored("a", "c")), "", "without the 2 of 2 in delivery 1"},
		"what was read out of order":    {judge.ReadBackInOrder(whole, stored("c", "b")), "", "b, delivered as number 2, after c, delivered as number 3"},
		"which request was refused":     {judge.Accepted([]transcript.Exchange{created(201), created(403)}), "", "to request 2 of 2"},
		"a hook without an answer":      {judge.Response(transcript.Exchange{Request: transcript.Request{Method: "POST"}, Error: "EOF"}), "an answer to POST to the event hook", "none: EOF"},
		"a delivery without an answer":  {judge.EveryDeliveryTaken(hooked(t, failed("EOF", "a"))), "", "no answer to delivery 1, of 1 event in"},
		"the limit in bytes":            {judge.AtMostKB(&large.Transcript, "sink", 1), "at most 1024 bytes", "with 2 events"},
		"the limit in bytes, of data":   {judge.FoundAtMostKB(&new(sink).caused("Ada", "a").caused("Bob", "b").got(200, sizedEvent("b", 2000)).Transcript, "sink", 1), "at most 1024 bytes", "with that of 2"},
		"what came out of order":        {judge.InOrder(&three().got(200, about("1", "a"), about("3", "c"), about("2", "b")).Transcript, "sink"), "Cleo after Bob", "as number 2, Bob as number 3"},
		"the first that is missing":     {judge.Delivered(&three().got(200, about("1", "a")).Transcript, "sink"), "all 3", "2 missing, the first being Bob"},
		"the first without a 200":       {judge.Acknowledged(&three().got(200, about("1", "a")).got(500, about("2", "b")).Transcript, "sink"), "all 3", "2 missing, the first being Bob"},
		"what arrived instead":          {judge.Delivered(&new(sink).caused("Zoe", "z").got(200, about("1", "a"), about("2", "b")).Transcript, "sink"), "the event at", "1 delivery arrived there with 2 of USER.CREATED"},
		"what came without events":      {judge.Delivered(&new(sink).caused("Zoe", "z").got(200).got(200).Transcript, "sink"), "", "2 deliveries arrived there without an event"},
		"one event too many":            {judge.AtMostEvents(&new(sink).caused("Ada", "a").got(200, about("1", "a"), about("2", "b")).Transcript, "sink", 1), "at most 1 event", "2 events"},
		"the address that is missing":   {judge.ShowsAddress(gjson.Parse(`{}`), judge.Origin{Address: "203.0.113.8"}), "address 203.0.113.8 in", ""},
		"an address nobody knows":       {judge.ShowsAddress(gjson.Parse(`{}`), judge.Origin{}), "address of the caller in", ""},
		"the delivery that was waiting": {judge.HeadOfLine(&new(sink).got(500, about("1", "a")).got(200, about("2", "b")).Transcript, "sink"), "before delivery 1", "event 2 (USER.CREATED) in delivery 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !c.outcome.Failed() || !strings.Contains(c.outcome.Expected, c.expected) || !strings.Contains(c.outcome.Actual, c.actual) {
				t.Errorf("expected %q, actual %q, want %q and %q", c.outcome.Expected, c.outcome.Actual, c.expected, c.actual)
			}
		})
	}
	if b := judge.Invariants(&ordinary().users("a", "b", "c").delivers(200, "a", "c", "b").Transcript, documented); b == nil || !strings.HasPrefix(b.Actual, "as number 3 and 2 in delivery 1") {
		t.Errorf("found %+v, want the places of the two that changed", b)
	}
	b := judge.Invariants(&ordinary().users("a", "b", "c").delivers(500, "a").delivers(500, "b").delivers(200, "c").Transcript, documented)
	if b == nil || !strings.Contains(b.Expected, "failed delivery 1") {
		t.Errorf("found %+v, want the first of the deliveries that failed", b)
	}
}

func TestWhatDidNotComeIsToldFromWhatWasWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		outcome judge.Outcome
		absent  bool
	}{
		"a delivery that was not answered": {judge.EveryDeliveryTaken(hooked(t, failed("EOF", "a"))), true},
		"an event that was not delivered":  {judge.EveryDeliveryTaken(hooked(t, tried(200, "a"))), true},
		"a delivery that was refused":      {judge.EveryDeliveryTaken(hooked(t, tried(500, "a"))), false},
		"no answer to a wrong delivery":    {judge.RefusedWith(hooked(t, failed("EOF", "a")), 401), true},
		"a wrong delivery that was taken":  {judge.RefusedWith(hooked(t, tried(200, "a")), 401), false},
		"an API that does not answer":      {judge.Response(transcript.Exchange{}, judge.Status(200)), true},
		"an API that answers wrong":        {judge.Response(transcript.Exchange{Response: &transcript.Response{}}, judge.Status(200)), false},
		"a connection that is not tested":  {judge.Tested(sceneOf().transcript(), "r"), true},
		"a connection tested otherwise":    {judge.Tested(sceneOf().body(`[{"action":{"type":"USER.CREATED"}}]`).transcript(), "r"), false},
		"what passes":                      {judge.Pass, false},
	} {
		if c.outcome.Absent() != c.absent {
			t.Errorf("%s: absent is %t, want %t", name, c.outcome.Absent(), c.absent)
		}
	}
}

func TestASuccessThatWasRefusedIsADenial(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		want, got int
		denied    bool
	}{
		"a success refused":           {201, 404, true},
		"no content refused":          {204, 500, true},
		"one success for another":     {201, 200, true},
		"a refusal that did not come": {403, 201, false},
		"one refusal for another":     {400, 404, false},
		"what was promised":           {201, 201, false},
	} {
		x := transcript.Exchange{Response: &transcript.Response{Status: c.got}}
		if o := judge.Response(x, judge.Status(c.want)); o.Denied() != c.denied {
			t.Errorf("%s: denied is %t, want %t", name, o.Denied(), c.denied)
		}
	}
}
