package driver

import (
	"encoding/base64"
	"net/url"
	"strings"
	"sync"

	"github.com/hookproof/hookproof/internal/secrets"
	"github.com/hookproof/hookproof/steps/transcript"
)

// secretive is a way of reading back that sends secrets of its own.
type secretive interface{ Secrets() []string }

// given are the run's own credentials, in every form they are sent in.
func (c *Client) given() []string {
	e := c.system.Emitter
	known := []string{e.ClientSecret, e.Token, e.ControlToken, e.TriggerToken, c.system.Receiver.Token, e.Trigger}
	if u, err := url.Parse(e.Trigger); err == nil {
		for _, part := range strings.Split(u.Path, "/") {
			// Whoever knows the address may post events: a part of the path
			// that is no word is its secret.
			if secrets.Findable(part) && strings.ContainsAny(part, "0123456789") {
				known = append(known, part)
			}
		}
	}
	if e.ClientSecret != "" {
		// As the suite sends them, and as clients do that do not escape.
		known = append(known, strings.TrimPrefix(basic(e.ClientID, e.ClientSecret), "Basic "),
			base64.StdEncoding.EncodeToString([]byte(e.ClientID+":"+e.ClientSecret)))
	}
	for _, secret := range c.hook.secrets {
		known = append(known, secret)
	}
	for _, value := range c.system.Hook.Headers {
		if encoded, basic := strings.CutPrefix(value, "Basic "); basic {
			pair, _ := base64.StdEncoding.DecodeString(encoded)
			_, password, _ := strings.Cut(string(pair), ":")
			known = append(known, string(pair), password)
		}
	}
	if s, ok := c.system.Hook.ReadBack.(secretive); ok {
		known = append(known, s.Secrets()...)
	}
	return known
}

// known keeps a redactor as long as there are no other secrets: to make one,
// with all their forms, takes longer than to mark a text.
type known struct {
	mu       sync.Mutex
	salt     string
	counted  secretCount
	redactor transcript.Redactor
}

// secretCount is how many secrets there are that become more during a run: the
// tokens that were had, the token of none included, and the files uploaded.
type secretCount struct{ tokens, files int }

// redactor marks the run's own credentials, with marks that salt keys; tokens
// tells how many of them there are.
func (c *Client) redactor(salt string) (redactor transcript.Redactor, tokens int) {
	past := c.token.past()
	count := secretCount{tokens: len(past) + 1}
	k := &c.known
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.counted != count || k.salt != salt {
		k.salt, k.counted, k.redactor = salt, count, transcript.NewRedactor(salt, append(c.given(), past...)...)
	}
	return k.redactor, count.tokens
}

// discreetError says what another error says, with marks for secrets.
type discreetError struct {
	text  string
	cause error
}

func (e *discreetError) Error() string { return e.text }
func (e *discreetError) Unwrap() error { return e.cause }

// discreet is err with marks for the run's secrets. It belongs to no
// transcript: the marks are keyed with what nobody else knows.
func (c *Client) discreet(err error) error {
	if err == nil {
		return nil
	}
	if text := transcript.NewRedactor(c.salt, append(c.given(), c.token.past()...)...).Text(err.Error()); text != err.Error() {
		return &discreetError{text, err}
	}
	return err
}
