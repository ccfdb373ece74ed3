package emitter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// laterFaults are those that do not show at once: a promise is kept at first,
// and broken after a success, on another connection, after a change or a
// suspension, or on a path beside the usual one.
func laterFaults() []Fault {
	return slices.Concat(laterTLSFaults(), laterDeliveryFaults(), resumedFaults(), besideFaults())
}

func laterDeliveryFaults() []Fault {
	return []Fault{
		{"auth-until-success", "The configured Authorization header is sent until a first delivery has succeeded.", []string{"DLV-003"},
			onceDone(func(s *subscription.Subscription) {
				s.Headers = headers(s.Headers, func(name string) bool { return !strings.EqualFold(name, "Authorization") })
			})},
		{"auth-remembered", "The Authorization header stays as it was at the first delivery.", []string{"DLV-003"},
			func(p *Pieces) {
				var first sync.Map // by the subscription's id
				configured(func(s *subscription.Subscription) {
					value, ok := s.Headers["Authorization"]
					if kept, _ := first.LoadOrStore(s.ID, value); ok {
						s.Headers = maps.Clone(s.Headers)
						s.Headers["Authorization"], _ = kept.(string)
					}
				})(p)
			}},
		{"headers-until-success", "Configured headers are sent until a first delivery has succeeded.", []string{"DLV-002", "DLV-003"},
			onceDone(func(s *subscription.Subscription) { s.Headers = nil })},
		{"pretty-once", "A payload that is sent again is not indented.", []string{"DLV-014"},
			attempted(func(a *pipeline.Attempt) {
				var flat bytes.Buffer
				if a.Number > 1 && a.Subscription.PrettyPrint && json.Compact(&flat, a.Payload.Body) == nil {
					a.Payload.Body = flat.Bytes()
				}
			})},
		{"refused-after-success", "A delivery whose connection is refused is given up if one has succeeded before.", []string{"RTY-003"},
			func(p *Pieces) {
				done := succeeded(p)
				decided(func(a pipeline.Attempt, r pipeline.Result) bool {
					return errors.Is(r.Err, syscall.ECONNREFUSED) && done(a.Subscription.ID)
				})(p)
			}},
		{"last-overtaken", "Every second time, a payload that is sent again brings a later event in the place of its last.", []string{"RTY-006"}, lastOvertaken},
		{"hold-after-four-seconds", "After four seconds without a delivery, events are held half a second too long.", []string{"DLV-012"}, heldAfterAPause},
		{"hold-after-change", "Events of a subscription that was changed are held half a second too long.", []string{"DLV-012"},
			heldIf(func(s subscription.Subscription) bool { return !s.UpdatedAt.IsZero() })},
		{"hold-after-move", "Events of a subscription whose URL was changed are held half a second too long.", []string{"DLV-012"},
			func(p *Pieces) {
				moved := replacements(p, func(old, next subscription.Subscription) bool { return old.URL != next.URL })
				heldIf(func(s subscription.Subscription) bool { times, _ := moved(s.ID); return times > 0 })(p)
			}},
		{"hold-splunk", "Events in the format SPLUNK are held half a second too long.", []string{"DLV-012"},
			heldIf(func(s subscription.Subscription) bool { return s.Format == subscription.Splunk })},
		{"ndjson-unfiltered", "ND_JSON has what the filters keep out as well.", []string{"FLT-002", "FLT-005"},
			func(p *Pieces) {
				log := p.Log
				sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
					if a.Subscription.PayloadFormat == subscription.NDJSON {
						if all := everything(ctx, log, inner, a); all != nil {
							a.Payload.Body = all
						}
					}
					return inner.Attempt(ctx, t, a)
				})(p)
			}},
		{"opt-ins-in-arrays", "What is to be exposed is exposed in compact arrays only.", []string{"EVT-014", "EVT-015"},
			exposed(func(s *subscription.Subscription) {
				if s.PayloadFormat == subscription.NDJSON || s.PrettyPrint {
					s.ExposeIP, s.ExposeUserAgent = false, false
				}
			})},
	}
}

