package judge_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

func TestWhatIsAnswered200IsKept(t *testing.T) {
	t.Parallel()
	took, refused := hooked(t, tried(200, "a", "b"), tried(200, "c")), hooked(t, tried(200, "a"), tried(401, "b", "c"))
	envelopes := hooked(t, try{Body: `[{"time":1,"event":{"id":"a"}},{"time":1,"event":{"id":"b"}}]`, Status: 200})
	tested := hooked(t, tried(200, "a"), try{Body: `[{"id":"t","action":{"type":"EVENT_DELIVERY_TEST"}}]`, Status: 200})
	post := func(status int, body string) *transcript.Transcript {
		log := hooked(t)
		log.Entries = append(log.Entries, transcript.Entry{Exchange: &transcript.Exchange{
			Peer: "hook", Request: transcript.Request{Method: "POST", Path: "hook", Body: []byte(body)}, Response: &transcript.Response{Status: status},
		}})
		return log
	}
	named := hooked(t, try{Body: `[{"id":"a","recordedAt":"2026-03-04T09:15:27.1234Z","resources":[{"name":"Ærø","n":1}]}]`, Status: 200})
	for name, c := range map[string]struct {
		log   *transcript.Transcript
		reads []transcript.Exchange // one after the other
		rule  string
	}{
		"nothing is wrong":                  {log: hooked(t, tried(200, "a"), tried(500, "b"), failed("EOF", "c"))},
		"all stored":                        {took, []transcript.Exchange{read(eventsOf([]string{"c", "a", "b"})...)}, ""},
		"all stored in the end":             {took, []transcript.Exchange{read(eventsOf([]string{"a"})...), read(eventsOf([]string{"b", "c"})...)}, ""},
		"one not stored":                    {took, []transcript.Exchange{read(eventsOf([]string{"a", "c"})...)}, "RCV-022"},
		"nothing stored":                    {took, []transcript.Exchange{read()}, "RCV-022"},
		"reading back without an answer":    {took, []transcript.Exchange{{Error: "EOF"}}, ""},
		"what was refused is not stored":    {refused, []transcript.Exchange{read(eventsOf([]string{"a"})...)}, ""},
		"a test is not stored":              {tested, []transcript.Exchange{read(eventsOf([]string{"a"})...)}, ""},
		"a post, stored":                    {post(200, `[{"id":"p"}]`), []transcript.Exchange{read(`{"id":"p"}`)}, ""},
		"a post, not stored":                {post(200, `[{"id":"p"}]`), []transcript.Exchange{read()}, "RCV-022"},
		"a post that was refused":           {post(400, `[{"id":"p"}]`), []transcript.Exchange{read()}, ""},
		"lines, stored":                     {post(200, "{\"id\":\"p\"}\n{\"id\":\"q\"}"), []transcript.Exchange{read(`{"id":"p"}`, `{"id":"q"}`)}, ""},
		"lines, the last one lost":          {post(200, "{\"id\":\"p\"}\n{\"id\":\"q\"}"), []transcript.Exchange{read(`{"id":"p"}`)}, "RCV-022"},
		"lines, the last one cut":           {post(200, "{\"id\":\"p\"}\n{\"id\":\"q"), []transcript.Exchange{read(`{"id":"p"}`)}, ""},
		"a post of nothing":                 {post(200, " "), []transcript.Exchange{read()}, ""},
		"a post that is no JSON":            {post(200, `[{"id":"p"},{"id":"q`), []transcript.Exchange{read()}, ""},
		"envelopes, taken out":              {envelopes, []transcript.Exchange{read(`{"id":"a"}`, `{"id":"b"}`)}, ""},
		"envelopes, as they came":           {envelopes, []transcript.Exchange{read(`{"event":{"id":"a"}}`, `{"event":{"id":"b"}}`)}, ""},
		"envelopes, one lost":               {envelopes, []transcript.Exchange{read(`{"id":"a"}`)}, "RCV-022"},
		"envelopes, not to be found by ids": {envelopes, []transcript.Exchange{read()}, ""},
		"another order, another time":       {named, []transcript.Exchange{read(`{"resources":[{"n":1,"name":"\u00c6rø"}],"recordedAt":"2026-03-04T09:15:27.123Z","id":"a"}`)}, ""},
		"a name that changed":               {named, []transcript.Exchange{read(`{"id":"a","resources":[{"name":"?r?"}]}`)}, "RCV-017"},
		"a list that is shorter":            {named, []transcript.Exchange{read(`{"id":"a","resources":[]}`)}, "RCV-017"},
		"a name that is missing":            {named, []transcript.Exchange{read(`{"id":"a"}`)}, "RCV-017"},
		"stored twice, once as it was":      {named, []transcript.Exchange{read(`{"id":"a"}`, `{"id":"a","resources":[{"name":"Ærø"}]}`)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := *c.log
			log.Entries = slices.Clone(log.Entries)
			for _, x := range c.reads {
				x.Peer = "read-back"
				log.Entries = append(log.Entries, transcript.Entry{Exchange: &x})
			}
			if o := judge.Kept(&log); o.Failed() != (c.rule == "RCV-022") {
				t.Errorf("kept: got %+v, want %q broken", o, c.rule)
			}
			if o := judge.KeptUnchanged(&log); o.Failed() != (c.rule == "RCV-017") {
				t.Errorf("kept unchanged: got %+v, want %q broken", o, c.rule)
			}
		})
	}
}

