package emitter_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter"
)

func TestTheControlAPITellsWhatWasTriedAndWhatCameOfIt(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{KeepAttempts: 1 << 20})
	c = c.environment("attempts")
	r := receive(t, func(n int) int {
		if n == 1 {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	})
	id := c.subscribe(r.URL, nil)
	c.inject("USER.CREATED", 1, 2)
	path := c.control + "/control/subscriptions/" + id + "/attempts"
	statuses, after := "", "0"
	for statuses != "[503][200]" {
		code, body := c.do(http.MethodGet, path+"?wait=10s&after="+after, "", "")
		found := gjson.Get(body, "attempts")
		if code != http.StatusOK || found.Get("#").Int() == 0 {
			t.Fatalf("after %s: status %d: %s", statuses, code, body)
		}
		for _, a := range found.Array() {
			statuses += "[" + a.Get("status").Raw + "]"
			after = a.Get("seq").Raw
			if gjson.Get(a.Get("body").Str, "#").Int() != 2 || a.Get("events").Int() != 2 {
				t.Errorf("the attempt has the body %s", a.Get("body").Str)
			}
		}
	}
	for query, want := range map[string]int{"?after=-1": 400, "?wait=soon": 400, "?wait=31s": 400, "?after=2": 200} {
		if code, body := c.do(http.MethodGet, path+query, "", ""); code != want {
			t.Errorf("%s is answered %d: %s", query, code, body)
		}
	}
}

func TestWithoutKeptAttemptsThereIsNothingToTell(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{})
	if code, _ := c.do(http.MethodGet, c.control+"/control/subscriptions/x/attempts", "", ""); code != http.StatusNotFound {
		t.Errorf("status %d", code)
	}
}

func TestLongAttemptsAreToldAFewAtATime(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{KeepAttempts: 64 << 20})
	c = c.environment("attempts")
	const attempts = 5
	refused := make(chan struct{})
	r := receive(t, func(n int) int {
		if n == attempts {
			close(refused)
		}
		return http.StatusServiceUnavailable
	})
	id := c.subscribe(r.URL, nil)
	event := `{"action":{"type":"USER.CREATED"},"result":{"status":"SUCCESS","description":"` + strings.Repeat("x", 900_000) + `"},"resources":[]}`
	if code, body := c.do(http.MethodPost, c.control+"/control/environments/"+c.env+"/events", "application/x-ndjson", event); code != http.StatusAccepted {
		t.Fatalf("status %d: %s", code, body)
	}
	<-refused
	path := c.control + "/control/subscriptions/" + id + "/attempts?wait=10s&after="
	for after := range attempts {
		_, body := c.do(http.MethodGet, path+strconv.Itoa(after), "", "")
		if seqs := gjson.Get(body, "attempts.#.seq"); seqs.Raw != "["+strconv.Itoa(after+1)+"]" {
			t.Errorf("after %d come attempts %s", after, seqs.Raw)
		}
	}
}
