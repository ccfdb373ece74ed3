package driver

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets"
)

// HookPath is what the transcript shows instead of the path of a receiver
// under test: whoever knows the path may deliver.
const HookPath = "hook"

// Way is how the driver itself meets the receiver under test, where no
// emitter that keeps its promises would do it. The zero value is an ordinary
// HTTP/1.1 request with the agreed client certificate.
type Way struct {
	// OldTLS offers TLS 1.1 and 1.0, and nothing newer.
	OldTLS bool
	// HTTP2 offers HTTP/2 beside HTTP/1.1.
	HTTP2 bool
	// Chunked sends the body in chunks, without its length.
	Chunked bool
	// LowerCase writes the names of headers in lower case.
	LowerCase bool
	// CutAfter closes the connection after so many bytes of the body, which
	// is announced in full; 0 sends all of it.
	CutAfter int
	// Keep leaves the connection open once the answer has come, and Again
	// makes the request on the connection that was left open; on a new one,
	// where the receiver has closed that.
	Keep, Again bool
	// Stranger leaves out the headers that were agreed.
	Stranger bool
}

// meet makes a request to the receiver under test.
func (l *Live) meet(ctx context.Context, c Call) (transcript.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	hook := l.client.system.Hook
	header := http.Header{"User-Agent": {"hookproof"}}
	for name, value := range c.Header {
		header.Set(name, value)
	}
	for name, value := range hook.Headers {
		if !c.Way.Stranger {
			header.Set(name, value)
		}
	}
	redact := l.redactor()
	x := &transcript.Exchange{
		Peer:    Hook,
		Request: transcript.Request{Method: c.Method, Path: c.Path, Headers: redact.Headers(header), Body: redact.JSON(c.Body)},
		Link:    &transcript.Link{},
	}
	entry := transcript.Entry{At: l.Now(), Exchange: x}
	answer, err := l.client.hook.converse(ctx, hook.URL, header, c, x.Link, &l.line)
	x.End = l.Now()
	if err != nil {
		x.Error = redact.Text(err.Error())
		return entry, nil
	}
	answer.Headers, answer.Body = redact.Headers(answer.Headers), redact.JSON(answer.Body)
	x.Response = answer
	return entry, nil
}

// hookClient is what the driver needs to meet the receiver under test.
type hookClient struct {
	client  *tls.Certificate  // the agreed certificate, or nil
	secrets map[string]string // by the name that the transcript's header gives them
}

// The names of the hook's secrets, beside those of its headers.
const (
	secretURL         = "url"
	secretPath        = "path"
	secretQuery       = "query"
	secretKey         = "key"
	secretPassword    = "password"
	secretHeader      = "header "
	secretCredentials = "credentials "
)

// keyPassword protects the agreed client certificate on its way to the
// reference emitter. It is no secret: the key is.
const keyPassword = "hookproof-client-key"

func newHookClient(h targets.Hook) (hookClient, error) {
	c := hookClient{secrets: map[string]string{}}
	if h.URL == "" {
		return c, nil
	}
	c.secrets[secretURL] = h.URL
	// A receiver that tells of a request shows the path alone, and the
	// credentials without their scheme.
	if u, err := url.Parse(h.URL); err == nil {
		c.secrets[secretPath] = u.Path
		c.secrets[secretQuery] = u.RawQuery
	}
	for name, value := range h.Headers {
		c.secrets[secretHeader+name] = value
		if _, credentials, ok := strings.Cut(value, " "); ok {
			c.secrets[secretCredentials+name] = credentials
		}
	}
	if len(h.ClientCertificate) == 0 {
		return c, nil
	}
	identity, err := pki.ReadIdentity(h.ClientCertificate, h.ClientKey)
	if err != nil {
		return c, fmt.Errorf("the client certificate for the receiver: %w", err)
	}
	file, err := identity.PKCS12(keyPassword)
	if err != nil {
		return c, err
	}
	certificate := identity.TLS()
	c.client, c.secrets[secretKey], c.secrets[secretPassword] = &certificate, string(file), keyPassword
	return c, nil
}

