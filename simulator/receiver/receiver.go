// Package receiver is the receiver simulator: a complete webhook receiver that
// behaves as its endpoints' scripts say and records every delivery, byte for
// byte, before it answers.
//
// It has one listener for each way of presenting itself (a trusted chain, a
// self-signed certificate, no TLS, and so on), takes requests at
// /hooks/{token} on all of them, and is steered and read through the
// inspection API on a listener of its own.
//
// What must not enter: judgement. What is odd about a delivery is noted beside
// it (package examine) and changes nothing about its answer. The receiver
// shares no code with the suite's steps or with the emitter.
package receiver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hookproof/hookproof/simulator/receiver/record"
	"github.com/hookproof/hookproof/simulator/receiver/store"
)

// Bounds that apply unless Options say otherwise.
const (
	// DefaultMaxBytes is the memory for what was recorded.
	DefaultMaxBytes = 256 << 20
	// DefaultMaxDeliveries is the count of what was recorded.
	DefaultMaxDeliveries = 1_000_000
	// MaxBodyBytes is the longest body that is taken. It leaves room for the
	// largest payload of the platform, 4096 KB (S1), and one event above.
	MaxBodyBytes = 8 << 20
	// MaxEndpoints bounds the endpoints that exist at a time.
	MaxEndpoints = 10_000
	// MaxScriptBytes bounds the JSON of all behaviours together.
	MaxScriptBytes = 64 << 20
)

// Options configure a receiver. The zero value serves on loopback, on free
// ports, without an inspection token.
type Options struct {
	// ListenHost is the host to which the hook listeners bind, each to a
	// free port. Default: 127.0.0.1.
	ListenHost string
	// AdvertiseHost names the receiver in URLs and in certificates. Default:
	// ListenHost, or 127.0.0.1 if that is a wildcard address.
	AdvertiseHost string
	// InspectListen is the host and port of the inspection listener.
	// Default: 127.0.0.1:0, a free port on loopback.
	InspectListen string
	// InspectToken is the bearer token of the inspection API. It may be
	// empty only on loopback.
	InspectToken string
	// MaxBytes bounds the memory for deliveries and connections over all
	// endpoints; the oldest leave first. The bodies that are being read take
	// at most a quarter of it again, or four of the longest if that is more.
	// Default: DefaultMaxBytes.
	MaxBytes int64
	// MaxDeliveries bounds their number likewise. Default:
	// DefaultMaxDeliveries.
	MaxDeliveries int
	// Ports are the ports of the hook listeners by mode. A listener that is
	// not among them takes a free one.
	Ports map[Mode]int
	// TLS narrows the versions of every listener that does not choose for
	// itself. Its ServerNames are not used.
	TLS TLSChoice
	// Certificate is presented instead of a trusted chain that is made at the
	// start; nil: none.
	Certificate *tls.Certificate
	// ClientCAs are authorities, as PEM, whose client certificates the
	// listener mtls-verified accepts beside those of the receiver's own root.
	ClientCAs []byte
	// Data is a folder in which endpoints and deliveries are kept across
	// restarts, within the same bounds. A delivery is on disk before it is
	// answered. Empty: memory only.
	Data string
	// Faults are the names of deliberate defects, see Faults.
	Faults []string
	// Hostile are the liberties that the receiver takes; the zero value takes
	// none.
	Hostile Hostile
	// Log takes what the HTTP servers complain about, at debug level. It is
	// never told headers or bodies. Default: nothing is logged.
	Log *slog.Logger
}

// Check says what is wrong with the options, if anything, without starting a
// receiver. Start checks them too.
func (o Options) Check() error {
	_, err := o.withDefaults()
	return err
}

func (o Options) withDefaults() (Options, error) {
	if o.ListenHost == "" {
		o.ListenHost = "127.0.0.1"
	}
	if o.AdvertiseHost == "" {
		o.AdvertiseHost = advertisedHost(o.ListenHost)
	}
	if o.InspectListen == "" {
		o.InspectListen = "127.0.0.1:0"
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxDeliveries == 0 {
		o.MaxDeliveries = DefaultMaxDeliveries
	}
	if o.MaxBytes < 0 || o.MaxDeliveries < 0 {
		return o, errors.New("the bounds of memory must not be negative")
	}
	if _, err := o.Hostile.chosen(); err != nil {
		return o, err
	}
	if err := o.checkListeners(); err != nil {
		return o, err
	}
	host, port, err := net.SplitHostPort(o.InspectListen)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return o, fmt.Errorf("inspection listener: %w; it takes a host and a port from 0 to 65535, such as 127.0.0.1:8089; 0 is any free port", err)
	}
	if o.InspectToken == "" && !loopback(host) {
		return o, fmt.Errorf("inspection listener %s can be reached from other machines: it needs a token", o.InspectListen)
	}
	return o, nil
}

func (o Options) checkListeners() error {
	for mode, port := range o.Ports {
		if !slices.Contains(Modes(), mode) {
			return fmt.Errorf("%q is not a listener that has a port; there are %v", mode, Modes())
		}
		if port < 0 || port > 65535 {
			return fmt.Errorf("%s listener: %d is not a port", mode, port)
		}
	}
	if _, _, err := o.TLS.versions(); err != nil {
		return fmt.Errorf("TLS versions: %w", err)
	}
	if len(o.ClientCAs) > 0 && !x509.NewCertPool().AppendCertsFromPEM(o.ClientCAs) {
		return errors.New("the authorities of clients hold no certificate in PEM")
	}
	return nil
}