// What is missing is named by where it came from.
func TestWhatIsNotKeptIsNamed(t *testing.T) {
	t.Parallel()
	log := hooked(t, tried(200, "a", "b", "c"))
	gone := read(eventsOf([]string{"a", "b"})...)
	gone.Peer = "read-back"
	log.Entries = append(log.Entries, transcript.Entry{Exchange: &gone})
	if o := judge.Kept(log); !strings.Contains(o.Expected+o.Actual, "the 3 of 3 in delivery 1, with id c") {
		t.Errorf("got %+v", o)
	}
	named := hooked(t, try{Body: `[{"id":"a","resources":[{"name":"x"}]}]`, Status: 200})
	other := read(`{"id":"a","resources":[{"name":"y"}]}`)
	other.Peer = "read-back"
	named.Entries = append(named.Entries, transcript.Entry{Exchange: &other})
	if o := judge.KeptUnchanged(named); !strings.Contains(o.Expected+o.Actual, "resources.0.name as it was delivered") {
		t.Errorf("got %+v", o)
	}
	posted := hooked(t)
	posted.Entries = append(posted.Entries,
		transcript.Entry{Exchange: &transcript.Exchange{
			Peer: "hook", Request: transcript.Request{Method: "POST", Path: "hook", Body: []byte(`[{"id":"p"}]`)}, Response: &transcript.Response{Status: 200},
		}},
		transcript.Entry{Exchange: &transcript.Exchange{Peer: "read-back", Response: &transcript.Response{Status: 200}}})
	if o := judge.Kept(posted); !strings.Contains(o.Expected+o.Actual, "the 1 of 1 that the suite posted, with id p") {
		t.Errorf("got %+v", o)
	}
}

func TestWhatIsToBeReadBackIsAskedForOnce(t *testing.T) {
	t.Parallel()
	log := hooked(t, tried(200, "a", "b"), tried(500, "c"), tried(200, "b", "a"))
	if got := judge.Unread(log); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %q before reading back", got)
	}
	x := read(eventsOf([]string{"a"})...)
	x.Peer = "read-back"
	log.Entries = append(log.Entries, transcript.Entry{Exchange: &x})
	if got := judge.Unread(log); !slices.Equal(got, []string{"b"}) {
		t.Errorf("got %q once a is read back", got)
	}
}

