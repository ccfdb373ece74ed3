package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// probeTimeout bounds each of the two requests of a connection test: whoever
// asked for it waits. It is the reference's own.
const probeTimeout = 10 * time.Second

// Test sends one event to a subscription's receiver now: outside the queue,
// past every filter, and also while the subscription is suspended. It is tried
// once; the error says why the receiver did not take it.
func (d *Dispatcher) Test(ctx context.Context, s subscription.Subscription, e event.Event) error {
	if s.Protocol == subscription.TCPIP {
		return errors.New("connections over TCP are not tested")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.ctx, func() { d.awaitGrace(ctx); cancel() })()
	t, err := trust(d.Directory, d.Roots, s)
	if err != nil {
		return err
	}
	pieces := d.Pieces.Load()
	transport := pieces.Connect(pieces.TLS(s, t))
	if c, ok := transport.(interface{ CloseIdleConnections() }); ok {
		defer c.CloseIdleConnections()
	}
	if e.RecordedAt.IsZero() {
		e.RecordedAt = d.Now()
	}
	batch := Batch{Framing: pieces.Framing(s)}
	batch.Add(pieces.Shape(nil, s, e.Record()))
	a := Attempt{Subscription: s, Number: 1, Payload: Payload{
		Body:        pieces.Join(&batch),
		ContentType: batch.Framing.ContentType, Events: 1, Oldest: e.RecordedAt,
	}}
	if r := pieces.Probe(ctx, *pieces, transport, a); !pieces.Delivered(a, r) {
		return fmt.Errorf("the receiver did not accept the test event: %s", r)
	}
	return nil
}

// Probe asks the receiver with HEAD first, as the platform was seen to do (R1),
// whatever comes of it, and then makes the attempt.
func Probe(ctx context.Context, p Pieces, transport http.RoundTripper, a Attempt) Result {
	timeout := min(p.AttemptTimeout, probeTimeout)
	if head := Head(ctx, p, transport, a, timeout); ctx.Err() != nil {
		return head
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := p.Prepare(ctx, a)
	if err != nil {
		return Result{Err: err}
	}
	return p.Exchange(transport, req)
}

// Head makes the request of an attempt with the method HEAD and without its
// payload.
func Head(ctx context.Context, p Pieces, transport http.RoundTripper, a Attempt, timeout time.Duration) Result {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	a.Payload = Payload{}
	req, err := p.Prepare(ctx, a)
	if err != nil {
		return Result{Err: err}
	}
	req.Method, req.Body, req.GetBody, req.ContentLength = http.MethodHead, http.NoBody, nil, 0
	if req.Header.Get("Content-Type") == "" {
		req.Header.Del("Content-Type")
	}
	return p.Exchange(transport, req)
}
