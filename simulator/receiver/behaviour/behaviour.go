// Package behaviour is the script by which an endpoint of the receiver
// simulator answers: its form as JSON, its validation, and the order in which
// its actions are taken.
//
// What must not enter: connections and HTTP handlers. The package says what
// shall happen and never does it.
package behaviour

import (
	"encoding/json"
	"net/http"
	"time"
)

// Bounds of a script. They protect the simulator's memory; the longest delay
// is far above any client's patience.
const (
	MaxSteps         = 10_000
	MaxRules         = 100
	MaxDelay         = time.Hour
	MaxBodyBytes     = 1 << 20
	MaxMadeBodyBytes = 1 << 30 // of a body that is made while it is sent
	MaxHeaders       = 64
	MaxHeaderBytes   = 8 << 10 // of one name with its value
	MaxContainsBytes = 4 << 10 // of what a rule looks for in a body
)

// Behaviour says how an endpoint answers. The first rule whose conditions hold
// decides; a request that no rule takes takes one step, in the order of
// arrival, and every one after the last step takes Then. The zero Behaviour
// answers 200 to everything.
type Behaviour struct {
	Rules []Rule   `json:"rules,omitempty"`
	Steps []Action `json:"steps,omitempty"`
	Then  Action   `json:"then"`
	// Seed starts the random numbers of chances and delays: the same seed
	// and the same order of requests give the same answers.
	Seed int64 `json:"seed,omitempty"`
}

// Rule is an action for the requests that meet all of its conditions.
type Rule struct {
	When When   `json:"when"`
	Do   Action `json:"do"`
}

// When are conditions, of which those that are given must all hold.
type When struct {
	// Attempt holds for the n-th request with the same body, for n in range.
	Attempt *Range `json:"attempt,omitempty"`
	// LargerThan holds for bodies of more bytes.
	LargerThan *int64 `json:"largerThan,omitempty"`
	// UnlessHeader holds unless the request has every one of these headers
	// with exactly this value.
	UnlessHeader map[string]string `json:"unlessHeader,omitempty"`
	// UnlessJSON holds unless the body is a JSON value, or several one after
	// the other.
	UnlessJSON bool `json:"unlessJSON,omitempty"`
	// Method holds for requests with this method.
	Method string `json:"method,omitempty"`
	// BodyContains holds for bodies with these bytes in them.
	BodyContains string `json:"bodyContains,omitempty"`
	// OverRate holds for requests above the rate.
	OverRate *Rate `json:"overRate,omitempty"`
	// Chance holds at random, with this probability, above 0 and at most 1.
	Chance float64 `json:"chance,omitempty"`
}

// Range is a range of attempts, both ends included, counted from 1. Without a
// To it has no end.
type Range struct {
	From int `json:"from,omitempty"`
	To   int `json:"to,omitempty"`
}

// Rate is so many requests per duration, all of which may come at once.
type Rate struct {
	Requests int      `json:"requests"`
	Per      Duration `json:"per"`
}

// Drip sends the body of an answer in pieces.
type Drip struct {
	Bytes int      `json:"bytes"` // of one piece
	Every Duration `json:"every"` // the pause before each piece
}

// Action is what happens to one request. The zero Action answers 200 at once
// with an empty body.
type Action struct {
	// Delay is the time between the end of the request and the answer, at
	// most MaxDelay.
	Delay Duration `json:"delay,omitempty"`
	// DelayMax, if given, makes the delay random, uniform from Delay to it.
	DelayMax Duration `json:"delayMax,omitempty"`
	// Status is 200 to 599; zero stands for 200, or 302 with a Redirect.
	Status int `json:"status,omitempty"`
	// Headers are added to the answer. Those that frame the message
	// (Content-Length, Transfer-Encoding, Trailer) cannot be given.
	Headers map[string]string `json:"headers,omitempty"`
	// RetryAfter is the header of that name, in whole seconds.
	RetryAfter Duration `json:"retryAfter,omitempty"`
	// Redirect is the Location header.
	Redirect string `json:"redirect,omitempty"`
	// Body is the answer's body, at most MaxBodyBytes.
	Body string `json:"body,omitempty"`
	// BodyBytes makes a body of so many bytes, at most MaxMadeBodyBytes.
	BodyBytes int64 `json:"bodyBytes,omitempty"`
	// ContentType is the answer's Content-Type. Without it a body is
	// text/plain, unless Headers say otherwise.
	ContentType string `json:"contentType,omitempty"`
	// Drip sends the body slowly.
	Drip *Drip `json:"drip,omitempty"`
	// CutAfter ends the TCP connection with an RST after so many bytes of
	// the body, which is announced in full.
	CutAfter *int64 `json:"cutAfter,omitempty"`
	// Reset ends the TCP connection with an RST before an answer.
	Reset bool `json:"reset,omitempty"`
	// Hang never answers.
	Hang bool `json:"hang,omitempty"`
}

// Duration is a time.Duration that is written like "150ms".
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) {
	return []byte(time.Duration(d).String()), nil
}

// MarshalJSON writes a script that Parse reads back as the same behaviour.
func (a Action) MarshalJSON() ([]byte, error) {
	type plain Action
	if !a.Reset && !a.Hang {
		a.Status = a.Code()
	}
	return json.Marshal(plain(a))
}

// Code returns the status to answer with, or 0 if the action does not answer.
func (a Action) Code() int {
	switch {
	case a.Reset || a.Hang:
		return 0
	case a.Status == 0 && a.Redirect != "":
		return http.StatusFound
	case a.Status == 0:
		return http.StatusOK
	}
	return a.Status
}

// Length is the length of the answer's body.
func (a Action) Length() int64 {
	if a.BodyBytes > 0 {
		return a.BodyBytes
	}
	return int64(len(a.Body))
}

// Plain says whether the action is a mere 200 without content, delayed or not:
// what an endpoint answers that was told nothing in particular.
func (a Action) Plain() bool {
	return a.Code() == http.StatusOK && len(a.Headers) == 0 && a.RetryAfter == 0 && a.Redirect == "" &&
		a.Length() == 0 && a.ContentType == "" && a.Drip == nil && a.CutAfter == nil
}
