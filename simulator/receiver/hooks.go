package receiver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
	"github.com/hookproof/hookproof/simulator/receiver/emulation"
)

const (
	// bodyTimeout bounds the time for reading one body.
	bodyTimeout = 2 * time.Minute
	// firstBodyBytes is what is allotted to a body before any of it came, at
	// most: a declared length is a claim, not a fact.
	firstBodyBytes = 64 << 10
	// growth is by how much the room for a body of declared length grows.
	growth = 16
	// maxDrainBytes of a body that is too long are read and thrown away, so
	// that a client which sends before it listens still sees the answer.
	maxDrainBytes = 8 << 20
)

// hookHandler takes the deliveries.
func (r *Receiver) hookHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		firstByteAt := time.Now().UTC()
		e := r.endpoints.withToken(hookToken(req.URL.Path))
		if e == nil || e.dedicated != nil && e.dedicated.mode.sink() {
			writeError(w, http.StatusNotFound, "no such hook")
			return
		}
		turn, err := r.take(w, req, e, firstByteAt)
		if err != nil {
			writeError(w, http.StatusNotFound, "no such hook")
			return
		}
		r.answer(w, req, e, turn)
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

// turn is a delivery that was recorded, and what is to happen to it.
type turn struct {
	*kept
	script *behaviour.Script
	action behaviour.Action
	at     time.Time // when the answer is due
}

// take reads the request to its end, chooses what will happen to it and
// records both. The error is that the endpoint was deleted meanwhile.
func (r *Receiver) take(w http.ResponseWriter, req *http.Request, e *endpoint, firstByteAt time.Time) (turn, error) {
	r.working.Add(1)
	defer r.working.Add(-1)
	body := r.readBody(w, req)
	defer r.bodies.release(body.reserved)
	from := peerOf(req.Context())
	k := &kept{Delivery: Delivery{
		Listener: from.mode, Method: req.Method, Target: req.RequestURI, Proto: req.Proto, Host: req.Host,
		Headers: req.Header, Body: body.bytes, Truncated: body.overflow != 0,
		FirstByteAt: firstByteAt, LastByteAt: time.Now().UTC(), Complete: body.complete,
		RemoteAddr: req.RemoteAddr, TLS: from.tls,
	}}
	if len(req.TransferEncoding) > 0 {
		// The server takes the framing out of the headers; it was sent.
		k.Headers = req.Header.Clone()
		k.Headers["Transfer-Encoding"] = req.TransferEncoding
	}
	t := turn{kept: k}
	look := e.current().Look(behaviour.Request{Method: k.Method, Header: k.Headers, Body: k.Body})
	emulate := e.emulator(req, k.Body)
	// Recording and choosing are one step, so that the n-th delivery takes
	// the n-th action of the script.
	stored, err := r.keep(e, k, func(int64) {
		t.script = e.current()
		t.action = emulate(t.script.Next(look))
		switch {
		case body.overflow != 0:
			t.action = behaviour.Action{Status: body.overflow}
		case !body.complete:
			t.action = behaviour.Action{Reset: true}
		}
		k.Answer = planned(t.action)
	})
	t.at = k.Answer.At
	if err == nil && stored != nil {
		if failed := <-stored; failed != nil {
			r.refuse(&t, failed)
		}
	}
	return t, err
}

// refuse answers 503 instead: what could not be kept must not be acknowledged.
func (r *Receiver) refuse(t *turn, failed error) {
	r.errorLog.Printf("delivery %d is not on disk and is refused: %v", t.number, failed)
	t.action = behaviour.Action{Status: http.StatusServiceUnavailable}
	answer := planned(t.action)
	t.refused.Store(&answer)
	t.at = answer.At
}

