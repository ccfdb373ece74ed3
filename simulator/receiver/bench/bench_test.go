package bench_test

import (
	"encoding/json"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookproof/hookproof/simulator/receiver/bench"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Whatever is asked for is measured, over both protocols. How fast it is, is
// the machine's business and not this test's.
func TestEverySizeIsMeasuredOverBothProtocols(t *testing.T) {
	t.Parallel()
	var got []bench.Measurement
	err := bench.Run(t.Context(), bench.Options{Sizes: []int{1_000, 50_000}, Connections: 2, Round: 20 * time.Millisecond, Rounds: 1},
		func(m bench.Measurement) { got = append(got, m) })
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 4 || got[0].Protocol != "http" || got[3].Protocol != "https" || got[2].Bar != 0.6 || got[3].Bar != 0 {
		t.Errorf("measured %+v", got)
	}
	for _, m := range got {
		if m.Bare <= 0 || m.Receiver <= 0 || m.Ratio <= 0 {
			t.Errorf("measured %+v", m)
		}
	}
}

func TestBodiesAreBatchesOfTheLength(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1_000, 100_000, 600_000} {
		body := bench.Body(size)
		if len(body) != size || !json.Valid(body) {
			t.Errorf("%d bytes, valid: %v", len(body), json.Valid(body))
		}
	}
}
