package judge

import "testing"

const sentBody = `{"name":"A","enabled":false,"format":"ACTIVITY","gone":null,
 "httpEndpoint":{"url":"https://h.example/","headers":{"X-Tenant":"[redacted 5 bytes ab]"}},
 "filterOptions":{"includedActionTypes":["B","A"],"includedPopulations":[{"id":"1"},{"id":"2"}]},"size":250}`

func TestWhatWasSentIsRepeated(t *testing.T) {
	t.Parallel()
	tell(t, Repeats([]byte(sentBody), "name", "enabled", "gone", "never", "format", "httpEndpoint.url", "httpEndpoint.headers", "filterOptions", "size"),
		reply{"as it is", sentBody, true},
		reply{"in another order, with more", `{"size":250.0,"filterOptions":{"ipAddressExposed":false,"includedPopulations":[{"id":"2","more":1},{"id":"1"}],"includedActionTypes":["A","B"]},
		 "httpEndpoint":{"headers":{"x-tenant":"[redacted 5 bytes ab]"},"url":"https://h.example/","more":{}},"format":"ACTIVITY","enabled":false,"name":"A","id":"9"}`, true},
		reply{"another name", swap(`"name":"A"`, `"name":"a"`), false},
		reply{"enabled", swap(`"enabled":false`, `"enabled":true`), false},
		reply{"no enabled", swap(`"enabled":false,`, ``), false},
		reply{"null for a value", swap(`"format":"ACTIVITY"`, `"format":null`), false},
		reply{"another URL", swap(`h.example/"`, `h.example"`), false},
		reply{"another header value", swap(`5 bytes ab`, `5 bytes cd`), false},
		reply{"a header less", swap(`"X-Tenant":"[redacted 5 bytes ab]"`, ``), false},
		reply{"a type less", swap(`["B","A"]`, `["B"]`), false},
		reply{"a type more", swap(`["B","A"]`, `["B","A","C"]`), false},
		reply{"a type twice", swap(`["B","A"]`, `["B","B"]`), false},
		reply{"another population", swap(`{"id":"2"}`, `{"id":"3"}`), false},
		reply{"ids as strings", swap(`[{"id":"1"},{"id":"2"}]`, `["1","2"]`), false},
		reply{"a number as a string", swap(`250`, `"250"`), false},
		reply{"no filters", swap(`"filterOptions":{`, `"other":{`), false},
		reply{"no JSON", `{"name":"A"`, false})
}

func TestEachElementIsRepeatedOnceForOnce(t *testing.T) {
	t.Parallel()
	tell(t, Repeats([]byte(`{"list":["A","A"]}`), "list"),
		reply{"twice", `{"list":["A","A"]}`, true}, reply{"once", `{"list":["A","B"]}`, false})
}

func TestTwoAnswersAgree(t *testing.T) {
	t.Parallel()
	tell(t, Agrees([]byte(sentBody), "name", "format", "key", "httpEndpoint", "filterOptions"),
		reply{"as before", sentBody, true},
		reply{"false for absent, null for absent, more outside", swap(`"filterOptions":{`, `"key":null,"id":"7","filterOptions":{"ipAddressExposed":false,`), true},
		reply{"more about a population", swap(`{"id":"2"}`, `{"id":"2","name":"Staff"}`), true},
		reply{"another population", swap(`{"id":"2"}`, `{"id":"3"}`), false},
		reply{"a member more", swap(`"filterOptions":{`, `"key":{"id":"1"},"filterOptions":{`), false},
		reply{"a member more inside", swap(`"filterOptions":{`, `"filterOptions":{"includedTags":["a"],`), false},
		reply{"true for absent", swap(`"filterOptions":{`, `"filterOptions":{"ipAddressExposed":true,`), false},
		reply{"an invented header", swap(`"X-Tenant"`, `"X-Other":"x","X-Tenant"`), false},
		reply{"a member less", swap(`"format":"ACTIVITY",`, ``), false})
}

func TestWhatAnEarlierAnswerToldOfAReferenceMayBeLeftOut(t *testing.T) {
	t.Parallel()
	tell(t, Agrees([]byte(`{"list":[{"id":"1","name":"Staff"},{"id":"2"}]}`), "list"),
		reply{"ids alone", `{"list":[{"id":"2"},{"id":"1"}]}`, true},
		reply{"another id", `{"list":[{"id":"2"},{"id":"3","name":"Staff"}]}`, false},
		reply{"no objects", `{"list":["1","2"]}`, false})
}

func TestWhatIsGoneLeavesNothing(t *testing.T) {
	t.Parallel()
	tell(t, Gone("a.b"),
		reply{"absent", `{"a":{}}`, true}, reply{"null", `{"a":{"b":null}}`, true}, reply{"an empty list", `{"a":{"b":[]}}`, true},
		reply{"an empty object", `{"a":{"b":{}}}`, true}, reply{"a value", `{"a":{"b":[1]}}`, false},
		reply{"an empty string", `{"a":{"b":""}}`, false}, reply{"false", `{"a":{"b":false}}`, false}, reply{"no JSON", ``, false})
}

func TestTwoMembersAreEqual(t *testing.T) {
	t.Parallel()
	tell(t, Equal("c.url", "h.url"),
		reply{"equal", `{"c":{"url":"u"},"h":{"url":"u"}}`, true}, reply{"different", `{"c":{"url":"v"},"h":{"url":"u"}}`, false},
		reply{"the first missing", `{"c":{},"h":{"url":"u"}}`, false}, reply{"the other missing", `{"c":{"url":"u"}}`, false},
		reply{"both missing", `{}`, false})
	tell(t, Equal("c.headers", "h.headers"),
		reply{"the same headers", `{"c":{"headers":{"a":"1","B":"2"}},"h":{"headers":{"b":"2","A":"1"}}}`, true},
		reply{"a header less", `{"c":{"headers":{"a":"1"}},"h":{"headers":{"b":"2","a":"1"}}}`, false},
		reply{"a header more", `{"c":{"headers":{"a":"1","b":"2"}},"h":{"headers":{"a":"1"}}}`, false},
		reply{"another value", `{"c":{"headers":{"a":"2"}},"h":{"headers":{"a":"1"}}}`, false},
		reply{"empty", `{"c":{"headers":{}},"h":{"headers":{"a":"1"}}}`, false})
}

func TestTheServersOwnValueStands(t *testing.T) {
	t.Parallel()
	tell(t, Overridden([]byte(`{"id":"sent","environment":{"id":"mine"}}`), "environment.id"),
		reply{"its own", `{"environment":{"id":"yours"}}`, true}, reply{"the client's", `{"environment":{"id":"mine"}}`, false},
		reply{"none", `{"environment":{}}`, false})
}
