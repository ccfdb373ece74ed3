package steps

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets"
)

// service is a request by which a capability is used.
type service struct {
	claim        targets.Capability
	peer, method string
	path         *regexp.Regexp
}

func services() []service {
	path := regexp.MustCompile
	return []service{
		{targets.Environments, driver.Emitter, http.MethodPost, path(`^/v1/environments$`)},
		{targets.Certificates, driver.Emitter, http.MethodPost, path(`^/v1/environments/[^/]+/(certificates|keys)$`)},
		{targets.Activities, driver.Emitter, http.MethodGet, path(`^/v1/environments/[^/]+/activities(\?|$)`)},
		{targets.ConnectionTest, driver.Emitter, http.MethodPost, path(`^/v1/environments/[^/]+/subscriptions/[^/]+$`)},
		{targets.PostEvents, driver.Control, http.MethodPost, path(`^/control/environments/[^/]+/events$`)},
		{targets.PostEvents, driver.Trigger, http.MethodPost, path(`^$`)},
		{targets.ClockControl, driver.Control, http.MethodPost, path(`^/control/clock$`)},
	}
}

// unserved tells which capability the target claims and does not serve, and
// what shows it, where the last request of a scenario that did not pass is one by
// which the capability is used.
func unserved(t *transcript.Transcript) (claim, actual string) {
	last := lastExchange(t)
	if last == nil || last.Response == nil {
		return "", ""
	}
	request, status := last.Request, last.Response.Status
	actual = fmt.Sprintf("%s %s is answered %d", request.Method, request.Path, status)
	missing := status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented
	for _, s := range services() {
		if missing && s.peer == last.Peer && s.method == request.Method && slices.Contains(t.Claims, string(s.claim)) && s.path.MatchString(request.Path) {
			return string(s.claim), actual
		}
	}
	refused := status/100 == 4 && request.Method == http.MethodPost && gjson.GetBytes(request.Body, "protocol").Str == "TCP_IP"
	if refused && slices.Contains(t.Claims, string(targets.TCPIP)) {
		return string(targets.TCPIP), actual
	}
	return "", ""
}

// lastExchange is the last with the target that a step has made.
func lastExchange(t *transcript.Transcript) *transcript.Exchange {
	entries := t.Entries
	if end := slices.IndexFunc(entries, func(e transcript.Entry) bool { return e.Step == afterwardsStep }); end >= 0 {
		entries = entries[:end]
	}
	for _, e := range slices.Backward(entries) {
		if e.Exchange != nil && e.Exchange.Peer != driver.Receiver {
			return e.Exchange
		}
	}
	return nil
}
