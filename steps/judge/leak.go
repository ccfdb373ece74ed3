package judge

import (
	"bytes"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// The judges of this file look for where an event came from in the text of
// bodies whose records are not documented, those of formats other than
// ACTIVITY and those over TCP.

// BodiesHideAddress fails if the event's IP address stands in a body at the
// endpoint. Rule EVT-012.
func BodiesHideAddress(t *transcript.Transcript, endpoint string, from Origin) Outcome {
	if from.Address == "" {
		return unrecorded("the IP address of an event")
	}
	return bodiesHide(t, endpoint, "the IP address "+from.Address, from.Address)
}

// BodiesHideUserAgent fails if the product of the event's user agent stands in
// a body at the endpoint, in any case. Rule EVT-013.
func BodiesHideUserAgent(t *transcript.Transcript, endpoint string, from Origin) Outcome {
	product := productOf(from.UserAgent)
	if product == "" {
		return unrecorded("the user agent of an event")
	}
	return bodiesHide(t, endpoint, "the user agent "+product, product)
}

func bodiesHide(t *transcript.Transcript, endpoint, what, text string) Outcome {
	for _, d := range t.Deliveries(endpoint) {
		if at, found := indexWord(d.Body, text); found {
			return Fail("nothing of %s in what comes to receiver %q", what, endpoint).Got("%s", cut(d.Body[max(0, at-40):]))
		}
	}
	return Pass
}

// RecordShowsAddress fails unless the event in the record has the IP address
// in its source. It says nothing, and false, of a record without an event.
// Rule EVT-015.
func RecordShowsAddress(t *transcript.Transcript, endpoint string, c transcript.Caused) (Outcome, bool) {
	record, found := recordOf(t, endpoint, c)
	records := []gjson.Result{record}
	if unwrap(records); !found || !records[0].Get("action").IsObject() {
		return Pass, false
	}
	return ShowsAddress(records[0], OriginOf(t, c)), true
}

// productOf is what a user agent begins with, in lower case: it has no
// character that another format would escape.
func productOf(agent string) string {
	product, _, _ := strings.Cut(strings.ToLower(agent), "/")
	return product
}

// indexWord is where the text stands in the body, in any case, and not as a
// part of a longer number or address; and whether it does.
func indexWord(body []byte, text string) (int, bool) {
	lower, word := bytes.ToLower(body), strings.ToLower(text)
	for from := 0; ; {
		at := bytes.Index(lower[from:], []byte(word))
		if at < 0 {
			return 0, false
		}
		at += from
		if !inNumber(lower, at-1) && !inNumber(lower, at+len(word)) {
			return at, true
		}
		from = at + 1
	}
}

// inNumber tells whether there is a digit.
func inNumber(body []byte, at int) bool {
	return at >= 0 && at < len(body) && body[at] >= '0' && body[at] <= '9'
}

// hidingInText is hidingAddress and hidingAgent for bodies whose records are
// not documented: what was made known to the target of where an event came
// from is looked for in the whole text. (EVT-012, EVT-013)
func (o *observed) hidingInText(c configuration, d arrived) *Broken {
	if !d.Complete || d.Truncated || c.ofActivities() {
		return nil
	}
	ip, agent := c.body.Get("filterOptions.ipAddressExposed").Bool(), c.body.Get("filterOptions.userAgentExposed").Bool()
	if ip && agent {
		return nil
	}
	var present []transcript.Caused
	body := dataOf(d.Delivery)
	for _, caused := range o.t.Caused() {
		if body.has(caused) {
			present = append(present, caused)
		}
	}
	said := map[string]bool{}
	for _, caused := range present {
		var from Origin
		if posted, ok := o.posted[caused.EventID]; ok {
			from = Origin{posted.Get("source.ipAddress").String(), posted.Get("source.userAgent").String()}
		} else {
			from = o.origin(causeKey(caused))
		}
		for _, secret := range []struct {
			text, what, rule string
			exposed          bool
		}{
			{from.Address, "the IP address", "EVT-012", ip},
			{from.UserAgent, "the user agent", "EVT-013", agent},
		} {
			if secret.exposed || secret.text == "" || said[secret.text] {
				continue
			}
			said[secret.text] = true
			if at, found := indexWord(d.Body, secret.text); found && !o.besides(present, secret.text) {
				return broken(Fail("nothing of %s %q", secret.what, secret.text).Got("%s", cut(d.Body[max(0, at-40):])), secret.rule)
			}
		}
	}
	return nil
}

// besides tells whether the text stands in a posted event outside its source:
// it is no secret then.
func (o *observed) besides(events []transcript.Caused, text string) bool {
	return slices.ContainsFunc(events, func(c transcript.Caused) bool { return elsewhere(o.posted[c.EventID], text) })
}
