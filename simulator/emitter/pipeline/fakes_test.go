package pipeline_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"go.uber.org/goleak"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

const env = "env"

// world is a pipeline on fakes: a log, a directory and cursors in memory, and a
// receiver that is a function.
type world struct {
	mu            sync.Mutex
	chunks        []auditlog.Chunk
	subscriptions map[string]subscription.Subscription
	cursors       map[string]pipeline.State
	trusted       []*x509.Certificate
	keys          map[string]tls.Certificate
	offset        time.Duration
	observer      pipeline.Observer // nil: nobody
	logger        *slog.Logger      // nil: nothing is logged
	loading       time.Duration     // how long a state takes to be loaded
	first         uint64            // chunks before it have expired

	pieces     atomic.Pointer[pipeline.Pieces]
	dispatcher *pipeline.Dispatcher
}

func newWorld() *world {
	w := &world{
		subscriptions: map[string]subscription.Subscription{}, cursors: map[string]pipeline.State{}, keys: map[string]tls.Certificate{},
	}
	p := pipeline.Default()
	w.pieces.Store(&p)
	return w
}

func (w *world) start() {
	w.dispatcher = pipeline.Start(context.Background(), pipeline.Options{
		Log: w, Directory: w, Cursors: w, Pieces: &w.pieces, Now: w.now, Roots: func() *x509.CertPool { return x509.NewCertPool() },
		Observer: w.observer, Logger: w.logger,
	})
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.offset)
}

func (w *world) advance(by time.Duration) {
	w.mu.Lock()
	w.offset += by
	w.mu.Unlock()
	w.dispatcher.ClockMoved()
}

func (w *world) Next(_ context.Context, _ string, sequence uint64) (auditlog.Chunk, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if sequence = max(sequence, w.first, 1); sequence > uint64(len(w.chunks)) {
		return auditlog.Chunk{}, auditlog.ErrEnd
	}
	return w.chunks[sequence-1], nil
}

func (w *world) Expired(_ context.Context, sequence uint64, since time.Time) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.offset).Sub(since) > auditlog.Retention && sequence < w.first, nil
}

func (w *world) append(records ...event.Record) {
	accepted := w.now()
	w.mu.Lock()
	w.chunks = append(w.chunks, auditlog.Chunk{Sequence: uint64(len(w.chunks) + 1), Accepted: accepted, Records: records})
	w.mu.Unlock()
	if w.dispatcher != nil {
		w.dispatcher.Appended(env)
	}
}

func (w *world) Environments() []string { return []string{env} }

func (w *world) Subscriptions(string) []subscription.Subscription {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []subscription.Subscription
	for _, s := range w.subscriptions {
		list = append(list, s)
	}
	return list
}

func (w *world) Subscription(_, id string) (subscription.Subscription, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.subscriptions[id]
	return s, ok
}

func (w *world) Trusted(string) []*x509.Certificate {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.trusted)
}

func (w *world) KeyPair(_, id string) (tls.Certificate, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	pair, ok := w.keys[id]
	return pair, ok
}

func (w *world) put(s subscription.Subscription) {
	w.mu.Lock()
	s.ConfiguredAfter = uint64(len(w.chunks))
	w.subscriptions[s.ID] = s
	w.mu.Unlock()
	if w.dispatcher != nil {
		w.dispatcher.Changed(env, s.ID)
	}
}

func (w *world) remove(id string) {
	w.mu.Lock()
	delete(w.subscriptions, id)
	w.mu.Unlock()
	w.dispatcher.Changed(env, id)
}

func (w *world) Load(_ context.Context, _, id string) (pipeline.State, bool, error) {
	if w.loading > 0 {
		<-time.After(w.loading)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.cursors[id]
	return s, ok, nil
}

func (w *world) Store(_ context.Context, _, id string, s pipeline.State) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cursors[id] = s
	return nil
}

func (w *world) Delete(_ context.Context, _, id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.cursors, id)
	return nil
}

// deliver replaces the network: every request goes to the function.
func (w *world) deliver(to func(url, body string) int) {
	p := *w.pieces.Load()
	p.Connect = func(*tls.Config) http.RoundTripper { return roundTripper(to) }
	w.pieces.Store(&p)
}

type roundTripper func(url, body string) int

var errRefused = errors.New("connection refused")

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	status := f(req.URL.String(), string(body))
	if status == 0 {
		return nil, errRefused
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Request: req}, nil
}

func created(n int) event.Record { return typed("USER.CREATED", n) }

func typed(kind string, n int) event.Record {
	return event.Event{ID: fmt.Sprint(n), Type: kind, RecordedAt: time.Unix(0, 0)}.Record()
}

func webhook(id string) subscription.Subscription {
	return subscription.Subscription{
		ID: id, EnvironmentID: env, Name: id, Enabled: true, Protocol: subscription.HTTPS,
		URL: "https://127.0.0.1:1/" + id, ActionTypes: []string{"USER.CREATED"}, VerifyTLS: true,
	}
}

// ids are the ids of the events of a JSON array or of lines.
func ids(body string) []string {
	var list []string
	if strings.HasPrefix(body, "[") {
		for _, id := range gjson.Get(body, "#.id").Array() {
			list = append(list, id.String())
		}
		return list
	}
	gjson.ForEachLine(body, func(line gjson.Result) bool {
		list = append(list, line.Get("id").String())
		return true
	})
	return list
}
