// Package emitter is the reference emitter: the management API of webhooks and
// what they watch, the audit log, the pipeline that delivers, and a control API
// for tests, composed into one service.
//
// Here things are put together and switched; how each of them works stands in
// the packages below. Nothing of the suite (steps, features, reports) and
// nothing of the receiver simulator enters.
package emitter

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/api"
	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/membership"
	"github.com/hookproof/hookproof/simulator/emitter/metrics"
	"github.com/hookproof/hookproof/simulator/emitter/openapi"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

// Emitter is a running reference emitter.
type Emitter struct {
	options   Options
	clock     clock
	bootstrap bootstrap
	tokenKey  *api.TokenKey
	authority []byte // PEM, of a generated certificate of the API
	relay     relay
	metrics   *metrics.Metrics

	storage    *storage.Storage
	members    *membership.Members // of a cluster; nil: this process is alone
	log        *auditlog.Log
	directory  *directory.Directory
	management *api.API
	handler    atomic.Pointer[http.Handler] // the management API as it is composed now
	dispatcher *pipeline.Dispatcher
	attempts   *attempts // nil: not kept

	standard Pieces // keeps every rule
	pipeline atomic.Pointer[pipeline.Pieces]
	tail     atomic.Pointer[func(uint64) uint64]
	faults   faultState

	front, control served // the management API's listener, the control API's
	publicURL      string

	stopping atomic.Bool
	closing  sync.Once
	closeErr error
}

// Start runs an emitter until Close. When it returns, the listeners accept.
func Start(ctx context.Context, o Options) (*Emitter, error) {
	o, err := o.filled()
	if err != nil {
		return nil, fmt.Errorf("start emitter: %w", err)
	}
	e := newEmitter(o)
	if err := e.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start emitter: %w", err), e.Close())
	}
	return e, nil
}

func newEmitter(o Options) *Emitter {
	e := &Emitter{options: o}
	e.metrics = metrics.New(metrics.Options{Lags: e.relay.Lags, Now: e.clock.Now})
	return e
}

func (e *Emitter) start(ctx context.Context) error {
	o := e.options
	roots, err := certificates(o.TrustedCAs)
	if err != nil {
		return err
	}
	if err := e.listen(); err != nil {
		return err
	}
	if err := e.openStorage(ctx, membership.Options{Log: o.Log}); err != nil {
		return err
	}
	if err := e.firstAlone(ctx, e.bringUp); err != nil {
		return err
	}
	cursors, err := pipeline.OpenCursors(ctx, e.storage.Reserved())
	if err != nil {
		return err
	}
	if err := e.manage(); err != nil {
		return err
	}
	e.standard = e.compose()
	if err := o.Hostile.take(&e.standard); err != nil {
		return err
	}
	if err := e.switchFaults(o.Faults); err != nil {
		return err
	}
	options := pipeline.Options{
		Log: e.log, Directory: e.directory, Cursors: cursors, Pieces: &e.pipeline,
		Now: e.clock.Now, Roots: pipeline.Roots(roots), Observer: e.metrics,
		Grace: o.ShutdownTimeout, Shares: e.shares(), Logger: o.Log,
	}
	if o.KeepAttempts > 0 {
		e.attempts = newAttempts(o.KeepAttempts)
		options.Observer = attemptsAndMetrics{e.metrics, e.attempts}
	}
	e.dispatcher = pipeline.Start(ctx, options)
	e.relay.to.Store(e.dispatcher)
	e.reshare()
	e.serve()
	return nil
}

// bringUp opens what is kept, and makes what an emitter has from its beginning.
func (e *Emitter) bringUp(ctx context.Context) error {
	if err := e.identify(ctx); err != nil {
		return err
	}
	if err := e.openDirectory(ctx); err != nil {
		return err
	}
	return e.directory.Root(ctx, e.bootstrap.Environment)
}

// identify brings what the emitter itself is known by, the first client, the
// key of its tokens, its certificate, and its clock.
func (e *Emitter) identify(ctx context.Context) error {
	bucket, err := openOwn(ctx, e.storage)
	if err != nil {
		return err
	}
	if err := e.clock.keep(ctx, bucket, e.storage.Place().Shared, e.relay.ClockMoved); err != nil {
		return err
	}
	if e.bootstrap, err = openBootstrap(ctx, bucket, e.options); err != nil {
		return err
	}
	if e.tokenKey, err = openTokenKey(ctx, bucket); err != nil {
		return err
	}
	return e.openTLS(ctx, bucket)
}

// openDirectory opens the audit log and the directory, and adds the seed.
func (e *Emitter) openDirectory(ctx context.Context) (err error) {
	unshifted := func(last uint64) uint64 { return last }
	e.tail.Store(&unshifted)
	place := e.storage.Place()
	if e.log, err = auditlog.Open(ctx, auditlog.Options{Place: place, Now: e.clock.Now, Appended: e.relay.Appended, Log: e.options.Log}); err != nil {
		return err
	}
	if e.directory, err = directory.Open(ctx, directory.Options{
		Place: e.storage.Reserved(), Room: e.storage.Room,
		Recorder: recorder{e}, Observer: &e.relay, Now: e.clock.Now, Tail: e.startAfter,
	}); err != nil {
		return err
	}
	return e.plant(ctx)
}

