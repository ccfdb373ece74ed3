package judge

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// adminIdentity is the only documented tag of an event.
const adminIdentity = "adminIdentityEvent"

// EveryArrival judges every event that reached the endpoint, whoever caused
// it; an endpoint that none has reached fails.
func EveryArrival(t *transcript.Transcript, endpoint string, judge func(event gjson.Result) Outcome) Outcome {
	return every(t, endpoint, Arrivals(t, endpoint), judge)
}

// EveryEvent judges every event of the scenario that reached the endpoint;
// an endpoint that none has reached fails. Events that somebody else caused
// in an environment that is shared are not the scenario's business.
func EveryEvent(t *transcript.Transcript, endpoint string, judge func(event gjson.Result) Outcome) Outcome {
	caused := t.Caused()
	own := slices.DeleteFunc(Arrivals(t, endpoint), func(a Arrival) bool {
		return !slices.ContainsFunc(caused, func(c transcript.Caused) bool { return Is(a.Event, c) })
	})
	return every(t, endpoint, own, judge)
}

func every(t *transcript.Transcript, endpoint string, arrivals []Arrival, judge func(event gjson.Result) Outcome) Outcome {
	if len(arrivals) == 0 {
		return Fail("events at receiver %q", endpoint).Got("%s", Arrived(t, endpoint))
	}
	for _, a := range arrivals {
		if o := judge(a.Event); o.failed {
			o.Actual += " in event " + cut(a.Event.Raw)
			return o
		}
	}
	return Pass
}

// DistinctIDs fails unless every event has an id that is a string and not
// empty, no two caused events have the same, and no delivery holds an id
// twice. The same id in several deliveries is a redelivery. Rule EVT-001.
func DistinctIDs(t *transcript.Transcript, endpoint string) Outcome {
	if o := EveryArrival(t, endpoint, identified); o.failed {
		return o
	}
	for _, d := range t.Deliveries(endpoint) {
		events, err := Events(d)
		if err != nil {
			continue
		}
		seen := map[string]bool{}
		for _, e := range events {
			id := e.Get("id").Str
			if seen[id] {
				return Fail("every id once in a delivery").Got("id %s twice in delivery %d", id, d.Seq)
			}
			seen[id] = true
		}
	}
	owner := map[string]string{}
	for _, c := range t.Caused() {
		a, ok := Find(t, endpoint, c)
		if !ok {
			continue
		}
		if other, taken := owner[a.ID()]; taken {
			return Fail("an id that no other event has").Got("id %s both of %s and of %s", a.ID(), other, c.Name)
		}
		owner[a.ID()] = c.Name
	}
	return Pass
}

func identified(event gjson.Result) Outcome {
	if id := event.Get("id"); id.Type != gjson.String || id.Str == "" {
		return Fail("id is a string and not empty").Got("%s", describe(id))
	}
	return Pass
}

