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
	// Expired says whether who goes on at the sequence number, and had read
	// everything at the time since, may miss what is kept no longer.
	Expired(ctx context.Context, sequence uint64, since time.Time) (bool, error)
}

// Options compose a dispatcher; all but Shares, Roots, Observer, Grace and
// Logger are required.
type Options struct {
	Log       Log
	Directory Directory
	Cursors   Cursors
	Pieces    *atomic.Pointer[Pieces]
	Now       func() time.Time // the emitter's clock
	Shares    Shares           // nil: nobody else works the subscriptions
	Roots     func() *x509.CertPool
	Observer  Observer
	Logger    *slog.Logger

	// Grace is how long attempts may go on after Close was called; default
	// DefaultGrace.
	Grace time.Duration
}

// DefaultGrace is the reference's own: long enough for a receiver that is not
// in trouble, and less than what supervisors wait before they kill.
const DefaultGrace = 5 * time.Second

// Dispatcher owns one worker for each subscription of every environment, of
// those that fall to this process. A worker with nothing to do costs a parked goroutine: no timer, no consumer, no
// connection.
type Dispatcher struct {
	Options
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup
	bodies bodies
	ahead  chan struct{} // holds one for each payload that is gathered ahead

	mu      sync.RWMutex
	workers map[string]map[string]*worker
	leaving map[string]<-chan struct{} // closed when a dismissed worker has left
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
	if o.Observer == nil {
		o.Observer = unobserved{}
	}
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	d := &Dispatcher{Options: o, workers: map[string]map[string]*worker{}, leaving: map[string]<-chan struct{}{}, ahead: make(chan struct{}, aheadPayloads)}
	d.ctx, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	d.Reshared()
	return d
}

// Close lets attempts under way end within Grace, stores the cursors and
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
	d.mu.Lock()
	defer d.mu.Unlock()
	s, exists := d.Directory.Subscription(environment, id)
	w := d.workers[environment][id]
	switch {
	case d.closed:
	case w == nil && exists && d.mine(environment, id):
		d.employ(s)
	case w != nil && exists:
		w.changed(s)
	case w != nil:
		d.dismiss(w, errRemoved)
	}
}

func (d *Dispatcher) employ(s subscription.Subscription) {
	ctx, remove := context.WithCancelCause(d.ctx)
	w := &worker{
		dispatcher: d, environment: s.EnvironmentID, id: s.ID,
		log:      d.Logger.With("environment", s.EnvironmentID, "subscription", s.ID),
		wake:     make(chan struct{}, 1),
		versions: []version{d.version(s)},
		cancel:   remove,
		done:     make(chan struct{}),
		before:   d.leaving[shareKey(s.EnvironmentID, s.ID)],
	}
	if d.workers[s.EnvironmentID] == nil {
		d.workers[s.EnvironmentID] = map[string]*worker{}
	}
	d.workers[s.EnvironmentID][s.ID] = w
	d.done.Go(func() {
		defer remove(nil)
		defer close(w.done)
		w.run(ctx)
	})
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
