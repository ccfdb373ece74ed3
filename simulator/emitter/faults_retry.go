package emitter

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
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
		{"redirect-followed-and-retried", "A redirect is followed, and the delivery is tried again.", []string{"RTY-011"},
			func(p *Pieces) {
				previous := p.Pipeline.Connect
				p.Pipeline.Connect = func(c *tls.Config) http.RoundTripper { return straying{previous(c)} }
			}},
		{"give-up-on-404", "A delivery answered with 404 is given up.", []string{"RTY-002"}, accepting(http.StatusNotFound)},
		{"give-up-on-410", "A delivery answered with 410 is given up.", []string{"RTY-002"}, accepting(http.StatusGone)},
		{"give-up-on-429", "A delivery answered with 429 is given up.", []string{"RTY-002"}, accepting(http.StatusTooManyRequests)},
		{"give-up-on-reset", "A delivery whose connection is reset is given up.", []string{"RTY-004"},
			decided(func(_ pipeline.Attempt, r pipeline.Result) bool {
				return errors.Is(r.Err, syscall.ECONNRESET) || errors.Is(r.Err, io.EOF) || errors.Is(r.Err, io.ErrUnexpectedEOF)
			})},
		{"retry-once", "A delivery is given up after two attempts.", []string{"RTY-007"},
			decided(func(a pipeline.Attempt, _ pipeline.Result) bool { return a.Number >= 2 })},
		{"skip-after-tenth", "A delivery is given up after ten attempts.", []string{"RTY-007"},
			decided(func(a pipeline.Attempt, _ pipeline.Result) bool { return a.Number >= 10 })},
		{"200-with-a-body-only", "A 200 whose body is no JSON does not count as delivered.", []string{"RTY-014"}, convinced(json.Valid)},
		{"200-without-error-only", "A 200 whose body tells of an error does not count as delivered.", []string{"RTY-014"},
			convinced(func(body []byte) bool { return !bytes.Contains(bytes.ToLower(body), []byte("error")) })},
		{"reorder-on-retry", "Events of a payload that is sent again stand in reverse order.", []string{"RTY-008"},
			attempted(func(a *pipeline.Attempt) {
				if a.Number > 1 {
					a.Payload.Body = reversed(a.Payload.Body)
				}
			})},
		{"first-lost-on-retry", "A payload that is sent again lacks its first event.", []string{"RTY-001", "RTY-007"},
			attempted(func(a *pipeline.Attempt) {
				if all := gjson.ParseBytes(a.Payload.Body).Array(); a.Number > 1 && len(all) > 0 && a.Payload.Body[0] == '[' {
					a.Payload.Body = array(all[1:])
				}
			})},
		{"time-changed-on-retry", "Events that are sent again have another recordedAt.", []string{"RTY-012"},
			attempted(func(a *pipeline.Attempt) {
				if a.Number > 1 {
					a.Payload.Body = bytes.ReplaceAll(a.Payload.Body, []byte(`"recordedAt":"2`), []byte(`"recordedAt":"3`))
				}
			})},
		{"resend-after-a-failure", "A delivery that succeeded after a failure is sent once more.", []string{"RTY-005"},
			sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
				r := inner.Attempt(ctx, t, a)
				if inner.Delivered(a, r) && a.Number > 1 {
					inner.Attempt(ctx, t, a)
				}
				return r
			})},
		{"reorder", "Events of a payload stand in reverse order.", []string{"RTY-008"},
			reordered(func(*pipeline.Batch) bool { return true })},
		{"resend-after-200", "A delivery is sent again after it was accepted.", []string{"RTY-005"},
			sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
				r := inner.Attempt(ctx, t, a)
				if inner.Delivered(a, r) {
					inner.Attempt(ctx, t, a)
				}
				return r
			})},
		{"resend-after-four-seconds", "What was accepted is sent again four seconds later.", []string{"RTY-005"}, later(func(*pipeline.Attempt) {})},
		{"empty-after-a-pause", "Four seconds after a delivery follows an empty one.", []string{"DLV-006"},
			later(func(a *pipeline.Attempt) { a.Payload.Body = []byte("[]") })},
		{"new-ids-on-retry", "Events get new ids when they are sent again.", []string{"RTY-012"},
			sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
				if a.Number > 1 {
					a.Payload.Body = renamed(a.Payload.Body)
				}
				return inner.Attempt(ctx, t, a)
			})},
		{"give-up-on-rare-4xx", "A delivery answered with 407, 411, 412, 414, 416 to 418, 424 or 426 is given up.", []string{"RTY-002"},
			decided(func(_ pipeline.Attempt, r pipeline.Result) bool {
				return slices.Contains([]int{407, 411, 412, 414, 416, 417, 418, 424, 426}, r.Status)
			})},
		{"give-up-on-rare-5xx", "A delivery answered with 505, 506, 508, 510 or 520 to 598 is given up.", []string{"RTY-007"},
			decided(func(_ pipeline.Attempt, r pipeline.Result) bool {
				return slices.Contains([]int{505, 506, 508, 510}, r.Status) || r.Status >= 520 && r.Status < 599
			})},
		{"outage-of-1000", "Of what waits for a failing receiver only a thousand events are kept.", []string{"RTY-007"},
			keepingThousand(func(p *Pieces) func(pipeline.Attempt) bool {
				failed := failedOnce(p)
				return func(a pipeline.Attempt) bool { return failed(a.Subscription.ID) }
			})},
		{"reorder-more-than-10", "Events of a payload of more than ten stand in reverse order.", []string{"RTY-008"},
			reordered(func(b *pipeline.Batch) bool { return b.Len() > 10 })},
		{"reorder-ndjson", "Events of a payload of ND_JSON stand in reverse order.", []string{"RTY-008"},
			reordered(func(b *pipeline.Batch) bool { return b.Framing.Open == "" })},
		{"overtake-after-change", "While a delivery of a subscription that was changed fails, later events are delivered.", []string{"RTY-006"},
			overtakingIf(func(s subscription.Subscription) bool { return !s.UpdatedAt.IsZero() })},
		{"four-queues-for-all", "While four subscriptions of an environment fail, the others wait.", []string{"RTY-009"}, fourQueues},
		{"overtake", "While a delivery fails, later events are delivered.", []string{"RTY-006"},
			overtakingIf(func(subscription.Subscription) bool { return true })},
		{"one-queue-for-all", "While one subscription fails, the others wait.", []string{"RTY-009"}, oneQueue},
	}
}

