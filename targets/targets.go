// Package targets says WHO is tested: how an implementation is reached, what
// it claims to be able to do, and how it is started and stopped. It holds
// plain data and small interfaces; nothing here judges, and nothing but the
// embedded sub-package may know the simulators.
package targets

import (
	"context"
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
)

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
type System struct {
	Emitter  Emitter
	Receiver Receiver
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
}

// Receiver says how the receiver simulator is reached.
type Receiver struct {
	// Inspect is the base of the inspection API, without "/inspect".
	Inspect, Token string
}
