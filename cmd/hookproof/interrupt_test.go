package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/internal/ports"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/simulator/emitter"
	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/remote"
)

const (
	sharedEnvironment = "5f1b2c3d-0000-4000-8000-00000000000a"
	sharedSecret      = "shared-secret"
)

// shared is an emitter with one environment, in which others have something.
// What makes or changes something is counted, and told to whoever waits for the
// nth.
type shared struct {
	url    string
	front  *httptest.Server
	asked  atomic.Int64
	wanted atomic.Int64
	come   chan struct{}
	under  sync.RWMutex                            // held for reading by what is being answered
	outage atomic.Bool                             // from the signal on, down
	down   atomic.Bool                             // answers 503 to all
	refuse atomic.Pointer[func(*http.Request) int] // the status of what is refused, 0 for what is not

	mu   sync.Mutex
	made [][]byte // all that was made or changed, as answered
}

func newShared(t *testing.T) *shared {
	t.Helper()
	s := &shared{come: make(chan struct{}, 1)}
	var forward http.Handler
	s.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.under.RLock()
		defer s.under.RUnlock()
		if s.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if refuse := s.refuse.Load(); refuse != nil {
			if status := (*refuse)(r); status != 0 {
				w.WriteHeader(status)
				return
			}
		}
		// What has begun ends at the emitter too, however the client ends. A context
		// that can be cancelled keeps the proxy from watching the connection itself.
		ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
		defer cancel()
		forward.ServeHTTP(w, r.WithContext(ctx))
		makes := (r.Method == http.MethodPost || r.Method == http.MethodPut) && strings.HasPrefix(r.URL.Path, "/v1/") // no reaper does
		if makes && s.asked.Add(1) == s.wanted.Load() {
			s.come <- struct{}{}
		}
	}))
	t.Cleanup(s.front.Close)
	address := freeAddress(t)
	e, err := emitter.Start(t.Context(), emitter.Options{
		Listen:      address,
		Environment: sharedEnvironment, ClientID: "suite", ClientSecret: sharedSecret, PublicURL: s.front.URL,
		Linger: 100 * time.Millisecond, RetryInitial: 50 * time.Millisecond, RetryMax: 200 * time.Millisecond, AttemptTimeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	behind, err := url.Parse("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.ModifyResponse = s.remember
	forward = proxy
	s.url = s.front.URL
	s.call(t, http.MethodPost, "/populations", `{"name":"Somebody else's"}`)
	s.call(t, http.MethodPost, "/users", `{"username":"somebody.else","email":"somebody@else.example"}`)
	s.call(t, http.MethodPost, "/subscriptions", `{"name":"Somebody else's","enabled":false,"protocol":"HTTPS","format":"ACTIVITY","verifyTlsCertificates":true,
		"httpEndpoint":{"url":"https://else.example/hooks"},"filterOptions":{"includedActionTypes":["USER.CREATED"]}}`)
	return s
}

// remember keeps what an answer says was made or changed.
func (s *shared) remember(resp *http.Response) error {
	writes := resp.Request.Method == http.MethodPost || resp.Request.Method == http.MethodPut
	if !writes || resp.StatusCode/100 != 2 || !strings.HasPrefix(resp.Request.URL.Path, "/v1/environments") {
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made = append(s.made, body)
	return nil
}

// freeAddress is an address of the loopback interface that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}

func (s *shared) call(t *testing.T, method, path, body string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/"+sharedEnvironment+"/as/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("suite", sharedSecret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(s.answer(t, req), &token); err != nil {
		t.Fatal(err)
	}
	req, err = http.NewRequestWithContext(t.Context(), method, s.url+"/v1/environments/"+sharedEnvironment+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.AccessToken)
	req.Header.Set("Content-Type", "application/json")
	return s.answer(t, req)
}

func (s *shared) answer(t *testing.T, req *http.Request) []byte {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		t.Fatalf("%s %s: status %d, %v: %s", req.Method, req.URL, resp.StatusCode, err, body)
	}
	return body
}

// holds are the ids of all that is in the environment.
func (s *shared) holds(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, collection := range []string{"users", "subscriptions", "applications", "keys", "certificates", "populations"} {
		var list struct {
			Embedded map[string][]struct{ ID string } `json:"_embedded"`
		}
		if err := json.Unmarshal(s.call(t, http.MethodGet, "/"+collection+"?limit=100", ""), &list); err != nil {
			t.Fatal(err)
		}
		for _, items := range list.Embedded {
			for _, item := range items {
				all = append(all, collection+"/"+item.ID)
			}
		}
	}
	slices.Sort(all)
	return all
}

// settled are the ids once a last request of a run that is gone has had its
// effect.
func (s *shared) settled(t *testing.T) []string {
	t.Helper()
	for last := s.holds(t); ; {
		now := s.holds(t)
		if slices.Equal(now, last) {
			return now
		}
		last = now
	}
}

// A moment is when a run is sent a signal: once it has made so many requests,
// or where that is 0, once it has left its first sign in its folder and then
// after a while, or else after a while from its start.
type moment struct {
	request int64
	sign    bool
	after   time.Duration
}

func (m moment) String() string {
	switch {
	case m.request > 0:
		return fmt.Sprintf("at request %d", m.request)
	case m.sign:
		return fmt.Sprintf("%v after its first sign", m.after)
	}
	return fmt.Sprintf("%v after its start", m.after)
}

// come tells, once, that the moment of a run has come that reports to a folder.
func (m moment) come(s *shared, out string, before map[string]string) <-chan struct{} {
	if m.request > 0 {
		return s.come
	}
	come := make(chan struct{}, 1)
	go func() {
		for end := time.Now().Add(time.Minute); m.sign && maps.Equal(contents(out), before) && time.Now().Before(end); {
			time.Sleep(100 * time.Microsecond) // the window that is looked for is as short
		}
		time.Sleep(m.after)
		come <- struct{}{}
	}()
	return come
}

// contents are the files of a report's folder, but for those half written, and
// whether there are transcripts.
func contents(out string) map[string]string {
	all := map[string]string{}
	entries, _ := os.ReadDir(out) // may not be there yet
	for _, e := range entries {
		if reports.Unfinished(e.Name()) {
			continue
		}
		text, _ := os.ReadFile(filepath.Join(out, e.Name())) // not of a folder, nor of what has just gone
		all[e.Name()] = string(text)
	}
	return all
}

// until lets a run of the program begin, and ends it at the moment.
func (s *shared) until(t *testing.T, when moment, signal syscall.Signal, out string) (text func() string, code int) {
	t.Helper()
	run := exec.CommandContext(t.Context(), os.Args[0])
	command := append([]string{"run", "--profile", profilesOfRuns, "--claim", "certificates", "--out", out}, s.flags()...)
	run.Env = append(os.Environ(), commandOfChild+"="+strings.Join(command, " "))
	text, state := s.end(t, run, when, signal, out)
	return text, state.ExitCode()
}

// profilesOfRuns are what a run is about that is ended.
const profilesOfRuns = "subscriptions,filtering,limits,retry,tls-delivery"

// end lets a process begin, and sends it the signal at the moment; it returns
// when the process has ended. The text is complete when its reaper has ended as
// well.
func (s *shared) end(t *testing.T, run *exec.Cmd, when moment, signal syscall.Signal, out string) (text func() string, state *os.ProcessState) {
	t.Helper()
	s.asked.Store(0)
	s.wanted.Store(when.request)
	printed, log, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { printed.Close() })
	run.Stdout, run.Stderr = log, log
	before := contents(out)
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	log.Close()
	all := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(printed) // what came before an error is what there is
		all <- string(text)
	}()
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	select {
	case <-when.come(s, out, before):
		s.down.Store(s.outage.Load())
		if err := run.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		<-ended
	case err = <-ended:
		t.Errorf("the run ended before its moment, %v: %v", when, err)
	}
	s.settle()
	s.outage.Store(false)
	return sync.OnceValue(func() string { return <-all }), run.ProcessState
}

// settle waits for what is being answered.
func (s *shared) settle() {
	s.under.Lock()
	defer s.under.Unlock()
}

func (s *shared) flags() []string {
	return []string{"--target", s.url, "--environment", sharedEnvironment, "--client-id", "suite", "--client-secret", sharedSecret}
}

// Whatever a scenario makes, and however it calls it: if the run is killed, its
// reaper must know it again.
func TestEverythingThatARunMakesNamesTheRun(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	s.made = nil
	_, text := run(t, append([]string{"run", "--quiet", "--out", t.TempDir(), "--claim", "environments,certificates,activities,connection-test,tcp-ip"}, s.flags()...)...)
	if len(s.made) < 500 {
		t.Errorf("the run made only %d things: %s", len(s.made), text)
	}
	runs := map[string]int{}
	for _, body := range s.made {
		if len(body) == 0 {
			continue // nothing that stays
		}
		id, _ := driver.Whose(gjson.ParseBytes(body))
		if runs[id]++; id == "" || id == driver.UnknownRun {
			t.Errorf("of run %q: %s", id, body)
		}
	}
	if !t.Failed() && len(runs) != 1 {
		t.Errorf("one run has several names: %v", runs)
	}
}

// interruptions is how many runs are interrupted, each at a moment of its own.
const interruptions = 20

func TestARunThatIsInterruptedLeavesAReportAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	before := s.holds(t)
	if len(before) < 3 {
		t.Fatalf("the environment holds only %v", before)
	}
	for i := range interruptions {
		out := t.TempDir()
		n := 1 + rand.Int64N(120)
		text, code := s.until(t, moment{request: n}, syscall.SIGINT, out)
		results, err := reports.Read(filepath.Join(out, reports.FileName))
		if err != nil || code != reports.ExitIncomplete || results.Verdict != reports.Incomplete {
			t.Errorf("run %d, interrupted at request %d: code %d, verdict %s, %v\n%s", i, n, code, results.Verdict, err, text())
		}
		if after := s.holds(t); !slices.Equal(after, before) {
			t.Fatalf("run %d, interrupted at request %d, left %v beside %v\n%s", i, n, after, before, text())
		}
	}
}

