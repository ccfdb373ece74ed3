package hookproof

import (
	"context"
	"time"

	"github.com/hookproof/hookproof/steps"
	"github.com/hookproof/hookproof/targets"
)

// Paused is where a run stands still, so that a debugger can be attached: the
// target is up, and the scenario has not begun.
type Paused struct {
	// Scenario is the id of the scenario that is about to begin, for the Nth
	// time.
	Scenario string
	Nth      int
	// System is where the two ends are reached.
	System targets.System
}

// Attach calls pause before every scenario, and begins it when pause returns.
// Scenarios then run one at a time, and wait for a quarter of an hour where
// they would otherwise wait for seconds, so that a breakpoint does not end
// them. An error of pause means that the scenario could not run.
func Attach(pause func(context.Context, Paused) error) Option {
	return func(o *options) { o.pause = pause }
}

// unhurried are deadlines for runs under a debugger. What an implementation is
// judged by, the 2 seconds of holding, stays.
func unhurried(d steps.Deadlines) steps.Deadlines {
	d.Call, d.Delivery, d.Retry, d.Scenario = 15*time.Minute, 15*time.Minute, 15*time.Minute, 12*time.Hour
	return d
}
