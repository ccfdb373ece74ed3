package judge

import (
	"strings"
	"testing"

	"github.com/hookproof/hookproof/steps/transcript"
)

// swap is sentBody with one thing changed.
func swap(old, by string) string { return strings.Replace(sentBody, old, by, 1) }

const twoListed = `{"_links":{"self":{"href":"x"}},"_embedded":{"subscriptions":[{"id":"a"},{"id":"b"}]},"count":2,"size":2}`

func TestCollectionsAreJudged(t *testing.T) {
	t.Parallel()
	two := []transcript.Exchange{jsonAnswer(twoListed)}
	paged := append(two, jsonAnswer(`{"_embedded":{"subscriptions":[{"id":"c"}]}}`))
	empty := []transcript.Exchange{jsonAnswer(`{"_embedded":{}}`)}
	named := []transcript.Exchange{jsonAnswer(`{"_embedded":{"subscriptions":[{"id":"1","name":"a"},{"id":"2","name":"b"}]}}`)}
	for _, tc := range []struct {
		name  string
		o     Outcome
		keeps bool
	}{
		{"both listed", Lists(two, "a", "b"), true},
		{"on two pages", Lists(paged, "a", "c"), true},
		{"one missing", Lists(two, "a", "c"), false},
		{"one twice", Lists(append(two, two...), "a"), false},
		{"no other", DoesNotList(two, "c"), true},
		{"another", DoesNotList(paged, "c"), false},
		{"as many", Holds(two, 2), true},
		{"as many on two pages", Holds(paged, 3), true},
		{"fewer", Holds(two, 3), false},
		{"more", Holds(two, 1), false},
		{"the same twice", Holds(append(two, two...), 4), false},
		{"none", Holds(empty, 0), true},
		{"none in an empty list", Holds([]transcript.Exchange{jsonAnswer(`{"_embedded":{"subscriptions":[]}}`)}, 0), true},
		{"none in null", Holds([]transcript.Exchange{jsonAnswer(`{"_embedded":{"subscriptions":null}}`)}, 0), true},
		{"some where none is expected", Holds(two, 0), false},
		{"none of that name", ListsNone(named, "c"), true},
		{"one of that name", ListsNone(named, "b"), false},
		{"one of that name on the second page", ListsNone(append(two, named...), "a"), false},
		{"no answer in place of ids", Lists([]transcript.Exchange{{Error: "refused"}}), false},
		{"no answer in place of names", ListsNone([]transcript.Exchange{{Error: "refused"}}, "c"), false},
		{"a list in place of an object", Holds([]transcript.Exchange{jsonAnswer(`[]`)}, 0), false},
		{"no JSON", Holds([]transcript.Exchange{jsonAnswer(``)}, 0), false},
		{"an object in place of the list", Collection([]transcript.Exchange{jsonAnswer(`{"_embedded":{"subscriptions":{}}}`)}), false},
		{"an element without an id", Collection([]transcript.Exchange{jsonAnswer(`{"_embedded":{"subscriptions":[{}]}}`)}), false},
		{"no answer", DoesNotList([]transcript.Exchange{{Error: "refused"}}, "a"), false},
	} {
		if tc.o.Failed() == tc.keeps {
			t.Errorf("%s: failed is %t, want %t: %+v", tc.name, tc.o.Failed(), !tc.keeps, tc.o)
		}
	}
	for _, status := range []int{203, 404} {
		other := jsonAnswer(twoListed)
		other.Response.Status = status
		if o := DoesNotList([]transcript.Exchange{other}, "c"); !o.Failed() {
			t.Errorf("an answer of %d passes for a collection that lists nothing", status)
		}
	}
}

func TestACollectionCountsItself(t *testing.T) {
	t.Parallel()
	tell(t, CountsItself(),
		reply{"two", twoListed, true}, reply{"none", `{"count":0,"size":0}`, true},
		reply{"another count", strings.Replace(twoListed, `"count":2`, `"count":3`, 1), false},
		reply{"another size", strings.Replace(twoListed, `"size":2`, `"size":100`, 1), false},
		reply{"a string", strings.Replace(twoListed, `"size":2`, `"size":"2"`, 1), false},
		reply{"no size", strings.Replace(twoListed, `,"size":2`, ``, 1), false})
}

func TestACollectionIsOnePage(t *testing.T) {
	t.Parallel()
	tell(t, OnePage(),
		reply{"one", twoListed, true}, reply{"null as next", strings.Replace(twoListed, `"self"`, `"next":null,"self"`, 1), true},
		reply{"a next page", strings.Replace(twoListed, `"self"`, `"next":{"href":"y"},"self"`, 1), false},
		reply{"no link to itself", strings.Replace(twoListed, `"self"`, `"environment"`, 1), false},
		reply{"an empty link", strings.Replace(twoListed, `"href":"x"`, `"href":""`, 1), false})
}

// answersOf are answers of these statuses; those of the class 2xx have ids.
func answersOf(statuses ...int) []transcript.Exchange {
	all := make([]transcript.Exchange, len(statuses))
	for i, status := range statuses {
		all[i] = jsonAnswer(`{"id":"` + string(rune('a'+i)) + `"}`)
		all[i].Response.Status = status
	}
	return all
}

func TestManyAnswersAreJudged(t *testing.T) {
	t.Parallel()
	same := answersOf(201, 201)
	same[1].Response.Body = same[0].Response.Body
	silent := append(answersOf(201, 201), transcript.Exchange{Error: "refused"})
	for _, tc := range []struct {
		name  string
		o     Outcome
		keeps bool
	}{
		{"all accepted", Accepted(answersOf(201, 201, 201)), true},
		{"one refused", Accepted(answersOf(201, 403, 201)), false},
		{"one accepted otherwise", Accepted(answersOf(201, 200)), false},
		{"one not answered", Accepted(silent), false},
		{"as many as may be", GrantedAtMost(answersOf(201, 403, 201), 2), true},
		{"one too many", GrantedAtMost(answersOf(201, 201, 201), 2), false},
		{"one too many, otherwise", GrantedAtMost(answersOf(201, 201, 200), 2), false},
		{"refused otherwise", GrantedAtMost(answersOf(201, 400, 201), 2), false},
		{"not answered", GrantedAtMost(silent, 2), false},
		{"ids of their own", DifferentIDs(answersOf(201, 201)), true},
		{"one id for two", DifferentIDs(same), false},
		{"one without an id, being refused", DifferentIDs(answersOf(201, 400)), false},
	} {
		if tc.o.Failed() == tc.keeps {
			t.Errorf("%s: failed is %t, want %t: %+v", tc.name, tc.o.Failed(), !tc.keeps, tc.o)
		}
	}
	if n := Granted(answersOf(201, 403, 200)); n != 2 {
		t.Errorf("%d granted, want 2", n)
	}
}
