package judge_test

import (
	"testing"
	"time"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

func TestSinceLeavesOutWhatBeganBefore(t *testing.T) {
	t.Parallel()
	after := func(d time.Duration) func(*transcript.Delivery) {
		return func(x *transcript.Delivery) { x.FirstByteAt = sceneStart.Add(d) }
	}
	s := sceneOf("early", "late").
		body(`[{"id":"early"}]`, after(100*time.Millisecond)).
		body(`[{"id":"late"}]`, after(time.Second)).
		body(`[{"id":"late"}]`, after(2*time.Second)).
		connection(transcript.Connection{Seq: 1, At: sceneStart, Handshake: "ok"}).
		connection(transcript.Connection{Seq: 2, At: sceneStart.Add(2 * time.Second), Handshake: "ok"})
	s.caused[1].At = sceneStart.Add(time.Second)
	whole := s.transcript()
	whole.Entries = append(whole.Entries,
		transcript.Entry{Exchange: &transcript.Exchange{Peer: "emitter", End: sceneStart}},
		transcript.Entry{Exchange: &transcript.Exchange{Peer: "emitter", End: sceneStart.Add(time.Second)}})

	for _, c := range []struct {
		name                                       string
		at                                         time.Time
		deliveries, connections, caused, exchanges int
	}{
		{"no time gives everything", time.Time{}, 3, 2, 2, 2},
		{"the beginning gives everything", sceneStart, 3, 2, 2, 2},
		{"what begins at that time counts", sceneStart.Add(time.Second), 2, 1, 1, 1},
		{"what begins later counts", sceneStart.Add(1500 * time.Millisecond), 1, 1, 0, 0},
		{"nothing is left", sceneStart.Add(time.Hour), 0, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := judge.Since(whole, c.at)
			if d, x := len(got.Deliveries("r")), len(got.Connections("r")); d != c.deliveries || x != c.connections {
				t.Errorf("%d deliveries and %d connections, want %d and %d", d, x, c.deliveries, c.connections)
			}
			if n, x := len(got.Caused()), len(got.Exchanges("")); n != c.caused || x != c.exchanges {
				t.Errorf("%d events and %d exchanges, want %d and %d", n, x, c.caused, c.exchanges)
			}
		})
	}
	if len(whole.Deliveries("r")) != 3 || len(whole.Caused()) != 2 {
		t.Error("the whole transcript has changed")
	}
}
