package hookproof_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/embedded"
	"github.com/hookproof/hookproof/targets/remote"
)

// sink is somebody else's receiver: it checks a token, takes JSON, keeps the
// events in memory and tells of them.
type sink struct {
	loses bool // the last event of a delivery of several

	mu     sync.Mutex
	events map[string][]stored // by id
	count  int
}

// stored is an event on a line of its own, and which it was of all.
type stored struct {
	number int
	line   []byte
}

const sinkToken = "Bearer of-somebody-elses-receiver"

func (s *sink) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		return
	case r.Header.Get("Authorization") != sinkToken:
		w.WriteHeader(http.StatusUnauthorized)
		return
	case r.Method != http.MethodPost:
		return
	}
	var events []json.RawMessage
	if json.Unmarshal(body, &events) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if s.loses && len(events) > 1 {
		events = events[:len(events)-1]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events == nil {
		s.events = map[string][]stored{}
	}
	for _, e := range events {
		var known struct{ ID string }
		var line bytes.Buffer
		if json.Unmarshal(e, &known) != nil || json.Compact(&line, e) != nil {
			continue
		}
		s.count++
		s.events[known.ID] = append(s.events[known.ID], stored{s.count, append(line.Bytes(), '\n')})
	}
}

func (s *sink) tell(w http.ResponseWriter, r *http.Request) {
	var asked struct{ IDs []string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var found []stored
	s.mu.Lock()
	for _, id := range asked.IDs {
		found = append(found, s.events[id]...)
	}
	s.mu.Unlock()
	slices.SortFunc(found, func(a, b stored) int { return a.number - b.number })
	for _, e := range found {
		_, _ = w.Write(e.line)
	}
}

// at serves the receiver and describes it as a target.
func (s *sink) at(t *testing.T) targets.Target {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/a-path-that-nobody-guesses", s.take)
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	adapter := httptest.NewServer(http.HandlerFunc(s.tell))
	t.Cleanup(adapter.Close)
	target, err := remote.NewReceiver(remote.ReceiverOptions{
		Hook: targets.Hook{
			URL: server.URL + "/a-path-that-nobody-guesses", Headers: map[string]string{"Authorization": sinkToken},
			CA:       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
			ReadBack: remote.HTTPReadBack{URL: adapter.URL},
		},
		Claims: []targets.Capability{targets.Authentication},
	})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func TestSomebodyElsesReceiverIsJudgedByWhatItClaims(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	results, err := hookproof.Execute(t.Context(), (&sink{}).at(t), hookproof.Wait(unhurried()), hookproof.Report(dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range results.Scenarios {
		if s.Outcome != reports.Pass && s.Outcome != reports.NotApplicable {
			t.Errorf("%s is %s: %s %+v", s.ID, s.Outcome, s.Reason, s.Failure)
		}
	}
	for _, r := range results.Rules {
		notApplicable := r.ID == "RCV-007" || r.ID == "RCV-014"
		if (r.Outcome == reports.NotApplicable) != notApplicable {
			t.Errorf("rule %s is %s", r.ID, r.Outcome)
		}
	}
	if results.Target.Role != "receiver" || results.Verdict != reports.Conformant {
		t.Errorf("role %s, verdict %s", results.Target.Role, results.Verdict)
	}
	borneOut(t, dir)
	nowhere(t, dir, "of-somebody-elses", "OF-SOMEBODY-ELSES", "a-path-that-nobody-guesses")
}

func TestALossAtSomebodyElsesReceiverIsFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	results, err := hookproof.Execute(t.Context(), (&sink{loses: true}).at(t), hookproof.Wait(hookproof.Impatient()), hookproof.Report(dir),
		hookproof.Select(hookproof.Selection{Rules: []string{"RCV-002", "RCV-022"}}))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results.Rules {
		if want := map[string]reports.Outcome{"RCV-002": reports.Pass, "RCV-022": reports.Fail}[r.ID]; r.Outcome != want {
			t.Errorf("rule %s is %s, want %s", r.ID, r.Outcome, want)
		}
	}
	borneOut(t, dir)
}

func TestAReceiverThatIsNotThereBreaksNoPromise(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(nil)
	address := server.URL
	server.Close()
	target, err := remote.NewReceiver(remote.ReceiverOptions{Hook: targets.Hook{URL: address}})
	if err != nil {
		t.Fatal(err)
	}
	results, err := hookproof.Execute(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	if code := reports.ExitCode(results); code != reports.ExitIncomplete || results.Verdict != reports.Incomplete {
		t.Errorf("exit code %d, verdict %s", code, results.Verdict)
	}
}

func TestAReceiverThatClosesEveryConnectionIsNoFaultOfTheSuite(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(server.Close)
	target, err := remote.NewReceiver(remote.ReceiverOptions{Hook: targets.Hook{
		URL: server.URL, CA: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	wait := hookproof.Impatient()
	if raced { // beside whole runs, a first attempt takes its time
		wait.Delivery = 20 * time.Second
	}
	results, err := hookproof.Execute(t.Context(), target, hookproof.Wait(wait),
		hookproof.Select(hookproof.Selection{Rules: []string{"RCV-002", "RCV-008", "RCV-010"}}))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results.Rules {
		// Not to answer breaks RCV-002; what an answer would have been is not known.
		if want := map[string]reports.Outcome{"RCV-002": reports.Fail, "RCV-008": reports.CouldNotRun, "RCV-010": reports.CouldNotRun}[r.ID]; r.Outcome != want {
			t.Errorf("rule %s is %s, want %s (%s)", r.ID, r.Outcome, want, r.Reason)
		}
	}
}

func TestAReceiverThatRepeatsItsSecretsDoesNotDiscloseThem(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Path", r.URL.Path)
		_, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		_, _ = io.WriteString(w, "took "+r.URL.Path+" with "+r.URL.RawQuery+" by "+credentials)
	}))
	t.Cleanup(server.Close)
	target, err := remote.NewReceiver(remote.ReceiverOptions{Hook: targets.Hook{
		URL: server.URL + "/canary-of-the-path?key=canary-of-the-query", Headers: map[string]string{"Authorization": "Splunk canary-of-the-header"},
		CA: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	}, Claims: []targets.Capability{targets.Authentication}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := hookproof.Execute(t.Context(), target, hookproof.Wait(hookproof.Impatient()), hookproof.Report(dir),
		hookproof.Select(hookproof.Selection{Rules: []string{"RCV-001", "RCV-002", "RCV-011"}})); err != nil {
		t.Fatal(err)
	}
	borneOut(t, dir)
	nowhere(t, dir, "canary-of", "CANARY-OF")
}

// nowhere fails if one of the secrets stands in a file of the report.
func nowhere(t *testing.T, dir string, secrets ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s holds %q", path, secret)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhyARuleIsNotObservedIsNotForTheReportToSay(t *testing.T) {
	t.Parallel()
	r, err := hookproof.Execute(t.Context(), embedded.New(embedded.Options{Role: targets.RoleReceiver}), hookproof.Select(hookproof.Selection{Role: "receiver"}))
	if err != nil {
		t.Fatal(err)
	}
	if found, err := hookproof.Contradictions(r); err != nil || len(found) > 0 {
		t.Fatalf("a report of a run contradicts itself: %v, %v", found, err)
	}
	i := slices.IndexFunc(r.Rules, func(rule reports.Rule) bool { return rule.Outcome == reports.NotObserved })
	if i < 0 {
		t.Fatal("every rule is observed")
	}
	r.Rules[i].Reason = "kept, observed by hand"
	if found, err := hookproof.Contradictions(r); err != nil || len(found) != 1 || !strings.Contains(found[0].Text, r.Rules[i].ID) {
		t.Errorf("found %v, %v", found, err)
	}
}
