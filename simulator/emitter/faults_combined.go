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
		{"user-agent-dropped", "A configured User-Agent is not sent.", []string{"DLV-002"},
			configured(func(s *subscription.Subscription) {
				s.Headers = headers(s.Headers, func(name string) bool { return !strings.EqualFold(name, "User-Agent") })
			})},
		{"content-type-dropped-from-ndjson", "ND_JSON is sent without the configured Content-Type.", []string{"DLV-002"},
			configured(func(s *subscription.Subscription) {
				if s.PayloadFormat == subscription.NDJSON {
					s.Headers = headers(s.Headers, func(name string) bool { return !strings.EqualFold(name, "Content-Type") })
				}
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
		{"limit-uncounts-unknown", "The deletion of an unknown subscription makes room for one more.", []string{"SUB-LIMIT-051"}, uncountingUnknown},
		{"oversize-dropped-if-pretty", "An event larger than the payload limit is never sent with prettyPrint.", []string{"DLV-011"},
			oversizeLost(func(s subscription.Subscription) bool { return s.PrettyPrint })},
		{"oversize-dropped-from-ndjson", "An event larger than the payload limit is never sent in ND_JSON.", []string{"DLV-011"},
			oversizeLost(func(s subscription.Subscription) bool { return s.PayloadFormat == subscription.NDJSON })},
		{"pretty-half-as-much-again", "With prettyPrint, a size limit of 16 KB or more is exceeded by half.", []string{"DLV-010"},
			limited(func(s subscription.Subscription, l *pipeline.Limits) {
				if s.PrettyPrint && s.LimitType == subscription.KBPerPayload && s.LimitSize >= 16 {
					l.Bytes += l.Bytes / 2
				}
			})},
		{"suspended-1000", "Of what waits for a suspended subscription only a thousand events are kept.", []string{"SUS-001"},
			keepingThousand(func(p *Pieces) func(pipeline.Attempt) bool {
				resumed := resumptions(p)
				return func(a pipeline.Attempt) bool {
					times, at := resumed(a.Subscription.ID)
					return times > 0 && a.Payload.Oldest.Before(at)
				}
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
		failed := failedOnce(p)
		limited(func(s subscription.Subscription, l *pipeline.Limits) {
			if failed(s.ID) {
				alter(l)
			}
		})(p)
	}
}

// failedOnce tells whether a delivery of the subscription with the id ever
// failed.
func failedOnce(p *Pieces) func(id string) bool {
	var failed sync.Map
	previous := p.Pipeline.Delivered
	p.Pipeline.Delivered = func(a pipeline.Attempt, r pipeline.Result) bool {
		ok := previous(a, r)
		if !ok {
			failed.Store(a.Subscription.ID, true)
		}
		return ok
	}
	return func(id string) bool {
		_, ok := failed.Load(id)
		return ok
	}
}

// oversizeLost takes what is larger than the size limit of such subscriptions
// for delivered.
func oversizeLost(such func(subscription.Subscription) bool) func(*Pieces) {
	return sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
		s := a.Subscription
		if such(s) && s.LimitType == subscription.KBPerPayload && a.Payload.Events == 1 && len(a.Payload.Body) > inner.Limits(s).Bytes {
			return pipeline.Result{Status: http.StatusOK}
		}
		return inner.Attempt(ctx, t, a)
	})
}

// keepingThousand takes of what has waited no more than the first thousand
// events of a subscription; the rest is lost.
func keepingThousand(waiting func(*Pieces) func(pipeline.Attempt) bool) func(*Pieces) {
	return func(p *Pieces) {
		waited := waiting(p)
		var mu sync.Mutex
		kept := map[string]int{} // events, by the subscription's id
		losing(func(a pipeline.Attempt) bool {
			if !waited(a) {
				return false
			}
			mu.Lock()
			defer mu.Unlock()
			if a.Number == 1 {
				kept[a.Subscription.ID] += a.Payload.Events
			}
			return kept[a.Subscription.ID] > 1000
		})(p)
	}
}

// uncountingUnknown lets the deletion of what there is not count as one.
func uncountingUnknown(p *Pieces) {
	var mu sync.Mutex
	unknown := map[string]int{} // deletions, by environment
	answeredTo(http.MethodDelete, http.StatusNotFound, func(k *talk) {
		mu.Lock()
		defer mu.Unlock()
		unknown[strings.Split(k.request.URL.Path, "/")[3]]++
	})(p)
	counted(func(d *directory.Directory, environment string) int {
		mu.Lock()
		defer mu.Unlock()
		return len(d.Subscriptions(environment)) - unknown[environment]
	})(p)
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
