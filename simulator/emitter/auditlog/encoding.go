package auditlog

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/event"
)

// A chunk is stored as: a version byte, the time it was accepted, the number of
// records, and the fields of each record in turn. Numbers are varints, strings
// carry their length. Reading copies the message once; all strings share it.

const version = 1

var errCorrupt = errors.New("chunk is corrupt")

func encode(c Chunk) []byte {
	size := 32
	for _, r := range c.Records {
		size += r.Size() + 256
	}
	b := make([]byte, 0, size)
	b = append(b, version)
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
	return b
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
	d := decoder{bytes: data, text: string(data)}
	if d.version() != version {
		return Chunk{}, errCorrupt
	}
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
	if d.failed || d.at != len(data) {
		return Chunk{}, errCorrupt
	}
	return c, nil
}

type decoder struct {
	bytes  []byte
	text   string
	at     int
	failed bool
}

func (d *decoder) version() byte {
	if len(d.bytes) == 0 {
		d.failed = true
		return 0
	}
	d.at = 1
	return d.bytes[0]
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.bytes[d.at:])
	if n <= 0 {
		d.failed = true
		return 0
	}
	d.at += n
	return v
}

// count reads a number of things that take at least a byte each.
func (d *decoder) count() int {
	n := d.uvarint()
	if n > uint64(len(d.bytes)-d.at) {
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
	seconds, n := binary.Varint(d.bytes[d.at:])
	if n <= 0 {
		d.failed = true
		return time.Time{}
	}
	d.at += n
	return time.Unix(seconds, int64(d.uvarint())).UTC()
}

func (d *decoder) list() []string {
	n := d.count()
	if n == 0 {
		return nil
	}
	list := make([]string, 0, n)
	for range n {
		list = append(list, d.string())
	}
	return list
}
