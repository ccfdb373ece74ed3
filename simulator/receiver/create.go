package receiver

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"time"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
	"github.com/hookproof/hookproof/simulator/receiver/emulation"
	"github.com/hookproof/hookproof/simulator/receiver/record"
)

// maxNameBytes bounds the name of an endpoint.
const maxNameBytes = 200

// EndpointRequest asks for an endpoint.
type EndpointRequest struct {
	// Name is for people; it need not be unique.
	Name      string
	Behaviour behaviour.Behaviour
	// Dedicated asks for a listener of the endpoint's own in the given mode.
	// Empty: none.
	Dedicated Mode
	// TLS narrows what the dedicated listener does in a handshake.
	TLS TLSChoice
	// Emulation has the endpoint answer as a log service does, wherever its
	// behaviour would answer a plain 200.
	Emulation *emulation.Options
	// Closed leaves the dedicated listener closed at first. Its port is
	// chosen all the same.
	Closed bool
	// behaviourBytes is the length of the behaviour's JSON.
	behaviourBytes int64
}

// EndpointInfo describes an endpoint.
type EndpointInfo struct {
	ID        string              `json:"id"`
	Name      string              `json:"name,omitempty"`
	CreatedAt time.Time           `json:"createdAt"`
	Token     string              `json:"token"`
	URLs      map[Mode]string     `json:"urls"`
	Dedicated *DedicatedInfo      `json:"dedicated,omitempty"`
	Behaviour behaviour.Behaviour `json:"behaviour"`
	// Emulation is the kind of the service that is emulated, if any.
	Emulation string `json:"emulation,omitempty"`
	// Last is the sequence number of the newest delivery; 0 if there is none.
	Last int64 `json:"last"`
}

// DedicatedInfo describes a dedicated listener.
type DedicatedInfo struct {
	Mode        Mode   `json:"mode"`
	URL         string `json:"url"`
	Certificate string `json:"certificate,omitempty"` // PEM of what a client must trust
	Open        bool   `json:"open"`
}

// CreateEndpoint makes an endpoint. It fails if the request is not valid, if
// there are too many endpoints, or if the dedicated listener finds no port.
func (r *Receiver) CreateEndpoint(request EndpointRequest) (EndpointInfo, error) {
	e := &endpoint{id: "ep-" + newToken()[:16], token: newToken(), created: time.Now().UTC()}
	if err := r.equip(e, request, 0); err != nil {
		return EndpointInfo{}, fmt.Errorf("create endpoint: %w", err)
	}
	if request.Dedicated != "" {
		if err := r.dedicate(e, request.Dedicated, request.Closed); err != nil {
			return EndpointInfo{}, fmt.Errorf("create endpoint: %w", err)
		}
	}
	if err := r.endpoints.add(e); err != nil {
		e.close()
		return EndpointInfo{}, fmt.Errorf("create endpoint: %w", err)
	}
	if err := r.saveEndpoint(e); err != nil {
		if _, gone := r.endpoints.remove(e.id); gone == nil {
			e.close()
		}
		return EndpointInfo{}, fmt.Errorf("create endpoint: %w", err)
	}
	r.readers.tell(streamed{event: "endpoints"})
	return r.describe(e), nil
}

// Endpoints describes the endpoints, oldest first.
func (r *Receiver) Endpoints() []EndpointInfo {
	list := []EndpointInfo{}
	for _, e := range r.endpoints.all() {
		list = append(list, r.describe(e))
	}
	return list
}

// SetBehaviour replaces the behaviour of an endpoint from the next request on.
func (r *Receiver) SetBehaviour(id string, b behaviour.Behaviour) error {
	encoded, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("set behaviour: %w", err)
	}
	if err := r.endpoints.follow(id, b, int64(len(encoded))); err != nil {
		return err
	}
	return r.changed(id)
}

