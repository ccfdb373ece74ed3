package emitter_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter"
	"github.com/hookproof/hookproof/simulator/emitter/membership"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
	"github.com/hookproof/hookproof/simulator/emitter/storage/clustertest"
)

// joined starts an emitter that shares the cluster.
func joined(t *testing.T, nats *clustertest.Cluster) (*emitter.Emitter, *client) {
	t.Helper()
	return joinedLogging(t, nats, nil)
}

func joinedLogging(t *testing.T, nats *clustertest.Cluster, log *slog.Logger) (*emitter.Emitter, *client) {
	t.Helper()
	return start(t, emitter.Options{Cluster: &storage.Cluster{Servers: nats.Servers()}, Log: log})
}

// lapses counts what an emitter logs of leases that it could not renew in time,
// as happens on a machine that does too much.
type lapses struct {
	slog.Handler
	seen atomic.Int32
}

func (l *lapses) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok && errors.Is(err, membership.ErrLapsed) {
			l.seen.Add(1)
		}
		return true
	})
	return nil
}

func (l *lapses) Enabled(context.Context, slog.Level) bool { return true }

func (l *lapses) WithAttrs([]slog.Attr) slog.Handler { return l }

// eventually waits until the condition holds; there is nothing to be told by.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// sees waits until the emitter answers a request with 200.
func (c *client) sees(t *testing.T, path string) {
	t.Helper()
	eventually(t, path+" is seen", func() bool {
		status, _ := c.do(http.MethodGet, c.api+path, "", "")
		return status == http.StatusOK
	})
}

// in is the client in an environment that another emitter has made.
func (c *client) in(t *testing.T, environment string) *client {
	t.Helper()
	there := *c
	there.env = environment
	there.sees(t, there.path(""))
	return &there
}

// stream counts what arrives at a receiver, and in which order.
type stream struct {
	*receiver
}

// firsts are the numbers of the events in the order of their first delivery.
func (s stream) firsts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[string]bool{}
	var order []string
	for _, n := range numbers(s.deliveries) {
		if !seen[n] {
			seen[n] = true
			order = append(order, n)
		}
	}
	return order
}

func TestEmittersThatStartTogetherAreOneAndTheSame(t *testing.T) {
	t.Parallel()
	nats := clustertest.Start(t, 3)
	type identity struct{ environment, id, secret string }
	identities := make([]identity, 3)
	clients := make([]*client, 3)
	var started sync.WaitGroup
	for i := range 3 {
		started.Go(func() {
			var e *emitter.Emitter
			e, clients[i] = joined(t, nats)
			identities[i].environment, identities[i].id, identities[i].secret = e.Bootstrap()
		})
	}
	started.Wait()
	if identities[0] != identities[1] || identities[1] != identities[2] {
		t.Fatalf("they are %v", identities)
	}
	a, b := clients[0], clients[1]
	b.token = a.token // what one signs, the others take
	environments := gjson.Get(b.must(http.StatusOK, http.MethodGet, "/v1/environments", ""), "_embedded.environments.#").Int()
	if environments != 1 {
		t.Errorf("%d environments were made", environments)
	}

	a = a.environment("shared")
	b = b.in(t, a.env)
	r := receive(t, nil)
	id := a.subscribe(r.URL, nil)
	b.sees(t, b.path("/subscriptions/"+id))
	b.inject("USER.CREATED", 0, 5)
	r.untilNumbers(t, counted(0, 5))
	b.must(http.StatusOK, http.MethodPut, b.path("/subscriptions/"+id), subscriptionBody(t, r.URL, map[string]any{
		"filterOptions": map[string]any{"includedActionTypes": []string{"USER.DELETED"}}}))
	a.inject("USER.CREATED", 90, 1) // the filter holds for what happens after its change
	b.inject("USER.DELETED", 5, 2)
	r.untilNumbers(t, counted(0, 7))
	a.must(http.StatusOK, http.MethodPost, "/control/clock", `{"advance":"24h"}`)
	eventually(t, "the clock of another is advanced", func() bool {
		return gjson.Get(b.must(http.StatusOK, http.MethodGet, "/control/clock", ""), "offset").String() == "24h0m0s"
	})
	b.must(http.StatusNoContent, http.MethodDelete, "/v1/environments/"+b.env, "")
	eventually(t, "the environment is gone", func() bool {
		status, _ := a.do(http.MethodGet, a.api+a.path(""), "", "")
		return status == http.StatusNotFound
	})
}

