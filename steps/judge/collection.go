package judge

import (
	"slices"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// items is where a collection of subscriptions has its elements.
const items = "_embedded.subscriptions"

// Collection fails unless every page was answered with 200 and a JSON object
// whose list of subscriptions, if it has one, is a list of objects with ids.
// Rules SUB-CRUD-009 and SUB-CRUD-012.
func Collection(pages []transcript.Exchange) Outcome {
	for _, page := range pages {
		if o := Response(page, Status(200)); o.failed {
			return o
		}
		body := page.Response.Body
		if !gjson.ValidBytes(body) || !gjson.ParseBytes(body).IsObject() {
			return Fail("a collection as a JSON object").Got("%s", cut(body))
		}
		list := gjson.GetBytes(body, items)
		if list.Exists() && list.Type != gjson.Null && !list.IsArray() {
			return Fail("a list in %s", items).Got("%s", cut(list.Raw))
		}
		for i, item := range list.Array() {
			if list.IsArray() && item.Get("id").Type != gjson.String {
				return Fail("an id in %s.%d", items, i).Got("%s", cut(item.Raw))
			}
		}
	}
	return Pass
}

// listed are the ids in the pages of a Collection that passed, in their order.
func listed(pages []transcript.Exchange) []string {
	var ids []string
	for _, page := range pages {
		for _, item := range gjson.GetBytes(page.Response.Body, items).Array() {
			ids = append(ids, item.Get("id").String())
		}
	}
	return ids
}

// Lists fails unless the collection holds each of the ids, and each once.
// Rule SUB-CRUD-009.
func Lists(pages []transcript.Exchange, ids ...string) Outcome {
	if o := Collection(pages); o.failed {
		return o
	}
	found := listed(pages)
	for _, id := range ids {
		times := 0
		for _, other := range found {
			if other == id {
				times++
			}
		}
		if times != 1 {
			return Fail("subscription %s once in the collection", id).Got("%d times among %d", times, len(found))
		}
	}
	return Pass
}

// DoesNotList fails if the collection holds the id. Rule SUB-CRUD-020.
func DoesNotList(pages []transcript.Exchange, id string) Outcome {
	if o := Collection(pages); o.failed {
		return o
	}
	if found := listed(pages); slices.Contains(found, id) {
		return Fail("no subscription %s in the collection", id).Got("it is there, among %d", len(found))
	}
	return Pass
}

// ListsNone fails if the collection holds a subscription of this name.
// Rule ERR-006.
func ListsNone(pages []transcript.Exchange, name string) Outcome {
	if o := Collection(pages); o.failed {
		return o
	}
	for _, page := range pages {
		for _, item := range gjson.GetBytes(page.Response.Body, items).Array() {
			if item.Get("name").String() == name {
				return Fail("no subscription called %q in the collection", name).Got("%s", cut(item.Raw))
			}
		}
	}
	return Pass
}

// Holds fails unless the collection holds so many different subscriptions.
// Rules SUB-CRUD-012, SUB-LIMIT-050 and SUB-LIMIT-054.
func Holds(pages []transcript.Exchange, want int) Outcome {
	if o := Collection(pages); o.failed {
		return o
	}
	found := listed(pages)
	slices.Sort(found)
	if got := len(slices.Compact(found)); got != want {
		return Fail("%s in the collection", count(want, "subscription")).Got("%d", got)
	}
	return Pass
}

// CountsItself expects the numbers count and size, both as many as the
// answer lists. Rule SUB-CRUD-010.
func CountsItself() Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		want := len(gjson.GetBytes(r.Body, items).Array())
		for _, name := range []string{"count", "size"} {
			if o := JSON(name, want).judge(r); o.failed {
				return o
			}
		}
		return Pass
	}}
}

// OnePage expects a link of the collection to itself and none to a next
// page. Rule SUB-CRUD-011.
func OnePage() Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		self := Matching("_links.self.href", "a link", func(s string) bool { return s != "" })
		if o := self.judge(r); o.failed {
			return o
		}
		return Absent("_links.next").judge(r)
	}}
}

// Accepted fails unless each of the exchanges was answered with 201.
// Rule SUB-LIMIT-050.
func Accepted(all []transcript.Exchange) Outcome {
	for i, x := range all {
		if o := Response(x, Status(201)); o.failed {
			o.Actual += " to request " + ordinal(i+1, len(all))
			return o
		}
	}
	return Pass
}

// Granted is how many of the exchanges succeeded.
func Granted(all []transcript.Exchange) int {
	granted := 0
	for _, x := range all {
		if x.Response != nil && x.Response.Status/100 == 2 {
			granted++
		}
	}
	return granted
}

// GrantedAtMost fails if more than so many of the exchanges succeeded, or one
// that did not was answered with anything but 403. Rule SUB-LIMIT-051.
func GrantedAtMost(all []transcript.Exchange, most int) Outcome {
	for _, x := range all {
		if x.Response != nil && x.Response.Status/100 == 2 {
			continue
		}
		if o := Response(x, Status(403)); o.failed {
			return o
		}
	}
	if granted := Granted(all); granted > most {
		return Fail("at most %d of %s granted", most, count(len(all), "request")).Got("%d", granted)
	}
	return Pass
}

// DifferentIDs fails if two of the answers carry the same id.
// Rule SUB-CRUD-002.
func DifferentIDs(all []transcript.Exchange) Outcome {
	seen := map[string]bool{}
	for _, x := range all {
		if o := Response(x, Success()); o.failed {
			return o
		}
		id := gjson.GetBytes(x.Response.Body, "id").String()
		if seen[id] {
			return Fail("an id of its own for each of %s", count(len(all), "subscription")).Got("%q twice", id)
		}
		seen[id] = true
	}
	return Pass
}
