package pipeline

import (
	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// maxBody bounds, in bytes, a payload whose subscription limits the number of
// events only. It is the reference's own bound.
const maxBody = 16 << 20

// Limits of one payload. A single event is always within them (S1).
type Limits struct {
	Events int // 0: any number
	Bytes  int // of the HTTP body
}

// LimitsOf returns what the subscription configured, or 500 events (S1). A KB
// limit counts the whole body: brackets, separators and indentation included.
func LimitsOf(s subscription.Subscription) Limits {
	if s.LimitType == subscription.KBPerPayload && s.LimitSize > 0 {
		return Limits{Bytes: s.LimitSize * limits.BytesPerKB}
	}
	l := Limits{Events: limits.EventsPerPayload, Bytes: maxBody}
	if s.LimitType == subscription.EventsPerPayload && s.LimitSize > 0 {
		l.Events = s.LimitSize
	}
	return l
}

// Framing is what stands around and between the records of a body.
type Framing struct {
	Open, Between, Close string
	ContentType          string
}

// FramingOf returns the framing of the subscription's payload format: one JSON
// array, the default, or a record a line, each ended by a line feed.
// Neither media type is documented. Frames of a TCP_IP stream follow each other:
// documents each ended by a line feed, log lines as they are.
func FramingOf(s subscription.Subscription) Framing {
	switch {
	case s.Protocol == subscription.TCPIP && s.TCPFormat == subscription.RFCLogline:
		return Framing{}
	case s.Protocol == subscription.TCPIP:
		return Framing{Between: "\n", Close: "\n"}
	case s.PayloadFormat == subscription.NDJSON:
		return Framing{Between: "\n", Close: "\n", ContentType: "application/x-ndjson"}
	case s.PrettyPrint:
		return Framing{Open: "[\n" + indent, Between: ",\n" + indent, Close: "\n]", ContentType: "application/json"}
	default:
		return Framing{Open: "[", Between: ",", Close: "]", ContentType: "application/json"}
	}
}

// Batch gathers shaped records for one payload within limits. Its zero value,
// with limits and framing set, is an empty batch.
type Batch struct {
	Limits  Limits
	Framing Framing

	arena []byte
	ends  []int
}

// Add takes the record unless the payload would exceed a limit by it. The
// first record is always taken.
func (b *Batch) Add(record []byte) bool {
	n := len(b.ends)
	if n > 0 && (b.Full() || b.Limits.Bytes > 0 && b.Size()+len(b.Framing.Between)+len(record) > b.Limits.Bytes) {
		return false
	}
	b.arena = append(b.arena, record...)
	b.ends = append(b.ends, len(b.arena))
	return true
}

// Full says that no further record will be taken, whatever its size.
func (b *Batch) Full() bool { return b.Limits.Events > 0 && len(b.ends) >= b.Limits.Events }

// Len is the number of records.
func (b *Batch) Len() int { return len(b.ends) }

// Size is the length in bytes of the body with the records so far.
func (b *Batch) Size() int {
	f := b.Framing
	return len(f.Open) + len(b.arena) + max(len(b.ends)-1, 0)*len(f.Between) + len(f.Close)
}

// Records returns the records in the order they were added.
func (b *Batch) Records() [][]byte {
	records := make([][]byte, len(b.ends))
	start := 0
	for i, end := range b.ends {
		records[i] = b.arena[start:end:end]
		start = end
	}
	return records
}

// Join puts records into one body.
func Join(f Framing, records [][]byte) []byte {
	size := len(f.Open) + len(f.Close)
	for _, r := range records {
		size += len(r) + len(f.Between)
	}
	body := append(make([]byte, 0, size), f.Open...)
	for i, r := range records {
		if i > 0 {
			body = append(body, f.Between...)
		}
		body = append(body, r...)
	}
	return append(body, f.Close...)
}
