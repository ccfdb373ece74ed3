// Package limits holds every number the documentation states about webhooks,
// once, with its source. Sources: S1 is the administration guide's page
// "Creating or editing a webhook", S2 the API page "Create Subscriptions", V1
// the API page "Subscriptions (webhooks)", G1 the Go SDK's model comments.
//
// Only documented numbers enter. Choices of the reference emitter (linger,
// backoff, timeouts) stand beside the code that makes them.
package limits

import "time"

const (
	// SubscriptionsPerEnvironment is the most subscriptions one environment
	// has; the attempt to create one more is answered with 403. S2.
	SubscriptionsPerEnvironment = 50

	// IDsPerFilter is the most applications, and the most populations, that
	// one subscription filters by. S1, V1.
	IDsPerFilter = 10

	// EventsPerPayload is the most events a payload carries: the largest size
	// accepted for EVENTS_PER_PAYLOAD, and what holds when no limit is
	// configured. S1.
	EventsPerPayload = 500

	// KBPerPayload is the largest size accepted for KB_PER_PAYLOAD. S1.
	KBPerPayload = 4096

	// SizePerPayload is the smallest size accepted for either kind of limit. S1.
	SizePerPayload = 1

	// BytesPerKB turns a KB_PER_PAYLOAD size into bytes of HTTP body. S1 does
	// not say whether a KB has 1000 or 1024 bytes; the larger is read here.
	BytesPerKB = 1024

	// DefaultPort is where deliveries go when the URL names no port. S1.
	DefaultPort = 443
)

const (
	// Hold is the longest an event is held back to fill a payload. S1.
	Hold = 2 * time.Second

	// FailingRetention is how long events wait for a receiver that does not
	// answer 200; older ones are lost. V1.
	FailingRetention = 7 * 24 * time.Hour

	// SuspendedRetention is how far back, seen from the moment a suspended
	// subscription is enabled again, accumulated events are delivered. G1.
	SuspendedRetention = 14 * 24 * time.Hour
)
