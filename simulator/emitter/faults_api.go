package emitter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
)

// apiFaults are those of tokens, error bodies, activities and environments.
func apiFaults() []Fault {
	faults := append(authenticationFaults(), errorFaults()...)
	return append(faults,
		Fault{"activities-unbounded", "Activities are listed without a range of dates.", []string{"ACT-001"}, talking(func(k *talk) {
			if k.to(http.MethodGet, "/activities") && k.answer.status == http.StatusBadRequest {
				k.askAgain(func(r *http.Request) { r.URL.RawQuery = "filter=recordedAt+gt+%222000-01-01T00:00:00Z%22" })
			}
		})},
		Fault{"activities-bounded-by-any-filter", "Activities are listed without a range of dates if there is any other filter.", []string{"ACT-001"}, talking(func(k *talk) {
			if k.to(http.MethodGet, "/activities") && k.answer.status == http.StatusBadRequest && k.request.URL.Query().Get("filter") != "" {
				k.askAgain(func(r *http.Request) { r.URL.RawQuery = "filter=recordedAt+gt+%222000-01-01T00:00:00Z%22" })
			}
		})},
		Fault{"activities-without-links", "Activities have no links.", []string{"ACT-002"}, eachActivity("_links")},
		Fault{"activities-without-creation", "Activities do not tell when they were created.", []string{"ACT-002"}, eachActivity("createdAt")},

		Fault{"activities-empty", "The list of activities is empty.", []string{"EVT-018"}, talking(func(k *talk) {
			if k.to(http.MethodGet, "/activities") && k.answer.status == http.StatusOK {
				k.set("_embedded.activities", []any{})
			}
		})},

		Fault{"environment-undated", "An environment does not tell when it was created.", []string{"ENV-001"}, talking(func(k *talk) {
			if k.environment() {
				k.drop("createdAt")
			}
		})},
		Fault{"environment-dated-in-seconds", "An environment tells its creation in seconds since 1970.", []string{"ENV-001"}, talking(func(k *talk) {
			if k.environment() {
				k.set("createdAt", k.get("createdAt").Time().Unix())
			}
		})},

		Fault{"test-refused", "A connection test is refused for its content type.", []string{"TST-001"}, talking(func(k *talk) {
			if k.managed() && strings.HasPrefix(k.request.Header.Get("Content-Type"), "application/vnd.pingidentity.subscription.test+json") {
				k.answer.status = http.StatusUnsupportedMediaType
			}
		})},
	)
}

func authenticationFaults() []Fault {
	served := func(*http.Request) {}
	return []Fault{
		{"anonymous-served", "A request without a token is served.", []string{"AUT-001"}, talking(func(k *talk) {
			if k.refused(http.StatusUnauthorized) && k.anonymous() {
				k.askAgain(served)
			}
		})},
		{"anonymous-deletes", "Users, populations, applications, keys and environments are deleted, and secrets are read, without a token.", []string{"AUT-001"}, talking(func(k *talk) {
			p := k.request.URL.Path
			if k.refused(http.StatusUnauthorized) && k.anonymous() && !strings.Contains(p, "/subscriptions") && !strings.Contains(p, "/activities") &&
				(k.request.Method == http.MethodDelete || strings.HasSuffix(p, "/secret")) {
				k.askAgain(served)
			}
		})},
		{"anonymous-creates", "Populations and applications are created without a token.", []string{"AUT-001"}, talking(func(k *talk) {
			if k.refused(http.StatusUnauthorized) && k.anonymous() && (k.to(http.MethodPost, "/populations") || k.to(http.MethodPost, "/applications")) {
				k.askAgain(served)
			}
		})},
		{"anonymous-forbidden", "A request without a token is answered with 403.", []string{"AUT-001"}, talking(func(k *talk) {
			if k.refused(http.StatusUnauthorized) && k.anonymous() {
				k.answer.status = http.StatusForbidden
			}
		})},
		{"any-token-served", "A request with any token is served.", []string{"AUT-002"}, talking(func(k *talk) {
			if k.refused(http.StatusUnauthorized) && !k.anonymous() {
				k.askAgain(served)
			}
		})},
		{"signature-unchecked", "A token is accepted whatever its signature.", []string{"AUT-002"}, talking(func(k *talk) {
			_, token, _ := strings.Cut(k.request.Header.Get("Authorization"), " ")
			if k.refused(http.StatusUnauthorized) && strings.Count(token, ".") == 2 {
				k.askAgain(served)
			}
		})},
		{"unauthorized-code", "The code of a 401 is UNAUTHORIZED.", []string{"AUT-002"}, talking(func(k *talk) {
			if k.refused(http.StatusUnauthorized) {
				k.set("code", "UNAUTHORIZED")
			}
		})},
		{"rights-checked-for-reading", "A token without the right may write.", []string{"AUT-003"}, talking(func(k *talk) {
			if k.lacks() && k.request.Method != http.MethodGet {
				k.askAgain(served)
			}
		})},
		{"unauthorized-403", "A request with a bad token is answered with 403.", []string{"AUT-002"}, talking(func(k *talk) {
			if k.refused(http.StatusUnauthorized) && !k.anonymous() {
				k.answer.status = http.StatusForbidden
			}
		})},
		{"rights-unchecked", "A token without the right is served.", []string{"AUT-003"}, talking(func(k *talk) {
			if k.lacks() {
				k.askAgain(served)
			}
		})},
		{"rights-checked-for-writing", "A token without the right may read.", []string{"AUT-003"}, talking(func(k *talk) {
			if k.lacks() && k.request.Method == http.MethodGet {
				k.askAgain(served)
			}
		})},
		{"forbidden-hidden", "A request without the right is answered with 404.", []string{"AUT-003"}, talking(func(k *talk) {
			if k.lacks() {
				k.answer.status = http.StatusNotFound
				k.set("code", "NOT_FOUND")
			}
		})},
		{"worker-token-useless", "The API does not accept the tokens of worker applications.", []string{"AUT-004"}, tokens(func(k *talk) {
			if id, _, _ := k.request.BasicAuth(); id != k.pieces.Bootstrap.ID {
				k.set("access_token", k.get("access_token").Str+"x")
			}
		})},
		{"token-type-missing", "The answer with a token does not tell its type.", []string{"AUT-004"}, tokens(func(k *talk) { k.drop("token_type") })},
	}
}

