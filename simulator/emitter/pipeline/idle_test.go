package pipeline_test

import (
	"fmt"
	"runtime"
	"testing"
)

// BenchmarkIdle measures what a subscription costs that has nothing to do.
func BenchmarkIdle(b *testing.B) {
	const n = 5000
	var before, after runtime.MemStats
	for b.Loop() {
		w := newWorld()
		for i := range n {
			s := webhook(fmt.Sprint(i))
			w.subscriptions[s.ID] = s
		}
		runtime.GC()
		runtime.ReadMemStats(&before)
		w.start()
		runtime.GC()
		runtime.ReadMemStats(&after)
		w.dispatcher.Close()
	}
	b.ReportMetric(float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)/n, "B/subscription")
}
