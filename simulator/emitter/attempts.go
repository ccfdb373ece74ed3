package emitter

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
)

// Bounds of one question for attempts.
const (
	attemptsPage      = 1000
	attemptsPageBytes = 1 << 20 // of bodies, unless one alone is longer
	attemptsMaxWait   = 30 * time.Second
)

// Attempted is one attempt to deliver, as the emitter saw it.
type Attempted struct {
	// Seq counts the attempts of a subscription from 1.
	Seq int `json:"seq"`
	// At is when it began, End when it ended, by the machine's clock.
	At          time.Time `json:"at"`
	End         time.Time `json:"end"`
	ContentType string    `json:"contentType"`
	Events      int       `json:"events"`
	Body        string    `json:"body"`
	// Status is that of the answer, 0 without one; Error then says why.
	Status int    `json:"status,omitempty"`
	Error  string `json:"error,omitempty"`

	subscription string
}

// attempts keeps what was tried, up to a number of bytes; the oldest go first.
type attempts struct {
	limit int64

	mu      sync.Mutex
	used    int64
	order   []*Attempted // over all subscriptions, oldest first
	tried   map[string]*tries
	changed chan struct{} // closed and made anew when something was added
}

// tries are the attempts of one subscription that are still kept.
type tries struct {
	count int // ever made
	kept  []*Attempted
}

func newAttempts(limit int64) *attempts {
	return &attempts{limit: limit, tried: map[string]*tries{}, changed: make(chan struct{})}
}

// attemptsAndMetrics observes a pipeline for both.
type attemptsAndMetrics struct {
	pipeline.Observer
	attempts *attempts
}

func (o attemptsAndMetrics) Attempted(p pipeline.Attempted) {
	o.Observer.Attempted(p)
	o.attempts.add(p)
}

// add is told of every attempt.
func (a *attempts) add(p pipeline.Attempted) {
	made := &Attempted{
		At: p.At.UTC(), End: time.Now().UTC(), ContentType: p.Payload.ContentType, Events: p.Payload.Events, Body: string(p.Payload.Body),
		Status: p.Result.Status, subscription: p.Subscription.ID,
	}
	if p.Result.Err != nil {
		made.Error = p.Result.Err.Error()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tried[made.subscription]
	if t == nil {
		t = &tries{}
		a.tried[made.subscription] = t
	}
	t.count++
	made.Seq = t.count
	t.kept, a.order = append(t.kept, made), append(a.order, made)
	for a.used += int64(len(made.Body)); a.used > a.limit && len(a.order) > 1; {
		a.forget(a.order[0])
	}
	close(a.changed)
	a.changed = make(chan struct{})
}

// forget lets go of the oldest attempt.
func (a *attempts) forget(oldest *Attempted) {
	a.used -= int64(len(oldest.Body))
	a.order = a.order[1:]
	t := a.tried[oldest.subscription]
	t.kept = t.kept[1:] // the oldest of all is the oldest of its subscription
}

// after returns the attempts of a subscription with higher numbers, waiting
// until there is one, or ctx ends.
func (a *attempts) after(ctx context.Context, subscription string, seq int) []*Attempted {
	for {
		a.mu.Lock()
		var found []*Attempted
		size := 0
		if t := a.tried[subscription]; t != nil {
			for _, made := range t.kept {
				if made.Seq <= seq {
					continue
				}
				if size += len(made.Body); len(found) == attemptsPage || len(found) > 0 && size > attemptsPageBytes {
					break
				}
				found = append(found, made)
			}
		}
		changed := a.changed
		a.mu.Unlock()
		if len(found) > 0 {
			return found
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return []*Attempted{}
		}
	}
}

// listAttempts tells what was tried to deliver to a subscription. The query's
// "after" is the number of the last attempt that the client knows, "wait" how
// long to wait for another, at most 30 s. Long ones come a few at a time.
func (e *Emitter) listAttempts(w http.ResponseWriter, r *http.Request) {
	if e.attempts == nil {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "This emitter keeps no attempts.")
		return
	}
	q := r.URL.Query()
	after, err := strconv.Atoi(orText(q.Get("after"), "0"))
	if err != nil || after < 0 {
		refuse(w, http.StatusBadRequest, "INVALID_REQUEST", "The parameter after must be a number of an attempt, or 0.")
		return
	}
	wait, err := time.ParseDuration(orText(q.Get("wait"), "0s"))
	if err != nil || wait < 0 || wait > attemptsMaxWait {
		refuse(w, http.StatusBadRequest, "INVALID_REQUEST", fmt.Sprintf("The parameter wait must be a duration of at most %v.", attemptsMaxWait))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	found := e.attempts.after(ctx, r.PathValue("subscription"), after)
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(map[string]any{"attempts": found}) // a client that went away cannot be told
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
