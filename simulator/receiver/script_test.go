package receiver_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/receiver"
	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
)

// got is what a client got for one request.
type got struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
	took   time.Duration
}

// send posts to the endpoint's listener and reads as far as it can.
func (d *desk) send(endpoint gjson.Result, mode receiver.Mode, body string, change ...func(*http.Request)) got {
	d.Helper()
	client := newClient(d.T, nil)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	started := time.Now()
	response, err := client.Do(d.request("POST", endpoint.Get("urls."+string(mode)).String(), body, change...))
	if err != nil {
		return got{err: err, took: time.Since(started)}
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return got{response.StatusCode, response.Header, string(data), err, time.Since(started)}
}

func with(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func (d *desk) behaving(script string) gjson.Result {
	d.Helper()
	return d.endpoint(`{"behaviour":` + script + `}`)
}

func TestAnswersAreShapedOverTheWire(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	for name, c := range map[string]struct {
		action string
		check  func(got) bool
	}{
		"retry after":        {`{"status":503,"retryAfter":"90s"}`, func(g got) bool { return g.status == 503 && g.header.Get("Retry-After") == "90" }},
		"redirect":           {`{"redirect":"/elsewhere"}`, func(g got) bool { return g.status == 302 && g.header.Get("Location") == "/elsewhere" }},
		"permanent redirect": {`{"redirect":"https://other.invalid/x","status":308}`, func(g got) bool { return g.status == 308 }},
		"a made body": {`{"bodyBytes":1000000}`, func(g got) bool {
			return g.status == 200 && len(g.body) == 1_000_000 && g.header.Get("Content-Length") == "1000000" && strings.Trim(g.body, ".\n") == ""
		}},
		"wrong content type": {`{"body":"<p>","contentType":"text/html"}`, func(g got) bool { return g.header.Get("Content-Type") == "text/html" && g.body == "<p>" }},
		"a drip": {`{"body":"abcd","drip":{"bytes":1,"every":"30ms"}}`, func(g got) bool {
			return g.body == "abcd" && g.took >= 120*time.Millisecond
		}},
		"a random delay": {`{"delay":"50ms","delayMax":"90ms"}`, func(g got) bool { return g.status == 200 && g.took >= 50*time.Millisecond }},
		"cut in the body": {`{"bodyBytes":10000,"cutAfter":4000}`, func(g got) bool {
			return g.status == 200 && g.err != nil && len(g.body) <= 4000 && g.header.Get("Content-Length") == "10000"
		}},
		"cut before the body": {`{"body":"abc","cutAfter":0}`, func(g got) bool { return g.err != nil && g.body == "" }},
	} {
		for _, mode := range []receiver.Mode{receiver.Plain, receiver.Trusted} { // HTTP/1.1, and HTTP/2 over TLS
			t.Run(name+" "+string(mode), func(t *testing.T) {
				t.Parallel()
				d := &desk{T: t, receiver: d.receiver}
				if g := d.send(d.behaving(`{"then":`+c.action+`}`), mode, "[]"); !c.check(g) {
					t.Errorf("got %d %v, %d bytes, %v after %v", g.status, g.header, len(g.body), g.err, g.took)
				}
			})
		}
	}
}

// The bytes before the cut arrive, and the cut is a reset, not an end.
func TestCutResetsInTheMiddleOfTheBody(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.behaving(`"reset-in-body"`)
	g := d.send(endpoint, receiver.Plain, "[]")
	if !errors.Is(g.err, syscall.ECONNRESET) && !errors.Is(g.err, io.ErrUnexpectedEOF) || len(g.body) == 0 || len(g.body) >= 65536 {
		t.Errorf("%d bytes came, then %v", len(g.body), g.err)
	}
	answer := d.deliveries(endpoint, 1)[0].Get("answer")
	if answer.Get("action").String() != "respond" || answer.Get("status").Int() != 200 || answer.Get("cutAfter").Int() != 32768 {
		t.Errorf("recorded %s", answer)
	}
}

func TestRulesDecideOverTheWire(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	type request struct {
		body   string
		change []func(*http.Request)
	}
	for name, c := range map[string]struct {
		script   string
		requests []request
		want     string
	}{
		"attempts of each batch": {`{"rules":[{"when":{"attempt":{"from":1,"to":2}},"do":{"status":500}}]}`,
			[]request{{body: "a"}, {body: "b"}, {body: "a"}, {body: "a"}, {body: "b"}, {body: "b"}}, "500 500 500 200 500 200"},
		"a size": {`{"rules":[{"when":{"largerThan":3},"do":{"status":413}}]}`,
			[]request{{body: "abc"}, {body: "abcd"}}, "200 413"},
		"credentials": {`{"rules":[{"when":{"unlessHeader":{"Authorization":"Bearer x","X-Key":"y"}},"do":{"status":401}}],"then":{"status":202}}`,
			[]request{{}, {change: []func(*http.Request){with("Authorization", "Bearer x")}},
				{change: []func(*http.Request){with("Authorization", "Bearer x"), with("X-Key", "y")}}, {change: []func(*http.Request){with("Authorization", "Bearer z"), with("X-Key", "y")}}}, "401 401 202 401"},
		"a rate": {`{"rules":[{"when":{"overRate":{"requests":2,"per":"1h"}},"do":{"status":429}}]}`,
			[]request{{}, {}, {}, {}}, "200 200 429 429"},
		"a poisoned batch": {`{"rules":[{"when":{"bodyContains":"poison"},"do":{"status":400}}]}`,
			[]request{{body: "fine"}, {body: "some poison"}}, "200 400"},
		"a method": {`{"rules":[{"when":{"method":"GET"},"do":{"status":405}}]}`,
			[]request{{}, {change: []func(*http.Request){func(r *http.Request) { r.Method = "GET" }}}}, "200 405"},
		"all conditions of a rule, and the first rule": {`{"rules":[{"when":{"largerThan":1,"bodyContains":"x"},"do":{"status":501}},{"when":{"largerThan":1},"do":{"status":502}}],"steps":[{"status":503}]}`,
			[]request{{body: "xx"}, {body: "yy"}, {body: "x"}, {body: "x"}}, "501 502 503 200"},
		"certainty": {`{"rules":[{"when":{"chance":1},"do":{"status":500}}]}`, []request{{}, {}}, "500 500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &desk{T: t, receiver: d.receiver}
			endpoint := d.behaving(c.script)
			var list []string
			for _, r := range c.requests {
				list = append(list, fmt.Sprint(d.send(endpoint, receiver.Plain, r.body, r.change...).status))
			}
			if got := strings.Join(list, " "); got != c.want {
				t.Errorf("answered %s, want %s", got, c.want)
			}
		})
	}
}

// The same seed fails the same requests, another seed others.
func TestChanceIsRepeatable(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	run := func(seed int) string {
		endpoint := d.behaving(fmt.Sprintf(`{"seed":%d,"rules":[{"when":{"chance":0.5},"do":{"status":500}}]}`, seed))
		var b strings.Builder
		for range 40 {
			fmt.Fprint(&b, d.post(endpoint, "[]")/100)
		}
		return b.String()
	}
	first := run(7)
	if again := run(7); again != first {
		t.Errorf("seed 7 gave %s, then %s", first, again)
	}
	if other := run(8); other == first || !strings.Contains(first, "5") || !strings.Contains(first, "2") {
		t.Errorf("seed 7 gave %s, seed 8 %s", first, other)
	}
}

func TestBehaviourIsSwitchedWhileRunning(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint("")
	path := "/inspect/endpoints/" + endpoint.Get("id").String() + "/behaviour"
	put := func(kind, body string) int {
		response, _ := d.do(newClient(t, nil), d.request("PUT", d.receiver.InspectURL()+path, body, with("Content-Type", kind)))
		return response.StatusCode
	}
	for _, c := range []struct {
		kind, body string
		want       int
	}{
		{"application/json", `{"then":{"status":500}}`, 500},
		{"application/yaml", "then:\n  status: 501\n", 501},
		{"application/x-yaml; charset=utf-8", "unavailable", 503},
		{"", `"gone"`, 410},
	} {
		if status := put(c.kind, c.body); status != http.StatusNoContent {
			t.Fatalf("%s: %d", c.body, status)
		}
		if status := d.post(endpoint, "[]"); status != c.want {
			t.Errorf("%s: answers %d", c.body, status)
		}
	}
	for _, c := range [][2]string{{"application/yaml", ""}, {"application/yaml", "then: [}"}, {"application/yaml", "then: {stat: 1}"}, {"", `"nothing like it"`}, {"", "then: {}"}} {
		if status := put(c[0], c[1]); status != http.StatusBadRequest {
			t.Errorf("%q: status %d", c[1], status)
		}
	}
	if status := d.post(endpoint, "[]"); status != 410 {
		t.Errorf("after refused changes it answers %d", status)
	}
}

// Every behaviour that has a name is listed and does what its sentence says.
func TestNamedBehavioursDoWhatTheySay(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	want := map[string]string{
		"ok": "200 200", "unavailable": "503 503", "outage-then-recover": "503 503 503 503 503 200", "every-server-error": "500 502 503 504 200",
		"each-batch-fails-twice": "500 500 200", "accepted-not-ok": "202", "bad-request": "400", "gone": "410", "redirect": "302",
		"wrong-content-type": "200", "unauthorized": "401", "forbidden": "403", "rate-limited": "200 200 200 200 200 429",
		"too-large": "200", "reset": "0", "huge-response": "200", "reset-in-body": "200",
		"slow": "", "very-slow": "", "hang": "", "slow-drip": "", "flaky": "", // these take their time, or chance has a say
	}
	all := d.want(http.StatusOK, "GET", "/inspect/behaviours", "").Get("behaviours").Array()
	for _, b := range all {
		name := b.Get("name").String()
		expected, ok := want[name]
		if !ok || len(b.Get("sentence").String()) < 10 || !b.Get("behaviour.then").Exists() {
			t.Errorf("%s is not expected: %s", name, b)
		}
		delete(want, name)
		endpoint := d.behaving(`"` + name + `"`)
		var list []string
		for range strings.Fields(expected) {
			list = append(list, fmt.Sprint(d.send(endpoint, receiver.Plain, "[]").status))
		}
		if got := strings.Join(list, " "); got != expected {
			t.Errorf("%s answers %s, want %s", name, got, expected)
		}
	}
	if len(want) > 0 {
		t.Errorf("there is no %v", want)
	}
	if _, err := behaviour.ByName("nothing"); err == nil || !strings.Contains(err.Error(), "flaky") {
		t.Errorf("an unknown name gives %v", err)
	}
}

func TestEmulationAnswersUnlessTheScriptDoes(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint(`{"emulation":{"kind":"splunk","token":"secret"},"behaviour":{"steps":[{},{"status":503},{"status":503,"body":"own"},{"delay":"1ms"}]}}`)
	token := with("Authorization", "Splunk secret")
	for i, want := range []struct {
		status int
		body   string
	}{{200, `{"text":"Success","code":0}`}, {503, `{"text":"Server is busy","code":9}`}, {503, "own"}, {200, `{"text":"Success","code":0}`}} {
		if g := d.send(endpoint, receiver.Trusted, `{"event":{}}`, token); g.status != want.status || g.body != want.body {
			t.Errorf("request %d: %d %s, want %+v", i+1, g.status, g.body, want)
		}
	}
	if g := d.send(endpoint, receiver.Plain, `{"event":{}}`); g.status != 401 || g.header.Get("Content-Type") != "application/json" {
		t.Errorf("without a token: %d %v", g.status, g.header)
	}
	hook, err := url.Parse(endpoint.Get("urls.plain").String())
	if err != nil {
		t.Fatal(err)
	}
	response, body := d.do(newClient(t, nil), d.request("GET", hook.JoinPath("services/collector/health").String(), ""))
	if response.StatusCode != 200 || gjson.GetBytes(body, "code").Int() != 17 {
		t.Errorf("health: %d %s", response.StatusCode, body)
	}
	if last := d.deliveries(endpoint, 6)[4]; last.Get("answer.status").Int() != 401 {
		t.Errorf("recorded %s", last.Get("answer"))
	}
	logs := d.endpoint(`{"emulation":{"kind":"newrelic"}}`)
	if g := d.send(logs, receiver.Plain, "[]", with("Api-Key", "k"), with("Content-Type", "application/json")); g.status != 202 || !strings.Contains(g.body, "requestId") {
		t.Errorf("the log API: %d %s", g.status, g.body)
	}
	subscription := d.want(http.StatusOK, "GET", "/inspect/endpoints/"+endpoint.Get("id").String()+"/subscription?listener=self-signed", "")
	if subscription.Get("format").String() != "SPLUNK" || subscription.Get("httpEndpoint.headers.Authorization").String() != "Splunk secret" ||
		subscription.Get("httpEndpoint.url").String() != endpoint.Get("urls.self-signed").String() {
		t.Errorf("the subscription is %s", subscription)
	}
}

// A sink records lines, whole and cut ones, and answers nothing.
func TestSinksTakeLines(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	for _, mode := range []string{"tcp", "tls-tcp"} {
		endpoint := d.endpoint(`{"behaviour":{"steps":[{},{},{},{"reset":true}]},"listener":{"mode":"` + mode + `","dedicated":true}}`)
		address, err := url.Parse(endpoint.Get("dedicated.url").String())
		if err != nil {
			t.Fatal(err)
		}
		first := dialTCP(t, address, mode == "tls-tcp")
		long := strings.Repeat("x", 200_000)
		fmt.Fprintf(first, "one\n\n\r\n%s\nhalf", long)
		first.Close()
		deliveries := d.deliveries(endpoint, 3)
		second := dialTCP(t, address, mode == "tls-tcp")
		fmt.Fprintf(second, "four\n")
		if data, err := bufio.NewReader(second).ReadString('\n'); err == nil || data != "" {
			t.Errorf("%s: a sink said %q", mode, data)
		}
		deliveries = append(deliveries, d.deliveries(endpoint, 4)[3])
		for i, want := range []struct {
			body, action string
			complete     bool
		}{{"one", "none", true}, {long, "none", true}, {"half", "none", false}, {"four", "reset", true}} {
			got := deliveries[i]
			if string(decoded(t, got.Get("body").String())) != want.body || got.Get("complete").Bool() != want.complete || got.Get("answer.action").String() != want.action ||
				got.Get("listener").String() != mode || got.Get("proto").String() != "TCP" || got.Get("tls").Exists() && (got.Get("tls.version").String() == "") != (mode == "tcp") {
				t.Errorf("%s: line %d is %.300s", mode, i+1, got)
			}
		}
		if connections := d.connections(endpoint, 2); connections[0].Get("handshake").String() != map[string]string{"tcp": "none", "tls-tcp": "ok"}[mode] {
			t.Errorf("%s: %s", mode, connections[0])
		}
		if status := d.post(endpoint, "[]"); status != http.StatusNotFound {
			t.Errorf("%s: a request to a sink gets %d", mode, status)
		}
	}
}

// A line that is too long is kept in part, and the next one is whole.
func TestSinkCutsLongLines(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint(`{"listener":{"mode":"tcp","dedicated":true}}`)
	address, err := url.Parse(endpoint.Get("dedicated.url").String())
	if err != nil {
		t.Fatal(err)
	}
	conn := dialTCP(t, address, false)
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "%s\nnext\n", payloadText(receiver.MaxBodyBytes+100)); err != nil {
		t.Fatal(err)
	}
	deliveries := d.deliveries(endpoint, 2)
	if long := deliveries[0]; len(decoded(t, long.Get("body").String())) != receiver.MaxBodyBytes || !long.Get("truncated").Bool() || long.Get("complete").Bool() {
		t.Errorf("the long line is kept with %d bytes", len(decoded(t, long.Get("body").String())))
	}
	if next := deliveries[1]; string(decoded(t, next.Get("body").String())) != "next" || next.Get("truncated").Bool() {
		t.Errorf("the next is %s", next)
	}
}

