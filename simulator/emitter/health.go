package emitter

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

// healthz answers as long as the process can answer anything.
func (e *Emitter) healthz(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyWithin is how long the storage may take to answer; probes wait for a
// second or more.
const readyWithin = time.Second

// writable says whether the storage takes events and configuration.
func (e *Emitter) writable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	if err := e.storage.Reachable(ctx); err != nil {
		return err
	}
	return e.log.Healthy(ctx)
}

// readyz says whether events and requests are taken now: the storage answers
// and has room, and the emitter is not about to end. It listens only once
// everything else has started. The reason names no files: anybody may ask.
func (e *Emitter) readyz(w http.ResponseWriter, r *http.Request) {
	reason := ""
	if e.stopping.Load() {
		reason = "stopping"
	} else if err := e.writable(r.Context()); errors.Is(err, storage.ErrFull) {
		reason = storage.ErrFull.Error()
	} else if err != nil {
		reason = "the storage does not answer"
	} else if e.members != nil && e.members.Err() != nil {
		reason = "the other emitters take this one for dead"
	}
	if reason != "" {
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "unavailable", "reason": reason})
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// requestGrace is the least that requests under way have to end, when attempts
// have taken the time there was.
const requestGrace = time.Second

// stop ends deliveries first, so that whoever asks for readiness meanwhile is
// told, and then the listeners.
// In a cluster, others go on with what is left.
func (e *Emitter) stop() error {
	e.stopping.Store(true)
	deadline := time.Now().Add(e.options.ShutdownTimeout)
	retired := e.retire()
	if e.dispatcher != nil {
		e.dispatcher.Close()
	}
	left := max(time.Until(deadline), requestGrace)
	e.front.shutdown(left)
	e.control.shutdown(left)
	return retired
}
