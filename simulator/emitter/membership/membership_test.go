package membership_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookproof/hookproof/simulator/emitter/membership"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
	"github.com/hookproof/hookproof/simulator/emitter/storage/clustertest"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// member is a process in a test, and news of its view.
type member struct {
	*membership.Members
	store *storage.Storage
	news  chan struct{}
}

func join(t *testing.T, c *clustertest.Cluster, o membership.Options) *member {
	t.Helper()
	m := &member{store: c.Open(), news: make(chan struct{}, 1)}
	var err error
	if m.Members, err = membership.Join(t.Context(), m.store.Place(), o); err != nil {
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

// until waits until the process sees what it must.
func (m *member) until(t *testing.T, what string, seen func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for !seen() {
		select {
		case <-m.news:
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
	first, second := join(t, c, membership.Options{}), join(t, c, membership.Options{})
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
	began := time.Now()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	take(t, second, "a.b")
	if took := time.Since(began); took > membership.DefaultExpiry/2 {
		t.Errorf("a process that left was taken over only after %v", took)
	}
}

func TestTheClaimsOfADeadProcessAreTakenOverWithinTenSeconds(t *testing.T) {
	t.Parallel()
	for _, servers := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d servers", servers), func(t *testing.T) {
			t.Parallel()
			c := clustertest.Start(t, servers)
			first, second := join(t, c, membership.Options{}), join(t, c, membership.Options{})
			lease := take(t, first, "a.b")
			first.dies(t)
			died := time.Now()
			take(t, second, "a.b")
			if took := time.Since(died); took > 10*time.Second {
				t.Errorf("taken over after %v", took)
			} else {
				t.Logf("taken over after %v", took)
			}
			if !errors.Is(context.Cause(lease), membership.ErrLapsed) || !errors.Is(first.Err(), membership.ErrLapsed) {
				t.Errorf("the dead process still trusts in its claim: %v", context.Cause(lease))
			}
		})
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
