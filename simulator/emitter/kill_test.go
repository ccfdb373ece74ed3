package emitter_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

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
	kill = sync.OnceFunc(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		_ = stdin.Close()
	})
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

// scaleFull in the environment, set to full, asks for the full size of a test:
// HOOKPROOF_SCALE=full go test -run 'Idle|Killed' ./simulator/emitter
const scaleFull = "HOOKPROOF_SCALE"

// onslaught is how often an emitter is killed, and under which load.
type onslaught struct{ kills, events, subscriptions int }

func onslaughtOf() onslaught {
	if os.Getenv(scaleFull) == "full" {
		return onslaught{kills: 100, events: 100_000, subscriptions: 20}
	}
	return onslaught{kills: 6, events: 6_000, subscriptions: 6}
}

// Emitter processes are killed at random moments, one after the other, while
// events are posted and delivered, to receivers that fail now and then too.
// Nothing that was accepted is lost, the order is kept, and a receiver sees
// again only what it may never have answered, as far as the killed process knew.
func TestAcceptedEventsSurviveKilledProcesses(t *testing.T) {
	const perPost = 50
	size, dir := onslaughtOf(), t.TempDir()
	seed := rand.Uint64()
	t.Logf("%+v, seed %d", size, seed)
	random := rand.New(rand.NewPCG(seed, 0))
	l := keepLedger(t, size)
	accepted := make([]bool, size.events)
	env, next := "", 0

	for round := range size.kills + 1 {
		l.process.Add(1)
		c, kill := process(t, dir)
		if env == "" {
			c = c.environment("killed")
			env = c.env
			for i := range size.subscriptions {
				c.subscribe(fmt.Sprintf("%s/%d", l.URL, i), map[string]any{"payloadOptions": map[string]any{
					"maximumPayloadLimit": map[string]any{"type": "EVENTS_PER_PAYLOAD", "size": 50 * (1 + i%10)}}})
			}
		}
		c.env = env
		last := round == size.kills
		until := size.events
		if !last { // the killer strikes after so many posts and payloads of this process
			until = min(next+size.events/size.kills, size.events-perPost)
			l.strike(1+random.IntN(12*size.subscriptions), kill)
		}
		for alive := true; alive && next < until; next += perPost {
			if alive = c.post(next, perPost); alive {
				for i := range perPost {
					accepted[next+i] = true
				}
				l.happened()
			}
			if last && !alive {
				t.Fatalf("events %d… were refused", next)
			}
		}
		if !last {
			kill()
		}
	}
	l.check(t, accepted)
}
