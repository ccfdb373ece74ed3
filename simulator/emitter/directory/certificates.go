package directory

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/event"
)

// Certified is what a key and a certificate have in common.
type Certified struct {
	ID            string
	EnvironmentID string
	UsageType     string
	Chain         [][]byte // DER, leaf first
	CreatedAt     time.Time

	chain []*x509.Certificate
}

// A Certificate is an uploaded certificate, trusted for what its usage says.
type Certificate struct{ Certified }

func (c Certified) identity() (string, time.Time) { return c.ID, c.CreatedAt }

// Leaf is the certificate itself.
func (c Certified) Leaf() *x509.Certificate { return c.chain[0] }

// Name is the subject's common name, or the whole subject.
func (c Certified) Name() string {
	if name := c.Leaf().Subject.CommonName; name != "" {
		return name
	}
	return c.Leaf().Subject.String()
}

func (c *Certified) complete() error {
	if len(c.Chain) == 0 {
		return errors.New("no certificate")
	}
	c.chain = nil
	for _, der := range c.Chain {
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("parse certificate: %w", err)
		}
		c.chain = append(c.chain, parsed)
	}
	return nil
}

func (c *Certificate) complete() error { return c.Certified.complete() }

// UploadCertificate keeps a PEM certificate. Its errors are ErrNotFound, *Invalid, or a failure to store.
func (d *Directory) UploadCertificate(ctx context.Context, caller Caller, environmentID string, u Upload) (Certificate, error) {
	problems := usageProblems(u, UsageEncryption, UsageSigning, UsageTLS, UsageIssuance)
	made, more := readCertificate(u, d.opts.Now())
	if problems = append(problems, more...); len(problems) > 0 {
		return Certificate{}, &Invalid{problems}
	}
	err := d.alter(ctx, environmentID, func(e *environment) (change, error) {
		made.ID, made.EnvironmentID, made.UsageType, made.CreatedAt = uuid.NewString(), environmentID, u.UsageType, d.opts.Now()
		return change{
			writes:        []write{{key: storageKey(certificateKey, environmentID, made.ID), value: made}},
			events:        []event.Event{d.certifiedEvent(caller, "CERTIFICATE", "certificates", "Created", made.Certified)},
			apply:         func() { e.certificates.put(made) },
			subscriptions: e.verifying(),
		}, nil
	})
	return made, err
}

func readCertificate(u Upload, now time.Time) (Certificate, []body.Problem) {
	if u.File == nil {
		return Certificate{}, []body.Problem{missing("file")}
	}
	unreadable := []body.Problem{{Code: body.InvalidValue, Target: "file", Message: "The file must be one X.509 certificate as PEM or DER."}}
	der := u.File
	if block, rest := pem.Decode(u.File); block != nil {
		if block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
			return Certificate{}, unreadable
		}
		der = block.Bytes
	}
	c := Certificate{Certified{Chain: [][]byte{der}}}
	if err := c.complete(); err != nil {
		return Certificate{}, unreadable
	}
	return c, certificateProblems(c.Leaf(), now)
}

// certificateProblems demands a certificate that is valid now, with a key and a signature that are strong enough (V14).
func certificateProblems(c *x509.Certificate, now time.Time) []body.Problem {
	var problems []body.Problem
	refuse := func(message string) {
		problems = append(problems, body.Problem{Code: body.ConstraintViolation, Target: "file", Message: message})
	}
	if now.Before(c.NotBefore) {
		refuse("The certificate is not valid yet.")
	}
	if now.After(c.NotAfter) {
		refuse("The certificate has expired.")
	}
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < 2048 {
			refuse("An RSA key must have at least 2048 bits.")
		}
	case *ecdsa.PublicKey: // every curve that can be parsed has 224 bits or more
	default:
		refuse("The key must be RSA or EC.")
	}
	if SignatureAlgorithm(c) == "" {
		refuse("The signature must use SHA-256 or stronger.")
	}
	return problems
}

// SignatureAlgorithm is the platform's name for how a certificate is signed; empty if it is not accepted (G1).
func SignatureAlgorithm(c *x509.Certificate) string {
	switch c.SignatureAlgorithm {
	case x509.SHA256WithRSA, x509.SHA256WithRSAPSS:
		return "SHA256withRSA"
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS:
		return "SHA384withRSA"
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS:
		return "SHA512withRSA"
	case x509.ECDSAWithSHA256:
		return "SHA256withECDSA"
	case x509.ECDSAWithSHA384:
		return "SHA384withECDSA"
	case x509.ECDSAWithSHA512:
		return "SHA512withECDSA"
	}
	return ""
}

// GetCertificate returns one certificate.
func (d *Directory) GetCertificate(environmentID, id string) (Certificate, error) {
	e, ok := d.environment(environmentID)
	if !ok {
		return Certificate{}, ErrNotFound
	}
	c, ok := e.certificates.get(id)
	if !ok {
		return Certificate{}, ErrNotFound
	}
	return c, nil
}

// ListCertificates returns an environment's certificates, oldest first.
func (d *Directory) ListCertificates(environmentID string) ([]Certificate, error) {
	e, ok := d.environment(environmentID)
	if !ok {
		return nil, ErrNotFound
	}
	return e.certificates.list(), nil
}

// DeleteCertificate removes a certificate; deliveries stop trusting it.
func (d *Directory) DeleteCertificate(ctx context.Context, caller Caller, environmentID, id string) error {
	return d.alter(ctx, environmentID, func(e *environment) (change, error) {
		old, ok := e.certificates.get(id)
		if !ok {
			return change{}, ErrNotFound
		}
		return change{
			writes:        []write{{key: storageKey(certificateKey, environmentID, id), old: old}},
			events:        []event.Event{d.certifiedEvent(caller, "CERTIFICATE", "certificates", "Deleted", old.Certified)},
			apply:         func() { e.certificates.remove(id) },
			subscriptions: e.verifying(),
		}, nil
	})
}

// verifying returns the subscriptions that a change of the trusted certificates concerns.
func (e *environment) verifying() []string {
	var ids []string
	for _, s := range *e.subscriptions.Load() {
		if s.VerifyTLS {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

func (d *Directory) certifiedEvent(c Caller, resource, plural, done string, r Certified) event.Event {
	return d.audit(c, done, event.Resource{
		Type: resource, ID: r.ID, Name: r.Name(), EnvironmentID: r.EnvironmentID, Href: c.href(r.EnvironmentID, plural, r.ID),
	}, "")
}
