// Package metrics counts what the reference emitter does and serves it to
// Prometheus. Every name stands in this package, with its help; docs/operations.md
// lists them. Nothing is decided here, and nothing is read back.
package metrics

import (
	"cmp"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
)

// listed is how many subscriptions have a lag of their own: those furthest
// behind. It bounds what one scrape can bring, however many there are; a whole
// environment (50) fits twice.
const listed = 2 * limits.SubscriptionsPerEnvironment

// Metrics are those of one emitter. They implement pipeline.Observer; what is
// counted for an event is an addition, with no label to look up.
type Metrics struct {
	registry *prometheus.Registry

	appended, matched, delivered, retried prometheus.Counter
	dropped                               map[pipeline.Loss]prometheus.Counter
	accepted, refused                     prometheus.Counter
	payloadEvents, payloadBytes, hold     prometheus.Histogram
}

// Options of metrics; both are required.
type Options struct {
	Lags func() []pipeline.Lag
	Now  func() time.Time // the emitter's clock
}

// New makes metrics that all begin at zero.
func New(o Options) *Metrics {
	m := &Metrics{
		registry:  prometheus.NewRegistry(),
		appended:  counter("events_appended_total", "Audit events that the log has accepted."),
		matched:   counter("events_matched_total", "Events that a subscription is to get, summed over subscriptions."),
		delivered: counter("events_delivered_total", "Events in payloads that a receiver accepted, summed over subscriptions."),
		retried:   counter("events_retried_total", "Events in payloads that were attempted again."),
		payloadEvents: histogram("payload_events", "Events in a payload, at its first attempt.",
			[]float64{1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500}),
		payloadBytes: histogram("payload_bytes", "Size of a payload's body in bytes, at its first attempt.",
			prometheus.ExponentialBuckets(1<<10, 4, 8)), // 1 KiB to 16 MiB
		hold: histogram("hold_seconds", "Time from the acceptance of a payload's oldest event to its first attempt, by the emitter's clock.",
			[]float64{0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, limits.Hold.Seconds(), 5, 30, 300, 3600}),
	}
	dropped := prometheus.NewCounterVec(opts("events_dropped_total",
		"Events that are never delivered as they waited for too long, by what they waited for."), []string{"reason"})
	m.dropped = map[pipeline.Loss]prometheus.Counter{}
	for _, why := range []pipeline.Loss{pipeline.LossSuspended, pipeline.LossFailing, pipeline.LossExpired} {
		m.dropped[why] = dropped.WithLabelValues(string(why))
	}
	attempts := prometheus.NewCounterVec(opts("attempts_total", "Attempts to deliver a payload, by result."), []string{"result"})
	m.accepted, m.refused = attempts.WithLabelValues("delivered"), attempts.WithLabelValues("failed")
	m.registry.MustRegister(m.appended, m.matched, m.delivered, m.retried, dropped, attempts,
		m.payloadEvents, m.payloadBytes, m.hold, newLags(o), buildInfo(),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

const namespace, subsystem = "hookproof", "emitter"

func opts(name, help string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}
}

func counter(name, help string) prometheus.Counter { return prometheus.NewCounter(opts(name, help)) }

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Subsystem: subsystem, Name: name, Help: help, Buckets: buckets,
	})
}

// buildInfo says what is running, as far as the binary knows.
func buildInfo() prometheus.Collector {
	labels := prometheus.Labels{"version": "unknown", "revision": "unknown", "goversion": "unknown"}
	if build, ok := debug.ReadBuildInfo(); ok {
		labels["version"], labels["goversion"] = build.Main.Version, build.GoVersion
		for _, s := range build.Settings {
			if s.Key == "vcs.revision" {
				labels["revision"] = s.Value
			}
		}
	}
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Subsystem: subsystem, Name: "build_info",
		Help: "Always 1; the labels say what is running.", ConstLabels: labels,
	}, func() float64 { return 1 })
}

// Handler serves the metrics in Prometheus' own formats.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Registry is what Handler gathers from.
func (m *Metrics) Registry() prometheus.Gatherer { return m.registry }

// Appended counts events that the log has accepted.
func (m *Metrics) Appended(events int) { m.appended.Add(float64(events)) }

// Matched implements pipeline.Observer.
func (m *Metrics) Matched(events int) { m.matched.Add(float64(events)) }

// Dropped implements pipeline.Observer.
func (m *Metrics) Dropped(events int, why pipeline.Loss) { m.dropped[why].Add(float64(events)) }

// Attempted implements pipeline.Observer.
func (m *Metrics) Attempted(a pipeline.Attempted) {
	events := float64(a.Payload.Events)
	if a.Again {
		m.retried.Add(events)
	} else {
		m.payloadEvents.Observe(events)
		m.payloadBytes.Observe(float64(len(a.Payload.Body)))
		m.hold.Observe(a.Begun.Sub(a.Payload.Oldest).Seconds())
	}
	if !a.Delivered {
		m.refused.Inc()
		return
	}
	m.accepted.Inc()
	m.delivered.Add(events)
}

// lags are gathered when they are asked for.
type lags struct {
	Options
	lag, worst, subscriptions *prometheus.Desc
}

func newLags(o Options) *lags {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, subsystem, name), help, labels, nil)
	}
	return &lags{
		Options: o,
		lag: desc("subscription_lag_seconds",
			"Time for which the oldest event waits that a subscription is still to get, for the subscriptions furthest behind; 0: none waits.",
			"environment", "subscription"),
		worst: desc("unlisted_subscriptions_lag_seconds",
			"The longest lag of the subscriptions that have none of their own."),
		subscriptions: desc("subscriptions", "Subscriptions that this process works, by whether events wait.", "state"),
	}
}

// Describe implements prometheus.Collector.
func (l *lags) Describe(to chan<- *prometheus.Desc) {
	to <- l.lag
	to <- l.worst
	to <- l.subscriptions
}

// Collect implements prometheus.Collector.
func (l *lags) Collect(to chan<- prometheus.Metric) {
	all, now := l.Lags(), l.Now()
	slices.SortFunc(all, func(a, b pipeline.Lag) int { // those without a lag last, equal ones always the same
		return cmp.Or(boolean(a.Behind.IsZero(), b.Behind.IsZero()), a.Behind.Compare(b.Behind),
			cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Subscription, b.Subscription))
	})
	seconds := func(of pipeline.Lag) float64 {
		if of.Behind.IsZero() {
			return 0
		}
		return max(now.Sub(of.Behind).Seconds(), 0)
	}
	worst, behind := 0.0, 0
	for i, of := range all {
		if !of.Behind.IsZero() {
			behind++
		}
		switch {
		case i < listed:
			to <- prometheus.MustNewConstMetric(l.lag, prometheus.GaugeValue, seconds(of), of.Environment, of.Subscription)
		case i == listed:
			worst = seconds(of)
		}
	}
	to <- prometheus.MustNewConstMetric(l.worst, prometheus.GaugeValue, worst)
	to <- prometheus.MustNewConstMetric(l.subscriptions, prometheus.GaugeValue, float64(behind), "behind")
	to <- prometheus.MustNewConstMetric(l.subscriptions, prometheus.GaugeValue, float64(len(all)-behind), "caught_up")
}

func boolean(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}
