package auditlog_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/storage/clustertest"
)

// A shared log that holds what cannot be read brings nothing new any more: it is
// not healthy, and the log of the process says why, once.
func TestALogThatCannotBeFollowedIsNotHealthy(t *testing.T) {
	t.Parallel()
	place := clustertest.Start(t, 1).Open().Place()
	var said bytes.Buffer
	l, err := auditlog.Open(t.Context(), auditlog.Options{Place: place, Log: slog.New(slog.NewTextHandler(&said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	appended(t, l, "e", records(0, 1, 0))
	if err := l.Healthy(t.Context()); err != nil {
		t.Errorf("a log that can be read: %v", err)
	}
	if _, err := place.JetStream.Publish(t.Context(), "audit.e", []byte("nothing that was encoded")); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(time.Minute)
	for err == nil {
		select {
		case <-time.After(10 * time.Millisecond): // there is nothing to be told by
			err = l.Healthy(t.Context())
		case <-deadline:
			t.Fatal("a log that cannot be followed is called healthy")
		}
	}
	if !strings.Contains(err.Error(), "read chunk 2") {
		t.Errorf("it says %v", err)
	}
	l.Close()
	if n := strings.Count(said.String(), "cannot be followed"); n != 1 {
		t.Errorf("said %d times: %s", n, said.String())
	}
}
