package emitter

import (
	"strconv"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// eventFaults are those of what stands in a delivered event.
func eventFaults() []Fault {
	return []Fault{
		{"ids-repeated", "All events have the same id.", []string{"EVT-001"},
			altered(func(r *event.Record) { set(r, "id", "11111111-1111-4111-8111-111111111111") })},
		{"recorded-at-local", "recordedAt is a local time, not UTC.", []string{"EVT-002"},
			altered(func(r *event.Record) { set(r, "recordedAt", local(r.RecordedAt)) })},
		{"status-missing", "An event has no result.status.", []string{"EVT-005"}, altered(remove("result.status"))},
		{"resources-missing", "An event has no resources.", []string{"EVT-006"}, altered(remove("resources"))},
		{"population-missing", "The user acted on has no population.", []string{"EVT-007"}, altered(remove("resources.0.population"))},
		{"tags-missing", "Tagged events have no tags.", []string{"EVT-017"}, altered(remove("tags"))},

		{"ids-per-subscription", "An event has another id for every subscription it goes to.", []string{"EVT-018"},
			shaped(func(s *subscription.Subscription, r *event.Record) {
				set(r, "id", uuid.NewSHA1(uuid.NameSpaceOID, []byte(s.ID+r.ID)).String())
				remove("correlationId")(r)
			})},
		{"id-missing", "An event has no id.", []string{"EVT-001"}, altered(remove("id"))},
		{"id-empty", "The id of an event is empty.", []string{"EVT-001"}, altered(func(r *event.Record) { set(r, "id", "") })},
		{"recorded-at-missing", "An event has no recordedAt.", []string{"EVT-002"}, altered(remove("recordedAt"))},
		{"recorded-at-in-milliseconds", "recordedAt is a number of milliseconds.", []string{"EVT-002"},
			altered(func(r *event.Record) { set(r, "recordedAt", r.RecordedAt.UnixMilli()) })},
		{"recorded-at-zoneless", "recordedAt has no time zone.", []string{"EVT-002"},
			altered(func(r *event.Record) { set(r, "recordedAt", r.RecordedAt.UTC().Format("2006-01-02T15:04:05.000")) })},
		{"type-folded", "action.type stands in lower case.", []string{"EVT-003"},
			altered(func(r *event.Record) { set(r, "action.type", strings.ToLower(r.Type)) })},
		{"type-missing", "An event has no action.type.", []string{"EVT-003"}, altered(remove("action.type"))},
		{"description-missing", "An event has no action.description.", []string{"EVT-004"}, altered(remove("action.description"))},
		{"status-as-boolean", "result.status is true or false.", []string{"EVT-005"}, altered(func(r *event.Record) { set(r, "result.status", true) })},
		{"resources-as-object", "resources is one object.", []string{"EVT-006"},
			altered(func(r *event.Record) { set(r, "resources", gjson.Get(r.Body, "resources.0").Value()) })},
		{"resource-type-missing", "A resource has no type.", []string{"EVT-006"}, altered(remove("resources.0.type"))},
		{"resource-elsewhere", "A resource is of another environment.", []string{"EVT-008"},
			altered(func(r *event.Record) { set(r, "resources.0.environment.id", someoneElse) })},
		{"client-missing", "An event does not tell the client that caused it.", []string{"EVT-009"}, altered(remove("actors.client"))},
		{"client-nameless", "The client that caused an event has no name.", []string{"EVT-009"}, altered(remove("actors.client.name"))},
		{"client-called-user", "The client that caused an event is called a user.", []string{"EVT-009"},
			altered(func(r *event.Record) { set(r, "actors.client.type", "USER") })},
		{"correlation-missing", "An event has no correlationId.", []string{"EVT-011"}, altered(remove("correlationId"))},
		{"correlation-number", "correlationId is a number.", []string{"EVT-011"}, altered(func(r *event.Record) { set(r, "correlationId", 17) })},
		{"tags-as-text", "The tags of an event are one text.", []string{"EVT-017"},
			altered(func(r *event.Record) {
				if len(r.Tags) > 0 {
					set(r, "tags", strings.Join(r.Tags, ","))
				}
			})},

		{"ip-leaked-elsewhere", "The IP address is delivered unasked, in the description of the result.", []string{"EVT-012"},
			altered(func(r *event.Record) { set(r, "result.description", "from "+r.IPAddress) })},
		{"user-agent-leaked-elsewhere", "The user agent is delivered unasked, with the client.", []string{"EVT-013"},
			altered(func(r *event.Record) { set(r, "actors.client.agent", r.UserAgent) })},
		{"ip-brings-agent", "Exposing the IP address exposes the user agent.", []string{"EVT-016", "EVT-013"},
			exposed(func(s *subscription.Subscription) { s.ExposeUserAgent = s.ExposeUserAgent || s.ExposeIP })},
		{"agent-brings-ip", "Exposing the user agent exposes the IP address.", []string{"EVT-016", "EVT-012"},
			exposed(func(s *subscription.Subscription) { s.ExposeIP = s.ExposeUserAgent || s.ExposeIP })},
		{"agent-needs-ip", "The user agent is delivered only together with the IP address.", []string{"EVT-016", "EVT-014"},
			exposed(func(s *subscription.Subscription) { s.ExposeUserAgent = s.ExposeUserAgent && s.ExposeIP })},
		{"ip-needs-agent", "The IP address is delivered only together with the user agent.", []string{"EVT-016", "EVT-015"},
			exposed(func(s *subscription.Subscription) { s.ExposeIP = s.ExposeUserAgent && s.ExposeIP })},
		{"opt-ins-swapped", "Each opt-in exposes what the other is for.", []string{"EVT-012", "EVT-013", "EVT-014", "EVT-015"},
			exposed(func(s *subscription.Subscription) { s.ExposeIP, s.ExposeUserAgent = s.ExposeUserAgent, s.ExposeIP })},

		{"ids-per-environment", "No other event of its environment has an event's id; one of another may.", []string{"EVT-001"}, idsPerEnvironment},
		{"ip-leaked", "The IP address is delivered unasked.", []string{"EVT-012"},
			exposed(func(s *subscription.Subscription) { s.ExposeIP = true })},
		{"user-agent-leaked", "The user agent is delivered unasked.", []string{"EVT-013"},
			exposed(func(s *subscription.Subscription) { s.ExposeUserAgent = true })},
		{"ip-missing", "The IP address is not delivered when asked for.", []string{"EVT-015"},
			exposed(func(s *subscription.Subscription) { s.ExposeIP = false })},
		{"user-agent-missing", "The user agent is not delivered when asked for.", []string{"EVT-014"},
			exposed(func(s *subscription.Subscription) { s.ExposeUserAgent = false })},
		{"opt-ins-coupled", "Exposing one of IP address and user agent exposes both.", []string{"EVT-016"},
			exposed(func(s *subscription.Subscription) {
				both := s.ExposeIP || s.ExposeUserAgent
				s.ExposeIP, s.ExposeUserAgent = both, both
			})},
	}
}

// idsPerEnvironment counts the events of each environment that the first client
// causes, and makes ids of the numbers.
func idsPerEnvironment(p *Pieces) {
	var mu sync.Mutex
	numbers := map[string]map[string]int{} // by environment and the event's own id
	first := p.Bootstrap.ID
	shaped(func(s *subscription.Subscription, r *event.Record) {
		if gjson.Get(r.Body, "actors.client.id").Str != first {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		own := numbers[s.EnvironmentID]
		if own == nil {
			own = map[string]int{}
			numbers[s.EnvironmentID] = own
		}
		if own[r.ID] == 0 {
			own[r.ID] = len(own) + 1
		}
		set(r, "id", uuid.NewSHA1(uuid.NameSpaceOID, []byte(strconv.Itoa(own[r.ID]))).String())
	})(p)
}

// shaped lets a fault change what an event is shaped from.
func shaped(alter func(*subscription.Subscription, *event.Record)) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.Pipeline.Shape
		p.Pipeline.Shape = func(dst []byte, s subscription.Subscription, r event.Record) []byte {
			alter(&s, &r)
			return previous(dst, s, r)
		}
	}
}

func altered(alter func(*event.Record)) func(*Pieces) {
	return shaped(func(_ *subscription.Subscription, r *event.Record) { alter(r) })
}

func exposed(alter func(*subscription.Subscription)) func(*Pieces) {
	return shaped(func(s *subscription.Subscription, _ *event.Record) { alter(s) })
}

func set(r *event.Record, path string, value any) {
	if changed, err := sjson.Set(r.Body, path, value); err == nil {
		r.Body = changed
	}
}

func remove(path string) func(*event.Record) {
	return func(r *event.Record) {
		if changed, err := sjson.Delete(r.Body, path); err == nil {
			r.Body = changed
		}
	}
}
