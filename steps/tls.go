package steps

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

// usageMTLS is the usage type of keys for subscriptions. (S1, G1)
const usageMTLS = "OUTBOUND_MTLS"

// tlsSteps upload keys and certificates, make receivers with listeners of
// their own and judge connections.
func tlsSteps() []Step {
	return []Step{
		step(`keys? ((?:"[^"]*"(?:, | and )?)+) with usage type "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, list, usage string) error {
				for _, name := range quoted(list) {
					if err := w.key(ctx, name, usage); err != nil {
						return err
					}
				}
				return nil
			}
		}),
		step(`a key is imported with usage type "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, usage string) error {
				_, _, err := w.importKey(ctx, theKey, usage)
				return err
			}
		}),
		step(`the import is answered with a key of usage type "([^"]*)"`, func(w *World) any {
			return func(usage string) error {
				return w.judged(judge.Response(w.answer, judge.Status(http.StatusCreated), judge.JSON("usageType", usage),
					judge.Matching("id", "an id", func(id string) bool { return id != "" })))
			}
		}),
		step(`a certificate is uploaded with usage type "([^"]*)"`, func(w *World) any { return w.uploadFresh }),
		step(`another certificate uploaded with usage type "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, usage string) error {
				if err := w.uploadFresh(ctx, usage); err != nil {
					return err
				}
				_, err := answered(w.answer, judge.Success())
				return err
			}
		}),
		step(`the upload is accepted`, func(w *World) any {
			return func() error { return w.judged(judge.Response(w.answer, judge.Success())) }
		}),
		step(`the answer names key "([^"]*)"`, func(w *World) any { return w.namesKey }),
		step(`key "([^"]*)" is deleted`, func(w *World) any {
			return func(ctx context.Context, name string) error {
				k, err := w.keyCalled(name)
				if err == nil {
					_, err = w.call(ctx, http.MethodDelete, w.here("/keys/"+k.id), nil)
				}
				return err
			}
		}),
		step(`the key is gone`, func(w *World) any {
			return func() error { return w.judged(judge.Response(w.answer, judge.Success())) }
		}),
		step(`subscription "([^"]*)" is put without a key`, func(w *World) any {
			return func(ctx context.Context, name string) error {
				return w.change(ctx, name, []setting{{"tlsClientAuthKeyPair", "absent"}})
			}
		}),
		step(`a receiver (with a self-signed certificate|with a certificate of an unknown authority|with a certificate for another host|requiring a client certificate|asking for a client certificate|with an expired certificate|with a certificate that is not valid yet|without TLS)`, func(w *World) any { return w.ownReceiver }),
		step(`a receiver (requiring a client certificate|asking for a client certificate) that resets the connections of the first (\d+) deliveries`, func(w *World) any {
			return func(ctx context.Context, kind string, n int) error {
				return w.ownReceiverThat(ctx, kind, atFirst(n, driver.Action{Reset: true}))
			}
		}),
		step(`a receiver (requiring a client certificate|asking for a client certificate) that resets the connection of the second delivery`, func(w *World) any {
			return func(ctx context.Context, kind string) error { return w.ownReceiverThat(ctx, kind, secondReset()) }
		}),
		step(`a receiver (requiring a client certificate|with a certificate of an unknown authority) that answers (\d+)`, func(w *World) any {
			return func(ctx context.Context, kind string, status int) error {
				return w.ownReceiverThat(ctx, kind, driver.Behaviour{Then: &driver.Action{Status: status}})
			}
		}),
		step(`the receiver's certificate uploaded with usage type "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, usage string) error { return w.uploadReceivers(ctx, usage, w.environment) }
		}),
		step(`the receiver's certificate uploaded in environment "([^"]*)" with usage type "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, name, usage string) error {
				other := w.others[name]
				if other == nil {
					return fmt.Errorf("there is no environment %q", name)
				}
				return w.uploadReceivers(ctx, usage, other)
			}
		}),
		step(`the receiver's certificate is replaced by (a self-signed one|one that has expired|one not valid yet|one for another host)`, func(w *World) any {
			return func(ctx context.Context, kind string) error {
				return w.presentAs(ctx, map[string]string{
					"a self-signed one": "self-signed", "one that has expired": "expired", "one not valid yet": "not-yet-valid", "one for another host": "wrong-host",
				}[kind])
			}
		}),
		step(`the receiver speaks TLS no more`, func(w *World) any {
			return func(ctx context.Context) error { return w.presentAs(ctx, "plain") }
		}),
		step(`the emitter tries to deliver and no request arrives`, func(w *World) any { return w.triesInVain }),
		step(`every delivery presents the certificate of key "([^"]*)"`, func(w *World) any {
			return func(name string) error {
				k, err := w.keyCalled(name)
				if err != nil {
					return err
				}
				return w.judged(judge.Presented(w.observed(), theReceiver, k.fingerprint))
			}
		}),
		everyDelivery(`no delivery presents a client certificate`, judge.NonePresented),
	}
}

