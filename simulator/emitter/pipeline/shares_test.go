package pipeline_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

// shares is a division of work that the test makes.
type shares struct {
	mu       sync.Mutex
	mine     bool
	lease    context.Context
	lapse    context.CancelFunc
	news     chan struct{}
	taken    int
	released int
	asked    func() // nil; told after Mine has read what it says
}

func newShares(mine bool) *shares {
	s := &shares{mine: mine, news: make(chan struct{})}
	s.renew()
	return s
}

// renew begins a new lease.
func (s *shares) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lease, s.lapse = context.WithCancel(context.Background())
	close(s.news)
	s.news = make(chan struct{})
}

func (s *shares) set(mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mine = mine
}

func (s *shares) counts() (taken, released int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken, s.released
}

func (s *shares) Mine(string) bool {
	s.mu.Lock()
	mine, asked := s.mine, s.asked
	s.mu.Unlock()
	if asked != nil {
		asked()
	}
	return mine
}

func (s *shares) Take(ctx context.Context, _ string) (context.Context, error) {
	for {
		s.mu.Lock()
		lease, news := s.lease, s.news
		if lease.Err() == nil {
			s.taken++
			s.mu.Unlock()
			return lease, nil
		}
		s.mu.Unlock()
		select {
		case <-news:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *shares) Release(context.Context, string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.released++
	return nil
}

func (w *world) startSharing(s *shares, cursors pipeline.Cursors) {
	w.dispatcher = pipeline.Start(context.Background(), pipeline.Options{
		Log: w, Directory: w, Cursors: cursors, Shares: s, Pieces: &w.pieces, Now: w.now,
		Roots: func() *x509.CertPool { return x509.NewCertPool() },
	})
}

func TestOnlyWhatFallsToThisProcessIsWorked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, s, answers := newWorld(), newShares(false), &script{}
		w.deliver(answers.serve(time.Now()))
		w.put(webhook("s"))
		w.startSharing(s, w)
		w.append(created(1))
		after(time.Minute)
		if got := answers.accepted(); len(got) > 0 {
			t.Errorf("another's subscription was delivered to: %v", got)
		}
		s.set(true)
		w.dispatcher.Reshared()
		after(time.Minute)
		s.set(false)
		w.dispatcher.Reshared()
		synctest.Wait()
		if taken, released := s.counts(); taken != 1 || released != 1 {
			t.Errorf("taken %d times, released %d times", taken, released)
		}
		w.append(created(2))
		after(time.Minute)
		if got := answers.accepted(); !slices.Equal(got, []string{"1"}) {
			t.Errorf("delivered %v, and event 2 is another's", got)
		}
		s.set(true)
		w.dispatcher.Reshared()
		after(time.Minute)
		w.dispatcher.Close()
		if got := answers.accepted(); !slices.Equal(got, []string{"1", "2"}) {
			t.Errorf("delivered %v", got)
		}
		if taken, released := s.counts(); taken != 2 || released != 2 {
			t.Errorf("taken %d times, released %d times", taken, released)
		}
	})
}

// Who learns late what falls to it must not act upon it after somebody else
// has learned of more.
func TestAWorkerIsNotDismissedForWhatIsNoLongerTrue(t *testing.T) {
	t.Parallel()
	w, s, answers := newWorld(), newShares(true), &script{}
	w.deliver(answers.serve(time.Now()))
	w.put(webhook("s"))
	w.startSharing(s, w)
	defer w.dispatcher.Close()
	late, read, goOn := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s.mu.Lock()
	s.mine, s.asked = false, sync.OnceFunc(func() { close(read); <-goOn })
	s.mu.Unlock()
	go func() {
		defer close(late)
		w.dispatcher.Reshared()
	}()
	<-read
	s.mu.Lock()
	s.mine, s.asked = true, nil
	s.mu.Unlock()
	other := make(chan struct{})
	go func() {
		defer close(other)
		w.dispatcher.Reshared()
	}()
	select {
	case <-other:
	case <-time.After(100 * time.Millisecond): // it waits for its turn
	}
	close(goOn)
	<-late
	<-other
	w.append(created(1))
	for began := time.Now(); len(answers.accepted()) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Fatal("nobody works the subscription")
		}
	}
}

// Changes are told to whoever waits for its term, and the state that it then
// loads knows of none of them.
func TestEventsMeetTheFilterOfTheirTimeAfterATakeover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, s, answers := newWorld(), newShares(true), &script{}
		w.deliver(answers.serve(time.Now()))
		webhook := webhook("s")
		w.put(webhook)
		f := &deaf{world: w}
		w.startSharing(s, f)
		w.append(created(1))
		after(time.Minute)
		change := func(kind string) {
			webhook.ActionTypes = []string{kind}
			w.put(webhook)
		}
		f.deaf.Store(true) // the servers do not answer, and before long the lease ends
		change("USER.UPDATED")
		w.append(created(2), typed("USER.UPDATED", 3))
		s.lapse()
		synctest.Wait()
		f.deaf.Store(false)
		for i, kind := range []string{"USER.DELETED", "USER.LOCKED", "USER.UNLOCKED"} {
			change(kind)
			w.append(created(10*i+10), typed(kind, 10*i+11))
		}
		s.renew()
		after(time.Minute)
		w.dispatcher.Close()
		if got := answers.accepted(); !slices.Equal(got, []string{"1", "3", "11", "21", "31"}) {
			t.Errorf("delivered %v", got)
		}
	})
}

