package receiver_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/receiver"
)

// audited is an event that was recorded so long ago.
func audited(id, kind string, ago time.Duration) string {
	return fmt.Sprintf(`{"id":%q,"recordedAt":%q,"action":{"type":%q}}`, id, time.Now().Add(-ago).UTC().Format(time.RFC3339Nano), kind)
}

func numbers(list gjson.Result) string { return list.Get("deliveries.#.number").Raw }

func TestDeliveriesAreFiltered(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	one := d.endpoint(`{"name":"first","behaviour":{"steps":[{},{"status":503},{"reset":true}]}}`)
	two := d.endpoint("")
	created := "[" + audited("ev-1", "USER.CREATED", 0) + "]"
	d.send(one, receiver.Plain, created)
	d.send(one, receiver.Plain, created, with("X-Trace", "needle-in-header"))
	d.send(one, receiver.Plain, "["+audited("ev-2", "USER.DELETED", time.Hour)+"]")
	middle := time.Now().UTC().Format(time.RFC3339Nano)
	d.send(two, receiver.Trusted, "not JSON, ev-1")
	d.send(two, receiver.Trusted, "[]")
	first := d.want(http.StatusOK, "GET", "/inspect/deliveries/1", "")
	for query, want := range map[string]string{
		"":                                       "[5,4,3,2,1]",
		"order=asc":                              "[1,2,3,4,5]",
		"limit=2":                                "[5,4]",
		"limit=2&before=4":                       "[3,2]",
		"limit=2&order=asc&after=3":              "[4,5]",
		"endpoint=" + one.Get("id").String():     "[3,2,1]",
		"endpoint=none":                          "[]",
		"event=ev-1":                             "[2,1]",
		"event=ev-":                              "[]",
		"type=USER.DELETED":                      "[3]",
		"type=USER.*":                            "[3,2,1]",
		"type=USER":                              "[]",
		"event=ev-1&type=USER.DELETED":           "[]",
		"status=503":                             "[2]",
		"status=2xx":                             "[5,4,1]",
		"status=reset":                           "[3]",
		"status=hang":                            "[]",
		"annotation=not-json":                    "[4]",
		"annotation=empty-array":                 "[5]",
		"annotation=seen-before":                 "[2]",
		"annotation=held-over-2s":                "[3]",
		"annotation=any":                         "[5,4,3,2]",
		"listener=trusted":                       "[5,4]",
		"q=needle":                               "[2]",
		"q=ev-1":                                 "[4,2,1]",
		"from=" + url.QueryEscape(middle):        "[5,4]",
		"to=" + url.QueryEscape(middle):          "[3,2,1]",
		"batch=" + first.Get("batch").String():   "[2,1]",
		"annotation=any&status=503&q=needle":     "[2]",
		"batch=0000000000000000&annotation=any":  "[]",
		"order=desc&limit=10000&before=99&after": "",
	} {
		if want == "" {
			d.want(http.StatusBadRequest, "GET", "/inspect/deliveries?"+query, "")
			continue
		}
		if got := numbers(d.want(http.StatusOK, "GET", "/inspect/deliveries?"+query, "")); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	for _, query := range []string{"limit=0", "limit=10001", "order=up", "status=999", "status=ok", "annotation=odd", "from=today", "before=x", "listener=none", "unknown=1", "after=-1"} {
		d.want(http.StatusBadRequest, "GET", "/inspect/deliveries?"+query, "")
	}
	row := d.want(http.StatusOK, "GET", "/inspect/deliveries?annotation=seen-before", "").Get("deliveries.0")
	for path, want := range map[string]string{
		"seq": "2", "endpoint": one.Get("id").String(), "endpointName": "first", "examined": "true", "events": "1", "types": `["USER.CREATED"]`,
		"attempt": "2", "answer.status": "503", "bytes": strconv.Itoa(len(created)), "annotations.#.name": `["seen-before"]`, "body": "", "headers": "",
	} {
		if got := row.Get(path).String(); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	if hold := d.want(http.StatusOK, "GET", "/inspect/deliveries/3", "").Get("holdMs").Int(); hold < 3_600_000 || hold > 3_700_000 {
		t.Errorf("held %d ms", hold)
	}
}

// Pages follow each other without a gap or a repetition, in both orders.
func TestPagesOfDeliveriesFollowEachOther(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint("")
	for range 25 {
		d.post(endpoint, "[]")
	}
	for order, place := range map[string]string{"desc": "before", "asc": "after"} {
		var got []int64
		for next := ""; ; {
			page := d.want(http.StatusOK, "GET", "/inspect/deliveries?limit=7&order="+order+next, "")
			for _, n := range page.Get("deliveries.#.number").Array() {
				got = append(got, n.Int())
			}
			if page.Get("next").Type == gjson.Null {
				break
			}
			next = "&" + place + "=" + page.Get("next").Raw
		}
		if order == "desc" {
			slices.Reverse(got)
		}
		for i, n := range got {
			if n != int64(i+1) {
				t.Fatalf("%s: %v", order, got)
			}
		}
		if len(got) != 25 {
			t.Errorf("%s: %d deliveries", order, len(got))
		}
	}
}

func TestOneDeliveryIsShownInFull(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint("")
	sent := payload(70_000)
	d.send(endpoint, receiver.Trusted, string(sent), with("Authorization", "Bearer canary"), with("Content-Type", "application/json"))
	d.post(endpoint, "other")
	d.send(endpoint, receiver.Trusted, string(sent))
	full := d.want(http.StatusOK, "GET", "/inspect/deliveries/1", "")
	if !bytes.Equal(decoded(t, full.Get("body").String()), sent) || full.Get("headers.Authorization.0").String() != "Bearer canary" ||
		full.Get("attempts").Raw != "[1,3]" || full.Get("tls.version").String() != "TLS 1.3" || !strings.Contains(full.Get("curl").String(), "canary") {
		t.Errorf("shown: %.2000s", full.Raw)
	}
	hidden := d.want(http.StatusOK, "GET", "/inspect/deliveries/1?secrets=masked", "")
	for _, path := range []string{"headers", "curl"} {
		if text := hidden.Get(path).String(); strings.Contains(text, "canary") || !strings.Contains(text, "•••") || !strings.Contains(text, "application/json") {
			t.Errorf("masked %s: %s", path, text)
		}
	}
	response, body := d.do(newClient(t, nil), d.request("GET", d.receiver.InspectURL()+"/inspect/deliveries/1/body", ""))
	if !bytes.Equal(body, sent) || response.Header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(response.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("downloaded %d bytes as %v", len(body), response.Header)
	}
	for _, path := range []string{"9", "0", "x"} {
		d.want(http.StatusNotFound, "GET", "/inspect/deliveries/"+path, "")
	}
}

// The command sends what was sent, whatever is in it.
func TestCurlCommandRepeatsTheDelivery(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"curl", "sh"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s here", tool)
		}
	}
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint("")
	for i, body := range []string{`[{"it's":"$HOME \" \\ ;"}]`, string(payload(300)), strings.Repeat("long ", 30_000), ""} {
		d.send(endpoint, receiver.Trusted, body, with("X-Quoted", `it's "$HOME"`), with("Content-Type", "application/json"))
		_, command := d.do(newClient(t, nil), d.request("GET", d.receiver.InspectURL()+"/inspect/deliveries/"+strconv.Itoa(2*i+1)+"/curl", ""))
		if out, err := exec.CommandContext(t.Context(), "sh", "-c", string(command)).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
		again := d.deliveries(endpoint, 2*i+2)[2*i+1]
		if string(decoded(t, again.Get("body").String())) != body || again.Get("headers.X-Quoted.0").String() != `it's "$HOME"` || again.Get("method").String() != "POST" {
			t.Errorf("body %d came back as %.300s", i, again)
		}
	}
}

