package pipeline

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// What a log line says besides the event. RFC_LOGLINE is read as RFC 5424; the
// documents say only that additional attributes belong to it (T1), so that all
// of this is the reference's choice.
const (
	// logPriority is facility 13 (log audit) and severity 6 (informational).
	logPriority = 13*8 + 6
	logHost     = "pingidentity.com"
	logApp      = "pingone"
	// logElement carries the additional attributes. 32473 is the enterprise
	// number that RFC 5612 reserves for documentation: it belongs to nobody.
	logElement = "pingone@32473"
	logTime    = "2006-01-02T15:04:05.000Z"
	// logName is the most characters of a MSGID or a PARAM-NAME (RFC 5424).
	logName = 32
)

// appendFrame appends the record as one frame of a TCP_IP stream: a JSON
// document and a line feed, the default, or a log line behind its length
// (octet counting, RFC 5425 and RFC 6587).
func appendFrame(dst []byte, s subscription.Subscription, r event.Record) []byte {
	if s.TCPFormat != subscription.RFCLogline {
		return r.AppendJSON(dst, s.ExposeIP, s.ExposeUserAgent)
	}
	line := appendLogline(make([]byte, 0, r.Size()+512), s, r)
	dst = strconv.AppendInt(dst, int64(len(line)), 10)
	dst = append(dst, ' ')
	return append(dst, line...)
}

// appendLogline appends the record as a message of RFC 5424. The message text
// is the event, without byte order mark, which no JSON may begin with.
func appendLogline(dst []byte, s subscription.Subscription, r event.Record) []byte {
	dst = append(dst, '<')
	dst = strconv.AppendInt(dst, logPriority, 10)
	dst = append(dst, ">1 "...)
	dst = r.RecordedAt.UTC().AppendFormat(dst, logTime)
	dst = append(dst, " "+logHost+" "+logApp+" - "...)
	dst = appendName(dst, r.Type, "-")
	dst = append(dst, ' ')
	dst = appendAttributes(dst, s.TCPAttributes)
	dst = append(dst, ' ')
	return r.AppendJSON(dst, s.ExposeIP, s.ExposeUserAgent)
}

// appendAttributes appends structured data in the order of the names; "-" says
// that there is none.
func appendAttributes(dst []byte, attributes map[string]string) []byte {
	if len(attributes) == 0 {
		return append(dst, '-')
	}
	dst = append(append(dst, '['), logElement...)
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		dst = append(dst, ' ')
		dst = appendName(dst, name, "_")
		dst = append(dst, '=', '"')
		dst = appendValue(dst, attributes[name])
		dst = append(dst, '"')
	}
	return append(dst, ']')
}

// appendValue appends a PARAM-VALUE: UTF-8, with a backslash before the three
// characters that need one (RFC 5424, section 6.3.3).
func appendValue(dst []byte, value string) []byte {
	for _, c := range value {
		if c == '"' || c == '\\' || c == ']' {
			dst = append(dst, '\\')
		}
		dst = utf8.AppendRune(dst, c)
	}
	return dst
}

// appendName appends at most 32 of the printable ASCII characters of a name;
// those that a name of RFC 5424 cannot have become underscores.
func appendName(dst []byte, name, none string) []byte {
	if name == "" {
		return append(dst, none...)
	}
	n := 0
	for _, c := range name {
		if n++; n > logName {
			break
		}
		if c <= ' ' || c >= 0x7f || strings.ContainsRune(`="]`, c) {
			c = '_'
		}
		dst = append(dst, byte(c))
	}
	return dst
}
