package bench

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// deliveries measures the ceiling and the emitter in turns.
func deliveries(ctx context.Context, o Options, subscriptions int) (d Delivery, err error) {
	d = Delivery{Subscriptions: subscriptions}
	if o.full() {
		d.Bar = barRatio(subscriptions)
	}
	bare, err := startCeiling(subscriptions)
	if err != nil {
		return d, err
	}
	defer bare.close()
	r, err := startRig(ctx, o, subscriptions, true)
	if err != nil {
		return d, err
	}
	defer func() {
		if closed := r.close(); err == nil {
			err = closed
		}
	}()
	// Whole payloads for each subscription, so that both send the same.
	const full = limits.EventsPerPayload
	events := max(o.Events/2/subscriptions/full, 1) * full
	var ceilings, speeds, ratios []float64
	var allocated uint64
	for round := range o.Rounds + 1 {
		ceiling, err := bare.load(ctx, events)
		if err != nil {
			return d, fmt.Errorf("the ceiling: %w", err)
		}
		before := allocatedBytes()
		speed, err := r.load(ctx, events)
		if err != nil {
			return d, fmt.Errorf("the emitter: %w", err)
		}
		if round == 0 {
			r.bodies.Store(0)
			continue // warming up: connections are made, memory fills
		}
		allocated += allocatedBytes() - before
		ceilings, speeds, ratios = append(ceilings, ceiling), append(speeds, speed), append(ratios, speed/ceiling)
	}
	delivered := float64(events * subscriptions * o.Rounds)
	d.Ceiling, d.Emitter, d.Ratio = median(ceilings), median(speeds), median(ratios)
	d.Batch, d.Allocated = delivered/float64(r.bodies.Load()), float64(allocated)/delivered
	return d, nil
}

// outstanding is how many events may be appended and not yet delivered. Were it
// not bounded, the log would be filled first and read back from the disk later,
// which is what the backlog measures. It is more than a subscription has under
// way at a time, so that none ever waits for an event.
const outstanding = 3 * togetherEvents

// load appends events while they are delivered, and returns how many a second
// were delivered from the first append until the last subscription had the last
// of them.
func (r *rig) load(ctx context.Context, events int) (float64, error) {
	before, delivered := r.total.Load(), events*len(r.hooks)
	r.expect(delivered)
	started := time.Now()
	for appended := 0; appended < events; {
		n := min(events-appended, togetherEvents)
		if err := r.until(ctx, before+int64((appended+n-outstanding)*len(r.hooks))); err != nil {
			return 0, err
		}
		if err := r.append(ctx, r.environments[0], n); err != nil {
			return 0, err
		}
		appended += n
	}
	if err := r.await(ctx); err != nil {
		return 0, err
	}
	return float64(delivered) / time.Since(started).Seconds(), nil
}

// ceiling posts prebuilt payloads with the emitter's own client, one payload at
// a time on each connection.
type ceiling struct {
	*sink
	pieces  pipeline.Pieces
	trust   *x509.CertPool
	bodies  [][]byte
	clients []*client
}

type client struct {
	transport interface{ CloseIdleConnections() }
	send      func(context.Context, []byte) pipeline.Result
	next      int // payload
}

func startCeiling(connections int) (*ceiling, error) {
	records, err := ring()
	if err != nil {
		return nil, err
	}
	s, err := startSink(connections)
	if err != nil {
		return nil, err
	}
	c := &ceiling{sink: s, pieces: pipeline.Default(), trust: x509.NewCertPool(), bodies: payloads(records)}
	c.trust.AppendCertsFromPEM(s.root)
	for lane := range connections {
		to := subscription.Subscription{Protocol: subscription.HTTPS, URL: s.url(lane), VerifyTLS: true}
		transport := c.pieces.Connect(&tls.Config{RootCAs: c.trust, MinVersion: tls.VersionTLS12})
		c.clients = append(c.clients, &client{send: func(ctx context.Context, body []byte) pipeline.Result {
			return c.pieces.Attempt(ctx, transport, pipeline.Attempt{Subscription: to, Number: 1, Payload: pipeline.Payload{
				Body: body, ContentType: "application/json", Events: limits.EventsPerPayload,
			}})
		}, transport: transport.(interface{ CloseIdleConnections() })})
	}
	return c, nil
}

func (c *ceiling) close() {
	for _, client := range c.clients {
		client.transport.CloseIdleConnections()
	}
	c.sink.close()
}

// load delivers so many events over each connection and returns how many a
// second that were in all.
func (c *ceiling) load(ctx context.Context, events int) (float64, error) {
	delivered := events * len(c.clients)
	c.expect(delivered)
	started := time.Now()
	group, sending := errgroup.WithContext(ctx)
	for _, client := range c.clients {
		group.Go(func() error {
			for range events / limits.EventsPerPayload {
				r := client.send(sending, c.bodies[client.next])
				if r.Err != nil || r.Status != 200 {
					return fmt.Errorf("post a payload: %s", r)
				}
				client.next = (client.next + 1) % len(c.bodies)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	took := time.Since(started)
	return float64(delivered) / took.Seconds(), c.await(ctx)
}

// allocatedBytes is what the process has allocated so far.
func allocatedBytes() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
