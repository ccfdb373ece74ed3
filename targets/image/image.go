// Package image brings ends of the wire that run in containers: an emitter or
// a receiver under test, started from an image or from a folder with a
// Dockerfile, and the receiver simulator where it has to be in a container
// too. What the suite
// expects of such an image is the contract in docs/containers.md; the names
// and ports of that contract stand in contract.go.
package image

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/hookproof/hookproof/internal/ports"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/embedded"
)

// Options say which end runs in a container. At least one must.
type Options struct {
	// Emitter is the emitter under test; the zero value is the embedded
	// reference emitter, in this process.
	Emitter Source
	// Receiver is the receiver simulator; the zero value is the one in this
	// process, which the emitter's container reaches by way of the host.
	Receiver Source
	// Claims are the emitter's capabilities.
	Claims []targets.Capability
	// Variables are given to the emitter's container beside those of the
	// contract, and win over them.
	Variables map[string]string
	// Name and Version are for reports; without a name it is the source.
	Name, Version string
	// Log takes what the build and the containers print; nil discards it.
	Log io.Writer
}

// Target is a pair of which at least one end runs in a container.
type Target struct{ options Options }

// New checks the options and makes the target; nothing is started yet.
func New(o Options) (*Target, error) {
	if o.Emitter.empty() && o.Receiver.empty() {
		return nil, errors.New("neither the emitter nor the receiver is an image")
	}
	if o.Emitter.empty() && len(o.Variables) > 0 {
		return nil, errors.New("variables are for the emitter's container, and the emitter is not an image")
	}
	for name := range o.Variables {
		if name == "" {
			return nil, errors.New("a variable for the emitter's container has no name")
		}
	}
	if o.Name == "" {
		o.Name = o.Emitter.String()
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	return &Target{o}, nil
}

// Info says what is known of the pair before it is started.
func (t *Target) Info() targets.Info {
	o := t.options
	if o.Emitter.empty() {
		info := embedded.New(embedded.Options{}).Info()
		info.Role, info.Kind, info.Name = targets.RoleEmitter, "image", "the embedded emitter, with the receiver simulator in "+o.Receiver.String()
		return info
	}
	return targets.Info{Role: targets.RoleEmitter, Kind: "image", Name: o.Name, Version: o.Version, Claims: o.Claims}
}

// Start starts both ends. They outlive ctx, so that a run that is ended can
// still clean up; Close ends them and removes what was made for them.
func (t *Target) Start(ctx context.Context) (system *targets.System, err error) {
	var stops stack
	defer func() {
		if err != nil {
			err = errors.Join(err, stops.close())
		}
	}()
	s, err := newStage(ctx, t.options, &stops)
	if err != nil {
		return nil, err
	}
	receiver, err := s.receiver(ctx)
	if err != nil {
		return nil, err
	}
	emitter, err := s.emitter(ctx)
	if err != nil {
		return nil, err
	}
	return &targets.System{Emitter: emitter, Receiver: receiver, Close: stops.close}, nil
}

// stage is what both ends stand on: a network of their own where both are
// containers.
type stage struct {
	options Options
	network string // empty: Docker's default
	stops   *stack
}

func newStage(ctx context.Context, o Options, stops *stack) (*stage, error) {
	s := &stage{options: o, stops: stops}
	if o.Emitter.empty() || o.Receiver.empty() {
		return s, nil
	}
	name, remove, err := newNetwork(ctx)
	if err != nil {
		return nil, err
	}
	stops.push(remove)
	s.network = name
	return s, nil
}

// receiver starts the receiver simulator where the emitter reaches it.
func (s *stage) receiver(ctx context.Context) (targets.Receiver, error) {
	if s.options.Receiver.empty() {
		system, err := embedded.Opposite(ctx, targets.Public{ListenHost: "0.0.0.0", Host: hostName})
		if err != nil {
			return targets.Receiver{}, err
		}
		s.stops.push(system.Close)
		return system.Receiver, nil
	}
	port, err := ports.Free()
	if err != nil {
		return targets.Receiver{}, err
	}
	base, token := fmt.Sprintf("http://%s:%d", loopback, port), rand.Text()
	r := request{
		source: s.options.Receiver, log: s.options.Log, network: s.network, alias: receiverAlias,
		ports: map[int]int{inspectPort: port}, ready: answering{url: base + "/inspect/openapi.json", bearer: token},
		must: fmt.Sprintf("the image has to be the receiver simulator's, with the inspection API on port %d", inspectPort),
		variables: map[string]string{
			"HOOKPROOF_LISTEN_HOST": "0.0.0.0", "HOOKPROOF_ADVERTISE_HOST": receiverAlias,
			"HOOKPROOF_INSPECT_LISTEN": fmt.Sprintf("0.0.0.0:%d", inspectPort), "HOOKPROOF_INSPECT_TOKEN": token,
		},
	}
	if s.network == "" {
		// The emitter is in this process. It must reach every port of the
		// receiver, also those it opens for a single scenario: on the host's
		// own network it does.
		r.network, r.alias, r.ports = hostNetwork, "", nil
		r.variables["HOOKPROOF_LISTEN_HOST"], r.variables["HOOKPROOF_ADVERTISE_HOST"] = loopback, loopback
		r.variables["HOOKPROOF_INSPECT_LISTEN"] = fmt.Sprintf("%s:%d", loopback, port)
	}
	stop, err := r.run(ctx)
	if err != nil {
		return targets.Receiver{}, fmt.Errorf("start the receiver from %s: %w", s.options.Receiver, err)
	}
	s.stops.push(stop)
	return targets.Receiver{Inspect: base, Token: token}, nil
}

// emitter starts the emitter under test.
func (s *stage) emitter(ctx context.Context) (targets.Emitter, error) {
	if s.options.Emitter.empty() {
		e, stop, err := embedded.Emitter(ctx)
		if err != nil {
			return targets.Emitter{}, err
		}
		s.stops.push(stop)
		return e, nil
	}
	port, err := ports.Free() // before it is started: the address stands in the links of its answers
	if err != nil {
		return targets.Emitter{}, err
	}
	e := targets.Emitter{
		API: fmt.Sprintf("http://%s:%d", loopback, port), Environment: uuid.NewString(), ClientID: uuid.NewString(), ClientSecret: rand.Text(),
	}
	e.Auth = e.API
	published := map[int]int{apiPort: port}
	variables := map[string]string{
		"HOOKPROOF_LISTEN": fmt.Sprintf("0.0.0.0:%d", apiPort), "HOOKPROOF_PUBLIC_URL": e.API,
		"HOOKPROOF_ENVIRONMENT": e.Environment, "HOOKPROOF_CLIENT_ID": e.ClientID, "HOOKPROOF_CLIENT_SECRET": e.ClientSecret,
		"HOOKPROOF_RETRY_INITIAL": retryInitial, "HOOKPROOF_RETRY_MAX": retryMax, "HOOKPROOF_ATTEMPT_TIMEOUT": attemptTimeout,
	}
	if s.controlled() {
		control, err := ports.Free()
		if err != nil {
			return targets.Emitter{}, err
		}
		e.Control, e.ControlToken = fmt.Sprintf("http://%s:%d", loopback, control), rand.Text()
		published[controlPort] = control
		variables["HOOKPROOF_CONTROL_LISTEN"] = fmt.Sprintf("0.0.0.0:%d", controlPort)
		variables["HOOKPROOF_CONTROL_TOKEN"] = e.ControlToken
	}
	maps.Copy(variables, s.options.Variables)
	r := request{
		source: s.options.Emitter, log: s.options.Log, network: s.network, ports: published, ready: answering{url: e.API + "/readyz"},
		must:      fmt.Sprintf("the image has to answer 200 to GET /readyz on port %d", apiPort),
		variables: variables, reachesHost: s.options.Receiver.empty(),
	}
	stop, err := r.run(ctx)
	if err != nil {
		return targets.Emitter{}, fmt.Errorf("start the emitter from %s: %w", s.options.Emitter, err)
	}
	s.stops.push(stop)
	return e, nil
}

// controlled tells whether the emitter claims something that its control API
// serves.
func (s *stage) controlled() bool {
	return slices.Contains(s.options.Claims, targets.PostEvents) || slices.Contains(s.options.Claims, targets.ClockControl)
}

// stack is what is to be stopped, last first.
type stack []func() error

func (s *stack) push(stop func() error) { *s = append(*s, stop) }

func (s *stack) close() error {
	var failed []error
	for _, stop := range slices.Backward(*s) {
		failed = append(failed, stop())
	}
	*s = nil
	return errors.Join(failed...)
}
