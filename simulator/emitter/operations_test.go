package emitter_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter"
	"github.com/hookproof/hookproof/simulator/emitter/event"
)

func TestMetricsShowWhatBecameOfEvents(t *testing.T) {
	t.Parallel()
	e, c := start(t, emitter.Options{})
	c = c.environment("counted")
	r := receive(t, func(n int) int {
		if n == 1 {
			return http.StatusBadGateway
		}
		return http.StatusOK
	})
	id := c.subscribe(r.URL, nil)
	before := c.appended()
	c.inject("USER.CREATED", 0, 5)
	other := event.Event{ID: "other", Type: "OTHER", RecordedAt: time.Now()}.Record()
	if err := e.Append(t.Context(), c.env, other, other); err != nil {
		t.Fatal(err)
	}
	r.untilNumbers(t, counted(0, 5))
	for _, line := range []string{
		fmt.Sprintf("hookproof_emitter_events_appended_total %d", before+7),
		"hookproof_emitter_events_matched_total 5",
		"hookproof_emitter_events_delivered_total 5",
		"hookproof_emitter_events_retried_total 5",
		`hookproof_emitter_attempts_total{result="failed"} 1`,
		`hookproof_emitter_subscription_lag_seconds{environment="` + c.env + `",subscription="` + id + `"} 0`,
	} {
		var served string
		for deadline := time.Now().Add(patience); ; { // what was received is counted when the answer is there
			if served = c.must(http.StatusOK, http.MethodGet, "/metrics", ""); slices.Contains(strings.Split(served, "\n"), line) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s is not in\n%s", line, served)
			}
		}
	}
}

// appended is how many events the log has accepted, as the metrics show it.
func (c *client) appended() int {
	c.t.Helper()
	const name = "\nhookproof_emitter_events_appended_total "
	_, after, found := strings.Cut(c.must(http.StatusOK, http.MethodGet, "/metrics", ""), name)
	value, _, _ := strings.Cut(after, "\n")
	n, err := strconv.Atoi(value)
	if !found || err != nil {
		c.t.Fatalf("%q follows%s", value, name)
	}
	return n
}

func TestStoppingFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		timeout   time.Duration
		answers   bool
		delivered int // attempts with both emitters
	}{
		"an answer that comes":       {patience, true, 1},
		"an answer that never comes": {50 * time.Millisecond, false, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrived, answer := make(chan struct{}), make(chan struct{})
			r := receive(t, func(n int) int {
				if n == 1 {
					close(arrived)
					<-answer
				}
				return http.StatusOK
			})
			dir := t.TempDir()
			e, client := start(t, emitter.Options{Dir: dir, ShutdownTimeout: c.timeout})
			client = client.environment("stopped")
			client.subscribe(r.URL, nil)
			client.inject("USER.CREATED", 0, 1)
			<-arrived
			stopped := make(chan error, 1)
			go func() { stopped <- e.Close() }()
			if c.answers {
				unready(t, client)
				close(answer)
			}
			select {
			case err := <-stopped:
				if err != nil {
					t.Fatal(err)
				}
			case <-time.After(patience):
				t.Fatal("the emitter does not stop")
			}
			if !c.answers {
				close(answer)
			}
			_, again := start(t, emitter.Options{Dir: dir})
			again.env = client.env
			again.inject("USER.CREATED", 1, 1)
			got := r.until(t, "the later event", func(d []delivery) bool { return slices.Contains(numbers(d), "1") })
			first := 0
			for _, n := range numbers(got) {
				if n == "0" {
					first++
				}
			}
			if first != c.delivered {
				t.Errorf("the event in flight came %d times, want %d", first, c.delivered)
			}
		})
	}
}

// unready waits until an emitter that stops says so.
func unready(t *testing.T, c *client) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		status, body := c.do(http.MethodGet, c.api+"/readyz", "", "")
		if status == http.StatusServiceUnavailable && strings.Contains(body, "stopping") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("while it stops, the emitter answers %d %s", status, body)
		}
	}
	c.must(http.StatusOK, http.MethodGet, "/healthz", "")
}
