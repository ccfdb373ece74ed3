package emitter

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"slices"
	"sync"
	"syscall"

	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
)

// retryFaults are those of what happens until, and after, a 200.
func retryFaults() []Fault {
	return []Fault{
		{"give-up-on-500", "A delivery answered with a server error is given up.", []string{"RTY-001"},
			decided(func(_ pipeline.Attempt, r pipeline.Result) bool { return r.Status >= 500 })},
		{"give-up-on-4xx", "A delivery answered with a client error is given up.", []string{"RTY-002"},
			decided(func(_ pipeline.Attempt, r pipeline.Result) bool { return r.Status >= 400 && r.Status < 500 })},
		{"give-up-on-refused", "A delivery whose connection is refused is given up.", []string{"RTY-003"},
			decided(func(_ pipeline.Attempt, r pipeline.Result) bool { return errors.Is(r.Err, syscall.ECONNREFUSED) })},
		{"give-up-on-timeout", "A delivery that is not answered in time is given up.", []string{"RTY-004"},
			decided(func(_ pipeline.Attempt, r pipeline.Result) bool { return errors.Is(r.Err, context.DeadlineExceeded) })},
		{"skip-after-third", "A delivery is given up after three attempts.", []string{"RTY-007"},
			decided(func(a pipeline.Attempt, _ pipeline.Result) bool { return a.Number >= 3 })},
		{"redirect-accepted", "A redirect counts as delivered.", []string{"RTY-011"},
			decided(func(_ pipeline.Attempt, r pipeline.Result) bool { return r.Status >= 300 && r.Status < 400 })},
		{"follow-redirects", "A redirect is followed.", []string{"RTY-011"},
			func(p *Pieces) {
				previous := p.Pipeline.Connect
				p.Pipeline.Connect = func(c *tls.Config) http.RoundTripper { return following{previous(c)} }
			}},
		{"reorder", "Events of a payload stand in reverse order.", []string{"RTY-008"},
			func(p *Pieces) {
				previous := p.Pipeline.Join
				p.Pipeline.Join = func(f pipeline.Framing, records [][]byte) []byte {
					reversed := slices.Clone(records)
					slices.Reverse(reversed)
					return previous(f, reversed)
				}
			}},
		{"resend-after-200", "A delivery is sent again after it was accepted.", []string{"RTY-005"},
			sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
				r := inner.Attempt(ctx, t, a)
				if inner.Delivered(a, r) {
					inner.Attempt(ctx, t, a)
				}
				return r
			})},
		{"new-ids-on-retry", "Events get new ids when they are sent again.", []string{"RTY-012"},
			sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
				if a.Number > 1 {
					a.Payload.Body = renamed(a.Payload.Body)
				}
				return inner.Attempt(ctx, t, a)
			})},
		{"overtake", "While a delivery fails, later events are delivered.", []string{"RTY-006"}, overtaking},
		{"one-queue-for-all", "While one subscription fails, the others wait.", []string{"RTY-009"}, oneQueue},
	}
}

// decided lets a fault take more for delivered.
func decided(also func(pipeline.Attempt, pipeline.Result) bool) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.Pipeline.Delivered
		p.Pipeline.Delivered = func(a pipeline.Attempt, r pipeline.Result) bool { return previous(a, r) || also(a, r) }
	}
}

// following posts to where a redirect points.
type following struct{ http.RoundTripper }

func (f following) RoundTrip(req *http.Request) (*http.Response, error) {
	answer, err := f.RoundTripper.RoundTrip(req)
	if err != nil || answer.StatusCode < 300 || answer.StatusCode >= 400 {
		return answer, err
	}
	to, err := answer.Location()
	if err != nil {
		return answer, nil
	}
	answer.Body.Close()
	again := req.Clone(req.Context())
	again.URL, again.Host = to, ""
	if again.Body, err = req.GetBody(); err != nil {
		return nil, err
	}
	return f.RoundTripper.RoundTrip(again)
}

// renamed gives every event of the body a new id of the same length.
func renamed(body []byte) []byte {
	rename := func(record gjson.Result) {
		for _, path := range []string{"id", "event.id"} {
			if id := record.Get(path); id.Type == gjson.String {
				body = bytes.ReplaceAll(body, []byte(id.Raw), []byte(`"`+uuid.NewString()+`"`))
			}
		}
	}
	if all := gjson.ParseBytes(body); all.IsArray() {
		for _, record := range all.Array() {
			rename(record)
		}
		return body
	}
	gjson.ForEachLine(string(body), func(record gjson.Result) bool {
		rename(record)
		return true
	})
	return body
}

// overtaking sends, after a failed attempt, what comes after the payload.
func overtaking(p *Pieces) {
	log := p.Log
	sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
		r := inner.Attempt(ctx, t, a)
		if inner.Delivered(a, r) {
			return r
		}
		s := a.Subscription
		batch := pipeline.Batch{Limits: inner.Limits(s), Framing: inner.Framing(s)}
		for next := a.Payload.Next; ; {
			chunk, err := log.Next(ctx, s.EnvironmentID, next.Sequence)
			if err != nil {
				break
			}
			start := 0
			if chunk.Sequence == next.Sequence {
				start = next.Index
			}
			for _, record := range chunk.Records[start:] {
				if inner.Match(pipeline.FilterOf(s), record) {
					batch.Add(inner.Shape(nil, s, record))
				}
			}
			next.Sequence, next.Index = chunk.Sequence+1, 0
		}
		if batch.Len() > 0 {
			later := a
			later.Payload.Body = inner.Join(batch.Framing, batch.Records())
			inner.Attempt(ctx, t, later)
		}
		return r
	})(p)
}

var errQueued = errors.New("queued behind another subscription")

// oneQueue lets nobody send while somebody else fails.
func oneQueue(p *Pieces) {
	var mu sync.Mutex
	var failing [2]string // environment and id
	subscriptions := p.Subscriptions
	sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
		self := [2]string{a.Subscription.EnvironmentID, a.Subscription.ID}
		mu.Lock()
		defer mu.Unlock()
		if failing != self {
			if s, ok := subscriptions(failing[0], failing[1]); ok && s.Enabled {
				return pipeline.Result{Err: errQueued}
			}
		}
		r := inner.Attempt(ctx, t, a)
		if failing = self; inner.Delivered(a, r) {
			failing = [2]string{}
		}
		return r
	})(p)
}
