package judge_test

import (
	"testing"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

const agent = `hookproof-agent-1a2b/4.2 (+https://hookproof.example/agent; "as sent")  \kept`

func TestOriginOfACallIsItsUserAgent(t *testing.T) {
	t.Parallel()
	var s sink
	s.add(transcript.Entry{Exchange: &transcript.Exchange{
		Peer: "emitter", Request: transcript.Request{Headers: map[string][]string{"User-Agent": {"other"}}},
		Response: &transcript.Response{Status: 201}, End: dawn.Add(1),
	}})
	s.add(transcript.Entry{Exchange: &transcript.Exchange{
		Peer: "emitter", Request: transcript.Request{Headers: map[string][]string{"User-Agent": {agent}}},
		Response: &transcript.Response{Status: 201}, End: dawn,
	}})
	s.caused("Ada", "a")
	if got, want := judge.OriginOf(&s.Transcript, s.Transcript.Caused()[0]), (judge.Origin{UserAgent: agent}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestOriginOfAPostedEventIsItsSource(t *testing.T) {
	t.Parallel()
	var s sink
	s.posted("other", `{"id":"1","source":{"ipAddress":"203.0.113.1","userAgent":"other"}}`)
	s.posted("mine", `{"id":"2","source":{"ipAddress":"203.0.113.2","userAgent":"mine"}}`)
	s.asked("asked", `{"id":"3","source":{"ipAddress":"203.0.113.3","userAgent":"asked"}}`)
	for i, want := range []judge.Origin{{"203.0.113.1", "other"}, {"203.0.113.2", "mine"}, {"203.0.113.3", "asked"}} {
		if got := judge.OriginOf(&s.Transcript, s.Transcript.Caused()[i]); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestShowsUserAgent(t *testing.T) {
	t.Parallel()
	judged := func(e gjson.Result) judge.Outcome { return judge.ShowsUserAgent(e, judge.Origin{UserAgent: agent}) }
	quoted := `"hookproof-agent-1a2b/4.2 (+https://hookproof.example/agent; \"as sent\")  \\kept"`
	each(t, judged, map[string]string{
		"as sent":               `{"source":{"userAgent":` + quoted + `}}`,
		"by another name":       `{"source":{"client":{"agent":` + quoted + `}}}`,
		"not: blanks collapsed": `{"source":{"userAgent":"hookproof-agent-1a2b/4.2 (+https://hookproof.example/agent; \"as sent\") \\kept"}}`,
		"not: the product only": `{"source":{"userAgent":"hookproof-agent-1a2b/4.2"}}`,
		"not: elsewhere":        `{"userAgent":` + quoted + `}`,
		"not: no source":        `{}`,
		"not: empty":            `{"source":{"userAgent":""}}`,
	})
	verdicts(t, map[string]judge.Outcome{"not: nobody knows it": judge.ShowsUserAgent(gjson.Parse(`{"source":{"userAgent":""}}`), judge.Origin{})})
}

func TestHidesUserAgent(t *testing.T) {
	t.Parallel()
	judged := func(e gjson.Result) judge.Outcome { return judge.HidesUserAgent(e, judge.Origin{UserAgent: agent}) }
	each(t, judged, map[string]string{
		"nothing":                `{"id":"1","result":{"description":"Created User ada"}}`,
		"an empty source":        `{"source":{}}`,
		"the address only":       `{"source":{"ipAddress":"203.0.113.1"}}`,
		"another's":              `{"source":{"userAgent":"Mozilla/5.0"}}`,
		"not: in source":         `{"source":{"userAgent":"hookproof-agent-1a2b/4.2"}}`,
		"not: in a description":  `{"result":{"description":"Created by hookproof-agent-1a2b"}}`,
		"not: in another case":   `{"_embedded":{"x":["HOOKPROOF-AGENT-1A2B"]}}`,
		"not: as a member":       `{"hookproof-agent-1a2b":1}`,
		"not: escaped":           `{"x":"\u0068ookproof-agent-1a2b"}`,
		"not: deep in resources": `{"resources":[{"id":"1"},{"client":{"ua":"x hookproof-agent-1a2b/4"}}]}`,
	})
	verdicts(t, map[string]judge.Outcome{
		"not: nobody knows it":  judge.HidesUserAgent(gjson.Parse(`{}`), judge.Origin{}),
		"not: as a number":      judge.HidesUserAgent(gjson.Parse(`{"n":[4711]}`), judge.Origin{UserAgent: "4711/1"}),
		"neither true nor null": judge.HidesUserAgent(gjson.Parse(`{"a":true,"b":null}`), judge.Origin{UserAgent: "true/1"}),
	})
}

func TestShowsAddress(t *testing.T) {
	t.Parallel()
	known := func(e gjson.Result) judge.Outcome {
		return judge.ShowsAddress(e, judge.Origin{Address: "203.0.113.86"})
	}
	each(t, known, map[string]string{
		"in source":           `{"source":{"ipAddress":"203.0.113.86"}}`,
		"by another name":     `{"source":{"ip":"203.0.113.86","userAgent":"x"}}`,
		"not: another":        `{"source":{"ipAddress":"203.0.113.8"}}`,
		"not: the network":    `{"source":{"ipAddress":"203.0.113.0"}}`,
		"not: elsewhere":      `{"ipAddress":"203.0.113.86"}`,
		"not: no source":      `{}`,
		"not: only the agent": `{"source":{"userAgent":"203.0.113.86/1"}}`,
	})
	unknown := func(e gjson.Result) judge.Outcome { return judge.ShowsAddress(e, judge.Origin{}) }
	each(t, unknown, map[string]string{
		"IPv4":              `{"source":{"ipAddress":"127.0.0.1"}}`,
		"IPv6":              `{"source":{"ipAddress":"2001:db8::1"}}`,
		"not: a host name":  `{"source":{"ipAddress":"localhost"}}`,
		"not: with a port":  `{"source":{"ipAddress":"127.0.0.1:4711"}}`,
		"not: null":         `{"source":{"ipAddress":null}}`,
		"not: empty source": `{"source":{}}`,
	})
}

func TestHidesAddress(t *testing.T) {
	t.Parallel()
	judged := func(e gjson.Result) judge.Outcome {
		return judge.HidesAddress(e, judge.Origin{Address: "203.0.113.86"})
	}
	each(t, judged, map[string]string{
		"nothing":               `{"id":"d0c35e7f-0bc6-4992-b42d-3cbf9a585291","recordedAt":"2026-03-04T09:21:00Z"}`,
		"in a URL":              `{"href":"http://127.0.0.1:8080/v1/environments/1","x":"see https://[::1]:8443/a"}`,
		"a version":             `{"x":"4.2","y":"1.2.3","z":4.25}`,
		"a time":                `{"x":"09:21:00","y":"std::string"}`,
		"colons":                `{"x":"::","y":"Created: User"}`,
		"not: in source":        `{"source":{"ipAddress":"203.0.113.86"}}`,
		"not: another's":        `{"source":{"ipAddress":"127.0.0.1"}}`,
		"not: IPv6":             `{"source":{"ip":"::1"}}`,
		"not: with a port":      `{"actors":{"client":{"peer":"127.0.0.1:51234"}}}`,
		"not: IPv6 with a port": `{"x":"[2001:db8::1]:443 called"}`,
		"not: in a text":        `{"result":{"description":"Created User ada from 198.51.100.7."}}`,
		"not: after a sign":     `{"x":"ip=198.51.100.7;a"}`,
		"not: inside a word":    `{"x":"peer-203.0.113.86-x"}`,
		"not: as a member":      `{"203.0.113.86":1}`,
		"not: in an array":      `{"_embedded":{"hops":["a","198.51.100.7"]}}`,
	})
}
