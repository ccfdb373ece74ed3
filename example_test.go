package hookproof_test

import (
	"context"
	"fmt"
	"log"
	"testing"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/embedded"
	"github.com/hookproof/hookproof/targets/remote"
)

// In a test, every scenario is a subtest; what the target does not claim is
// skipped with its reason.
func ExampleRun() {
	_ = func(t *testing.T) { // TestConformance
		target, err := remote.New(remote.Options{
			Emitter: targets.Emitter{
				API: "https://emitter.example", Environment: "7f9f3a52-6f0e-4a52-9d3b-0d6f1f0f0001",
				ClientID: "the-suite", ClientSecret: "its-secret",
			},
			Claims: []targets.Capability{targets.Environments, targets.Certificates},
		})
		if err != nil {
			t.Fatal(err)
		}
		hookproof.Run(t, target)
	}
}

// Outside of tests, Execute gives the results, and a verdict.
func ExampleExecute() {
	results, err := hookproof.Execute(context.Background(), embedded.New(embedded.Options{}),
		hookproof.Select(hookproof.Selection{Rules: []string{"SUB-LIMIT-051"}}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(results.Verdict, results.Counts[reports.Fail])
	// Output: conformant 0
}

// A deliberate fault of the reference shows that a rule can fail.
func ExampleExecute_fault() {
	results, err := hookproof.Execute(context.Background(), embedded.New(embedded.Options{Faults: []string{"limit-51"}}),
		hookproof.Select(hookproof.Selection{Rules: []string{"SUB-LIMIT-051"}}))
	if err != nil {
		log.Fatal(err)
	}
	for _, rule := range results.Rules {
		if rule.Outcome == reports.Fail {
			fmt.Println(results.Verdict, rule.ID, rule.Statement)
		}
	}
	// Output: non-conformant SUB-LIMIT-051 The create of a 51st subscription MUST be refused with 403.
}
