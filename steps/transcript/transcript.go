// Package transcript holds what was observed in a scenario: every exchange
// with an API, every delivery and connection at the receiver, every event
// that was caused, each with its time. Judges see nothing else, and a stored
// transcript is enough to judge the scenario again.
//
// Secrets never enter: they are replaced by marks where they are captured
// (see Redactor), so that a transcript can be handed to a third party.
package transcript

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"
)

// Schema names the format of a stored transcript; a file with another name
// is refused.
const Schema = "https://hookproof.dev/schema/transcript-1.json"

// Transcript is the record of one scenario.
type Transcript struct {
	Schema   string `json:"schema"`
	Scenario string `json:"scenario"` // the scenario's stable id
	// Seed is what every made-up name and value of the scenario derives
	// from; together with the entries it makes a replay ask the same.
	Seed string `json:"seed"`
	// Salt keys the marks that stand for secrets.
	Salt string `json:"salt"`
	// Claims are the target's capabilities.
	Claims []string `json:"claims"`
	// API and Auth are the emitter's base addresses, Environment the id of
	// the environment that the suite's credentials belong to.
	API         string `json:"api"`
	Auth        string `json:"auth"`
	Environment string `json:"environment"`
	// Client is the id of the API client that the suite acts as; empty where
	// it was given a token only.
	Client string `json:"client,omitempty"`
	// Hook is the receiver under test; nil where an emitter is tested. API,
	// Auth, Environment and Client are then those of the reference emitter
	// that delivers to it.
	Hook *Hook `json:"hook,omitempty"`
	// Shard is the part of a run that the scenario was run in, such as "2/3";
	// empty where the run was not divided.
	Shard string `json:"shard,omitempty"`
	// Repeat is how often the run was to run the scenario, 2 or more; absent is
	// once.
	Repeat int `json:"repeat,omitempty"`
	// Trigger tells that events were asked for at the implementer's own
	// address, and not made by API calls.
	Trigger bool `json:"trigger,omitempty"`
	// Deadlines are those that the scenario ran with; a replay judges by the
	// same.
	Deadlines json.RawMessage `json:"deadlines"`
	Entries   []Entry         `json:"entries"`
}

// Hook describes a receiver under test. What only those may know who deliver
// to it is a mark.
type Hook struct {
	Address string            `json:"address"`           // scheme and host
	URL     string            `json:"url"`               // a mark
	Headers map[string]string `json:"headers,omitempty"` // the values are marks
	// Key and Password are the marks of the PKCS#12 file with the agreed
	// client certificate, and of its password; empty without one.
	Key      string `json:"key,omitempty"`
	Password string `json:"password,omitempty"`
}

// Entry is one thing observed; exactly one member besides At is set, and Table
// beside Step.
type Entry struct {
	At   time.Time `json:"at"`
	Step string    `json:"step,omitempty"` // a step began: its text
	// Table are the cells of the step's data table, row by row.
	Table    [][]string `json:"table,omitempty"`
	Exchange *Exchange  `json:"exchange,omitempty"`
	Watch    *Watch     `json:"watch,omitempty"`
	Caused   *Caused    `json:"caused,omitempty"`
	Fact     *Fact      `json:"fact,omitempty"`
}

// Exchange is one HTTP request and what came back.
type Exchange struct {
	// Peer says who was asked: "emitter", "auth", "control", "trigger",
	// "receiver", "hook" or "read-back".
	Peer     string    `json:"peer"`
	Request  Request   `json:"request"`
	Response *Response `json:"response,omitempty"`
	// Error is set, and Response is not, when no answer came.
	Error string    `json:"error,omitempty"`
	End   time.Time `json:"end"`
	// Refused are the times that the same request was made before and was
	// answered 429, with the pause that followed.
	Refused []Refusal `json:"refused,omitempty"`
	// Link is the connection to a receiver under test that the suite made
	// itself.
	Link *Link `json:"link,omitempty"`
}

// Refusal is an answer that says only that the suite asks too often.
type Refusal struct {
	At      time.Time `json:"at"`
	PauseMs int64     `json:"pauseMs"`
}

// Link is how far a connection came.
type Link struct {
	Connected bool   `json:"connected"`          // over TCP
	TLS       string `json:"tls,omitempty"`      // the version agreed; empty: no handshake
	Protocol  string `json:"protocol,omitempty"` // as agreed by ALPN
}

// Request is what was sent.
type Request struct {
	Method string `json:"method"`
	// Path is the path and query, without scheme and host.
	Path    string              `json:"path"`
	Headers map[string][]string `json:"headers,omitempty"`
	Body    Body                `json:"body,omitzero"`
}

// Response is what came back.
type Response struct {
	Status  int                 `json:"status"`
	Headers map[string][]string `json:"headers,omitempty"`
	Body    Body                `json:"body,omitzero"`
}

// Watch is one look at an endpoint of the receiver: the deliveries and
// connections that were new since the look before.
type Watch struct {
	Endpoint    string       `json:"endpoint"` // the name the scenario gave it
	Deliveries  []Delivery   `json:"deliveries,omitempty"`
	Connections []Connection `json:"connections,omitempty"`
	// Over tells that the deadline of the wait had passed at this look.
	Over bool `json:"over,omitempty"`
}

