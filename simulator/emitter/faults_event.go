package emitter

import (
	"time"

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
			altered(func(r *event.Record) {
				zone := time.FixedZone("", 2*60*60)
				set(r, "recordedAt", r.RecordedAt.In(zone).Format("2006-01-02T15:04:05.000-07:00"))
			})},
		{"status-missing", "An event has no result.status.", []string{"EVT-005"}, altered(remove("result.status"))},
		{"resources-missing", "An event has no resources.", []string{"EVT-006"}, altered(remove("resources"))},
		{"population-missing", "The user acted on has no population.", []string{"EVT-007"}, altered(remove("resources.0.population"))},
		{"tags-missing", "Tagged events have no tags.", []string{"EVT-017"}, altered(remove("tags"))},

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

func set(r *event.Record, path, value string) {
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