// resumedFaults are those of subscriptions that were, or are, suspended.
func resumedFaults() []Fault {
	return []Fault{
		{"hold-after-suspension", "Events of a subscription that was enabled again are held half a second too long.", []string{"DLV-012"},
			func(p *Pieces) {
				resumed := resumptions(p)
				heldIf(func(s subscription.Subscription) bool { times, _ := resumed(s.ID); return times > 0 })(p)
			}},
		{"catch-up-unlimited", "What waited for a suspended subscription is delivered without its payload limit.", []string{"DLV-008", "DLV-010"},
			func(p *Pieces) {
				resumed := resumptions(p)
				limited(func(s subscription.Subscription, l *pipeline.Limits) {
					if times, _ := resumed(s.ID); times > 0 {
						*l = pipeline.LimitsOf(subscription.Subscription{})
					}
				})(p)
			}},
		{"suspended-once", "What waits while a subscription is suspended a second time is lost.", []string{"SUS-001"},
			func(p *Pieces) {
				resumed := resumptions(p)
				losing(func(a pipeline.Attempt) bool {
					times, at := resumed(a.Subscription.ID)
					return times > 1 && a.Payload.Oldest.Before(at)
				})(p)
			}},
		{"suspended-change-forgets", "What waits for a suspended subscription is lost when that is changed.", []string{"SUS-001"},
			func(p *Pieces) {
				changed := changedSuspended(p)
				losing(func(a pipeline.Attempt) bool {
					at, ok := changed(a.Subscription.ID)
					return ok && a.Payload.Oldest.Before(at)
				})(p)
			}},
		{"suspended-change-delivers", "A suspended subscription delivers from a change on that leaves it suspended.", []string{"SUS-003", "DLV-020"},
			func(p *Pieces) {
				changed, previous := changedSuspended(p), p.Pipeline.Active
				p.Pipeline.Active = func(s subscription.Subscription, failures int) bool {
					_, ok := changed(s.ID)
					return ok || previous(s, failures)
				}
			}},
	}
}

// besideFaults are those of requests that are no usual ones.
func besideFaults() []Fault {
	return []Fault{
		{"put-masks-authorization", "Once a subscription was replaced, a GET masks the value of Authorization.", []string{"SUB-CRUD-026"},
			read(func(k *talk) {
				if k.get("updatedAt").Exists() && k.get("httpEndpoint.headers.Authorization").Exists() {
					k.set("httpEndpoint.headers.Authorization", "********")
					k.set("connectionDetails.headers.Authorization", "********")
				}
			})},
		{"self-in-creations", "Only the answer to a creation links to the subscription.", []string{"SUB-CRUD-005"},
			one(func(k *talk) {
				if k.answer.status != http.StatusCreated {
					k.drop("_links.self")
				}
			})},
		{"keys-for-anybody", "Keys and certificates are taken without a token.", []string{"AUT-001"}, talking(func(k *talk) {
			if k.refused(http.StatusUnauthorized) && k.anonymous() && (k.to(http.MethodPost, "/keys") || k.to(http.MethodPost, "/certificates")) {
				k.askAgain(func(*http.Request) {})
			}
		})},
		{"test-for-anybody", "A connection is tested without a token, or with one that lacks the right.", []string{"AUT-001", "AUT-002", "AUT-003"}, talking(func(k *talk) {
			test := strings.HasPrefix(k.request.Header.Get("Content-Type"), "application/vnd.pingidentity.subscription.test+json")
			if test && (k.refused(http.StatusUnauthorized) || k.lacks()) {
				k.askAgain(func(*http.Request) {})
			}
		})},
	}
}

// succeeded tells whether a delivery of the subscription with the id was taken
// before.
func succeeded(p *Pieces) func(id string) bool {
	var taken sync.Map
	previous := p.Pipeline.Delivered
	p.Pipeline.Delivered = func(a pipeline.Attempt, r pipeline.Result) bool {
		ok := previous(a, r)
		if ok {
			taken.Store(a.Subscription.ID, true)
		}
		return ok
	}
	return func(id string) bool {
		_, ok := taken.Load(id)
		return ok
	}
}

