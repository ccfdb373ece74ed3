package subscription

import (
	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/limits"
)

// Rules is what a request must satisfy: numbers and named checks, run in order. Another set of rules is made by
// changing a copy of Default.
type Rules struct {
	MaxIDs  int   // ids in one filter
	Events  Range // size of EVENTS_PER_PAYLOAD
	KB      Range // size of KB_PER_PAYLOAD
	Formats []string
	Checks  []Check
}

// A Range is inclusive at both ends.
type Range struct{ Min, Max int }

// A Check looks at one promise about a request and reports what breaks it to the draft's body.
type Check struct {
	Name string
	Run  func(Rules, Draft)
}

// A Draft is a subscription as read, together with the body it was read from.
type Draft struct {
	Subscription
	Body body.Object
}

// Default is the documented set of rules.
func Default() Rules {
	return Rules{
		MaxIDs:  limits.IDsPerFilter,
		Events:  Range{Min: limits.SizePerPayload, Max: limits.EventsPerPayload},
		KB:      Range{Min: limits.SizePerPayload, Max: limits.KBPerPayload},
		Formats: []string{Activity, Splunk, NewRelic},
		Checks: []Check{
			{"name-required", nameRequired},
			{"name-not-empty", nameNotEmpty},
			{"enabled-required", required("enabled")},
			{"verify-required", required("verifyTlsCertificates")},
			{"types-required", typesRequired},
			{"types-not-empty", typesNotEmpty},
			{"protocol-known", protocolKnown},
			{"format-known", formatKnown},
			{"tags-known", tagsKnown},
			{"ids-limited", idsLimited},
			{"endpoint-required", endpointRequired},
			{"https-url", httpsURL},
			{"url-form", urlForm},
			{"url-ipv4", urlIPv4},
			{"headers-sendable", headersSendable},
			{"connection-details-agree", connectionDetailsAgree},
			{"tcp-members", tcpMembers},
			{"https-members", httpsMembers},
			{"limit-type-known", limitTypeKnown},
			{"limit-size-range", limitSizeRange},
			{"payload-formats-known", payloadFormatsKnown},
			{"pretty-print-array", prettyPrintArray},
			{"attributes-logline", attributesLogline},
			{"key-id-required", keyIDRequired},
			{"key-needs-verification", keyNeedsVerification},
		},
	}
}

// Without returns the rules without the named checks.
func (r Rules) Without(names ...string) Rules {
	drop := map[string]bool{}
	for _, name := range names {
		drop[name] = true
	}
	kept := make([]Check, 0, len(r.Checks))
	for _, check := range r.Checks {
		if !drop[check.Name] {
			kept = append(kept, check)
		}
	}
	r.Checks = kept
	return r
}

func (r Rules) sizes(limitType string) Range {
	if limitType == KBPerPayload {
		return r.KB
	}
	return r.Events
}
