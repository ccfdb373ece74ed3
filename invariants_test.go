package hookproof_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/embedded"
)

// A promise about every delivery is judged wherever deliveries are observed,
// and its own rule is the broken one, even in a run that was not to look at it.
func TestABrokenPromiseIsNoticedByScenariosOfOtherRules(t *testing.T) {
	t.Parallel()
	for fault, rule := range map[string]string{"put-instead-of-post": "DLV-001", "ids-repeated": "EVT-001"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			results, err := hookproof.Execute(t.Context(), embedded.New(embedded.Options{Faults: []string{fault}}),
				hookproof.Select(hookproof.Selection{Rules: []string{"DLV-015"}}), hookproof.Wait(hookproof.Impatient()), hookproof.Report(dir))
			if err != nil {
				t.Fatal(err)
			}
			outcomes := map[string]reports.Outcome{}
			for _, r := range results.Rules {
				outcomes[r.ID] = r.Outcome
			}
			if outcomes[rule] != reports.Fail || outcomes["DLV-015"] != reports.Pass {
				t.Errorf("got %v, want %s to fail and DLV-015 to pass", outcomes, rule)
			}
			if code := reports.ExitCode(results); code != reports.ExitNonConformant {
				t.Errorf("exit code %d", code)
			}
			if err := results.Check(); err != nil {
				t.Error(err)
			}
			borneOut(t, dir)
		})
	}
}

// borneOut fails unless the evidence of a stored report gives the same.
func borneOut(t *testing.T, dir string) {
	t.Helper()
	v, err := hookproof.Verify(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range v.Differences {
		t.Error(d)
	}
}

func TestEvidenceThatShowsAnotherRuleBrokenIsFoundOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	results, err := hookproof.Execute(t.Context(), embedded.New(embedded.Options{Faults: []string{"put-instead-of-post"}}),
		hookproof.Select(hookproof.Selection{Rules: []string{"DLV-015"}}), hookproof.Wait(hookproof.Impatient()), hookproof.Report(dir))
	if err != nil {
		t.Fatal(err)
	}
	for i := range results.Scenarios {
		results.Scenarios[i].Failure.Rules = []string{"DLV-015"}
	}
	if err := reports.Write(dir+"/"+reports.FileName, results.Derive()); err != nil {
		t.Fatal(err)
	}
	v, err := hookproof.Verify(t.Context(), dir)
	if err != nil || len(v.Differences) == 0 {
		t.Errorf("differences %v, error %v", v.Differences, err)
	}
}

// dying is the embedded pair behind a proxy that dies: it takes one user and
// does not pass it on, and answers nothing from then on.
type dying struct {
	targets.Target
	asked *atomic.Int32 // how often it was asked after its death
}

func (d dying) Start(ctx context.Context) (*targets.System, error) {
	system, err := d.Target.Start(ctx)
	if err != nil {
		return nil, err
	}
	to, err := url.Parse(system.Emitter.API)
	if err != nil {
		return nil, err
	}
	var dead atomic.Bool
	proxy := httputil.NewSingleHostReverseProxy(to)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case dead.Load():
			d.asked.Add(1)
			panic(http.ErrAbortHandler)
		case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/users"):
			dead.Store(true)
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"id":"f4cd1f0f-2c66-4f42-8c0c-6d8a1ac0b1d3"}`)
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	stop := system.Close
	system.Emitter.API = server.URL
	system.Close = func() error { server.Close(); return stop() }
	return system, nil
}

func TestATargetThatDiesBreaksNoPromiseAndEndsTheRun(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	dir, deadlines := t.TempDir(), hookproof.Impatient()
	deadlines.Delivery = 300 * time.Millisecond
	results, err := hookproof.Execute(t.Context(), dying{embedded.New(embedded.Options{}), &asked},
		hookproof.Select(hookproof.Selection{Rules: []string{"DLV-018"}}), hookproof.Wait(deadlines), hookproof.Concurrency(1), hookproof.Report(dir))
	if err != nil {
		t.Fatal(err)
	}
	silent, unreachable := 0, 0
	for _, s := range results.Scenarios {
		switch {
		case strings.Contains(s.Reason, "does not answer any more"):
			silent++
		case strings.Contains(s.Reason, "it stopped answering during the run"):
			unreachable++
		}
		if s.Outcome == reports.Fail || s.Outcome == reports.Warn {
			t.Errorf("%s is %s: %+v", s.ID, s.Outcome, s.Failure)
		}
	}
	if results.Verdict != reports.Incomplete || reports.ExitCode(results) != reports.ExitIncomplete {
		t.Errorf("verdict %s, exit code %d", results.Verdict, reports.ExitCode(results))
	}
	if silent != 1 || unreachable != len(results.Scenarios)-1 {
		t.Errorf("%d scenarios found it silent, %d of %d were not begun", silent, unreachable, len(results.Scenarios))
	}
	if n := asked.Load(); n > 20 {
		t.Errorf("a dead target was asked %d times", n)
	}
	borneOut(t, dir)
}
