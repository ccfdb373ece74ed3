package metrics_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hookproof/hookproof/simulator/emitter/metrics"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
)

var now = time.Unix(1_000_000, 0)

func withLags(lags ...pipeline.Lag) *metrics.Metrics {
	return metrics.New(metrics.Options{Lags: func() []pipeline.Lag { return slices.Clone(lags) }, Now: func() time.Time { return now }})
}

func TestNamesFollowTheConventions(t *testing.T) {
	t.Parallel()
	problems, err := testutil.GatherAndLint(withLags(pipeline.Lag{Environment: "e", Subscription: "s"}).Registry())
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

func TestEveryMetricIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := regexp.MustCompile("`(hookproof_[a-z_]+)`").FindAllStringSubmatch(string(page), -1)
	families, err := withLags(pipeline.Lag{Environment: "e", Subscription: "s"}).Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	var served []string
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "hookproof_") {
			served = append(served, f.GetName())
		}
	}
	var described []string
	for _, name := range documented {
		described = append(described, name[1])
	}
	slices.Sort(described)
	if described = slices.Compact(described); !slices.Equal(served, described) {
		t.Errorf("served %v,\ndocumented %v", served, described)
	}
}

func TestWhatBecomesOfEventsIsCounted(t *testing.T) {
	t.Parallel()
	m := withLags()
	payload := pipeline.Payload{Body: make([]byte, 3000), Events: 7, Oldest: now}
	m.Appended(20)
	m.Matched(10)
	m.Attempted(pipeline.Attempted{Attempt: pipeline.Attempt{Payload: payload}, Begun: now.Add(600 * time.Millisecond)})
	m.Attempted(pipeline.Attempted{Attempt: pipeline.Attempt{Payload: payload}, Begun: now.Add(time.Hour), Again: true})
	m.Attempted(pipeline.Attempted{Attempt: pipeline.Attempt{Payload: payload}, Begun: now.Add(2 * time.Hour), Again: true, Delivered: true})
	m.Dropped(3, pipeline.LossFailing)
	want(t, m, `
hookproof_emitter_events_appended_total 20
hookproof_emitter_events_matched_total 10
hookproof_emitter_events_delivered_total 7
hookproof_emitter_events_retried_total 14
hookproof_emitter_events_dropped_total{reason="expired"} 0
hookproof_emitter_events_dropped_total{reason="failing"} 3
hookproof_emitter_events_dropped_total{reason="suspended"} 0
hookproof_emitter_attempts_total{result="delivered"} 1
hookproof_emitter_attempts_total{result="failed"} 2
hookproof_emitter_payload_events_bucket{le="5"} 0
hookproof_emitter_payload_events_bucket{le="10"} 1
hookproof_emitter_payload_bytes_sum 3000
hookproof_emitter_hold_seconds_bucket{le="0.5"} 0
hookproof_emitter_hold_seconds_bucket{le="0.75"} 1
hookproof_emitter_hold_seconds_count 1`)
}

func TestLagsAreBounded(t *testing.T) {
	t.Parallel()
	const subscriptions, listed = 1000, 100
	var lags []pipeline.Lag
	for i := range subscriptions {
		lag := pipeline.Lag{Environment: "env", Subscription: fmt.Sprint(i)}
		if i%2 == 0 { // the higher the number, the further behind
			lag.Behind = now.Add(-time.Duration(i) * time.Second)
		}
		lags = append(lags, lag)
	}
	m := withLags(lags...)
	if n, err := testutil.GatherAndCount(m.Registry(), "hookproof_emitter_subscription_lag_seconds"); err != nil || n != listed {
		t.Errorf("%d lags are listed, %v", n, err)
	}
	want(t, m, `
hookproof_emitter_subscription_lag_seconds{environment="env",subscription="998"} 998
hookproof_emitter_subscription_lag_seconds{environment="env",subscription="800"} 800
hookproof_emitter_unlisted_subscriptions_lag_seconds 798
hookproof_emitter_subscriptions{state="behind"} 500
hookproof_emitter_subscriptions{state="caught_up"} 500`)
	want(t, withLags(lags[1]), `
hookproof_emitter_subscription_lag_seconds{environment="env",subscription="1"} 0
hookproof_emitter_unlisted_subscriptions_lag_seconds 0`)
}

// want fails unless each of the lines is served.
func want(t *testing.T, m *metrics.Metrics, lines string) {
	t.Helper()
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	served := strings.Split(answer.Body.String(), "\n")
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		if !slices.Contains(served, line) {
			t.Errorf("%q is not in\n%s", line, answer.Body)
		}
	}
}
