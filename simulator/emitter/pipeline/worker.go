package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

const (
	// storeWithin bounds the storing of a cursor, also while stopping.
	storeWithin = 5 * time.Second
	// passedOver is after how many chunks without a match the position is
	// stored, so that they are not read again after a restart.
	passedOver = 1000
	// troubled is the wait after the log or the cursor store failed.
	troubled = time.Second
)

var errRemoved = errors.New("the subscription was removed")

// worker delivers to one subscription: one payload at a time, the next only
// after the last was accepted, so that nothing overtakes.
type worker struct {
	dispatcher      *Dispatcher
	environment, id string
	log             *slog.Logger
	cancel          context.CancelCauseFunc
	done            chan struct{}   // closed when run has returned
	before          <-chan struct{} // likewise of the subscription's former worker here; nil: none

	wake       chan struct{} // of capacity 1: something may have happened
	generation atomic.Uint64 // counts changes of configuration and composition
	behind     atomic.Int64  // see Lag, in Unix nanoseconds

	mu       sync.Mutex
	loaded   bool
	versions []version // the last one, and all that are not stored in state yet
	state    State
	dirty    bool // state is to be stored

	// Of the goroutine of run only:
	lease     context.Context         // ends when another process may work the subscription
	end       context.CancelCauseFunc // ends the term
	stored    auditlog.Position
	connected connected
	failures  int // attempts in a row that failed
	dropped   int // events, since a payload was accepted
	suspended bool
	looked    bool   // for what the log did not keep, since it was last seen to have something
	sent      int    // bytes of the last payload
	ahead     *ahead // nil: nothing is gathered ahead
}

// connected is a transport, or a stream for TCP_IP, and what it was made from.
type connected struct {
	transport  http.RoundTripper
	stream     *Stream
	pieces     *Pieces
	generation uint64
}

func (w *worker) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *worker) restart() {
	w.generation.Add(1)
	w.nudge()
}

// run works the subscription term by term: one, unless it is shared.
func (w *worker) run(ctx context.Context) {
	if w.before != nil {
		<-w.before
	}
	for ctx.Err() == nil && w.exists() {
		w.term(ctx)
	}
}

// term works the subscription until the worker is to stop, or until another
// process may work it.
func (w *worker) term(ctx context.Context) {
	ctx, release, taken := w.begin(ctx)
	if !taken {
		return
	}
	defer release()
	defer w.disconnect()
	defer w.forgetAhead()
	for !w.load(ctx) || !w.store(ctx, false) {
		if !w.pause(ctx) {
			return
		}
	}
	w.looked = false
	for ctx.Err() == nil {
		generation := w.generation.Load()
		s, exists := w.subscription()
		if !exists {
			break
		}
		w.observe(s)
		w.store(ctx, false)
		if !w.dispatcher.Pieces.Load().Active(s, w.failures) {
			if !w.suspended {
				w.log.Info("suspended, events accumulate")
			}
			w.suspended, w.failures = true, 0
			w.forgetAhead()
			w.disconnect()
			w.rest(ctx)
			continue
		}
		if w.suspended {
			w.suspended = false
			w.log.Info("enabled again, events are delivered")
		}
		if !w.lookBack(ctx) {
			w.pause(ctx)
			continue
		}
		if payload, ok := w.collect(ctx, s, generation); ok {
			w.deliver(ctx, s, payload)
		}
	}
	w.leave(ctx)
}

func (w *worker) exists() bool {
	_, exists := w.subscription()
	return exists
}

func (w *worker) subscription() (subscription.Subscription, bool) {
	return w.dispatcher.Directory.Subscription(w.environment, w.id)
}

// deliver makes attempts until the payload is accepted or is to be gathered
// anew, the subscription is suspended or removed, the payload's oldest events
// have waited too long, or the form in which events are wanted is another than
// it was for gathered.
func (w *worker) deliver(ctx context.Context, gathered subscription.Subscription, payload Payload) {
	for again := false; ctx.Err() == nil; again = true {
		generation := w.generation.Load()
		s, exists := w.subscription()
		pieces := w.dispatcher.Pieces.Load()
		if !exists || !pieces.Active(s, w.failures) || !sameForm(s, gathered) {
			return
		}
		if payload.letGo != nil {
			var same bool
			if payload, same = w.gatherAgain(ctx, gathered, payload); !same {
				return
			}
		}
		a := Attempt{Subscription: s, Payload: payload, Number: w.failures + 1}
		if w.failures == 0 {
			w.gatherAhead(ctx, pieces, a, generation)
		}
		at, begun := time.Now(), w.dispatcher.Now()
		result := w.attempt(ctx, pieces, generation, a)
		delivered := pieces.Delivered(a, result)
		w.dispatcher.Observer.Attempted(Attempted{Attempt: a, Result: result, Again: again, Delivered: delivered, At: at, Begun: begun})
		if delivered {
			w.accepted(ctx, payload)
			if pieces.Send == nil { // otherwise it may have kept the payload
				w.dispatcher.bodies.put(payload)
			}
			return
		}
		if ctx.Err() != nil {
			return
		}
		w.forgetAhead()
		w.failed(a, result)
		wait := pieces.Backoff(w.failures)
		due := w.dispatcher.Now().Add(wait)
		if wait >= keptWait && len(payload.Body) > keptBytes {
			payload = payload.withoutBody()
			a.Payload = payload
		}
		for w.dispatcher.Now().Before(due) && w.generation.Load() == generation && ctx.Err() == nil {
			w.wait(ctx, due)
		}
		if result.Err != nil {
			// The peer may be gone without a word, and HTTP/2 would go on using its
			// connection. By now what the attempt started has ended, so that it closes.
			w.disconnect()
		}
		if w.expired(pieces, payload.Oldest, true) || pieces.Anew != nil && pieces.Anew(a) {
			return
		}
	}
}

