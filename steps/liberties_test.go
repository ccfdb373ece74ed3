package steps_test

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// liberties are ways to answer that no rule forbids: no rule may notice.
func liberties() []spoiler {
	return []spoiler{
		{name: "nothing is changed"},
		{name: "more members", say: when((*talk).one, func(k *talk) {
			k.set("more", map[string]any{"a": 1})
			k.set("_links.more.href", "https://more.example/")
			k.set("filterOptions.more", []string{"x"})
			k.set("httpEndpoint.more", true)
		})},
		{name: "null for absent", say: when((*talk).one, func(k *talk) {
			for _, path := range []string{"format", "payloadOptions", "tlsClientAuthKeyPair", "httpEndpoint.headers", "filterOptions.includedTags", "filterOptions.includedPopulations"} {
				if !gjson.Get(k.body, path).Exists() {
					k.set(path, nil)
				}
			}
		})},
		{name: "lists in another order", say: when((*talk).one, func(k *talk) {
			for _, path := range []string{"filterOptions.includedActionTypes", "filterOptions.includedPopulations"} {
				if list, ok := gjson.Get(k.body, path).Value().([]any); ok {
					slices.Reverse(list)
					k.set(path, list)
				}
			}
		})},
		{name: "opt-ins absent where they were not sent", say: when((*talk).one, func(k *talk) {
			for _, path := range []string{"filterOptions.ipAddressExposed", "filterOptions.userAgentExposed"} {
				if k.create() && !gjson.Get(k.sent, path).Exists() {
					k.drop(path)
				}
			}
		})},
		{name: "no protocol", say: when((*talk).one, func(k *talk) {
			k.drop("protocol")
		})},
		{name: "times in whole seconds", say: when((*talk).one, func(k *talk) {
			for _, path := range []string{"createdAt", "updatedAt"} {
				if at := k.its(path); at != "" {
					k.set(path, strings.Split(at, ".")[0]+"Z")
				}
			}
		})},
		{name: "other refusals", say: when(method("POST", "/subscriptions", 400), func(k *talk) { k.status, k.body = 422, `{"code":"INVALID_DATA","message":"No."}` })},
		{name: "empty lists without a list", say: when((*talk).list, func(k *talk) {
			if k.its("count") == "0" {
				k.drop("_embedded")
			}
		})},
		{name: "a type with parameters", say: func(k *talk) {
			if k.header.Get("Content-Type") != "" {
				k.header.Set("Content-Type", "application/json;charset=UTF-8")
			}
		}},
		{name: "header names in lower case", say: when((*talk).one, func(k *talk) {
			headers := map[string]any{}
			gjson.Get(k.body, "httpEndpoint.headers").ForEach(func(name, value gjson.Result) bool {
				headers[strings.ToLower(name.Str)] = value.Value()
				return true
			})
			if len(headers) > 0 {
				k.set("httpEndpoint.headers", headers)
			}
		})},
	}
}
