package emitter

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// combinedFaults are those that show only where several things come together:
// a promise that is kept in the simple case, and broken for one form of the
// body, one size, one setting beside it, or after one thing that happened.
func combinedFaults() []Fault {
	return slices.Concat(combinedFilterFaults(), combinedHeaderFaults(), combinedFormatFaults(), combinedLimitFaults(), combinedTimeFaults())
}

func combinedFilterFaults() []Fault {
	return []Fault{
		{"two-by-two-or", "Of several applications and several populations one match is enough.", []string{"FLT-005"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				if len(f.Applications) > 1 && len(f.Populations) > 1 && overlap(f.Applications, r.Applications) {
					f.Populations = nil
				}
				return match(f, r)
			})},
		{"tag-ignored-beside-application", "The tag filter is ignored beside a filter by application.", []string{"FLT-012"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				if len(f.Applications) > 0 {
					f.Tags = nil
				}
				return match(f, r)
			})},
		{"more-than-20-types-are-all", "More than twenty included types bring every type.", []string{"FLT-002"},
			matched(func(match match, f pipeline.Filter, r event.Record) bool {
				if len(f.Types) > 20 {
					f.Types = []string{r.Type}
				}
				return match(f, r)
			})},
	}
}

func combinedHeaderFaults() []Fault {
	return []Fault{
		{"five-headers-only", "Of the configured headers only five are sent.", []string{"DLV-002"},
			configured(func(s *subscription.Subscription) {
				names := slices.Sorted(maps.Keys(s.Headers))
				first := names[:min(5, len(names))]
				s.Headers = headers(s.Headers, func(name string) bool { return slices.Contains(first, name) })
			})},
		{"authorization-dropped-from-ndjson", "ND_JSON is sent without the configured Authorization header.", []string{"DLV-003"},
			configured(func(s *subscription.Subscription) {
				if s.PayloadFormat == subscription.NDJSON {
					s.Headers = headers(s.Headers, func(name string) bool { return !strings.EqualFold(name, "Authorization") })
				}
			})},
	}
}

func combinedFormatFaults() []Fault {
	return []Fault{
		{"ip-in-splunk", "Splunk records tell the IP address unasked.", []string{"EVT-012"},
			exposed(func(s *subscription.Subscription) { s.ExposeIP = s.ExposeIP || s.Format == subscription.Splunk })},
		{"agent-in-newrelic", "New Relic records tell the user agent unasked.", []string{"EVT-013"},
			exposed(func(s *subscription.Subscription) {
				s.ExposeUserAgent = s.ExposeUserAgent || s.Format == subscription.NewRelic
			})},
		{"user-agent-in-ascii", "Of the user agent only ASCII characters are delivered.", []string{"EVT-014"},
			altered(func(r *event.Record) {
				r.UserAgent = strings.Map(func(c rune) rune {
					if c < 0x80 {
						return c
					}
					return -1
				}, r.UserAgent)
			})},
	}
}

func combinedLimitFaults() []Fault {
	return []Fault{
		{"limit-changed-uncounted", "Subscriptions that were changed do not count towards the limit.", []string{"SUB-LIMIT-051"},
			counted(func(d *directory.Directory, environment string) int {
				n := 0
				for _, s := range d.Subscriptions(environment) {
					if s.UpdatedAt.IsZero() {
						n++
					}
				}
				return n
			})},
		{"catch-up-doubled", "After a failure, payloads carry twice as many events.", []string{"DLV-007"},
			afterFailure(func(l *pipeline.Limits) { l.Events *= 2 })},
	}
}

func combinedTimeFaults() []Fault {
	given := func(such func(pipeline.Attempt) bool) func(*Pieces) {
		return decided(func(a pipeline.Attempt, r pipeline.Result) bool {
			return r.Status == http.StatusInternalServerError && such(a)
		})
	}
	return []Fault{
		{"give-up-ndjson", "ND_JSON that was answered with 500 is given up.", []string{"RTY-001"},
			given(func(a pipeline.Attempt) bool { return a.Subscription.PayloadFormat == subscription.NDJSON })},
		{"give-up-large", "A body of more than 200 KB that was answered with 500 is given up.", []string{"RTY-001"},
			given(func(a pipeline.Attempt) bool { return len(a.Payload.Body) > 200*limits.BytesPerKB })},
		{"lost-on-move", "What waits for a failing receiver is lost when the URL is changed.", []string{"RTY-007"}, lostOnMove},
		{"hold-with-key", "With a client key, events are held two and a half seconds longer.", []string{"DLV-012"},
			sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
				if a.Subscription.KeyID != "" && a.Number == 1 {
					select {
					case <-time.After(limits.Hold + 500*time.Millisecond):
					case <-ctx.Done():
					}
				}
				return inner.Attempt(ctx, t, a)
			})},
		{"disabled-once", "A subscription that was disabled and enabled cannot be disabled again.", []string{"DLV-020"}, disabledOnce},
	}
}

// afterFailure lets a fault change the limits of subscriptions that ever had a
// delivery fail.
func afterFailure(alter func(*pipeline.Limits)) func(*Pieces) {
	return func(p *Pieces) {
		var failed sync.Map // by the subscription's id
		limited(func(s subscription.Subscription, l *pipeline.Limits) {
			if _, ok := failed.Load(s.ID); ok {
				alter(l)
			}
		})(p)
		delivered := p.Pipeline.Delivered
		p.Pipeline.Delivered = func(a pipeline.Attempt, r pipeline.Result) bool {
			ok := delivered(a, r)
			if !ok {
				failed.Store(a.Subscription.ID, true)
			}
			return ok
		}
	}
}

// lostOnMove takes a payload for delivered if its URL is another than that of
// the attempt before.
func lostOnMove(p *Pieces) {
	var urls sync.Map // of the last attempt that failed, by the subscription's id
	sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
		if url, failed := urls.LoadAndDelete(a.Subscription.ID); failed && url != a.Subscription.URL {
			return pipeline.Result{Status: http.StatusOK}
		}
		r := inner.Attempt(ctx, t, a)
		if !inner.Delivered(a, r) {
			urls.Store(a.Subscription.ID, a.Subscription.URL)
		}
		return r
	})(p)
}

// disabledOnce lets a subscription deliver for ever once it was enabled again.
func disabledOnce(p *Pieces) {
	var off, again sync.Map // by the subscription's id
	previous := p.Pipeline.Active
	p.Pipeline.Active = func(s subscription.Subscription, failures int) bool {
		if !s.Enabled {
			off.Store(s.ID, true)
		} else if _, was := off.Load(s.ID); was {
			again.Store(s.ID, true)
		}
		_, stays := again.Load(s.ID)
		return stays || previous(s, failures)
	}
}