// onceDone lets a fault change how a subscription is delivered after a success.
func onceDone(alter func(*subscription.Subscription)) func(*Pieces) {
	return func(p *Pieces) {
		done := succeeded(p)
		configured(func(s *subscription.Subscription) {
			if done(s.ID) {
				alter(s)
			}
		})(p)
	}
}

// heldIf holds the events of such subscriptions too long.
func heldIf(such func(subscription.Subscription) bool) func(*Pieces) {
	return sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
		if a.Number == 1 && such(a.Subscription) {
			pause(ctx, limits.Hold+500*time.Millisecond)
		}
		return inner.Attempt(ctx, t, a)
	})
}

// heldAfterAPause holds the events of subscriptions that had nothing to deliver
// for four seconds.
func heldAfterAPause(p *Pieces) {
	var last sync.Map // delivery, by the subscription's id
	sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
		if at, ok := last.Load(a.Subscription.ID); ok && a.Number == 1 && time.Since(at.(time.Time)) > 4*time.Second {
			pause(ctx, limits.Hold+500*time.Millisecond)
		}
		r := inner.Attempt(ctx, t, a)
		last.Store(a.Subscription.ID, time.Now())
		return r
	})(p)
}

// lastOvertaken puts, every second time, the event after the payload in the
// place of its last one; that does not count as delivered.
func lastOvertaken(p *Pieces) {
	log := p.Log
	sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
		s, all := a.Subscription, gjson.ParseBytes(a.Payload.Body)
		if a.Number%2 == 1 || !all.IsArray() {
			return inner.Attempt(ctx, t, a)
		}
		next := gjson.ParseBytes(gather(ctx, log, inner, s, pipeline.FilterOf(s), stretch{environment: s.EnvironmentID, from: a.Payload.Next})).Array()
		if len(next) == 0 {
			return inner.Attempt(ctx, t, a)
		}
		records := all.Array()
		a.Payload.Body = array(append(records[:len(records)-1], next[0]))
		if r := inner.Attempt(ctx, t, a); !inner.Delivered(a, r) {
			return r
		}
		return pipeline.Result{Err: errOvertaken}
	})(p)
}

var errOvertaken = errors.New("an event has overtaken another")

// losing takes such payloads for delivered without sending them.
func losing(such func(pipeline.Attempt) bool) func(*Pieces) {
	return sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
		if such(a) {
			return pipeline.Result{Status: http.StatusOK}
		}
		return inner.Attempt(ctx, t, a)
	})
}

// resumptions tells how often the subscription with the id was enabled again,
// and when for the last time.
func resumptions(p *Pieces) func(id string) (times int, at time.Time) {
	return replacements(p, func(old, next subscription.Subscription) bool { return !old.Enabled && next.Enabled })
}

// changedSuspended tells when the subscription with the id was last changed
// while it was suspended and stayed so.
func changedSuspended(p *Pieces) func(id string) (at time.Time, ok bool) {
	changed := replacements(p, func(old, next subscription.Subscription) bool { return !old.Enabled && !next.Enabled })
	return func(id string) (time.Time, bool) {
		times, at := changed(id)
		return at, times > 0
	}
}

// replacements counts the replacements of this kind, and tells when the last
// of them was.
func replacements(p *Pieces, such func(old, next subscription.Subscription) bool) func(id string) (int, time.Time) {
	var mu sync.Mutex
	times, last := map[string]int{}, map[string]time.Time{}
	p.Directory.Replace = replaced(p.Directory.Replace, func(old, next subscription.Subscription, _ *subscription.Subscription) {
		mu.Lock()
		defer mu.Unlock()
		if such(old, next) {
			times[old.ID]++
			last[old.ID] = next.UpdatedAt
		}
	})
	return func(id string) (int, time.Time) {
		mu.Lock()
		defer mu.Unlock()
		return times[id], last[id]
	}
}
