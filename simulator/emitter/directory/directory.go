// Package directory holds what the management API manages: environments, populations, applications, users, keys,
// certificates and subscriptions. Every change is written through to JetStream's key-value store and recorded as an
// audit event before it is visible; reads come from memory. HTTP, tokens and delivery must not enter.
package directory

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// A Recorder appends audit events to an environment's log, in order; when it returns nil they are durable.
type Recorder interface {
	Record(ctx context.Context, environment string, events ...event.Event) error
}

// An Observer is told after a subscription, or a key or certificate that it may use, changed or went away. It must not
// block and may read the directory.
type Observer interface {
	Changed(environment, subscription string)
}

// Options of a directory. Recorder is required.
type Options struct {
	Recorder Recorder
	Observer Observer         // nil: nobody; see also Observe
	Now      func() time.Time // nil: time.Now

	// Tail returns the last position of an environment's log: where a new subscription starts (FLT-013). nil: zero.
	Tail func(ctx context.Context, environment string) (uint64, error)

	// Room says why nothing can be changed now, so that no change is begun that cannot be finished or undone. nil:
	// there is always room.
	Room func() error

	// Place is where the key-value bucket is. If it is shared, so is the directory: what another process changes is seen
	// here, and no change is made upon a state that another process has left behind. Close such a directory.
	Place storage.Place

	// Root is the id of an environment made when missing, the home of the bootstrap client. Empty: none.
	Root string

	Pieces Pieces // the zero value is DefaultPieces
}

// ErrNotFound says that an environment, or a resource in it, does not exist (any more).
var ErrNotFound = errors.New("not found")

// Invalid says what is wrong with a request, with at least one problem.
type Invalid struct{ Problems []body.Problem }

func (e *Invalid) Error() string {
	parts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		parts[i] = p.Code + " " + p.Target
	}
	return "invalid: " + strings.Join(parts, ", ")
}

// LimitReached says that an environment has as many subscriptions as it may have.
type LimitReached struct{ Limit int }

func (e *LimitReached) Error() string {
	return fmt.Sprintf("limit of %d subscriptions reached", e.Limit)
}

// Conflict says that a resource's use forbids the change. Message is for the client.
type Conflict struct{ Target, Message string }

func (e *Conflict) Error() string { return e.Message }

// Directory is safe for concurrent use. Changes within one environment happen one after the other.
type Directory struct {
	kv     jetstream.KeyValue
	stream jetstream.Stream // of the bucket
	opts   Options
	pieces atomic.Pointer[Pieces]

	observer atomic.Pointer[Observer]

	generating chan struct{} // a place for each key that is being made

	mu           sync.RWMutex // guards environments and forming
	environments map[string]*environment
	forming      map[string]*environment // parts have come, its own entry has not
	formed       chan struct{}           // closed when an environment becomes visible

	committing chan struct{} // a place for each change that is being written together
	stop       context.CancelFunc
	done       sync.WaitGroup
}

// Open reads the directory kept in js, making its bucket when missing.
func Open(ctx context.Context, o Options) (*Directory, error) {
	if o.Recorder == nil {
		return nil, errors.New("open directory: no recorder")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Tail == nil {
		o.Tail = func(context.Context, string) (uint64, error) { return 0, nil }
	}
	d := &Directory{
		opts: o, environments: map[string]*environment{}, forming: map[string]*environment{}, formed: make(chan struct{}),
		generating: make(chan struct{}, maxGenerating), committing: make(chan struct{}, maxCommitting),
	}
	d.SetPieces(o.Pieces)
	d.Observe(o.Observer)
	kv, err := o.Place.Bucket(ctx, storage.Bucket{
		Name: bucket, Description: "configuration of the reference emitter", Atomic: o.Place.Shared,
	})
	if err != nil {
		return nil, fmt.Errorf("open directory: %w", err)
	}
	d.kv = kv
	if d.stream, err = o.Place.JetStream.Stream(ctx, "KV_"+bucket); err != nil {
		return nil, fmt.Errorf("open directory: %w", err)
	}
	if err := d.load(ctx); err != nil {
		return nil, fmt.Errorf("open directory: %w", err)
	}
	if err := d.root(ctx); err != nil {
		d.Close()
		return nil, fmt.Errorf("open directory: %w", err)
	}
	return d, nil
}

// Close ends the following of what other processes change.
func (d *Directory) Close() {
	if d.stop != nil {
		d.stop()
		d.done.Wait()
	}
}

// Observe replaces the observer; nil for nobody.
func (d *Directory) Observe(o Observer) { d.observer.Store(&o) }

// SetPieces replaces what the directory is composed of, for changes that begin later. The zero value is the default.
func (d *Directory) SetPieces(p Pieces) {
	p = p.filled()
	d.pieces.Store(&p)
}

func (d *Directory) changed(environment string, subscriptions []string) {
	observer := *d.observer.Load()
	if observer == nil {
		return
	}
	for _, id := range subscriptions {
		observer.Changed(environment, id)
	}
}

func (d *Directory) environment(id string) (*environment, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	e, ok := d.environments[id]
	return e, ok
}

// Environments returns the ids of all environments, oldest first.
func (d *Directory) Environments() []string {
	list := d.ListEnvironments()
	ids := make([]string, len(list))
	for i, e := range list {
		ids[i] = e.ID
	}
	return ids
}

// Subscriptions returns an environment's subscriptions, oldest first: an immutable snapshot, nil if there is no such
// environment.
func (d *Directory) Subscriptions(environment string) []subscription.Subscription {
	e, ok := d.environment(environment)
	if !ok {
		return nil
	}
	return *e.subscriptions.Load()
}

// Subscription returns one subscription.
func (d *Directory) Subscription(environment, id string) (subscription.Subscription, bool) {
	list := d.Subscriptions(environment)
	i := slices.IndexFunc(list, func(s subscription.Subscription) bool { return s.ID == id })
	if i < 0 {
		return subscription.Subscription{}, false
	}
	return list[i], true
}

// Trusted returns the certificates uploaded with the usage SSL/TLS: what deliveries trust beside the default
// authorities (V1).
func (d *Directory) Trusted(environment string) []*x509.Certificate {
	e, ok := d.environment(environment)
	if !ok {
		return nil
	}
	var trusted []*x509.Certificate
	for _, c := range e.certificates.list() {
		if c.UsageType == UsageTLS {
			trusted = append(trusted, c.chain...)
		}
	}
	return trusted
}

// KeyPair returns a key with its certificate chain, ready to be presented to a receiver.
func (d *Directory) KeyPair(environment, id string) (tls.Certificate, bool) {
	e, ok := d.environment(environment)
	if !ok {
		return tls.Certificate{}, false
	}
	key, ok := e.keys.get(id)
	if !ok || key.signer == nil {
		return tls.Certificate{}, false
	}
	pair := tls.Certificate{PrivateKey: key.signer, Leaf: key.chain[0]}
	for _, c := range key.chain {
		pair.Certificate = append(pair.Certificate, c.Raw)
	}
	return pair, true
}
