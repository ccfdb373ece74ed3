package emitter_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter"
	"github.com/hookproof/hookproof/simulator/emitter/seed"
)

// childDir in the environment makes the test binary an emitter process.
const childDir = "HOOKPROOF_TEST_EMITTER_DIR"

// childSeed names the seed that such a process begins with, if any.
const childSeed = "HOOKPROOF_TEST_EMITTER_SEED"

// childReady is what an emitter process prints once it serves.
type childReady struct{ API, Control, Environment, ClientID, Secret string }

func runAsChild() bool {
	dir := os.Getenv(childDir)
	if dir == "" {
		return false
	}
	options := emitter.Options{
		Dir: dir, ControlToken: controlToken, Linger: 10 * time.Millisecond, RetryInitial: 10 * time.Millisecond,
	}
	if name := os.Getenv(childSeed); name != "" {
		content, err := os.Open(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		options.Seed = &seed.File{Name: name, Content: content}
	}
	e, err := emitter.Start(context.Background(), options)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	environment, id, secret := e.Bootstrap()
	_ = json.NewEncoder(os.Stdout).Encode(childReady{e.URL(), e.ControlURL(), environment, id, secret})
	_, _ = os.Stdin.Read(make([]byte, 1)) // until killed, or the test is gone
	return true
}

// process starts an emitter process on the directory; kill ends it with SIGKILL.
func process(t *testing.T, dir string) (c *client, kill func()) {
	t.Helper()
	c, _, kill = seeded(t, dir, "")
	return c, kill
}

// seeded is process with a seed; it tells the process's id too.
func seeded(t *testing.T, dir, seedFile string) (c *client, pid int, kill func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self)
	command.Env = append(os.Environ(), childDir+"="+dir, childSeed+"="+seedFile)
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = command.Process.Kill() // fails when it was killed before
		_ = command.Wait()
		_ = stdin.Close()
	}
	t.Cleanup(kill)
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the emitter process said %q: %v", line, err)
	}
	var ready childReady
	if err := json.Unmarshal(line, &ready); err != nil {
		t.Fatal(err)
	}
	return connect(t, ready.API, ready.Control, ready.Environment, ready.ClientID, ready.Secret), command.Process.Pid, kill
}

// post injects numbered events and says whether they were accepted.
func (c *client) post(first, n int) bool {
	var lines bytes.Buffer
	for i := first; i < first+n; i++ {
		fmt.Fprintf(&lines, `{"action":{"type":"USER.CREATED"},"result":{"status":"SUCCESS","id":"%d"},"resources":[]}`+"\n", i)
	}
	req, err := http.NewRequest(http.MethodPost, c.control+"/control/environments/"+c.env+"/events", &lines)
	if err != nil {
		c.t.Error(err)
		return false
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Authorization", "Bearer "+controlToken)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return false // the process is dead
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusAccepted
}

func TestAcceptedEventsSurviveAKilledProcess(t *testing.T) {
	const total, perPost, killAfter = 10_000, 20, 4_000
	dir := t.TempDir()
	receivers := []*receiver{receive(t, nil), receive(t, nil), receive(t, func(n int) int {
		if n%3 == 0 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})}

	c, kill := process(t, dir)
	c = c.environment("killed")
	for i, r := range receivers {
		c.subscribe(r.URL, map[string]any{"payloadOptions": map[string]any{
			"maximumPayloadLimit": map[string]any{"type": "EVENTS_PER_PAYLOAD", "size": 50 * (i + 1)}}})
	}

	// The killer watches what is accepted and strikes while events are posted.
	accepted := make([]bool, total)
	reached, dead := make(chan struct{}), make(chan struct{})
	go func() { defer close(dead); <-reached; kill() }()
	next, count := 0, 0
	for ; next < total; next += perPost {
		if !c.post(next, perPost) {
			break
		}
		for i := range perPost {
			accepted[next+i] = true
		}
		if count += perPost; count == killAfter {
			close(reached)
		}
	}
	if next < killAfter || next == total {
		t.Fatalf("the process was killed after %d of %d events", next, total)
	}
	<-dead

	restarted, _ := process(t, dir)
	restarted.env = c.env
	for next += perPost; next < total; next += perPost {
		if !restarted.post(next, perPost) {
			t.Fatalf("events %d… were refused after the restart", next)
		}
		for i := range perPost {
			accepted[next+i] = true
		}
	}
	for i, r := range receivers {
		got := r.until(t, fmt.Sprintf("every accepted event at receiver %d", i), func(d []delivery) bool {
			return len(d) > 0 && strings.Contains(d[len(d)-1].body, fmt.Sprintf(`"id":"%d"`, total-1)) &&
				d[len(d)-1].status == http.StatusOK
		})
		checkSurvived(t, i, got, accepted)
	}
}

// checkSurvived fails unless every accepted event was delivered and first
// deliveries keep the order.
func checkSurvived(t *testing.T, i int, got []delivery, accepted []bool) {
	t.Helper()
	seen := make([]bool, len(accepted))
	last, repeated := -1, 0
	for _, d := range got {
		if d.status != http.StatusOK {
			continue
		}
		for _, e := range gjson.Parse(d.body).Array() {
			n := int(e.Get("result.id").Int())
			if seen[n] {
				repeated++
				continue
			}
			if seen[n] = true; n < last {
				t.Fatalf("receiver %d: event %d came first after event %d", i, n, last)
			}
			last = n
		}
	}
	for n := range accepted {
		if accepted[n] && !seen[n] {
			t.Fatalf("receiver %d: accepted event %d was lost", i, n)
		}
	}
	if limit := 50 * (i + 1); repeated > limit {
		t.Errorf("receiver %d got %d events twice, more than one payload of %d", i, repeated, limit)
	}
}