func TestDeliveryIsSentAgainElsewhere(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	from, to := d.endpoint(""), d.endpoint(`{"behaviour":{"then":{"status":418,"body":"teapot"}}}`)
	sent := string(payload(1000))
	d.send(from, receiver.Plain, sent, with("X-Own", "kept"))
	resend := func(url string, insecure bool) (int, gjson.Result) {
		return d.inspect("POST", "/inspect/deliveries/1/resend", fmt.Sprintf(`{"url":%q,"insecure":%v}`, url, insecure))
	}
	if status, answer := resend(to.Get("urls.self-signed").String(), true); status != 200 || answer.Get("status").Int() != 418 || answer.Get("body").String() != "teapot" {
		t.Errorf("sent again: %d %s", status, answer)
	}
	got := d.deliveries(to, 1)[0]
	if string(decoded(t, got.Get("body").String())) != sent || got.Get("headers.X-Own.0").String() != "kept" {
		t.Errorf("it came as %s", got)
	}
	if status, answer := resend(to.Get("urls.self-signed").String(), false); status != http.StatusBadGateway || !strings.Contains(answer.Get("error").String(), "certificate") {
		t.Errorf("to a certificate that is not trusted: %d %s", status, answer)
	}
	if status, _ := resend("http://169.254.169.254/latest", false); status != http.StatusBadGateway {
		t.Errorf("to a link-local address: %d", status)
	}
	for _, bad := range []string{"", "ftp://x/y", "/path", "http://"} {
		if status, _ := resend(bad, false); status != http.StatusBadRequest {
			t.Errorf("to %q: %d", bad, status)
		}
	}
}

