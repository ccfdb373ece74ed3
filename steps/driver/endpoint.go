package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// Endpoint is an address at the receiver simulator that belongs to one
// scenario.
type Endpoint struct {
	Name string // what the scenario calls it
	ID   string
	// URLs are the endpoint's addresses, by listener mode.
	URLs map[string]string
	// URL is the address to configure: that of the endpoint's own listener
	// where it has one.
	URL string
	// Certificate is the PEM that a client must trust to reach URL.
	Certificate []byte
	// Dedicated tells that the endpoint has a listener of its own, so that
	// its connections are seen and it can be closed and opened.
	Dedicated bool

	seen, seenConnections int
}

// Listener says on which listener of the receiver an endpoint is wanted.
type Listener struct {
	Mode      string `json:"mode"` // "trusted", "self-signed", "unknown-ca", …
	Dedicated bool   `json:"dedicated"`
	Open      bool   `json:"open"`
}

// Behaviour is a script of answers: one action a request, then Then.
type Behaviour struct {
	Steps []Action `json:"steps,omitempty"`
	Then  *Action  `json:"then,omitempty"` // nil: 200
}

// Action is one answer of the receiver.
type Action struct {
	Status      int               `json:"status,omitempty"`
	Delay       string            `json:"delay,omitempty"` // a Go duration
	Headers     map[string]string `json:"headers,omitempty"`
	Body        string            `json:"body,omitempty"`
	ContentType string            `json:"contentType,omitempty"`
	Reset       bool              `json:"reset,omitempty"`
	Hang        bool              `json:"hang,omitempty"`
}

// NewEndpoint makes an endpoint at the receiver.
func (d *Driver) NewEndpoint(ctx context.Context, name string, listener Listener, behaviour Behaviour) (*Endpoint, error) {
	wanted := map[string]any{"name": d.log.Scenario + "#" + name, "behaviour": behaviour}
	if listener.Dedicated { // the shared listeners are there for every endpoint
		// Its certificates name the run: scenarios upload them to the target.
		wanted["listener"] = struct {
			Listener
			Subject string `json:"subject"`
		}{listener, d.Name("receiver")}
	}
	made, err := d.inspect(ctx, http.MethodPost, "/inspect/endpoints", wanted, http.StatusCreated)
	if err != nil {
		return nil, err
	}
	var answer struct {
		ID        string
		URLs      map[string]string
		Dedicated *struct{ URL, Certificate string }
	}
	if err := json.Unmarshal(made.Response.Body, &answer); err != nil {
		return nil, fmt.Errorf("read the receiver's new endpoint: %w", err)
	}
	e := &Endpoint{Name: name, ID: answer.ID, URLs: answer.URLs, URL: answer.URLs[listener.Mode]}
	if answer.Dedicated != nil {
		e.Dedicated, e.URL, e.Certificate = true, answer.Dedicated.URL, []byte(answer.Dedicated.Certificate)
	}
	if e.URL == "" {
		return nil, fmt.Errorf("the receiver has no listener %q", listener.Mode)
	}
	return e, nil
}

// Behave replaces the endpoint's behaviour, from the next request on.
func (d *Driver) Behave(ctx context.Context, e *Endpoint, behaviour Behaviour) error {
	_, err := d.inspect(ctx, http.MethodPut, "/inspect/endpoints/"+e.ID+"/behaviour", behaviour, http.StatusNoContent)
	return err
}

// Open opens or closes the endpoint's own listener; closed, connections to
// it are refused.
func (d *Driver) Open(ctx context.Context, e *Endpoint, open bool) error {
	_, err := d.inspect(ctx, http.MethodPut, "/inspect/endpoints/"+e.ID+"/listener", map[string]bool{"open": open}, http.StatusOK)
	return err
}

// Show gives the endpoint's own listener a certificate of another kind, by its
// mode, and closes its connections; "plain" is a listener without TLS.
func (d *Driver) Show(ctx context.Context, e *Endpoint, mode string) (transcript.Exchange, error) {
	return d.inspect(ctx, http.MethodPut, "/inspect/endpoints/"+e.ID+"/listener", map[string]string{"shows": mode}, http.StatusOK)
}

