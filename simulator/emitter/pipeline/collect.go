package pipeline

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// gathering is a payload in the making.
type gathering struct {
	pieces       *Pieces
	subscription subscription.Subscription
	batch        Batch
	next         auditlog.Position // first event not yet looked at
	first        auditlog.Position // of the batch
	began        time.Time         // when the worker turned to it
	oldest       time.Time
	taken        time.Time // when the first event was taken, or what was gathered ahead
	expired      int
	full         bool
	failing      bool // the last attempt to deliver failed
	sized        int  // bytes of the payload before, which this one may need too
}

func newGathering(pieces *Pieces, s subscription.Subscription, from auditlog.Position, sized int) *gathering {
	return &gathering{
		pieces: pieces, subscription: s, next: from, sized: sized,
		batch: Batch{Limits: pieces.Limits(s), Framing: pieces.Framing(s)},
	}
}

// collect gathers matching events from the position on. It returns a payload
// when the batch is full, or was held long enough; nothing when the worker is
// to stop or the configuration changed meanwhile, for then the batch is
// gathered anew.
//
// At the end of the log an event was held since it was accepted. Before the end
// that would cut the payloads of a backlog, whose events are all old: there it
// was held since it was taken, so that a log which grows as fast as it is read
// keeps nothing back either.
func (w *worker) collect(ctx context.Context, s subscription.Subscription, generation uint64) (Payload, bool) {
	g := w.gathered(generation)
	if g == nil {
		g = w.gather(s)
	} else if g.batch.Len() > 0 {
		g.taken = w.dispatcher.Now() // until now it waited for its turn
		w.dispatcher.Observer.Matched(g.batch.Len())
		w.lags(g, auditlog.Chunk{})
	}
	for ctx.Err() == nil && w.generation.Load() == generation {
		if g.full || g.heldTooLong(w.dispatcher.Now) {
			return g.payload(true), true
		}
		asked := w.dispatcher.Now()
		chunk, err := w.dispatcher.Log.Next(ctx, w.environment, g.next.Sequence)
		switch {
		case errors.Is(err, auditlog.ErrEnd):
			if g.batch.Len() == 0 {
				w.caughtUp(asked)
				w.lags(g, auditlog.Chunk{})
				w.pass(ctx, g.next)
				w.wait(ctx, time.Time{})
				continue
			}
			due := g.oldest.Add(g.pieces.Linger)
			if !w.dispatcher.Now().Before(due) {
				return g.payload(false), true
			}
			w.wait(ctx, due)
			continue
		case err != nil:
			if ctx.Err() == nil {
				w.log.Error("the audit log cannot be read", "error", err)
				w.pause(ctx)
			}
			continue
		}
		before := g.batch.Len()
		w.take(g, chunk)
		w.dispatcher.Observer.Matched(g.batch.Len() - before + g.expired)
		w.lost(g, chunk)
		w.lags(g, chunk)
		if g.batch.Len() == 0 {
			w.pass(ctx, g.next)
		}
	}
	return Payload{}, false
}

func (w *worker) gather(s subscription.Subscription) *gathering {
	pieces := w.dispatcher.Pieces.Load()
	w.mu.Lock()
	defer w.mu.Unlock()
	g := newGathering(pieces, s, w.state.Position, w.sent)
	g.failing, g.began = w.failures > 0, w.dispatcher.Now()
	return g
}

// take adds the chunk's matching events until the batch is full.
func (w *worker) take(g *gathering, chunk auditlog.Chunk) {
	start := 0
	if chunk.Sequence == g.next.Sequence {
		start = g.next.Index
	}
	expired := w.expired(g.pieces, chunk.Accepted, g.failing)
	filter := w.filterAt(chunk.Sequence)
	grown := false
	for i := start; i < len(chunk.Records); i++ {
		r := chunk.Records[i]
		if !g.pieces.Match(filter, r) {
			continue
		}
		if expired {
			g.expired++
			continue
		}
		if !grown { // by what the last payload needed, unless the chunk cannot fill that
			grown = true
			more := max(min(g.sized-g.batch.Size(), 2*r.Size()*(len(chunk.Records)-i)), 0)
			if g.batch.Len() == 0 {
				g.batch.body = w.dispatcher.bodies.get(more)
			}
			g.batch.Grow(more)
		}
		if !g.batch.Append(func(body []byte) []byte { return g.pieces.Shape(body, g.subscription, r) }) {
			g.next, g.full = auditlog.Position{Sequence: chunk.Sequence, Index: i}, true
			return
		}
		if g.batch.Len() == 1 {
			g.first, g.oldest = auditlog.Position{Sequence: chunk.Sequence, Index: i}, chunk.Accepted
			g.taken = w.dispatcher.Now()
		}
		if g.batch.Full() {
			g.next, g.full = auditlog.Position{Sequence: chunk.Sequence, Index: i + 1}, true
			return
		}
	}
	g.next = auditlog.Position{Sequence: chunk.Sequence + 1}
}

// heldTooLong says whether the batch was held for long enough, whatever may
// still be read.
func (g *gathering) heldTooLong(now func() time.Time) bool {
	if g.batch.Len() == 0 {
		return false
	}
	most := g.pieces.Linger
	if g.oldest.Before(g.began) || g.taken.Sub(g.oldest) >= most { // it had waited already
		most = max(most, g.pieces.ReadOn)
	}
	return !now().Before(g.taken.Add(most))
}

// payload is the batch with what closes it; more says that there may be events
// for another.
func (g *gathering) payload(more bool) Payload {
	return Payload{
		Body:        g.pieces.Join(&g.batch),
		ContentType: g.batch.Framing.ContentType,
		Events:      g.batch.Len(),
		First:       g.first,
		Next:        g.next,
		Oldest:      g.oldest,
		more:        more,
		readers:     new(atomic.Int64),
		pieces:      g.pieces,
	}
}