// HookHeader describes the receiver under test for the header of a
// transcript, its secrets as marks; nil where there is none.
func (c *Client) HookHeader(salt string) *transcript.Hook {
	h := c.system.Hook
	if h.URL == "" {
		return nil
	}
	mark := transcript.NewRedactor(salt).Mark
	hook := &transcript.Hook{Address: h.Address(), URL: mark(h.URL), Headers: map[string]string{}}
	for name, value := range h.Headers {
		hook.Headers[name] = mark(value)
	}
	if file := c.hook.secrets[secretKey]; file != "" {
		hook.Key, hook.Password = mark(file), mark(keyPassword)
	}
	return hook
}

// line is a connection to the receiver under test that is left open.
type line struct {
	conn *tls.Conn
	link transcript.Link
}

// end closes the connection, if there is one.
func (l *line) end() {
	if l.conn != nil {
		_ = l.conn.Close() // nothing is lost: all answers have been read
		l.conn = nil
	}
}

// converse makes the connection and the request, and notes what becomes of
// the connection. open is that of a call before, or for a call after.
func (h hookClient) converse(ctx context.Context, address string, header http.Header, c Call, link *transcript.Link, open *line) (*transcript.Response, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the receiver's URL cannot be read")
	}
	if c.Way.Again && open.conn != nil {
		*link = open.link
		if deadline, ok := ctx.Deadline(); ok {
			_ = open.conn.SetDeadline(deadline) // a closed one shows below
		}
		answer, err := overHTTP1(open.conn, u, header, c)
		open.end()
		if err == nil {
			return answer, nil
		}
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	raw, err := new(net.Dialer).DialContext(ctx, "tcp4", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, fmt.Errorf("connect over IPv4: %w", err)
	}
	kept := false
	defer func() {
		if !kept {
			raw.Close()
		}
	}()
	if deadline, ok := ctx.Deadline(); ok {
		if err := raw.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	link.Connected = true
	conn := tls.Client(raw, h.config(u.Hostname(), c.Way))
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("shake hands: %w", err)
	}
	state := conn.ConnectionState()
	link.TLS, link.Protocol = tls.VersionName(state.Version), state.NegotiatedProtocol
	if state.NegotiatedProtocol == "h2" {
		return overHTTP2(ctx, conn, u, header, c)
	}
	answer, err := overHTTP1(conn, u, header, c)
	if kept = err == nil && c.Way.Keep; kept {
		open.end()
		*open = line{conn, *link}
	}
	return answer, err
}

func (h hookClient) config(host string, way *Way) *tls.Config {
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, InsecureSkipVerify: true}
	if h.client != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return h.client, nil }
	}
	if way.HTTP2 {
		config.NextProtos = []string{"h2", "http/1.1"}
	}
	if way.OldTLS {
		config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	}
	return config
}

// overHTTP1 writes a request byte by byte and reads the answer.
func overHTTP1(conn net.Conn, u *url.URL, header http.Header, c Call) (*transcript.Response, error) {
	var head bytes.Buffer
	line := func(name, value string) {
		if c.Way.LowerCase {
			name = strings.ToLower(name)
		}
		fmt.Fprintf(&head, "%s: %s\r\n", name, value)
	}
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\n", c.Method, u.RequestURI())
	line("Host", u.Host)
	for _, name := range slices.Sorted(maps.Keys(header)) {
		line(name, header.Get(name))
	}
	if !c.Way.Keep {
		line("Connection", "close")
	}
	body := c.Body
	switch {
	case c.Way.Chunked:
		line("Transfer-Encoding", "chunked")
		body = chunks(body)
	case c.Method == http.MethodPost:
		line("Content-Length", fmt.Sprint(len(body)))
	}
	head.WriteString("\r\n")
	if cut := c.Way.CutAfter; cut > 0 {
		body = body[:min(cut, len(body))]
	}
	_, unsent := conn.Write(append(head.Bytes(), body...))
	if unsent == nil && c.Way.CutAfter > 0 {
		return nil, errCutOff
	}
	// Who refuses a request by its head may close before all of it was sent; the
	// answer has come all the same.
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxHead+maxAnswer+1)), &http.Request{Method: c.Method})
	switch {
	case unsent != nil && err != nil:
		return nil, fmt.Errorf("send the request: %w", unsent)
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return responseOf(resp)
}

