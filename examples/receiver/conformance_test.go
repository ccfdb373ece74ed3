package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/remote"
)

// TestConformance verifies the receiver: the reference emitter delivers to
// it, and what it has stored is read back.
func TestConformance(t *testing.T) {
	hookproof.Run(t, target(t, Options{Key: "an-example-key", Accepted: http.StatusOK}))
}

// TestABugIsFound shows that the suite refuses the receiver when it is wrong.
func TestABugIsFound(t *testing.T) {
	results, err := hookproof.Execute(t.Context(), target(t, Options{Key: "an-example-key", Accepted: http.StatusAccepted}),
		hookproof.Select(hookproof.Selection{Rules: []string{"RCV-008"}}))
	if err != nil {
		t.Fatal(err)
	}
	if results.Verdict != reports.NonConformant {
		t.Errorf("verdict %q, want %q", results.Verdict, reports.NonConformant)
	}
	for _, rule := range results.Rules {
		if broken := rule.Outcome == reports.Fail; broken != (rule.ID == "RCV-008") {
			t.Errorf("rule %s is %s: %s", rule.ID, rule.Outcome, rule.Reason)
		}
	}
}

// target starts a receiver and describes it to the suite.
func target(t *testing.T, o Options) targets.Target {
	receiver := New(o)
	server := httptest.NewTLSServer(receiver)
	t.Cleanup(server.Close)
	adapter := httptest.NewServer(http.HandlerFunc(receiver.ReadBack))
	t.Cleanup(adapter.Close)
	target, err := remote.NewReceiver(remote.ReceiverOptions{
		Name: "the receiver of the example",
		Hook: targets.Hook{
			URL: server.URL + "/hook", Headers: map[string]string{"X-Api-Key": o.Key},
			CA:       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
			ReadBack: remote.HTTPReadBack{URL: adapter.URL},
		},
		Claims: []targets.Capability{targets.NDJSON, targets.Authentication},
	})
	if err != nil {
		t.Fatal(err)
	}
	return target
}
