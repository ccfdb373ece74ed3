// Package remote brings an emitter that somebody else runs, at a URL, as a
// target; the receiver simulator is started beside the suite.
package remote

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/internal/secrets"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/embedded"
)

// Options say how the emitter is reached and what it claims.
type Options struct {
	// Emitter's API is required, and either a Token or the client's id and
	// secret; Auth is the API where it is empty.
	targets.Emitter
	// Claims are the emitter's capabilities.
	Claims []targets.Capability
	// Receiver says how the emitter reaches the receiver simulator; the zero
	// value is right for one on the same machine.
	Receiver targets.Public
	// Name and Version are for reports; without a name it is the URL.
	Name, Version string
}

// Target is an emitter at a URL.
type Target struct{ options Options }

// New checks the options and makes the target; nothing is reached yet.
func New(o Options) (*Target, error) {
	u, err := url.Parse(o.API)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
		return nil, fmt.Errorf("the target's address is no http or https URL without credentials, such as https://emitter.example")
	}
	if o.Environment == "" {
		return nil, fmt.Errorf("target %s: the id of the environment that the suite may use is missing", u.Host)
	}
	if o.Token == "" && (o.ClientID == "" || o.ClientSecret == "") {
		return nil, fmt.Errorf("target %s: neither a token nor a client id with its secret is given", u.Host)
	}
	if slices.Contains(o.Claims, targets.ClockControl) && o.Control == "" {
		return nil, fmt.Errorf("target %s: capability %s needs the control API, and its address is missing", u.Host, targets.ClockControl)
	}
	if slices.Contains(o.Claims, targets.PostEvents) && o.Control == "" && o.Trigger == "" {
		return nil, fmt.Errorf("target %s: capability %s needs the control API or an address of your own, and neither is given", u.Host, targets.PostEvents)
	}
	for _, c := range []struct{ what, secret string }{
		{"client secret", o.ClientSecret}, {"token", o.Token}, {"token of the control API", o.ControlToken}, {"token of the event hook", o.TriggerToken},
	} {
		if err := secrets.Check("the "+c.what, c.secret); err != nil {
			return nil, fmt.Errorf("target %s: %w", u.Host, err)
		}
	}
	if err := authorities(o.CA); err != nil {
		return nil, fmt.Errorf("target %s: %w", u.Host, err)
	}
	if o.Auth == "" {
		o.Auth = o.API
	}
	if o.Name == "" {
		o.Name = o.API
	}
	return &Target{o}, nil
}

// authorities refuses what is given to be trusted and holds no certificates;
// nothing but nil stands for the system's alone.
func authorities(ca []byte) error {
	if ca == nil {
		return nil
	}
	if _, err := pki.ReadCertificates(ca); err != nil {
		return fmt.Errorf("the authorities to trust: %w: CA takes certificates in PEM", err)
	}
	return nil
}

// Info says what is known of the emitter.
func (t *Target) Info() targets.Info {
	return targets.Info{Role: targets.RoleEmitter, Kind: "url", Name: t.options.Name, Version: t.options.Version, URL: t.options.API, Claims: t.options.Claims}
}

// Emitter says how the emitter is reached.
func (t *Target) Emitter() targets.Emitter { return t.options.Emitter }

// Start starts the receiver simulator; whether the emitter can be reached is
// found out by whoever runs scenarios.
func (t *Target) Start(ctx context.Context) (*targets.System, error) {
	system, err := embedded.Opposite(ctx, t.options.Receiver)
	if err != nil {
		return nil, err
	}
	system.Emitter = t.options.Emitter
	return system, nil
}
