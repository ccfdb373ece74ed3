package directory

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/event"
)

// What a generated key can be (G1).
var (
	curves             = map[int]elliptic.Curve{224: elliptic.P224(), 256: elliptic.P256(), 384: elliptic.P384(), 521: elliptic.P521()}
	keyLengths         = map[string][]int{"RSA": {2048, 3072, 4096, 7680}, "EC": {224, 256, 384, 521}}
	signatureAlgorithm = map[string]x509.SignatureAlgorithm{
		"SHA256withRSA": x509.SHA256WithRSA, "SHA384withRSA": x509.SHA384WithRSA, "SHA512withRSA": x509.SHA512WithRSA,
		"SHA256withECDSA": x509.ECDSAWithSHA256, "SHA384withECDSA": x509.ECDSAWithSHA384, "SHA512withECDSA": x509.ECDSAWithSHA512,
	}
	signatureNames = map[string][]string{
		"RSA": {"SHA256withRSA", "SHA384withRSA", "SHA512withRSA"}, "EC": {"SHA256withECDSA", "SHA384withECDSA", "SHA512withECDSA"},
	}
)

const (
	maxValidity = 36500 // days
	// maxGenerating bounds the keys made at one time: a long RSA key takes seconds of a core.
	maxGenerating = 2
)

// keyRequest is a key as a request describes it.
type keyRequest struct {
	name, algorithm, signature, usage string
	subjectDN, issuerDN               string
	length, days                      int
	serial                            *big.Int
	isDefault                         bool
}

// GenerateKey makes a key with a certificate that it signs itself. Its errors are ErrNotFound, *Invalid, or a failure
// to make or store it.
func (d *Directory) GenerateKey(ctx context.Context, caller Caller, environmentID string, o body.Object) (Key, error) {
	asked, template, parent := readKeyRequest(o, d.opts.Now())
	if found := o.Problems(); len(found) > 0 {
		return Key{}, &Invalid{found}
	}
	if _, ok := d.environment(environmentID); !ok {
		return Key{}, ErrNotFound
	}
	select { // others in the environment do not wait for a key that is being made
	case d.generating <- struct{}{}:
		defer func() { <-d.generating }()
	case <-ctx.Done():
		return Key{}, ctx.Err()
	}
	made, err := asked.generate(template, parent)
	if err != nil {
		return Key{}, fmt.Errorf("generate key: %w", err)
	}
	err = d.alter(ctx, environmentID, func(e *environment) (change, error) {
		made.ID, made.EnvironmentID, made.CreatedAt = uuid.NewString(), environmentID, d.opts.Now()
		c := storingKeys(e, append(e.formerDefaults(made), made)...)
		c.events = []event.Event{d.certifiedEvent(caller, "KEY", "keys", "Created", made.Certified)}
		return c, nil
	})
	return made, err
}

func readKeyRequest(o body.Object, now time.Time) (keyRequest, *x509.Certificate, *x509.Certificate) {
	k := keyRequest{
		name: requiredText(o, "name"), algorithm: requiredText(o, "algorithm"), signature: requiredText(o, "signatureAlgorithm"),
		usage: requiredText(o, "usageType"), subjectDN: requiredText(o, "subjectDN"), issuerDN: o.String("issuerDN"),
		length: o.Int("keyLength"), days: o.Int("validityPeriod"), isDefault: o.Bool("default"),
	}
	limited(o, maxUserText, "name")
	o.Required("keyLength")
	o.Required("validityPeriod")
	oneOf(o, "usageType", k.usage, UsageEncryption, UsageSigning, UsageTLS, UsageIssuance, UsageOutboundMTLS)
	oneOf(o, "algorithm", k.algorithm, "RSA", "EC")
	if lengths, known := keyLengths[k.algorithm]; known {
		if !slices.Contains(lengths, k.length) {
			o.Report(body.Problem{
				Code: body.InvalidValue, Target: "keyLength", Message: "The algorithm has no keys of this length.",
				Inner: &body.Inner{AllowedValues: texts(lengths)},
			})
		}
		oneOf(o, "signatureAlgorithm", k.signature, signatureNames[k.algorithm]...)
	}
	if k.days < 1 || k.days > maxValidity {
		lowest, highest := 1, maxValidity
		o.Report(body.Problem{
			Code: body.OutOfRange, Target: "validityPeriod", Message: fmt.Sprintf("The key must be valid for 1 to %d days.", maxValidity),
			Inner: &body.Inner{RangeMinimumValue: &lowest, RangeMaximumValue: &highest},
		})
	}
	k.serial = readSerial(o)
	subject := readName(o, "subjectDN", k.subjectDN)
	issuer := subject
	if k.issuerDN != "" {
		issuer = readName(o, "issuerDN", k.issuerDN)
	}
	return k, k.template(subject, now), &x509.Certificate{RawSubject: issuer}
}

func texts(numbers []int) []string {
	list := make([]string, len(numbers))
	for i, n := range numbers {
		list[i] = strconv.Itoa(n)
	}
	return list
}

// readName returns a distinguished name in DER.
func readName(o body.Object, member, text string) []byte {
	name, err := parseName(text)
	var encoded []byte
	if err == nil {
		encoded, err = asn1.Marshal(name)
	}
	if err != nil {
		o.Report(body.Problem{Code: body.InvalidValue, Target: member, Message: "The value must be a distinguished name like CN=a,O=b: " + err.Error() + "."})
	}
	return encoded
}

