package bench_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/hookproof/hookproof/simulator/emitter/bench"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Whatever is asked for is measured, and every event that is counted came in
// its order. How fast it is, is the machine's business and not this test's.
func TestEverythingIsMeasured(t *testing.T) {
	t.Parallel()
	var deliveries []bench.Delivery
	var holds []bench.Hold
	var backlogs []bench.Backlog
	err := bench.Run(t.Context(), bench.Options{Events: 10_000, Subscriptions: []int{1, 3}, Rounds: 1, Held: 60, Lone: 2, Dir: t.TempDir()}, bench.Told{
		Delivery: func(d bench.Delivery) { deliveries = append(deliveries, d) },
		Hold:     func(h bench.Hold) { holds = append(holds, h) },
		Backlog:  func(b bench.Backlog) { backlogs = append(backlogs, b) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(deliveries) != 2 || deliveries[0].Subscriptions != 1 || deliveries[1].Subscriptions != 3 {
		t.Errorf("measured %+v", deliveries)
	}
	for _, d := range deliveries {
		if d.Ceiling <= 0 || d.Emitter <= 0 || d.Ratio <= 0 || d.Batch <= 0 || d.Bar != 0 {
			t.Errorf("measured %+v", d)
		}
	}
	if len(holds) != 2 || holds[0].Connections != "new" || holds[0].Events != 60 || holds[1].Connections != "kept" || holds[1].Events != 120 {
		t.Errorf("measured %+v", holds)
	}
	for _, h := range holds {
		if h.P50 <= 0 || h.P50 > h.P99 || h.P99 > h.Max || h.Bar != 0 {
			t.Errorf("measured %+v", h)
		}
	}
	if len(backlogs) != 2 || backlogs[0].Events != 1_000 || backlogs[1].Events != 10_000 || backlogs[1].Growth <= 0 {
		t.Errorf("measured %+v", backlogs)
	}
	for _, b := range backlogs {
		if b.Speed <= 0 || b.Batch != 500 || b.Partial != 0 || !b.Kept() {
			t.Errorf("measured %+v", b)
		}
	}
}

func TestABarIsNotKeptByAPeakThatIsNotKnown(t *testing.T) {
	t.Parallel()
	for peak, kept := range map[int64]bool{0: false, 1: true, 300: true, 301: false} {
		if b := (bench.Backlog{Peak: peak, PeakBar: 300}); b.Kept() != kept {
			t.Errorf("a peak of %d keeps a bar of 300: %v", peak, b.Kept())
		}
	}
	if !(bench.Backlog{}).Kept() {
		t.Error("without a bar an unknown peak is too much")
	}
}
