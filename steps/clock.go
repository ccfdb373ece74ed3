package steps

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/targets"
)

// OnTime fails where the target's control API shows a clock that is further
// from this machine's than a judge allows. A run that claims clock-control
// advances it, and nothing turns it back: the next one would find times in the
// future. Started anew, without the data of that run, the target has its own.
func OnTime(ctx context.Context, client *driver.Client, emitter targets.Emitter) error {
	if emitter.Control == "" {
		return nil
	}
	status, answer, err := client.Call(ctx, driver.Control, http.MethodGet, "/control/clock", nil)
	if err != nil {
		return fmt.Errorf("ask for the target's clock: %w", err)
	}
	now, none := time.Parse(time.RFC3339Nano, gjson.GetBytes(answer, "now").String())
	if status != http.StatusOK || none != nil {
		return nil // not every control API has a clock, or shows it
	}
	if ahead := time.Until(now); ahead.Abs() > judge.ClockSkew {
		return fmt.Errorf("its clock is %v from this machine's, as a run that claims clock-control leaves it", ahead.Round(time.Second))
	}
	return nil
}