// Receiver is a running receiver simulator.
type Receiver struct {
	options     Options
	authorities *authorities
	pieces      pieces
	budget      *record.Budget
	index       *record.Index[*kept] // every delivery, over all endpoints
	examiner    *examiner
	readers     readers
	store       *store.Store // or nil
	working     atomic.Int64 // requests that are being read and answered
	ending      atomic.Bool
	bodies      inFlight
	beginnings  sync.Pool // of memory in which bodies begin that may be long
	endpoints   *endpoints
	listeners   map[Mode]*listener // not changed after Start
	inspection  *listener
	errorLog    *log.Logger
	closing     sync.Once
	closeErr    error
	unbind      func() bool
}

// Start starts a receiver that runs until it is closed or ctx ends. When it
// returns, every listener takes connections.
func Start(ctx context.Context, options Options) (*Receiver, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("start receiver: %w", err)
	}
	pieces, err := compose(options.Faults)
	if err != nil {
		return nil, fmt.Errorf("start receiver: %w", err)
	}
	authorities, err := newAuthorities(options)
	if err != nil {
		return nil, fmt.Errorf("start receiver: %w", err)
	}
	r := &Receiver{
		options:     options,
		authorities: authorities,
		pieces:      pieces,
		budget:      record.NewBudget(options.MaxBytes, options.MaxDeliveries),
		bodies:      inFlight{limit: max(options.MaxBytes/4, 4*MaxBodyBytes)},
		endpoints:   newEndpoints(),
		listeners:   map[Mode]*listener{},
		errorLog:    log.New(io.Discard, "", 0),
		unbind:      func() bool { return true },
	}
	if options.Log != nil {
		r.errorLog = slog.NewLogLogger(options.Log.Handler(), slog.LevelDebug)
	}
	r.index = record.ContinueIndex[*kept](0)
	if err := r.restore(); err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("start receiver: %w", err)
	}
	r.examiner = newExaminer(r)
	if err := r.listen(); err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("start receiver: %w", err)
	}
	r.unbind = context.AfterFunc(ctx, func() { _ = r.Close() })
	return r, nil
}

// listen opens the shared listeners and the inspection listener.
func (r *Receiver) listen() error {
	for _, mode := range Modes() {
		l, err := r.newListener(mode, TLSChoice{}, nil)
		if err != nil {
			return err
		}
		l.port = r.options.Ports[mode]
		r.listeners[mode] = l
		if err := l.Open(); err != nil {
			return fmt.Errorf("%s listener: %w", mode, err)
		}
	}
	host, port, err := net.SplitHostPort(r.options.InspectListen)
	if err != nil {
		return err
	}
	number, err := net.DefaultResolver.LookupPort(context.Background(), "tcp", port)
	if err != nil {
		return fmt.Errorf("inspection listener: %w", err)
	}
	r.inspection = &listener{
		mode: Plain, host: host, advertised: advertisedHost(host), port: number,
		handler: r.inspectionHandler(), errorLog: r.errorLog,
	}
	if err := r.inspection.Open(); err != nil {
		return fmt.Errorf("inspection listener: %w", err)
	}
	return nil
}

// newListener makes a listener for hooks, with a certificate of its own.
func (r *Receiver) newListener(mode Mode, choice TLSChoice, connections *record.Log[Connection]) (*listener, error) {
	config, trust, err := r.authorities.present(mode, r.pieces.shows(mode), choice)
	if err != nil {
		return nil, err
	}
	if config != nil {
		config = r.pieces.secure(config)
	}
	hooks, err := r.options.Hostile.take(r.pieces.take(r.hookHandler()))
	if err != nil {
		return nil, err
	}
	return &listener{
		mode: mode, host: r.options.ListenHost, advertised: r.options.AdvertiseHost,
		tlsConfig: config, certificate: trust, handler: hooks,
		connections: connections, errorLog: r.errorLog,
	}, nil
}

// InspectURL is the base of the inspection API, without a trailing slash.
func (r *Receiver) InspectURL() string { return r.inspection.URL() }

// Token is the bearer token of the inspection API; empty if none is needed.
func (r *Receiver) Token() string { return r.options.InspectToken }

// RootPEM is the root certificate that a client must trust to accept the
// listeners whose chain is called trusted.
func (r *Receiver) RootPEM() []byte { return r.authorities.root.PEM() }

// URL is the base of the listener of the given mode, or empty if there is no
// such mode.
func (r *Receiver) URL(mode Mode) string {
	if l, ok := r.listeners[mode]; ok {
		return l.URL()
	}
	return ""
}

// Close closes every listener and connection, releases requests that hang and
// waits until everything has ended. Further calls wait likewise and do
// nothing. The error is that of closing the file on disk, if there is one.
func (r *Receiver) Close() error {
	r.closing.Do(func() {
		r.unbind()
		r.ending.Store(true)
		var closing sync.WaitGroup
		if r.inspection != nil {
			r.inspection.Close() // first, so that no endpoint comes after
		}
		for _, l := range r.listeners {
			closing.Go(l.Close)
		}
		for _, e := range r.endpoints.close() {
			closing.Go(e.close)
		}
		closing.Wait()
		r.examiner.close()
		if r.store != nil {
			r.closeErr = r.store.Close()
		}
	})
	return r.closeErr
}

// inFlight counts the memory of bodies that are being read.
type inFlight struct {
	limit int64
	used  atomic.Int64
}

// reserve books n bytes more and says whether there is room for them.
func (f *inFlight) reserve(n int64) bool {
	if f.used.Add(n) > f.limit {
		f.used.Add(-n)
		return false
	}
	return true
}

func (f *inFlight) release(n int64) { f.used.Add(-n) }
