package behaviour_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
)

func TestParseReadsEveryMember(t *testing.T) {
	t.Parallel()
	got, err := behaviour.Parse([]byte(`{"steps":[
		{"delay":"150ms","status":503,"headers":{"Retry-After":"1"},"body":"busy","contentType":"text/html"},
		{"reset":true},{"hang":true},{}],"then":{"status":202}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := behaviour.Behaviour{
		Steps: []behaviour.Action{
			{Delay: behaviour.Duration(150 * time.Millisecond), Status: 503, Headers: map[string]string{"Retry-After": "1"}, Body: "busy", ContentType: "text/html"},
			{Reset: true}, {Hang: true}, {},
		},
		Then: behaviour.Action{Status: 202},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	codes := []int{503, 0, 0, 200}
	for i, action := range got.Steps {
		if action.Code() != codes[i] {
			t.Errorf("step %d answers %d, want %d", i, action.Code(), codes[i])
		}
	}
}

func TestParseErrorsNameTheMember(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]string{
		``:                                     "not JSON",
		`{`:                                    "not JSON",
		`[]`:                                   "must be an object",
		`null`:                                 "must be an object",
		`{} {}`:                                "more than one",
		`{"step":[]}`:                          "step: unknown member",
		`{"steps":{}}`:                         "steps: must be an array",
		`{"steps":null}`:                       "steps: must be an array",
		`{"steps":[{},3]}`:                     "steps[1]: must be an object",
		`{"steps":[{"delay":3}]}`:              "steps[0].delay: must be a duration",
		`{"steps":[{"delay":"soon"}]}`:         "steps[0].delay: must be a duration",
		`{"steps":[{"delay":"-1s"}]}`:          "steps[0].delay: -1s is out of range",
		`{"steps":[{"delay":"61m"}]}`:          "steps[0].delay: 1h1m0s is out of range",
		`{"then":null}`:                        "then: must be an object",
		`{"then":{"status":"200"}}`:            "then.status: must be an integer",
		`{"then":{"status":2.5}}`:              "then.status: must be an integer",
		`{"then":{"status":null}}`:             "then.status: must be an integer",
		`{"then":{"status":100}}`:              "then.status: 100 is not",
		`{"then":{"status":600}}`:              "then.status: 600 is not",
		`{"then":{"stauts":200}}`:              "then.stauts: unknown member",
		`{"then":{"headers":{"a":1}}}`:         "then.headers: must be an object of strings",
		`{"then":{"headers":{"a b":"1"}}}`:     `then.headers["a b"]: not a header name`,
		`{"then":{"headers":{"":"1"}}}`:        `then.headers[""]: not a header name`,
		`{"then":{"headers":{"a":"1\r\nb:"}}}`: `then.headers["a"]: a header value`,
		`{"then":{"headers":{"content-length":"1"}}}`:                                        `then.headers["content-length"]: frames`,
		`{"then":{"body":7}}`:                                                                "then.body: must be a string",
		`{"then":{"status":204,"body":"x"}}`:                                                 "then.body: status 204 has no body",
		`{"then":{"contentType":""}}`:                                                        "then.contentType: must not be empty",
		`{"then":{"contentType":"a\nb"}}`:                                                    "then.contentType: a header value",
		`{"then":{"reset":"yes"}}`:                                                           "then.reset: must be a boolean",
		`{"then":{"reset":true,"hang":true}}`:                                                "then.hang: cannot be combined with reset",
		`{"then":{"reset":true,"status":200}}`:                                               "then.status: cannot be combined with reset",
		`{"then":{"hang":true,"delay":"1s"}}`:                                                "then.delay: cannot be combined with hang",
		`{"then":{"body":"` + strings.Repeat("x", behaviour.MaxBodyBytes+1) + `"}}`:          "then.body: 1048577 bytes are too many",
		`{"steps":[` + strings.Repeat("{},", behaviour.MaxSteps) + `{}]}`:                    "steps: 10001 are too many",
		`{"then":{"headers":{"a":"` + strings.Repeat("x", behaviour.MaxHeaderBytes) + `"}}}`: `then.headers["a"]: name and value`,
	} {
		_, err := behaviour.Parse([]byte(input))
		if err == nil || !strings.HasPrefix(err.Error(), want) && !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: got %v, want %q", input, err, want)
		}
	}
	headers := map[string]string{}
	for i := range behaviour.MaxHeaders + 1 {
		headers[fmt.Sprintf("X-%d", i)] = ""
	}
	input, err := json.Marshal(map[string]any{"then": map[string]any{"headers": headers}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := behaviour.Parse(input); err == nil || !strings.HasPrefix(err.Error(), "then.headers: 65 are too many") {
		t.Errorf("65 headers: got %v", err)
	}
}

func TestScriptTakesStepsInOrderAndThenTheRest(t *testing.T) {
	t.Parallel()
	script := behaviour.NewScript(behaviour.Behaviour{
		Steps: []behaviour.Action{{Status: 500}, {Reset: true}},
		Then:  behaviour.Action{Status: 202},
	})
	for i, want := range []behaviour.Action{{Status: 500}, {Reset: true}, {Status: 202}, {Status: 202}} {
		if diff := cmp.Diff(want, script.Next(behaviour.Look{})); diff != "" {
			t.Errorf("request %d: %s", i+1, diff)
		}
	}
	select {
	case <-script.Retired():
		t.Error("retired before it was")
	default:
	}
	script.Retire()
	script.Retire()
	<-script.Retired()
}

// What Parse accepts is within the bounds and survives being written and read
// again: nothing is taken for something else.
func FuzzParse(f *testing.F) {
	f.Add(`{}`)
	f.Add(`{"steps":[{"delay":"150ms","status":503,"headers":{"Retry-After":"1"},"body":"b","contentType":"text/plain"}],"then":{"reset":true}}`)
	f.Add(`{"steps":[{"hang":true},{"reset":false,"status":204}]}`)
	f.Add(`{"then":{"headers":{"a":null}}}`)
	f.Add(`{"steps":null}`)
	f.Add(`"flaky"`)
	f.Add(`{"seed":-1,"rules":[{"when":{"attempt":{"from":1,"to":2},"largerThan":0,"unlessHeader":{"a":"b"},"method":"GET","bodyContains":"x","overRate":{"requests":1,"per":"1s"},"chance":0.5},"do":{"redirect":"/x"}}]}`)
	f.Add(`{"then":{"delay":"1ms","delayMax":"1s","retryAfter":"2s","bodyBytes":9,"drip":{"bytes":1,"every":"1s"},"cutAfter":8}}`)
	f.Fuzz(func(t *testing.T, input string) {
		b, err := behaviour.Parse([]byte(input))
		if err != nil {
			return
		}
		for _, action := range append(b.Steps, b.Then) {
			code := action.Code()
			if silent := action.Reset || action.Hang; silent != (code == 0) || code != 0 && (code < 200 || code > 599) {
				t.Fatalf("action %+v answers %d", action, code)
			}
			if action.Delay < 0 || time.Duration(action.Delay) > behaviour.MaxDelay {
				t.Fatalf("delay %v", action.Delay)
			}
		}
		written, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		again, err := behaviour.Parse(written)
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		rewritten, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if string(written) != string(rewritten) {
			t.Fatalf("%s became %s", written, rewritten)
		}
	})
}
