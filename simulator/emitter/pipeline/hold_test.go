package pipeline_test

import (
	"context"
	"crypto/x509"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// reading is how long the endless log takes to read a chunk, and to get another.
const reading = 10 * time.Millisecond

// endless is a log that grows as fast as it is read: chunk makes the records of
// every chunk as it is appended, until a time.
type endless struct {
	chunk  func(sequence uint64) []event.Record
	until  time.Time
	age    time.Duration // of chunks when they are read
	linger time.Duration
}

func (l endless) Next(_ context.Context, _ string, sequence uint64) (auditlog.Chunk, error) {
	if !time.Now().Before(l.until) {
		return auditlog.Chunk{}, auditlog.ErrEnd
	}
	<-time.After(reading)
	sequence = max(sequence, 1)
	return auditlog.Chunk{Sequence: sequence, Accepted: time.Now().Add(-l.age), Records: l.chunk(sequence)}, nil
}

func (l endless) Expired(context.Context, uint64, time.Time) (bool, error) { return false, nil }

// readEndless delivers an endless log for 20 seconds to a subscription, and
// returns the deliveries.
func readEndless(t *testing.T, s subscription.Subscription, l endless, answer func(n int, body string) int) []call {
	t.Helper()
	var calls []call
	synctest.Test(t, func(t *testing.T) {
		w, r := newWorld(), &script{answer: answer}
		start := time.Now()
		w.deliver(r.serve(start))
		p := *w.pieces.Load()
		p.Linger = l.linger
		w.pieces.Store(&p)
		w.put(s)
		l.until = start.Add(20 * time.Second)
		d := pipeline.Start(t.Context(), pipeline.Options{
			Log: l, Directory: w, Cursors: w, Pieces: &w.pieces, Now: w.now,
			Roots: func() *x509.CertPool { return x509.NewCertPool() },
		})
		after(time.Minute)
		d.Close()
		calls = r.all()
	})
	return calls
}

// Reading on for more events is no reason to hold one back.
func TestAnEventIsNotHeldWhileTheLogGrowsAsFastAsItIsRead(t *testing.T) {
	t.Parallel()
	calls := readEndless(t, webhook("a"), endless{linger: pipeline.DefaultLinger, chunk: func(sequence uint64) []event.Record {
		if sequence == 1 {
			return []event.Record{created(1)}
		}
		return []event.Record{typed("OTHER", 0)}
	}}, nil)
	if len(calls) != 1 {
		t.Fatalf("%d deliveries of one event", len(calls))
	}
	want(t, "held", calls[0].at, reading+pipeline.DefaultLinger)
}

// Neither is it that one in a while matches.
func TestNoEventIsHeldWhileFewMatch(t *testing.T) {
	t.Parallel()
	calls := readEndless(t, webhook("a"), endless{linger: pipeline.DefaultLinger, chunk: func(sequence uint64) []event.Record {
		if sequence%7 == 0 {
			return []event.Record{typed("OTHER", 0), created(int(sequence))}
		}
		return []event.Record{typed("OTHER", 0)}
	}}, nil)
	delivered := 0
	for _, c := range calls {
		for _, id := range ids(c.body) {
			delivered++
			var n time.Duration
			for _, digit := range id {
				n = 10*n + time.Duration(digit-'0')
			}
			if held := c.at - n*reading; held > limits.Hold {
				t.Errorf("event %s was held for %v", id, held)
			}
		}
	}
	if chunks := int(20 * time.Second / reading); delivered != chunks/7 {
		t.Errorf("%d events were delivered, want %d", delivered, chunks/7)
	}
}

// A payload gathered ahead is held from the moment it may be sent.
func TestNothingGatheredAheadIsHeldWhileTheLogGrows(t *testing.T) {
	t.Parallel()
	s := webhook("a")
	s.LimitType, s.LimitSize = subscription.EventsPerPayload, 2
	const answering = 3 * time.Second
	calls := readEndless(t, s, endless{linger: pipeline.DefaultLinger, chunk: func(sequence uint64) []event.Record {
		if sequence == 1 {
			return []event.Record{created(1), created(2), created(3)}
		}
		return []event.Record{typed("OTHER", 0)}
	}}, func(n int, _ string) int {
		if n == 1 {
			<-time.After(answering)
		}
		return 200
	})
	if len(calls) != 2 {
		t.Fatalf("%d deliveries", len(calls))
	}
	want(t, "second payload", ids(calls[1].body), []string{"3"})
	if held := calls[1].at - reading - answering; held > limits.Hold/2+reading {
		t.Errorf("it was held for %v after the first was accepted", held)
	}
}

// Events of a backlog fill payloads however old they are, also if events are not
// held at all.
func TestABacklogMakesFullPayloads(t *testing.T) {
	t.Parallel()
	s := webhook("a")
	s.LimitType, s.LimitSize = subscription.EventsPerPayload, 10
	for _, c := range []struct{ age, linger time.Duration }{
		{time.Hour, 0}, {time.Hour, pipeline.DefaultLinger},
		{2*reading + 5*time.Millisecond, 3 * reading}, // as after a short suspension
	} {
		for _, answering := range []time.Duration{0, 2 * time.Second} { // in which the next payload is gathered
			calls := readEndless(t, s, endless{age: c.age, linger: c.linger, chunk: func(sequence uint64) []event.Record {
				return []event.Record{created(int(sequence)), typed("OTHER", 0)}
			}}, func(int, string) int {
				<-time.After(answering)
				return 200
			})
			if len(calls) < 9 {
				t.Fatalf("%d deliveries", len(calls))
			}
			for i, made := range calls {
				if n := len(ids(made.body)); n != 10 && i < len(calls)-1 {
					t.Errorf("age %v, linger %v: payload %d of %d has %d events", c.age, c.linger, i+1, len(calls), n)
				}
			}
		}
	}
}
