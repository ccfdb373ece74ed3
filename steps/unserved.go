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
// which the capability is used. Used tells that the scenario needed its success,
// and not that its status is what the scenario is about.
func unserved(t *transcript.Transcript, used bool) (claim, actual string) {
	last := lastExchange(t)
	if last == nil || last.Response == nil {
		return "", ""
	}
	missing := isMissing(last.Response.Status) || used && isDenied(last.Response)
	actual = fmt.Sprintf("%s %s is answered %d", last.Request.Method, last.Request.Path, last.Response.Status)
	claim = capabilityOf(t, last)
	// A subscription is made by the same request over HTTPS, which is served.
	refused := last.Response.Status/100 == 4 && claim == string(targets.TCPIP)
	if missing && claim != "" || refused {
		return claim, actual
	}
	return "", ""
}

// isMissing tells whether a status says that there is nothing of the kind.
func isMissing(status int) bool {
	return status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented
}

// isDenied tells whether a request with the suite's own credentials is refused
// for good: it is forbidden, or the target fails, and does not say that it is
// busy and when to come again.
func isDenied(r *transcript.Response) bool {
	busy := r.Status == http.StatusServiceUnavailable && len(r.Headers["Retry-After"]) > 0
	return r.Status == http.StatusForbidden || r.Status/100 == 5 && !busy
}

// capabilityOf is the capability that a request uses, of those that the target
// claims; empty if it uses none.
func capabilityOf(t *transcript.Transcript, x *transcript.Exchange) string {
	claimed := func(c targets.Capability) bool { return slices.Contains(t.Claims, string(c)) }
	for _, s := range services() {
		if s.peer == x.Peer && s.method == x.Request.Method && claimed(s.claim) && s.path.MatchString(x.Request.Path) {
			return string(s.claim)
		}
	}
	if claimed(targets.TCPIP) && x.Request.Method == http.MethodPost && gjson.GetBytes(x.Request.Body, "protocol").Str == "TCP_IP" {
		return string(targets.TCPIP)
	}
	return ""
}

// faulted tells whether the last request is one by which a claimed capability is
// used, and the target has failed at it: it may have died.
func faulted(t *transcript.Transcript) bool {
	last := lastExchange(t)
	return last != nil && last.Response != nil && last.Response.Status/100 == 5 && capabilityOf(t, last) != ""
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