// tokens changes answers that give a token.
func tokens(alter func(*talk)) func(*Pieces) {
	return talking(func(k *talk) {
		if strings.HasSuffix(k.request.URL.Path, "/as/token") && k.answer.status == http.StatusOK {
			alter(k)
		}
	})
}

func errorFaults() []Fault {
	return []Fault{
		{"error-bare", "An error body holds nothing but a text.", []string{"ERR-001"}, failing(0, func(k *talk) {
			k.body([]byte(`{"error":"No."}`), nil)
		})},
		{"error-empty", "Refusals have no body.", []string{"ERR-004", "SUB-LIMIT-052"}, failing(0, func(k *talk) { k.answer.body.Reset() })},
		{"error-page", "Refusals are HTML pages.", []string{"ERR-004", "SUB-CRUD-023"}, failing(0, func(k *talk) {
			k.answer.header.Set("Content-Type", "text/html")
			k.answer.body.Reset()
			k.answer.body.WriteString("<h1>Refused</h1>")
		})},
		{"error-code-number", "The code of an error body is the status.", []string{"ERR-001"}, failing(0, func(k *talk) { k.set("code", k.answer.status) })},
		{"error-message-missing", "The body of a 404 has no message.", []string{"ERR-001"}, failing(http.StatusNotFound, func(k *talk) { k.drop("message") })},
		{"error-id-missing", "The body of a 400 has no id.", []string{"ERR-002"}, failing(http.StatusBadRequest, func(k *talk) { k.drop("id") })},
		{"error-id-short", "The id of an error body is no UUID.", []string{"ERR-002"}, failing(0, func(k *talk) { k.set("id", k.get("id").Str[:8]) })},
		{"error-details-object", "The details of an error body are one object.", []string{"ERR-003"}, failing(0, func(k *talk) {
			if first := k.get("details.0"); first.Exists() {
				k.set("details", first.Value())
			}
		})},
		{"error-details-without-code", "A detail of an error body has no code.", []string{"ERR-003"}, failing(0, func(k *talk) {
			if k.get("details.0").Exists() {
				k.drop("details.0.code")
			}
		})},
		{"invalid-data-code", "Invalid data is refused with the code INVALID_REQUEST.", []string{"ERR-004"}, failing(http.StatusBadRequest, func(k *talk) {
			if k.get("code").Str == "INVALID_DATA" {
				k.set("code", "INVALID_REQUEST")
			}
		})},
		{"target-missing", "A refusal does not name the member.", []string{"ERR-004"}, failing(http.StatusBadRequest, func(k *talk) {
			for i := range k.get("details").Array() {
				k.drop(fmt.Sprintf("details.%d.target", i))
			}
		})},
		{"unknown-code", "The code of a 404 is MISSING.", []string{"ERR-005"}, failing(http.StatusNotFound, func(k *talk) { k.set("code", "MISSING") })},
		{"unknown-bad-request", "An unknown resource is answered with 400.", []string{"ERR-005"}, failing(http.StatusNotFound, func(k *talk) {
			k.answer.status = http.StatusBadRequest
		})},
		{"refused-stays", "A subscription that was refused exists nevertheless.", []string{"ERR-006"}, talking(func(k *talk) {
			if k.to(http.MethodPost, "/subscriptions") && k.answer.status == http.StatusBadRequest {
				kept := *k
				kept.sent, _ = json.Marshal(map[string]any{ // strings, booleans and lists always encode
					"name": gjson.GetBytes(k.sent, "name").String(), "enabled": false, "verifyTlsCertificates": false,
					"httpEndpoint":  map[string]string{"url": "https://kept.invalid/"},
					"filterOptions": map[string]any{"includedActionTypes": []string{"USER.CREATED"}},
				})
				kept.askAgain(func(*http.Request) {})
			}
		})},
	}
}

