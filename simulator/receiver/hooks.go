package receiver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
)

const (
	// bodyTimeout bounds the time for reading one body.
	bodyTimeout = 2 * time.Minute
	// firstBodyBytes is what is allotted to a body before any of it came, at
	// most: a declared length is a claim, not a fact.
	firstBodyBytes = 64 << 10
	// maxDrainBytes of a body that is too long are read and thrown away, so
	// that a client which sends before it listens still sees the answer.
	maxDrainBytes = 8 << 20
)

// hookHandler takes the deliveries.
func (r *Receiver) hookHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		firstByteAt := time.Now().UTC()
		e := r.endpoints.withToken(hookToken(req.URL.Path))
		if e == nil {
			writeError(w, http.StatusNotFound, "no such hook")
			return
		}
		delivery, script, action, err := r.take(w, req, e, firstByteAt)
		if err != nil {
			writeError(w, http.StatusNotFound, "no such hook")
			return
		}
		r.answer(w, req, e, delivery, script, action)
	})
}

// hookToken returns the token in a path /hooks/{token}[/…], or nothing.
func hookToken(path string) string {
	rest, ok := strings.CutPrefix(path, "/hooks/")
	if !ok {
		return ""
	}
	token, _, _ := strings.Cut(rest, "/")
	return token
}

// take reads the request to its end, chooses what will happen to it and
// records both. The error is that the endpoint was deleted meanwhile.
func (r *Receiver) take(w http.ResponseWriter, req *http.Request, e *endpoint, firstByteAt time.Time) (Delivery, *behaviour.Script, behaviour.Action, error) {
	body := r.readBody(w, req)
	defer r.bodies.release(body.reserved)
	from := peerOf(req.Context())
	d := Delivery{
		Listener: from.mode, Method: req.Method, Target: req.RequestURI, Proto: req.Proto, Host: req.Host,
		Headers: req.Header, Body: body.bytes, Truncated: body.overflow != 0,
		FirstByteAt: firstByteAt, LastByteAt: time.Now().UTC(), Complete: body.complete,
		RemoteAddr: req.RemoteAddr, TLS: from.tls,
	}
	if len(req.TransferEncoding) > 0 {
		// The server takes the framing out of the headers; it was sent.
		d.Headers = req.Header.Clone()
		d.Headers["Transfer-Encoding"] = req.TransferEncoding
	}
	var script *behaviour.Script
	var action behaviour.Action
	// Recording and choosing are one step, so that the n-th delivery takes
	// the n-th action of the script.
	err := e.deliveries.Append(d.size(), func(seq int64) Delivery {
		script = e.current()
		action = script.Next()
		switch {
		case body.overflow != 0:
			action = behaviour.Action{Status: body.overflow}
		case !body.complete:
			action = behaviour.Action{Reset: true}
		}
		d.Seq, d.Answer = seq, planned(action)
		return d
	})
	return d, script, action, err
}

// planned describes an action before it is taken.
func planned(a behaviour.Action) Answer {
	answer := Answer{Action: Respond, Status: a.Code(), At: time.Now().UTC().Add(time.Duration(a.Delay))}
	switch {
	case a.Reset:
		answer.Action = Reset
	case a.Hang:
		answer.Action = Hang
	}
	return answer
}

// answer does to the request what was planned. It panics with
// http.ErrAbortHandler where no answer is to be sent.
func (r *Receiver) answer(w http.ResponseWriter, req *http.Request, e *endpoint, d Delivery, script *behaviour.Script, action behaviour.Action) {
	connection := peerOf(req.Context()).transport
	switch {
	case action.Reset && !d.Complete:
		panic(http.ErrAbortHandler) // the client has ended it already
	case action.Reset:
		connection.reset()
		panic(http.ErrAbortHandler)
	case action.Hang:
		select {
		case <-script.Retired():
			connection.Close()
		case <-req.Context().Done():
		}
		panic(http.ErrAbortHandler)
	}
	if !sleepUntil(req.Context(), d.Answer.At, e.gone) {
		connection.Close()
		panic(http.ErrAbortHandler)
	}
	if d.Truncated {
		w.Header().Set("Connection", "close")
		_, _ = io.CopyN(io.Discard, req.Body, maxDrainBytes)
	}
	respond(w, action)
}

// sleepUntil waits for the time to come and says whether it came, before the
// request or the endpoint ended.
func sleepUntil(ctx context.Context, at time.Time, gone <-chan struct{}) bool {
	left := time.Until(at)
	if left <= 0 {
		return true
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-gone:
	case <-ctx.Done():
	}
	return false
}

// respond writes the answer. That the client is gone is no error here: what it
// was sent is recorded already.
func respond(w http.ResponseWriter, action behaviour.Action) {
	header := w.Header()
	if action.Body != "" {
		header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	for name, value := range action.Headers {
		header.Set(name, value)
	}
	if action.ContentType != "" {
		header.Set("Content-Type", action.ContentType)
	}
	w.WriteHeader(action.Code())
	_, _ = io.WriteString(w, action.Body)
}

// body is what was read of a request's body.
type body struct {
	bytes    []byte
	complete bool  // read to its end
	overflow int   // the status to refuse it with, if there was no room for all
	reserved int64 // bytes to be released when it is recorded
}

// readBody reads the body within the bounds. The deadline for reading is the
// body's alone: afterwards the server reads on to notice a client that leaves,
// however long the answer is delayed.
func (r *Receiver) readBody(w http.ResponseWriter, req *http.Request) body {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
	defer func() { _ = control.SetReadDeadline(time.Time{}) }()

	b := body{bytes: []byte{}}
	if req.ContentLength == 0 {
		b.complete = true
		return b
	}
	room := firstBodyBytes
	if req.ContentLength > 0 {
		room = int(min(req.ContentLength+1, firstBodyBytes))
	}
	if !b.grow(&r.bodies, room) {
		return b
	}
	for {
		if len(b.bytes) == cap(b.bytes) && !b.grow(&r.bodies, min(2*cap(b.bytes), MaxBodyBytes+1)) {
			return b
		}
		n, err := req.Body.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		switch {
		case len(b.bytes) > MaxBodyBytes:
			b.bytes = b.bytes[:MaxBodyBytes]
			b.overflow = http.StatusRequestEntityTooLarge
			return b
		case err != nil:
			b.complete = errors.Is(err, io.EOF)
			b.fit()
			return b
		}
	}
}

// grow makes room for size bytes, or sets the status for having none.
func (b *body) grow(memory *inFlight, size int) bool {
	if !memory.reserve(int64(size)) {
		b.overflow = http.StatusServiceUnavailable
		return false
	}
	b.bytes = append(make([]byte, 0, size), b.bytes...)
	memory.release(b.reserved)
	b.reserved = int64(size)
	return true
}

// fit gives back the room that was not used, where that is worth a copy.
func (b *body) fit() {
	if unused := cap(b.bytes) - len(b.bytes); unused > 256+len(b.bytes)/8 {
		b.bytes = append(make([]byte, 0, len(b.bytes)), b.bytes...)
	}
}
