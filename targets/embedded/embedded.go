// Package embedded brings the reference pair: the reference emitter and the
// receiver simulator as targets, and each as the opposite end of somebody
// else's implementation of the other. It is the only package of the suite that
// knows the simulators.
package embedded

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter"
	"github.com/hookproof/hookproof/simulator/receiver"
	"github.com/hookproof/hookproof/targets"
)

// Options change the reference pair; the zero value is what `hookproof run`
// tests.
type Options struct {
	// Role is the end that is tested; empty: both, each in a pair of its own.
	Role targets.Role
	// Faults are names of deliberate defects of the reference emitter, or of
	// the receiver simulator that is tested.
	Faults []string
	// Hostile are liberties that both ends take; the zero value takes none.
	Hostile Hostile
	// Log takes what the reference emitter logs; nil discards it.
	Log *slog.Logger
}

// The embedded emitter keeps its promises faster than it has to, so that
// scenarios wait for little: PingOne allows 2 s of holding, and leaves the
// back-off open. An attempt has longer than a handshake takes on a machine with
// far more to do than it has cores: one that is given up too early is a
// delivery that comes twice.
const (
	linger         = 50 * time.Millisecond
	retryInitial   = 25 * time.Millisecond
	retryMax       = 100 * time.Millisecond
	attemptTimeout = 3 * time.Second
)

// Target is the reference pair, in this process and on loopback. As an emitter
// the reference is tested against a receiver simulator, and as a receiver the
// simulator against a reference emitter; the two pairs have nothing in common,
// so that a defect of one end cannot be taken for one of the other.
type Target struct{ options Options }

// New makes the embedded target.
func New(o Options) *Target { return &Target{o} }

// Info says what the reference pair is and claims.
func (t *Target) Info() targets.Info {
	info := targets.Info{
		Role: cmp.Or(t.options.Role, targets.RoleBoth), Kind: "embedded", Name: "the embedded pair",
		Claims: append(targets.OfReference(), targets.NDJSON, targets.Authentication, targets.MutualTLS, targets.CanReadBack),
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		info.Version = build.Main.Version
	}
	return info
}

// Start starts the pairs of the role. They outlive ctx, so that a run that is
// ended can still clean up; Close ends them.
func (t *Target) Start(ctx context.Context) (*targets.System, error) {
	ctx = context.WithoutCancel(ctx)
	ofEmitter, ofReceiver := t.divide()
	system := &targets.System{}
	var stop []func() error
	system.Close = func() error {
		var errs []error
		for _, f := range slices.Backward(stop) {
			errs = append(errs, f())
		}
		return errors.Join(errs...)
	}
	if t.options.Role != targets.RoleReceiver {
		close, err := t.startPair(ctx, system, ofEmitter)
		if err != nil {
			return nil, err
		}
		stop = append(stop, close)
	}
	if t.options.Role != targets.RoleEmitter {
		hook, close, err := startHook(ctx, ofReceiver, t.options.Hostile)
		if err != nil {
			return nil, errors.Join(err, system.Close())
		}
		system.Hook, stop = hook, append(stop, close)
	}
	return system, nil
}

// startPair starts the emitter that is tested, and the receiver simulator that
// it delivers to.
func (t *Target) startPair(ctx context.Context, system *targets.System, faults []string) (close func() error, err error) {
	liberties, ofReceiver := t.options.Hostile.divide()
	opposite, r, err := startReceiver(ctx, receiver.Options{Hostile: ofReceiver})
	if err != nil {
		return nil, err
	}
	e, closeEmitter, err := startEmitter(ctx, emitter.Options{
		TrustedCAs: [][]byte{r.RootPEM()}, AttemptTimeout: attemptTimeout, Faults: faults, Hostile: liberties, Log: t.options.Log,
	})
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	system.Emitter, system.Receiver = e, opposite.Receiver
	return func() error { return errors.Join(closeEmitter(), r.Close()) }, nil
}

// divide gives the faults of either end. A name that neither knows is left to
// the emitter, which refuses it.
func (t *Target) divide() (ofEmitter, ofReceiver []string) {
	known := receiver.Faults()
	for _, name := range t.options.Faults {
		if slices.ContainsFunc(known, func(f receiver.Fault) bool { return f.Name == name }) {
			ofReceiver = append(ofReceiver, name)
		} else {
			ofEmitter = append(ofEmitter, name)
		}
	}
	return ofEmitter, ofReceiver
}

