package driver

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets"
)

// maxAnswer bounds what is kept of an API's answer, in bytes. The largest
// that a scenario needs is a list of 50 subscriptions, well below 1 MiB.
const maxAnswer = 8 << 20

// maxParallel is how many calls of one batch are under way at once: enough
// that 50 creates over a slow line take seconds, few enough not to look like
// an attack.
const maxParallel = 8

// Live is the backend for real systems.
type Live struct {
	client  *Client
	salt    string
	timeout time.Duration

	mu      sync.Mutex
	keys    int                 // given to the scenario
	files   []string            // secrets that the scenario has uploaded
	known   transcript.Redactor // of so many secrets
	counted secretCount
	hook    map[string]string // secrets of the receiver under test, by their marks
	told    map[string]string // secrets that answers told, by their marks
	line    line              // to the receiver under test

	traces traces
}

// NewLive makes a backend over the run's client. No call may take longer
// than timeout; salt keys the marks of the run.
func NewLive(client *Client, salt string, timeout time.Duration) *Live {
	l := &Live{client: client, salt: salt, timeout: timeout, told: map[string]string{}, hook: map[string]string{}}
	for _, secret := range client.hook.secrets {
		l.hook[transcript.NewRedactor(salt).Mark(secret)] = secret
	}
	return l
}

// disclosed is a body in which the marks of the receiver's secrets are
// replaced by the secrets: as they are, or as they stand in a JSON string.
func (l *Live) disclosed(body []byte, inJSON bool) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	for mark, secret := range l.hook {
		if !bytes.Contains(body, []byte(mark)) {
			continue
		}
		if inJSON {
			quoted, err := json.Marshal(secret)
			if err != nil {
				continue // a string always marshals
			}
			secret = string(quoted[1 : len(quoted)-1])
		}
		body = bytes.ReplaceAll(body, []byte(mark), []byte(secret))
	}
	return body
}

// redactor marks the run's own credentials and what the scenario has
// uploaded in secret, even where a target repeats them.
func (l *Live) redactor() transcript.Redactor {
	l.mu.Lock()
	defer l.mu.Unlock()
	ofRun, tokens := l.client.redactor(l.salt)
	if count := (secretCount{tokens, len(l.files)}); count != l.counted {
		l.known, l.counted = ofRun.Knowing(l.files...), count
	}
	return l.known
}

func (l *Live) learn(secret string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.files = append(l.files, secret)
}

// Now is the wall clock.
func (l *Live) Now() time.Time { return time.Now().UTC() }

