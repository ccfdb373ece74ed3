package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/remote"
)

// TestConformance verifies the emitter: every scenario is a subtest. What
// the emitter does not claim is skipped with its reason. A SHOULD that is not
// kept is logged only; this emitter is to keep them all.
func TestConformance(t *testing.T) {
	hookproof.Run(t, target(t, 500, func(e http.Handler) http.Handler { return e }),
		hookproof.Observe(func(reports.Results) {}, func(s reports.Scenario) {
			if s.Outcome == reports.Warn {
				t.Errorf("%s: a SHOULD is not kept: %v", s.ID, s.Failure)
			}
		}))
}

// TestBugsAreFound shows that the suite refuses the emitter when it is wrong.
func TestBugsAreFound(t *testing.T) {
	t.Parallel()
	right := func(e http.Handler) http.Handler { return e }
	forgetful := func(e http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			e.ServeHTTP(w, r)
		})
	}
	for _, bug := range []struct {
		name, rule string
		target     targets.Target
	}{
		{"one event too many", "SUB-LIMIT-E02", target(t, 501, right)},
		{"deletes nothing", "SUB-CRUD-018", target(t, 500, forgetful)},
	} {
		t.Run(bug.name, func(t *testing.T) {
			t.Parallel()
			results, err := hookproof.Execute(t.Context(), bug.target, hookproof.Select(hookproof.Selection{Rules: []string{bug.rule}}))
			if err != nil {
				t.Fatal(err)
			}
			if results.Verdict != reports.NonConformant {
				t.Errorf("verdict %q, want %q", results.Verdict, reports.NonConformant)
			}
			for _, rule := range results.Rules {
				if broken := rule.Outcome == reports.Fail; broken != (rule.ID == bug.rule) {
					t.Errorf("rule %s is %s: %s", rule.ID, rule.Outcome, rule.Reason)
				}
			}
		})
	}
}

// target starts an emitter, with something around it, and describes it to
// the suite.
func target(t *testing.T, most int, around func(http.Handler) http.Handler) targets.Target {
	o := Options{
		Environment: "7f9f3a52-6f0e-4a52-9d3b-0d6f1f0f0001", ClientID: "example", ClientSecret: "an-example-secret",
		MaxEvents: most, Retry: 100 * time.Millisecond,
	}
	emitter := New(o)
	t.Cleanup(emitter.Close)
	server := httptest.NewServer(around(emitter))
	t.Cleanup(server.Close)
	target, err := remote.New(remote.Options{
		Name:    "the emitter of the example",
		Emitter: targets.Emitter{API: server.URL, Environment: o.Environment, ClientID: o.ClientID, ClientSecret: o.ClientSecret},
	})
	if err != nil {
		t.Fatal(err)
	}
	return target
}
