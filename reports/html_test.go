package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// scene is a stored transcript: two alike calls and a third, a delivery that is
// refused and then taken, and a call that nobody answers.
func scene(t testing.TB, body string) []byte {
	t.Helper()
	at := func(ms int) time.Time {
		return time.Date(2026, 11, 22, 9, 30, 0, ms*int(time.Millisecond), time.UTC)
	}
	call := func(ms int, path string, code int) map[string]any {
		return map[string]any{"at": at(ms), "exchange": map[string]any{
			"peer": "emitter", "end": at(ms + 4),
			"request":  map[string]any{"method": "POST", "path": path, "headers": map[string]any{"Authorization": []string{"[redacted 9 bytes 000000000000000000000000]"}}},
			"response": map[string]any{"status": code, "body": body},
		}}
	}
	deliver := func(ms, code int) map[string]any {
		return map[string]any{
			"seq": 1, "listener": "trusted", "method": "POST", "target": "/hooks/x", "complete": true, "firstByteAt": at(ms), "lastByteAt": at(ms),
			"body": `[{"id":"1"},{"id":"2"}]`, "answer": map[string]any{"action": "respond", "status": code, "at": at(ms + 2)},
		}
	}
	entries := []any{map[string]any{"at": at(0), "step": "50 subscriptions", "table": [][]string{{"limit", "1 event"}}}}
	for i := range 8 {
		entries = append(entries, call(10+i, "/v1/environments/1b6dc162-0000-4000-8000-000000000000/subscriptions", 201))
	}
	entries = append(entries,
		map[string]any{"at": at(40), "step": "it is refused"},
		map[string]any{"at": at(60), "watch": map[string]any{"endpoint": "receiver", "over": true, "deliveries": []any{deliver(30, 500), deliver(35, 200)}}},
		map[string]any{"at": at(70), "caused": map[string]any{"name": "Ada", "type": "USER.CREATED"}},
		map[string]any{"at": at(80), "exchange": map[string]any{"peer": "receiver", "end": at(90), "error": "connection refused", "request": map[string]any{"method": "GET", "path": "/inspect"}}},
	)
	text, err := json.Marshal(map[string]any{"schema": "https://hookproof.dev/schema/transcript-1.json", "entries": entries})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// illustrated is a run of every outcome in which the failure has a transcript.
func illustrated(t *testing.T, body string) (Results, fstest.MapFS) {
	t.Helper()
	r, folder := everything(), fstest.MapFS{}
	for i := range r.Rules {
		if rule := &r.Rules[i]; rule.ID == "RTY-013" { // words that no narrow window has room for
			rule.Statement += ", of `application/vnd.pingidentity.subscription.undelivered.events.of.seven.days+json` too"
			rule.Reason += " at https://emitter.example.com/v1/environments/1b6dc162-0000-4000-8000-000000000000/clock"
		}
	}
	for i := range r.Scenarios {
		if s := &r.Scenarios[i]; s.Outcome == Fail {
			text := scene(t, body)
			sum := sha256.Sum256(text)
			s.TranscriptSHA256 = hex.EncodeToString(sum[:])
			s.Failure.Step = "it is refused"
			folder[s.Transcript] = &fstest.MapFile{Data: text}
		}
	}
	return r, folder
}

func htmlOf(t *testing.T, r Results, folder fs.FS) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteHTML(&b, r, folder); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var tags = regexp.MustCompile(`<[^>]*>|\s+`)

// readableText is a page's text without markup.
func readableText(page string) string {
	return html.UnescapeString(strings.Join(strings.Fields(tags.ReplaceAllString(page, " ")), " "))
}

func TestThePageTellsTheWholeStory(t *testing.T) {
	t.Parallel()
	r, folder := illustrated(t, `{"status":"here"}`)
	text := readableText(htmlOf(t, r, folder))
	for _, want := range []string{
		"NON-CONFORMANT", "SUB-LIMIT-051", "An environment holds at most 50 subscriptions", "S2 Create a subscription",
		"LIMIT_EXCEEDED", "Cause the answer to the 51st POST was 201 and not 403", "hookproof run --scenario",
		"0.000 s 50 subscriptions limit 1 event", "POST /v1/…/1b6dc162…/subscriptions 201 Created · 4.0 ms", "7 more like this",
		"POST 2 events, 23 bytes 500 Internal Server Error · 2.0 ms", "✗ failed here: it is refused", "event «Ada» USER.CREATED",
		"no answer: connection refused", "the wait was over", `{ "status": "here" }`,
		"What begins with features/ is a file of hookproof's own source: hookproof explain with a scenario's id shows its text and the promises that it judges",
		"needs clock control", "RTY-013", "because of could-not-run", "Exit code 4",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// Who decides reads the top alone: a verdict is worth nothing without knowing
// of whom, when and of how much. What a pipeline reads stands at the end.
func TestTheTopSaysWhoWasJudgedAndWhatIsBrokenComesNext(t *testing.T) {
	t.Parallel()
	r, folder := illustrated(t, "{}")
	r.Selection = Selection{Profiles: []string{"core"}, Levels: []string{"MUST", "SHOULD"}, Shard: &Shard{Index: 1, Count: 2}}
	text := readableText(htmlOf(t, r, folder))
	_, top, _ := strings.Cut(text, "hookproof · PingOne webhooks conformance")
	top, rest, found := strings.Cut(top, "Rules by area What was not observed All rules The run ")
	if !found || !strings.HasPrefix(rest, "What is not in order ") {
		t.Errorf("what follows the navigation begins with %.60q", rest)
	}
	for _, want := range []string{
		"Target acme-emitter 3.2", "Address https://emitter.example.com/v1", "Date 2026-11-22 09:30 UTC", "Rules revision 2026-11",
		"Selected profile core; level MUST, SHOULD; shard 1 of 2",
	} {
		if !strings.Contains(top, want) {
			t.Errorf("the top does not say %q", want)
		}
	}
	if strings.Contains(strings.ToLower(top), "exit code") {
		t.Error("the top tells the exit code")
	}
	if t.Failed() {
		t.Log(top)
	}
}

// Where a receiver is tested, the suite sees no delivery itself: the reference
// emitter tells of its attempts.
func TestTheDiagramOfAReceiverShowsWhatTheEmitterTriedAndWhoWasAsked(t *testing.T) {
	t.Parallel()
	at := func(ms int) string {
		return time.Date(2026, 11, 22, 9, 30, 0, ms*int(time.Millisecond), time.UTC).Format(time.RFC3339Nano)
	}
	tried := fmt.Sprintf(`{"attempts":[
		{"seq":1,"at":%q,"end":%q,"contentType":"application/json","body":"[{\"id\":\"1\"}]","error":"x509: unknown authority"},
		{"seq":2,"at":%q,"end":%q,"contentType":"application/json","body":"[{\"id\":\"1\"}]","status":200}]}`, at(20), at(22), at(30), at(34))
	entry := func(ms int, peer, method, path, body string) map[string]any {
		return map[string]any{"at": at(ms), "exchange": map[string]any{"peer": peer, "end": at(ms + 1),
			"request": map[string]any{"method": method, "path": path}, "response": map[string]any{"status": 200, "body": body}}}
	}
	text, err := json.Marshal(map[string]any{"entries": []any{
		entry(0, "emitter", "POST", "/v1/environments", ""), entry(10, "control", "GET", "/control/subscriptions/s1/attempts?after=0&wait=1s", tried),
		entry(40, "hook", "HEAD", "hook", ""), entry(50, "read-back", "POST", "read-back", ""), entry(60, "receiver", "GET", "/inspect", ""), entry(70, "trigger", "POST", "trigger", ""),
	}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := parseEvidence(text)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range sequence(e, "") {
		got = append(got, fmt.Sprintf("%s %d→%d %s: %s %s", r.At, r.From, r.To, r.Text, r.Reply, r.Tone))
	}
	want := []string{
		"0.000 s 1→2 POST /v1/environments: 200 OK · 1.0 ms good",
		"0.010 s 1→2 GET /control/subscriptions/s1/attempts?after=0&wait=1s: 200 OK · 1.0 ms good",
		"0.020 s 2→3 POST 1 event, 12 bytes: no answer: x509: unknown authority bad",
		"0.030 s 2→3 POST 1 event, 12 bytes: 200 OK · 4.0 ms good",
		"0.040 s 1→3 HEAD hook: 200 OK · 1.0 ms good",
		"0.050 s 1→3 POST read-back: 200 OK · 1.0 ms good",
		"0.060 s 1→3 GET /inspect: 200 OK · 1.0 ms good",
		"0.070 s 1→2 POST trigger: 200 OK · 1.0 ms good",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the rows are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestThePageNeedsNothingElse(t *testing.T) {
	t.Parallel()
	r, folder := illustrated(t, "{}")
	page := htmlOf(t, r, folder)
	for _, found := range regexp.MustCompile(`(?:src|srcset|poster|data|action)="[^"]*"|<link[^>]*>|@import[^;]*|url\([^)]*\)|style="[^"]*"| on[a-z]+="[^"]*"`).FindAllString(page, -1) {
		t.Errorf("the page loads or runs %s", found)
	}
	for _, link := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if anchor, ok := strings.CutPrefix(link[1], "#"); ok && !strings.Contains(page, `id="`+anchor+`"`) {
			t.Errorf("the link %s leads nowhere", link[1])
		}
	}
	for what, text := range map[string]string{"script": pageJS, "style": pageCSS} {
		if !strings.Contains(page, text) || !strings.Contains(html.UnescapeString(page), digest(text)) {
			t.Errorf("the policy does not name the %s as it stands in the page", what)
		}
	}
}

func TestThePageShowsNoEvidenceThatWasChanged(t *testing.T) {
	t.Parallel()
	r, folder := illustrated(t, `{"kept":"as it was"}`)
	for name, file := range folder {
		file.Data = bytes.Replace(file.Data, []byte("as it was"), []byte("otherwise"), 1)
		if text := readableText(htmlOf(t, r, folder)); !strings.Contains(text, name+" was changed since the run") || strings.Contains(text, "otherwise") {
			t.Error("changed evidence is shown")
		}
	}
	if text := readableText(htmlOf(t, r, fstest.MapFS{})); !strings.Contains(text, "open the transcript") {
		t.Error("a missing transcript is not told")
	}
}

func TestALongBodyIsCutAndItsLengthSaid(t *testing.T) {
	t.Parallel()
	r, folder := illustrated(t, strings.Repeat("long ", 40_000))
	page := htmlOf(t, r, folder)
	if !strings.Contains(page, "cut here; the whole body has 200.0 kB") || len(page) > 400<<10 {
		t.Errorf("the page has %d bytes", len(page))
	}
}

func TestThePageOfManyFailuresStaysSmallAndFast(t *testing.T) {
	t.Parallel()
	ids := make([]string, 600)
	for i := range ids {
		ids[i] = fmt.Sprintf("s%03d", i)
	}
	r, folder := planned(ids...), fstest.MapFS{}
	text := scene(t, strings.Repeat("body ", 2000))
	sum := sha256.Sum256(text)
	for i := range r.Scenarios {
		s := ended(r.Scenarios[i], Fail)
		s.Transcript, s.TranscriptSHA256 = "transcripts/"+s.ID+".json", hex.EncodeToString(sum[:])
		s.Rules = r.Scenarios[0].Rules
		r.Scenarios[i] = s
		folder[s.Transcript] = &fstest.MapFile{Data: text}
	}
	r.Rules = r.Rules[:1]
	page := htmlOf(t, r.Derive(), folder)
	if len(page) > 10<<20 || !strings.Contains(page, "590 scenarios more") || !strings.Contains(page, "left out, to keep this page small") {
		t.Errorf("the page has %d bytes", len(page))
	}
}

func TestEventsOfABodyAreCounted(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		"": 0, "[]": 0, `[{"a":1},{"b":2}]`: 2, "{}": 1, "{\"a\":1}\n{\"a\":2}\n": 2, "{\"a\":1}\nno": 0, "{\n \"a\": 1\n}": 1, "<14>1 - -": 0,
	} {
		if got := events([]byte(body)); got != want {
			t.Errorf("%q has %d events, want %d", body, got, want)
		}
	}
}

func TestTheMiddleOfALongDiagramIsLeftOut(t *testing.T) {
	t.Parallel()
	rows := bounded(make([]seqRow, 1000))
	if len(rows) != maxRows+1 || rows[maxRows/2].Kind != "gap" || !strings.Contains(rows[maxRows/2].Text, "700 rows") {
		t.Errorf("%d rows, %+v", len(rows), rows[maxRows/2])
	}
}

func TestCodeInAStatementIsShownAsCodeAndNothingElse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"carry `id` and `_links.<x>`": "carry <code>id</code> and <code>_links.&lt;x&gt;</code>",
		"a lone ` <b>":                "a lone ` &lt;b&gt;",
		"none":                        "none",
	} {
		if got := string(prose(text)); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