// manage puts the management API, its description and the health checks
// together.
func (e *Emitter) manage() error {
	document, err := openapi.JSON()
	if err != nil {
		return err
	}
	// Tokens live by the machine's clock: advancing the emitter's, to see events
	// expire, must not lock its clients out.
	e.management = api.New(e.directory, api.Options{
		Bootstrap:  e.client(),
		TokenKey:   e.tokenKey,
		PublicURL:  e.publicURL,
		Log:        e.options.Log,
		Activities: e.log,
		Tester:     &e.relay,

		TrustedProxies: e.options.TrustedProxies,
	})
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { (*e.handler.Load()).ServeHTTP(w, r) })
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document) // a client that went away cannot be told
	})
	mux.HandleFunc("GET /healthz", e.healthz)
	mux.HandleFunc("GET /readyz", e.readyz)
	mux.Handle("GET /metrics", e.metrics.Handler())
	e.front.handler = mux
	return nil
}

func (e *Emitter) client() api.Client {
	b := e.bootstrap
	return api.Client{EnvironmentID: b.Environment, ID: b.ClientID, Secret: b.Secret}
}

// startAfter is where the log ends for a subscription made now.
func (e *Emitter) startAfter(ctx context.Context, environment string) (uint64, error) {
	last, err := e.log.Tail(ctx, environment)
	if err != nil {
		return 0, err
	}
	return (*e.tail.Load())(last), nil
}

// URL is where clients find the management API, without a slash at its end.
func (e *Emitter) URL() string { return e.publicURL }

// ControlURL is where the control API is; empty when it is off.
func (e *Emitter) ControlURL() string {
	if e.control.listener == nil {
		return ""
	}
	return "http://" + e.control.listener.Addr().String()
}

// Bootstrap returns the client that may act on all environments, and the
// environment it lives in.
func (e *Emitter) Bootstrap() (environment, clientID, secret string) {
	return e.bootstrap.Environment, e.bootstrap.ClientID, e.bootstrap.Secret
}

// An Environment is named as who starts an emitter needs it: by id and name.
type Environment struct{ ID, Name string }

// Environments are all environments, oldest first.
func (e *Emitter) Environments() []Environment {
	list := e.directory.ListEnvironments()
	all := make([]Environment, len(list))
	for i, entity := range list {
		name, _ := entity.Members["name"].(string)
		all[i] = Environment{entity.ID, name}
	}
	return all
}

// SecretGenerated says whether the client secret was made by this start, so
// that nobody knows it yet.
func (e *Emitter) SecretGenerated() bool { return e.bootstrap.generated }

// Close begins no further attempt, lets those and requests under way end within
// Options.ShutdownTimeout, stores the cursors and waits for everything. What was
// not delivered by then is delivered by the next emitter on the same Dir. A
// second Close returns what the first did.
func (e *Emitter) Close() error {
	e.closing.Do(func() { e.closeErr = e.close() })
	return e.closeErr
}

func (e *Emitter) close() error {
	failed := []error{e.stop()}
	e.clock.close()
	if e.directory != nil {
		e.directory.Close()
	}
	if e.log != nil {
		failed = append(failed, e.log.Close())
	}
	if e.members != nil {
		failed = append(failed, e.members.Close())
	}
	if e.storage != nil {
		failed = append(failed, e.storage.Close())
	}
	return errors.Join(failed...)
}

// served is a listener, its server and the goroutine between them.
type served struct {
	listener net.Listener
	server   *http.Server
	handler  http.Handler
	tls      *tls.Config // nil: plain HTTP
	done     sync.WaitGroup
	started  bool
}

func (e *Emitter) listen() (err error) {
	if e.front.listener, err = net.Listen("tcp", e.options.Listen); err != nil {
		return fmt.Errorf("listen for the management API: %w", err)
	}
	if e.publicURL = e.options.PublicURL; e.publicURL == "" {
		e.publicURL = publicURL(e.options.HTTPS, e.front.listener.Addr())
	}
	if e.options.ControlToken != "" {
		if e.control.listener, err = net.Listen("tcp", e.options.ControlListen); err != nil {
			return fmt.Errorf("listen for the control API: %w", err)
		}
	}
	return nil
}

func (e *Emitter) serve() {
	e.front.serve(e.options.Log)
	if e.control.listener != nil {
		e.control.handler = e.controlHandler()
		e.control.serve(e.options.Log)
	}
}

// Bounds of the emitter's own servers; clients of the APIs are quick.
const (
	headerWithin = 10 * time.Second
	idleWithin   = 2 * time.Minute
	headerBytes  = 64 << 10
)

func (s *served) serve(log *slog.Logger) {
	s.server = &http.Server{
		Handler: s.handler, TLSConfig: s.tls,
		ReadHeaderTimeout: headerWithin, IdleTimeout: idleWithin, MaxHeaderBytes: headerBytes,
	}
	quietly(s.server, log)
	s.started = true
	s.done.Go(func() { // either always ends with http.ErrServerClosed
		if s.tls != nil {
			_ = s.server.ServeTLS(s.listener, "", "")
			return
		}
		_ = s.server.Serve(s.listener)
	})
}

func (s *served) shutdown(within time.Duration) {
	if !s.started {
		if s.listener != nil {
			_ = s.listener.Close() // nobody ever used it
		}
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close() // the grace is over; nothing else can fail here
	}
	s.done.Wait()
}
