package hookproof

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/hookproof/hookproof/features"
)

func scenarios(n int, shape func(int) Planned) []Planned {
	var all []Planned
	for i := range n {
		p := shape(i)
		p.ID = fmt.Sprintf("area/scenario-%d", i)
		all = append(all, p)
	}
	return all
}

func TestShardsAreTheWholeAndEvenlyDealt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 20).Draw(t, "count")
		n := rapid.IntRange(count, 300).Draw(t, "scenarios")
		slow, idle := rapid.IntRange(1, 9).Draw(t, "slow"), rapid.IntRange(1, 9).Draw(t, "idle")
		all := scenarios(n, func(i int) Planned {
			p := Planned{Scenario: features.Scenario{Slow: i%slow == 0}}
			if i%idle == 1 {
				p.NotApplicable = "no"
			}
			return p
		})
		total, fewest, most, slowest := 0, n, 0, 0
		fewestSlow := n
		for i := 1; i <= count; i++ {
			mine, err := Shard{i, count}.of(all)
			if err != nil {
				t.Fatal(err)
			}
			waiting := 0
			for _, p := range mine {
				if p.Slow && p.NotApplicable == "" {
					waiting++
				}
			}
			total, fewest, most = total+len(mine), min(fewest, len(mine)), max(most, len(mine))
			slowest, fewestSlow = max(slowest, waiting), min(fewestSlow, waiting)
		}
		if total != n || most-fewest > 1 || slowest-fewestSlow > 1 {
			t.Fatalf("%d of %d scenarios, %d to %d a shard, %d to %d slow ones", total, n, fewest, most, fewestSlow, slowest)
		}
	})
}

// One scenario more must not send the others to other shards: whoever looks at
// the history of one job looks at the same scenarios.
func TestAScenarioMoreMovesFewOthers(t *testing.T) {
	t.Parallel()
	all := scenarios(501, func(int) Planned { return Planned{} })
	before := deal(all[:500], 5)
	after := deal(slices.Clone(all), 5)
	moved := 0
	for id, at := range before {
		if after[id] != at {
			moved++
		}
	}
	if moved > 25 {
		t.Errorf("%d of 500 scenarios are dealt elsewhere", moved)
	}
}
