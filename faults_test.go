package hookproof_test

import (
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
	for _, fault := range faults {
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			results, err := hookproof.Execute(t.Context(), embedded.New(embedded.Options{Faults: []string{fault.Name}}),
				hookproof.Select(hookproof.Selection{Rules: fault.Rules}), hookproof.Wait(impatient()))
			if err != nil {
				t.Fatal(err)
			}
			for _, rule := range results.Rules {
				if slices.Contains(fault.Rules, rule.ID) && rule.Outcome != reports.Fail && rule.Outcome != reports.Warn {
					t.Errorf("rule %s (%s) is %s %s although %s", rule.ID, rule.Level, rule.Outcome, rule.Reason, fault.Sentence)
				}
			}
		})
	}
}

// impatient are deadlines for runs that are expected to end by one: long
// enough for the embedded emitter on a busy machine.
func impatient() steps.Deadlines {
	d := steps.DefaultDeadlines()
	d.Delivery, d.Retry = 6*time.Second, 6*time.Second
	return d
}