// Not every stream has line breaks: log lines may come behind their lengths, and
// what nothing follows for a while is recorded as it is.
func TestSinksTakeStreamsWithoutLines(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	long := "<110>1 " + strings.Repeat("x", 100_000) + "\n\ny"
	for _, mode := range []string{"tcp", "tls-tcp"} {
		endpoint := d.endpoint(`{"listener":{"mode":"` + mode + `","dedicated":true}}`)
		address, err := url.Parse(endpoint.Get("dedicated.url").String())
		if err != nil {
			t.Fatal(err)
		}
		conn := dialTCP(t, address, mode == "tls-tcp")
		defer conn.Close()
		fmt.Fprintf(conn, "12 <110>1 - one%d %s<111>in a line\n12 monkeys\n007\n20 <1>", len(long), long)
		fmt.Fprintf(conn, "in two pieces....")
		fmt.Fprintf(conn, "{\"no\":\"end\"}")
		deliveries := d.deliveries(endpoint, 7)
		fmt.Fprintf(conn, "more\n30 <1>cut short")
		conn.Close()
		deliveries = append(deliveries, d.deliveries(endpoint, 9)[7:]...)
		for i, want := range []struct {
			body     string
			complete bool
		}{
			{"<110>1 - one", true}, {long, true}, {"<111>in a line", true}, {"12 monkeys", true}, {"007", true},
			{"<1>in two pieces....", true}, {`{"no":"end"}`, false}, {"more", true}, {"<1>cut short", false},
		} {
			if body := string(decoded(t, deliveries[i].Get("body").String())); body != want.body || deliveries[i].Get("complete").Bool() != want.complete {
				t.Errorf("%s: record %d is %.100q, complete %t, want %.100q", mode, i+1, body, deliveries[i].Get("complete").Bool(), want.body)
			}
		}
	}
}

func payloadText(size int) string { return strings.Repeat("y", size) }

func dialTCP(t *testing.T, address *url.URL, secure bool) io.ReadWriteCloser {
	t.Helper()
	conn, err := net.Dial("tcp", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if secure {
		return tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	return conn
}

func decoded(t *testing.T, text string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
