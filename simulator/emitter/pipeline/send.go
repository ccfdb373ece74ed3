package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

const (
	userAgent = "hookproof-emitter"

	// answerBytes and answerWithin bound how much of an answer's body is read,
	// so that the connection can be used again. What it says does not matter.
	answerBytes  = 64 << 10
	answerWithin = time.Second
)

// Payload is a body made from a batch. The same payload is sent until it is
// accepted.
type Payload struct {
	Body        []byte
	ContentType string
	Events      int
	// First is its first event.
	First auditlog.Position
	// Next is the first event after the payload; the cursor goes there once the
	// payload is accepted.
	Next auditlog.Position
	// Oldest is when the oldest of its events was accepted.
	Oldest time.Time

	more    bool          // the end of the log was not reached: there may be more to send
	readers *atomic.Int64 // of Body, open now; nil: they are not counted
	pieces  *Pieces       // that it was gathered with
	letGo   *letGo        // instead of Body; nil: it is there
}

// ID names the delivery in logs: where its first event stands in the audit log.
// It is the same for all attempts, also after a restart.
func (p Payload) ID() string { return fmt.Sprintf("%d.%d", p.First.Sequence, p.First.Index) }

// Attempt is one try to deliver a payload.
type Attempt struct {
	Subscription subscription.Subscription // as configured now
	Payload      Payload
	Number       int // from 1
}

// Result is how an attempt ended: with an answer's status, or an error before
// there was one. Without both, a payload was written to a TCP_IP stream.
type Result struct {
	Status int
	Err    error
}

func (r Result) String() string {
	if r.Err != nil {
		return r.Err.Error()
	}
	return fmt.Sprintf("status %d", r.Status)
}

// Delivered says whether the receiver took the payload: it answered 200 and
// nothing else (V1). Over TCP_IP nothing is answered, and nothing went wrong.
func Delivered(a Attempt, r Result) bool {
	return r.Err == nil && (r.Status == http.StatusOK || a.Subscription.Protocol == subscription.TCPIP)
}

// DeliveredBy2xx is Delivered where every 2xx counts: for receivers that
// acknowledge with 202 or 204, as log APIs do.
func DeliveredBy2xx(a Attempt, r Result) bool {
	return Delivered(a, r) || r.Err == nil && r.Status >= 200 && r.Status < 300
}

// Prepare makes the request of an attempt: a POST to the configured URL with
// every configured header, value unchanged. A configured Content-Type or
// User-Agent replaces the emitter's.
func Prepare(ctx context.Context, a Attempt) (*http.Request, error) {
	s := a.Subscription
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, nil)
	if err != nil { // it repeats the URL, whose query may be a secret
		return nil, errors.New("the subscription's URL cannot be requested")
	}
	if req.URL.Scheme != "https" {
		return nil, fmt.Errorf("deliveries go over HTTPS, not %s", req.URL.Scheme)
	}
	if len(a.Payload.Body) > 0 {
		req.ContentLength = int64(len(a.Payload.Body))
		req.Body = a.Payload.open()
		req.GetBody = func() (io.ReadCloser, error) { return a.Payload.open(), nil }
	}
	req.Header.Set("Content-Type", a.Payload.ContentType)
	req.Header.Set("User-Agent", userAgent)
	for name, value := range s.Headers {
		if strings.EqualFold(name, "Host") {
			req.Host = value
			continue
		}
		req.Header.Set(name, value)
	}
	return req, nil
}

// Exchange sends the request and returns the answer's status. Redirects are
// answers like any other.
func Exchange(transport http.RoundTripper, req *http.Request) Result {
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	answer, err := transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return Result{Err: err}
	}
	defer answer.Body.Close()
	defer time.AfterFunc(answerWithin, cancel).Stop()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, answerBytes)) // the status has decided already
	return Result{Status: answer.StatusCode}
}
