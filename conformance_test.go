package hookproof_test

import (
	"testing"
	"time"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/steps"
	"github.com/hookproof/hookproof/targets/embedded"
)

func TestEmbeddedPair(t *testing.T) {
	t.Parallel()
	hookproof.Run(t, embedded.New(embedded.Options{}), hookproof.Wait(unhurried()))
}

// unhurried are the deadlines of a run of the whole suite in a test. Under the
// race detector everything takes many times as long, and races are what is
// looked for there: the promises of time are judged without it.
func unhurried() steps.Deadlines {
	d := steps.DefaultDeadlines()
	if raced {
		d.Call, d.Delivery, d.HoldTolerance = 4*d.Call, 6*d.Delivery, 10*time.Second
	}
	return d
}
