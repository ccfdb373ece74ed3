package auditlog_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/tidwall/gjson"
	"go.uber.org/goleak"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, dir string, o auditlog.Options) *auditlog.Log {
	t.Helper()
	s, err := storage.Open(t.Context(), storage.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	o.Place = s.Place()
	l, err := auditlog.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		s.Close()
	})
	return l
}

func records(from, n, size int) []event.Record {
	list := make([]event.Record, 0, n)
	for i := from; i < from+n; i++ {
		list = append(list, event.Event{
			ID: fmt.Sprint(i), Type: "USER.CREATED", RecordedAt: time.Unix(int64(i), 0),
			Resources: []event.Resource{{Type: "USER", ID: "u", Name: strings.Repeat("x", size), PopulationID: "p"}},
			Client:    &event.Actor{ID: "app"}, Tags: []string{"adminIdentityEvent"},
			Source: event.Source{IPAddress: "192.0.2.1", UserAgent: "ua"},
		}.Record())
	}
	return list
}

func appended(t testing.TB, l *auditlog.Log, environment string, list []event.Record) {
	t.Helper()
	if err := l.Append(t.Context(), environment, list...); err != nil {
		t.Fatal(err)
	}
}

// all reads an environment's log from the sequence number to its end.
func all(t testing.TB, l *auditlog.Log, environment string, sequence uint64) (list []event.Record, chunks int) {
	t.Helper()
	for {
		chunk, err := l.Next(context.Background(), environment, sequence)
		if errors.Is(err, auditlog.ErrEnd) {
			return list, chunks
		}
		if err != nil {
			t.Fatal(err)
		}
		list, chunks, sequence = append(list, chunk.Records...), chunks+1, chunk.Sequence+1
	}
}

func TestEventsAreReadInTheOrderTheyWereAppended(t *testing.T) {
	t.Parallel()
	l := open(t, "", auditlog.Options{})
	appended(t, l, "one", records(0, 3, 10))
	appended(t, l, "other", records(100, 2, 10))
	appended(t, l, "one", records(3, 5000, 400)) // several chunks
	got, chunks := all(t, l, "one", 0)
	if diff := cmp.Diff(records(0, 5003, 0), got, cmp.Comparer(func(a, b event.Record) bool { return a.ID == b.ID })); diff != "" {
		t.Error(diff)
	}
	if chunks < 4 || chunks > 12 {
		t.Errorf("5003 events of about 800 bytes are in %d chunks", chunks)
	}
	if other, _ := all(t, l, "other", 0); len(other) != 2 {
		t.Errorf("the other environment has %d events", len(other))
	}
}

func TestWhatWasAppendedIsThereAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := records(0, 2000, 500)
	func() {
		s, err := storage.Open(t.Context(), storage.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		l, err := auditlog.Open(t.Context(), auditlog.Options{Place: s.Place()})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		appended(t, l, "one", want)
	}()
	l := open(t, dir, auditlog.Options{})
	appended(t, l, "one", records(2000, 1, 1))
	got, _ := all(t, l, "one", 0)
	if diff := cmp.Diff(append(want, records(2000, 1, 1)...), got); diff != "" {
		t.Error(diff)
	}
	if tail, err := l.Tail(t.Context(), "one"); err != nil || tail == 0 {
		t.Errorf("tail is %d, %v", tail, err)
	}
}