func (w *worker) attempt(ctx context.Context, pieces *Pieces, generation uint64, a Attempt) Result {
	c, err := w.connect(pieces, generation, a.Subscription)
	if err != nil {
		return Result{Err: err}
	}
	ctx, cancel := w.dispatcher.graceful(ctx, pieces.AttemptTimeout)
	defer cancel()
	defer context.AfterFunc(w.lease, cancel)() // at once: another process may make the same attempt
	if c.stream != nil {
		return pieces.Write(ctx, c.stream, a)
	}
	return pieces.Attempt(ctx, c.transport, a)
}

func (w *worker) accepted(ctx context.Context, p Payload) {
	if w.failures > 0 {
		w.log.Info("receiver accepts again", "delivery", p.ID(), "failures", w.failures)
	}
	if w.dropped > 0 {
		w.log.Warn("events were dropped, later ones are delivered", "delivery", p.ID(), "dropped", w.dropped)
	}
	w.failures, w.dropped, w.sent = 0, 0, len(p.Body)
	w.mu.Lock()
	w.state.Position, w.dirty = p.Next, true
	w.mu.Unlock()
	w.log.Debug("delivered", "delivery", p.ID(), "events", p.Events, "bytes", len(p.Body))
	for !w.store(ctx, true) && ctx.Err() == nil {
		w.pause(ctx) // going on without would deliver twice after a restart
	}
}

func (w *worker) failed(a Attempt, r Result) {
	level := slog.LevelDebug
	if w.failures == 0 {
		level = slog.LevelWarn
	}
	w.failures++
	w.log.Log(context.Background(), level, "delivery failed, will be retried",
		"delivery", a.Payload.ID(), "attempt", a.Number, "events", a.Payload.Events, "result", r.String())
}

// connect returns the connection for the configuration and composition of now.
func (w *worker) connect(pieces *Pieces, generation uint64, s subscription.Subscription) (connected, error) {
	if c := w.connected; c.pieces == pieces && c.generation == generation {
		return c, nil
	}
	w.disconnect()
	t, err := trust(w.dispatcher.Directory, w.dispatcher.Roots, s)
	if err != nil {
		return connected{}, err
	}
	c := connected{pieces: pieces, generation: generation}
	if config := pieces.TLS(s, t); s.Protocol == subscription.TCPIP {
		c.stream = pieces.Open(config)
	} else {
		c.transport = pieces.Connect(config)
	}
	w.connected = c
	return c, nil
}

func (w *worker) disconnect() {
	if t, ok := w.connected.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
	if w.connected.stream != nil {
		w.connected.stream.Close()
	}
	w.connected = connected{}
}

// wait returns when something may have happened, the emitter's clock shows
// until (zero: never), or the worker is to stop.
func (w *worker) wait(ctx context.Context, until time.Time) {
	var due <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(until.Sub(w.dispatcher.Now()))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
	case <-w.wake:
	case <-due:
	}
}

// pause waits after trouble; it says whether to go on.
func (w *worker) pause(ctx context.Context) bool {
	timer := time.NewTimer(troubled)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// graceful returns the context of an attempt: it ends after timeout, at once
// when the subscription is removed, and after the dispatcher's grace when
// everything stops: an answer on its way saves a second delivery.
func (d *Dispatcher) graceful(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	attempt, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	stop := context.AfterFunc(ctx, func() {
		if cause := context.Cause(ctx); !errors.Is(cause, errRemoved) && !errors.Is(cause, ErrFenced) {
			d.awaitGrace(attempt)
		}
		cancel()
	})
	return attempt, func() { stop(); cancel() }
}

// awaitGrace returns when the grace is over, or the attempt is.
func (d *Dispatcher) awaitGrace(attempt context.Context) {
	timer := time.NewTimer(d.Grace)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-attempt.Done():
	}
}
