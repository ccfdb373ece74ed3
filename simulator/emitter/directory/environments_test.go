package directory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

func TestLeftoversOfACutOffDeletionAreRemoved(t *testing.T) {
	t.Parallel()
	d, l, js := open(t)
	env := environment(t, d)
	subscribe(t, d, env, "s")
	kv, err := js.KeyValue(t.Context(), "directory")
	if err != nil {
		t.Fatal(err)
	}
	if err := kv.Delete(t.Context(), "environment."+env); err != nil { // as if the process had died right after
		t.Fatal(err)
	}
	if got := reopen(t, js, l).Environments(); len(got) != 0 {
		t.Errorf("environments %v", got)
	}
	nothingIsLeft(t, js)
}

func nothingIsLeft(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	kv, err := js.KeyValue(t.Context(), "directory")
	if err != nil {
		t.Fatal(err)
	}
	lister, err := kv.ListKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for key := range lister.Keys() {
		t.Errorf("%s is left", key)
	}
}

func TestDeletedEnvironmentLeavesNothingInTheStore(t *testing.T) {
	t.Parallel()
	d, _, js := open(t)
	env, other := environment(t, d), environment(t, d)
	subscribe(t, d, env, "s")
	kept := subscribe(t, d, other, "kept")
	if err := d.DeleteEnvironment(t.Context(), caller, env); err != nil {
		t.Fatal(err)
	}
	if _, ok := d.Subscription(other, kept.ID); !ok {
		t.Error("another environment lost its subscription")
	}
	if got := reopen(t, js, &log{}).Subscriptions(other); len(got) != 1 {
		t.Errorf("after a restart another environment has %v", got)
	}
	if err := d.DeleteEnvironment(t.Context(), caller, other); err != nil {
		t.Fatal(err)
	}
	nothingIsLeft(t, js)
}

func TestRootEnvironmentIsMadeOnce(t *testing.T) {
	t.Parallel()
	_, l, js := open(t)
	const root = "55555555-5555-4555-8555-555555555555"
	for range 2 {
		d, err := directory.Open(t.Context(), directory.Options{Recorder: l, Place: memory(js), Root: root})
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Environments(); len(got) != 1 || got[0] != root {
			t.Errorf("environments %v", got)
		}
	}
	if diff := cmp.Diff([]string{"ENVIRONMENT.CREATED", "POPULATION.CREATED"}, l.types); diff != "" {
		t.Error(diff)
	}
	if _, err := directory.Open(t.Context(), directory.Options{Recorder: l, Place: memory(js), Root: "a.b"}); err == nil {
		t.Error("a root that is no UUID is accepted")
	}
}