func TestConcurrentCallsKeepTheirOwnOrder(t *testing.T) {
	t.Parallel()
	var told sync.Map
	l := open(t, "", auditlog.Options{Appended: func(environment string) { told.Store(environment, true) }})
	const callers, calls = 40, 25
	var wait sync.WaitGroup
	for c := range callers {
		wait.Go(func() {
			environment := fmt.Sprint("env", c%2)
			for i := range calls {
				if err := l.Append(t.Context(), environment, records(c*calls+i, 1, 50)...); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	for e := range 2 {
		environment := fmt.Sprint("env", e)
		got, chunks := all(t, l, environment, 0)
		next := map[int]int{}
		for _, r := range got {
			var n int
			if _, err := fmt.Sscan(r.ID, &n); err != nil {
				t.Fatal(err)
			}
			if c, i := n/calls, n%calls; c%2 != e || next[c] != i {
				t.Fatalf("event %d of caller %d came when %d was due, in environment %d", i, c, next[c], e)
			}
			next[n/calls]++
		}
		if len(got) != callers/2*calls {
			t.Errorf("environment %d has %d events", e, len(got))
		}
		t.Logf("%d single events took %d chunks", len(got), chunks)
		if _, ok := told.Load(environment); !ok {
			t.Error("nobody was told")
		}
	}
}

func TestChunksOutOfMemoryAreReadFromTheStream(t *testing.T) {
	t.Parallel()
	l := open(t, "", auditlog.Options{})
	const n = 24
	large := records(0, 1, 2<<20)[0] // n of them are more than is kept in memory
	put := func(environment string, r event.Record, i int) {
		r.ID = fmt.Sprint(i)
		appended(t, l, environment, []event.Record{r})
	}
	check := func(environment string) {
		t.Helper()
		got, chunks := all(t, l, environment, 1)
		if len(got) != n || chunks != n {
			t.Fatalf("%s: %d events in %d chunks", environment, len(got), chunks)
		}
		for i, r := range got {
			if r.ID != fmt.Sprint(i) {
				t.Fatalf("%s: event %s at place %d", environment, r.ID, i)
			}
		}
	}
	for i := range n {
		put("one", large, i)
	}
	check("one") // its end is in memory
	for i := range n {
		put("small", records(i, 1, 10)[0], i)
		put("large", large, i)
	}
	check("one") // nothing of it is
	check("small")
	check("large")
}

func TestActivitiesAreBoundedByTheirTime(t *testing.T) {
	t.Parallel()
	l := open(t, "", auditlog.Options{})
	appended(t, l, "one", records(0, 10, 1))
	for name, c := range map[string]struct {
		from, to time.Time
		want     []string
	}{
		"both ends":  {time.Unix(3, 0), time.Unix(5, 0), []string{"3", "4", "5"}},
		"open end":   {time.Unix(8, 0), time.Time{}, []string{"8", "9"}},
		"open start": {time.Time{}, time.Unix(1, 0), []string{"0", "1"}},
	} {
		var got []string
		for e, err := range l.Activities(t.Context(), "one", c.from, c.to) {
			if err != nil {
				t.Fatal(err)
			}
			if gjson.GetBytes(e, "source").Exists() {
				t.Errorf("%s: source is shown: %s", name, e)
			}
			got = append(got, gjson.GetBytes(e, "id").String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Error(name, diff)
		}
	}
}

func TestBadEnvironmentsAndAClosedLogAreErrors(t *testing.T) {
	t.Parallel()
	l := open(t, "", auditlog.Options{})
	for _, environment := range []string{"", "a.b", "*", ">", "a b"} {
		if err := l.Append(t.Context(), environment, records(0, 1, 1)...); err == nil {
			t.Errorf("environment %q was taken", environment)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(t.Context(), "one", records(0, 1, 1)...); err == nil {
		t.Error("a closed log took an event")
	}
}

func TestACallIsToldOfItsFailureAndNobodyElse(t *testing.T) {
	t.Parallel()
	l := open(t, "", auditlog.Options{})
	var wait sync.WaitGroup
	for i := range 10 {
		wait.Go(func() {
			list := records(i, 1, 10)
			if i == 5 {
				list = records(i, 1, storage.MaxPayload)
			}
			if err := l.Append(t.Context(), "one", list...); (err != nil) != (i == 5) {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	wait.Wait()
	if got, _ := all(t, l, "one", 0); len(got) != 9 {
		t.Errorf("%d events were stored", len(got))
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct {
		name      string
		dir       bool
		chunk     int
		callers   int
		eventSize int
	}{
		{"memory/single", false, 1, 1, 200}, {"memory/single-64-callers", false, 1, 64, 200},
		{"memory/chunks-of-100", false, 100, 1, 200}, {"memory/chunks-of-500", false, 500, 1, 200},
		{"file/single", true, 1, 1, 200}, {"file/chunks-of-500", true, 500, 1, 200},
	} {
		b.Run(c.name, func(b *testing.B) {
			dir := ""
			if c.dir {
				dir = b.TempDir()
			}
			l := open(b, dir, auditlog.Options{})
			list := records(0, c.chunk, c.eventSize)
			b.SetParallelism(c.callers)
			b.ReportAllocs()
			b.ResetTimer()
			if c.callers > 1 {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						appended(b, l, "one", list)
					}
				})
			} else {
				for b.Loop() {
					appended(b, l, "one", list)
				}
			}
			b.ReportMetric(float64(b.N*c.chunk)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// A log in memory has an end: then events are refused as for want of room, and
// what was taken stays readable.
func TestAFullLogRefusesEventsAndSaysSo(t *testing.T) {
	t.Parallel()
	l := open(t, "", auditlog.Options{MemoryBytes: 4 << 20})
	if err := l.Healthy(t.Context()); err != nil {
		t.Errorf("an empty log: %v", err)
	}
	taken := 0
	for ; ; taken += 10 {
		err := l.Append(t.Context(), "e", noise(taken, 10)...)
		if errors.Is(err, storage.ErrFull) {
			break
		}
		if err != nil || taken > 10_000 {
			t.Fatalf("after %d events: %v", taken, err)
		}
	}
	if err := l.Healthy(t.Context()); !errors.Is(err, storage.ErrFull) {
		t.Errorf("a full log: %v", err)
	}
	if kept, _ := all(t, l, "e", 0); len(kept) != taken {
		t.Errorf("%d of %d events are there", len(kept), taken)
	}
}

// noise is events that cannot be compressed.
func noise(from, n int) []event.Record {
	list := make([]event.Record, 0, n)
	for i := from; i < from+n; i++ {
		random := make([]byte, 10_000)
		_, _ = rand.Read(random)
		list = append(list, event.Event{ID: fmt.Sprint(i), Type: "USER.CREATED", Source: event.Source{UserAgent: hex.EncodeToString(random)}}.Record())
	}
	return list
}

// A chunk is kept until the last event that the rules let wait for so long has
// been delivered, and what was not kept shows.
func TestTheLogKeepsWhatMayStillBeDelivered(t *testing.T) {
	t.Parallel()
	if least := limits.SuspendedRetention + limits.FailingRetention; auditlog.Retention <= least {
		t.Errorf("chunks are kept for %v, events may wait for %v", auditlog.Retention, least)
	}
	const retention = 2 * time.Second
	l := open(t, "", auditlog.Options{Retention: retention})
	began := time.Now()
	expired := func(sequence uint64, since time.Time) bool {
		t.Helper()
		expired, err := l.Expired(t.Context(), sequence, since)
		if err != nil {
			t.Fatal(err)
		}
		return expired
	}
	appended(t, l, "a", records(0, 3, 10))
	if expired(1, began.Add(-time.Hour)) {
		t.Error("chunks that are there have expired")
	}
	for deadline := time.Now().Add(10 * retention); !expired(1, began); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the chunk does not expire")
		}
	}
	if expired(2, began) {
		t.Error("what is still to come has expired")
	}
	if expired(1, time.Now()) {
		t.Error("something has expired for who had read everything a moment ago")
	}
}

// leaderless is a place in which the second chunk meets no leader, and those
// after it do.
type leaderless struct {
	jetstream.JetStream
	published atomic.Int32
}

func (l *leaderless) PublishMsgAsync(m *nats.Msg, o ...jetstream.PublishOpt) (jetstream.PubAckFuture, error) {
	if l.published.Add(1) != 2 {
		return l.JetStream.PublishMsgAsync(m, o...)
	}
	m.Subject = "elsewhere"
	ack, err := l.JetStream.PublishMsgAsync(m, o...)
	select { // the answer is that nobody listens; it does not end while that is tried again
	case <-l.PublishAsyncComplete():
	case <-time.After(time.Second):
	}
	if _, err := l.CreateStream(context.Background(), jetstream.StreamConfig{Name: "ELSEWHERE", Subjects: []string{"elsewhere"}}); err != nil {
		return nil, err
	}
	return ack, err
}

func TestNothingOfARequestIsAppendedBehindAFailure(t *testing.T) {
	t.Parallel()
	s, err := storage.Open(t.Context(), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	place := s.Place()
	js := &leaderless{JetStream: place.JetStream}
	place.JetStream = js
	l, err := auditlog.Open(t.Context(), auditlog.Options{Place: place})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	list := records(0, 4, 400<<10) // each is a chunk
	if err := l.Append(t.Context(), "env", list...); !errors.Is(err, jetstream.ErrNoStreamResponse) {
		t.Errorf("the second chunk met no leader: %v", err)
	}
	if _, chunks := all(t, l, "env", 0); chunks != 1 {
		t.Errorf("%d chunks can be read", chunks)
	}
	elsewhere, err := js.Stream(t.Context(), "ELSEWHERE")
	if err != nil {
		t.Fatal(err)
	}
	if got := elsewhere.CachedInfo().State.Msgs; got != 0 {
		t.Error("the second chunk was published behind the third")
	}
	appended(t, l, "env", list[:1])
}
