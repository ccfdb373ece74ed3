package pipeline

import (
	"slices"

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

// Batch gathers shaped records for one payload within limits, as the bytes of
// its body. Its zero value, with limits and framing set, is an empty batch.
type Batch struct {
	Limits  Limits
	Framing Framing

	body []byte // without what closes it
	ends []int  // of the records in body
}

// Grow makes room for a body of so many bytes.
func (b *Batch) Grow(bytes int) { b.body = slices.Grow(b.body, bytes) }

// Add takes the record unless the payload would exceed a limit by it. The
// first record is always taken.
func (b *Batch) Add(record []byte) bool {
	return b.Append(func(body []byte) []byte { return append(body, record...) })
}

// Append is Add for a record that shape appends to the bytes it is given.
func (b *Batch) Append(shape func([]byte) []byte) bool {
	before, n := len(b.body), len(b.ends)
	switch {
	case n == 0:
		b.body = append(b.body, b.Framing.Open...)
	case b.Full():
		return false
	default:
		b.body = append(b.body, b.Framing.Between...)
	}
	b.body = shape(b.body)
	if n > 0 && b.Limits.Bytes > 0 && b.Size() > b.Limits.Bytes {
		b.body = b.body[:before]
		return false
	}
	b.ends = append(b.ends, len(b.body))
	return true
}

// Full says that no further record will be taken, whatever its size.
func (b *Batch) Full() bool { return b.Limits.Events > 0 && len(b.ends) >= b.Limits.Events }

// Len is the number of records.
func (b *Batch) Len() int { return len(b.ends) }

// Size is the length in bytes of the body with the records so far.
func (b *Batch) Size() int {
	if len(b.body) == 0 {
		return len(b.Framing.Open) + len(b.Framing.Close)
	}
	return len(b.body) + len(b.Framing.Close)
}

// Records returns the records in the order they were added. They share memory
// with the batch.
func (b *Batch) Records() [][]byte {
	records := make([][]byte, len(b.ends))
	start := len(b.Framing.Open)
	for i, end := range b.ends {
		records[i] = b.body[start:end:end]
		start = end + len(b.Framing.Between)
	}
	return records
}

// Body returns the body with all records. It shares memory with the batch, to
// which nothing may be added any more.
func (b *Batch) Body() []byte {
	if len(b.ends) == 0 {
		return []byte(b.Framing.Open + b.Framing.Close)
	}
	return append(b.body, b.Framing.Close...)
}
