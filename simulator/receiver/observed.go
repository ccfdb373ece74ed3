package receiver

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net/http"
	"time"
)

// Delivery is one request to a hook, as it arrived.
type Delivery struct {
	// Seq counts the endpoint's requests from 1, in the order in which they
	// were recorded; it is also the order in which they take the steps of
	// the behaviour.
	Seq int64 `json:"seq"`
	// Listener is the mode of the listener that took the request.
	Listener Mode   `json:"listener"`
	Method   string `json:"method"`
	// Target is the request target as sent, path and query.
	Target string `json:"target"`
	Proto  string `json:"proto"`
	Host   string `json:"host"`
	// Headers are as sent, save that names are in canonical case. Host is
	// not among them.
	Headers http.Header `json:"headers"`
	// Body is the request's body, or what arrived of it, or its first
	// MaxBodyBytes.
	Body []byte `json:"body"`
	// Truncated says that the body was longer than what is kept.
	Truncated bool `json:"truncated"`
	// FirstByteAt is when the request line and the headers had been read.
	FirstByteAt time.Time `json:"firstByteAt"`
	// LastByteAt is when the body had been read, or when reading it ended.
	LastByteAt time.Time `json:"lastByteAt"`
	// Complete says that the body was read to its end.
	Complete   bool      `json:"complete"`
	RemoteAddr string    `json:"remoteAddr"`
	TLS        *TLSFacts `json:"tls"`
	Answer     Answer    `json:"answer"`
}

// The things that can happen to a request.
const (
	Respond = "respond"
	Reset   = "reset"
	Hang    = "hang"
	// None is what happens on a sink, which never answers.
	None = "none"
)

// Answer is what the receiver decided to do with a request.
type Answer struct {
	// Action is Respond, Reset, Hang or None.
	Action string `json:"action"`
	// Status is the HTTP status of a response.
	Status int `json:"status,omitempty"`
	// At is when the answer is due: the delivery is recorded first, the
	// delay, if any, passes, and no byte of the answer goes out before At.
	At time.Time `json:"at"`
	// CutAfter is after how many bytes of its body the answer breaks off; nil
	// if it does not.
	CutAfter *int64 `json:"cutAfter,omitempty"`
}

// Connection is one TCP connection to a dedicated listener, once its handshake
// has ended or failed.
type Connection struct {
	Seq        int64     `json:"seq"`
	At         time.Time `json:"at"` // when it was accepted
	RemoteAddr string    `json:"remoteAddr"`
	// Handshake is "ok" or "failed", and "none" on a plain listener.
	Handshake string `json:"handshake"`
	// Error says why the handshake failed, or what is wrong with the first
	// bytes on a plain listener.
	Error string    `json:"error,omitempty"`
	TLS   *TLSFacts `json:"tls"`
}

// TLSFacts are what was agreed in a handshake.
type TLSFacts struct {
	Version            string              `json:"version"`
	CipherSuite        string              `json:"cipherSuite"`
	ServerName         string              `json:"serverName"`
	ClientCertificates []ClientCertificate `json:"clientCertificates"`
}

// ClientCertificate is one certificate that the client presented, leaf first.
type ClientCertificate struct {
	SHA256  string `json:"sha256"` // of the DER bytes, lower-case hex
	Subject string `json:"subject"`
	Serial  string `json:"serial"` // decimal
}

// tlsFacts reads the facts off a connection whose handshake is over.
func tlsFacts(state tls.ConnectionState) *TLSFacts {
	facts := &TLSFacts{
		Version:            tls.VersionName(state.Version),
		CipherSuite:        tls.CipherSuiteName(state.CipherSuite),
		ServerName:         state.ServerName,
		ClientCertificates: []ClientCertificate{},
	}
	for _, c := range state.PeerCertificates {
		sum := sha256.Sum256(c.Raw)
		facts.ClientCertificates = append(facts.ClientCertificates, ClientCertificate{
			SHA256: hex.EncodeToString(sum[:]), Subject: c.Subject.String(), Serial: c.SerialNumber.String(),
		})
	}
	return facts
}

// entryOverhead is what an entry takes beside the bytes that came over the
// wire: the struct, its place in the log, the facts of its connection.
const entryOverhead = 1024

// size is what the delivery counts against the budget.
func (d *Delivery) size() int64 {
	size := entryOverhead + cap(d.Body) + len(d.Target) + len(d.Host)
	for name, values := range d.Headers {
		size += 64 + len(name)
		for _, value := range values {
			size += 16 + len(value)
		}
	}
	return int64(size)
}
