package event

import (
	"slices"
	"time"
)

// Record is what the audit log keeps of an event: the event's JSON without its
// `source` member, the parts of `source` apart, and the values that filters
// look at. A Record is immutable; its strings may share memory with the chunk
// it was read from.
type Record struct {
	ID         string
	Type       string    // action.type
	RecordedAt time.Time // as the event says, which for posted events may be any time

	// Populations of the users acted on: the population of each USER resource,
	// and the id of each POPULATION resource (G1). Never the acting user's.
	Populations []string
	// Applications that take part: actors.client.id and the id of each
	// APPLICATION resource. What the filter compares is not documented.
	Applications []string
	Tags         []string

	Body      string // one JSON object, never with a member `source`
	IPAddress string // JSON string including quotes, or empty
	UserAgent string // JSON string including quotes, or empty
}

// JSON returns the event as a subscription sees it that exposes the IP address,
// the user agent, both or neither. Without anything to expose the event has no
// `source` at all.
func (r Record) JSON(ip, userAgent bool) []byte {
	return r.AppendJSON(make([]byte, 0, r.Size()), ip, userAgent)
}

// AppendJSON appends what JSON returns to dst.
func (r Record) AppendJSON(dst []byte, ip, userAgent bool) []byte {
	ip = ip && r.IPAddress != ""
	userAgent = userAgent && r.UserAgent != ""
	if !ip && !userAgent {
		return append(dst, r.Body...)
	}
	dst = append(dst, r.Body[:len(r.Body)-1]...)
	dst = append(dst, `,"source":{`...)
	if ip {
		dst = append(dst, `"ipAddress":`...)
		dst = append(dst, r.IPAddress...)
	}
	if ip && userAgent {
		dst = append(dst, ',')
	}
	if userAgent {
		dst = append(dst, `"userAgent":`...)
		dst = append(dst, r.UserAgent...)
	}
	return append(dst, "}}"...)
}

// sourceSize is the length of the spliced member's own bytes.
const sourceSize = len(`,"source":{"ipAddress":,"userAgent":}`)

// Size is the length in bytes of the event with everything exposed.
func (r Record) Size() int {
	return len(r.Body) + len(r.IPAddress) + len(r.UserAgent) + sourceSize
}

func appendPopulation(ids []string, resourceType, id, population string) []string {
	switch resourceType {
	case "POPULATION":
		return appendNew(ids, id)
	case "USER":
		return appendNew(ids, population)
	}
	return ids
}

func appendNew(ids []string, id string) []string {
	if id == "" || slices.Contains(ids, id) {
		return ids
	}
	return append(ids, id)
}
