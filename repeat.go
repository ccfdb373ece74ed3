package hookproof

import (
	"context"
	"fmt"
	"time"

	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/steps"
	"github.com/hookproof/hookproof/steps/driver"
)

// run runs one scenario as often as was asked for, and gives what the report
// says of it, the baseline considered.
func (s *session) run(ctx context.Context, p Planned) reports.Scenario {
	r := planned(p, s.rerun)
	if p.NotApplicable != "" {
		r.Outcome, r.Reason = reports.NotApplicable, p.NotApplicable
		return r
	}
	var runs []reports.Repetition
	for nth := range s.repeat {
		runs = append(runs, s.once(ctx, p, nth+1))
	}
	return r.Over(runs).Against(s.baseline)
}

// once runs a scenario for the nth time, from 1.
func (s *session) once(ctx context.Context, p Planned, nth int) reports.Repetition {
	ended := reports.Repetition{Outcome: reports.CouldNotRun, Reason: reports.NotBegun}
	if ctx.Err() != nil {
		return ended
	}
	side := s.sides[p.Role]
	defer s.occupy(p)()
	if ctx.Err() != nil { // while it waited for the others
		return ended
	}
	// Asked only now: it may have fallen silent while this one waited.
	if err := side.unreachable.Load(); err != nil {
		return reports.Repetition{Outcome: reports.CouldNotRun, Reason: fmt.Sprintf("the target does not let the suite in: %v", *err)}
	}
	if err := s.pause(ctx, Paused{Scenario: p.ID, Nth: nth, System: *s.system}); err != nil {
		return reports.Repetition{Outcome: reports.CouldNotRun, Reason: fmt.Sprintf("the pause before it was not ended: %v", err)}
	}
	begin := time.Now()
	ending := steps.Run(ctx, s.plan.scenario(p.Scenario), driver.NewLive(side.client, s.salt, s.deadlines.Call), s.header(side, nth), s.deadlines)
	r := s.plan.conclude(p.Scenario, ending)
	r.DurationMs = time.Since(begin).Milliseconds()
	if len(ending.Left) > 0 {
		s.left(ending.Left)
	}
	if ending.Cut {
		return r
	}
	if err := s.store(&r, p.ID, nth, ending.Transcript); err != nil {
		r.Outcome, r.Reason = reports.Error, err.Error()
	}
	if r.Outcome == reports.CouldNotRun {
		s.knock(ctx, side)
	}
	return r
}

// seedOf is the seed of the nth run of a scenario, as its transcript names it.
// The salt is in it, so that names are made up anew in every run and never
// collide at a target that outlives it; so is which repetition it is.
func seedOf(seed int64, salt string, nth int) string {
	if nth == 1 {
		return fmt.Sprintf("%d/%s", seed, salt)
	}
	return fmt.Sprintf("%d/%s/%d", seed, salt, nth)
}

// transcriptName is where the transcript of the nth run of a scenario lies,
// below the report's folder. An id has no dots.
func transcriptName(id string, nth int) string {
	name := transcriptDir + "/" + slashless(id)
	if nth > 1 {
		name += fmt.Sprintf(".%d", nth)
	}
	return name + ".json"
}
