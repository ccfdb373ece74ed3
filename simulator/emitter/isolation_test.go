package emitter_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter"
)

// neighbours is a receiver with a lane for each subscription. It never answers
// lane 0, and answers lane 1 a byte at a time without end.
type neighbours struct {
	*httptest.Server
	stuck atomic.Int64 // requests of lanes 0 and 1 that wait for an answer now
	stop  chan struct{}

	mu      sync.Mutex
	arrived map[int][]time.Time // by event, of the other lanes
	conns   map[string]bool     // of the other lanes
	whole   chan int            // events that all others have
}

const lanes = 50

func meetNeighbours(t *testing.T) *neighbours {
	n := &neighbours{stop: make(chan struct{}), arrived: map[int][]time.Time{}, conns: map[string]bool{}, whole: make(chan int, 1)}
	n.Server = httptest.NewUnstartedServer(n)
	n.Config.ErrorLog = log.New(io.Discard, "", 0)
	n.StartTLS()
	t.Cleanup(func() { close(n.stop); n.Close() })
	return n
}

func (n *neighbours) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the emitter has given up
	}
	lane, err := strconv.Atoi(r.URL.Path[1:])
	if err == nil && lane > 1 {
		n.take(r.RemoteAddr, at, body)
		return
	}
	n.stuck.Add(1)
	defer n.stuck.Add(-1)
	if lane == 0 {
		n.keepWaiting(r)
	} else {
		n.drip(w)
	}
}

func (n *neighbours) keepWaiting(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-n.stop:
	}
}

// drip answers with a header that does not end.
func (n *neighbours) drip(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	_, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-Drip: ")
	for err == nil {
		select {
		case <-tick.C:
			_, err = io.WriteString(conn, "a")
		case <-n.stop:
			return
		}
	}
}

func (n *neighbours) take(from string, at time.Time, body []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns[from] = true
	for _, id := range gjson.GetBytes(body, "#.result.id").Array() {
		event := int(id.Int())
		if n.arrived[event] = append(n.arrived[event], at); len(n.arrived[event]) == lanes-2 {
			n.whole <- event
		}
	}
}

// times posts lone events, each after all others have the last, and returns how
// long each took to each of the other lanes.
func (n *neighbours) times(t *testing.T, c *client, first, count int) []time.Duration {
	t.Helper()
	var took []time.Duration
	for event := first; event < first+count; event++ {
		posted := time.Now()
		c.inject("USER.CREATED", event, 1)
		select {
		case got := <-n.whole:
			if got != event {
				t.Fatalf("waited for event %d, got %d", event, got)
			}
		case <-time.After(patience):
			t.Fatalf("event %d did not reach all others", event)
		}
		n.mu.Lock()
		for _, at := range n.arrived[event] {
			took = append(took, at.Sub(posted))
		}
		n.mu.Unlock()
	}
	return took
}

// untilStuck waits until so many requests are stuck.
func (n *neighbours) untilStuck(t *testing.T, want int64) {
	t.Helper()
	for deadline := time.Now().Add(patience); n.stuck.Load() != want; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d requests are stuck, waited for %d", n.stuck.Load(), want)
		}
	}
}

func p99(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)*99/100]
}

// A dead and a dripping receiver cost the other 48 nothing: they get every
// event while the attempts at those two are still under way. How long that takes
// is compared at full size only, with rounds in turn: a busy machine would
// distort it.
func TestReceiversInTroubleCostOthersNothing(t *testing.T) {
	full := os.Getenv(scaleFull) == "full"
	rounds, events := 1, 3
	if full {
		rounds, events = 7, 100
	} else {
		t.Parallel()
	}
	n := meetNeighbours(t)
	_, c := start(t, emitter.Options{AttemptTimeout: time.Hour, ShutdownTimeout: time.Millisecond})
	c = c.environment("neighbours")
	for lane := 2; lane < lanes; lane++ {
		c.subscribe(fmt.Sprintf("%s/%d", n.URL, lane), nil)
	}
	next := 0
	measure := func() time.Duration {
		took := n.times(t, c, next, events)
		next += events
		return p99(took)
	}
	measure() // connections are made
	var ratios []float64
	for range rounds {
		well := measure()
		dead, dripping := c.subscribe(n.URL+"/0", nil), c.subscribe(n.URL+"/1", nil)
		measure() // both have something to be stuck with
		n.untilStuck(t, 2)
		troubled := measure()
		if got := n.stuck.Load(); got != 2 {
			t.Errorf("%d requests are stuck, not 2: an attempt was given up", got)
		}
		for _, id := range []string{dead, dripping} {
			c.must(http.StatusNoContent, http.MethodDelete, c.path("/subscriptions/"+id), "")
		}
		n.untilStuck(t, 0)
		ratios = append(ratios, troubled.Seconds()/well.Seconds())
		t.Logf("p99 of the others %v, beside a dead and a dripping receiver %v", well, troubled)
	}
	n.mu.Lock()
	conns := len(n.conns)
	n.mu.Unlock()
	if conns > 2*(lanes-2) { // now and then the next attempt is faster than a connection's return
		t.Errorf("%d connections were made for %d deliveries to %d receivers: they are not used again", conns, next*(lanes-2), lanes-2)
	}
	if slices.Sort(ratios); full && ratios[rounds/2] > 1.5 {
		t.Errorf("the ratios are %.2f; at most 1.5 in the middle", ratios)
	} else {
		t.Logf("ratios %.2f", ratios)
	}
}