// utc is RFC 3339 in UTC with 0 to 9 fraction digits. The letters may be in
// lower case (RFC 3339 section 5.6).
var utc = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]00:00)$`)

// RecordedAt fails unless the event says when it was recorded, in UTC. Rule
// EVT-002.
func RecordedAt(event gjson.Result) Outcome {
	at := event.Get("recordedAt")
	if at.Type != gjson.String || !utc.MatchString(at.Str) {
		return Fail("recordedAt is an RFC 3339 time in UTC with 0 to 9 fraction digits").Got("%s", describe(at))
	}
	if _, err := time.Parse(time.RFC3339Nano, strings.ToUpper(at.Str)); err != nil {
		return Fail("recordedAt is a time that exists").Got("%s", at.Raw)
	}
	return Pass
}

// OfTypes fails unless the event's type is one of these. Rules EVT-003 and
// FLT-002.
func OfTypes(types ...string) func(gjson.Result) Outcome {
	return func(event gjson.Result) Outcome {
		kind := event.Get("action.type")
		if kind.Type != gjson.String || !slices.Contains(types, kind.Str) {
			return Fail("action.type is one of %s", strings.Join(types, ", ")).Got("%s", describe(kind))
		}
		return Pass
	}
}

// Text fails unless the member at the path is a string. Rules EVT-004 and
// EVT-011.
func Text(path string) func(gjson.Result) Outcome {
	return func(event gjson.Result) Outcome {
		if v := event.Get(path); v.Type != gjson.String {
			return Fail("%s is a string", path).Got("%s", describe(v))
		}
		return Pass
	}
}

// Succeeded fails unless the event tells that its action succeeded. Rule
// EVT-005.
func Succeeded(event gjson.Result) Outcome {
	if s := event.Get("result.status"); s.Type != gjson.String || s.Str != "SUCCESS" {
		return Fail(`result.status is "SUCCESS"`).Got("%s", describe(s))
	}
	return Pass
}

// Resources fails unless the event names what it is about. Rule EVT-006.
func Resources(event gjson.Result) Outcome {
	list := event.Get("resources")
	if !list.IsArray() || len(list.Array()) == 0 {
		return Fail("resources is an array that is not empty").Got("%s", cut(describe(list)))
	}
	for i, r := range list.Array() {
		for _, member := range []string{"type", "id"} {
			if v := r.Get(member); v.Type != gjson.String || v.Str == "" {
				return Fail("resources[%d].%s is a string and not empty", i, member).Got("%s", describe(v))
			}
		}
	}
	return Pass
}

// About fails unless the event has a resource of type USER with this id, name
// and id of a population; that is empty where the API does not tell it. Rule
// EVT-007.
func About(event gjson.Result, id, name, population string) Outcome {
	for _, r := range event.Get("resources").Array() {
		if r.Get("type").String() != "USER" || r.Get("id").String() != id {
			continue
		}
		if got := r.Get("name"); got.Str != name {
			return Fail("the user's resource has the name %q", name).Got("%s", describe(got))
		}
		if got := r.Get("population.id"); population != "" && got.Str != population {
			return Fail("the user's resource has population.id %q", population).Got("%s", describe(got))
		}
		return Pass
	}
	return Fail("a resource of type USER with id %s", id).Got("%s", cut(describe(event.Get("resources"))))
}

// InEnvironment fails unless every resource of the event says that it is of
// this environment. Rule EVT-008.
func InEnvironment(id string) func(gjson.Result) Outcome {
	return func(event gjson.Result) Outcome {
		if o := Resources(event); o.failed {
			return o
		}
		for i, r := range event.Get("resources").Array() {
			if got := r.Get("environment.id"); got.Str != id {
				return Fail("resources[%d].environment.id is %q", i, id).Got("%s", describe(got))
			}
		}
		return Pass
	}
}

// ByClient fails unless the event names the API client that caused it; its
// id is compared where it is known. Rule EVT-009.
func ByClient(id string) func(gjson.Result) Outcome {
	return func(event gjson.Result) Outcome {
		client := event.Get("actors.client")
		for _, member := range []string{"id", "name"} {
			if v := client.Get(member); v.Type != gjson.String || v.Str == "" {
				return Fail("actors.client.%s is a string and not empty", member).Got("%s", describe(v))
			}
		}
		if got := client.Get("id").Str; id != "" && got != id {
			return Fail("actors.client.id is %q", id).Got("%q", got)
		}
		if got := client.Get("type"); got.Str != "CLIENT" {
			return Fail(`actors.client.type is "CLIENT"`).Got("%s", describe(got))
		}
		return Pass
	}
}

// Tagged fails unless the event carries the tag of an administrator's
// identity, or, not wanted, unless it does not. Rule EVT-017.
func Tagged(event gjson.Result, wanted bool) Outcome {
	tags := event.Get("tags")
	has := false
	for _, tag := range tags.Array() {
		has = has || tag.Str == adminIdentity
	}
	switch {
	case wanted && (!tags.IsArray() || !has):
		return Fail("tags is an array that holds %q", adminIdentity).Got("%s", describe(tags))
	case !wanted && has:
		return Fail("no tag %q", adminIdentity).Got("%s", describe(tags))
	}
	return Pass
}
