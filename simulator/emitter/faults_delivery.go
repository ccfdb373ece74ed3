package emitter

import (
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
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

		{"path-dropped", "Deliveries go to the root of the host.", []string{"DLV-001"},
			prepared(func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/", "" })},
		{"path-cut-short", "Of the path of the URL only the first two segments are sent.", []string{"DLV-001"},
			prepared(func(r *http.Request) {
				if segments := strings.SplitN(r.URL.EscapedPath(), "/", 4); len(segments) == 4 {
					r.URL.Path, r.URL.RawPath = strings.Join(segments[:3], "/"), ""
				}
			})},
		{"path-decoded", "Escapes in the path of the URL are decoded.", []string{"DLV-001"},
			prepared(func(r *http.Request) { r.URL.RawPath, r.URL.RawQuery = "", decoded(r.URL.RawQuery) })},
		{"header-values-lowered", "Values of headers are sent in lower case.", []string{"DLV-002"},
			configured(func(s *subscription.Subscription) { s.Headers = values(s.Headers, strings.ToLower) })},
		{"header-values-trimmed", "Of the value of a header only the first word is sent.", []string{"DLV-002"},
			configured(func(s *subscription.Subscription) {
				s.Headers = values(s.Headers, func(v string) string { first, _, _ := strings.Cut(v, " "); return first })
			})},
		{"headers-dropped-on-retry", "Configured headers are sent with the first attempt only.", []string{"DLV-002"},
			attempted(func(a *pipeline.Attempt) {
				if a.Number > 1 {
					a.Subscription.Headers = nil
				}
			})},
		{"authorization-recoded", "The configured Authorization header is encoded once more.", []string{"DLV-003"},
			configured(func(s *subscription.Subscription) {
				s.Headers = maps.Clone(s.Headers)
				for name, value := range s.Headers {
					if scheme, credentials, found := strings.Cut(value, " "); found && strings.EqualFold(name, "Authorization") {
						s.Headers[name] = scheme + " " + base64.StdEncoding.EncodeToString([]byte(credentials))
					}
				}
			})},

		{"brackets-uncounted", "The size limit does not count the brackets and commas of the array.", []string{"DLV-010"}, uncounted},
		{"kb-twelve-hundred", "A KB of the size limit has 1200 bytes.", []string{"DLV-010"},
			limited(func(s subscription.Subscription, l *pipeline.Limits) {
				if s.LimitType == subscription.KBPerPayload {
					l.Bytes = s.LimitSize * 1200
				}
			})},
		{"limit-ignored", "The payload limit of a subscription has no effect.", []string{"DLV-008", "DLV-009", "DLV-010"},
			limited(func(_ subscription.Subscription, l *pipeline.Limits) {
				*l = pipeline.LimitsOf(subscription.Subscription{})
			})},
		{"batch-1000", "Without limit a payload carries 1000 events.", []string{"DLV-007"},
			limited(func(s subscription.Subscription, l *pipeline.Limits) {
				if s.LimitType == "" {
					l.Events = 1000
				}
			})},
		{"oversize-with-others", "An event larger than the payload limit is sent together with others.", []string{"DLV-011"},
			limited(func(s subscription.Subscription, l *pipeline.Limits) {
				if s.LimitType == subscription.KBPerPayload && s.LimitSize == 1 {
					l.Bytes *= 64
				}
			})},
		{"oversize-split", "An event larger than the payload limit is cut in two.", []string{"DLV-011"},
			sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
				body, most := a.Payload.Body, inner.Limits(a.Subscription).Bytes
				if a.Payload.Events != 1 || len(body) <= most {
					return inner.Attempt(ctx, t, a)
				}
				first := a
				first.Payload.Body, a.Payload.Body = body[:most], body[most:]
				if r := inner.Attempt(ctx, t, first); !inner.Delivered(first, r) {
					return r
				}
				return inner.Attempt(ctx, t, a)
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
				empty.Payload.Body = inner.Join(&pipeline.Batch{Framing: inner.Framing(a.Subscription)})
				if r := inner.Attempt(ctx, t, empty); !inner.Delivered(empty, r) {
					return r
				}
				return inner.Attempt(ctx, t, a)
			})},

		{"hold-5s", "Events are held for 5 seconds.", []string{"DLV-012"},
			func(p *Pieces) { p.Pipeline.Linger = 5 * time.Second }},
		{"hold-2500ms", "Events are held half a second too long.", []string{"DLV-012"},
			func(p *Pieces) { p.Pipeline.Linger = limits.Hold + 500*time.Millisecond }},

		{"hold-until-full", "Events are held until the payload is full.", []string{"DLV-012"},
			func(p *Pieces) { p.Pipeline.Linger = 24 * time.Hour }},
		{"array-in-object", "The array of events stands in an object.", []string{"DLV-004", "DLV-005"},
			joined(func(f pipeline.Framing, records [][]byte) (pipeline.Framing, [][]byte) {
				f.Open, f.Close = `{"events":`+f.Open, f.Close+"}"
				return f, records
			})},
		{"single-wrapped-twice", "A single event is sent in an array in an array.", []string{"DLV-005"},
			joined(func(f pipeline.Framing, records [][]byte) (pipeline.Framing, [][]byte) {
				if len(records) == 1 {
					f.Open, f.Close = "["+f.Open, f.Close+"]"
				}
				return f, records
			})},
		{"empty-heartbeat", "An empty payload follows every other.", []string{"DLV-006"},
			sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
				r := inner.Attempt(ctx, t, a)
				if inner.Delivered(a, r) {
					a.Payload.Body = inner.Join(&pipeline.Batch{Framing: inner.Framing(a.Subscription)})
					inner.Attempt(ctx, t, a)
				}
				return r
			})},
		{"ndjson-commas", "Lines of ND_JSON end with a comma.", []string{"DLV-016"}, lines(",\n")},
		{"ndjson-in-one-line", "The events of ND_JSON follow each other without a new line.", []string{"DLV-016"}, lines(" ")},
		{"ndjson-over-several-lines", "Every event of ND_JSON stands on several lines.", []string{"DLV-016"},
			func(p *Pieces) {
				exposed(func(s *subscription.Subscription) {
					s.PrettyPrint = s.PrettyPrint || s.PayloadFormat == subscription.NDJSON
				})(p)
			}},
		{"content-type-missing", "Payloads have no Content-Type.", []string{"DLV-018"},
			prepared(func(r *http.Request) {
				if strings.Contains(r.Header.Get("Content-Type"), "json") {
					r.Header.Del("Content-Type")
				}
			})},
		{"content-type-binary", "Payloads are called application/octet-stream.", []string{"DLV-018"},
			prepared(func(r *http.Request) {
				if strings.Contains(r.Header.Get("Content-Type"), "json") {
					r.Header.Set("Content-Type", "application/octet-stream")
				}
			})},

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
		p.Pipeline.Join = func(b *pipeline.Batch) []byte {
			if strings.HasPrefix(b.Framing.Open, "[") {
				b = batchOf(alter(b.Framing, b.Records()))
			}
			return previous(b)
		}
	}
}