// maxHead bounds, in bytes, the head of a receiver's answer: as much as net/http
// takes where nothing else is said.
const maxHead = 10 << 20

var errCutOff = errors.New("the suite has cut the request off, as it meant to")

// chunkBytes is the length of a chunk: small enough that every body has
// several.
const chunkBytes = 200

func chunks(body []byte) []byte {
	var b bytes.Buffer
	for chunk := range slices.Chunk(body, chunkBytes) {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(chunk), chunk)
	}
	b.WriteString("0\r\n\r\n")
	return b.Bytes()
}

func overHTTP2(ctx context.Context, conn net.Conn, u *url.URL, header http.Header, c Call) (*transcript.Response, error) {
	transport := &http.Transport{
		DialTLSContext:    func(context.Context, string, string) (net.Conn, error) { return conn, nil },
		ForceAttemptHTTP2: true,
	}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, c.Method, u.String(), bytes.NewReader(c.Body))
	if err != nil {
		return nil, errors.New("the receiver's URL cannot be requested")
	}
	req.Header = header
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	return responseOf(resp)
}

func responseOf(resp *http.Response) (*transcript.Response, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	return &transcript.Response{Status: resp.StatusCode, Headers: resp.Header, Body: body}, nil
}

// readBackPause is the pause before what is not stored yet is asked for again.
const readBackPause = 100 * time.Millisecond

// readBack asks what the receiver has stored of the events with these ids,
// again and again until all are there or within has passed.
func (l *Live) readBack(ctx context.Context, c Call) (transcript.Entry, error) {
	x := &transcript.Exchange{Peer: ReadBack, Request: transcript.Request{Method: c.Method, Path: c.Path, Body: c.Body}}
	entry := transcript.Entry{At: l.Now(), Exchange: x}
	if l.client.system.Hook.ReadBack == nil {
		return entry, errors.New("the target claims that events can be read back, and does not say how")
	}
	ids := strings.Fields(string(c.Body))
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	within, cancelWait := context.WithTimeout(ctx, c.Within)
	defer cancelWait()
	pause := time.NewTicker(readBackPause)
	defer pause.Stop()
	for {
		events, err := l.client.system.Hook.ReadBack.Events(ctx, ids)
		if err != nil {
			x.End, x.Error = l.Now(), l.redactor().Text(err.Error())
			return entry, nil
		}
		if c.Within > 0 && !among(events, ids) {
			select {
			case <-pause.C:
				continue
			case <-within.Done():
			}
		}
		lines := make([][]byte, len(events))
		for i, e := range events {
			lines[i] = e
		}
		x.End = l.Now()
		x.Response = &transcript.Response{Status: http.StatusOK, Body: l.redactor().Bytes(bytes.Join(lines, []byte("\n")))}
		return entry, nil
	}
}

// among tells whether all that is asked for is there. There may be more: what
// was stored twice, and what was not asked for.
func among(events []json.RawMessage, ids []string) bool {
	there := map[string]bool{}
	for _, e := range events {
		there[gjson.GetBytes(e, "id").String()] = true
		there[gjson.GetBytes(e, "event.id").String()] = true // in its envelope
	}
	return !slices.ContainsFunc(ids, func(id string) bool { return !there[id] })
}

// reachHook tells whether the receiver under test takes connections.
func (c *Client) reachHook(ctx context.Context) error {
	link := &transcript.Link{}
	_, err := c.hook.converse(ctx, c.system.Hook.URL, http.Header{}, Call{Method: http.MethodHead, Way: &Way{}}, link, &line{})
	if !link.Connected {
		return fmt.Errorf("the receiver at %s: %w", c.system.Hook.Address(), err)
	}
	return nil
}