// inspect makes a call to the receiver's inspection API. The receiver is the
// suite's own, so that anything but the wanted status is the suite's error.
func (d *Driver) inspect(ctx context.Context, method, path string, body any, status int) (transcript.Exchange, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return transcript.Exchange{}, err
	}
	x, err := d.Do(ctx, Call{Peer: Receiver, Method: method, Path: path, Body: data, Header: map[string]string{"Content-Type": "application/json"}})
	switch {
	case err != nil:
		return x, err
	case x.Response == nil:
		return x, fmt.Errorf("%s %s at the receiver: %s", method, path, x.Error)
	case x.Response.Status != status:
		return x, fmt.Errorf("%s %s at the receiver: status %d, want %d: %s", method, path, x.Response.Status, status, x.Response.Body)
	}
	return x, nil
}

// AwaitDeliveries looks at the endpoint until done says so or the deadline
// has passed, and tells which of the two it was. Done is asked first before
// any look, with everything recorded so far.
func (d *Driver) AwaitDeliveries(ctx context.Context, e *Endpoint, deadline time.Duration, done func() bool) (bool, error) {
	return d.await(ctx, Look{Endpoint: e}, deadline, done)
}

// AwaitConnections is AwaitDeliveries for connections to the endpoint's own
// listener.
func (d *Driver) AwaitConnections(ctx context.Context, e *Endpoint, deadline time.Duration, done func() bool) (bool, error) {
	return d.await(ctx, Look{Endpoint: e, Connections: true}, deadline, done)
}

// maxWait is the longest single look: short enough that a lost answer of the
// receiver does not cost a whole deadline.
const maxWait = 10 * time.Second

func (d *Driver) await(ctx context.Context, look Look, deadline time.Duration, done func() bool) (bool, error) {
	begin := d.backend.Now()
	for !done() {
		left := deadline - d.backend.Now().Sub(begin)
		look.Wait, look.Last = min(max(left, 0), maxWait), left <= 0
		over, err := d.look(ctx, look)
		if err != nil {
			return false, err
		}
		if over {
			return done(), nil
		}
	}
	return true, nil
}

// LookOnce records what has come to the endpoint until now, without waiting.
func (d *Driver) LookOnce(ctx context.Context, e *Endpoint) error {
	_, err := d.look(ctx, Look{Endpoint: e, Last: true})
	return err
}

func (d *Driver) look(ctx context.Context, look Look) (over bool, err error) {
	e := look.Endpoint
	look.AfterDelivery, look.AfterConnection = e.seen, e.seenConnections
	entry, err := d.backend.Watch(ctx, look)
	if err != nil {
		return false, err
	}
	for _, delivery := range entry.Watch.Deliveries {
		e.seen = max(e.seen, delivery.Seq)
	}
	for _, connection := range entry.Watch.Connections {
		e.seenConnections = max(e.seenConnections, connection.Seq)
	}
	d.append(entry)
	return entry.Watch.Over, nil
}

// attemptsWait is how long one look for attempts waits for something new.
const attemptsWait = time.Second

// AwaitAttempts looks at what the reference emitter tried to deliver for a
// subscription until done says so, or nothing more was answered for the
// deadline, and tells which of the two it was. Done is asked first before any
// look, with everything recorded so far. Attempts without an answer do not put
// off the end: at a receiver that is gone there is one after the other.
func (d *Driver) AwaitAttempts(ctx context.Context, subscription string, deadline time.Duration, done func() bool) (bool, error) {
	var since time.Time
	for !done() {
		x, err := d.Do(ctx, Call{Peer: Control, Method: http.MethodGet, Path: fmt.Sprintf("/control/subscriptions/%s/attempts?after=%d&wait=%v", subscription, d.tried[subscription], attemptsWait)})
		if err != nil {
			return false, err
		}
		if x.Response == nil || x.Response.Status != http.StatusOK {
			return false, fmt.Errorf("ask the reference emitter for its attempts: %s", x.Error)
		}
		news := gjson.GetBytes(x.Response.Body, "attempts.#.seq").Array()
		if len(news) > 0 {
			d.tried[subscription] = int(news[len(news)-1].Int())
		}
		answered := gjson.GetBytes(x.Response.Body, "attempts.#(status>0)").Exists()
		switch {
		case answered || since.IsZero():
			since = x.End
		case x.End.Sub(since) >= deadline:
			return done(), nil
		}
	}
	return true, nil
}
