package driver

import (
	"context"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// traces are what a scenario has made at the target and at the receiver
// simulator, and has not removed again, in the order of their making. They
// are noted as answers come, whatever became of the step that asked: so
// nothing is left behind by a step that failed, panicked or was cut off.
type traces struct {
	mu     sync.Mutex
	made   []trace
	closed bool
	// calls under way that may make something
	under sync.WaitGroup
}

// trace is where one thing is.
type trace struct{ peer, path string }

// begin lets a call begin, unless the traces are being removed; the call ends
// with the traces' end.
func (t *traces) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.under.Add(1)
	return true
}

func (t *traces) end() { t.under.Done() }

// note learns from an answer what has been made or removed.
func (t *traces) note(c Call, r *transcript.Response, answer []byte) {
	if c.Peer != Emitter && c.Peer != Receiver {
		return
	}
	place, _, _ := strings.Cut(c.Path, "?")
	ok := r.Status/100 == 2
	t.mu.Lock()
	defer t.mu.Unlock()
	switch c.Method {
	case http.MethodPost:
		if id := gjson.GetBytes(answer, "id"); ok && id.Type == gjson.String && id.Str != "" && !strings.Contains(id.Str, "/") {
			t.made = append(t.made, trace{c.Peer, strings.TrimSuffix(place, "/") + "/" + id.Str})
		}
	case http.MethodDelete:
		if ok || r.Status == http.StatusNotFound {
			t.made = slices.DeleteFunc(t.made, func(x trace) bool {
				return x == trace{c.Peer, place} || x.peer == c.Peer && strings.HasPrefix(x.path, place+"/")
			})
		}
	}
}

// close keeps new calls from beginning, and waits for those under way or for
// ctx.
func (t *traces) close(ctx context.Context) {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	done := make(chan struct{})
	go func() {
		t.under.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// last is the run of traces made last that lie beside each other, such as 50
// subscriptions. What lies inside something else that was made goes with it.
func (t *traces) last() []trace {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := slices.Clone(t.made)
	t.made = slices.DeleteFunc(t.made, func(x trace) bool {
		return slices.ContainsFunc(all, func(y trace) bool { return x.peer == y.peer && strings.HasPrefix(x.path, y.path+"/") })
	})
	var found []trace
	for _, x := range slices.Backward(t.made) {
		if len(found) > 0 && (x.peer != found[0].peer || path.Dir(x.path) != path.Dir(found[0].path)) {
			break
		}
		found = append(found, x)
	}
	return found
}

// forget takes traces out that could not be removed.
func (t *traces) forget(gone []trace) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.made = slices.DeleteFunc(t.made, func(x trace) bool { return slices.Contains(gone, x) })
}

// CleanUp removes what the scenario has made and not removed, last first. It
// is not part of what is observed: nothing of it is recorded. No call of the
// scenario begins any more. It returns the paths of what is left at the target
// because it could not be removed.
func (l *Live) CleanUp(ctx context.Context) (left []string) {
	l.traces.close(ctx)
	l.line.end()
	for {
		batch := l.traces.last()
		if len(batch) == 0 {
			slices.Sort(left)
			return left
		}
		for range removals {
			l.remove(ctx, batch)
			if batch = l.remaining(batch); len(batch) == 0 {
				break
			}
		}
		for _, x := range batch {
			if x.peer == Emitter {
				left = append(left, x.path)
			}
		}
		l.traces.forget(batch)
	}
}

// removals is how often the removal of something is tried: a target that is
// busy may refuse once.
const removals = 2

func (l *Live) remove(ctx context.Context, batch []trace) {
	var g sync.WaitGroup
	places := make(chan struct{}, maxParallel)
	for _, x := range batch {
		places <- struct{}{}
		g.Go(func() {
			defer func() { <-places }()
			// What came of it is seen by what remains.
			_, _ = l.paced(ctx, ctx, Call{Peer: x.peer, Method: http.MethodDelete, Path: x.path})
		})
	}
	g.Wait()
}

func (l *Live) remaining(batch []trace) []trace {
	l.traces.mu.Lock()
	defer l.traces.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(batch), func(x trace) bool { return !slices.Contains(l.traces.made, x) })
}
