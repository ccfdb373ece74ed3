// Package subscription holds what a webhook subscription is: its properties, how a request body becomes one and what
// is wrong with it, and how one is shown. It is pure: no storage, no HTTP, no clock, and nothing about other resources
// (whether a key exists and may be used is the directory's to say).
package subscription

import "time"

// Values of the enumerations, as on the wire (G1).
const (
	HTTPS = "HTTPS"
	TCPIP = "TCP_IP"

	Activity = "ACTIVITY"
	Splunk   = "SPLUNK"
	NewRelic = "NEWRELIC"

	EventsPerPayload = "EVENTS_PER_PAYLOAD"
	KBPerPayload     = "KB_PER_PAYLOAD"

	JSONArray = "JSON_ARRAY"
	NDJSON    = "ND_JSON"

	JSONDoc    = "JSON_DOC"
	RFCLogline = "RFC_LOGLINE"

	AdminIdentityEvent = "adminIdentityEvent"
)

// A Subscription is immutable once it is in the directory: it is shared by readers, so its slices and maps must not be
// changed. A nil slice or map was not sent, an empty one was sent empty.
type Subscription struct {
	ID            string
	EnvironmentID string
	Name          string
	Enabled       bool // false: suspended, events accumulate
	Protocol      string
	URL           string            // httpEndpoint.url, or connectionDetails.url for TCP_IP
	Headers       map[string]string // names as configured, values in clear
	Format        string            // "" if not sent

	ActionTypes     []string // exact event types, never empty
	ApplicationIDs  []string // empty: all
	PopulationIDs   []string // empty: all; of the users acted on
	Tags            []string // empty: all
	ExposeIP        bool
	ExposeUserAgent bool

	VerifyTLS bool
	KeyID     string // "" without client authentication

	LimitType     string // EventsPerPayload, KBPerPayload, or "" (500 events)
	LimitSize     int    // events or units of 1024 bytes; the range's maximum where only the type was sent
	PayloadFormat string // JSONArray, NDJSON, or "" (an array)
	PrettyPrint   bool

	TCPFormat     string // JSONDoc, RFCLogline, or ""
	TCPAttributes map[string]string

	CreatedAt time.Time
	UpdatedAt time.Time // zero until the first update

	// StartAfter is the last position of the environment's audit log when the subscription was created: events up to
	// it happened before the subscription existed and are never delivered.
	StartAfter uint64
	// ConfiguredAfter is the last position of the audit log when the subscription was last changed: events up to it meet
	// the configuration before.
	ConfiguredAfter uint64

	// Sent remembers which optional containers and booleans stood in the request: what was not sent is not shown (T1).
	Sent Sent
}

// Sent says which optional members of a request the other fields of a Subscription cannot show.
type Sent struct {
	KeyPair        bool
	PayloadOptions bool
	Limit          bool
	LimitSize      bool
	PayloadFormat  bool
	HTTPS          bool
	PrettyPrint    bool
	TCP            bool
}