// libraryOfChild has the test binary run the suite as a test of somebody's own
// does, against the target at that URL and with reports below a folder.
const libraryOfChild = "TEST_OF_HOOKPROOF_LIBRARY"

// A test of somebody's own has no reaper: what ends it has to wait until it has
// cleaned up, with two runs in one process until both have.
func TestAGoTestThatIsInterruptedLeavesReportsAndNothingElse(t *testing.T) {
	t.Parallel()
	names := []string{"one", "other"}
	if at, out, child := strings.Cut(os.Getenv(libraryOfChild), " "); child {
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				target, err := remote.New(remote.Options{
					Emitter: targets.Emitter{API: at, Environment: sharedEnvironment, ClientID: "suite", ClientSecret: sharedSecret},
					Claims:  []targets.Capability{targets.Certificates},
				})
				if err != nil {
					t.Fatal(err)
				}
				hookproof.Run(t, target, hookproof.Report(filepath.Join(out, name)),
					hookproof.Select(hookproof.Selection{Profiles: strings.Split(profilesOfRuns, ",")}))
			})
		}
		return
	}
	s := newShared(t)
	before := s.holds(t)
	for i, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		out, n := t.TempDir(), 40+rand.Int64N(120)
		run := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.parallel=8")
		run.Env = append(os.Environ(), libraryOfChild+"="+s.url+" "+out)
		text, state := s.end(t, run, moment{request: n}, signal, out)
		if by, ok := state.Sys().(syscall.WaitStatus); !ok || !by.Signaled() || by.Signal() != signal {
			t.Errorf("run %d, told to end by %v at request %d, ended with %v: %s", i, signal, n, state, text())
		}
		for _, name := range names {
			results, err := reports.Read(filepath.Join(out, name, reports.FileName))
			if err != nil || results.Verdict != reports.Incomplete {
				t.Errorf("run %d: verdict %s, %v", i, results.Verdict, err)
			}
		}
		if after := s.holds(t); !slices.Equal(after, before) {
			t.Fatalf("run %d, told to end by %v at request %d, left %v beside %v: %s", i, signal, n, after, before, text())
		}
	}
}

