// Package bench measures how fast the receiver simulator takes deliveries,
// beside a ceiling measured in the same run: a bare net/http handler that reads
// the body and keeps it.
//
// What must not enter: anything that only one of the two does outside its
// handler. Both are driven by the same clients in the same process, in turns.
package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hookproof/hookproof/simulator/receiver"
)

// Options say what is measured. The zero value measures what the bars are set
// for.
type Options struct {
	// Sizes of the bodies in bytes. Default: 1 KB, 100 KB and 600 KB.
	Sizes []int
	// Connections that are kept and used at once. Default: 8.
	Connections int
	// Round is how long one contestant is measured before the other's turn.
	// Default: 250 ms.
	Round time.Duration
	// Rounds is how many turns each has. Default: 16.
	Rounds int
	// MaxBytes is the memory for what is kept, of each. Default: 256 MiB.
	MaxBytes int64
}

func (o Options) withDefaults() Options {
	if len(o.Sizes) == 0 {
		o.Sizes = []int{1_000, 100_000, 600_000}
	}
	if o.Connections == 0 {
		o.Connections = 8
	}
	if o.Round == 0 {
		o.Round = 250 * time.Millisecond
	}
	if o.Rounds == 0 {
		o.Rounds = 16
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = receiver.DefaultMaxBytes
	}
	return o
}

// Measurement is one size over one protocol.
type Measurement struct {
	Protocol string `json:"protocol"` // "http" or "https"
	Bytes    int    `json:"bytes"`    // of a body
	// Bare and Receiver are deliveries a second: medians of the rounds.
	Bare     float64 `json:"bare"`
	Receiver float64 `json:"receiver"`
	// Ratio is the median of the ratios of neighbouring rounds.
	Ratio float64 `json:"ratio"`
	// Bar is the least ratio that is wanted; 0: none.
	Bar float64 `json:"bar,omitempty"`
}

// Kept says whether the bar is kept, if there is one.
func (m Measurement) Kept() bool { return m.Ratio >= m.Bar }

// bar is the least ratio wanted: deliveries of the greatest batches must cost
// next to nothing beside the wire, and small ones little.
func bar(protocol string, bytes int) float64 {
	switch {
	case protocol == "https" && bytes == 600_000:
		return 0.8
	case protocol == "https" && bytes == 1_000:
		return 0.6
	}
	return 0
}

// Run measures every size over both protocols and hands each result to told as
// soon as it is there.
func Run(ctx context.Context, o Options, told func(Measurement)) error {
	o = o.withDefaults()
	for _, protocol := range []string{"http", "https"} {
		for _, size := range o.Sizes {
			m, err := measure(ctx, o, protocol, size)
			if err != nil {
				return fmt.Errorf("measure %d bytes over %s: %w", size, protocol, err)
			}
			told(m)
		}
	}
	return nil
}

func measure(ctx context.Context, o Options, protocol string, size int) (Measurement, error) {
	m := Measurement{Protocol: protocol, Bytes: size, Bar: bar(protocol, size)}
	body := Body(size)
	bare, err := startBare(protocol, o.MaxBytes)
	if err != nil {
		return m, err
	}
	defer bare.close()
	simulator, err := startSimulator(ctx, protocol, o.MaxBytes)
	if err != nil {
		return m, err
	}
	defer simulator.close()
	var ceilings, speeds, ratios []float64
	for round := range o.Rounds + 1 {
		ceiling, err := bare.load(ctx, o, body)
		if err != nil {
			return m, fmt.Errorf("the bare handler: %w", err)
		}
		speed, err := simulator.load(ctx, o, body)
		if err != nil {
			return m, fmt.Errorf("the simulator: %w", err)
		}
		if round == 0 {
			continue // warming up: memory fills
		}
		ceilings, speeds, ratios = append(ceilings, ceiling), append(speeds, speed), append(ratios, speed/ceiling)
	}
	m.Bare, m.Receiver, m.Ratio = median(ceilings), median(speeds), median(ratios)
	return m, nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
