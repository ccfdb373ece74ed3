package compose_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"
)

// Of compose.yaml.
const (
	environment  = "7f9f3a52-6f0e-4a52-9d3b-0d6f1f0f0001"
	clientID     = "desk"
	clientSecret = "a-secret-for-my-desk"
	controlToken = "local-control"
	inspectToken = "local-inspection"
)

const (
	subscriptions = 12
	perPost       = 50
	perPayload    = 40

	// patience is how long a test waits for what must happen.
	patience = 90 * time.Second
	// takenOverWithin is promised of an emitter's death.
	takenOverWithin = 10 * time.Second
	// electedWithin is how long NATS servers take to elect another leader of what
	// a dead one led; until then nothing can be claimed.
	electedWithin = 10 * time.Second
)

// call makes a request; status 0 is one that was not answered.
func call(method, target, token, contentType, body string) (status int, answer string) {
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	req.Header.Set("Authorization", token)
	req.Header.Set("Content-Type", contentType)
	client := http.Client{Timeout: 15 * time.Second}
	response, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

// eventually waits until the condition holds; there is nothing to be told by.
func eventually(t *testing.T, what string, holds func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	deadline := time.After(patience)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
	return time.Since(began)
}

// load posts numbered events, in order, each batch until an emitter accepts it.
type load struct {
	t        *testing.T
	controls []string
	next     int
	refused  int // batches that may be stored although they were not accepted
}

func (l *load) post(batches int) {
	l.t.Helper()
	for range batches {
		var lines bytes.Buffer
		for i := range perPost {
			fmt.Fprintf(&lines, `{"action":{"type":"USER.CREATED"},"result":{"status":"SUCCESS","id":"%d"},"resources":[]}`+"\n", l.next+i)
		}
		eventually(l.t, fmt.Sprintf("events from %d on are accepted", l.next), func() bool {
			control := l.controls[0]
			l.controls = append(l.controls[1:], control)
			status, _ := call(http.MethodPost, control+"/control/environments/"+environment+"/events",
				"Bearer "+controlToken, "application/x-ndjson", lines.String())
			if status != http.StatusAccepted {
				l.refused++
			}
			return status == http.StatusAccepted
		})
		l.next += perPost
	}
}

// endpoint is one subscriber at the receiver.
type endpoint struct {
	t       *testing.T
	inspect string
	id      string
	after   int64
	order   []int // of first delivery
	seen    map[int]bool
	twice   int
}

// read takes in what was delivered and accepted since the last time.
func (e *endpoint) read() {
	e.t.Helper()
	token := "Bearer " + inspectToken
	for {
		status, list := call(http.MethodGet, fmt.Sprintf("%s/inspect/endpoints/%s/deliveries?after=%d", e.inspect, e.id, e.after), token, "", "")
		if status != http.StatusOK {
			e.t.Fatalf("the receiver answers %d: %s", status, list)
		}
		deliveries := gjson.Get(list, "deliveries").Array()
		for _, d := range deliveries {
			e.after = max(e.after, d.Get("seq").Int())
			body, err := base64.StdEncoding.DecodeString(d.Get("body").String())
			if err != nil {
				e.t.Fatal(err)
			}
			for _, event := range gjson.ParseBytes(body).Array() {
				n := int(event.Get("result.id").Int())
				if e.seen[n] {
					e.twice++
					continue
				}
				e.seen[n] = true
				e.order = append(e.order, n)
			}
		}
		if len(deliveries) == 0 {
			return
		}
	}
}

// lags are those of the subscriptions that an emitter works, in seconds.
func lags(api string) []string {
	_, metrics := call(http.MethodGet, api+"/metrics", "", "", "")
	var all []string
	for _, found := range lag.FindAllStringSubmatch(metrics, -1) {
		all = append(all, found[1])
	}
	return all
}

var lag = regexp.MustCompile(`(?m)^hookproof_emitter_subscription_lag_seconds{.*} (\S+)$`)

// subscribe makes the receiver's endpoints and a subscription to each.
func subscribe(t *testing.T, api, inspect string) []*endpoint {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(clientID+":"+clientSecret))
	status, answer := call(http.MethodPost, api+"/"+environment+"/as/token", basic, "application/x-www-form-urlencoded", form.Encode())
	if status != http.StatusOK {
		t.Fatalf("token: %d %s", status, answer)
	}
	token := "Bearer " + gjson.Get(answer, "access_token").String()
	var all []*endpoint
	for i := range subscriptions {
		status, made := call(http.MethodPost, inspect+"/inspect/endpoints", "Bearer "+inspectToken, "application/json", fmt.Sprintf(`{"name":"e%d"}`, i))
		if status != http.StatusCreated {
			t.Fatalf("endpoint: %d %s", status, made)
		}
		status, answer = call(http.MethodPost, api+"/v1/environments/"+environment+"/subscriptions", token, "application/json", fmt.Sprintf(
			`{"name":"s%d","enabled":true,"verifyTlsCertificates":false,"format":"ACTIVITY","httpEndpoint":{"url":%q},
			"filterOptions":{"includedActionTypes":["USER.CREATED"]},
			"payloadOptions":{"maximumPayloadLimit":{"type":"EVENTS_PER_PAYLOAD","size":%d}}}`,
			i, gjson.Get(made, "urls.trusted").String(), perPayload))
		if status != http.StatusCreated {
			t.Fatalf("subscription: %d %s", status, answer)
		}
		all = append(all, &endpoint{t: t, inspect: inspect, id: gjson.Get(made, "id").String(), seen: map[int]bool{}})
	}
	return all
}

