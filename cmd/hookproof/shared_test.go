package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hookproof/hookproof/internal/ports"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/simulator/emitter"
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