// failing changes the error bodies of the management API, of one status or,
// with 0, of all.
func failing(status int, alter func(*talk)) func(*Pieces) {
	return talking(func(k *talk) {
		if k.managed() && k.answer.status >= 400 && (status == 0 || status == k.answer.status) && k.answer.body.Len() > 0 {
			alter(k)
		}
	})
}

// eachActivity takes a member out of every activity listed.
func eachActivity(member string) func(*Pieces) {
	return talking(func(k *talk) {
		if !k.to(http.MethodGet, "/activities") || k.answer.status != http.StatusOK {
			return
		}
		list := []any{}
		for _, activity := range k.get("_embedded.activities").Array() {
			members, _ := activity.Value().(map[string]any)
			delete(members, member)
			list = append(list, members)
		}
		k.set("_embedded.activities", list)
	})
}

// environment says whether the answer shows one environment.
func (k *talk) environment() bool {
	rest, ok := strings.CutPrefix(k.request.URL.Path, "/v1/environments/")
	return ok && k.request.Method == http.MethodGet && k.answer.status == http.StatusOK && !strings.Contains(strings.TrimSuffix(rest, "/"), "/")
}

const testType = "EVENT_DELIVERY_TEST" // of the event of a connection test

// probeFaults are those of connection tests.
func probeFaults() []Fault {
	return []Fault{
		{"test-silent", "A connection test sends nothing.", []string{"TST-002"},
			probing(func(context.Context, pipeline.Pieces, http.RoundTripper, pipeline.Attempt) pipeline.Result {
				return pipeline.Result{Status: http.StatusOK}
			})},
		{"test-only-head", "A connection test sends nothing but a HEAD request.", []string{"TST-002"},
			probing(func(ctx context.Context, p pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
				return pipeline.Head(ctx, p, t, a, p.AttemptTimeout)
			})},
		{"test-tells-the-agent", "The event of a connection test tells the tester's user agent.", []string{"EVT-013"},
			telling((*http.Request).UserAgent)},
		{"test-tells-the-address", "The event of a connection test tells the tester's IP address.", []string{"EVT-012"},
			telling(func(r *http.Request) string { return r.RemoteAddr })},
		{"test-of-another-type", "The event of a connection test is of another type.", []string{"TST-002"},
			probing(func(ctx context.Context, p pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
				a.Payload.Body = bytes.ReplaceAll(a.Payload.Body, []byte(testType), []byte("SUBSCRIPTION.UPDATED"))
				return pipeline.Probe(ctx, p, t, a)
			})},
	}
}

func probing(probe func(context.Context, pipeline.Pieces, http.RoundTripper, pipeline.Attempt) pipeline.Result) func(*Pieces) {
	return func(p *Pieces) { p.Pipeline.Probe = probe }
}

// telling puts into the event of a connection test something of the request for
// it.
func telling(of func(*http.Request) string) func(*Pieces) {
	return func(p *Pieces) {
		var said sync.Map // by the subscription's id
		previous := p.Serve
		p.Serve = func(h http.Handler) http.Handler {
			inner := previous(h)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				said.Store(path.Base(r.URL.Path), of(r))
				inner.ServeHTTP(w, r)
			})
		}
		probing(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
			by, _ := said.Load(a.Subscription.ID)
			member, kind := fmt.Sprintf(`"by":%q,"type"`, by), []byte(`"type":"`+testType+`"`)
			a.Payload.Body = bytes.Replace(a.Payload.Body, kind, []byte(member+string(kind[len(`"type"`):])), 1)
			return pipeline.Probe(ctx, inner, t, a)
		})(p)
	}
}
