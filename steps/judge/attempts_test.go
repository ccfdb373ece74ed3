package judge_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

// try is one attempt of a hand-made scene of a receiver.
type try struct {
	Seq    int    `json:"seq"`
	Body   string `json:"body"`
	Status int    `json:"status,omitempty"`
	Error  string `json:"error,omitempty"`
}

// tried is an attempt to deliver events with these ids in an array.
func tried(status int, ids ...string) try {
	return try{Body: "[" + strings.Join(eventsOf(ids), ",") + "]", Status: status}
}

func failed(err string, ids ...string) try {
	x := tried(0, ids...)
	x.Error = err
	return x
}

// hooked is a transcript in which events a, b and c happened and these
// attempts were made.
func hooked(t *testing.T, tries ...try) *transcript.Transcript {
	t.Helper()
	for i := range tries {
		tries[i].Seq = i + 1
	}
	body, err := json.Marshal(map[string]any{"attempts": tries})
	if err != nil {
		t.Fatal(err)
	}
	log := sceneOf("a", "b", "c").transcript()
	log.Entries = append(log.Entries, transcript.Entry{Exchange: &transcript.Exchange{
		Peer: "control", Request: transcript.Request{Method: "GET", Path: "/control/subscriptions/s1/attempts?after=0&wait=1s"},
		Response: &transcript.Response{Status: 200, Body: body},
	}})
	return log
}

func read(lines ...string) transcript.Exchange {
	return transcript.Exchange{Response: &transcript.Response{Status: 200, Body: []byte(strings.Join(lines, "\n"))}}
}

func TestJudgesOfReceiversTellRightFromWrong(t *testing.T) {
	t.Parallel()
	whole := hooked(t, tried(200, "a", "b"), tried(200, "c"))
	link := func(l transcript.Link, status int) transcript.Exchange {
		x := transcript.Exchange{Link: &l, Error: "closed"}
		if status > 0 {
			x.Response = &transcript.Response{Status: status}
		}
		return x
	}
	stored := func(ids ...string) transcript.Exchange { return read(eventsOf(ids)...) }
	for name, c := range map[string]struct {
		outcome judge.Outcome
		wrong   string // in the actual value; empty: it passes
	}{
		"all taken":                       {judge.EveryDeliveryTaken(whole), ""},
		"all taken in lines":              {judge.EveryDeliveryTaken(hooked(t, try{Body: strings.Join(eventsOf([]string{"a", "b", "c"}), "\n"), Status: 200})), ""},
		"all taken in envelopes":          {judge.EveryDeliveryTaken(hooked(t, try{Body: `[{"event":{"id":"a"}},{"event":{"id":"b"}},{"event":{"id":"c"}}]`, Status: 200})), ""},
		"one not delivered":               {judge.EveryDeliveryTaken(hooked(t, tried(200, "a", "b"))), `"c"`},
		"one answered 202":                {judge.EveryDeliveryTaken(hooked(t, tried(202, "a", "b"), tried(200, "a", "b", "c"))), "status 202"},
		"one not answered":                {judge.EveryDeliveryTaken(hooked(t, failed("EOF", "a"), tried(200, "a", "b", "c"))), "EOF"},
		"taken by 200":                    {judge.TakenBy200(whole), ""},
		"refused is not taken":            {judge.TakenBy200(hooked(t, tried(413, "a"), tried(307, "a"))), ""},
		"taken by 204":                    {judge.TakenBy200(hooked(t, tried(204, "a"))), "status 204"},
		"not redirected":                  {judge.NotRedirected(hooked(t, tried(200, "a"), tried(500, "b"))), ""},
		"redirected":                      {judge.NotRedirected(hooked(t, tried(302, "a"))), "status 302"},
		"refused with 401":                {judge.RefusedWith(hooked(t, tried(401, "a"), tried(403, "a")), 401, 403), ""},
		"refused with 400":                {judge.RefusedWith(hooked(t, tried(400, "a")), 401, 403), "status 400"},
		"taken without credentials":       {judge.RefusedWith(hooked(t, tried(401, "a"), tried(200, "a")), 401, 403), "status 200"},
		"nothing tried":                   {judge.RefusedWith(hooked(t), 401, 403), "none was tried"},
		"handshakes that fail":            {judge.NoneTaken(hooked(t, failed("tls: certificate required", "a"))), ""},
		"an answer of refusal":            {judge.NoneTaken(hooked(t, tried(400, "a"))), ""},
		"taken all the same":              {judge.NoneTaken(hooked(t, failed("EOF", "a"), tried(200, "a"))), "status 200"},
		"HTTP over TLS":                   {judge.AnsweredOverTLS(link(transcript.Link{Connected: true, TLS: "TLS 1.3"}, 404)), ""},
		"no connection":                   {judge.AnsweredOverTLS(link(transcript.Link{}, 0)), "none"},
		"no TLS":                          {judge.AnsweredOverTLS(link(transcript.Link{Connected: true}, 0)), "none"},
		"no answer":                       {judge.AnsweredOverTLS(link(transcript.Link{Connected: true, TLS: "TLS 1.2"}, 0)), "none"},
		"old TLS refused":                 {judge.HandshakeRefused(link(transcript.Link{Connected: true}, 0)), ""},
		"old TLS spoken":                  {judge.HandshakeRefused(link(transcript.Link{Connected: true, TLS: "TLS 1.1"}, 0)), "TLS 1.1"},
		"old TLS, nothing listens":        {judge.HandshakeRefused(link(transcript.Link{}, 0)), "none"},
		"all read back":                   {judge.AllReadBack(whole, stored("c", "a", "b", "a")), ""},
		"what was refused is not missing": {judge.AllReadBack(hooked(t, tried(500, "a"), tried(200, "b", "c")), stored("b", "c")), ""},
		"one not read back":               {judge.AllReadBack(whole, stored("a", "c")), "id b"},
		"nothing read back":               {judge.AllReadBack(whole, read()), "id a"},
		"in order":                        {judge.ReadBackInOrder(whole, stored("a", "b", "c")), ""},
		"in order, with repetitions":      {judge.ReadBackInOrder(whole, stored("a", "b", "a", "c")), ""},
		"in order, with a gap":            {judge.ReadBackInOrder(whole, stored("a", "c")), ""},
		"out of order":                    {judge.ReadBackInOrder(whole, stored("b", "a", "c")), "after b"},
		"no order without events":         {judge.ReadBackInOrder(whole, read()), "none"},
		"nothing stored":                  {judge.NothingReadBack(read()), ""},
		"half stored":                     {judge.NothingReadBack(stored("a")), "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := c.outcome
			if o.Failed() != (c.wrong != "") || !strings.Contains(o.Actual, c.wrong) {
				t.Errorf("failed: %t (expected %q, actual %q), want %q", o.Failed(), o.Expected, o.Actual, c.wrong)
			}
		})
	}
}

