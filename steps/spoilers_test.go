package steps_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

// when makes an answer's spoiler that acts only on answers of a kind.
func when(kind func(*talk) bool, do func(*talk)) func(*talk) {
	return func(k *talk) {
		if kind(k) {
			do(k)
		}
	}
}

// setting and dropping spoil a member of every subscription in an answer.
func setting(kind func(*talk) bool, path string, value any) func(*talk) {
	return when(kind, func(k *talk) { k.set(path, value) })
}

func dropping(kind func(*talk) bool, path string) func(*talk) {
	return when(kind, func(k *talk) { k.drop(path) })
}

func status(kind func(*talk) bool, code int) func(*talk) {
	return when(kind, func(k *talk) { k.status = code })
}

func method(method, path string, code int) func(*talk) bool {
	return func(k *talk) bool { return k.on(method, path) && k.status == code }
}

// granting answers every refused create as if it had been accepted.
func granting(k *talk) {
	if k.on("POST", "/subscriptions") && k.status/100 == 4 {
		k.status, k.body = 201, `{"id":"5f0c1b6e-31a4-4a59-9d1a-0f6f4f1f2a33"}`
	}
}

// asking changes the bodies of creates and replacements on their way in.
func asking(do func(*talk)) func(*talk) {
	return func(k *talk) {
		if k.on("POST", "/subscriptions") || k.on("PUT", "/subscriptions/") {
			do(k)
		}
	}
}

const refusals = "SUB-REQ-001 SUB-REQ-002 SUB-REQ-003 SUB-REQ-004 SUB-REQ-005 SUB-REQ-006 SUB-REQ-009 SUB-REQ-010 SUB-REQ-011 SUB-REQ-014 SUB-REQ-015 " +
	"SUB-REQ-021 SUB-REQ-023 SUB-REQ-024 SUB-REQ-025 SUB-REQ-026 SUB-LIMIT-011A SUB-LIMIT-011P SUB-LIMIT-E02 SUB-LIMIT-K02 SUB-LIMIT-X01"