func TestWhatIsKeptIsKeptInOrder(t *testing.T) {
	t.Parallel()
	stored := func(ids ...string) transcript.Exchange { return read(eventsOf(ids)...) }
	posts := func(bodies ...string) *transcript.Transcript {
		log := hooked(t)
		for _, b := range bodies {
			log.Entries = append(log.Entries, transcript.Entry{Exchange: &transcript.Exchange{
				Peer: "hook", Request: transcript.Request{Method: "POST", Path: "hook", Body: []byte(b)}, Response: &transcript.Response{Status: 200},
			}})
		}
		return log
	}
	beside := hooked(t, tried(200, "a", "b"))
	beside.Entries = append(beside.Entries, transcript.Entry{Exchange: &transcript.Exchange{
		Peer: "control", Request: transcript.Request{Method: "GET", Path: "/control/subscriptions/s2/attempts?after=0&wait=1s"},
		Response: &transcript.Response{Status: 200, Body: []byte(`{"attempts":[{"seq":1,"status":200,"body":"[{\"id\":\"p\"},{\"id\":\"q\"}]"}]}`)},
	}})
	envelopes := hooked(t, try{Body: `[{"event":{"id":"a"}},{"event":{"id":"b"}}]`, Status: 200})
	for name, c := range map[string]struct {
		log   *transcript.Transcript
		reads []transcript.Exchange
		wrong bool
	}{
		"nothing read back":                     {hooked(t, tried(200, "a", "b")), nil, false},
		"in order":                              {hooked(t, tried(200, "a", "b"), tried(200, "c")), []transcript.Exchange{stored("a", "b", "c")}, false},
		"one missing":                           {hooked(t, tried(200, "a", "b"), tried(200, "c")), []transcript.Exchange{stored("a", "c")}, false},
		"reversed within a delivery":            {hooked(t, tried(200, "a", "b")), []transcript.Exchange{stored("b", "a")}, true},
		"a delivery before the one before":      {hooked(t, tried(200, "a"), tried(200, "b")), []transcript.Exchange{stored("b", "a")}, true},
		"lines, reversed":                       {hooked(t, try{Body: "{\"id\":\"a\"}\n{\"id\":\"b\"}\n", Status: 200}), []transcript.Exchange{stored("b", "a")}, true},
		"read one after the other":              {hooked(t, tried(200, "a", "b")), []transcript.Exchange{stored("b"), stored("a")}, false},
		"the second reading reversed":           {hooked(t, tried(200, "a", "b", "c")), []transcript.Exchange{stored("a"), stored("c", "b")}, true},
		"delivered again, kept where it was":    {hooked(t, tried(200, "a", "b"), tried(200, "a", "c")), []transcript.Exchange{stored("a", "b", "c")}, false},
		"delivered again, kept where it is":     {hooked(t, tried(200, "a", "b"), tried(200, "a", "c")), []transcript.Exchange{stored("b", "a", "c")}, false},
		"refused, delivered again":              {hooked(t, tried(500, "a", "b"), tried(200, "a", "b")), []transcript.Exchange{stored("b", "a")}, false},
		"kept twice, the second time elsewhere": {hooked(t, tried(200, "a", "b")), []transcript.Exchange{stored("a", "b", "a")}, false},
		"of two subscriptions, mixed":           {beside, []transcript.Exchange{stored("p", "a", "q", "b")}, false},
		"of two subscriptions, one reversed":    {beside, []transcript.Exchange{stored("q", "a", "p", "b")}, true},
		"posts":                                 {posts(`[{"id":"p"},{"id":"q"}]`, `[{"id":"r"}]`), []transcript.Exchange{stored("p", "q", "r")}, false},
		"posts, reversed":                       {posts(`[{"id":"p"},{"id":"q"}]`), []transcript.Exchange{stored("q", "p")}, true},
		"posts that share an event":             {posts(`[{"id":"p"}]`, `[{"id":"q"},{"id":"p"}]`), []transcript.Exchange{stored("q", "p")}, false},
		"envelopes, as they came":               {envelopes, []transcript.Exchange{read(`{"event":{"id":"a"}}`, `{"event":{"id":"b"}}`)}, false},
		"envelopes, reversed":                   {envelopes, []transcript.Exchange{stored("b", "a")}, true},
		"what nobody delivered":                 {hooked(t, tried(200, "a", "b")), []transcript.Exchange{stored("x", "a", "", "b")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := *c.log
			log.Entries = slices.Clone(log.Entries)
			for _, x := range c.reads {
				x.Peer = "read-back"
				log.Entries = append(log.Entries, transcript.Entry{Exchange: &x})
			}
			if o := judge.KeptInOrder(&log); o.Failed() != c.wrong {
				t.Errorf("got %+v, want it to fail: %t", o, c.wrong)
			}
			if b := judge.HookInvariants(&log); c.wrong && (b == nil || b.Rules[0] != "RCV-021" && b.Rules[0] != "RCV-022") {
				t.Errorf("among the invariants: %+v", b)
			}
		})
	}
}
