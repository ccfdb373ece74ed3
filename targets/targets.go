// Package targets says WHO is tested: how an implementation is reached, what
// it claims to be able to do, and how it is started and stopped. It holds
// plain data and small interfaces; nothing here judges, and nothing but the
// embedded sub-package may know the simulators.
package targets

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
)

// A Role is the end of the wire that is under test.
type Role string

// The two ends of the wire, and a target that is both.
const (
	RoleEmitter  Role = "emitter"
	RoleReceiver Role = "receiver"
	RoleBoth     Role = "both"
)

// A Capability is one of those that the catalogue names: something a target claims, and that decides which scenarios
// apply to it. A claimed capability that is not served is a failure; one that
// is not claimed makes the scenarios that need it not applicable.
type Capability string

// The capabilities that scenarios and rules may need.
const (
	// Environments: the target creates and deletes environments on request,
	// so that every scenario can have its own.
	Environments Capability = "environments"
	// PostEvents: audit events can be posted to the target, which then
	// treats them as having happened (the control API's event injection).
	PostEvents Capability = "post-events"
	// Certificates: certificates and keys can be uploaded.
	Certificates Capability = "certificates"
	// Activities: the audit activities API is served.
	Activities Capability = "activities"
	// ClockControl: the target's clock can be advanced, so that retention of
	// 7 and 14 days can be observed.
	ClockControl Capability = "clock-control"
	// ConnectionTest: the connection test of a subscription is served.
	ConnectionTest Capability = "connection-test"
	// TCPIP: subscriptions of protocol TCP_IP are accepted.
	TCPIP Capability = "tcp-ip"
	// TCPDelivery: events are delivered over plain TCP, and each record
	// carries the id of its event or of the resource that it is about.
	TCPDelivery Capability = "tcp-delivery"

	// NDJSON: the receiver accepts deliveries in lines.
	NDJSON Capability = "ndjson"
	// Authentication: the receiver refuses deliveries without the agreed
	// credentials.
	Authentication Capability = "authentication"
	// MutualTLS: the receiver refuses deliveries without a client certificate
	// of the agreed authority.
	MutualTLS Capability = "mutual-tls"
	// CanReadBack: what the receiver has accepted can be read back.
	CanReadBack Capability = "read-back"
)

// OfReference are the capabilities of the reference emitter, which is what
// delivers to a receiver under test.
func OfReference() []Capability {
	return []Capability{Environments, PostEvents, Certificates, Activities, ClockControl, ConnectionTest, TCPIP, TCPDelivery}
}

// Info describes a target for reports. It is known before the target starts.
type Info struct {
	Role    Role
	Kind    string // "embedded", "url" or "image"
	Name    string
	Version string
	URL     string
	// Claims are the capabilities the target says it has.
	Claims []Capability
}

// Has tells whether the target claims c.
func (i Info) Has(c Capability) bool { return slices.Contains(i.Claims, c) }

// A Target can be started for one run. Start brings up whatever is needed of
// both ends and tells where they are; the System's Close takes it all down.
// An error of Start means that nothing is left running.
type Target interface {
	Info() Info
	Start(ctx context.Context) (*System, error)
}

// System is where the two ends of the wire are found, as a scenario's driver
// needs to know it.
//
// Where an emitter is tested, Emitter is it, and Receiver the simulator that
// takes its deliveries. Where a receiver is tested, Hook is it, with the
// emitter that delivers to it. Where both are, all are there.
type System struct {
	Emitter  Emitter
	Receiver Receiver
	Hook     Hook
	// Close stops what Start has started; nil when there is nothing to stop.
	Close func() error
}

// Emitter says how an emitter is reached.
type Emitter struct {
	// API is the base of the management API without the "/v1", such as
	// "http://localhost:8080"; Auth the base of the token endpoints, which
	// may be the same.
	API, Auth string
	// Environment, ClientID and ClientSecret are those of the worker
	// application that acts for the suite. With a Token no token is fetched.
	Environment, ClientID, ClientSecret string
	Token                               string
	// Control and ControlToken reach the control API; empty where the
	// target has none.
	Control, ControlToken string
	// CA is the PEM of the authorities to trust for API and Auth, beyond
	// the system's.
	CA []byte
	// Rate is how many calls a second the suite may make to the emitter, its
	// token endpoints included; 0: as many as it needs. It makes a call again
	// that is answered 429, whatever the rate.
	Rate float64
	// Trigger is an address of the implementer's own to which the suite posts
	// the events that it wants to happen, with TriggerToken, if not empty, as
	// bearer token; empty: there is none. docs/triggers.md describes it.
	Trigger, TriggerToken string
}

// Receiver says how the receiver simulator is reached.
type Receiver struct {
	// Inspect is the base of the inspection API, without "/inspect".
	Inspect, Token string
}

// Hook says how a receiver under test is reached, and what a delivery to it
// must have.
type Hook struct {
	// URL is where deliveries go, an https URL as a subscription has it.
	// Whoever knows it may deliver: only its scheme and host are reported.
	URL string
	// CA is the PEM of the authorities that its certificate may lead to,
	// beyond the system's.
	CA []byte
	// Headers are sent with every delivery: the credentials.
	Headers map[string]string
	// ClientCertificate and ClientKey are the PEM of what a delivery shows
	// of itself: the certificate with its intermediates, and its key. Both are
	// empty where no client certificate is agreed.
	ClientCertificate, ClientKey []byte
	// ReadBack reads what the receiver has stored; nil where that is not
	// offered.
	ReadBack ReadBack
	// Sender is the reference emitter that delivers to it. It trusts CA.
	Sender Emitter
}

// Address is the hook's scheme and host.
func (h Hook) Address() string {
	u, err := url.Parse(h.URL)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// ReadBack reads events back that a receiver has stored.
type ReadBack interface {
	// Events returns the stored events that have one of the ids, each as
	// JSON, in the order in which they were stored. What is not stored yet
	// may be asked for again.
	Events(ctx context.Context, ids []string) ([]json.RawMessage, error)
}

// Public says where the receiver simulator, started beside the suite, is
// reached by an emitter. The zero value is this machine's loopback interface.
type Public struct {
	// ListenHost is the address that its webhook listeners bind to, such as
	// "0.0.0.0"; empty: 127.0.0.1.
	ListenHost string
	// Host is the name or address by which the emitter reaches them, in the
	// URLs it is given and in the certificates it is shown; empty: ListenHost.
	Host string
}