func TestTheTriesForASubscriptionAreTold(t *testing.T) {
	t.Parallel()
	type answers struct{ tried, answered, failed, tookAll bool }
	for name, c := range map[string]struct {
		tries []try
		want  answers
	}{
		"none":             {nil, answers{}},
		"all taken":        {[]try{tried(200, "a"), tried(200, "b", "c")}, answers{true, true, false, true}},
		"some taken":       {[]try{tried(200, "a", "b")}, answers{true, true, false, false}},
		"taken in the end": {[]try{failed("EOF", "a"), tried(200, "a", "b", "c")}, answers{true, true, true, true}},
		"refused":          {[]try{tried(500, "a", "b", "c")}, answers{true, true, true, false}},
		"never answered":   {[]try{failed("EOF", "a"), failed("EOF", "a")}, answers{true, false, true, false}},
	} {
		log := hooked(t, c.tries...)
		a := judge.AttemptsFor(log, "s1")
		if got := (answers{judge.Tried(a), judge.Answered(a), a.Failed(), a.TookAll(log)}); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
		if judge.Tried(judge.AttemptsFor(log, "s2")) {
			t.Errorf("%s: attempts of one subscription are told of another", name)
		}
	}
}

func TestStringsAreReadBackAsTheyWerePosted(t *testing.T) {
	t.Parallel()
	const posted = `{"id":"a","action":{"type":"USER.CREATED"},"resources":[{"name":"Ærø \u00e9\tx"}],"result":{"description":"d"}}`
	log := &transcript.Transcript{Entries: []transcript.Entry{
		{Exchange: &transcript.Exchange{
			Peer: "control", Request: transcript.Request{Method: "POST", Path: "/control/environments/e/events", Body: []byte(posted + "\n")},
			Response: &transcript.Response{Status: 202},
		}},
		{Caused: &transcript.Caused{Name: "a", EventID: "a", Type: "USER.CREATED"}},
	}}
	for name, c := range map[string]struct{ name, wrong string }{
		"as it was":        {`Ærø \u00e9\tx`, ""},
		"escaped anew":     {`\u00c6r\u00f8 é\u0009x`, ""},
		"question marks":   {`?r? ?\tx`, "?r?"},
		"without a escape": {`Ærø étx`, "étx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := judge.ReadBackUnchanged(log, read(fmt.Sprintf(`{"result":{"description":"d"},"resources":[{"name":"%s"}],"id":"a"}`, c.name)))
			if o.Failed() != (c.wrong != "") || !strings.Contains(o.Actual, c.wrong) {
				t.Errorf("failed: %t, actual %q", o.Failed(), o.Actual)
			}
		})
	}
	if o := judge.ReadBackUnchanged(log, read()); !o.Failed() {
		t.Error("an event that is not there passes")
	}
}

func TestWhatHoldsForEveryDeliveryToAReceiver(t *testing.T) {
	t.Parallel()
	lost := hooked(t, tried(200, "a", "b"), tried(301, "c"))
	x := read(eventsOf([]string{"a"})...)
	x.Peer = "read-back"
	lost.Entries = append(lost.Entries, transcript.Entry{Exchange: &x})
	for rule, log := range map[string]*transcript.Transcript{
		"":        hooked(t, tried(200, "a"), tried(500, "b"), failed("EOF", "c")),
		"RCV-008": hooked(t, tried(301, "a"), tried(202, "b")),
		"RCV-010": hooked(t, tried(200, "a"), tried(301, "b")),
		"RCV-022": lost,
	} {
		b := judge.HookInvariants(log)
		if (b == nil) != (rule == "") || b != nil && b.Rules[0] != rule {
			t.Errorf("got %+v, want %q", b, rule)
		}
	}
}
