package auditlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"github.com/klauspost/compress/s2"

	"github.com/hookproof/hookproof/simulator/emitter/event"
)

// A chunk is stored as: a version byte, the time it was accepted, the number of
// records, and the fields of each record in turn. Numbers are varints, strings
// carry their length. What follows the version byte of a larger chunk is an S2
// block: a chunk is copied half a dozen times on its way to the disk, which
// costs more than making it smaller first. All strings of a chunk share memory.
const (
	plain      = 1
	compressed = 2

	// compressFrom is the length in bytes from which chunks are compressed: lone
	// events hold nothing that repeats.
	compressFrom = 4 << 10
	// mostBytes is the longest that a chunk may be, however well it compresses:
	// chunkBytes, or one event of the largest size, and their keys.
	mostBytes = 8 << 20
)

var (
	errCorrupt = errors.New("chunk is corrupt")
	errLarge   = fmt.Errorf("an event and its keys have at most %d bytes", mostBytes)
)

// encoder encodes chunks one after the other; it keeps its memory.
type encoder struct{ plain, packed []byte }

// encode returns the stored form, which belongs to the caller. It fails when
// the chunk is too large.
func (e *encoder) encode(c Chunk) ([]byte, error) {
	b := append(e.plain[:0], plain)
	b = appendTime(b, c.Accepted)
	b = binary.AppendUvarint(b, uint64(len(c.Records)))
	for _, r := range c.Records {
		b = appendString(b, r.ID)
		b = appendString(b, r.Type)
		b = appendTime(b, r.RecordedAt)
		b = appendList(b, r.Populations)
		b = appendList(b, r.Applications)
		b = appendList(b, r.Tags)
		b = appendString(b, r.Body)
		b = appendString(b, r.IPAddress)
		b = appendString(b, r.UserAgent)
	}
	e.plain = b
	switch {
	case len(b) > mostBytes:
		return nil, errLarge
	case len(b) < compressFrom:
		return bytes.Clone(b), nil
	}
	e.packed = s2.Encode(e.packed[:cap(e.packed)], b[1:])
	return append(append(make([]byte, 0, 1+len(e.packed)), compressed), e.packed...), nil
}

func appendTime(b []byte, t time.Time) []byte {
	b = binary.AppendVarint(b, t.Unix())
	return binary.AppendUvarint(b, uint64(t.Nanosecond()))
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendList(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendString(b, s)
	}
	return b
}

func decode(data []byte) (Chunk, error) {
	text, err := unpacked(data)
	if err != nil {
		return Chunk{}, err
	}
	d := decoder{text: text}
	c := Chunk{Accepted: d.time()}
	n := d.count()
	c.Records = make([]event.Record, 0, n)
	for range n {
		c.Records = append(c.Records, event.Record{
			ID: d.string(), Type: d.string(), RecordedAt: d.time(),
			Populations: d.list(), Applications: d.list(), Tags: d.list(),
			Body: d.string(), IPAddress: d.string(), UserAgent: d.string(),
		})
	}
	if d.failed || d.at != len(text) {
		return Chunk{}, errCorrupt
	}
	return c, nil
}

// unpacked returns what follows the version byte.
func unpacked(data []byte) (string, error) {
	switch {
	case len(data) == 0:
	case data[0] == plain:
		return string(data[1:]), nil
	case data[0] == compressed:
		if n, err := s2.DecodedLen(data[1:]); err != nil || n > mostBytes {
			return "", errCorrupt
		}
		text, err := s2.Decode(nil, data[1:])
		if err != nil {
			return "", fmt.Errorf("%w: %w", errCorrupt, err)
		}
		return unsafe.String(unsafe.SliceData(text), len(text)), nil // nobody else has it
	}
	return "", errCorrupt
}

type decoder struct {
	text   string
	at     int
	failed bool
	lists  []string // memory of all lists
}

// uvarint reads a number as binary.Uvarint does, which takes no string.
func (d *decoder) uvarint() uint64 {
	var v uint64
	for shift := 0; d.at < len(d.text) && shift < 64; shift += 7 {
		b := d.text[d.at]
		d.at++
		if v |= uint64(b&0x7f) << shift; b < 0x80 {
			return v
		}
	}
	d.failed = true
	return 0
}

// varint reads what binary.AppendVarint writes.
func (d *decoder) varint() int64 {
	v := d.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// count reads a number of things that take at least a byte each.
func (d *decoder) count() int {
	n := d.uvarint()
	if n > uint64(len(d.text)-d.at) {
		d.failed = true
		return 0
	}
	return int(n)
}

func (d *decoder) string() string {
	n := d.count()
	s := d.text[d.at : d.at+n]
	d.at += n
	return s
}

func (d *decoder) time() time.Time {
	seconds := d.varint()
	return time.Unix(seconds, int64(d.uvarint())).UTC()
}

func (d *decoder) list() []string {
	n := d.count()
	if n == 0 {
		return nil
	}
	start := len(d.lists)
	for range n {
		d.lists = append(d.lists, d.string())
	}
	return d.lists[start:len(d.lists):len(d.lists)]
}
