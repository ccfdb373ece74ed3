// Package emulation answers as the log services do to which a webhook may be
// pointed: a Splunk HTTP Event Collector, or New Relic's Log API.
//
// What must not enter: recording and behaviour scripts. A service here sees a
// request and says what the real one would answer; nothing is kept of it but
// what the answers need.
package emulation

import (
	"bytes"
	"compress/gzip"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// maxUnpackedBytes bounds a body that came compressed.
const maxUnpackedBytes = 16 << 20

// The kinds of services.
const (
	Splunk   = "splunk"
	NewRelic = "newrelic"
)

// Options choose a service. They are part of the inspection API.
type Options struct {
	// Kind is Splunk or NewRelic.
	Kind string `json:"kind"`
	// Token is the credential that is accepted: the token of the event
	// collector, or the license key. Empty: any will do, but one must be
	// given.
	Token string `json:"token,omitempty"`
	// Acknowledge turns indexer acknowledgment on, of the event collector
	// only.
	Acknowledge bool `json:"acknowledge,omitempty"`
}

// Check says what is wrong with the options, if anything.
func (o Options) Check() error {
	switch {
	case o.Kind != Splunk && o.Kind != NewRelic:
		return fmt.Errorf("kind: %q is none of %s and %s", o.Kind, Splunk, NewRelic)
	case o.Acknowledge && o.Kind != Splunk:
		return fmt.Errorf("acknowledge: %s does not acknowledge", o.Kind)
	case len(o.Token) > 1024:
		return errors.New("token: longer than 1024 bytes")
	}
	return nil
}

// Request is what a service looks at.
type Request struct {
	Method string
	Path   string // below the hook, "" or beginning with a slash
	Query  url.Values
	Header http.Header
	Body   []byte
}

// Answer is what a service answers, in JSON.
type Answer struct {
	Status int
	Body   []byte
}

// Service is an emulated service. It may be used from several goroutines.
type Service interface {
	// Answer says what the service answers to a request that it takes.
	Answer(Request) Answer
	// Error is the body that the service gives with an error it did not
	// choose itself, or nil if it has none of its own for the status.
	Error(status int) []byte
}

// New returns a service with nothing in it.
func New(o Options) (Service, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.Kind == Splunk {
		return &collector{options: o, acknowledged: map[string]int64{}}, nil
	}
	return logAPI{o}, nil
}

func answer(status int, body any) Answer {
	encoded, err := json.Marshal(body)
	if err != nil {
		return Answer{Status: http.StatusInternalServerError}
	}
	return Answer{status, encoded}
}

// accepts compares a credential with the one that is wanted.
func (o Options) accepts(given string) bool {
	return o.Token == "" || subtle.ConstantTimeCompare([]byte(given), []byte(o.Token)) == 1
}

// unpacked returns the body without its compression.
func (r Request) unpacked() ([]byte, error) {
	packed := r.Header.Get("Content-Encoding") == "gzip" || bytes.HasPrefix(r.Body, []byte{0x1f, 0x8b})
	if !packed {
		return r.Body, nil
	}
	reader, err := gzip.NewReader(bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(reader, maxUnpackedBytes+1))
	if err == nil && len(body) > maxUnpackedBytes {
		err = errors.New("too long")
	}
	return body, err
}
