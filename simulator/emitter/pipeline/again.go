package pipeline

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

const (
	// keptBytes is how large a body may be that waits in memory for its next
	// attempt, however long; that of larger ones is gathered again from the log.
	// A thousand subscriptions whose receivers are down have full payloads soon.
	keptBytes = 64 << 10
	// keptWait is the shortest wait for which a body is let go. Gathering it takes
	// some milliseconds, which is little beside that.
	keptWait = time.Second
)

// letGo is what is kept of a body that is to be gathered again.
type letGo struct {
	size int
	sum  [sha256.Size]byte
}

// withoutBody is the payload with what it takes to gather its body again.
func (p Payload) withoutBody() Payload {
	p.letGo = &letGo{size: len(p.Body), sum: sha256.Sum256(p.Body)}
	p.Body, p.readers = nil, nil
	return p
}

// gatherAgain brings back the body that the payload was without, byte for byte.
// It returns false when that cannot be, as what it was made from is no longer
// what it was, and when the worker is to stop: then the payload is gathered anew.
func (w *worker) gatherAgain(ctx context.Context, s subscription.Subscription, p Payload) (Payload, bool) {
	g := newGathering(p.pieces, s, p.First, p.letGo.size)
	g.batch.Limits, g.failing = Limits{Events: p.Events}, true
	for !g.full && g.expired == 0 && ctx.Err() == nil {
		chunk, err := w.dispatcher.Log.Next(ctx, w.environment, g.next.Sequence)
		switch {
		case errors.Is(err, auditlog.ErrEnd):
			return p, false
		case err != nil:
			if ctx.Err() == nil {
				w.log.Error("the audit log cannot be read", "error", err)
				w.pause(ctx)
			}
			continue
		}
		w.take(g, chunk)
	}
	if !g.full {
		return p, false
	}
	again := g.payload(p.more)
	same := sha256.Sum256(again.Body) == p.letGo.sum
	p.Body, p.readers, p.letGo = again.Body, again.readers, nil
	return p, same
}