// deaf are cursors that cannot be stored while they are deaf.
type deaf struct {
	*world
	deaf atomic.Bool
}

func (d *deaf) Store(ctx context.Context, environment, id string, s pipeline.State) error {
	if d.deaf.Load() {
		return errors.New("no answer")
	}
	return d.world.Store(ctx, environment, id, s)
}

// hanging is a receiver that never answers; it counts requests.
type hanging struct {
	mu     sync.Mutex
	called int
	ended  []error
}

func (h *hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	h.mu.Lock()
	h.called++
	h.mu.Unlock()
	<-r.Context().Done()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = append(h.ended, r.Context().Err())
	return nil, r.Context().Err()
}

func (h *hanging) counts() (called, ended int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.called, len(h.ended)
}

func TestAnAttemptEndsAtOnceWithTheLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, s, h := newWorld(), newShares(true), &hanging{}
		p := *w.pieces.Load()
		p.Connect = func(*tls.Config) http.RoundTripper { return h }
		w.pieces.Store(&p)
		w.put(webhook("s"))
		w.startSharing(s, w)
		w.append(created(1))
		after(5 * time.Second)
		if called, ended := h.counts(); called != 1 || ended != 0 {
			t.Fatalf("%d attempts, %d ended", called, ended)
		}
		s.lapse()
		synctest.Wait()
		if _, ended := h.counts(); ended != 1 {
			t.Error("the attempt goes on without a lease")
		}
		after(time.Hour)
		if called, _ := h.counts(); called != 1 {
			t.Errorf("%d attempts were made without a lease", called-1)
		}
		if _, released := s.counts(); released != 0 {
			t.Error("what may be another's was released")
		}
		s.renew()
		after(5 * time.Second)
		if called, _ := h.counts(); called != 2 {
			t.Errorf("%d attempts after the lease was renewed", called-1)
		}
		w.dispatcher.Close()
	})
}

// fenced are cursors that somebody else stores once.
type fenced struct {
	*world
	mu   sync.Mutex
	then *pipeline.State
}

func (f *fenced) Store(ctx context.Context, environment, id string, s pipeline.State) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.then != nil && s.Position.Sequence > 1 {
		other := *f.then
		f.then = nil
		return errors.Join(f.world.Store(ctx, environment, id, other), pipeline.ErrFenced)
	}
	return f.world.Store(ctx, environment, id, s)
}

func TestAfterSomebodyElseStoredTheCursorItIsLoadedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, s, answers := newWorld(), newShares(true), &script{}
		w.deliver(answers.serve(time.Now()))
		w.put(webhook("s"))
		f := &fenced{world: w, then: &pipeline.State{
			Position: auditlog.Position{Sequence: 4}, Filter: pipeline.FilterOf(webhook("s")),
		}}
		w.startSharing(s, f)
		w.append(created(1))
		after(10 * time.Second) // delivered; the other has delivered 1 to 3 meanwhile
		w.append(created(2))
		w.append(created(3))
		w.append(created(4))
		after(10 * time.Second)
		w.dispatcher.Close()
		if got := answers.accepted(); !slices.Equal(got, []string{"1", "4"}) {
			t.Errorf("delivered %v", got)
		}
		if taken, _ := s.counts(); taken != 2 {
			t.Errorf("taken %d times", taken)
		}
	})
}

func TestACursorIsStoredOnlyAtTheRevisionThatIsKnown(t *testing.T) {
	t.Parallel()
	store, err := storage.Open(t.Context(), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	var both []*pipeline.KeyValueCursors
	for range 2 {
		c, err := pipeline.OpenCursors(t.Context(), store.Place())
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, c)
	}
	at := func(sequence uint64) pipeline.State {
		return pipeline.State{Position: auditlog.Position{Sequence: sequence}}
	}
	stored := func(c *pipeline.KeyValueCursors, sequence uint64) error {
		return c.Store(t.Context(), env, "s", at(sequence))
	}
	loaded := func(c *pipeline.KeyValueCursors) uint64 {
		s, _, err := c.Load(t.Context(), env, "s")
		if err != nil {
			t.Fatal(err)
		}
		return s.Position.Sequence
	}
	if err := stored(both[0], 1); err != nil {
		t.Fatal(err)
	}
	if err := stored(both[1], 9); !errors.Is(err, pipeline.ErrFenced) {
		t.Errorf("over a cursor that is not known: %v", err)
	}
	if got := loaded(both[1]); got != 1 {
		t.Errorf("the cursor is at %d", got)
	}
	if err := stored(both[1], 2); err != nil {
		t.Errorf("over a cursor that was loaded: %v", err)
	}
	if err := stored(both[0], 3); !errors.Is(err, pipeline.ErrFenced) {
		t.Errorf("by one that no longer has it: %v", err)
	}
	if got := loaded(both[0]); got != 2 {
		t.Errorf("the cursor is at %d", got)
	}
}
