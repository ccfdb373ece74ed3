package emitter

import (
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// waitingFaults are those of events that wait: for a suspended subscription, or
// a receiver that fails for days.
func waitingFaults() []Fault {
	day := 24 * time.Hour
	return []Fault{
		{"suspended-delivers", "A disabled subscription delivers.", []string{"SUS-003", "DLV-020"},
			func(p *Pieces) { p.Pipeline.Active = func(subscription.Subscription, int) bool { return true } }},
		{"retry-while-suspended", "A retry goes on after its subscription was disabled.", []string{"SUS-004"},
			func(p *Pieces) {
				p.Pipeline.Active = func(s subscription.Subscription, failures int) bool { return s.Enabled || failures > 0 }
			}},
		{"suspended-dropped", "Events of a suspended subscription are lost.", []string{"SUS-001"},
			kept(func(e pipeline.Waiting, keep bool) bool { return keep && !e.Accepted.Before(e.Resumed) })},
		{"suspended-a-week", "Events of a suspended subscription are kept for a week only.", []string{"SUS-001"},
			kept(func(e pipeline.Waiting, keep bool) bool { return keep && !e.Accepted.Before(e.Resumed.Add(-7*day)) })},
		{"suspended-a-month", "Events of a suspended subscription are kept for a month.", []string{"SUS-002"},
			kept(func(e pipeline.Waiting, keep bool) bool {
				return keep || e.Accepted.Before(e.Resumed) && !e.Accepted.Before(e.Resumed.Add(-30*day))
			})},
		{"suspended-13-days", "Events of a suspended subscription are kept for 13 days only.", []string{"SUS-001"},
			kept(func(e pipeline.Waiting, keep bool) bool { return keep && !e.Accepted.Before(e.Resumed.Add(-13*day)) })},
		{"suspended-15-days", "Events of a suspended subscription are kept for 15 days.", []string{"SUS-002"},
			kept(func(e pipeline.Waiting, keep bool) bool {
				return keep || e.Accepted.Before(e.Resumed) && !e.Accepted.Before(e.Resumed.Add(-15*day))
			})},
		{"failing-six-days", "Events wait for a failing receiver for six days only.", []string{"RTY-007"},
			kept(func(e pipeline.Waiting, keep bool) bool { return keep && !(e.Failing && e.Now.Sub(e.Accepted) > 6*day) })},
		{"failing-eight-days", "Events wait for a failing receiver for eight days.", []string{"RTY-013"},
			kept(func(e pipeline.Waiting, keep bool) bool { return keep || e.Failing && e.Now.Sub(e.Accepted) <= 8*day })},
		{"failing-forever", "Events wait for a failing receiver as long as it takes.", []string{"RTY-013"},
			kept(func(e pipeline.Waiting, keep bool) bool { return keep || e.Failing })},
		{"failing-five-days", "Events wait for a failing receiver for five days only.", []string{"RTY-007"},
			kept(func(e pipeline.Waiting, keep bool) bool { return keep && !(e.Failing && e.Now.Sub(e.Accepted) > 5*day) })},
	}
}

// kept lets a fault decide anew which waiting events are kept.
func kept(decide func(e pipeline.Waiting, keep bool) bool) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.Pipeline.Kept
		p.Pipeline.Kept = func(e pipeline.Waiting) bool { return decide(e, previous(e)) }
	}
}
