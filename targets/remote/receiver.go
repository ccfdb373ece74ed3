package remote

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/internal/secrets"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/embedded"
)

// ReceiverOptions say how a receiver is reached and what it claims.
type ReceiverOptions struct {
	// Hook's URL is required; its Sender is started beside the suite.
	targets.Hook
	// Claims are the receiver's capabilities. Reading back is claimed by
	// saying how.
	Claims []targets.Capability
	// Name and Version are for reports; without a name it is the scheme and
	// the host of the URL.
	Name, Version string
}

// Receiver is a receiver at a URL.
type Receiver struct{ options ReceiverOptions }

// NewReceiver checks the options and makes the target; nothing is reached yet.
// No error repeats the URL, which may be a secret.
func NewReceiver(o ReceiverOptions) (*Receiver, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Host == "":
		return nil, errors.New("--target: the receiver's address is no URL, such as https://receiver.example/hook")
	case u.Scheme != "https":
		return nil, fmt.Errorf("--target: the receiver's address begins with %s, and deliveries go over HTTPS only: serve it there, and give its https URL", o.Address())
	case u.User != nil:
		return nil, fmt.Errorf("--target: the receiver's address at %s holds credentials, which go in a header: --hook-header or HOOKPROOF_HOOK_HEADER (in Go, Headers)", o.Address())
	}
	claims := slices.Clone(o.Claims)
	if o.ReadBack != nil && !slices.Contains(claims, targets.CanReadBack) {
		claims = append(claims, targets.CanReadBack)
	}
	has := func(c targets.Capability) bool { return slices.Contains(claims, c) }
	switch {
	case has(targets.CanReadBack) && o.ReadBack == nil:
		return nil, fmt.Errorf("target %s claims %s, and it is not said how: --read-back or --read-back-command (in Go, ReadBack)", u.Host, targets.CanReadBack)
	case has(targets.Authentication) && len(o.Headers) == 0:
		return nil, fmt.Errorf("target %s claims %s, and no header with credentials is given: --hook-header or HOOKPROOF_HOOK_HEADER (in Go, Headers)", u.Host, targets.Authentication)
	case has(targets.MutualTLS) && len(o.ClientCertificate) == 0:
		return nil, fmt.Errorf("target %s claims %s, and no client certificate is given: --client-certificate and --client-key (in Go, ClientCertificate and ClientKey)", u.Host, targets.MutualTLS)
	}
	carriers := []map[string]string{o.Headers}
	if over, ok := o.ReadBack.(HTTPReadBack); ok {
		carriers = append(carriers, over.Headers)
	}
	for _, headers := range carriers {
		for name, value := range headers {
			if err := secrets.Check("the header "+name, secrets.OfHeader(name, value)); err != nil {
				return nil, fmt.Errorf("target %s: %w", u.Host, err)
			}
		}
	}
	if len(o.ClientCertificate)+len(o.ClientKey) > 0 {
		if _, err := pki.ReadIdentity(o.ClientCertificate, o.ClientKey); err != nil {
			return nil, fmt.Errorf("target %s: the client certificate: %w", u.Host, err)
		}
	}
	if err := authorities(o.CA); err != nil {
		return nil, fmt.Errorf("target %s: %w", u.Host, err)
	}
	o.Claims = claims
	if o.Name == "" {
		o.Name = o.Address()
	}
	return &Receiver{o}, nil
}

// Info says what is known of the receiver.
func (r *Receiver) Info() targets.Info {
	o := r.options
	return targets.Info{Role: targets.RoleReceiver, Kind: "url", Name: o.Name, Version: o.Version, URL: o.Address(), Claims: o.Claims}
}

// Start starts the reference emitter; whether the receiver can be reached is
// found out by whoever runs scenarios.
func (r *Receiver) Start(ctx context.Context) (*targets.System, error) {
	sender, closeSender, err := embedded.Sender(ctx, r.options.CA)
	if err != nil {
		return nil, err
	}
	hook := r.options.Hook
	hook.Sender = sender
	return &targets.System{Hook: hook, Close: closeSender}, nil
}
