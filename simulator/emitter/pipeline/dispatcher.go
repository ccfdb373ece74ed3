package pipeline

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// Directory is what the pipeline reads of the configuration. All methods are
// cheap and safe for concurrent use.
type Directory interface {
	Environments() []string
	Subscriptions(environment string) []subscription.Subscription
	Subscription(environment, id string) (subscription.Subscription, bool)
	Trusted(environment string) []*x509.Certificate // uploaded with usage SSL/TLS
	KeyPair(environment, id string) (tls.Certificate, bool)
}

// Log is what the pipeline reads of the audit log.
type Log interface {
	Next(ctx context.Context, environment string, sequence uint64) (auditlog.Chunk, error)
	Tail(ctx context.Context, environment string) (uint64, error)
}

// Options compose a dispatcher; all but Roots and Logger are required.
type Options struct {
	Log       Log
	Directory Directory
	Cursors   Cursors
	Pieces    *atomic.Pointer[Pieces]
	Now       func() time.Time // the emitter's clock
	Roots     func() *x509.CertPool
	Logger    *slog.Logger
}

// Dispatcher owns one worker for each subscription of every environment. A
// worker with nothing to do costs a parked goroutine: no timer, no consumer, no
// connection.
type Dispatcher struct {
	Options
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.RWMutex
	workers map[string]map[string]*worker
	closed  bool
}

// Start makes a dispatcher and a worker for every subscription there is. Close
// stops it.
func Start(ctx context.Context, o Options) *Dispatcher {
	if o.Roots == nil {
		o.Roots = Roots(nil)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	d := &Dispatcher{Options: o, workers: map[string]map[string]*worker{}}
	d.ctx, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, environment := range o.Directory.Environments() {
		for _, s := range o.Directory.Subscriptions(environment) {
			d.Changed(environment, s.ID)
		}
	}
	return d
}

// Close lets attempts under way end within a grace time, stores the cursors and
// waits for every worker.
func (d *Dispatcher) Close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	d.done.Wait()
}

// Changed tells that a subscription, or a key or certificate that it may use,
// was made, changed or removed.
func (d *Dispatcher) Changed(environment, id string) {
	s, exists := d.Directory.Subscription(environment, id)
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.workers[environment][id]
	switch {
	case d.closed:
	case w == nil && exists:
		d.employ(s)
	case w != nil && exists:
		w.changed(s)
	case w != nil:
		delete(d.workers[environment], id)
		if len(d.workers[environment]) == 0 {
			delete(d.workers, environment)
		}
		w.remove()
	}
}

func (d *Dispatcher) employ(s subscription.Subscription) {
	ctx, remove := context.WithCancelCause(d.ctx)
	w := &worker{
		dispatcher: d, environment: s.EnvironmentID, id: s.ID,
		log:     d.Logger.With("environment", s.EnvironmentID, "subscription", s.ID),
		wake:    make(chan struct{}, 1),
		current: FilterOf(s),
		tail:    d.end(s.EnvironmentID),
		cancel:  remove,
	}
	if d.workers[s.EnvironmentID] == nil {
		d.workers[s.EnvironmentID] = map[string]*worker{}
	}
	d.workers[s.EnvironmentID][s.ID] = w
	d.done.Go(func() {
		defer remove(nil)
		w.run(ctx)
	})
}

// end is where the environment's log ends now.
func (d *Dispatcher) end(environment string) uint64 {
	last, err := d.Log.Tail(d.ctx, environment)
	if err != nil {
		d.Logger.Error("the end of the log is unknown, earlier events meet the new filter", "error", err)
	}
	return last
}

// Appended tells that the environment's log has grown.
func (d *Dispatcher) Appended(environment string) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, w := range d.workers[environment] {
		w.nudge()
	}
}

// ClockMoved tells that the emitter's clock was set: waits may be over.
func (d *Dispatcher) ClockMoved() {
	d.each((*worker).nudge)
}

// Recomposed tells that the pieces were replaced.
func (d *Dispatcher) Recomposed() {
	d.each((*worker).restart)
}

func (d *Dispatcher) each(f func(*worker)) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, workers := range d.workers {
		for _, w := range workers {
			f(w)
		}
	}
}
