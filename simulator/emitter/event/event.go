// Package event knows what an audit event is: it encodes one made by the
// emitter, reads one posted from outside, and keeps both as a Record, the form
// the audit log stores.
//
// An event is encoded exactly once. Everything after that splices bytes; no
// subscription, filter, transport or HTTP notion enters here.
package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// TimeFormat is how the emitter writes times: RFC 3339 in UTC with three
// fraction digits, as in the published samples (E1, V10).
const TimeFormat = "2006-01-02T15:04:05.000Z07:00"

// Event is an audit event made by the emitter itself, in the ACTIVITY shape of
// the webhook samples (E1, V10): no `_links`, no `createdAt`, an `_embedded`
// that is usually empty. The zero value of every optional field leaves its
// member out.
type Event struct {
	ID            string // a UUID is made when empty
	CorrelationID string
	RecordedAt    time.Time // now when zero
	Type          string    // action.type, e.g. USER.CREATED
	Description   string    // action.description, e.g. "User Created"
	Client        *Actor
	User          *Actor
	Resources     []Resource
	Result        Result
	Tags          []string
	Source        Source
	Embedded      json.RawMessage // members of `_embedded`; {} when nil

	// SubscriptionName is carried by the event of a connection test only (R1).
	SubscriptionName string
}

// Actor is who caused an event. The ID of a client need not be a UUID.
type Actor struct {
	ID            string
	Name          string
	Type          string // CLIENT or USER; set from the role when empty
	EnvironmentID string
	PopulationID  string // of a user
	Href          string
}

// Resource is what an event happened to.
type Resource struct {
	Type          string // USER, POPULATION, APPLICATION, …
	ID            string
	Name          string
	EnvironmentID string
	PopulationID  string // of a user
	Href          string
}

// Result is how the action ended.
type Result struct {
	Status      string // SUCCESS when empty
	Description string
}

// Source is where the action came from. It reaches a receiver only as far as
// the subscription exposes it (S1).
type Source struct {
	IPAddress string
	UserAgent string // verbatim, any bytes
}

type wireID struct {
	ID string `json:"id"`
}

type wireActor struct {
	ID          string  `json:"id"`
	Name        string  `json:"name,omitempty"`
	Environment *wireID `json:"environment,omitempty"`
	Population  *wireID `json:"population,omitempty"`
	Href        string  `json:"href,omitempty"`
	Type        string  `json:"type"`
}

type wireActors struct {
	Client *wireActor `json:"client,omitempty"`
	User   *wireActor `json:"user,omitempty"`
}

type wireResource struct {
	Type        string  `json:"type"`
	ID          string  `json:"id"`
	Name        string  `json:"name,omitempty"`
	Environment *wireID `json:"environment,omitempty"`
	Population  *wireID `json:"population,omitempty"`
	Href        string  `json:"href,omitempty"`
}

type wireEvent struct {
	ID            string      `json:"id"`
	RecordedAt    string      `json:"recordedAt"`
	CorrelationID string      `json:"correlationId,omitempty"`
	Actors        *wireActors `json:"actors,omitempty"`
	Action        struct {
		Type        string `json:"type"`
		Description string `json:"description,omitempty"`
	} `json:"action"`
	Resources []wireResource `json:"resources"`
	Result    struct {
		Status      string `json:"status"`
		Description string `json:"description,omitempty"`
	} `json:"result"`
	Tags     []string        `json:"tags,omitempty"`
	Embedded json.RawMessage `json:"_embedded"`

	SubscriptionName string `json:"subscriptionName,omitempty"`
}

// Record encodes the event. It is the only place where an event of the
// emitter's own becomes JSON. It panics when Embedded is not valid JSON, which
// only a caller inside the emitter can cause.
func (e Event) Record() Record {
	if e.ID == "" {
		e.ID = uuid.NewString()
	}
	if e.RecordedAt.IsZero() {
		e.RecordedAt = time.Now()
	}
	return Record{
		ID:           e.ID,
		Type:         e.Type,
		RecordedAt:   e.RecordedAt.UTC().Truncate(time.Millisecond),
		Populations:  e.populations(),
		Applications: e.applications(),
		Tags:         e.Tags,
		Body:         string(encode(e.wire())),
		IPAddress:    quote(e.Source.IPAddress),
		UserAgent:    quote(e.Source.UserAgent),
	}
}

func (e Event) wire() wireEvent {
	w := wireEvent{
		ID:            e.ID,
		RecordedAt:    e.RecordedAt.UTC().Format(TimeFormat),
		CorrelationID: e.CorrelationID,
		Tags:          e.Tags,
		Embedded:      e.Embedded,
		Resources:     make([]wireResource, 0, len(e.Resources)),

		SubscriptionName: e.SubscriptionName,
	}
	if w.Embedded == nil {
		w.Embedded = json.RawMessage("{}")
	}
	if e.Client != nil || e.User != nil {
		w.Actors = &wireActors{Client: e.Client.wire("CLIENT"), User: e.User.wire("USER")}
	}
	w.Action.Type, w.Action.Description = e.Type, e.Description
	w.Result.Status, w.Result.Description = e.Result.Status, e.Result.Description
	if w.Result.Status == "" {
		w.Result.Status = "SUCCESS"
	}
	for _, r := range e.Resources {
		w.Resources = append(w.Resources, wireResource{
			Type: r.Type, ID: r.ID, Name: r.Name, Href: r.Href,
			Environment: reference(r.EnvironmentID), Population: reference(r.PopulationID),
		})
	}
	return w
}

func (a *Actor) wire(role string) *wireActor {
	if a == nil {
		return nil
	}
	if a.Type != "" {
		role = a.Type
	}
	return &wireActor{
		ID: a.ID, Name: a.Name, Type: role, Href: a.Href,
		Environment: reference(a.EnvironmentID), Population: reference(a.PopulationID),
	}
}

func (e Event) populations() []string {
	var ids []string
	for _, r := range e.Resources {
		ids = appendPopulation(ids, r.Type, r.ID, r.PopulationID)
	}
	return ids
}

func (e Event) applications() []string {
	var ids []string
	if e.Client != nil {
		ids = appendNew(ids, e.Client.ID)
	}
	for _, r := range e.Resources {
		if r.Type == "APPLICATION" {
			ids = appendNew(ids, r.ID)
		}
	}
	return ids
}

func reference(id string) *wireID {
	if id == "" {
		return nil
	}
	return &wireID{ID: id}
}

// quote returns the JSON string of s, or nothing for an empty s.
func quote(s string) string {
	if s == "" {
		return ""
	}
	return string(encode(s))
}

// encode writes v without escaping <, > and &, which HTML needs and JSON does not.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("encode event: %v", err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