// readSerial returns the serial number asked for, or a new one (RFC 5280, section 4.1.2.2: positive, up to 20 octets).
func readSerial(o body.Object) *big.Int {
	if !o.Sent("serialNumber") {
		serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
		if err != nil {
			panic(fmt.Sprintf("read random serial number: %v", err)) // the machine's randomness does not fail
		}
		return serial.Add(serial, big.NewInt(1))
	}
	serial, ok := o.Integer("serialNumber")
	if ok && (serial.Sign() <= 0 || serial.BitLen() > 159) {
		o.Report(body.Problem{Code: body.OutOfRange, Target: "serialNumber", Message: "The serial number must be positive and have at most 20 octets."})
	}
	return serial
}

func (k keyRequest) template(subject []byte, now time.Time) *x509.Certificate {
	c := &x509.Certificate{
		RawSubject: subject, SerialNumber: k.serial, NotBefore: now.UTC().Truncate(time.Second),
		SignatureAlgorithm: signatureAlgorithm[k.signature], BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	c.NotAfter = c.NotBefore.AddDate(0, 0, k.days)
	switch k.usage {
	case UsageEncryption:
		c.KeyUsage = x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment
	case UsageTLS:
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	case UsageOutboundMTLS:
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	case UsageIssuance:
		c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign|x509.KeyUsageDigitalSignature
	}
	return c
}

func (k keyRequest) generate(template, parent *x509.Certificate) (Key, error) {
	var signer crypto.Signer
	var err error
	if k.algorithm == "RSA" {
		signer, err = rsa.GenerateKey(rand.Reader, k.length)
	} else {
		signer, err = ecdsa.GenerateKey(curves[k.length], rand.Reader)
	}
	if err != nil {
		return Key{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, signer.Public(), signer)
	if err != nil {
		return Key{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return Key{}, err
	}
	made := Key{
		Certified:  Certified{Label: k.name, SubjectDN: k.subjectDN, IssuerDN: k.issuerDN, UsageType: k.usage, Chain: [][]byte{der}},
		Default:    k.isDefault,
		PrivateKey: private,
	}
	if made.IssuerDN == "" {
		made.IssuerDN = k.subjectDN
	}
	return made, made.complete()
}

// SigningRequest makes a PKCS #10 request, in DER, for a certificate of a key.
func (d *Directory) SigningRequest(environmentID, id string) ([]byte, error) {
	key, err := d.GetKey(environmentID, id)
	if err != nil {
		return nil, err
	}
	return x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{RawSubject: key.Leaf().RawSubject}, key.signer)
}

// AnswerSigningRequest gives a key the certificate that an authority made for it, with the chain if it comes along.
func (d *Directory) AnswerSigningRequest(ctx context.Context, caller Caller, environmentID, id string, u Upload) (Key, error) {
	chain, problems := readCertificates(u)
	if len(problems) == 0 {
		problems = certificateProblems(chain.Leaf(), d.opts.Now())
	}
	if len(problems) > 0 {
		return Key{}, &Invalid{problems}
	}
	var next Key
	err := d.alter(ctx, environmentID, func(e *environment) (change, error) {
		old, ok := e.keys.get(id)
		if !ok {
			return change{}, ErrNotFound
		}
		public, comparable := chain.Leaf().PublicKey.(interface{ Equal(crypto.PublicKey) bool })
		if !comparable || !public.Equal(old.signer.Public()) {
			return change{}, &Invalid{[]body.Problem{{
				Code: body.ConstraintViolation, Target: "file", Message: "The certificate is not that of the key.",
			}}}
		}
		next = old
		next.Chain, next.SubjectDN, next.IssuerDN = chain.Chain, "", ""
		if err := next.complete(); err != nil {
			return change{}, err
		}
		c := storingKeys(e, next)
		c.events = []event.Event{d.certifiedEvent(caller, "KEY", "keys", "Updated", next.Certified)}
		c.subscriptions = e.presenting(id)
		return c, nil
	})
	return next, err
}

// storingKeys is the change that puts keys, new or known.
func storingKeys(e *environment, keys ...Key) change {
	var c change
	for _, key := range keys {
		w := write{key: storageKey(keyKey, key.EnvironmentID, key.ID), value: key}
		if old, known := e.keys.get(key.ID); known {
			w.old = old
		}
		c.writes = append(c.writes, w)
	}
	c.apply = func() {
		for _, key := range keys {
			e.keys.put(key)
		}
	}
	return c
}

// formerDefaults returns the keys that stop being the default of their usage when next becomes it.
func (e *environment) formerDefaults(next Key) []Key {
	if !next.Default {
		return nil
	}
	former := e.keys.matching(func(k Key) bool { return k.Default && k.ID != next.ID && k.UsageType == next.UsageType })
	for i := range former {
		former[i].Default = false
	}
	return former
}

// ApplicationsUsing returns the applications that name a key or a certificate anywhere.
func (d *Directory) ApplicationsUsing(environmentID, id string) ([]Entity, error) {
	e, ok := d.environment(environmentID)
	if !ok {
		return nil, ErrNotFound
	}
	return e.applicationsUsing(id), nil
}

func (e *environment) applicationsUsing(id string) []Entity {
	return e.applications.matching(func(a Entity) bool { return names(a.Members, id) })
}

// names says whether a value has an object {"id": id} in it.
func names(value any, id string) bool {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if text, ok := inner.(string); ok && name == "id" && strings.EqualFold(text, id) || names(inner, id) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(inner any) bool { return names(inner, id) })
	}
	return false
}