// Delivery is one request that reached the receiver, complete or not.
type Delivery struct {
	Endpoint    string              `json:"endpoint"`
	Seq         int                 `json:"seq"` // per endpoint, from 1
	Listener    string              `json:"listener"`
	Method      string              `json:"method"`
	Target      string              `json:"target"` // path and query
	Proto       string              `json:"proto"`
	Host        string              `json:"host"`
	Headers     map[string][]string `json:"headers"`
	Body        Body                `json:"body"`
	Truncated   bool                `json:"truncated,omitempty"`
	Complete    bool                `json:"complete"`
	FirstByteAt time.Time           `json:"firstByteAt"`
	LastByteAt  time.Time           `json:"lastByteAt"`
	TLS         *TLS                `json:"tls,omitempty"`
	Answer      Answer              `json:"answer"`
}

// Answer is what the receiver did with a delivery.
type Answer struct {
	Action string    `json:"action"` // "respond", "reset" or "hang"
	Status int       `json:"status,omitempty"`
	At     time.Time `json:"at"`
}

// Connection is one TCP connection to an endpoint's own listener.
type Connection struct {
	Seq       int       `json:"seq"`
	At        time.Time `json:"at"`
	Handshake string    `json:"handshake"` // "ok", "failed" or "none"
	Error     string    `json:"error,omitempty"`
	TLS       *TLS      `json:"tls,omitempty"`
}

// TLS is what the receiver saw of a TLS connection.
type TLS struct {
	Version            string        `json:"version"`
	CipherSuite        string        `json:"cipherSuite"`
	ServerName         string        `json:"serverName"`
	ClientCertificates []Certificate `json:"clientCertificates,omitempty"`
}

// Certificate identifies a certificate by its SHA-256 in lower-case hex.
type Certificate struct {
	SHA256  string `json:"sha256"`
	Subject string `json:"subject"`
	Serial  string `json:"serial,omitempty"`
}

// Caused is an audit event that the scenario made happen. An event that was
// posted is known by its id; one that an API call caused, by the type and
// the resource that it must be about.
type Caused struct {
	Name     string `json:"name"` // what the scenario calls it
	EventID  string `json:"eventId,omitempty"`
	Type     string `json:"type"`
	Resource string `json:"resource,omitempty"` // id of the resource acted on
	// At is when the target had accepted it.
	At time.Time `json:"at"`
}

// Fact is something a scenario made for itself that cannot be made again
// from the seed (a certificate's fingerprint), kept so that a replay knows it.
type Fact struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// Deliveries are those to the named endpoint, in order of arrival; with an
// empty name, to all.
func (t *Transcript) Deliveries(endpoint string) []Delivery {
	var found []Delivery
	for _, e := range t.Entries {
		if e.Watch != nil && (endpoint == "" || e.Watch.Endpoint == endpoint) {
			found = append(found, e.Watch.Deliveries...)
		}
	}
	return found
}

// Connections are those to the own listener of the named endpoint.
func (t *Transcript) Connections(endpoint string) []Connection {
	var found []Connection
	for _, e := range t.Entries {
		if e.Watch != nil && e.Watch.Endpoint == endpoint {
			found = append(found, e.Watch.Connections...)
		}
	}
	return found
}

// Caused are the events the scenario made happen, in that order.
func (t *Transcript) Caused() []Caused {
	var found []Caused
	for _, e := range t.Entries {
		if e.Caused != nil {
			found = append(found, *e.Caused)
		}
	}
	return found
}

// Exchanges are those with the given peer, in order; with an empty name, all.
func (t *Transcript) Exchanges(peer string) []Exchange {
	var found []Exchange
	for _, e := range t.Entries {
		if e.Exchange != nil && (peer == "" || e.Exchange.Peer == peer) {
			found = append(found, *e.Exchange)
		}
	}
	return found
}

// Write stores the transcript as JSON, the header and each entry on a line of
// its own.
func (t *Transcript) Write(w io.Writer) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	header := *t
	header.Entries = nil
	if err := enc.Encode(header); err != nil {
		return err
	}
	// The entries are the last member.
	text.Truncate(text.Len() - len("null}\n"))
	text.WriteString("[")
	for i, e := range t.Entries {
		if i > 0 {
			text.WriteString(",")
		}
		text.WriteString("\n")
		if err := enc.Encode(e); err != nil {
			return err
		}
		text.Truncate(text.Len() - 1) // the encoder's line feed
	}
	text.WriteString("\n]}\n")
	_, err := w.Write(text.Bytes())
	return err
}

// Read loads a stored transcript; another format, or trailing data, is an
// error.
func Read(r io.Reader) (*Transcript, error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	var t Transcript
	if err := dec.Decode(&t); err != nil {
		return nil, err
	}
	if dec.More() {
		return nil, fmt.Errorf("data after the transcript")
	}
	if t.Schema != Schema {
		return nil, fmt.Errorf("schema is %q, want %q", t.Schema, Schema)
	}
	return &t, nil
}

// ReadFile loads the transcript stored in a file.
func ReadFile(path string) (*Transcript, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("read transcript %s: %w", path, err)
	}
	return t, nil
}