func batchOf(f pipeline.Framing, records [][]byte) *pipeline.Batch {
	b := &pipeline.Batch{Framing: f}
	for _, record := range records {
		b.Add(record)
	}
	return b
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

// attempted lets a fault change an attempt before it is made.
func attempted(alter func(*pipeline.Attempt)) func(*Pieces) {
	return sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
		alter(&a)
		return inner.Attempt(ctx, t, a)
	})
}

// lines puts something else between and after the records of ND_JSON.
func lines(end string) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.Pipeline.Framing
		p.Pipeline.Framing = func(s subscription.Subscription) pipeline.Framing {
			f := previous(s)
			if s.PayloadFormat == subscription.NDJSON {
				f.Between, f.Close = end, end
			}
			return f
		}
	}
}

// uncounted gathers under a framing of no size, and sends with the right one.
func uncounted(p *Pieces) {
	framing, join := p.Pipeline.Framing, p.Pipeline.Join
	bare := func(s subscription.Subscription) bool {
		return s.LimitType == subscription.KBPerPayload && s.PayloadFormat != subscription.NDJSON && !s.PrettyPrint
	}
	p.Pipeline.Framing = func(s subscription.Subscription) pipeline.Framing {
		if f := framing(s); !bare(s) {
			return f
		} else {
			return pipeline.Framing{ContentType: f.ContentType}
		}
	}
	p.Pipeline.Join = func(b *pipeline.Batch) []byte {
		if b.Framing.Open == "" && b.Framing.Close == "" {
			framed := pipeline.Batch{Framing: framing(subscription.Subscription{Protocol: subscription.HTTPS})}
			for _, record := range b.Records() {
				framed.Add(record)
			}
			b = &framed
		}
		return join(b)
	}
}

// decoded is a query without escapes, as far as it can be sent.
func decoded(query string) string {
	if plain, err := url.QueryUnescape(query); err == nil && !strings.ContainsAny(plain, " #\r\n") {
		return plain
	}
	return query
}
