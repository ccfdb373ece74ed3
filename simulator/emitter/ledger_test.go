package emitter_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/gjson"
)

// ledger is a receiver that keeps account of numbered events, a lane for each
// subscription: its path is the lane's number. Every fourth lane refuses each
// third attempt, and every tenth hangs up on each fifth.
type ledger struct {
	*httptest.Server
	process atomic.Int64 // number of the emitter process of now
	lanes   []*lane

	mu    sync.Mutex
	left  int // things to happen until the strike
	hit   func()
	moved chan struct{} // of capacity 1: something was taken
}

// lane is what one subscription has been delivered.
type lane struct {
	mu       sync.Mutex
	attempts int
	seen     []bool
	last     int // the latest event taken; -1: none
	// Of the last payload that was answered with 200: its first event, and
	// which process sent it.
	first    int
	process  int64
	repeated int // payloads
	wrong    error
}

type processKey struct{}

func keepLedger(t *testing.T, size onslaught) *ledger {
	l := &ledger{moved: make(chan struct{}, 1)}
	for range size.subscriptions {
		l.lanes = append(l.lanes, &lane{seen: make([]bool, size.events), last: -1, first: -1})
	}
	l.Server = httptest.NewUnstartedServer(l)
	// A connection belongs to one process, also when what came over it is
	// looked at only after that was killed.
	l.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, processKey{}, l.process.Load())
	}
	l.Config.ErrorLog = log.New(io.Discard, "", 0) // killed processes leave broken connections
	l.StartTLS()
	t.Cleanup(l.Close)
	return l
}

// strike calls hit once so many things have happened.
func (l *ledger) strike(after int, hit func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left, l.hit = after, hit
}

func (l *ledger) happened() {
	l.mu.Lock()
	l.left--
	hit := l.hit
	if l.left != 0 {
		hit = nil
	}
	l.mu.Unlock()
	if hit != nil {
		hit()
	}
}

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the emitter was killed meanwhile
	}
	n, err := strconv.Atoi(r.URL.Path[1:])
	if err != nil || n >= len(l.lanes) {
		http.NotFound(w, r)
		return
	}
	status := l.lanes[n].take(n, body, r.Context().Value(processKey{}).(int64))
	l.happened()
	select {
	case l.moved <- struct{}{}:
	default:
	}
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
}

// take decides on the answer to a payload, 0 for none, and accounts for it.
func (a *lane) take(number int, body []byte, process int64) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if process < a.process {
		return 0 // the process is dead, and another has sent it anew: nobody gets the answer
	}
	a.attempts++
	switch {
	case number%4 == 3 && a.attempts%3 == 0:
		return http.StatusServiceUnavailable
	case number%10 == 5 && a.attempts%5 == 0:
		return 0
	}
	events := gjson.GetBytes(body, "#.result.id").Array()
	first := int(events[0].Int())
	if first <= a.last {
		a.repeated++
		if (first != a.first || process == a.process) && a.wrong == nil {
			a.wrong = fmt.Errorf("process %d sent events %d… again after %d; the last payload began at %d and was sent by process %d",
				process, first, a.last, a.first, a.process)
		}
	}
	a.first, a.process = first, process
	before := first - 1
	for _, e := range events {
		n := int(e.Int())
		if n <= before && a.wrong == nil {
			a.wrong = fmt.Errorf("event %d came after event %d in one payload", n, before)
		}
		before, a.seen[n] = n, true
	}
	a.last = max(a.last, before)
	return http.StatusOK
}

// check waits until every lane has the last event, and fails unless all that
// was accepted is there, in order, and nothing twice without need.
func (l *ledger) check(t *testing.T, accepted []bool) {
	t.Helper()
	deadline := time.After(4 * patience)
	for i, a := range l.lanes {
		for {
			a.mu.Lock()
			last, wrong := a.last, a.wrong
			a.mu.Unlock()
			if wrong != nil {
				t.Fatalf("lane %d: %v", i, wrong)
			}
			if last == len(accepted)-1 {
				break
			}
			select {
			case <-l.moved:
			case <-deadline:
				t.Fatalf("lane %d stopped at event %d", i, last)
			}
		}
	}
	known, repeated := 0, 0
	for n := range accepted {
		if accepted[n] {
			known++
		}
	}
	for i, a := range l.lanes {
		a.mu.Lock()
		repeated += a.repeated
		for n := range accepted {
			if accepted[n] && !a.seen[n] {
				t.Fatalf("lane %d: accepted event %d was lost", i, n)
			}
		}
		a.mu.Unlock()
	}
	t.Logf("%d events were accepted; %d payloads came again", known, repeated)
}
