package driver

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/targets"
)

// NewClient makes the run's client for a started system.
func NewClient(system *targets.System) (*Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = http.ProxyFromEnvironment
	transport.MaxIdleConnsPerHost = 64
	if len(system.Emitter.CA) > 0 {
		pool, err := pki.Roots(system.Emitter.CA)
		if err != nil {
			return nil, fmt.Errorf("the authorities to trust for the target: %w", err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	c := &Client{system: system, salt: rand.Text(), pace: newPace(system.Emitter.Rate), http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	c.token.fetch = c.fetchToken
	var err error
	if c.hook, err = newHookClient(system.Hook); err != nil {
		return nil, err
	}
	return c, nil
}

// System is the system that the client reaches.
func (c *Client) System() *targets.System { return c.system }

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// authorization is the Authorization header of the suite's own credentials
// at a peer.
func (c *Client) authorization(ctx context.Context, peer string) (string, error) {
	switch peer {
	case Emitter:
		if c.system.Emitter.Token != "" {
			return "Bearer " + c.system.Emitter.Token, nil
		}
		token, err := c.token.get(ctx)
		if err != nil {
			return "", err
		}
		return "Bearer " + token, nil
	case Control:
		return "Bearer " + c.system.Emitter.ControlToken, nil
	case Trigger:
		if c.system.Emitter.TriggerToken != "" {
			return "Bearer " + c.system.Emitter.TriggerToken, nil
		}
	case Receiver:
		if c.system.Receiver.Token != "" {
			return "Bearer " + c.system.Receiver.Token, nil
		}
	}
	return "none", nil
}

// Reach tells whether the target lets the suite in at all: a token can be
// had, the suite's own environment read, and the control API, where there is
// one, takes the control token.
func (c *Client) Reach(ctx context.Context) error { return c.discreet(c.reach(ctx)) }

func (c *Client) reach(ctx context.Context) error {
	status, _, err := c.Call(ctx, Emitter, http.MethodGet, "/v1/environments/"+url.PathEscape(c.system.Emitter.Environment), nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("reading the environment %s of the credentials is answered %d, not 200; the target's address is without /v1", c.system.Emitter.Environment, status)
	}
	if c.system.Hook.URL != "" {
		if err := c.reachHook(ctx); err != nil {
			return err
		}
	}
	if c.system.Emitter.Control == "" {
		return nil
	}
	// Not every control API has a clock: any answer will do that does not
	// turn the token away.
	status, _, err = c.Call(ctx, Control, http.MethodGet, "/control/clock", nil)
	if err != nil {
		return fmt.Errorf("the control API: %w", err)
	}
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		return fmt.Errorf("the control API refuses the control token with %d", status)
	}
	return nil
}

// Call makes a request with the suite's own credentials that belongs to no
// scenario; body, if not nil, is JSON. It heeds the target's rate limit. An
// error repeats none of the run's secrets; the answer may.
func (c *Client) Call(ctx context.Context, peer, method, path string, body []byte) (status int, answer []byte, err error) {
	defer func() { err = c.discreet(err) }()
	authorization, err := c.authorization(ctx, peer)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base(peer)+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if authorization != "none" {
		req.Header.Set("Authorization", authorization)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, answer, err := c.ask(req)
	if err != nil {
		return 0, nil, err
	}
	return resp.StatusCode, answer, nil
}

// ask makes a request that is not a scenario's, within the target's rate
// limit, and reads the answer.
func (c *Client) ask(req *http.Request) (resp *http.Response, answer []byte, err error) {
	_, waiting := c.pace.keep(req.Context(), func() (int, http.Header) {
		again := req.Clone(req.Context())
		if req.GetBody != nil {
			if again.Body, err = req.GetBody(); err != nil {
				return 0, nil
			}
		}
		if resp, err = c.http.Do(again); err != nil {
			return 0, nil
		}
		defer resp.Body.Close()
		answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		return resp.StatusCode, resp.Header
	})
	if err == nil {
		err = waiting
	}
	return resp, answer, err
}

// tokenSource keeps an access token until shortly before it expires.
type tokenSource struct {
	fetch func(context.Context) (string, time.Duration, error)

	mu      sync.Mutex
	token   string
	expires time.Time
	had     []string // every token so far
}

func (s *tokenSource) past() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.had)
}

// renewBefore is how long before its end a token is replaced: longer than
// any one call takes.
const renewBefore = time.Minute

func (s *tokenSource) get(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token != "" && time.Until(s.expires) > renewBefore {
		return s.token, nil
	}
	token, lasts, err := s.fetch(ctx)
	if err != nil {
		return "", fmt.Errorf("get an access token: %w", err)
	}
	s.token, s.expires, s.had = token, time.Now().Add(lasts), append(s.had, token)
	return token, nil
}

// fetchToken asks for a token by client credentials with HTTP Basic, the way
// PingOne's own clients ask first (RFC 6749 sections 2.3.1 and 4.4).
func (c *Client) fetchToken(ctx context.Context) (string, time.Duration, error) {
	e := c.system.Emitter
	address := c.base(Auth) + "/" + url.PathEscape(e.Environment) + "/as/token"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		return "", 0, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", basic(e.ClientID, e.ClientSecret))
	resp, body, err := c.ask(req)
	if err != nil {
		return "", 0, err
	}
	var answer struct {
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
		Error       string  `json:"error"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || resp.StatusCode != http.StatusOK || answer.AccessToken == "" {
		if !errorCode.MatchString(answer.Error) {
			answer.Error = "" // it may repeat what was sent
		}
		return "", 0, errors.New(strings.TrimSpace(fmt.Sprintf("POST %s: status %d %s", address, resp.StatusCode, answer.Error)))
	}
	return answer.AccessToken, time.Duration(answer.ExpiresIn * float64(time.Second)), nil
}

// errorCode is the form of the codes of RFC 6749 section 5.2; a target may put
// anything else in their place.
var errorCode = regexp.MustCompile(`^[a-z_]{1,40}$`)

// basic is the Authorization header by which a client asks for a token: both
// words are form-escaped first (RFC 6749 section 2.3.1).
func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}
