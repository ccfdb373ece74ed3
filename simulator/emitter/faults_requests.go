package emitter

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// requestFaults are those of what a request for a subscription must and may
// hold, and of how its members come back.
func requestFaults() []Fault {
	return []Fault{
		{"types-optional", "A subscription without action types is accepted.", []string{"SUB-REQ-002"}, without("types-required")},
		{"url-optional", "An HTTPS subscription without URL is accepted.", []string{"SUB-REQ-004"}, without("endpoint-required")},
		{"enabled-optional", "A subscription without enabled is accepted.", []string{"SUB-REQ-005"}, without("enabled-required")},
		{"verification-optional", "A subscription without verifyTlsCertificates is accepted.", []string{"SUB-REQ-006"}, without("verify-required")},
		{"headers-required", "A subscription without headers is refused.", []string{"SUB-REQ-007"},
			refused("httpEndpoint.headers", func(d subscription.Draft) bool { return d.Protocol == subscription.HTTPS && d.Headers == nil })},
		{"format-required", "A subscription without format is refused.", []string{"SUB-REQ-008"},
			refused("format", func(d subscription.Draft) bool { return d.Protocol == subscription.HTTPS && d.Format == "" })},
		{"format-invented", "A subscription without format is shown with one.", []string{"SUB-REQ-008"},
			represented(func(r *subscription.Representation) {
				if r.Protocol == subscription.HTTPS && r.Format == "" {
					r.Format = subscription.Activity
				}
			})},
		{"splunk-refused", "The format SPLUNK is refused.", []string{"SUB-CRUD-013"},
			refused("format", func(d subscription.Draft) bool { return d.Format == subscription.Splunk })},
		{"url-unchecked", "What is no URL is accepted as one.", []string{"SUB-REQ-011"},
			func(p *Pieces) {
				p.Directory.Rules = p.Directory.Rules.Without("url-form", "url-ipv4", "https-url", "endpoint-required")
			}},
		{"ports-refused", "A URL with a port is refused.", []string{"SUB-REQ-013"},
			refused("httpEndpoint.url", func(d subscription.Draft) bool {
				_, rest, _ := strings.Cut(d.URL, "://")
				host, _, _ := strings.Cut(rest, "/")
				return strings.Contains(host, ":")
			})},
		{"port-dropped", "Deliveries go to port 443 whatever the URL says.", []string{"SUB-REQ-013"},
			prepared(func(r *http.Request) { r.URL.Host = r.URL.Hostname() })},
		{"name-empty-accepted", "An empty name is accepted.", []string{"SUB-REQ-014"}, without("name-not-empty")},
		{"tags-unchecked", "An unknown tag is accepted.", []string{"SUB-REQ-015"}, without("tags-known")},
		{"tags-refused", "The tag adminIdentityEvent is refused.", []string{"SUB-REQ-016"},
			refused("filterOptions.includedTags", func(d subscription.Draft) bool { return len(d.Tags) > 0 })},
		{"tags-not-shown", "The tags of a subscription are not shown.", []string{"SUB-REQ-016"},
			represented(func(r *subscription.Representation) { r.FilterOptions.Tags = nil })},
		{"ip-opt-in-not-shown", "ipAddressExposed is always shown as false.", []string{"SUB-REQ-017"},
			represented(func(r *subscription.Representation) { r.FilterOptions.ExposeIP = false })},
		{"agent-opt-in-not-shown", "userAgentExposed is always shown as false.", []string{"SUB-REQ-017"},
			represented(func(r *subscription.Representation) { r.FilterOptions.ExposeUserAgent = false })},
		{"opt-ins-invented", "Opt-ins that were not sent are shown as true.", []string{"SUB-REQ-018"},
			created(func(k *talk) {
				for _, path := range []string{"filterOptions.ipAddressExposed", "filterOptions.userAgentExposed"} {
					if !gjson.GetBytes(k.sent, path).Exists() {
						k.set(path, true)
					}
				}
			})},
		{"connection-details-without-headers", "connectionDetails have no headers.", []string{"SUB-REQ-020"},
			represented(func(r *subscription.Representation) {
				if r.HTTPEndpoint != nil && r.ConnectionDetails != nil {
					r.ConnectionDetails = &subscription.Endpoint{URL: r.ConnectionDetails.URL}
				}
			})},
		{"connection-details-of-another", "connectionDetails name another URL.", []string{"SUB-REQ-019"},
			represented(func(r *subscription.Representation) {
				if r.HTTPEndpoint != nil && r.ConnectionDetails != nil {
					r.ConnectionDetails = &subscription.Endpoint{URL: "https://another.invalid/", Headers: r.ConnectionDetails.Headers}
				}
			})},
		{"connection-details-disagree", "connectionDetails that contradict httpEndpoint are accepted.", []string{"SUB-REQ-021"}, without("connection-details-agree")},
		{"protocol-required", "A subscription without protocol is refused.", []string{"SUB-REQ-022"},
			refused("protocol", func(d subscription.Draft) bool { return !d.Body.Sent("protocol") })},
		{"protocol-unchecked", "An unknown protocol is accepted.", []string{"SUB-REQ-023"}, without("protocol-known")},
		{"malformed-accepted", "Malformed JSON is accepted.", []string{"SUB-REQ-024"}, malformed(http.StatusCreated)},
		{"malformed-crashes", "Malformed JSON is answered with 500.", []string{"SUB-REQ-024"}, malformed(http.StatusInternalServerError)},
		{"content-type-unchecked", "The Content-Type of a request is not looked at.", []string{"SUB-REQ-025"},
			talking(func(k *talk) {
				if k.to(http.MethodPost, "/subscriptions") && k.answer.status/100 == 4 && json.Valid(k.sent) {
					k.askAgain(func(r *http.Request) { r.Header.Set("Content-Type", "application/json") })
				}
			})},
		{"header-values-unchecked", "Values of headers that are no strings are accepted.", []string{"SUB-REQ-026"},
			talking(func(k *talk) {
				if k.to(http.MethodPost, "/subscriptions") && k.answer.status == http.StatusBadRequest && json.Valid(k.sent) {
					again := *k
					gjson.GetBytes(k.sent, "httpEndpoint.headers").ForEach(func(name, value gjson.Result) bool {
						if changed, err := sjson.SetBytes(again.sent, "httpEndpoint.headers."+name.Str, value.String()); err == nil {
							again.sent = changed
						}
						return true
					})
					again.askAgain(func(*http.Request) {})
					k.answer = again.answer
				}
			})},
		{"ndjson-pretty-accepted", "ND_JSON with prettyPrint is accepted.", []string{"DLV-017"}, without("pretty-print-array")},

		{"key-refused", "Every key pair is refused.", []string{"SUB-TLS-002"},
			refused("tlsClientAuthKeyPair", func(d subscription.Draft) bool { return d.KeyID != "" })},
		{"key-not-shown", "The key pair of a subscription is not shown.", []string{"SUB-TLS-002"},
			represented(func(r *subscription.Representation) { r.KeyPair = nil })},
		{"key-unknown-accepted", "A key that there is not is accepted.", []string{"SUB-TLS-004"},
			func(p *Pieces) {
				p.Directory.KeyProblem = func(key directory.Key, known bool) *body.Problem {
					if !known {
						return nil
					}
					return directory.KeyProblem(key, known)
				}
			}},
		{"put-unvalidated", "A PUT accepts what a POST refuses.", []string{"SUB-LIMIT-E02", "SUB-LIMIT-K02", "SUB-LIMIT-X01", "SUB-TLS-001", "SUB-TLS-003", "SUB-TLS-004"},
			replacing(func(d *directory.Pieces) { d.Rules.Checks, d.KeyProblem = []subscription.Check{}, anyKey })},
		{"put-key-unverified", "A PUT accepts any key, also one that there is not.", []string{"SUB-TLS-003", "SUB-TLS-004"},
			replacing(func(d *directory.Pieces) { d.KeyProblem = anyKey })},
		{"put-verification-off", "A PUT may switch the verification of certificates off beside a key.", []string{"SUB-TLS-001"},
			replacing(func(d *directory.Pieces) { d.Rules = d.Rules.Without("key-needs-verification") })},
		{"put-limits-unchecked", "A PUT may set a payload limit of any size and type.", []string{"SUB-LIMIT-E02", "SUB-LIMIT-K02", "SUB-LIMIT-X01"},
			replacing(func(d *directory.Pieces) { d.Rules = d.Rules.Without("limit-size-range", "limit-type-known") })},
		{"put-limits-of-zero", "A PUT may set a payload limit below 1.", []string{"SUB-LIMIT-E02", "SUB-LIMIT-K02"},
			replacing(func(d *directory.Pieces) { d.Rules.Events.Min, d.Rules.KB.Min = -1<<31, -1<<31 })},
		{"key-in-use-deleted", "The deletion of a key in use is answered with success.", []string{"SUB-TLS-006"},
			keyDeletion(func(k *talk) {
				if k.answer.status/100 == 4 {
					k.answer.status = http.StatusNoContent
					k.answer.body.Reset()
				}
			})},
		{"key-never-deleted", "The deletion of a key is refused although no subscription uses it.", []string{"SUB-TLS-006"},
			keyDeletion(func(k *talk) {
				if k.answer.status == http.StatusNoContent {
					k.answer.status = http.StatusConflict
				}
			})},
		{"key-import-refused", "The import of a PKCS#12 file is refused.", []string{"SUB-TLS-007"},
			uploaded("/keys", func(k *talk) { k.answer.status = http.StatusUnsupportedMediaType })},
		{"key-imported-for-signing", "An imported key has the usage type SIGNING.", []string{"SUB-TLS-007"},
			uploaded("/keys", func(k *talk) { k.set("usageType", "SIGNING") })},
		{"certificate-refused", "The upload of a certificate is refused.", []string{"SUB-TLS-008"},
			uploaded("/certificates", func(k *talk) { k.answer.status = http.StatusBadRequest })},
	}
}

// replacing lets a fault judge replacements by other rules than creations.
func replacing(alter func(*directory.Pieces)) func(*Pieces) {
	return func(p *Pieces) {
		p.Directory.Replacing = func(d directory.Pieces) directory.Pieces {
			alter(&d)
			return d
		}
	}
}

func anyKey(directory.Key, bool) *body.Problem { return nil }

// malformed gives a create with malformed JSON this status.
func malformed(status int) func(*Pieces) {
	return talking(func(k *talk) {
		if k.to(http.MethodPost, "/subscriptions") && k.answer.status/100 == 4 && !json.Valid(k.sent) {
			k.answer.status = status
		}
	})
}

// keyDeletion changes answers to the deletion of a key.
func keyDeletion(alter func(*talk)) func(*Pieces) {
	return talking(func(k *talk) {
		if k.managed() && k.request.Method == http.MethodDelete && strings.Contains(k.request.URL.Path, "/keys/") {
			alter(k)
		}
	})
}

// uploaded changes answers to successful uploads.
func uploaded(collection string, alter func(*talk)) func(*Pieces) {
	return talking(func(k *talk) {
		if k.to(http.MethodPost, collection) && k.answer.status/100 == 2 {
			alter(k)
		}
	})
}
