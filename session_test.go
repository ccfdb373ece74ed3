package hookproof

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/targets"
)

// occupied runs scenarios of one second each side by side, and tells how long
// all took.
func occupied(t *testing.T, claims []targets.Capability, scenarios ...features.Scenario) (took time.Duration) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		s := &session{info: targets.Info{Claims: claims}}
		begin := time.Now()
		done := make(chan bool)
		for _, x := range scenarios {
			go func() {
				defer s.occupy(Planned{Scenario: x})()
				<-time.After(time.Second)
				done <- true
			}()
		}
		for range scenarios {
			<-done
		}
		took = time.Since(begin)
	})
	return took
}

func TestWhoRunsAlone(t *testing.T) {
	t.Parallel()
	ordinary, environment, target := features.Scenario{}, features.Scenario{Exclusive: true}, features.Scenario{WholeTarget: true}
	own := []targets.Capability{targets.Environments}
	for name, c := range map[string]struct {
		claims    []targets.Capability
		scenarios []features.Scenario
		want      time.Duration
	}{
		"side by side":                          {own, []features.Scenario{ordinary, ordinary, ordinary}, time.Second},
		"environments of their own":             {own, []features.Scenario{ordinary, environment, environment}, time.Second},
		"a shared environment":                  {nil, []features.Scenario{ordinary, environment, environment}, 3 * time.Second},
		"the whole target":                      {own, []features.Scenario{ordinary, target, target}, 3 * time.Second},
		"the whole target of one environment":   {nil, []features.Scenario{ordinary, target, environment}, 3 * time.Second},
		"nobody beside one that has the target": {own, []features.Scenario{ordinary, ordinary, target}, 2 * time.Second},
	} {
		if got := occupied(t, c.claims, c.scenarios...); got != c.want {
			t.Errorf("%s: took %v, want %v", name, got, c.want)
		}
	}
}

func TestScenariosThatNeedTheWholeTargetComeLast(t *testing.T) {
	t.Parallel()
	p := &Plan{}
	for i := range 40 {
		p.Scenarios = append(p.Scenarios, Planned{Scenario: features.Scenario{WholeTarget: i%7 == 0}})
	}
	for seed := range int64(50) {
		order := p.order(seed)
		if !slices.Equal(order, p.order(seed)) {
			t.Fatalf("seed %d gives two orders", seed)
		}
		if sorted := slices.Sorted(slices.Values(order)); len(sorted) != 40 || sorted[0] != 0 || sorted[39] != 39 || len(slices.Compact(sorted)) != 40 {
			t.Fatalf("seed %d leaves out or repeats: %v", seed, order)
		}
		if slices.IsSorted(order) {
			t.Errorf("seed %d does not shuffle", seed)
		}
		first := slices.IndexFunc(order, func(i int) bool { return p.Scenarios[i].WholeTarget })
		if slices.ContainsFunc(order[first:], func(i int) bool { return !p.Scenarios[i].WholeTarget }) {
			t.Fatalf("seed %d: %v", seed, order)
		}
	}
}
