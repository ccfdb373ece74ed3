// Package bench measures how fast the reference emitter delivers, beside a bare
// ceiling measured in the same run: the same HTTPS client posting prebuilt
// batches to the same handler.
//
// What must not enter: anything that only one of the two does outside what is
// measured. Emitter, client and receiver share one process, and so its cores.
package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Options say what is measured. The zero value measures what the bars are set
// for.
type Options struct {
	// Events of the backlog; the deliveries of a round are half as many.
	// At least 1,000. Default: 1,000,000. The bars are set for the default and
	// hold for no other number.
	Events int
	// Subscriptions that take deliveries at once, a measurement each, each from
	// 1 to 50. Default: 1, 10, 50.
	Subscriptions []int
	// Rounds is how many turns ceiling and emitter each have; the median of the
	// ratios counts. Default: 5.
	Rounds int
	// Held is how many subscriptions wait for lone events, in environments of
	// 50. Default: 1,000.
	Held int
	// Lone is how many lone events each of them gets after the first. Default: 10.
	Lone int
	// Dir is where the emitters keep their data, in folders that are removed
	// again. Default: the directory for temporary files.
	Dir string
}

// DefaultEvents is the backlog that the bars are set for.
const DefaultEvents = 1_000_000

func (o Options) withDefaults() Options {
	if len(o.Subscriptions) == 0 {
		o.Subscriptions = []int{1, 10, 50}
	}
	for number, otherwise := range map[*int]int{&o.Events: DefaultEvents, &o.Rounds: 5, &o.Held: 1000, &o.Lone: 10} {
		if *number == 0 {
			*number = otherwise
		}
	}
	return o
}

// full says whether the bars hold for what is measured.
func (o Options) full() bool { return o.Events == DefaultEvents }

// Delivery is the speed of deliveries while events are appended, as fast as
// they are delivered.
type Delivery struct {
	Subscriptions int `json:"subscriptions"`
	// Ceiling and Emitter are events delivered a second, those of all
	// subscriptions together: medians of the rounds. The ceiling uses as many
	// connections as there are subscriptions.
	Ceiling float64 `json:"ceiling"`
	Emitter float64 `json:"emitter"`
	// Ratio is the median of the ratios of neighbouring rounds.
	Ratio float64 `json:"ratio"`
	// Bar is the least ratio that is wanted; 0: none.
	Bar float64 `json:"bar,omitempty"`
	// Batch is the mean number of events in a payload.
	Batch float64 `json:"batch"`
	// Allocated is bytes allocated for each delivered event, by the whole
	// process: emitter, store and receiver.
	Allocated float64 `json:"allocated"`
}

// Kept says whether the bar is kept, if there is one.
func (d Delivery) Kept() bool { return d.Ratio >= d.Bar }

// Hold is how long lone events were held: from just before they were appended
// until the receiver's handler was called.
type Hold struct {
	Subscriptions int           `json:"subscriptions"`
	Connections   string        `json:"connections"` // "new", of the first events, or "kept"
	Events        int           `json:"events"`      // delivered, of all subscriptions
	P50           time.Duration `json:"p50Ns"`
	P99           time.Duration `json:"p99Ns"`
	Max           time.Duration `json:"maxNs"`
	// Bar is the longest that is allowed; 0: none.
	Bar time.Duration `json:"barNs,omitempty"`
}

// Kept says whether the bar is kept, if there is one.
func (h Hold) Kept() bool { return h.Bar == 0 || h.Max <= h.Bar }

// Backlog is the draining of what had accumulated for one suspended
// subscription, from the request that enables it to the last delivery.
type Backlog struct {
	Events  int           `json:"events"`
	Took    time.Duration `json:"tookNs"`
	Speed   float64       `json:"speed"` // events a second
	Batch   float64       `json:"batch"` // mean number of events in a payload
	Partial int           `json:"partial"`
	// Peak is the most memory the process had resident meanwhile, in bytes; 0
	// where the system does not tell.
	Peak int64 `json:"peak"`
	// Allocated is bytes allocated for each event.
	Allocated float64 `json:"allocated"`
	// Growth is the cost of an event beside that in the backlog of a tenth;
	// 0 for the tenth itself.
	Growth float64 `json:"growth,omitempty"`
	// Bars, as far as there are any: the most memory, the greatest growth.
	PeakBar   int64   `json:"peakBar,omitempty"`
	GrowthBar float64 `json:"growthBar,omitempty"`
}

// Kept says whether the bars are kept, if there are any, and whether every
// payload but the last was full. A peak that is not known keeps no bar.
func (b Backlog) Kept() bool {
	return b.Partial <= 1 && (b.PeakBar == 0 || b.Peak > 0 && b.Peak <= b.PeakBar) && (b.GrowthBar == 0 || b.Growth <= b.GrowthBar)
}

// The bars.
const (
	barHold   = 2 * time.Second // limits.Hold
	barPeak   = 300_000_000
	barGrowth = 1.2
)

// barRatio is the least ratio wanted: with one subscription, storing the events
// costs as much as sending them; with 50 it is shared.
func barRatio(subscriptions int) float64 {
	switch subscriptions {
	case 1:
		return 0.5
	case 50:
		return 0.7
	}
	return 0
}

// Told gets each result as soon as it is there.
type Told struct {
	Delivery func(Delivery)
	Hold     func(Hold)
	Backlog  func(Backlog)
}

// Run measures everything, one after the other.
func Run(ctx context.Context, o Options, told Told) error {
	o = o.withDefaults()
	for _, n := range o.Subscriptions {
		d, err := deliveries(ctx, o, n)
		if err != nil {
			return fmt.Errorf("measure deliveries to %d subscriptions: %w", n, err)
		}
		told.Delivery(d)
	}
	if err := holds(ctx, o, told.Hold); err != nil {
		return fmt.Errorf("measure how long events are held: %w", err)
	}
	var tenth Backlog
	for _, events := range []int{o.Events / 10, o.Events} {
		b, err := backlog(ctx, o, events)
		if err != nil {
			return fmt.Errorf("drain a backlog of %d events: %w", events, err)
		}
		if tenth.Events == 0 {
			tenth = b
		} else {
			b.Growth = b.Took.Seconds() / float64(b.Events) / (tenth.Took.Seconds() / float64(tenth.Events))
			if o.full() {
				b.PeakBar, b.GrowthBar = barPeak, barGrowth
			}
		}
		told.Backlog(b)
	}
	return nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
