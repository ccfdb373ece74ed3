// Package examine says what a receiver can see for itself in a delivery of
// audit events: how many there are, when they were recorded, and what is odd
// about them.
//
// What must not enter: answers. What is found is noted beside the delivery and
// never changes what happens to it; and it is no verdict, which is the
// suite's business.
package examine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/maphash"
	"slices"
	"time"

	"github.com/tidwall/gjson"
)

// The names of annotations.
const (
	NotJSON     = "not-json"
	EmptyArray  = "empty-array"
	TooMany     = "over-500-events"
	SeenBefore  = "seen-before"
	OutOfOrder  = "out-of-order"
	IPAddress   = "ip-address"
	UserAgent   = "user-agent"
	HeldTooLong = "held-over-2s"
)

// Names returns the names of all annotations.
func Names() []string {
	return []string{NotJSON, EmptyArray, TooMany, SeenBefore, OutOfOrder, IPAddress, UserAgent, HeldTooLong}
}

// What PingOne's documents say of a batch: at most 500 events, and none held
// longer than 2 seconds.
const (
	maxEvents = 500
	maxHold   = 2 * time.Second
)

// maxTypes is how many different action types are listed of one delivery.
const maxTypes = 50

// Annotation is one thing that was noticed.
type Annotation struct {
	Name   string `json:"name"`
	Detail string `json:"detail"` // for people
}

// Facts are what was seen in a delivery.
type Facts struct {
	Events int      // how many there are
	Types  []string // the action types, in order of appearance, at most 50
	// Hold is the time from the oldest recordedAt to the arrival, of the events
	// that came for the first time: what is sent again was held up to its first
	// attempt. Held says whether there was any such recordedAt.
	Hold time.Duration
	Held bool
	// Since is the time from the first attempt to the arrival, where all
	// events came before; Again says whether they did.
	Since time.Duration
	Again bool
	// Batch is the same for equal bodies: 64 bits of their SHA-256, in hex.
	Batch string
	// Attempt counts the deliveries of this body to this endpoint, from 1.
	Attempt     int
	Annotations []Annotation
}

// Has says whether the delivery has the annotation.
func (f *Facts) Has(name string) bool {
	return slices.ContainsFunc(f.Annotations, func(a Annotation) bool { return a.Name == name })
}

// Delivery is what is examined.
type Delivery struct {
	Endpoint  string // who received it: order and repetition are each endpoint's own
	Body      []byte
	ArrivedAt time.Time // when its first byte came
}

// Examiner remembers what it saw, within bounds. It is not for several
// goroutines at once.
type Examiner struct {
	seed   maphash.Seed
	events recent[int64]     // of an endpoint, by id: when each came first, in ns of Unix time
	bodies recent[attempts]  // by body
	newest recent[time.Time] // by endpoint
}

// How much is remembered: at most twice that many of each.
const (
	maxRecentEvents = 1 << 18
	maxRecentBodies = 1 << 16
)

// New returns an examiner that has seen nothing.
func New() *Examiner {
	return &Examiner{
		seed:   maphash.MakeSeed(),
		events: recent[int64]{limit: maxRecentEvents},
		bodies: recent[attempts]{limit: maxRecentBodies},
		newest: recent[time.Time]{limit: maxRecentBodies},
	}
}

// attempts are the deliveries of one body.
type attempts struct {
	n     int
	first int64 // when the first came, in ns of Unix time
}

// survey is what is gathered from the events of one delivery.
type survey struct {
	facts                  Facts
	arrived, first         int64     // now, and when the first of the repeated came, in ns of Unix time
	oldest, newest         time.Time // oldest of those that are not repeated
	before, repeated       int       // events out of order, events seen before
	firstBefore, firstSeen string
	addresses, agents      int
}

