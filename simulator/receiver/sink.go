package receiver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
)

// sinkIdleTimeout is how long a sink waits for the next byte.
const sinkIdleTimeout = 5 * time.Minute

// takeLines records the lines of one connection to a sink until it ends. Blank
// lines, which keep connections alive, are not recorded.
func (r *Receiver) takeLines(ctx context.Context, conn net.Conn, from *peer, e *endpoint) {
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	lines := bufio.NewReaderSize(conn, firstBodyBytes)
	for {
		line, ok := r.takeLine(conn, lines, from, e)
		if line != nil && !r.obey(ctx, from, e, *line) || !ok {
			return
		}
	}
}

// obey does what is planned after a line, and says whether to read on.
func (r *Receiver) obey(ctx context.Context, from *peer, e *endpoint, t turn) bool {
	switch {
	case t.action.Reset:
		from.transport.reset()
		return false
	case t.action.Hang: // reads no further, so that the client's writing stalls
		select {
		case <-t.script.Retired():
		case <-ctx.Done():
		}
		return false
	}
	return sleepUntil(ctx, t.at, e.gone)
}

// takeLine reads and records one line. It returns no turn for a blank one, and
// false when no more will come.
func (r *Receiver) takeLine(conn net.Conn, lines *bufio.Reader, from *peer, e *endpoint) (*turn, bool) {
	_ = conn.SetReadDeadline(time.Now().Add(sinkIdleTimeout))
	if _, err := lines.Peek(1); err != nil {
		return nil, false
	}
	firstByteAt := time.Now().UTC()
	r.working.Add(1)
	defer r.working.Add(-1)
	body, err := r.readLine(conn, lines)
	defer r.bodies.release(body.reserved)
	if len(bytes.TrimSpace(body.bytes)) == 0 && body.overflow == 0 {
		return nil, err == nil
	}
	k := &kept{Delivery: Delivery{
		Listener: from.mode, Proto: "TCP", Body: body.bytes, Truncated: body.overflow != 0,
		FirstByteAt: firstByteAt, LastByteAt: time.Now().UTC(), Complete: body.complete,
		RemoteAddr: conn.RemoteAddr().String(), TLS: from.tls,
	}}
	t := &turn{kept: k}
	look := e.current().Look(behaviour.Request{Body: k.Body})
	stored, failed := r.keep(e, k, func(int64) {
		t.script = e.current()
		t.action = t.script.Next(look)
		k.Answer = planned(t.action)
		if k.Answer.Action == Respond {
			k.Answer = Answer{Action: None, At: k.Answer.At}
		}
		t.at = k.Answer.At
	})
	if failed == nil && stored != nil {
		failed = <-stored
	}
	if failed != nil {
		r.errorLog.Printf("a line is not kept, its connection is closed: %v", failed)
		return nil, false
	}
	return t, err == nil
}

// readLine reads up to a line break, which is not part of the line.
func (r *Receiver) readLine(conn net.Conn, lines *bufio.Reader) (body, error) {
	b := body{bytes: []byte{}}
	for {
		_ = conn.SetReadDeadline(time.Now().Add(sinkIdleTimeout))
		piece, err := lines.ReadSlice('\n')
		b.complete = err == nil
		piece = bytes.TrimSuffix(piece, []byte("\n"))
		if b.overflow == 0 && !b.append(&r.bodies, piece) {
			b.complete = false
		}
		if b.overflow != 0 {
			b.complete = false
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			b.fit()
			return b, err
		}
	}
}

// append adds a piece within the bounds. It says whether there was room.
func (b *body) append(memory *inFlight, piece []byte) bool {
	if len(b.bytes)+len(piece) > MaxBodyBytes {
		piece = piece[:MaxBodyBytes-len(b.bytes)]
		defer func() { b.overflow = http.StatusRequestEntityTooLarge }()
	}
	if need := len(b.bytes) + len(piece); need > cap(b.bytes) {
		if !b.grow(memory, min(max(need, 2*cap(b.bytes)), MaxBodyBytes)) {
			return false
		}
	}
	b.bytes = append(b.bytes, piece...)
	return true
}
