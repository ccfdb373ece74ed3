package emitter

import (
	"net/http"
	"slices"
	"sync"

	"github.com/hookproof/hookproof/simulator/emitter/api"
	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// Pieces is the composition of the emitter. A fault replaces or wraps members
// of a copy; no piece knows of faults.
type Pieces struct {
	Pipeline  pipeline.Pieces
	Directory directory.Pieces
	API       api.Pieces

	// StartAfter turns the last position of the log into the one after which a
	// new subscription begins.
	StartAfter func(last uint64) uint64

	// Serve is how clients meet the management API.
	Serve func(http.Handler) http.Handler

	// What pieces may read.
	Bootstrap     api.Client
	Log           pipeline.Log
	Environments  func() []string
	Subscriptions func(environment, id string) (subscription.Subscription, bool)
}

// compose returns the pieces that keep every rule, with the options' timing.
func (e *Emitter) compose() Pieces {
	p := pipeline.Default()
	p.Connect, p.Open = e.options.Networks.Connect, e.options.Networks.Open
	p.Linger, p.ReadOn = e.options.Linger, e.options.ReadOn
	p.Backoff = pipeline.Backoff(e.options.RetryInitial, e.options.RetryMax)
	p.AttemptTimeout = e.options.AttemptTimeout
	if e.options.Accept2xx {
		p.Delivered = pipeline.DeliveredBy2xx
	}
	return Pieces{
		Pipeline:      p,
		Directory:     directory.DefaultPieces(),
		API:           api.Pieces{Represent: subscription.Represent},
		StartAfter:    func(last uint64) uint64 { return last },
		Serve:         func(h http.Handler) http.Handler { return h },
		Bootstrap:     e.client(),
		Log:           e.log,
		Environments:  e.directory.Environments,
		Subscriptions: e.directory.Subscription,
	}
}

// faultState is which faults are active now.
type faultState struct {
	mu     sync.Mutex
	active []string
}

// switchFaults composes the emitter anew with exactly the named faults.
func (e *Emitter) switchFaults(names []string) error {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	return e.recompose(names)
}

// setFault switches one fault on or off.
func (e *Emitter) setFault(name string, on bool) error {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	names := slices.DeleteFunc(slices.Clone(e.faults.active), func(n string) bool { return n == name })
	if on {
		names = append(names, name)
	}
	return e.recompose(names)
}

func (e *Emitter) recompose(names []string) error {
	faults, err := active(names)
	if err != nil {
		return err
	}
	p := e.standard
	for _, f := range faults {
		f.apply(&p)
	}
	e.faults.active = slices.Clone(names)
	e.tail.Store(&p.StartAfter)
	e.directory.SetPieces(p.Directory)
	e.management.SetPieces(p.API)
	served := p.Serve(e.management)
	e.handler.Store(&served)
	e.pipeline.Store(&p.Pipeline)
	if e.dispatcher != nil {
		e.dispatcher.Recomposed()
	}
	return nil
}

func (e *Emitter) activeFaults() []string {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	return slices.Clone(e.faults.active)
}

var (
	_ pipeline.Log       = (*auditlog.Log)(nil)
	_ pipeline.Directory = (*directory.Directory)(nil)
	_ directory.Recorder = recorder{}
)
