package emitter

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/seed"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

// Options of an emitter. The zero value is a throw-away emitter in memory on a
// free port of the loopback interface, without control API.
type Options struct {
	// Listen is the management API's address; default 127.0.0.1:0.
	Listen string
	// ControlListen is the control API's address; default 127.0.0.1:0. The
	// control API is served only when ControlToken is set.
	ControlListen string
	// ControlToken is the bearer token of the control API.
	ControlToken string

	// Dir keeps the audit log, the configuration and the cursors; a later
	// emitter with the same Dir goes on where this one stopped. Empty: memory.
	Dir string
	// Sync says when what was written to Dir is forced to the disk.
	Sync storage.Sync
	// Cluster is an external NATS cluster that keeps everything instead of Dir.
	// Emitters with the same one share subscriptions, events, clients, tokens and
	// clock; each subscription is worked by one of them at a time. Faults are of
	// each process. nil: none.
	Cluster *storage.Cluster
	// PublicURL is how clients reach the management API; links begin with it.
	// Default http://localhost:PORT, or https.
	PublicURL string
	// HTTPS serves the management API over TLS; the zero value is plain HTTP.
	HTTPS HTTPS

	// TrustedProxies are believed about the client's address in X-Forwarded-For.
	TrustedProxies []netip.Prefix

	// TrustedCAs are PEM certificates that deliveries trust beside the
	// machine's roots.
	TrustedCAs [][]byte

	// Networks limit where deliveries and connection tests may go; the zero value
	// refuses link-local and metadata addresses only.
	Networks pipeline.Networks

	// Linger is how long a payload that is not full is held for more events;
	// default 500 ms, at most the documented 2 s.
	Linger time.Duration
	// ReadOn is how long a payload is filled with events that wait already;
	// default 1 s, which leaves the other half of the documented 2 s to the way.
	ReadOn time.Duration
	// RetryInitial is the wait after the first failed attempt, default 1 s;
	// RetryMax the longest, default 15 min.
	RetryInitial, RetryMax time.Duration
	// Accept2xx lets any 2xx end a delivery, not only the documented 200.
	Accept2xx bool
	// AttemptTimeout bounds one attempt to deliver; default 30 s.
	AttemptTimeout time.Duration
	// ShutdownTimeout is how long attempts and requests under way may go on after
	// Close was called; default 5 s. Requests have a second in any case.
	ShutdownTimeout time.Duration

	// KeepAttempts is how many bytes of payloads are kept in memory, so that
	// the control API can tell what was tried to deliver and what came of it;
	// 0 keeps none.
	KeepAttempts int64

	// Environment, ClientID and ClientSecret are those of the client that may
	// act on all environments. What is empty is generated, and kept in Dir.
	Environment, ClientID, ClientSecret string

	// Seed is the configuration to begin with; nil: none. What is there already
	// is left as it is.
	Seed *seed.File

	// Faults are the names of deliberate defects, see Faults.
	Faults []string

	// Hostile are the liberties that the emitter takes; the zero value takes none.
	Hostile Hostile

	Log *slog.Logger // nil: nothing is logged
}

func (o Options) filled() (Options, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.ControlListen == "" {
		o.ControlListen = "127.0.0.1:0"
	} else if o.ControlToken == "" {
		return o, errors.New("the control API needs a token")
	}
	for name, d := range map[string]*time.Duration{
		"linger": &o.Linger, "time to read on": &o.ReadOn, "first retry": &o.RetryInitial, "longest retry": &o.RetryMax, "attempt timeout": &o.AttemptTimeout,
		"shutdown timeout": &o.ShutdownTimeout,
	} {
		if *d < 0 {
			return o, fmt.Errorf("the %s is negative: %v", name, *d)
		}
	}
	orDefault(&o.Linger, pipeline.DefaultLinger)
	orDefault(&o.ReadOn, pipeline.DefaultReadOn)
	orDefault(&o.RetryInitial, pipeline.DefaultRetryInitial)
	orDefault(&o.RetryMax, pipeline.DefaultRetryMax)
	orDefault(&o.AttemptTimeout, pipeline.DefaultAttemptTimeout)
	orDefault(&o.ShutdownTimeout, pipeline.DefaultGrace)
	if o.Linger > limits.Hold {
		return o, fmt.Errorf("the linger of %v is longer than the %v that an event may be held", o.Linger, limits.Hold)
	}
	if o.RetryMax < o.RetryInitial {
		return o, fmt.Errorf("the longest retry, %v, is shorter than the first, %v", o.RetryMax, o.RetryInitial)
	}
	if o.Cluster != nil && o.Dir != "" {
		return o, errors.New("a NATS cluster keeps everything: a directory for the data has no place beside it")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := o.HTTPS.check(); err != nil {
		return o, err
	}
	if _, err := active(o.Faults); err != nil {
		return o, err
	}
	if _, err := o.Hostile.chosen(); err != nil {
		return o, err
	}
	return o, nil
}

func orDefault(d *time.Duration, otherwise time.Duration) {
	if *d == 0 {
		*d = otherwise
	}
}

// certificates reads every certificate of the PEM files.
func certificates(files [][]byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for i, file := range files {
		some, err := pki.ReadCertificates(file)
		if err != nil {
			return nil, fmt.Errorf("trusted certificates, file %d: %w", i+1, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// Check says what is wrong with the options, without starting anything.
func (o Options) Check() error {
	if _, err := o.filled(); err != nil {
		return err
	}
	_, err := certificates(o.TrustedCAs)
	return err
}
