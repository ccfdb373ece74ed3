package steps_test

import (
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

// errorAreas are the areas in which the liberties below are taken.
func errorAreas() []string {
	return []string{"errors", "authentication", "activities", "environment", "connection-test"}
}

func failed(k *talk) bool  { return k.status >= 400 && strings.HasPrefix(k.body, "{") }
func refused(k *talk) bool { return failed(k) && k.status == 400 }
func test(k *talk) bool    { return k.on("POST", "/subscriptions/") && k.sent == "{}" }

func anEnvironment(k *talk) bool {
	return k.method == "GET" && k.status == 200 && strings.HasSuffix(strings.TrimRight(k.path, "0123456789abcdef-"), "/environments/")
}

func activities(k *talk) bool { return k.on("GET", "/activities") && k.status == 200 }

// eachOf changes every element of a list in an answer.
func eachOf(k *talk, list string, change func(element string) string) {
	changed := "[]"
	for _, element := range gjson.Get(k.body, list).Array() {
		changed, _ = sjson.SetRaw(changed, "-1", change(element.Raw))
	}
	if gjson.Get(k.body, list).IsArray() {
		k.body, _ = sjson.SetRaw(k.body, list, changed)
	}
}

func errorSpoilers() []spoiler {
	return []spoiler{
		{name: "error ids in braces", rules: "ERR-002", say: when(failed, func(k *talk) { k.set("id", "{"+k.its("id")+"}") })},
		{name: "errors in an envelope", rules: "ERR-001 ERR-002", say: when(failed, func(k *talk) { k.body = `{"error":` + k.body + `}` })},
		{name: "errors in a list", rules: "ERR-001 ERR-002 ERR-003", say: when(failed, func(k *talk) { k.body = `[` + k.body + `]` })},
		{name: "details that are texts", rules: "ERR-003", say: when(failed, func(k *talk) { k.set("details", []string{"No."}) })},
		{name: "targets that are sentences", rules: "ERR-004", say: when(refused, func(k *talk) {
			eachOf(k, "details", func(detail string) string {
				detail, _ = sjson.Set(detail, "target", "The value of "+gjson.Get(detail, "target").Str+" is wrong.")
				return detail
			})
		})},
		{name: "targets that are the body", rules: "ERR-004", say: when(refused, func(k *talk) {
			eachOf(k, "details", func(detail string) string { detail, _ = sjson.Set(detail, "target", "$"); return detail })
		})},
		{name: "what is unknown is gone", rules: "ERR-005", say: status(func(k *talk) bool { return k.status == 404 }, 410)},
		{name: "what is unknown is forbidden", rules: "ERR-005", say: status(func(k *talk) bool { return k.status == 404 }, 403)},
		{name: "anonymous requests are sent elsewhere", rules: "AUT-001", say: status(func(k *talk) bool { return k.status == 401 }, 302)},
		{name: "anonymous requests are invalid", rules: "AUT-001 AUT-002", say: status(func(k *talk) bool { return k.status == 401 }, 400)},
		{name: "strangers are unauthorized", rules: "AUT-003", say: status(func(k *talk) bool { return k.status == 403 }, 401)},
		{name: "strangers are denied", rules: "AUT-003", say: when(func(k *talk) bool { return k.status == 403 }, func(k *talk) { k.set("code", "ACCESS_DENIED") })},
		{name: "activities of all time", rules: "ACT-001", say: when(method("GET", "/activities", 400), func(k *talk) {
			k.status, k.body = 200, `{"_embedded":{"activities":[]}}`
		})},
		{name: "activities without their recording", rules: "ACT-002", say: when(activities, func(k *talk) {
			eachOf(k, "_embedded.activities", func(a string) string { a, _ = sjson.Delete(a, "recordedAt"); return a })
		})},
		{name: "activities that link to nowhere", rules: "ACT-002", say: when(activities, func(k *talk) {
			eachOf(k, "_embedded.activities", func(a string) string { a, _ = sjson.Set(a, "_links.self.href", ""); return a })
		})},
		{name: "activities that are events", rules: "ACT-002", say: when(activities, func(k *talk) {
			k.body, _ = sjson.SetRaw(k.body, "_embedded.events", gjson.Get(k.body, "_embedded.activities").Raw)
			k.drop("_embedded.activities")
		})},
		{name: "environments with a birthday", rules: "ENV-001", say: when(anEnvironment, func(k *talk) { k.set("createdAt", k.its("createdAt")[:10]) })},
		{name: "environments in no zone", rules: "ENV-001", say: when(anEnvironment, func(k *talk) { k.set("createdAt", strings.TrimSuffix(k.its("createdAt"), "Z")) })},
		{name: "tests lead elsewhere", rules: "TST-001", say: status(test, 302)},
		{name: "tests are forgotten", rules: "TST-002", ask: func(k *talk) {
			if test(k) {
				k.status, k.body = 204, ""
			}
		}},
	}
}

// errorLiberties are ways to answer that no rule of these areas forbids.
func errorLiberties() []spoiler {
	return []spoiler{
		{name: "errors with more members", say: when(failed, func(k *talk) {
			k.set("more", []int{1})
			eachOf(k, "details", func(detail string) string { detail, _ = sjson.Set(detail, "innerError.quotaLimit", 1); return detail })
		})},
		{name: "errors without details", say: when(func(k *talk) bool { return failed(k) && k.status != 400 }, func(k *talk) { k.drop("details") })},
		{name: "errors with null as details", say: when(func(k *talk) bool { return failed(k) && k.status != 400 }, func(k *talk) { k.set("details", nil) })},
		{name: "errors without ids where none is needed", say: when(failed, func(k *talk) {
			if k.status == 403 || k.status == 405 || k.status == 415 {
				k.drop("id")
			}
		})},
		{name: "error ids in upper case", say: when(failed, func(k *talk) { k.set("id", strings.ToUpper(k.its("id"))) })},
		{name: "errors of a type of their own", say: when(failed, func(k *talk) { k.header.Set("Content-Type", "application/problem+json") })},
		{name: "other refusals of the same kind", say: when(refused, func(k *talk) { k.status = 422 })},
		{name: "targets as JSON paths", say: when(refused, func(k *talk) {
			eachOf(k, "details", func(detail string) string {
				detail, _ = sjson.Set(detail, "target", "$."+gjson.Get(detail, "target").Str)
				return detail
			})
		})},
		{name: "activities in another zone", say: when(activities, func(k *talk) {
			eachOf(k, "_embedded.activities", func(a string) string {
				a, _ = sjson.Set(a, "createdAt", strings.TrimSuffix(gjson.Get(a, "createdAt").Str, "Z")+"+00:00")
				return a
			})
		})},
		{name: "environments in whole seconds", say: when(anEnvironment, func(k *talk) {
			k.set("createdAt", strings.Split(k.its("createdAt"), ".")[0]+"+02:00")
		})},
		{name: "tests are accepted for later", say: when(test, func(k *talk) {
			if k.status/100 == 2 {
				k.status, k.body = 202, `{"accepted":true}`
			}
		})},
	}
}