// killings are moments of four kinds, five of each.
func killings() []moment {
	var all []moment
	for range interruptions / 4 {
		all = append(all,
			moment{request: 1 + rand.Int64N(120)},
			moment{after: time.Duration(rand.Int64N(int64(200 * time.Millisecond)))},
			moment{sign: true, after: time.Duration(rand.Int64N(int64(5 * time.Millisecond)))},
			moment{after: time.Duration(rand.Int64N(int64(3 * time.Second)))})
	}
	return all
}

// saysRemoved finds how many things a reaper has removed.
var saysRemoved = regexp.MustCompile(`was killed; (\d+) things .* were removed\n`)

func TestARunThatIsKilledLeavesAReportAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	before := s.holds(t)
	earlier := conformantReport(t)
	var texts []func() string
	begun := 0
	for i, when := range killings() {
		out := filepath.Join(t.TempDir(), "out")
		if reused := i/4%2 == 1; reused {
			if err := os.CopyFS(out, os.DirFS(earlier)); err != nil {
				t.Fatal(err)
			}
		}
		there := contents(out)
		text, _ := s.until(t, when, syscall.SIGKILL, out)
		texts = append(texts, text)
		switch untouched := maps.Equal(contents(out), there); {
		case !untouched:
			begun++
			s.readable(t, out)
		case when.request > 0 || when.sign:
			t.Errorf("a run killed %v has not begun a report", when)
		}
		if t.Failed() {
			t.Fatalf("run %d, killed %v, left %v", i, when, slices.Sorted(maps.Keys(contents(out))))
		}
	}
	left, removed, busy := len(s.holds(t))-len(before), 0, 0
	for i, text := range texts {
		switch said := saysRemoved.FindStringSubmatch(text()); {
		case said != nil:
			n, err := strconv.Atoi(said[1])
			if removed += n; err != nil || n > 0 {
				busy++
			}
		case strings.Contains(text(), "was killed"):
			t.Errorf("run %d: %s", i, text())
		}
	}
	if after := s.holds(t); !slices.Equal(after, before) {
		t.Errorf("%d killed runs left %v beside %v", len(texts), after, before)
	}
	t.Logf("%d of %d runs had begun a report; %d reapers removed %d things", begun, len(texts), busy, removed)
	if left == 0 || busy < interruptions/8 || begun < interruptions/2 {
		t.Errorf("%d runs had begun, they left %d things for a moment, and %d reapers removed %d: nothing was shown", begun, left, busy, removed)
	}
}

