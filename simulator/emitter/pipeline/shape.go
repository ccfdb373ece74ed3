package pipeline

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// Shape appends the record that the subscription gets for an event: the event
// with as much of `source` as is exposed, inside the envelope of its format,
// indented where that is asked for; over TCP_IP, a frame of the stream. Bytes of
// the event are copied, never decoded.
//
// The envelopes of SPLUNK and NEWRELIC are the reference's reading: no sample
// of the platform's is published. SPLUNK follows the HTTP event collector and
// the predecessor product's sample, with the time in milliseconds (V12);
// NEWRELIC the log API's record with a timestamp and a message.
func Shape(dst []byte, s subscription.Subscription, r event.Record) []byte {
	if s.Protocol == subscription.TCPIP {
		return appendFrame(dst, s, r)
	}
	if s.PrettyPrint {
		s.PrettyPrint = false
		return indented(dst, Shape(nil, s, r))
	}
	switch s.Format {
	case subscription.Splunk:
		dst = append(dst, `{"time":`...)
		dst = strconv.AppendInt(dst, r.RecordedAt.UnixMilli(), 10)
		dst = append(dst, `,"host":"pingidentity.com","source":"pingone","event":`...)
	case subscription.NewRelic:
		dst = append(dst, `{"timestamp":`...)
		dst = strconv.AppendInt(dst, r.RecordedAt.UnixMilli(), 10)
		dst = append(dst, `,"source":"pingone","message":`...)
		dst = appendQuoted(dst, r.Type)
		dst = append(dst, `,"event":`...)
	default:
		return r.AppendJSON(dst, s.ExposeIP, s.ExposeUserAgent)
	}
	return append(r.AppendJSON(dst, s.ExposeIP, s.ExposeUserAgent), '}')
}

func appendQuoted(dst []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		return append(dst, `""`...) // a string always marshals
	}
	return append(dst, quoted...)
}

// indent is one level of a pretty payload; records stand one level deep.
const indent = "  "

func indented(dst, record []byte) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, record, indent, indent); err != nil {
		return append(dst, record...) // records are valid JSON
	}
	return append(dst, b.Bytes()...)
}
