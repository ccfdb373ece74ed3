package directory

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// What a key or certificate is for (G1, T1).
const (
	UsageEncryption   = "ENCRYPTION"
	UsageSigning      = "SIGNING"
	UsageTLS          = "SSL/TLS"
	UsageIssuance     = "ISSUANCE"
	UsageOutboundMTLS = "OUTBOUND_MTLS"
)

// A Key is a private key, imported or generated, with its certificate chain.
type Key struct {
	Certified
	Default    bool
	PrivateKey []byte // PKCS #8, DER

	signer crypto.Signer
}

// complete fills what is derived from the stored bytes.
func (k *Key) complete() error {
	if err := k.Certified.complete(); err != nil {
		return err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(k.PrivateKey)
	if err != nil {
		return fmt.Errorf("parse private key: %w", err)
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return fmt.Errorf("a %T cannot sign", parsed)
	}
	k.signer = signer
	return nil
}

// Upload is the content of a multipart request that brings a key or a certificate.
type Upload struct {
	UsageType string
	File      []byte // nil: not sent
	Password  string
}

// ImportKey makes a key from a PKCS #12 file. Its errors are ErrNotFound, *Invalid, or a failure to store.
func (d *Directory) ImportKey(ctx context.Context, caller Caller, environmentID string, u Upload) (Key, error) {
	// A file decides how much work its password costs: others in the environment do not wait for it.
	problems := usageProblems(u, UsageEncryption, UsageSigning, UsageTLS, UsageIssuance, UsageOutboundMTLS)
	made, more := readKey(u, d.opts.Now())
	if problems = append(problems, more...); len(problems) > 0 {
		return Key{}, &Invalid{problems}
	}
	err := d.alter(ctx, environmentID, func(e *environment) (change, error) {
		made.ID, made.EnvironmentID, made.UsageType, made.CreatedAt = uuid.NewString(), environmentID, u.UsageType, d.opts.Now()
		return change{
			writes: []write{{key: storageKey(keyKey, environmentID, made.ID), value: made}},
			events: []event.Event{d.certifiedEvent(caller, "KEY", "keys", "Created", made.Certified)},
			apply:  func() { e.keys.put(made) },
		}, nil
	})
	return made, err
}

func readKey(u Upload, now time.Time) (Key, []body.Problem) {
	if u.File == nil {
		return Key{}, []body.Problem{missing("file")}
	}
	if costly(u.File) {
		return Key{}, []body.Problem{{Code: body.ConstraintViolation, Target: "file", Message: "The file asks for too many rounds of key derivation."}}
	}
	private, leaf, authorities, err := pkcs12.DecodeChain(u.File, u.Password)
	switch {
	case err != nil && strings.Contains(err.Error(), pkcs12.ErrIncorrectPassword.Error()):
		return Key{}, []body.Problem{{Code: body.InvalidValue, Target: "password", Message: "The password does not open the file."}}
	case err != nil:
		return Key{}, []body.Problem{{Code: body.InvalidValue, Target: "file", Message: "The file must be PKCS #12 with one key and its certificate."}}
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return Key{}, []body.Problem{{Code: body.InvalidValue, Target: "file", Message: "The kind of key is not supported."}}
	}
	key := Key{PrivateKey: encoded}
	for _, c := range append([]*x509.Certificate{leaf}, authorities...) {
		key.Chain = append(key.Chain, c.Raw)
	}
	if err := key.complete(); err != nil {
		return Key{}, []body.Problem{{Code: body.InvalidValue, Target: "file", Message: "The kind of key is not supported."}}
	}
	if public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(key.signer.Public()) {
		return Key{}, []body.Problem{{Code: body.ConstraintViolation, Target: "file", Message: "The certificate is not that of the key."}}
	}
	return key, certificateProblems(leaf, now)
}

// GetKey returns one key.
func (d *Directory) GetKey(environmentID, id string) (Key, error) {
	e, ok := d.environment(environmentID)
	if !ok {
		return Key{}, ErrNotFound
	}
	key, ok := e.keys.get(id)
	if !ok {
		return Key{}, ErrNotFound
	}
	return key, nil
}

// ListKeys returns an environment's keys, oldest first.
func (d *Directory) ListKeys(environmentID string) ([]Key, error) {
	e, ok := d.environment(environmentID)
	if !ok {
		return nil, ErrNotFound
	}
	return e.keys.list(), nil
}

// UpdateKey changes what a key is for and whether it is the default. A key that a subscription presents keeps its
// usage: *Conflict.
func (d *Directory) UpdateKey(ctx context.Context, caller Caller, environmentID, id string, o body.Object) (Key, error) {
	var next Key
	err := d.alter(ctx, environmentID, func(e *environment) (change, error) {
		old, ok := e.keys.get(id)
		if !ok {
			return change{}, ErrNotFound
		}
		next = old
		o.Required("default")
		next.Default = o.Bool("default")
		next.UsageType = requiredText(o, "usageType")
		oneOf(o, "usageType", next.UsageType, UsageEncryption, UsageSigning, UsageTLS, UsageIssuance, UsageOutboundMTLS)
		if found := o.Problems(); len(found) > 0 {
			return change{}, &Invalid{found}
		}
		users := e.presenting(id)
		if len(users) > 0 && next.UsageType != old.UsageType {
			return change{}, inUse("usageType")
		}
		c := storingKeys(e, append(e.formerDefaults(next), next)...)
		c.events = []event.Event{d.certifiedEvent(caller, "KEY", "keys", "Updated", next.Certified)}
		c.subscriptions = users
		return c, nil
	})
	return next, err
}

// DeleteKey removes a key that no subscription presents and no application names; else *Conflict.
func (d *Directory) DeleteKey(ctx context.Context, caller Caller, environmentID, id string) error {
	return d.alter(ctx, environmentID, func(e *environment) (change, error) {
		old, ok := e.keys.get(id)
		if !ok {
			return change{}, ErrNotFound
		}
		if len(e.presenting(id)) > 0 || len(e.applicationsUsing(id)) > 0 {
			return change{}, inUse("id")
		}
		return change{
			writes: []write{{key: storageKey(keyKey, environmentID, id), old: old}},
			events: []event.Event{d.certifiedEvent(caller, "KEY", "keys", "Deleted", old.Certified)},
			apply:  func() { e.keys.remove(id) },
		}, nil
	})
}

// presenting returns the subscriptions that present a key.
func (e *environment) presenting(key string) []string {
	return e.subscribed(func(s subscription.Subscription) bool { return s.KeyID == key })
}

// inUse has the words that the vendor's Terraform provider waits for (T1).
func inUse(target string) error {
	return &Conflict{Target: target, Message: "The Key must not be in use"}
}

func missing(name string) body.Problem {
	return body.Problem{Code: body.RequiredValue, Target: name, Message: "The value is required."}
}

func usageProblems(u Upload, allowed ...string) []body.Problem {
	switch {
	case u.UsageType == "":
		return []body.Problem{missing("usageType")}
	case !slices.Contains(allowed, u.UsageType):
		return []body.Problem{{
			Code: body.InvalidValue, Target: "usageType", Message: "The value is not one of the allowed values.",
			Inner: &body.Inner{AllowedValues: allowed},
		}}
	}
	return nil
}
