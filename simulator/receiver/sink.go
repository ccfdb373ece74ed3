package receiver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
)

const (
	// sinkIdleTimeout is how long a sink waits for the next line, and for the
	// next byte of a frame whose length was announced.
	sinkIdleTimeout = 5 * time.Minute
	// sinkQuiet is how long a sink waits for the rest of a line. Not every
	// stream has line breaks: what has come by then is recorded as it is.
	sinkQuiet = time.Second
	// frameDigits bounds the length of a frame in octet counting.
	frameDigits = 9
)

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

// readLine reads up to a line break, which is not part of the line, or a log
// line in octet counting, without its length.
func (r *Receiver) readLine(conn net.Conn, lines *bufio.Reader) (body, error) {
	if length := frameLength(conn, lines); length > 0 {
		return r.readFrame(conn, lines, length)
	}
	b := body{bytes: []byte{}}
	for {
		_ = conn.SetReadDeadline(time.Now().Add(sinkQuiet))
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
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = nil // more may come
			}
			return b, err
		}
	}
}

// frameLength takes the length that stands before a log line in octet counting
// (RFC 6587, section 3.4.1), and the space behind it. It is 0, and nothing is
// taken, where something else comes.
func frameLength(conn net.Conn, lines *bufio.Reader) int {
	_ = conn.SetReadDeadline(time.Now().Add(sinkQuiet))
	for n := 1; n <= frameDigits+1; n++ {
		head, err := lines.Peek(n)
		if err != nil {
			return 0
		}
		if last := head[n-1]; last >= '0' && last <= '9' {
			continue
		}
		length, err := strconv.Atoi(string(head[:n-1]))
		if err != nil || head[n-1] != ' ' {
			return 0
		}
		if head, err = lines.Peek(n + 1); err != nil || head[n] != '<' {
			return 0 // a log line begins with its priority
		}
		_, _ = lines.Discard(n) // it was peeked at
		return length
	}
	return 0
}

// readFrame reads so many bytes.
func (r *Receiver) readFrame(conn net.Conn, lines *bufio.Reader, length int) (body, error) {
	b := body{bytes: []byte{}}
	piece := make([]byte, min(length, firstBodyBytes))
	for length > 0 {
		_ = conn.SetReadDeadline(time.Now().Add(sinkIdleTimeout))
		n, err := lines.Read(piece[:min(length, len(piece))])
		length -= n
		room := b.overflow != 0 || b.append(&r.bodies, piece[:n])
		b.complete = length == 0 && b.overflow == 0 && room
		if err != nil {
			b.fit()
			return b, err
		}
	}
	b.fit()
	return b, nil
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
