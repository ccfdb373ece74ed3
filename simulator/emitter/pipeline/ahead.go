package pipeline

import (
	"context"
)

// aheadPayloads is how many payloads may be gathered ahead at a time, of all
// subscriptions: with more of them at work than that, the cores are busy anyway
// and the memory is better saved.
const aheadPayloads = 8

// ahead gathers a subscription's next payload while one is on its way.
type ahead struct {
	gathering  *gathering
	generation uint64
	cancel     context.CancelFunc
	done       chan struct{}
}

// gatherAhead begins the payload after p, of a backlog only: lone events come
// too late for that.
func (w *worker) gatherAhead(ctx context.Context, pieces *Pieces, a Attempt, generation uint64) {
	if !a.Payload.more || w.ahead != nil {
		return
	}
	select {
	case w.dispatcher.ahead <- struct{}{}:
	default:
		return
	}
	g := newGathering(pieces, a.Subscription, a.Payload.Next, len(a.Payload.Body))
	g.began = w.dispatcher.Now()
	ctx, cancel := context.WithCancel(ctx)
	w.ahead = &ahead{gathering: g, generation: generation, cancel: cancel, done: make(chan struct{})}
	go func(done chan<- struct{}) {
		defer close(done)
		for ctx.Err() == nil && !g.full && g.expired == 0 && w.generation.Load() == generation {
			chunk, err := w.dispatcher.Log.Next(ctx, w.environment, g.next.Sequence)
			if err != nil {
				return // collect meets it again
			}
			w.take(g, chunk)
		}
	}(w.ahead.done)
}

// gathered returns what was gathered ahead so far; nil: nothing that is still
// right.
func (w *worker) gathered(generation uint64) *gathering {
	a := w.ahead
	if a == nil {
		return nil
	}
	w.forgetAhead()
	if a.generation != generation || a.gathering.expired > 0 {
		return nil
	}
	return a.gathering
}

// forgetAhead ends what is gathered ahead.
func (w *worker) forgetAhead() {
	if w.ahead == nil {
		return
	}
	w.ahead.cancel()
	<-w.ahead.done
	w.ahead = nil
	<-w.dispatcher.ahead
}
