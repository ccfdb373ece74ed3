package hookproof_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/steps"
	"github.com/hookproof/hookproof/targets/embedded"
)

// Every fault of the reference emitter must be noticed by every rule that it
// names: with the fault, the rule's scenarios fail, or warn for a SHOULD.
func TestEveryFaultIsNoticedByItsRules(t *testing.T) {
	t.Parallel()
	faults := embedded.Faults()
	if len(faults) < 16 {
		t.Fatalf("there are only %d faults", len(faults))
	}
	places := make(chan struct{}, 2*runtime.GOMAXPROCS(0)+4)
	for _, fault := range faults {
		t.Run(fault.Name, func(t *testing.T) {
			// The run is under way before the subtest becomes parallel: it
			// mostly waits for a deadline, and -parallel would be too few.
			done := make(chan run, 1)
			ctx := context.WithoutCancel(t.Context())
			go func() {
				places <- struct{}{}
				defer func() { <-places }()
				results, err := hookproof.Execute(ctx, embedded.New(embedded.Options{Faults: []string{fault.Name}}),
					hookproof.Select(hookproof.Selection{Rules: fault.Rules}), hookproof.Wait(impatient()))
				done <- run{results, err}
			}()
			t.Parallel()
			r := <-done
			if r.err != nil {
				t.Fatal(r.err)
			}
			for _, rule := range r.results.Rules {
				if slices.Contains(fault.Rules, rule.ID) && rule.Outcome != reports.Fail && rule.Outcome != reports.Warn {
					t.Errorf("rule %s (%s) is %s %s although %s", rule.ID, rule.Level, rule.Outcome, rule.Reason, fault.Sentence)
				}
			}
		})
	}
}

// run is what came of one run of the suite.
type run struct {
	results reports.Results
	err     error
}

// impatient are deadlines for runs that are expected to end by one: long
// enough for the embedded emitter on a busy machine.
func impatient() steps.Deadlines {
	d := steps.DefaultDeadlines()
	d.Call, d.Delivery, d.Retry = 10*time.Second, 6*time.Second, 6*time.Second
	return d
}