func TestDeliveriesAreCleared(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	one, two := d.endpoint(""), d.endpoint("")
	d.post(one, "[]")
	d.post(two, "[]")
	d.want(http.StatusNoContent, "DELETE", "/inspect/deliveries?endpoint="+one.Get("id").String(), "")
	list := d.want(http.StatusOK, "GET", "/inspect/deliveries", "")
	if numbers(list) != "[2]" || list.Get("evicted").Int() != 1 || list.Get("kept").Int() != 1 || list.Get("last").Int() != 2 {
		t.Errorf("after one was cleared: %s", list)
	}
	d.want(http.StatusNoContent, "DELETE", "/inspect/deliveries", "")
	d.post(one, "[]")
	if list := d.want(http.StatusOK, "GET", "/inspect/deliveries", ""); numbers(list) != "[3]" || list.Get("deliveries.0.seq").Int() != 2 {
		t.Errorf("after all were cleared: %s", list)
	}
	d.want(http.StatusNotFound, "DELETE", "/inspect/deliveries?endpoint=none", "")
	bounds := d.want(http.StatusOK, "GET", "/inspect", "").Get("bounds")
	if bounds.Get("deliveries").Int() != 1 || bounds.Get("evicted").Int() != 2 || bounds.Get("bytes").Int() <= 0 || bounds.Get("maxBytes").Int() != receiver.DefaultMaxBytes {
		t.Errorf("the bounds are %s", bounds)
	}
}

func TestDeliveriesAreExported(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint("")
	d.send(endpoint, receiver.Trusted, "[1]", with("X-Secret", "canary"))
	d.post(endpoint, string(payload(300)))
	get := func(path string) []byte {
		response, data := d.do(newClient(t, nil), d.request("GET", d.receiver.InspectURL()+path, ""))
		if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d %v", path, response.StatusCode, response.Header)
		}
		return data
	}
	lines := strings.Split(strings.TrimSpace(string(get("/inspect/export.ndjson"))), "\n")
	if len(lines) != 2 || gjson.Get(lines[0], "number").Int() != 1 || gjson.Get(lines[0], "headers.X-Secret.0").String() != "canary" ||
		!bytes.Equal(decoded(t, gjson.Get(lines[1], "body").String()), payload(300)) {
		t.Errorf("lines: %s", lines)
	}
	archive := gjson.ParseBytes(get("/inspect/export.har"))
	entries := archive.Get("log.entries").Array()
	if archive.Get("log.version").String() != "1.2" || len(entries) != 2 || entries[0].Get("request.url").String() != endpoint.Get("urls.trusted").String() ||
		entries[0].Get("request.postData.text").String() != "[1]" || entries[1].Get("request.postData.encoding").String() != "base64" ||
		entries[0].Get("response.status").Int() != 200 || !entries[0].Get(`request.headers.#(name=="X-Secret")`).Exists() {
		t.Errorf("the archive: %s", archive)
	}
	for _, path := range []string{"/inspect/export.ndjson?secrets=masked", "/inspect/export.har?secrets=masked"} {
		if data := get(path); bytes.Contains(data, []byte("canary")) {
			t.Errorf("%s: %s", path, data)
		}
	}
	if data := get("/inspect/export.ndjson?listener=plain"); bytes.Count(data, []byte("\n")) != 1 {
		t.Errorf("filtered: %s", data)
	}
	d.want(http.StatusBadRequest, "GET", "/inspect/export.har?status=odd", "")
}