func TestLimitsHoldOverAllEmitters(t *testing.T) {
	t.Parallel()
	nats := clustertest.Start(t, 1)
	_, a := joined(t, nats)
	_, b := joined(t, nats)
	a = a.environment("limits")
	b = b.in(t, a.env)
	created := make([]bool, 60)
	names := make([]bool, 20)
	var tried sync.WaitGroup
	for i := range created {
		tried.Go(func() {
			c := []*client{a, b}[i%2]
			body := subscriptionBody(t, "https://receiver.example/", map[string]any{"enabled": false, "name": fmt.Sprint(i)})
			status, _ := c.do(http.MethodPost, c.api+c.path("/subscriptions"), "application/json", body)
			created[i] = status == http.StatusCreated
		})
	}
	for i := range names {
		tried.Go(func() {
			c := []*client{a, b}[i%2]
			status, _ := c.do(http.MethodPost, c.api+c.path("/users"), "application/json",
				fmt.Sprintf(`{"username":"u%d","email":"u@example.com"}`, i/2))
			names[i] = status == http.StatusCreated
		})
	}
	tried.Wait()
	count := func(list []bool) (n int) {
		for _, made := range list {
			if made {
				n++
			}
		}
		return n
	}
	if got := count(created); got != 50 {
		t.Errorf("%d subscriptions were made", got)
	}
	if got := count(names); got != 10 {
		t.Errorf("%d of 10 names were given out", got)
	}
	for _, c := range []*client{a, b} {
		eventually(t, "all subscriptions are seen", func() bool {
			return gjson.Get(c.must(http.StatusOK, http.MethodGet, c.path("/subscriptions"), ""), "_embedded.subscriptions.#").Int() == 50
		})
	}
}

func TestSubscriptionsMoveWithoutLossOrDisorder(t *testing.T) {
	t.Parallel()
	const perPayload = 20
	nats := clustertest.Start(t, 3)
	lapsed := &lapses{}
	first, a := joinedLogging(t, nats, slog.New(lapsed))
	a = a.environment("moving")
	var streams []stream
	for i := range 16 { // so many that a second emitter is bound to get some
		r := receive(t, func(n int) int {
			if i%4 == 0 && n%5 == 0 {
				return http.StatusInternalServerError
			}
			return http.StatusOK
		})
		streams = append(streams, stream{r})
		a.subscribe(r.URL, map[string]any{"name": fmt.Sprint(i), "payloadOptions": map[string]any{
			"maximumPayloadLimit": map[string]any{"type": "EVENTS_PER_PAYLOAD", "size": perPayload}}})
	}
	next := 0
	post := func(c *client, n int) {
		c.inject("USER.CREATED", next, n)
		next += n
	}
	delivered := func(when string) {
		t.Helper()
		for i, s := range streams {
			eventually(t, fmt.Sprintf("receiver %d has everything %s", i, when), func() bool { return len(s.firsts()) == next })
		}
	}
	post(a, 100)
	delivered("from one emitter")

	second, b := joinedLogging(t, nats, slog.New(lapsed)) // it gets its share while events are posted
	b = b.in(t, a.env)
	for range 20 {
		post(b, 50)
	}
	delivered("from two emitters")
	_, metrics := b.do(http.MethodGet, second.URL()+"/metrics", "", "")
	if !regexp.MustCompile(`(?m)^hookproof_emitter_events_delivered_total [1-9]`).MatchString(metrics) {
		t.Error("the second emitter has delivered nothing")
	}

	for range 10 {
		post(b, 50)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- first.Close() }() // it hands over, with events under way
	for range 10 {
		post(b, 50)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	delivered("after one has stopped")
	for i, s := range streams {
		if got := s.firsts(); !slices.Equal(got, counted(0, next)) {
			t.Errorf("receiver %d: first deliveries are out of order", i)
		}
		s.mu.Lock()
		all := numbers(s.deliveries)
		s.mu.Unlock()
		// Whose lease has lapsed may have had a payload under way.
		if repeated, most := len(all)-next, perPayload*int(lapsed.seen.Load()); repeated > most {
			t.Errorf("receiver %d: %d accepted events were delivered twice, and nobody died (%d leases lapsed)", i, repeated, lapsed.seen.Load())
		}
	}
}

func TestAnEmitterWithoutItsClusterIsNotReady(t *testing.T) {
	t.Parallel()
	nats := clustertest.Start(t, 1)
	e, c := joined(t, nats)
	ready := func() (int, string) { return c.do(http.MethodGet, e.URL()+"/readyz", "", "") }
	if status, body := ready(); status != http.StatusOK {
		t.Fatalf("with its cluster: %d %s", status, body)
	}
	nats.Stop(0)
	eventually(t, "it is not ready", func() bool {
		status, body := ready()
		return status == http.StatusServiceUnavailable && json.Valid([]byte(body)) && strings.Contains(body, "does not answer")
	})
	nats.Restart(0)
	eventually(t, "it is ready again", func() bool {
		status, _ := ready()
		return status == http.StatusOK
	})
}
