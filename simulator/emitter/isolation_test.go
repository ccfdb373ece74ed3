package emitter_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter"
)

// neighbours is a receiver with a lane for each subscription. The first lanes
// are in trouble, each in its way.
type neighbours struct {
	*httptest.Server
	stuck      atomic.Int64 // requests of the dead and the dripping lane that wait for an answer now
	reset      atomic.Int64 // connections of the resetting lane
	slow       atomic.Int64 // answers of the slow lane
	answering  atomic.Int64 // requests of the slow lane that wait for an answer now
	overtaking atomic.Bool  // a request of the slow lane came before the answer to the last
	stop       chan struct{}

	mu      sync.Mutex
	arrived map[int][]time.Time // by event, of the other lanes
	conns   map[string]bool     // of the other lanes
	whole   chan int            // events that all others have
}

const (
	dead      = iota // never answers
	dripping         // answers a byte at a time without end
	resetting        // breaks the connection instead of answering
	slow             // takes a second for each answer
	healthy          // the first of those that are well

	lanes = 50
	well  = lanes - healthy
)

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
	switch {
	case err != nil:
		http.NotFound(w, r)
	case lane == resetting:
		n.hangUp(w)
	case lane == slow:
		n.takeTime(r)
	case lane >= healthy:
		n.take(r.RemoteAddr, at, body)
	default:
		n.stuck.Add(1)
		defer n.stuck.Add(-1)
		if lane == dripping {
			n.drip(w)
			return
		}
		n.keepWaiting(r)
	}
}

func (n *neighbours) keepWaiting(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-n.stop:
	}
}

// hangUp resets the connection: with no time to linger, a close is no end but
// an error.
func (n *neighbours) hangUp(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	if over, ok := conn.(*tls.Conn); ok {
		conn = over.NetConn()
	}
	if raw, ok := conn.(*net.TCPConn); ok && raw.SetLinger(0) == nil && raw.Close() == nil {
		n.reset.Add(1)
	}
}

func (n *neighbours) takeTime(r *http.Request) {
	if n.answering.Add(1) > 1 {
		n.overtaking.Store(true)
	}
	defer n.answering.Add(-1)
	select {
	case <-time.After(time.Second):
		n.slow.Add(1)
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
		if n.arrived[event] = append(n.arrived[event], at); len(n.arrived[event]) == well {
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

// until waits until there are at least so many.
func (n *neighbours) until(t *testing.T, what string, count *atomic.Int64, least int64) {
	t.Helper()
	for deadline := time.Now().Add(patience); count.Load() < least; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d %s, waited for %d", count.Load(), what, least)
		}
	}
}

// none waits until there are none left.
func (n *neighbours) none(t *testing.T, what string, count *atomic.Int64) {
	t.Helper()
	for deadline := time.Now().Add(patience); count.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d %s are left", count.Load(), what)
		}
	}
}

func p99(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)*99/100]
}

// A dead, a dripping, a resetting and a slow receiver cost the other 46 nothing:
// they get every event while the attempts at the first two are still under way,
// the third is tried again and again, and the fourth takes its time. How long that takes
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
	for lane := healthy; lane < lanes; lane++ {
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
		before := measure()
		var ids []string
		for lane := range healthy {
			ids = append(ids, c.subscribe(fmt.Sprintf("%s/%d", n.URL, lane), nil))
		}
		resets, answers := n.reset.Load(), n.slow.Load()
		measure() // all have something to be in trouble with
		n.until(t, "stuck requests", &n.stuck, 2)
		troubled := measure()
		n.until(t, "resets", &n.reset, resets+2)
		n.until(t, "slow answers", &n.slow, answers+2)
		if got := n.stuck.Load(); got != 2 {
			t.Errorf("%d requests are stuck, not 2: an attempt was given up", got)
		}
		for _, id := range ids {
			c.must(http.StatusNoContent, http.MethodDelete, c.path("/subscriptions/"+id), "")
		}
		n.none(t, "stuck requests", &n.stuck)
		n.none(t, "slow requests", &n.answering)
		ratios = append(ratios, troubled.Seconds()/before.Seconds())
		t.Logf("p99 of the others %v, beside receivers in trouble %v", before, troubled)
	}
	if n.overtaking.Load() {
		t.Error("the slow receiver got a payload before it had answered the last")
	}
	n.mu.Lock()
	conns := len(n.conns)
	n.mu.Unlock()
	if conns > 2*well { // now and then the next attempt is faster than a connection's return
		t.Errorf("%d connections were made for %d deliveries to %d receivers: they are not used again", conns, next*well, well)
	}
	if slices.Sort(ratios); full && ratios[rounds/2] > 1.5 {
		t.Errorf("the ratios are %.2f; at most 1.5 in the middle", ratios)
	} else {
		t.Logf("ratios %.2f", ratios)
	}
}