// changed keeps what an endpoint is now, and tells the readers.
func (r *Receiver) changed(id string) error {
	e, err := r.endpoints.withID(id)
	if err != nil {
		return err
	}
	if err := r.saveEndpoint(e); err != nil {
		return err
	}
	r.readers.tell(streamed{event: "endpoints"})
	return nil
}

// equip gives the endpoint what the request asks for, save its listener. Its
// record goes on after the sequence number.
func (r *Receiver) equip(e *endpoint, request EndpointRequest, after int64) error {
	e.name, e.choice = request.Name, request.TLS
	if e.choice.Subject != "" {
		var err error
		if e.choice.issuer, err = pki.NewAuthority(e.choice.Subject); err != nil {
			return err
		}
	}
	e.script, e.scriptBytes = behaviour.NewScript(request.Behaviour), request.behaviourBytes
	e.deliveries = record.ContinueLog(r.budget, after, r.leave)
	e.gone = make(chan struct{})
	if request.Emulation == nil {
		return nil
	}
	service, err := emulation.New(*request.Emulation)
	if err != nil {
		return fmt.Errorf("emulation: %w", err)
	}
	e.service, e.emulation = service, request.Emulation
	return nil
}

// dedicate gives the endpoint a listener of its own.
func (r *Receiver) dedicate(e *endpoint, mode Mode, closed bool) error {
	l, err := r.dedicatedListener(e, mode)
	if err != nil {
		return err
	}
	if err := l.OpenDedicated(); err != nil {
		return fmt.Errorf("%w: %w", errListenerNotReady, err)
	}
	if closed {
		l.Close()
	}
	e.dedicated = l
	return nil
}

// dedicatedListener makes the endpoint's listener, not open yet.
func (r *Receiver) dedicatedListener(e *endpoint, mode Mode) (*listener, error) {
	if !mode.valid() {
		return nil, fmt.Errorf("%q is not a mode of a listener", mode)
	}
	e.connections = record.NewLog[Connection](r.budget)
	l, err := r.newListener(mode, e.choice, e.connections)
	if err != nil {
		return nil, err
	}
	if mode.sink() {
		l.lines = func(ctx context.Context, conn net.Conn, from *peer) { r.takeLines(ctx, conn, from, e) }
	}
	return l, nil
}

// show gives the endpoint's dedicated listener a new certificate such as the
// mode presents, or, with the mode plain, no TLS at all. Whether it asks for a
// client certificate stays.
func (r *Receiver) show(e *endpoint, shown Mode) error {
	switch {
	case !shown.valid() || shown.sink():
		return badRequest("shows: %q is none of %v", shown, Modes())
	case e.dedicated == nil:
		return errNotDedicated
	}
	mode := e.dedicated.mode
	if shown == Plain {
		mode = Plain
	} else if mode == Plain || mode == TCP {
		return badRequest("shows: a listener of mode %s has no certificate", mode)
	}
	config, trust, err := r.authorities.present(mode, shown, e.choice)
	if err != nil {
		return err
	}
	if config != nil {
		config = r.pieces.secure(config)
	}
	return e.setCertificate(config, trust)
}

// describe says how the endpoint is reached and what it does.
func (r *Receiver) describe(e *endpoint) EndpointInfo {
	path := "/hooks/" + e.token
	info := EndpointInfo{
		ID: e.id, Name: e.name, CreatedAt: e.created, Token: e.token, URLs: map[Mode]string{},
		Behaviour: e.current().Behaviour(), Last: e.deliveries.Newest(0).Last,
	}
	for mode, l := range r.listeners {
		info.URLs[mode] = l.URL() + path
	}
	if e.emulation != nil {
		info.Emulation = e.emulation.Kind
	}
	if l := e.dedicated; l != nil {
		if l.mode.sink() {
			path = "" // there is none in a stream of lines
		}
		info.Dedicated = &DedicatedInfo{Mode: l.mode, URL: l.URL() + path, Certificate: l.Certificate(), Open: l.IsOpen()}
	}
	return info
}
