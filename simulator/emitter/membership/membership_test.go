package membership_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/hookproof/hookproof/simulator/emitter/membership"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
	"github.com/hookproof/hookproof/simulator/emitter/storage/clustertest"
)

const (
	// patience is how long a test waits for what must happen.
	patience = 30 * time.Second
	// takenOverWithin is promised of a process's death. Tests that measure it run
	// alone, lest it be the machine that they measure.
	takenOverWithin = 10 * time.Second
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// member is a process in a test, and news of its view.
type member struct {
	*membership.Members
	store *storage.Storage
	news  chan struct{}
}

func join(t *testing.T, c *clustertest.Cluster, o membership.Options) *member {
	t.Helper()
	store := c.Open()
	return joinIn(t, store, store.Place(), o)
}

func joinIn(t *testing.T, store *storage.Storage, in storage.Place, o membership.Options) *member {
	t.Helper()
	m := &member{store: store, news: make(chan struct{}, 1)}
	var err error
	if m.Members, err = membership.Join(t.Context(), in, o); err != nil {
		t.Fatal(err)
	}
	m.Changed(func() {
		select {
		case m.news <- struct{}{}:
		default:
		}
	})
	t.Cleanup(func() { _ = m.Close() }) // a test that dies on purpose has cut it off
	return m
}

// dies cuts the process off, as if it were killed.
func (m *member) dies(t *testing.T) {
	t.Helper()
	if err := m.store.Close(); err != nil {
		t.Fatal(err)
	}
}

// until waits until the process sees what it must; what others see is asked for
// now and then.
func (m *member) until(t *testing.T, what string, seen func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !seen() {
		select {
		case <-m.news:
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func keys(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("environment.subscription-%d", i)
	}
	return all
}

// share is how many of the keys fall to the process.
func (m *member) share(all []string) int {
	n := 0
	for _, key := range all {
		if m.Mine(key) {
			n++
		}
	}
	return n
}

func take(t *testing.T, m *member, key string) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	lease, err := m.Take(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

func TestWorkIsSpreadOverTheMembersThatWantIt(t *testing.T) {
	t.Parallel()
	c := clustertest.Start(t, 1)
	all := keys(300)
	first := join(t, c, membership.Options{})
	if got := first.share(all); got != len(all) {
		t.Fatalf("a process alone works %d of %d", got, len(all))
	}
	second, third := join(t, c, membership.Options{}), join(t, c, membership.Options{})
	join(t, c, membership.Options{Idle: true})
	members := []*member{first, second, third}
	for _, m := range members {
		m.until(t, "the work is spread", func() bool { n := m.share(all); return n > 50 && n < 150 })
	}
	for _, key := range all {
		owners := 0
		for _, m := range members {
			if m.Mine(key) {
				owners++
			}
		}
		if owners != 1 {
			t.Fatalf("%s falls to %d processes", key, owners)
		}
	}
}

func TestAClaimIsHandedOnWhenItIsReleased(t *testing.T) {
	t.Parallel()
	c := clustertest.Start(t, 1)
	first, second := join(t, c, membership.Options{}), join(t, c, membership.Options{})
	take(t, first, "a.b")
	taken := make(chan error, 1)
	go func() {
		_, err := second.Take(t.Context(), "a.b")
		taken <- err
	}()
	// The other key's way there and back shows that the claim was seen.
	take(t, second, "other")
	if err := second.Release(t.Context(), "other"); err != nil {
		t.Fatal(err)
	}
	take(t, first, "other")
	select {
	case err := <-taken:
		t.Fatalf("two processes hold one claim (%v)", err)
	default:
	}
	if err := first.Release(t.Context(), "a.b"); err != nil {
		t.Fatal(err)
	}
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
	take(t, second, "a.b") // one's own claim can be taken again
	if err := first.Release(t.Context(), "a.b"); err != nil {
		t.Errorf("releasing what another holds: %v", err)
	}
}

func TestWhoRetiresKeepsItsClaimsUntilTheyAreReleased(t *testing.T) {
	t.Parallel()
	c := clustertest.Start(t, 1)
	o := membership.Options{Expiry: time.Hour} // nothing waits for it
	first, second := join(t, c, o), join(t, c, o)
	lease := take(t, first, "a.b")
	if err := first.Retire(t.Context()); err != nil {
		t.Fatal(err)
	}
	second.until(t, "the other retires", func() bool { return second.share(keys(50)) == 50 })
	if first.share(keys(50)) != 0 {
		t.Error("who retires is given work")
	}
	short, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := second.Take(short, "a.b")
		done <- err
	}()
	take(t, second, "other")
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || lease.Err() != nil {
		t.Errorf("taken from who retires: %v, %v", err, lease.Err())
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	take(t, second, "a.b")
}

func TestTheClaimsOfADeadProcessAreTakenOverWithinTenSeconds(t *testing.T) {
	for _, servers := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d servers", servers), func(t *testing.T) {
			c := clustertest.Start(t, servers)
			first, second := join(t, c, membership.Options{}), join(t, c, membership.Options{})
			lease := take(t, first, "a.b")
			first.dies(t)
			died := time.Now()
			take(t, second, "a.b")
			inTime(t, died)
			if !errors.Is(context.Cause(lease), membership.ErrLapsed) || !errors.Is(first.Err(), membership.ErrLapsed) {
				t.Errorf("the dead process still trusts in its claim: %v", context.Cause(lease))
			}
		})
	}
}

func inTime(t *testing.T, died time.Time) {
	t.Helper()
	took := time.Since(died)
	if t.Logf("taken over after %v", took); took > takenOverWithin {
		t.Errorf("that is later than %v", takenOverWithin)
	}
}

// spread waits until every key falls to exactly one of the processes.
func spread(t *testing.T, all []string, members ...*member) {
	t.Helper()
	for _, m := range members {
		m.until(t, "everything falls to somebody", func() bool {
			sum := 0
			for _, each := range members {
				sum += each.share(all)
			}
			return sum == len(all) && m.share(all) < len(all)
		})
	}
}

// A machine dies, with a process on it and with the NATS server from which some
// of the others hear the news.
func TestWhatAProcessWorkedIsTakenOverAlsoIfAServerDiesWithIt(t *testing.T) {
	for server := range 3 {
		t.Run(fmt.Sprintf("server %d", server+1), func(t *testing.T) {
			c := clustertest.Start(t, 3)
			dying, a, b := join(t, c, membership.Options{}), join(t, c, membership.Options{}), join(t, c, membership.Options{})
			all := keys(60)
			spread(t, all, dying, a, b)
			var worked []string
			for _, key := range all {
				if dying.Mine(key) {
					worked = append(worked, key)
					take(t, dying, key)
				}
			}
			died := time.Now()
			dying.dies(t)
			c.Stop(server)
			spread(t, all, a, b)
			for _, key := range worked {
				if a.Mine(key) {
					take(t, a, key)
				} else {
					take(t, b, key)
				}
			}
			inTime(t, died)
		})
	}
}

// The servers may go on showing an entry, or show that it is gone to nobody.
func TestWhoseEntryIsNotRefreshedIsDead(t *testing.T) {
	t.Parallel()
	c := clustertest.Start(t, 1)
	second := join(t, c, membership.Options{Expiry: 2 * time.Second})
	join(t, c, membership.Options{Expiry: time.Hour}).dies(t) // so long the servers keep what they have
	all := keys(50)
	second.until(t, "the other is there", func() bool { return second.share(all) < len(all) })
	second.until(t, "the other is gone", func() bool { return second.share(all) == len(all) })
}

// While no majority is left, nothing is heard of a death, and the servers do
// not show it for long.
func TestADeathThatNobodyCouldHearOfIsFoundOut(t *testing.T) {
	t.Parallel()
	c := clustertest.Start(t, 3)
	dying, a, b := join(t, c, membership.Options{}), join(t, c, membership.Options{}), join(t, c, membership.Options{})
	all := keys(60)
	spread(t, all, dying, a, b)
	lease := take(t, a, "a.b")
	c.Stop(0)
	c.Stop(1)
	dying.dies(t)
	<-lease.Done()
	c.Restart(0)
	spread(t, all, a, b)
}

// clumsy is a place in which the first release fails.
type clumsy struct {
	jetstream.JetStream
	failed *atomic.Bool
}

func (c clumsy) KeyValue(ctx context.Context, name string) (jetstream.KeyValue, error) {
	bucket, err := c.JetStream.KeyValue(ctx, name)
	return clumsyBucket{bucket, c.failed}, err
}

type clumsyBucket struct {
	jetstream.KeyValue
	failed *atomic.Bool
}

func (b clumsyBucket) Purge(ctx context.Context, key string, o ...jetstream.KVDeleteOpt) error {
	if b.failed.CompareAndSwap(false, true) {
		return context.DeadlineExceeded
	}
	return b.KeyValue.Purge(ctx, key, o...)
}

func TestAReleaseThatFailedIsTriedAgain(t *testing.T) {
	t.Parallel()
	c := clustertest.Start(t, 1)
	store := c.Open()
	in := store.Place()
	in.JetStream = clumsy{in.JetStream, new(atomic.Bool)}
	first, second := joinIn(t, store, in, membership.Options{}), join(t, c, membership.Options{})
	kept := take(t, first, "kept")
	take(t, first, "a.b")
	if err := first.Release(t.Context(), "a.b"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the first release: %v", err)
	}
	take(t, second, "a.b")
	short, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := second.Take(short, "kept"); !errors.Is(err, context.DeadlineExceeded) || kept.Err() != nil {
		t.Errorf("taken from who works it: %v, %v", err, kept.Err())
	}
}

func TestAProcessThatComesBackHasANewLease(t *testing.T) {
	t.Parallel()
	c := clustertest.Start(t, 3)
	first := join(t, c, membership.Options{})
	old := take(t, first, "a.b")
	c.Stop(0)
	c.Stop(1) // no majority is left
	select {
	case <-old.Done():
	case <-time.After(patience):
		t.Fatal("the lease outlives the majority of the servers")
	}
	if err := first.Err(); !errors.Is(err, membership.ErrLapsed) {
		t.Errorf("without servers: %v", err)
	}
	c.Restart(0)
	if lease := take(t, first, "a.b"); lease.Err() != nil || first.Err() != nil {
		t.Errorf("after the servers are back: %v", lease.Err())
	}
}