// Examine returns what is to be seen in the delivery. Deliveries are to be
// given in the order in which they arrived.
func (x *Examiner) Examine(d Delivery) *Facts {
	var s survey
	digest := sha256.Sum256(d.Body)
	s.facts.Batch = hex.EncodeToString(digest[:8])
	body := x.key(d.Endpoint, s.facts.Batch)
	s.arrived = d.ArrivedAt.UnixNano()
	s.first = s.arrived
	known, repeated := x.bodies.get(body)
	if repeated {
		s.first = known.first
	} else {
		known.first = s.arrived
	}
	known.n++
	s.facts.Attempt = known.n
	x.bodies.put(body, known)

	endpoint := x.key(d.Endpoint, "")
	s.newest, _ = x.newest.get(endpoint)
	form := forEachEvent(d.Body, func(event gjson.Result) { x.event(&s, d.Endpoint, event) })
	if !s.newest.IsZero() {
		x.newest.put(endpoint, s.newest)
	}
	s.facts.Again = s.facts.Events > 0 && (repeated || s.repeated == s.facts.Events)
	switch s.facts.Held = !s.oldest.IsZero() && !s.facts.Again; {
	case s.facts.Held:
		s.facts.Hold = d.ArrivedAt.Sub(s.oldest)
	case s.facts.Again:
		s.facts.Since = time.Duration(s.arrived - s.first)
	}
	s.annotate(form)
	return &s.facts
}

// event takes one event into the survey.
func (x *Examiner) event(s *survey, endpoint string, event gjson.Result) {
	s.facts.Events++
	e := read(event)
	if e.kind != "" && len(s.facts.Types) < maxTypes && !slices.Contains(s.facts.Types, e.kind) {
		s.facts.Types = append(s.facts.Types, e.kind)
	}
	if e.address {
		s.addresses++
	}
	if e.agent {
		s.agents++
	}
	again := false
	if e.id != "" {
		key := x.key(endpoint, e.id)
		var first int64
		if first, again = x.events.get(key); again {
			s.first = min(s.first, first)
			s.repeated++
			if s.firstSeen == "" {
				s.firstSeen = e.id
			}
		}
		if !again {
			first = s.arrived
		}
		x.events.put(key, first)
	}
	if e.recordedAt.IsZero() {
		return
	}
	if !again && (s.oldest.IsZero() || e.recordedAt.Before(s.oldest)) {
		s.oldest = e.recordedAt
	}
	switch {
	case again: // comes late because it is repeated, which is noted
	case e.recordedAt.Before(s.newest):
		s.before++
		if s.firstBefore == "" {
			s.firstBefore = e.id
		}
	default:
		s.newest = e.recordedAt
	}
}

// key is a hash of an endpoint and something of its own. A collision would
// make two strings one; at 64 bits and half a million remembered that is one
// chance in tens of millions.
func (x *Examiner) key(endpoint, what string) uint64 {
	var h maphash.Hash
	h.SetSeed(x.seed)
	_, _ = h.WriteString(endpoint)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(what)
	return h.Sum64()
}

func (s *survey) annotate(f form) {
	note := func(when bool, name, format string, args ...any) {
		if when {
			s.facts.Annotations = append(s.facts.Annotations, Annotation{name, fmt.Sprintf(format, args...)})
		}
	}
	n := s.facts.Events
	note(f == notJSON, NotJSON, "the body is neither JSON nor a sequence of JSON objects")
	note(f == emptyArray, EmptyArray, "the body is an array without an event")
	note(n > maxEvents, TooMany, "%d events, %d are the most that a batch holds", n, maxEvents)
	note(s.repeated > 0, SeenBefore, "%d of %d events, first %s", s.repeated, n, brief(s.firstSeen))
	note(s.before > 0, OutOfOrder, "%d of %d events were recorded before one that came earlier, first %s", s.before, n, brief(s.firstBefore))
	note(s.addresses > 0, IPAddress, "%d of %d events tell the IP address of their source", s.addresses, n)
	note(s.agents > 0, UserAgent, "%d of %d events tell the user agent of their source", s.agents, n)
	note(s.facts.Hold > maxHold, HeldTooLong, "%v from the oldest recordedAt to the first attempt", s.facts.Hold.Round(time.Millisecond))
}

// brief cuts what somebody else wrote.
func brief(text string) string {
	const most = 64
	if text == "" {
		return "without an id"
	}
	if len(text) > most {
		return fmt.Sprintf("%.64q…", text)
	}
	return text
}

// recent is a map that forgets: when it has grown to its limit, what was not
// put since the last time leaves.
type recent[T any] struct {
	limit         int
	young, former map[uint64]T
}

func (r *recent[T]) get(key uint64) (T, bool) {
	if v, ok := r.young[key]; ok {
		return v, true
	}
	v, ok := r.former[key]
	return v, ok
}

func (r *recent[T]) put(key uint64, value T) {
	if r.young == nil || len(r.young) >= r.limit {
		r.young, r.former = map[uint64]T{}, r.young
	}
	r.young[key] = value
}