func TestADeadEmitterAndACutOffServerLoseNothing(t *testing.T) {
	s := up(t)
	emitters := []string{"emitter-1", "emitter-2", "emitter-3"}
	l := &load{t: t}
	controls, apis := map[string]string{}, map[string]string{}
	for _, e := range emitters {
		api := s.url(e, "8080")
		apis[e] = api
		took := eventually(t, e+" is ready", func() bool {
			status, _ := call(http.MethodGet, api+"/readyz", "", "", "")
			return status == http.StatusOK
		})
		t.Logf("%s is ready after %v", e, took)
		controls[e] = s.url(e, "8081")
		l.controls = append(l.controls, controls[e])
	}
	endpoints := subscribe(t, s.url("emitter-1", "8080"), s.url("receiver", "8089"))
	drained := func(when string) time.Duration {
		t.Helper()
		return eventually(t, fmt.Sprintf("everything has arrived %s", when), func() bool {
			return !slices.ContainsFunc(endpoints, func(e *endpoint) bool { e.read(); return len(e.order) < l.next })
		})
	}
	l.post(40)
	t.Logf("drained in %v with three emitters", drained("from three emitters"))

	// dies kills the busiest emitter, with what is to die at the same moment.
	dies := func(within time.Duration, too ...func()) {
		t.Helper()
		victim := s.busiest(emitters)
		l.post(10)
		s.kill(victim)
		died := time.Now()
		for _, die := range too {
			die()
		}
		delete(apis, victim)
		emitters = slices.DeleteFunc(emitters, func(e string) bool { return e == victim })
		l.controls = slices.DeleteFunc(l.controls, func(c string) bool { return c == controls[victim] })
		l.post(20)
		t.Logf("drained in %v, %d posts refused", drained("after "+victim+" was killed"), l.refused)
		took := s.allWorked(emitters, died)
		if t.Logf("what %s worked was taken over after %v", victim, took); took > within {
			t.Errorf("that is later than %v", within)
		}
	}
	dies(takenOverWithin)
	dies(takenOverWithin+electedWithin, func() { s.cutOff("nats-1") })
	l.post(20)
	drained("without a NATS server")
	eventually(t, "the emitters that live have subscriptions and no lag", func() bool {
		worked := 0
		for _, api := range apis {
			waiting := lags(api)
			worked += len(waiting)
			if slices.ContainsFunc(waiting, func(lag string) bool { return lag != "0" }) {
				return false
			}
		}
		return worked == subscriptions
	})
	for i, e := range endpoints {
		if !slices.IsSorted(e.order) {
			t.Errorf("receiver %d: first deliveries are out of order", i)
		}
		// Of each of the two incidents a payload may be under way, and what was
		// refused may have been stored all the same.
		if most := 2*perPayload + l.refused*perPost; e.twice > most {
			t.Errorf("receiver %d: %d events came twice, more than the %d that were not acknowledged", i, e.twice, most)
		}
	}
}