// startEmitter starts a reference emitter with a control API.
func startEmitter(ctx context.Context, o emitter.Options) (targets.Emitter, func() error, error) {
	o.ControlListen, o.ControlToken = "127.0.0.1:0", rand.Text()
	o.Linger, o.RetryInitial, o.RetryMax = cmp.Or(o.Linger, linger), retryInitial, retryMax
	e, err := emitter.Start(ctx, o)
	if err != nil {
		return targets.Emitter{}, nil, fmt.Errorf("start the reference emitter: %w", err)
	}
	environment, id, secret := e.Bootstrap()
	return targets.Emitter{
		API: e.URL(), Auth: e.URL(), Environment: environment, ClientID: id, ClientSecret: secret,
		Control: e.ControlURL(), ControlToken: o.ControlToken,
	}, e.Close, nil
}

// Emitter starts only the reference emitter, for a receiver simulator that runs
// elsewhere. It outlives ctx, until it is closed.
func Emitter(ctx context.Context) (e targets.Emitter, close func() error, err error) {
	return startEmitter(context.WithoutCancel(ctx), emitter.Options{AttemptTimeout: attemptTimeout})
}

// Opposite starts only the receiver simulator, for an emitter that runs
// elsewhere and reaches it where public says.
func Opposite(ctx context.Context, public targets.Public) (*targets.System, error) {
	system, _, err := startReceiver(ctx, receiver.Options{ListenHost: public.ListenHost, AdvertiseHost: public.Host})
	return system, err
}

func startReceiver(ctx context.Context, o receiver.Options) (*targets.System, *receiver.Receiver, error) {
	r, err := receiver.Start(context.WithoutCancel(ctx), o)
	if err != nil {
		return nil, nil, fmt.Errorf("start the receiver simulator: %w", err)
	}
	return &targets.System{
		Receiver: targets.Receiver{Inspect: r.InspectURL(), Token: r.Token()},
		Close:    r.Close,
	}, r, nil
}

// senderTimeout bounds an attempt to deliver to a receiver under test, and
// keptAttempts the payloads of which is known what became of them: those of
// all scenarios that run at once, several times over. The sender hardly waits
// for more events: a scenario that needs several in one delivery keeps them back
// until all are there, and all are read then, which no machine is too slow for.
const (
	senderTimeout = 30 * time.Second
	keptAttempts  = 256 << 20
	senderLinger  = time.Millisecond
	senderReadOn  = 30 * time.Second
)

// Sender starts only the reference emitter, to deliver to a receiver that runs
// elsewhere; ca is the PEM of authorities that it trusts beyond the system's.
// It outlives ctx, until it is closed.
func Sender(ctx context.Context, ca []byte) (sender targets.Emitter, close func() error, err error) {
	return startSender(context.WithoutCancel(ctx), ca, emitter.Hostile{})
}

func startSender(ctx context.Context, ca []byte, liberties emitter.Hostile) (targets.Emitter, func() error, error) {
	o := emitter.Options{AttemptTimeout: senderTimeout, KeepAttempts: keptAttempts, Linger: senderLinger, ReadOn: senderReadOn, Hostile: liberties}
	if len(ca) > 0 {
		o.TrustedCAs = [][]byte{ca}
	}
	return startEmitter(ctx, o)
}

// A Fault is a deliberate defect of one end of the pair, and the rules that
// must notice it.
type Fault struct {
	Name, Sentence string
	Rules          []string
	Role           targets.Role
}

// Faults lists the deliberate defects that Options.Faults may name: those of
// the reference emitter, then those of the receiver simulator.
func Faults() []Fault {
	var all []Fault
	for _, f := range emitter.Faults() {
		all = append(all, Fault{f.Name, f.Sentence, f.Rules, targets.RoleEmitter})
	}
	for _, f := range receiver.Faults() {
		all = append(all, Fault{f.Name, f.Sentence, f.Rules, targets.RoleReceiver})
	}
	return all
}
