// Package embedded brings the reference pair: the reference emitter as a
// target, and the receiver simulator as the opposite end of any emitter. It
// is the only package of the suite that knows the simulators.
package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter"
	"github.com/hookproof/hookproof/simulator/receiver"
	"github.com/hookproof/hookproof/targets"
)

// Options change the reference pair; the zero value is what `hookproof run`
// tests.
type Options struct {
	// Faults are names of deliberate defects of the reference emitter.
	Faults []string
	// Log takes what the reference emitter logs; nil discards it.
	Log *slog.Logger
}

// The embedded emitter keeps its promises faster than it has to, so that
// scenarios wait for little: PingOne allows 2 s of holding, and leaves the
// back-off open. An attempt has longer than a handshake takes on a machine with
// far more to do than it has cores: one that is given up too early is a
// delivery that comes twice.
const (
	linger         = 100 * time.Millisecond
	retryInitial   = 50 * time.Millisecond
	retryMax       = 200 * time.Millisecond
	attemptTimeout = 3 * time.Second
)

// Target is the reference emitter and the receiver simulator, tested against
// each other, both in this process and on loopback.
type Target struct{ options Options }

// New makes the embedded target.
func New(o Options) *Target { return &Target{o} }

// Info says what the reference pair is and claims.
func (t *Target) Info() targets.Info {
	info := targets.Info{
		Role: targets.RoleBoth, Kind: "embedded", Name: "the embedded pair",
		Claims: []targets.Capability{targets.Environments, targets.PostEvents, targets.Certificates, targets.Activities, targets.ClockControl, targets.TCPIP},
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		info.Version = build.Main.Version
	}
	return info
}

// Start starts both ends. They outlive ctx, so that a run that is ended can
// still clean up; Close ends them.
func (t *Target) Start(ctx context.Context) (*targets.System, error) {
	ctx = context.WithoutCancel(ctx)
	system, r, err := startReceiver(ctx)
	if err != nil {
		return nil, err
	}
	controlToken := rand.Text()
	e, err := emitter.Start(ctx, emitter.Options{
		ControlListen: "127.0.0.1:0", ControlToken: controlToken,
		TrustedCAs: [][]byte{r.RootPEM()},
		Linger:     linger, RetryInitial: retryInitial, RetryMax: retryMax, AttemptTimeout: attemptTimeout,
		Faults: t.options.Faults, Log: t.options.Log,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the reference emitter: %w", err), r.Close())
	}
	environment, id, secret := e.Bootstrap()
	system.Emitter = targets.Emitter{
		API: e.URL(), Auth: e.URL(), Environment: environment, ClientID: id, ClientSecret: secret,
		Control: e.ControlURL(), ControlToken: controlToken,
	}
	system.Close = func() error { return errors.Join(e.Close(), r.Close()) }
	return system, nil
}

// Opposite starts only the receiver simulator, for an emitter that runs
// elsewhere.
func Opposite(ctx context.Context) (*targets.System, error) {
	system, _, err := startReceiver(context.WithoutCancel(ctx))
	return system, err
}

func startReceiver(ctx context.Context) (*targets.System, *receiver.Receiver, error) {
	r, err := receiver.Start(ctx, receiver.Options{})
	if err != nil {
		return nil, nil, fmt.Errorf("start the receiver simulator: %w", err)
	}
	return &targets.System{
		Receiver: targets.Receiver{Inspect: r.InspectURL(), Token: r.Token()},
		Close:    r.Close,
	}, r, nil
}

// Faults lists the deliberate defects that Options.Faults may name.
func Faults() []emitter.Fault { return emitter.Faults() }
