package hookproof

import (
	"slices"
	"testing"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/targets"
)

func TestWhoRunsAlone(t *testing.T) {
	t.Parallel()
	own := []targets.Capability{targets.Environments}
	for name, c := range map[string]struct {
		claims   []targets.Capability
		scenario features.Scenario
		alone    bool
	}{
		"side by side":                        {own, features.Scenario{}, false},
		"an environment of its own":           {own, features.Scenario{Exclusive: true}, false},
		"a shared environment":                {nil, features.Scenario{Exclusive: true}, true},
		"the whole target":                    {own, features.Scenario{WholeTarget: true}, true},
		"the whole target of one environment": {nil, features.Scenario{WholeTarget: true, Exclusive: true}, true},
	} {
		s := &session{}
		leave := s.occupy(Planned{Scenario: c.scenario, Alone: alone(targets.Info{Claims: c.claims}, c.scenario)})
		if beside := s.alone.TryRLock(); beside == c.alone {
			t.Errorf("%s: others may run beside it: %t", name, beside)
		} else if beside {
			s.alone.RUnlock()
		}
		if s.alone.TryLock() {
			t.Errorf("%s: another may have the target meanwhile", name)
		}
		leave()
		if !s.alone.TryLock() {
			t.Errorf("%s: it never leaves", name)
		}
	}
}

func TestScenariosThatFillTheOnlyEnvironmentComeAfterThoseThatShareIt(t *testing.T) {
	t.Parallel()
	p := &Plan{}
	for i := range 30 {
		p.Scenarios = append(p.Scenarios, Planned{Alone: i%3 > 0, Scenario: features.Scenario{WholeTarget: i%3 == 2}})
	}
	order := p.order(1)
	if !slices.IsSortedFunc(order, func(a, b int) int { return a%3 - b%3 }) {
		t.Errorf("got %v", order)
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
