package emitter

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/limits"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
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
	// PublicURL is how clients reach the management API; links begin with it.
	// Default http://localhost:PORT.
	PublicURL string

	// TrustedCAs are PEM certificates that deliveries trust beside the
	// machine's roots.
	TrustedCAs [][]byte

	// Linger is how long a payload that is not full is held for more events;
	// default 500 ms, at most the documented 2 s.
	Linger time.Duration
	// RetryInitial is the wait after the first failed attempt, default 1 s;
	// RetryMax the longest, default 15 min.
	RetryInitial, RetryMax time.Duration
	// AttemptTimeout bounds one attempt to deliver; default 30 s.
	AttemptTimeout time.Duration

	// Environment, ClientID and ClientSecret are those of the client that may
	// act on all environments. What is empty is generated, and kept in Dir.
	Environment, ClientID, ClientSecret string

	// Faults are the names of deliberate defects, see Faults.
	Faults []string

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
		"linger": &o.Linger, "first retry": &o.RetryInitial, "longest retry": &o.RetryMax, "attempt timeout": &o.AttemptTimeout,
	} {
		if *d < 0 {
			return o, fmt.Errorf("the %s is negative: %v", name, *d)
		}
	}
	orDefault(&o.Linger, pipeline.DefaultLinger)
	orDefault(&o.RetryInitial, pipeline.DefaultRetryInitial)
	orDefault(&o.RetryMax, pipeline.DefaultRetryMax)
	orDefault(&o.AttemptTimeout, pipeline.DefaultAttemptTimeout)
	if o.Linger > limits.Hold {
		return o, fmt.Errorf("the linger of %v is longer than the %v that an event may be held", o.Linger, limits.Hold)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if _, err := active(o.Faults); err != nil {
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
	for i, rest := range files {
		found := 0
		for block := (*pem.Block)(nil); ; {
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			if block.Type != "CERTIFICATE" {
				continue
			}
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("trusted certificate %d: %w", i+1, err)
			}
			all, found = append(all, c), found+1
		}
		if found == 0 {
			return nil, fmt.Errorf("trusted certificate %d: no PEM certificate in it", i+1)
		}
	}
	return all, nil
}

// publicURL is how a client on this machine reaches the listener.
func publicURL(address net.Addr) string {
	_, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return "http://" + address.String()
	}
	return "http://localhost:" + port
}

// Check says what is wrong with the options, without starting anything.
func (o Options) Check() error {
	if _, err := o.filled(); err != nil {
		return err
	}
	_, err := certificates(o.TrustedCAs)
	return err
}