// emulator returns what the emulated service makes of an action: its own
// answer where a plain 200 would be given, and its own body where an error has
// none. Without a service actions stay as they are.
func (e *endpoint) emulator(req *http.Request, body []byte) func(behaviour.Action) behaviour.Action {
	if e.service == nil {
		return func(a behaviour.Action) behaviour.Action { return a }
	}
	_, below, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/hooks/"), "/")
	if below != "" {
		below = "/" + below
	}
	answer := e.service.Answer(emulation.Request{
		Method: req.Method, Path: below, Query: req.URL.Query(), Header: req.Header, Body: body,
	})
	return func(a behaviour.Action) behaviour.Action {
		content := e.service.Error(a.Code())
		switch {
		case a.Plain():
			a.Status, content = answer.Status, answer.Body
		case a.Code() < http.StatusBadRequest || a.Length() > 0 || a.ContentType != "":
			return a
		}
		if len(content) > 0 {
			a.Body, a.ContentType = string(content), "application/json"
		}
		return a
	}
}

// planned describes an action before it is taken.
func planned(a behaviour.Action) Answer {
	answer := Answer{Action: Respond, Status: a.Code(), CutAfter: a.CutAfter, At: time.Now().UTC().Add(time.Duration(a.Delay))}
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
func (r *Receiver) answer(w http.ResponseWriter, req *http.Request, e *endpoint, t turn) {
	connection := peerOf(req.Context()).transport
	switch {
	case t.action.Reset && !t.Complete:
		panic(http.ErrAbortHandler) // the client has ended it already
	case t.action.Reset:
		connection.reset()
		panic(http.ErrAbortHandler)
	case t.action.Hang:
		select {
		case <-t.script.Retired():
			connection.Close()
		case <-req.Context().Done():
		}
		panic(http.ErrAbortHandler)
	}
	if !sleepUntil(req.Context(), t.at, e.gone) {
		connection.Close()
		panic(http.ErrAbortHandler)
	}
	if t.Truncated {
		w.Header().Set("Connection", "close")
		_, _ = io.CopyN(io.Discard, req.Body, maxDrainBytes)
	}
	respond(req.Context(), w, connection, t.action, e.gone)
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
func (r *Receiver) readBody(w http.ResponseWriter, req *http.Request) (b body) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
	defer func() { _ = control.SetReadDeadline(time.Time{}) }()

	b.bytes = []byte{}
	if req.ContentLength == 0 {
		b.complete = true
		return b
	}
	if req.ContentLength < 0 || req.ContentLength >= firstBodyBytes {
		first, ok := r.beginnings.Get().(*[firstBodyBytes]byte)
		if !ok {
			first = new([firstBodyBytes]byte)
		}
		defer r.beginnings.Put(first)
		if !b.begin(&r.bodies, first) {
			return b
		}
		defer b.own(first)
	} else if !b.grow(&r.bodies, int(req.ContentLength)+1) {
		return b
	}
	for {
		if len(b.bytes) == cap(b.bytes) && !b.grow(&r.bodies, nextRoom(cap(b.bytes), req.ContentLength)) {
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

// begin has the body begin in memory that is lent.
func (b *body) begin(memory *inFlight, lent *[firstBodyBytes]byte) bool {
	if !memory.reserve(firstBodyBytes) {
		b.overflow = http.StatusServiceUnavailable
		return false
	}
	b.bytes, b.reserved = lent[:0], firstBodyBytes
	return true
}

// own has the body leave memory that was lent, if it is still there.
func (b *body) own(lent *[firstBodyBytes]byte) {
	if cap(b.bytes) > 0 && &b.bytes[:1][0] == &lent[0] {
		b.bytes = append(make([]byte, 0, len(b.bytes)), b.bytes...)
	}
}

// nextRoom is the room to make when the present one is full: what the client
// declared, but at most growth times what it has sent, so that a claim takes
// little more memory than it sent bytes.
func nextRoom(present int, declared int64) int {
	room := int64(2 * present)
	if declared >= int64(present) {
		room = min(declared+1, int64(growth*present))
	}
	return int(min(room, MaxBodyBytes+1))
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
