package emitter

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// eventKnobs are the liberties of what stands in an event. An event is the same
// whenever it is sent, so that its id decides.
func eventKnobs() []Knob {
	return []Knob{
		{"event-order", "Members of events, and their lists, stand in another order in each.", events(func(r *event.Record, d *dice) {
			dice := d.of("order " + r.ID)
			r.Body = rewritten(r.Body, shuffledMembers(dice))
			for _, list := range []string{"resources", "tags"} {
				if elements := gjson.Get(r.Body, list).Array(); len(elements) > 1 {
					dice.Shuffle(len(elements), func(i, j int) { elements[i], elements[j] = elements[j], elements[i] })
					if changed, err := sjson.SetRaw(r.Body, list, string(array(elements))); err == nil {
						r.Body = changed
					}
				}
			}
		})},
		{"event-nulls", "Members that an event may be without are null.", events(func(r *event.Record, _ *dice) {
			for _, path := range []string{"actors", "actors.user", "createdAt", "internalCorrelation", "subscriptionName", "_embedded"} {
				parent, _, nested := strings.Cut(path, ".")
				if !gjson.Get(r.Body, path).Exists() && (!nested || gjson.Get(r.Body, parent).IsObject()) {
					set(r, path, nil)
				}
			}
		})},
		{"event-members", "Events have members that no document names.", events(func(r *event.Record, d *dice) {
			r.Body = rewritten(r.Body, moreMembers(d.of("members "+r.ID)))
		})},
		{"event-times", "recordedAt has 0 to 9 fraction digits.", events(func(r *event.Record, d *dice) {
			if t := gjson.Get(r.Body, "recordedAt"); t.Type == gjson.String {
				set(r, "recordedAt", fraction(r.RecordedAt, d.of("times "+r.ID).IntN(10)))
			}
		})},
		{"event-links", "Links of events lead to another host.", events(func(r *event.Record, _ *dice) {
			r.Body = strings.ReplaceAll(r.Body, `"href":"http://localhost:`, `"href":"https://api.emitter.example:`)
		})},
		{"event-escapes", "Some letters of the strings in events are escaped.", events(func(r *event.Record, d *dice) {
			r.Body = rewritten(r.Body, escapedLetters(d.of("escapes "+r.ID)))
		})},
	}
}

// deliveryKnobs are the liberties of how events are delivered.
func deliveryKnobs() []Knob {
	return []Knob{
		{"delivery-headers", "Names of headers stand in lower case.", func(p *Pieces, _ *dice) {
			prepared(func(r *http.Request) {
				for name, values := range r.Header {
					if name != "User-Agent" { // the client adds its own beside another spelling
						delete(r.Header, name)
						r.Header[strings.ToLower(name)] = values
					}
				}
			})(p)
		}},
		{"delivery-chunks", "Bodies of deliveries come in chunks, some of them.", func(p *Pieces, d *dice) {
			prepared(func(r *http.Request) {
				if r.ContentLength > 0 && d.once(2) {
					r.ContentLength = -1
				}
			})(p)
		}},
		{"delivery-http", "A connection is of HTTP/1.1 or 2, and kept or not, as it comes.", func(p *Pieces, d *dice) {
			previous := p.Pipeline.Connect
			p.Pipeline.Connect = func(c *tls.Config) http.RoundTripper {
				made := previous(c)
				if t, ok := made.(*http.Transport); ok {
					t.ForceAttemptHTTP2, t.DisableKeepAlives = d.once(2), d.once(3)
				}
				return made
			}
		}},
		{"delivery-batches", "Payloads carry less than they could.", func(p *Pieces, d *dice) {
			limited(func(_ subscription.Subscription, l *pipeline.Limits) {
				switch {
				case l.Events > 2:
					l.Events = l.Events/2 + d.n(l.Events/2) + 1
				case l.Events == 0:
					l.Events = 5 + d.n(50)
				}
			})(p)
		}},
		{"delivery-linger", "Events are not held at all, or longer.", func(p *Pieces, d *dice) {
			p.Pipeline.Linger = []time.Duration{0, 700 * time.Millisecond}[d.of("linger").IntN(2)]
		}},
		{"delivery-repeats", "What was not taken is sent again at once, up to twice.", func(p *Pieces, d *dice) {
			sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
				r := inner.Attempt(ctx, t, a)
				for n := d.n(3); n > 0 && !inner.Delivered(a, r) && ctx.Err() == nil; n-- {
					r = inner.Attempt(ctx, t, a)
				}
				return r
			})(p)
		}},
		{"delivery-growth", "What is sent again brings along what has happened since.", func(p *Pieces, d *dice) {
			p.Pipeline.Anew = func(pipeline.Attempt) bool { return d.once(2) }
		}},
		{"delivery-2xx", "Any 2xx counts as delivered.", func(p *Pieces, _ *dice) {
			decided(pipeline.DeliveredBy2xx)(p)
		}},
		{"delivery-type", "The Content-Type of deliveries has parameters.", func(p *Pieces, d *dice) {
			previous := p.Pipeline.Framing
			p.Pipeline.Framing = func(s subscription.Subscription) pipeline.Framing {
				f := previous(s)
				if f.ContentType != "" {
					f.ContentType += []string{"", ";charset=UTF-8", "; charset=\"utf-8\""}[d.n(3)]
				}
				return f
			}
		}},
		{"delivery-layout", "Spaces stand between events, line breaks are of either kind, and a last line has no end.", func(p *Pieces, d *dice) {
			previous := p.Pipeline.Framing
			p.Pipeline.Framing = func(s subscription.Subscription) pipeline.Framing {
				return laidOut(s, previous(s), d.of("layout "+s.ID))
			}
		}},
		{"delivery-delays", "Deliveries take up to 60 ms longer to go out.", func(p *Pieces, d *dice) {
			sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
				pause(ctx, time.Duration(d.n(60))*time.Millisecond)
				return inner.Attempt(ctx, t, a)
			})(p)
		}},
	}
}

// laidOut is another framing of the same data. A stream over TCP has frames that
// a receiver needs.
func laidOut(s subscription.Subscription, f pipeline.Framing, r *rand.Rand) pipeline.Framing {
	switch {
	case s.Protocol == subscription.TCPIP:
	case s.PayloadFormat == subscription.NDJSON:
		f.Between, f.Close = []string{"\n", "\r\n", " \n"}[r.IntN(3)], ""
	case s.PrettyPrint:
		for _, part := range []*string{&f.Open, &f.Between, &f.Close} {
			*part = strings.ReplaceAll(*part, "\n", "\r\n")
		}
	default:
		f.Open, f.Between, f.Close = "[ ", []string{", ", " ,\t"}[r.IntN(2)], " ]"
	}
	return f
}

// events lets a knob change the body of events before they are shaped.
func events(alter func(*event.Record, *dice)) func(*Pieces, *dice) {
	return func(p *Pieces, d *dice) {
		altered(func(r *event.Record) { alter(r, d) })(p)
	}
}
