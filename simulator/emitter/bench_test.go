package emitter_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hookproof/hookproof/simulator/emitter"
)

// BenchmarkDelivery posts 10,000 events to 1 and to 10 subscriptions and waits
// until real servers have them all.
func BenchmarkDelivery(b *testing.B) {
	const events = 10_000
	lines := strings.Repeat(`{"action":{"type":"USER.CREATED","description":"User Created"},`+
		`"resources":[{"type":"USER","id":"11111111-1111-4111-8111-111111111111","name":"somebody"}],"result":{"status":"SUCCESS"}}`+"\n", events)
	for _, subscriptions := range []int{1, 10} {
		b.Run(fmt.Sprint(subscriptions), func(b *testing.B) {
			_, c := start(b, emitter.Options{})
			c = c.environment("fast")
			var got atomic.Int64
			arrived := make(chan struct{}, 1)
			server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
				body, err := io.ReadAll(req.Body)
				if err != nil {
					return
				}
				got.Add(int64(strings.Count(string(body), `"USER.CREATED"`)))
				select {
				case arrived <- struct{}{}:
				default:
				}
			}))
			defer server.Close()
			for range subscriptions {
				c.subscribe(server.URL, nil)
			}
			for b.Loop() {
				got.Store(0)
				status, body := c.do(http.MethodPost, c.control+"/control/environments/"+c.env+"/events", "application/x-ndjson", lines)
				if status != http.StatusAccepted {
					b.Fatalf("injection answered %d: %s", status, body)
				}
				for got.Load() < int64(events*subscriptions) {
					<-arrived
				}
			}
			b.ReportMetric(float64(b.N*events*subscriptions)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