// theKey is what a scenario's key is called where it gives it no name.
const theKey = "key"

// key imports a key that the scenario needs; a refusal makes it unobserved.
func (w *World) key(ctx context.Context, name, usage string) error {
	x, fingerprint, err := w.importKey(ctx, name, usage)
	if err != nil {
		return err
	}
	if _, err := answered(x, judge.Status(http.StatusCreated)); err != nil {
		return err
	}
	id := idIn(x)
	if id == "" {
		return unobserved("an answer to POST %s without an id", x.Request.Path)
	}
	w.environment.keys[name] = key{id: id, fingerprint: fingerprint}
	return nil
}

// idIn is the id in an answer, empty where there is none.
func idIn(x transcript.Exchange) string {
	if x.Response == nil {
		return ""
	}
	return gjson.GetBytes(x.Response.Body, "id").String()
}

func (w *World) keyCalled(name string) (key, error) {
	k, ok := w.environment.keys[name]
	if !ok {
		return k, fmt.Errorf("there is no key %q", name)
	}
	return k, nil
}

// importKey makes a key pair and imports it, and gives the fingerprint of its
// certificate.
func (w *World) importKey(ctx context.Context, name, usage string) (transcript.Exchange, string, error) {
	c, fingerprint, err := w.keyCall(name, usage)
	if err != nil {
		return transcript.Exchange{}, "", err
	}
	x, err := w.do(ctx, c)
	return x, fingerprint, err
}

// keyCall makes a key pair, and the call that imports it as PKCS#12. The file
// and its password exist in a live run only; the fingerprint of the
// certificate is kept in the transcript.
func (w *World) keyCall(name, usage string) (driver.Call, string, error) {
	password := w.driver.UUID()
	leaf := pki.Leaf{Name: w.driver.Name("key"), Client: usage == usageMTLS}
	if !leaf.Client {
		leaf.Hosts = []string{"hookproof.example"}
	}
	var file []byte
	var fingerprint string
	err := w.driver.Fact("certificate of key "+name, &fingerprint, func() (any, error) {
		// RSA, because nobody imports PKCS#12 files and refuses that.
		var err error
		if leaf.Key, err = w.driver.RSAKey(); err != nil {
			return nil, err
		}
		identity, err := pki.SelfSigned(leaf)
		if err != nil {
			return nil, err
		}
		file, err = identity.PKCS12(password)
		return identity.Fingerprint(), err
	})
	if err != nil {
		return driver.Call{}, "", err
	}
	return driver.Call{
		Peer: driver.Emitter, Method: http.MethodPost, Path: w.here("/keys"),
		Header: map[string]string{"Accept": "application/json"},
		Form: []driver.Field{
			{Name: "usageType", Value: []byte(usage)},
			{Name: "file", FileName: "key.p12", Value: file, Secret: true},
			{Name: "password", Value: []byte(password), Secret: true},
		},
	}, fingerprint, nil
}

// uploadFresh uploads a certificate that the scenario makes for itself.
func (w *World) uploadFresh(ctx context.Context, usage string) error {
	pem, err := w.freshCertificate()
	if err != nil {
		return err
	}
	return w.upload(ctx, pem, usage, w.environment)
}

// freshCertificate makes a self-signed certificate that nobody else has.
func (w *World) freshCertificate() ([]byte, error) {
	leaf := pki.Leaf{Name: w.driver.Name("certificate"), Hosts: []string{"hookproof.example"}}
	var pem string
	err := w.driver.Fact("certificate", &pem, func() (any, error) {
		var err error
		if leaf.Key, err = w.driver.RSAKey(); err != nil {
			return nil, err
		}
		identity, err := pki.SelfSigned(leaf)
		if err != nil {
			return nil, err
		}
		return string(identity.PEM()), nil
	})
	return []byte(pem), err
}

