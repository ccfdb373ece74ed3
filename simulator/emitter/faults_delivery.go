package emitter

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// deliveryFaults are those of requests, payloads and their timing.
func deliveryFaults() []Fault {
	return []Fault{
		{"put-instead-of-post", "Deliveries are PUT requests.", []string{"DLV-001"},
			prepared(func(r *http.Request) { r.Method = http.MethodPut })},
		{"query-dropped", "The query of the URL is not sent.", []string{"DLV-001"},
			prepared(func(r *http.Request) { r.URL.RawQuery = "" })},
		{"headers-dropped", "Configured headers other than Authorization are not sent.", []string{"DLV-002"},
			configured(func(s *subscription.Subscription) {
				s.Headers = headers(s.Headers, func(name string) bool { return strings.EqualFold(name, "Authorization") })
			})},
		{"authorization-dropped", "The configured Authorization header is not sent.", []string{"DLV-003"},
			configured(func(s *subscription.Subscription) {
				s.Headers = headers(s.Headers, func(name string) bool { return !strings.EqualFold(name, "Authorization") })
			})},

		{"batch-501", "Without limit a payload carries 501 events.", []string{"DLV-007"},
			limited(func(s subscription.Subscription, l *pipeline.Limits) {
				if s.LimitType == "" {
					l.Events++
				}
			})},
		{"batch-over-count", "A payload carries one event more than configured.", []string{"DLV-008", "DLV-009"},
			limited(func(s subscription.Subscription, l *pipeline.Limits) {
				if s.LimitType == subscription.EventsPerPayload {
					l.Events++
				}
			})},
		{"size-over", "A payload is twice as large as configured.", []string{"DLV-010"},
			limited(func(s subscription.Subscription, l *pipeline.Limits) {
				if s.LimitType == subscription.KBPerPayload {
					l.Bytes *= 2
				}
			})},
		{"one-by-one", "Every event is delivered alone.", []string{"DLV-013"},
			limited(func(_ subscription.Subscription, l *pipeline.Limits) { l.Events = 1 })},
		{"oversize-dropped", "An event larger than the payload limit is never sent.", []string{"DLV-011"},
			sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
				if a.Payload.Events == 1 && len(a.Payload.Body) > inner.Limits(a.Subscription).Bytes {
					return pipeline.Result{Status: http.StatusOK}
				}
				return inner.Attempt(ctx, t, a)
			})},
		{"empty-batch", "An empty payload goes out before every other.", []string{"DLV-006"},
			sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
				empty := a
				empty.Payload.Body = inner.Join(inner.Framing(a.Subscription), nil)
				if r := inner.Attempt(ctx, t, empty); !inner.Delivered(empty, r) {
					return r
				}
				return inner.Attempt(ctx, t, a)
			})},

		{"hold-5s", "Events are held for 5 seconds.", []string{"DLV-012"},
			func(p *Pieces) { p.Pipeline.Linger = 5 * time.Second }},
		{"hold-2500ms", "Events are held half a second too long.", []string{"DLV-012"},
			func(p *Pieces) { p.Pipeline.Linger = limits.Hold + 500*time.Millisecond }},

		{"single-object", "A single event is sent as an object, not as an array.", []string{"DLV-005"},
			joined(func(f pipeline.Framing, records [][]byte) (pipeline.Framing, [][]byte) {
				if len(records) == 1 {
					f.Open, f.Close = "", ""
				}
				return f, records
			})},
		{"array-missing", "Payloads that should be arrays are records in a row.", []string{"DLV-004"},
			joined(func(f pipeline.Framing, records [][]byte) (pipeline.Framing, [][]byte) {
				f.Open, f.Between, f.Close = "", "\n", ""
				return f, records
			})},
		{"pretty-ignored", "prettyPrint has no effect.", []string{"DLV-014"},
			func(p *Pieces) {
				exposed(func(s *subscription.Subscription) { s.PrettyPrint = false })(p)
				framed(func(s *subscription.Subscription) { s.PrettyPrint = false })(p)
			}},
		{"always-pretty", "Payloads are indented unasked.", []string{"DLV-015"},
			func(p *Pieces) {
				pretty := func(s *subscription.Subscription) { s.PrettyPrint = s.PayloadFormat != subscription.NDJSON }
				exposed(pretty)(p)
				framed(pretty)(p)
			}},
		{"ndjson-array", "ND_JSON has no effect: payloads are arrays.", []string{"DLV-016"},
			framed(func(s *subscription.Subscription) { s.PayloadFormat = subscription.JSONArray })},
		{"content-type-text", "Payloads are called text/plain.", []string{"DLV-018"},
			prepared(func(r *http.Request) {
				if strings.Contains(r.Header.Get("Content-Type"), "json") {
					r.Header.Set("Content-Type", "text/plain")
				}
			})},
	}
}

func prepared(alter func(*http.Request)) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.Pipeline.Prepare
		p.Pipeline.Prepare = func(ctx context.Context, a pipeline.Attempt) (*http.Request, error) {
			r, err := previous(ctx, a)
			if err == nil {
				alter(r)
			}
			return r, err
		}
	}
}

func configured(alter func(*subscription.Subscription)) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.Pipeline.Prepare
		p.Pipeline.Prepare = func(ctx context.Context, a pipeline.Attempt) (*http.Request, error) {
			alter(&a.Subscription)
			return previous(ctx, a)
		}
	}
}

func limited(alter func(subscription.Subscription, *pipeline.Limits)) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.Pipeline.Limits
		p.Pipeline.Limits = func(s subscription.Subscription) pipeline.Limits {
			l := previous(s)
			alter(s, &l)
			return l
		}
	}
}

func framed(alter func(*subscription.Subscription)) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.Pipeline.Framing
		p.Pipeline.Framing = func(s subscription.Subscription) pipeline.Framing {
			alter(&s)
			return previous(s)
		}
	}
}

func joined(alter func(pipeline.Framing, [][]byte) (pipeline.Framing, [][]byte)) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.Pipeline.Join
		p.Pipeline.Join = func(f pipeline.Framing, records [][]byte) []byte {
			if strings.HasPrefix(f.Open, "[") {
				f, records = alter(f, records)
			}
			return previous(f, records)
		}
	}
}

// sent lets a fault replace an attempt; inner is the composition as it was.
func sent(by func(context.Context, pipeline.Pieces, http.RoundTripper, pipeline.Attempt) pipeline.Result) func(*Pieces) {
	return func(p *Pieces) {
		inner := p.Pipeline
		p.Pipeline.Send = func(ctx context.Context, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
			return by(ctx, inner, t, a)
		}
	}
}

func headers(all map[string]string, keep func(string) bool) map[string]string {
	kept := map[string]string{}
	for name, value := range all {
		if keep(name) {
			kept[name] = value
		}
	}
	return kept
}