// conformantReport is the folder of a run that was.
func conformantReport(t *testing.T) string {
	t.Helper()
	out := t.TempDir()
	if code, text := run(t, "run", "--quiet", "--rule", "SUB-LIMIT-051", "--out", out); code != reports.ExitConformant {
		t.Fatalf("code %d: %s", code, text)
	}
	return out
}

// readable tells whether the report of a killed run is what it should be.
func (s *shared) readable(t *testing.T, out string) {
	t.Helper()
	if results, err := reports.Read(filepath.Join(out, reports.FileName)); err != nil || results.Verdict != reports.Incomplete {
		t.Errorf("the report of a killed run: verdict %s, %v", results.Verdict, err)
	}
	if _, err := os.Stat(filepath.Join(out, reports.HTMLName)); err == nil {
		return // killed before it had removed what was there before, and verify says so
	}
	if code, text := run(t, "verify", out); code != reports.ExitIncomplete {
		t.Errorf("verify of a killed run ends with %d: %s", code, text)
	}
}

// Where the reaper finds the target gone, it says so, and what is left can
// still be found and removed later.
func TestWhatAKilledRunLeavesIsFoundAndRemoved(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	before := s.holds(t)
	left := 0
	for i := range 2 {
		out := t.TempDir()
		n := 20 + rand.Int64N(80)
		s.outage.Store(true)
		text, _ := s.until(t, moment{request: n}, syscall.SIGKILL, out)
		if said := text(); !strings.Contains(said, "not all could be") || !strings.Contains(said, "503") {
			t.Errorf("run %d: its reaper met an outage and said: %s", i, said)
		}
		s.down.Store(false)
		s.readable(t, out)
		found := len(s.settled(t)) - len(before)
		left += found
		code, listed := run(t, append([]string{"cleanup"}, s.flags()...)...)
		if want := map[bool]int{true: reports.ExitConformant, false: reports.ExitIncomplete}[found == 0]; code != want || !strings.Contains(listed, "0 removed, ") {
			t.Errorf("run %d left %d; code %d: %s", i, found, code, listed)
		}
		if code, text := run(t, append([]string{"cleanup", "--all"}, s.flags()...)...); code != reports.ExitConformant {
			t.Errorf("run %d: code %d: %s", i, code, text)
		}
		if after := s.holds(t); !slices.Equal(after, before) {
			t.Fatalf("run %d, killed at request %d: %v is left beside %v", i, n, after, before)
		}
	}
	if left == 0 {
		t.Error("no killed run left anything: nothing was shown")
	}
}
