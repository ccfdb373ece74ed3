package emulation_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/simulator/receiver/emulation"
)

const channel = "0F3E2A10-0000-4000-8000-000000000001"

func service(t *testing.T, o emulation.Options) emulation.Service {
	t.Helper()
	s, err := emulation.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func request(path, body string, header ...string) emulation.Request {
	path, query, _ := strings.Cut(path, "?")
	values, _ := url.ParseQuery(query)
	r := emulation.Request{Method: "POST", Path: path, Query: values, Header: http.Header{}, Body: []byte(body)}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func packed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

func TestCollectorAnswersAsSplunkDocuments(t *testing.T) {
	t.Parallel()
	const event = `{"time":1,"event":{"id":"a"}}`
	token := []string{"Authorization", "Splunk secret"}
	for name, c := range map[string]struct {
		path, body string
		header     []string
		status     int
		want       string
	}{
		"an event":             {"/services/collector/event", event, token, 200, `{"text":"Success","code":0}`},
		"at the hook itself":   {"", event + event, token, 200, `{"text":"Success","code":0}`},
		"lines":                {"/services/collector", event + "\n" + event + "\n", token, 200, `{"text":"Success","code":0}`},
		"an array":             {"/services/collector/event/1.0", "[" + event + "," + event + "]", token, 200, `{"text":"Success","code":0}`},
		"packed":               {"", packed(event), append([]string{"Content-Encoding", "gzip"}, token...), 200, `{"text":"Success","code":0}`},
		"raw":                  {"/services/collector/raw", "text", token, 200, `{"text":"Success","code":0}`},
		"basic":                {"", event, []string{"Authorization", "Basic eDpzZWNyZXQ="}, 200, `{"text":"Success","code":0}`},
		"no token":             {"", event, nil, 401, `{"text":"Token is required","code":2}`},
		"another scheme":       {"", event, []string{"Authorization", "Bearer secret"}, 401, `{"text":"Invalid authorization","code":3}`},
		"a wrong token":        {"", event, []string{"Authorization", "Splunk wrong"}, 403, `{"text":"Invalid token","code":4}`},
		"nothing":              {"", " ", token, 400, `{"text":"No data","code":5}`},
		"text":                 {"", "text", token, 400, `{"text":"Invalid data format","code":6,"invalid-event-number":0}`},
		"text after an event":  {"", event + "text", token, 400, `{"text":"Invalid data format","code":6,"invalid-event-number":1}`},
		"a cut array":          {"", "[" + event, token, 400, `{"text":"Invalid data format","code":6,"invalid-event-number":0}`},
		"badly packed":         {"", "text", append([]string{"Content-Encoding", "gzip"}, token...), 400, `{"text":"Invalid data format","code":6}`},
		"no event member":      {"", event + `{"id":"a"}`, token, 400, `{"text":"Event field is required","code":12,"invalid-event-number":1}`},
		"a blank event":        {"", `{"event":""}`, token, 400, `{"text":"Event field cannot be blank","code":13,"invalid-event-number":0}`},
		"acks without acks":    {"/services/collector/ack", `{"acks":[0]}`, token, 400, `{"text":"ACK is disabled","code":14}`},
		"health":               {"/services/collector/health", "", nil, 200, `{"text":"HEC is healthy","code":17}`},
		"somewhere else":       {"/services/other", event, token, 404, `{"text":"The requested URL was not found on this server.","code":404}`},
		"a channel is allowed": {"?channel=x", event, token, 200, `{"text":"Success","code":0}`},
	} {
		got := service(t, emulation.Options{Kind: emulation.Splunk, Token: "secret"}).Answer(request(c.path, c.body, c.header...))
		if got.Status != c.status || string(got.Body) != c.want {
			t.Errorf("%s: %d %s, want %d %s", name, got.Status, got.Body, c.status, c.want)
		}
	}
}

func TestCollectorAcknowledgesByChannel(t *testing.T) {
	t.Parallel()
	s := service(t, emulation.Options{Kind: emulation.Splunk, Acknowledge: true})
	token := []string{"Authorization", "Splunk any"}
	const event, other = `{"event":1}`, "0f3e2a10-0000-4000-8000-000000000002"
	for i, c := range []struct{ path, body, want string }{
		{"", event, `{"text":"Data channel is missing","code":10}`},
		{"?channel=x", event, `{"text":"Invalid data channel","code":11}`},
		{"?channel=" + channel, event, `{"text":"Success","code":0,"ackId":0}`},
		{"?channel=" + strings.ToLower(channel), event, `{"text":"Success","code":0,"ackId":1}`},
		{"?channel=" + other, event, `{"text":"Success","code":0,"ackId":0}`},
		{"?channel=" + channel, "text", `{"text":"Invalid data format","code":6,"invalid-event-number":0}`},
		{"/services/collector/ack?channel=" + channel, `{"acks":[0,1,2,-1]}`, `{"acks":{"-1":false,"0":true,"1":true,"2":false}}`},
		{"/services/collector/ack?channel=" + other, `{"acks":[0,1]}`, `{"acks":{"0":true,"1":false}}`},
		{"/services/collector/ack?channel=" + other, `0`, `{"text":"Invalid data format","code":6}`},
		{"/services/collector/ack", `{"acks":[0]}`, `{"text":"Data channel is missing","code":10}`},
	} {
		if got := s.Answer(request(c.path, c.body, token...)); string(got.Body) != c.want {
			t.Errorf("request %d: %d %s, want %s", i+1, got.Status, got.Body, c.want)
		}
	}
	if got := s.Answer(request("", event, append([]string{"X-Splunk-Request-Channel", channel}, token...)...)); !strings.Contains(string(got.Body), `"ackId":2`) {
		t.Errorf("with the channel in a header: %s", got.Body)
	}
	if got := string(s.Error(503)); got != `{"text":"Server is busy","code":9}` {
		t.Errorf("a 503 has %s", got)
	}
}

func TestLogAPIAnswersAsNewRelicDocuments(t *testing.T) {
	t.Parallel()
	const record = `[{"timestamp":1,"message":"USER.CREATED"}]`
	for name, c := range map[string]struct {
		path, body string
		header     []string
		status     int
	}{
		"a record":           {"/log/v1", record, []string{"Api-Key", "secret", "Content-Type", "application/json; charset=utf-8"}, 202},
		"the key in the URL": {"?Api-Key=secret", record, []string{"Content-Type", "json"}, 202},
		"a license key":      {"", record, []string{"X-License-Key", "secret", "Content-Type", "application/json"}, 202},
		"packed":             {"", packed(record), []string{"Api-Key", "secret", "Content-Type", "application/gzip"}, 202},
		"no key":             {"", record, []string{"Content-Type", "application/json"}, 403},
		"a wrong key":        {"", record, []string{"Api-Key", "wrong", "Content-Type", "application/json"}, 403},
		"another type":       {"", record, []string{"Api-Key", "secret", "Content-Type", "text/plain"}, 415},
		"no type":            {"", record, []string{"Api-Key", "secret"}, 415},
		"text":               {"", "text", []string{"Api-Key", "secret", "Content-Type", "application/json"}, 400},
		"a million bytes":    {"", `"` + strings.Repeat("x", 999_998) + `"`, []string{"Api-Key", "secret", "Content-Type", "application/json"}, 202},
		"one more":           {"", `"` + strings.Repeat("x", 999_999) + `"`, []string{"Api-Key", "secret", "Content-Type", "application/json"}, 413},
	} {
		got := service(t, emulation.Options{Kind: emulation.NewRelic, Token: "secret"}).Answer(request(c.path, c.body, c.header...))
		id := regexp.MustCompile(`^\{"requestId":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"\}$`).Match(got.Body)
		if got.Status != c.status || id != (c.status == 202) {
			t.Errorf("%s: %d %s, want %d", name, got.Status, got.Body, c.status)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for _, o := range []emulation.Options{{}, {Kind: "other"}, {Kind: emulation.NewRelic, Acknowledge: true}, {Kind: emulation.Splunk, Token: strings.Repeat("x", 2000)}} {
		if _, err := emulation.New(o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}