// uploadReceivers uploads what a client must trust to trust the scenario's
// receiver; a refusal makes the scenario unobserved.
func (w *World) uploadReceivers(ctx context.Context, usage string, to *environment) error {
	e, err := w.endpoint(theReceiver)
	if err != nil {
		return err
	}
	if len(e.Certificate) == 0 {
		return fmt.Errorf("receiver %q has no certificate of its own", theReceiver)
	}
	if err := w.upload(ctx, e.Certificate, usage, to); err != nil {
		return err
	}
	_, err = answered(w.answer, judge.Success())
	return err
}

func (w *World) upload(ctx context.Context, pem []byte, usage string, to *environment) error {
	_, err := w.do(ctx, uploadCall(pem, usage, to))
	return err
}

// uploadCall uploads a certificate.
func uploadCall(pem []byte, usage string, to *environment) driver.Call {
	return driver.Call{
		Peer: driver.Emitter, Method: http.MethodPost, Path: "/v1/environments/" + to.id + "/certificates",
		Header: map[string]string{"Accept": "application/json"},
		Form: []driver.Field{
			{Name: "usageType", Value: []byte(usage)},
			{Name: "file", FileName: "certificate.pem", Value: pem},
		},
	}
}

// namesKey judges that the subscription in the answer uses the key.
func (w *World) namesKey(name string) error {
	k, err := w.keyCalled(name)
	if err != nil {
		return err
	}
	return w.judged(judge.Response(w.answer, judge.Status(http.StatusCreated), judge.JSON("tlsClientAuthKeyPair.id", k.id)))
}

// ownReceiver makes a receiver with a listener of its own, whose connections
// are seen.
func (w *World) ownReceiver(ctx context.Context, kind string) error {
	return w.ownReceiverThat(ctx, kind, driver.Behaviour{})
}

func (w *World) ownReceiverThat(ctx context.Context, kind string, behaviour driver.Behaviour) error {
	mode, ok := map[string]string{
		"with a self-signed certificate":             "self-signed",
		"with a certificate of an unknown authority": "unknown-ca",
		"with a certificate for another host":        "wrong-host",
		"requiring a client certificate":             "mtls",
		"asking for a client certificate":            "mtls-optional",
		"with an expired certificate":                "expired",
		"with a certificate that is not valid yet":   "not-yet-valid",
		"without TLS": "plain",
	}[kind]
	if !ok {
		return fmt.Errorf("there is no receiver %q", kind)
	}
	if err := w.receiver(ctx, theReceiver, driver.Listener{Mode: mode, Dedicated: true}, behaviour); err != nil {
		return err
	}
	// Only https is accepted for a subscription (S1), whatever is spoken there.
	e := w.endpoints[theReceiver]
	e.URL = "https://" + e.URL[strings.Index(e.URL, "://")+len("://"):]
	return nil
}

// presentAs has the receiver's own listener present itself in another way. From now
// on only what begins later is judged.
func (w *World) presentAs(ctx context.Context, mode string) error {
	e, err := w.endpoint(theReceiver)
	if err != nil {
		return err
	}
	if !e.Dedicated {
		return fmt.Errorf("receiver %q has no listener of its own", theReceiver)
	}
	x, err := w.driver.Show(ctx, e, mode)
	w.since = x.End
	return err
}

// enoughAttempts is how many connections without a request show that the
// emitter wants to deliver and cannot: enough for one that grows lenient with
// its failures to be found out.
const enoughAttempts = 6

// triesInVain waits until the emitter has been seen trying, and judges that
// no request came of it. The deadline for an attempt begins anew with every one
// before it. An emitter that never tries shows nothing.
func (w *World) triesInVain(ctx context.Context) error {
	e, err := w.endpoint(theReceiver)
	if err != nil {
		return err
	}
	vain, attempts := func() bool { return !judge.NoRequest(w.observed(), theReceiver).Failed() }, 0
	for vain() && attempts < enoughAttempts {
		more, err := w.driver.AwaitConnections(ctx, e, w.deadlines.Retry, func() bool {
			return !vain() || judge.Attempts(w.observed(), theReceiver) > attempts
		})
		if err != nil {
			return err
		}
		if !more {
			break
		}
		attempts = judge.Attempts(w.observed(), theReceiver)
	}
	if vain() && attempts == 0 {
		return unobserved("the emitter was not seen trying to reach the receiver within %v", w.deadlines.Retry)
	}
	return w.judged(judge.NoRequest(w.observed(), theReceiver))
}