func TestTimelineCountsDeliveries(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint(`{"behaviour":{"steps":[{},{"status":500}]}}`)
	for range 4 {
		d.post(endpoint, "["+audited("x", "A", 0)+"]")
	}
	d.want(http.StatusOK, "GET", "/inspect/deliveries?annotation=any", "") // waits for the examination
	line := d.want(http.StatusOK, "GET", "/inspect/timeline?buckets=10", "")
	sums := map[string]int64{}
	for _, bucket := range line.Get("buckets").Array() {
		for _, name := range []string{"deliveries", "events", "failed"} {
			sums[name] += bucket.Get(name).Int()
		}
	}
	if len(line.Get("buckets").Array()) != 10 || sums["deliveries"] != 4 || sums["events"] != 4 || sums["failed"] != 1 {
		t.Errorf("%v in %s", sums, line)
	}
	d.want(http.StatusBadRequest, "GET", "/inspect/timeline?buckets=0", "")
	if line := d.want(http.StatusOK, "GET", "/inspect/timeline?endpoint=none", ""); line.Get("buckets").Raw != "[]" {
		t.Errorf("without deliveries: %s", line)
	}
}

// told is one server-sent event.
type told struct{ event, id, data string }

// listen reads the stream and returns what comes of it.
func (d *desk) listen(query string) <-chan told {
	d.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	d.Cleanup(cancel)
	request := d.request("GET", d.receiver.InspectURL()+"/inspect/stream"+query, "").WithContext(ctx)
	response, err := newClient(d.T, &tls.Config{}).Do(request)
	if err != nil {
		d.Fatal(err)
	}
	lines := bufio.NewReader(response.Body)
	if first, err := lines.ReadString('\n'); err != nil || first != ": welcome\n" {
		d.Fatalf("the stream begins with %q, %v", first, err)
	}
	events := make(chan told, 1000)
	ended := make(chan struct{})
	d.Cleanup(func() { cancel(); <-ended })
	go func() {
		defer close(ended)
		defer close(events)
		defer response.Body.Close()
		var e told
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch name {
			case "event":
				e.event = value
			case "id":
				e.id = value
			case "data":
				e.data = value
			case "":
				if e.event != "" {
					events <- e
				}
				e = told{}
			}
		}
	}()
	return events
}

// until returns what came up to the first event that is wanted.
func until(t *testing.T, events <-chan told, wanted func(told) bool) []told {
	t.Helper()
	var all []told
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case e, ok := <-events:
			if !ok {
				t.Fatalf("the stream ended after %v", all)
			}
			if all = append(all, e); wanted(e) {
				return all
			}
		case <-timer.C:
			t.Fatalf("only %v came", all)
		}
	}
}

func examinedOf(number int64) func(told) bool {
	return func(e told) bool {
		return e.event == "delivery" && gjson.Get(e.data, "number").Int() == number && gjson.Get(e.data, "examined").Bool()
	}
}

