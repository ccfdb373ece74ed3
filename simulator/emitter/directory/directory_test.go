package directory_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() != "" || flag.Lookup("test.fuzzworker").Value.String() == "true" {
		os.Exit(m.Run()) // fuzzing keeps goroutines of its own; looking for leaks would hang it
	}
	goleak.VerifyTestMain(m)
}

var caller = directory.Caller{ID: "c", Name: "C", EnvironmentID: "e", Base: "https://base.example"}

// log is a recorder and an observer that remember, and refuse when told to.
type log struct {
	mu      sync.Mutex
	types   []string
	changed []string
	refuse  error
}

func (l *log) Record(_ context.Context, _ string, events ...event.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuse != nil {
		return l.refuse
	}
	for _, e := range events {
		l.types = append(l.types, e.Type)
	}
	return nil
}

func (l *log) Changed(_, subscription string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changed = append(l.changed, subscription)
}

func (l *log) failing(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuse = err
}

func (l *log) told() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	told := l.changed
	l.changed = nil
	return told
}

func open(t testing.TB) (*directory.Directory, *log, jetstream.JetStream) {
	t.Helper()
	store, err := storage.Open(t.Context(), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	l := &log{}
	return reopen(t, store.JetStream(), l), l, store.JetStream()
}

func memory(js jetstream.JetStream) storage.Place {
	return storage.Place{JetStream: js, Kind: jetstream.MemoryStorage}
}

func reopen(t testing.TB, js jetstream.JetStream, l *log) *directory.Directory {
	t.Helper()
	d, err := directory.Open(t.Context(), directory.Options{
		Recorder: l, Observer: l, Place: memory(js),
		Tail: func(context.Context, string) (uint64, error) { return 42, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func object(t testing.TB, raw string) body.Object {
	t.Helper()
	o, err := body.Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func environment(t testing.TB, d *directory.Directory) string {
	t.Helper()
	e, err := d.CreateEnvironment(t.Context(), caller, object(t, `{"name":"E","type":"SANDBOX","region":"EU"}`))
	if err != nil {
		t.Fatal(err)
	}
	return e.ID
}

func subscriptionBody(name string) string {
	return fmt.Sprintf(`{"name":%q,"enabled":true,"httpEndpoint":{"url":"https://receiver.example/"},`+
		`"filterOptions":{"includedActionTypes":["USER.CREATED"]},"verifyTlsCertificates":true}`, name)
}

func subscribe(t testing.TB, d *directory.Directory, env, name string) subscription.Subscription {
	t.Helper()
	s, err := d.CreateSubscription(t.Context(), caller, env, object(t, subscriptionBody(name)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNothingIsVisibleOrKeptWhenTheEventCannotBeRecorded(t *testing.T) {
	t.Parallel()
	d, l, js := open(t)
	env := environment(t, d)
	s := subscribe(t, d, env, "before")
	user, err := d.Create(t.Context(), caller, env, directory.User, object(t, `{"username":"u","email":"u@example.com"}`))
	if err != nil {
		t.Fatal(err)
	}
	down := errors.New("log is down")
	l.failing(down)
	l.told()
	for name, change := range map[string]func() error{
		"create subscription": func() error {
			_, err := d.CreateSubscription(t.Context(), caller, env, object(t, subscriptionBody("after")))
			return err
		},
		"replace subscription": func() error {
			_, err := d.ReplaceSubscription(t.Context(), caller, env, s.ID, object(t, subscriptionBody("after")))
			return err
		},
		"delete subscription": func() error { return d.DeleteSubscription(t.Context(), caller, env, s.ID) },
		"delete user":         func() error { return d.Delete(t.Context(), caller, env, directory.User, user.ID) },
		"delete environment":  func() error { return d.DeleteEnvironment(t.Context(), caller, env) },
		"create environment": func() error {
			_, err := d.CreateEnvironment(t.Context(), caller, object(t, `{"name":"F","type":"SANDBOX","region":"EU"}`))
			return err
		},
	} {
		if err := change(); !errors.Is(err, down) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if told := l.told(); len(told) > 0 {
		t.Errorf("the observer is told of %v", told)
	}
	for name, d := range map[string]*directory.Directory{"now": d, "after a restart": reopen(t, js, l)} {
		if got := d.Environments(); len(got) != 1 || got[0] != env {
			t.Errorf("%s: environments %v", name, got)
		}
		list := d.Subscriptions(env)
		if len(list) != 1 || list[0].Name != "before" {
			t.Errorf("%s: subscriptions %+v", name, list)
		}
		if _, err := d.Get(env, directory.User, user.ID); err != nil {
			t.Errorf("%s: user: %v", name, err)
		}
	}
}

func TestSnapshotOfSubscriptionsDoesNotChange(t *testing.T) {
	t.Parallel()
	d, _, _ := open(t)
	env := environment(t, d)
	first := subscribe(t, d, env, "first")
	subscribe(t, d, env, "second")
	before := d.Subscriptions(env)
	kept := slices.Clone(before)
	if _, err := d.ReplaceSubscription(t.Context(), caller, env, first.ID, object(t, subscriptionBody("changed"))); err != nil {
		t.Fatal(err)
	}
	subscribe(t, d, env, "third")
	if err := d.DeleteSubscription(t.Context(), caller, env, first.ID); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kept, before); diff != "" {
		t.Error(diff)
	}
	var names []string
	for _, s := range d.Subscriptions(env) {
		names = append(names, s.Name)
	}
	if diff := cmp.Diff([]string{"second", "third"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestSubscriptionStartsAtTheEndOfTheLogForGood(t *testing.T) {
	t.Parallel()
	d, l, js := open(t)
	env := environment(t, d)
	s := subscribe(t, d, env, "s")
	if s.StartAfter != 42 {
		t.Errorf("starts after %d", s.StartAfter)
	}
	if _, err := d.ReplaceSubscription(t.Context(), caller, env, s.ID, object(t, subscriptionBody("x"))); err != nil {
		t.Fatal(err)
	}
	got, ok := reopen(t, js, l).Subscription(env, s.ID)
	if !ok || got.StartAfter != 42 || got.Name != "x" || !got.CreatedAt.Equal(s.CreatedAt) {
		t.Errorf("%+v", got)
	}
}

func TestObserverIsToldOfWhatConcernsASubscription(t *testing.T) {
	t.Parallel()
	d, l, _ := open(t)
	env := environment(t, d)
	authority, err := pki.NewAuthority("Root")
	if err != nil {
		t.Fatal(err)
	}
	s := subscribe(t, d, env, "s")
	expect := func(what string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, l.told()); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	expect("creation", s.ID)
	c, err := d.UploadCertificate(t.Context(), caller, env, directory.Upload{UsageType: directory.UsageTLS, File: authority.PEM()})
	if err != nil {
		t.Fatal(err)
	}
	expect("upload", s.ID)
	if got := d.Trusted(env); len(got) != 1 || !got[0].Equal(authority.Certificate()) {
		t.Errorf("trusted: %v", got)
	}
	if err := d.DeleteCertificate(t.Context(), caller, env, c.ID); err != nil {
		t.Fatal(err)
	}
	expect("removal of a certificate", s.ID)
	if got := d.Trusted(env); len(got) != 0 {
		t.Errorf("still trusted: %v", got)
	}
	if _, err := d.Create(t.Context(), caller, env, directory.User, object(t, `{"username":"u","email":"u@example.com"}`)); err != nil {
		t.Fatal(err)
	}
	expect("a user")
	if err := d.DeleteEnvironment(t.Context(), caller, env); err != nil {
		t.Fatal(err)
	}
	expect("deletion of the environment", s.ID)
	if got := d.Subscriptions(env); got != nil {
		t.Errorf("subscriptions of a deleted environment: %v", got)
	}
}

func TestPiecesGovernTheNextChange(t *testing.T) {
	t.Parallel()
	d, _, _ := open(t)
	env := environment(t, d)
	s := subscribe(t, d, env, "s")
	d.SetPieces(directory.Pieces{MaxSubscriptions: 1, Replace: func(_, next subscription.Subscription) subscription.Subscription {
		next = directory.Replace(s, next)
		next.CreatedAt = time.Unix(0, 0)
		return next
	}})
	_, err := d.CreateSubscription(t.Context(), caller, env, object(t, subscriptionBody("x")))
	var limit *directory.LimitReached
	if !errors.As(err, &limit) || limit.Limit != 1 {
		t.Errorf("second of one: %v", err)
	}
	if next, err := d.ReplaceSubscription(t.Context(), caller, env, s.ID, object(t, subscriptionBody("x"))); err != nil || next.CreatedAt.Unix() != 0 {
		t.Errorf("replaced by another piece: %+v, %v", next, err)
	}
	d.SetPieces(directory.Pieces{})
	subscribe(t, d, env, "y")
}

// TestWhatIsReadAfterAnyHistoryIsWhatARestartReads holds for every sequence of changes.
func TestWhatIsReadAfterAnyHistoryIsWhatARestartReads(t *testing.T) {
	t.Parallel()
	outer := t
	d, l, js := open(t)
	rapid.Check(t, func(t *rapid.T) {
		env := environment(outer, d)
		model := map[string]string{} // names by id
		for range rapid.IntRange(0, 12).Draw(t, "changes") {
			ids := slices.Sorted(func(yield func(string) bool) {
				for id := range model {
					if !yield(id) {
						return
					}
				}
			})
			name := rapid.StringMatching(`[a-zé]{1,5}`).Draw(t, "name")
			switch action := rapid.IntRange(0, 2).Draw(t, "action"); {
			case action == 0 || len(ids) == 0:
				model[subscribe(outer, d, env, name).ID] = name
			case action == 1:
				id := ids[rapid.IntRange(0, len(ids)-1).Draw(t, "at")]
				if _, err := d.ReplaceSubscription(context.Background(), caller, env, id, object(outer, subscriptionBody(name))); err != nil {
					t.Fatal(err)
				}
				model[id] = name
			default:
				id := ids[rapid.IntRange(0, len(ids)-1).Draw(t, "at")]
				if err := d.DeleteSubscription(context.Background(), caller, env, id); err != nil {
					t.Fatal(err)
				}
				delete(model, id)
			}
		}
		now, restarted := d.Subscriptions(env), reopen(outer, js, l).Subscriptions(env)
		if diff := cmp.Diff(now, restarted); diff != "" {
			t.Fatal(diff)
		}
		got := map[string]string{}
		for _, s := range now {
			got[s.ID] = s.Name
		}
		if diff := cmp.Diff(model, got); diff != "" {
			t.Fatal(diff)
		}
		if err := d.DeleteEnvironment(context.Background(), caller, env); err != nil {
			t.Fatal(err)
		}
	})
}
