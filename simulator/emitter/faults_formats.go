package emitter

import (
	"context"
	"net/http"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// formatFaults are those of the formats beside the service's own.
func formatFaults() []Fault {
	own := func(s subscription.Subscription) bool {
		return s.Format == "" || s.Format == subscription.Activity
	}
	return []Fault{
		{"splunk-bare", "A Splunk record is the bare event.", []string{"FMT-S01", "FMT-X02"},
			recorded(subscription.Splunk, func(record string) string { return gjson.Get(record, "event").Raw })},
		{"splunk-text", "The event of a Splunk record is a text.", []string{"FMT-S01"},
			recorded(subscription.Splunk, func(record string) string {
				text, err := sjson.Set(record, "event", gjson.Get(record, "event").Raw)
				if err != nil {
					return record
				}
				return text
			})},
		{"newrelic-ids-missing", "New Relic records have no event ids.", []string{"FMT-N01"},
			recorded(subscription.NewRelic, func(record string) string {
				without, err := sjson.Delete(record, "event.id")
				if err != nil {
					return record
				}
				return without
			})},
		{"newrelic-text", "New Relic records are lines of text.", []string{"FMT-N01"},
			recorded(subscription.NewRelic, func(record string) string { return "event=" + gjson.Get(record, "event").Raw })},

		{"formats-never-pretty", "Formats other than ACTIVITY ignore prettyPrint.", []string{"DLV-014"},
			func(p *Pieces) {
				flat := func(s *subscription.Subscription) { s.PrettyPrint = s.PrettyPrint && own(*s) }
				exposed(flat)(p)
				framed(flat)(p)
			}},
		{"formats-never-lines", "Formats other than ACTIVITY come in arrays although ND_JSON was asked for.", []string{"DLV-016"},
			framed(func(s *subscription.Subscription) {
				if !own(*s) {
					s.PayloadFormat = subscription.JSONArray
				}
			})},
		{"formats-unfiltered", "Formats other than ACTIVITY ignore filters by population.", []string{"FMT-X01"},
			func(p *Pieces) { unfiltered(p, func(s subscription.Subscription) bool { return !own(s) }) }},
		{"formats-unlimited", "Formats other than ACTIVITY ignore the payload limit.", []string{"FMT-X01"},
			limited(func(s subscription.Subscription, l *pipeline.Limits) {
				if !own(s) {
					*l = pipeline.LimitsOf(subscription.Subscription{})
				}
			})},
		{"envelope-uncounted", "The size limit does not count the envelope of a format.", []string{"FMT-X01"},
			limited(func(s subscription.Subscription, l *pipeline.Limits) {
				if !own(s) && l.Events == 0 {
					l.Bytes += 64
				}
			})},
		{"formats-without-headers", "Formats other than ACTIVITY are sent without the configured headers.", []string{"FMT-X01"},
			configured(func(s *subscription.Subscription) {
				if !own(*s) {
					s.Headers = nil
				}
			})},
		{"formats-without-retry", "A failed delivery in a format other than ACTIVITY is given up.", []string{"FMT-X01"},
			decided(func(a pipeline.Attempt, _ pipeline.Result) bool { return !own(a.Subscription) })},
	}
}

// recorded lets a fault rewrite the compact records of one format.
func recorded(format string, rewrite func(string) string) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.Pipeline.Shape
		p.Pipeline.Shape = func(dst []byte, s subscription.Subscription, r event.Record) []byte {
			if s.Format != format {
				return previous(dst, s, r)
			}
			return append(dst, rewrite(string(previous(nil, s, r)))...)
		}
	}
}

// everything is a body of all that happened from the beginning of the
// subscription up to the end of the payload, whatever its filters; nil if that
// is nothing.
func everything(ctx context.Context, log pipeline.Log, p pipeline.Pieces, a pipeline.Attempt) []byte {
	s := a.Subscription
	p.Match = func(pipeline.Filter, event.Record) bool { return true }
	return gather(ctx, log, p, s, pipeline.Filter{},
		stretch{environment: s.EnvironmentID, from: auditlog.Position{Sequence: s.StartAfter + 1}, until: a.Payload.Next})
}

// unfiltered makes such subscriptions send, before every payload, what their
// filters other than that by type keep out.
func unfiltered(p *Pieces, such func(subscription.Subscription) bool) {
	log := p.Log
	sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
		s := a.Subscription
		if !such(s) {
			return inner.Attempt(ctx, t, a)
		}
		all := a
		all.Payload.Body = gather(ctx, log, inner, s, pipeline.Filter{Types: s.ActionTypes},
			stretch{environment: s.EnvironmentID, from: auditlog.Position{Sequence: s.StartAfter + 1}, until: a.Payload.Next})
		inner.Attempt(ctx, t, all)
		return inner.Attempt(ctx, t, a)
	})(p)
}