func TestStreamTellsWhatHappens(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{MaxDeliveries: 3})
	endpoint := d.endpoint("")
	d.post(endpoint, "before")
	all, resumed := d.listen(""), d.listen("?after=0")
	d.post(endpoint, "[]")
	came := until(t, all, examinedOf(2))
	if first := came[0]; first.event != "delivery" || first.id != "2" || gjson.Get(first.data, "endpoint").String() != endpoint.Get("id").String() {
		t.Errorf("first came %v", first)
	}
	if last := came[len(came)-1]; gjson.Get(last.data, "annotations.0.name").String() != "empty-array" {
		t.Errorf("examined: %v", last)
	}
	if first := until(t, resumed, func(told) bool { return true })[0]; first.id != "1" {
		t.Errorf("from the beginning comes %v", first)
	}
	other := d.endpoint("")
	until(t, all, func(e told) bool { return e.event == "endpoints" })
	alone := d.listen("?endpoint=" + other.Get("id").String())
	d.post(endpoint, "[3]")
	d.post(other, "[4]")
	if first := until(t, alone, func(e told) bool { return e.event == "delivery" }); gjson.Get(first[len(first)-1].data, "number").Int() != 4 {
		t.Errorf("of one endpoint comes %v", first)
	}
	until(t, all, func(e told) bool { return e.event == "evicted" && gjson.Get(e.data, "oldest").Int() == 2 })
	d.want(http.StatusNoContent, "DELETE", "/inspect/deliveries?endpoint="+other.Get("id").String(), "")
	until(t, all, func(e told) bool {
		return e.event == "cleared" && gjson.Get(e.data, "endpoint").String() == other.Get("id").String()
	})
	d.want(http.StatusBadRequest, "GET", "/inspect/stream?after=x", "")
}

// Whoever is far behind is told so instead of everything.
func TestStreamSkipsWhatIsFarBehind(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint(`{"listener":{"mode":"tcp","dedicated":true}}`)
	address, err := url.Parse(endpoint.Get("dedicated.url").String())
	if err != nil {
		t.Fatal(err)
	}
	conn := dialTCP(t, address, false)
	defer conn.Close()
	if _, err := fmt.Fprint(conn, strings.Repeat("x\n", 2500)); err != nil {
		t.Fatal(err)
	}
	d.deliveries(endpoint, 2500)
	first := until(t, d.listen("?after=0"), func(told) bool { return true })[0]
	if first.event != "lagged" || gjson.Get(first.data, "last").Int() != 2500 {
		t.Errorf("first comes %v", first)
	}
}

// The document describes every path and method that is served, and no other.
func TestOpenAPIDescribesEveryRoute(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	document := d.want(http.StatusOK, "GET", "/inspect/openapi.json", "")
	fill := strings.NewReplacer("{id}", "none", "{number}", "0")
	described := 0
	document.Get("paths").ForEach(func(path, item gjson.Result) bool {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
			if path.String() == "/inspect/stream" && method == "GET" {
				described++
				continue // has a test of its own, and does not end
			}
			response, _ := d.do(newClient(t, nil), d.request(method, d.receiver.InspectURL()+fill.Replace(path.String()), ""))
			served := response.StatusCode != http.StatusMethodNotAllowed
			if wanted := item.Get(strings.ToLower(method)).Exists(); served != wanted {
				t.Errorf("%s %s: served %v, described %v", method, path, served, wanted)
			} else if wanted {
				described++
			}
		}
		return true
	})
	if described < 24 {
		t.Errorf("only %d operations are described", described)
	}
	var lost []string
	var look func(any)
	look = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok && !document.Get(strings.ReplaceAll(strings.TrimPrefix(ref, "#/"), "/", ".")).Exists() {
				lost = append(lost, ref)
			}
			for _, inner := range v {
				look(inner)
			}
		case []any:
			for _, inner := range v {
				look(inner)
			}
		}
	}
	var parsed any
	if err := json.Unmarshal([]byte(document.Raw), &parsed); err != nil {
		t.Fatal(err)
	}
	look(parsed)
	if len(lost) > 0 {
		t.Errorf("these lead nowhere: %v", lost)
	}
}