func spoilers() []spoiler {
	refused := func(k *talk) bool { return k.on("POST", "/subscriptions") && k.status/100 == 4 }
	var deletions atomic.Int64
	return []spoiler{
		{name: "refusals are acceptances", rules: refusals + " SUB-LIMIT-051 SUB-LIMIT-055", say: granting},
		{name: "refusals are crashes", rules: refusals, say: status(refused, 500)},
		{name: "creates are accepted later", rules: "SUB-CRUD-001 SUB-REQ-007 SUB-REQ-008 SUB-REQ-013 SUB-REQ-016 SUB-LIMIT-050 SUB-LIMIT-010A SUB-LIMIT-010P SUB-LIMIT-E01 SUB-LIMIT-K01", say: status((*talk).create, 202)},
		{name: "ids are numbers in strings", rules: "SUB-CRUD-002", say: setting((*talk).create, "id", "17")},
		{name: "ids are constant", rules: "SUB-CRUD-002", say: setting((*talk).create, "id", "9773fa25-a4f4-40d8-ac25-0d53338247c1")},
		{name: "no environment", rules: "SUB-CRUD-003", say: dropping((*talk).one, "environment")},
		{name: "another environment", rules: "SUB-CRUD-003", say: setting((*talk).one, "environment.id", "9773fa25-a4f4-40d8-ac25-0d53338247c1")},
		{name: "local time", rules: "SUB-CRUD-004", say: when((*talk).create, func(k *talk) {
			k.set("createdAt", time.Now().In(time.FixedZone("", 3600)).Format(time.RFC3339))
		})},
		{name: "local time said to be UTC", rules: "SUB-CRUD-004", say: when((*talk).create, func(k *talk) {
			k.set("createdAt", time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		})},
		{name: "time in milliseconds", rules: "SUB-CRUD-004", say: setting((*talk).create, "createdAt", time.Now().UnixMilli())},
		{name: "a relative self link", rules: "SUB-CRUD-005", say: when((*talk).one, func(k *talk) { k.set("_links.self.href", strings.TrimPrefix(k.its("_links.self.href"), "http://")) })},
		{name: "a self link to the collection", rules: "SUB-CRUD-005", say: when((*talk).one, func(k *talk) { k.set("_links.self.href", strings.TrimSuffix(k.its("_links.self.href"), k.its("id"))) })},
		{name: "a self link to PingOne", rules: "SUB-CRUD-005", say: setting((*talk).one, "_links.self.href", "https://api.pingone.com/v1/environments/a/subscriptions/b")},
		{name: "no link to the environment", rules: "SUB-CRUD-006", say: dropping((*talk).one, "_links.environment")},
		{name: "all links to itself", rules: "SUB-CRUD-006", say: when((*talk).one, func(k *talk) { k.set("_links.environment.href", k.its("_links.self.href")) })},
		{name: "URLs without the last slash", rules: "SUB-CRUD-007", say: when((*talk).one, func(k *talk) { k.set("httpEndpoint.url", strings.TrimSuffix(k.its("httpEndpoint.url"), "/")) })},
		{name: "URLs in lower case", rules: "SUB-CRUD-007", say: when((*talk).one, func(k *talk) { k.set("httpEndpoint.url", strings.ToLower(k.its("httpEndpoint.url"))) })},
		{name: "always enabled", rules: "SUB-CRUD-007 SUB-CRUD-013", say: setting((*talk).one, "enabled", true)},
		{name: "always verified", rules: "SUB-CRUD-007", say: setting((*talk).one, "verifyTlsCertificates", true)},
		{name: "always ACTIVITY", rules: "SUB-CRUD-007 SUB-REQ-008 SUB-CRUD-014", say: setting((*talk).one, "format", "ACTIVITY")},
		{name: "one type of several", rules: "SUB-CRUD-007", say: when((*talk).one, func(k *talk) {
			k.set("filterOptions.includedActionTypes", []string{k.its("filterOptions.includedActionTypes.0")})
		})},
		{name: "no populations", rules: "SUB-CRUD-007 SUB-CRUD-013", say: dropping((*talk).one, "filterOptions.includedPopulations")},
		{name: "reads without headers", rules: "SUB-CRUD-008 SUB-CRUD-026 SUB-CRUD-013", say: dropping((*talk).get, "httpEndpoint.headers")},
		{name: "reads with a default format", rules: "SUB-CRUD-008", say: when((*talk).get, func(k *talk) {
			if k.its("format") == "" {
				k.set("format", "ACTIVITY")
			}
		})},
		{name: "masked credentials", rules: "SUB-CRUD-026", say: when((*talk).get, func(k *talk) {
			if k.its("httpEndpoint.headers.Authorization") != "" {
				k.set("httpEndpoint.headers.Authorization", "********")
			}
		})},
		{name: "lists of enabled subscriptions", rules: "SUB-CRUD-009", say: when((*talk).list, func(k *talk) {
			var kept []any
			for _, item := range gjson.Get(k.body, "_embedded.subscriptions").Array() {
				if item.Get("enabled").Bool() {
					kept = append(kept, item.Value())
				}
			}
			k.set("_embedded.subscriptions", kept)
		})},
		{name: "lists of 20", rules: "SUB-LIMIT-050", say: when((*talk).list, func(k *talk) {
			list := gjson.Get(k.body, "_embedded.subscriptions").Array()
			for i := len(list) - 1; i >= 20; i-- {
				k.drop("_embedded.subscriptions.-1")
			}
		})},
		{name: "lists without a size", rules: "SUB-CRUD-010", say: dropping((*talk).list, "size")},
		{name: "lists with the size of a page", rules: "SUB-CRUD-010", say: setting((*talk).list, "size", 100)},
		{name: "lists without a link", rules: "SUB-CRUD-011", say: dropping((*talk).list, "_links.self")},
		{name: "lists with a next page", rules: "SUB-CRUD-011", say: when((*talk).list, func(k *talk) { k.set("_links.next.href", k.its("_links.self.href")) })},
		{name: "empty lists are not found", rules: "SUB-CRUD-012", say: when((*talk).list, func(k *talk) {
			if k.its("count") == "0" {
				k.status = 404
			}
		})},
		{name: "empty lists hold null", rules: "SUB-CRUD-012", say: when((*talk).list, func(k *talk) {
			if k.its("count") == "0" {
				k.body = `{"_embedded":{"subscriptions":[null]}}`
			}
		})},
		{name: "replacements do nothing", rules: "SUB-CRUD-013 SUB-CRUD-014", ask: func(k *talk) {
			if k.on("PUT", "/subscriptions/") {
				k.method, k.body = "GET", ""
			}
		}},
		{name: "replacements are accepted later", rules: "SUB-CRUD-013", say: status((*talk).put, 202)},
		{name: "replacements keep a header", rules: "SUB-CRUD-014", say: when((*talk).get, func(k *talk) { k.set("httpEndpoint.headers.Authorization", "Basic YTpi") })},
		{name: "replacements keep the limit", rules: "SUB-CRUD-014", ask: func(k *talk) {
			if k.on("PUT", "/subscriptions/") && gjson.Get(k.body, "payloadOptions").Exists() {
				k.body, _ = sjson.SetRaw(k.body, "payloadOptions.maximumPayloadLimit", `{"type":"EVENTS_PER_PAYLOAD","size":250}`)
			}
		}},
		{name: "replacements renew the id", rules: "SUB-CRUD-015", say: setting((*talk).put, "id", "9773fa25-a4f4-40d8-ac25-0d53338247c1")},
		{name: "replacements lose the creation time", rules: "SUB-CRUD-015", say: dropping((*talk).put, "createdAt")},
		{name: "no update time", rules: "SUB-CRUD-016", say: dropping((*talk).put, "updatedAt")},
		{name: "an update before the creation", rules: "SUB-CRUD-016", say: setting((*talk).put, "updatedAt", "2020-01-01T00:00:00Z")},
		{name: "deletions tell a story", rules: "SUB-CRUD-017", say: when(method("DELETE", "/subscriptions/", 204), func(k *talk) { k.status, k.body = 200, "{}" })},
		{name: "deletions are accepted later", rules: "SUB-CRUD-017", say: status(method("DELETE", "/subscriptions/", 204), 202)},
		{name: "what is gone is gone", rules: "SUB-CRUD-018 SUB-CRUD-020", say: status(method("GET", "/subscriptions/", 404), 410)},
		{name: "unknown ids are forbidden", rules: "SUB-CRUD-018 SUB-CRUD-019 SUB-CRUD-020", say: when(func(k *talk) bool { return k.status == 404 }, func(k *talk) { k.status = 403 })},
		{name: "unknown ids are created", rules: "SUB-CRUD-019", say: status(method("PUT", "/subscriptions/", 404), 201)},
		{name: "unknown ids are deleted", rules: "SUB-CRUD-019", say: status(method("DELETE", "/subscriptions/", 404), 204)},
		{name: "the client's id", rules: "SUB-CRUD-022", say: client("id")},
		{name: "the client's creation time", rules: "SUB-CRUD-022", say: client("createdAt")},
		{name: "the client's environment", rules: "SUB-CRUD-022", say: client("environment.id")},
		{name: "answers in plain text", rules: "SUB-CRUD-023", say: func(k *talk) { k.header.Set("Content-Type", "text/plain; charset=utf-8") }},
		{name: "answers in HAL", rules: "SUB-CRUD-023", say: func(k *talk) { k.header.Set("Content-Type", "application/hal+json") }},
		{name: "errors in plain text", rules: "SUB-CRUD-023", say: when(func(k *talk) bool { return k.status == 404 }, func(k *talk) { k.header.Set("Content-Type", "text/plain") })},
		{name: "patches are accepted", rules: "SUB-CRUD-025", say: when(func(k *talk) bool { return k.method == http.MethodPatch }, func(k *talk) { k.status = 200 })},
		{name: "patches crash", rules: "SUB-CRUD-025", say: when(func(k *talk) bool { return k.method == http.MethodPatch }, func(k *talk) { k.status = 500 })},
		{name: "empty headers", rules: "SUB-REQ-007", say: when((*talk).create, func(k *talk) {
			if !gjson.Get(k.body, "httpEndpoint.headers").Exists() {
				k.set("httpEndpoint.headers", map[string]any{})
			}
		})},
		{name: "ports are lost", rules: "SUB-REQ-013", ask: asking(func(k *talk) {
			if before, after, ok := strings.Cut(gjson.Get(k.body, "httpEndpoint.url").String(), "127.0.0.1:"); ok {
				_, path, _ := strings.Cut(after, "/")
				k.body, _ = sjson.Set(k.body, "httpEndpoint.url", before+"127.0.0.1/"+path)
			}
		})},
		{name: "ports are refused", rules: "SUB-REQ-013", ask: asking(func(k *talk) {
			if strings.Contains(gjson.Get(k.body, "httpEndpoint.url").String(), "127.0.0.1:") {
				k.status = 400
			}
		})},
		{name: "tags are lost", rules: "SUB-REQ-016 SUB-CRUD-007", say: dropping((*talk).one, "filterOptions.includedTags")},
		{name: "the opt-ins are mistaken for each other", rules: "SUB-REQ-017", say: when((*talk).one, func(k *talk) {
			ip, agent := gjson.Get(k.body, "filterOptions.ipAddressExposed").Bool(), gjson.Get(k.body, "filterOptions.userAgentExposed").Bool()
			k.set("filterOptions.ipAddressExposed", agent)
			k.set("filterOptions.userAgentExposed", ip)
		})},
		{name: "the opt-ins are lost", rules: "SUB-REQ-017", say: dropping((*talk).one, "filterOptions.userAgentExposed")},
		{name: "everything is exposed by default", rules: "SUB-REQ-018", ask: asking(func(k *talk) {
			for _, member := range []string{"filterOptions.ipAddressExposed", "filterOptions.userAgentExposed"} {
				if !gjson.Get(k.body, member).Exists() {
					k.body, _ = sjson.Set(k.body, member, true)
				}
			}
		})},
		{name: "the opt-ins read as true", rules: "SUB-REQ-018", say: setting((*talk).create, "filterOptions.ipAddressExposed", true)},
		{name: "the connection keeps its first URL", rules: "SUB-REQ-019", say: setting((*talk).one, "connectionDetails.url", "https://hookproof.example/hooks")},
		{name: "the connection has no headers", rules: "SUB-REQ-020", say: dropping((*talk).one, "connectionDetails.headers")},
		{name: "the connection keeps its headers", rules: "SUB-REQ-020", say: when((*talk).get, func(k *talk) { k.set("connectionDetails.headers.X-Old", "old") })},
		{name: "TCP by default", rules: "SUB-REQ-022", say: setting((*talk).create, "protocol", "TCP_IP")},
		{name: "limits of 500 are refused", rules: "SUB-LIMIT-E01", ask: refusing("payloadOptions.maximumPayloadLimit.size", "500")},
		{name: "limits of 1 are refused", rules: "SUB-LIMIT-E01 SUB-LIMIT-K01", ask: refusing("payloadOptions.maximumPayloadLimit.size", "1")},
		{name: "limits of 4096 are refused", rules: "SUB-LIMIT-K01", ask: refusing("payloadOptions.maximumPayloadLimit.size", "4096")},
		{name: "10 applications are refused", rules: "SUB-LIMIT-010A", ask: refusing("filterOptions.includedApplications.#", "10")},
		{name: "10 populations are refused", rules: "SUB-LIMIT-010P", ask: refusing("filterOptions.includedPopulations.#", "10")},
		{name: "ids are counted together", rules: "SUB-LIMIT-010A SUB-LIMIT-010P", ask: asking(func(k *talk) {
			if gjson.Get(k.body, "filterOptions.includedPopulations.#").Int()+gjson.Get(k.body, "filterOptions.includedApplications.#").Int() > 10 {
				k.status = 400
			}
		})},
		{name: "payload options by default", rules: "SUB-LIMIT-X02", say: when((*talk).create, func(k *talk) {
			if !gjson.Get(k.body, "payloadOptions").Exists() {
				k.set("payloadOptions.maximumPayloadLimit", map[string]any{"type": "EVENTS_PER_PAYLOAD", "size": 500})
			}
		})},
		{name: "the 51st is a bad request", rules: "SUB-LIMIT-051", say: status(method("POST", "/subscriptions", 403), 400)},
		{name: "the 51st is refused in plain text", rules: "SUB-LIMIT-052", say: when(method("POST", "/subscriptions", 403), func(k *talk) { k.body = "Forbidden" })},
		{name: "the 51st is refused with numbers", rules: "SUB-LIMIT-052", say: when(method("POST", "/subscriptions", 403), func(k *talk) { k.set("code", 403) })},
		{name: "deletions make no room", rules: "SUB-LIMIT-053", say: func(k *talk) {
			switch {
			case k.on("DELETE", "/subscriptions/"):
				deletions.Add(1)
			case k.create() && deletions.Load() > 0:
				k.status = 403
			}
		}},
		{name: "the 51st is refused and listed", rules: "SUB-LIMIT-054", say: when((*talk).list, func(k *talk) {
			if k.its("count") == "50" {
				k.set("_embedded.subscriptions.-1", map[string]any{"id": "9773fa25-a4f4-40d8-ac25-0d53338247c1"})
			}
		})},
		{name: "disabled subscriptions do not count", rules: "SUB-LIMIT-055", say: status(method("POST", "/subscriptions", 403), 201)},
	}
}

// client answers with a member that the client sent in place of the server's.
func client(path string) func(*talk) {
	return func(k *talk) {
		if sent := gjson.Get(k.sent, path); sent.Exists() && (k.create() || k.put()) {
			k.set(path, sent.Value())
		}
	}
}

// refusing refuses bodies with this value at the path.
func refusing(path, value string) func(*talk) {
	return asking(func(k *talk) {
		if gjson.Get(k.body, path).String() == value {
			k.status = 400
		}
	})
}