// Exchange makes the calls, several at a time.
func (l *Live) Exchange(ctx context.Context, calls []Call) ([]transcript.Entry, error) {
	entries := make([]transcript.Entry, len(calls))
	var g errgroup.Group
	g.SetLimit(maxParallel)
	for i, c := range calls {
		g.Go(func() error {
			x, err := l.exchange(ctx, c)
			entries[i] = x
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return entries, nil
}

// exchange makes one call of the scenario. What may make something is not cut
// off with the run: the answer tells what there is to be removed.
func (l *Live) exchange(ctx context.Context, c Call) (transcript.Entry, error) {
	if err := ctx.Err(); err != nil {
		return l.unsent(c, err)
	}
	if !l.traces.begin() {
		return l.unsent(c, errEnded)
	}
	defer l.traces.end()
	switch c.Peer {
	case Hook:
		return l.meet(ctx, c)
	case ReadBack:
		return l.readBack(ctx, c)
	}
	within := ctx
	if c.Method == http.MethodPost {
		within = context.WithoutCancel(ctx)
	}
	return l.paced(ctx, within, c)
}

// paced makes a call within the target's rate limit; it waits no longer than
// ctx, and the call itself has until within.
func (l *Live) paced(ctx, within context.Context, c Call) (entry transcript.Entry, err error) {
	if c.Peer == Receiver { // the suite's own
		return l.send(within, c)
	}
	refused, waiting := l.client.pace.keep(ctx, func() (int, http.Header) {
		if entry, err = l.send(within, c); err != nil || entry.Exchange.Response == nil {
			return 0, nil
		}
		return entry.Exchange.Response.Status, entry.Exchange.Response.Headers
	})
	switch {
	case err != nil:
		return entry, err
	case entry.Exchange == nil:
		return l.unsent(c, waiting)
	}
	entry.Exchange.Refused = refused
	return entry, nil
}

// errEnded is the error of a call that a step makes after its scenario was
// ended.
var errEnded = errors.New("the scenario has been ended")

// unsent is the record of a call that was not made.
func (l *Live) unsent(c Call, err error) (transcript.Entry, error) {
	now := l.Now()
	return transcript.Entry{At: now, Exchange: &transcript.Exchange{
		Peer: c.Peer, Request: transcript.Request{Method: c.Method, Path: c.Path}, Error: err.Error(), End: now,
	}}, nil
}

// send makes one call.
func (l *Live) send(ctx context.Context, c Call) (transcript.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	body, contentType, shown, err := l.encode(c)
	if err != nil {
		return transcript.Entry{}, fmt.Errorf("encode %s %s: %w", c.Method, c.Path, err)
	}
	x := &transcript.Exchange{Peer: c.Peer, Request: transcript.Request{Method: c.Method, Path: c.Path, Body: shown}}
	entry := transcript.Entry{At: l.Now(), Exchange: x}
	fail := func(err error) (transcript.Entry, error) {
		x.End, x.Error = l.Now(), l.redactor().Text(err.Error())
		return entry, nil
	}
	req, err := http.NewRequestWithContext(ctx, c.Method, l.client.base(c.Peer)+c.Path, bytes.NewReader(body))
	if err != nil {
		return transcript.Entry{}, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for name, value := range c.Header {
		req.Header.Set(name, value)
	}
	authorization, err := l.authorization(ctx, c)
	if err != nil {
		return fail(err)
	}
	if authorization != "none" && authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	x.Request.Headers = l.redactor().Headers(req.Header)
	entry.At = l.Now()
	resp, err := l.client.http.Do(req)
	if err != nil {
		return fail(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return fail(fmt.Errorf("read the answer: %w", err))
	}
	if len(answer) > maxAnswer {
		return fail(fmt.Errorf("the answer is longer than %d bytes", maxAnswer))
	}
	x.End = l.Now()
	redact := l.redactor()
	if c.Peer == Emitter || c.Peer == Auth {
		l.remember(redact.Secrets(answer))
	}
	x.Response = &transcript.Response{Status: resp.StatusCode, Headers: redact.Headers(resp.Header), Body: redact.JSON(answer)}
	l.traces.note(c, x.Response, answer)
	return entry, nil
}

// authorization is the Authorization header of a call; "none" is none.
func (l *Live) authorization(ctx context.Context, c Call) (string, error) {
	switch {
	case c.As != nil:
		id, secret := c.As.ID, l.unmarked(c.As.Secret)
		if *c.As == (Credentials{}) {
			id, secret = l.client.system.Emitter.ClientID, l.client.system.Emitter.ClientSecret
		}
		return basic(id, secret), nil
	case c.Authorization != "":
		return l.unmarked(c.Authorization), nil
	}
	return l.client.authorization(ctx, c.Peer)
}

// remember keeps secrets, so that a step that knows but their marks can send
// them.
func (l *Live) remember(secrets map[string]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.Copy(l.told, secrets)
}

// unmarked is a text with the secrets that its marks stand for.
func (l *Live) unmarked(text string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return transcript.Unmark(text, l.told)
}

// encode gives the body to send, its content type if the body decides it,
// and the body to record.
func (l *Live) encode(c Call) (body []byte, contentType string, shown []byte, err error) {
	if c.Form == nil {
		return l.disclosed(c.Body, true), "", l.redactor().JSON(c.Body), nil
	}
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	fields := map[string]string{}
	for _, f := range c.Form {
		header := textproto.MIMEHeader{}
		disposition := fmt.Sprintf(`form-data; name=%q`, f.Name)
		if f.FileName != "" {
			disposition += fmt.Sprintf(`; filename=%q`, f.FileName)
			header.Set("Content-Type", "application/octet-stream")
		}
		header.Set("Content-Disposition", disposition)
		part, err := w.CreatePart(header)
		if err != nil {
			return nil, "", nil, err
		}
		if _, err := part.Write(l.disclosed(f.Value, false)); err != nil {
			return nil, "", nil, err
		}
		fields[f.Name] = string(f.Value)
		if f.Secret {
			l.learn(string(f.Value))
			l.learn(base64.StdEncoding.EncodeToString(f.Value))
			fields[f.Name] = transcript.NewRedactor(l.salt).Mark(string(f.Value))
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", nil, err
	}
	shown, err = json.Marshal(fields)
	return buf.Bytes(), w.FormDataContentType(), shown, err
}

// Fact makes the value.
func (l *Live) Fact(name string, produce func() (any, error)) (transcript.Entry, error) {
	value, err := produce()
	if err != nil {
		return transcript.Entry{}, fmt.Errorf("make %s: %w", name, err)
	}
	data, err := json.Marshal(value)
	if err != nil {
		return transcript.Entry{}, fmt.Errorf("keep %s: %w", name, err)
	}
	return transcript.Entry{At: l.Now(), Fact: &transcript.Fact{Name: name, Value: data}}, nil
}

// seenDelivery is a delivery as the inspection API tells it; the members
// that a transcript names differently, or keeps marked, are here.
type seenDelivery struct {
	transcript.Delivery
	Body []byte `json:"body"`
}

// Watch asks the receiver's inspection API for what is new.
func (l *Live) Watch(ctx context.Context, look Look) (transcript.Entry, error) {
	var deliveries struct{ Deliveries []seenDelivery }
	var connections struct{ Connections []transcript.Connection }
	deliveryWait, connectionWait := look.Wait, time.Duration(0)
	if look.Connections {
		deliveryWait, connectionWait = 0, look.Wait
		if !look.Endpoint.Dedicated {
			return transcript.Entry{}, fmt.Errorf("endpoint %s has no listener of its own whose connections could be seen", look.Endpoint.Name)
		}
	}
	if look.Endpoint.Dedicated {
		if err := l.look(ctx, look.Endpoint, "connections", look.AfterConnection, connectionWait, &connections); err != nil {
			return transcript.Entry{}, err
		}
	}
	if err := l.look(ctx, look.Endpoint, "deliveries", look.AfterDelivery, deliveryWait, &deliveries); err != nil {
		return transcript.Entry{}, err
	}
	redact := l.redactor()
	w := &transcript.Watch{Endpoint: look.Endpoint.Name, Connections: connections.Connections, Over: look.Last}
	for _, seen := range deliveries.Deliveries {
		delivery := seen.Delivery
		delivery.Endpoint = look.Endpoint.Name
		delivery.Target = redact.Text(seen.Target)
		delivery.Headers = redact.Headers(seen.Headers)
		delivery.Body = redact.Bytes(seen.Body)
		w.Deliveries = append(w.Deliveries, delivery)
	}
	return transcript.Entry{At: l.Now(), Watch: w}, nil
}

func (l *Live) look(ctx context.Context, e *Endpoint, kind string, after int, wait time.Duration, into any) error {
	query := url.Values{"after": {fmt.Sprint(after)}, "limit": {"1000"}, "wait": {wait.String()}}
	path := "/inspect/endpoints/" + e.ID + "/" + kind + "?" + query.Encode()
	ctx, cancel := context.WithTimeout(ctx, l.timeout+wait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.client.base(Receiver)+path, nil)
	if err != nil {
		return err
	}
	if token := l.client.system.Receiver.Token; token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := l.client.http.Do(req)
	if err != nil {
		return fmt.Errorf("read %s of endpoint %s at the receiver: %w", kind, e.Name, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return fmt.Errorf("read %s of endpoint %s at the receiver: status %d: %s", kind, e.Name, resp.StatusCode, text)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return fmt.Errorf("read %s of endpoint %s at the receiver: %w", kind, e.Name, err)
	}
	return nil
}

// base is the address of a peer.
func (c *Client) base(peer string) string {
	var base string
	switch peer {
	case Emitter:
		base = c.system.Emitter.API
	case Auth:
		base = c.system.Emitter.Auth
	case Control:
		base = c.system.Emitter.Control
	case Receiver:
		base = c.system.Receiver.Inspect
	case Trigger:
		return c.system.Emitter.Trigger // called as it is, with what belongs to it
	}
	return strings.TrimSuffix(base, "/")
}

// Client is what all scenarios of a run share: connections and the access
// token. It is safe for use by several scenarios at once.
type Client struct {
	system *targets.System
	http   *http.Client
	hook   hookClient
	keys   keyRing
	token  tokenSource
	pace   *pace

	known known
	salt  string // of marks outside transcripts
}