// later sends what was accepted again four seconds later, changed.
func later(alter func(*pipeline.Attempt)) func(*Pieces) {
	return sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
		r := inner.Attempt(ctx, t, a)
		if inner.Delivered(a, r) {
			a.Payload.Body = slices.Clone(a.Payload.Body)
			alter(&a)
			time.AfterFunc(4*time.Second, func() {
				ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
				defer cancel()
				own := inner.Connect(&tls.Config{InsecureSkipVerify: true})
				if c, ok := own.(interface{ CloseIdleConnections() }); ok {
					defer c.CloseIdleConnections()
				}
				inner.Attempt(ctx, own, a)
			})
		}
		return r
	})
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

// straying posts to where a redirect points, and takes no notice of the answer
// there.
type straying struct{ http.RoundTripper }

func (s straying) RoundTrip(req *http.Request) (*http.Response, error) {
	answer, err := following(s).RoundTrip(req)
	if err == nil && answer.Request != nil && answer.Request.URL.String() != req.URL.String() {
		answer.StatusCode = http.StatusFound
	}
	return answer, err
}

// overtakingIf sends, after a failed attempt of such a subscription, what comes
// after the payload.
func overtakingIf(such func(subscription.Subscription) bool) func(*Pieces) {
	return func(p *Pieces) {
		log := p.Log
		sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
			s, r := a.Subscription, inner.Attempt(ctx, t, a)
			if !such(s) || inner.Delivered(a, r) {
				return r
			}
			if body := gather(ctx, log, inner, s, pipeline.FilterOf(s), stretch{environment: s.EnvironmentID, from: a.Payload.Next}); body != nil {
				later := a
				later.Payload.Body = body
				inner.Attempt(ctx, t, later)
			}
			return r
		})(p)
	}
}

// reordered turns such payloads round.
func reordered(such func(*pipeline.Batch) bool) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.Pipeline.Join
		p.Pipeline.Join = func(b *pipeline.Batch) []byte {
			if !such(b) {
				return previous(b)
			}
			records := b.Records()
			slices.Reverse(records)
			return previous(batchOf(b.Framing, records))
		}
	}
}

// fourQueues lets nobody else of an environment send while four fail there.
func fourQueues(p *Pieces) {
	var mu sync.Mutex
	failing := map[string]map[string]bool{} // by environment and id
	sent(func(ctx context.Context, inner pipeline.Pieces, t http.RoundTripper, a pipeline.Attempt) pipeline.Result {
		id := a.Subscription.ID
		mu.Lock()
		queues := failing[a.Subscription.EnvironmentID]
		if queues == nil {
			queues = map[string]bool{}
			failing[a.Subscription.EnvironmentID] = queues
		}
		full := len(queues) >= 4 && !queues[id]
		mu.Unlock()
		if full {
			return pipeline.Result{Err: errQueued}
		}
		r := inner.Attempt(ctx, t, a)
		mu.Lock()
		defer mu.Unlock()
		if delete(queues, id); !inner.Delivered(a, r) {
			queues[id] = true
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

// accepting takes one more status for success.
func accepting(status int) func(*Pieces) {
	return decided(func(_ pipeline.Attempt, r pipeline.Result) bool { return r.Status == status })
}

// convinced takes a 200 with a body for success only if the body convinces.
func convinced(by func(body []byte) bool) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.Pipeline.Connect
		p.Pipeline.Connect = func(c *tls.Config) http.RoundTripper { return doubting{previous(c), by} }
	}
}

// doubting turns a 200 whose body does not convince into a 500.
type doubting struct {
	http.RoundTripper
	convinced func([]byte) bool
}

func (d doubting) RoundTrip(req *http.Request) (*http.Response, error) {
	answer, err := d.RoundTripper.RoundTrip(req)
	if err != nil || answer.StatusCode != http.StatusOK {
		return answer, err
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(body))
	if err == nil && len(body) > 0 && !d.convinced(body) {
		answer.StatusCode = http.StatusInternalServerError
	}
	return answer, nil
}

// reversed turns the events of an array round; other bodies stay as they are.
func reversed(body []byte) []byte {
	parsed := gjson.ParseBytes(body)
	if !parsed.IsArray() {
		return body
	}
	all := parsed.Array()
	slices.Reverse(all)
	return array(all)
}

func array(records []gjson.Result) []byte {
	body := []byte("[")
	for i, r := range records {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, r.Raw...)
	}
	return append(body, ']')
}
