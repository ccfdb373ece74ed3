package receiver

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
)

// respond writes the answer. That the client is gone is no error here: what it
// was sent is recorded already. It panics with http.ErrAbortHandler if the
// answer is to break off, or has to.
func respond(ctx context.Context, w http.ResponseWriter, connection *transport, action behaviour.Action, gone <-chan struct{}) {
	setHeaders(w.Header(), action)
	w.WriteHeader(action.Code())
	if action.BodyBytes == 0 && action.Drip == nil && action.CutAfter == nil {
		_, _ = io.WriteString(w, action.Body)
		return
	}
	length := action.Length()
	if action.CutAfter != nil {
		length = *action.CutAfter
	}
	control := http.NewResponseController(w)
	_ = control.Flush() // of the headers
	if !pour(ctx, w, control, action, length, gone) {
		panic(http.ErrAbortHandler)
	}
	if action.CutAfter != nil {
		_ = control.Flush()
		connection.reset()
		panic(http.ErrAbortHandler)
	}
}

func setHeaders(header http.Header, action behaviour.Action) {
	if action.Length() > 0 {
		header.Set("Content-Type", "text/plain; charset=utf-8")
		header.Set("Content-Length", strconv.FormatInt(action.Length(), 10))
	}
	if action.RetryAfter > 0 {
		header.Set("Retry-After", strconv.FormatInt(int64(time.Duration(action.RetryAfter)/time.Second), 10))
	}
	if action.Redirect != "" {
		header.Set("Location", action.Redirect)
	}
	for name, value := range action.Headers {
		header.Set(name, value)
	}
	if action.ContentType != "" {
		header.Set("Content-Type", action.ContentType)
	}
}

// pieceBytes is how much of a long body is written at a time, and pieceTimeout
// how long a client may take to read that.
const (
	pieceBytes   = 32 << 10
	pieceTimeout = 2 * time.Minute
)

// pour writes the first length bytes of the body, in drips if so wanted, and
// says whether it could.
func pour(ctx context.Context, w io.Writer, control *http.ResponseController, action behaviour.Action, length int64, gone <-chan struct{}) bool {
	piece := int64(pieceBytes)
	if action.Drip != nil {
		piece = int64(action.Drip.Bytes)
	}
	defer func() { _ = control.SetWriteDeadline(time.Time{}) }()
	for sent := int64(0); sent < length; {
		if action.Drip != nil && !sleepUntil(ctx, time.Now().Add(time.Duration(action.Drip.Every)), gone) {
			return false
		}
		end := min(sent+piece, length)
		_ = control.SetWriteDeadline(time.Now().Add(pieceTimeout))
		if _, err := w.Write(part(action, sent, end)); err != nil {
			return false
		}
		if action.Drip != nil && control.Flush() != nil {
			return false
		}
		sent = end
	}
	return true
}

// part returns the bytes of the body from one position to another. A body that
// is made is lines of 63 dots.
func part(action behaviour.Action, from, to int64) []byte {
	if action.BodyBytes == 0 {
		return []byte(action.Body[from:to])
	}
	made := make([]byte, to-from)
	for i := range made {
		if made[i] = '.'; (from+int64(i))%64 == 63 {
			made[i] = '\n'
		}
	}
	return made
}
