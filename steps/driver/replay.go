package driver

import (
	"context"
	"fmt"
	"time"

	"github.com/hookproof/hookproof/steps/transcript"
)

// Replay answers out of a stored transcript. It refuses to go on as soon as
// the steps ask for something else than what was recorded.
type Replay struct {
	entries []transcript.Entry
	next    int
	redact  transcript.Redactor
	now     time.Time
}

// NewReplay replays what was recorded in t.
func NewReplay(t *transcript.Transcript) *Replay {
	r := &Replay{redact: transcript.NewRedactor(t.Salt)}
	for _, e := range t.Entries {
		if e.Exchange != nil || e.Watch != nil || e.Fact != nil {
			r.entries = append(r.entries, e)
		}
	}
	return r
}

// Rest tells how many recorded entries nobody has asked for.
func (r *Replay) Rest() int { return len(r.entries) - r.next }

func (r *Replay) take(what string) (transcript.Entry, error) {
	if r.next == len(r.entries) {
		return transcript.Entry{}, fmt.Errorf("%w: %s was asked for, and nothing more is recorded", ErrDiverged, what)
	}
	e := r.entries[r.next]
	r.next++
	r.now = e.At
	return e, nil
}

// Exchange gives the recorded exchanges, if they are of the same requests.
func (r *Replay) Exchange(_ context.Context, calls []Call) ([]transcript.Entry, error) {
	found := make([]transcript.Entry, len(calls))
	for i, c := range calls {
		what := c.Method + " " + c.Path
		e, err := r.take(what)
		if err != nil {
			return nil, err
		}
		if e.Exchange == nil {
			return nil, fmt.Errorf("%w: %s was asked for, something else is recorded", ErrDiverged, what)
		}
		x := e.Exchange
		if x.Peer != c.Peer || x.Request.Method != c.Method || x.Request.Path != c.Path {
			return nil, fmt.Errorf("%w: %s was asked for, %s %s is recorded", ErrDiverged, what, x.Request.Method, x.Request.Path)
		}
		if c.Form == nil && string(r.redact.JSON(c.Body)) != string(x.Request.Body) {
			return nil, fmt.Errorf("%w: %s was asked for with another body than is recorded", ErrDiverged, what)
		}
		found[i] = e
	}
	return found, nil
}

// Watch gives the recorded look at the same endpoint.
func (r *Replay) Watch(_ context.Context, look Look) (transcript.Entry, error) {
	e, err := r.take("a look at endpoint " + look.Endpoint.Name)
	if err != nil {
		return e, err
	}
	if e.Watch == nil || e.Watch.Endpoint != look.Endpoint.Name {
		return e, fmt.Errorf("%w: a look at endpoint %s was asked for, something else is recorded", ErrDiverged, look.Endpoint.Name)
	}
	return e, nil
}

// Fact gives the recorded fact of that name.
func (r *Replay) Fact(name string, _ func() (any, error)) (transcript.Entry, error) {
	e, err := r.take("fact " + name)
	if err != nil {
		return e, err
	}
	if e.Fact == nil || e.Fact.Name != name {
		return e, fmt.Errorf("%w: fact %q was asked for, something else is recorded", ErrDiverged, name)
	}
	return e, nil
}

// Now is the time of the entry asked for last.
func (r *Replay) Now() time.Time { return r.now }
