package receiver

import (
	"net/http"
	"time"

	"github.com/hookproof/hookproof/simulator/receiver/examine"
)

// summary is a delivery in a list: all but its headers and its body.
type summary struct {
	Number       int64                `json:"number"`
	Endpoint     string               `json:"endpoint"`
	EndpointName string               `json:"endpointName,omitempty"`
	Seq          int64                `json:"seq"`
	Listener     Mode                 `json:"listener"`
	Method       string               `json:"method,omitempty"`
	Target       string               `json:"target,omitempty"`
	Proto        string               `json:"proto"`
	Bytes        int                  `json:"bytes"`
	Truncated    bool                 `json:"truncated"`
	Complete     bool                 `json:"complete"`
	FirstByteAt  time.Time            `json:"firstByteAt"`
	LastByteAt   time.Time            `json:"lastByteAt"`
	RemoteAddr   string               `json:"remoteAddr"`
	Answer       Answer               `json:"answer"`
	Examined     bool                 `json:"examined"`
	Events       int                  `json:"events"`
	Types        []string             `json:"types"`
	HoldMs       *int64               `json:"holdMs,omitempty"`
	AgainMs      *int64               `json:"againMs,omitempty"`
	Batch        string               `json:"batch,omitempty"`
	Attempt      int                  `json:"attempt,omitempty"`
	Annotations  []examine.Annotation `json:"annotations"`
}

func summaryOf(k *kept) summary {
	s := summary{
		Number: k.number, Endpoint: k.endpoint.id, EndpointName: k.endpoint.name, Seq: k.Seq, Listener: k.Listener,
		Method: k.Method, Target: k.Target, Proto: k.Proto, Bytes: len(k.Body), Truncated: k.Truncated, Complete: k.Complete,
		FirstByteAt: k.FirstByteAt, LastByteAt: k.LastByteAt, RemoteAddr: k.RemoteAddr, Answer: k.delivery().Answer,
		Types: []string{}, Annotations: []examine.Annotation{},
	}
	if f := k.facts.Load(); f != nil {
		s.Examined, s.Events, s.Batch, s.Attempt = true, f.Events, f.Batch, f.Attempt
		if f.Held {
			hold := f.Hold.Milliseconds()
			s.HoldMs = &hold
		}
		if f.Again {
			since := f.Since.Milliseconds()
			s.AgainMs = &since
		}
		s.Types = append(s.Types, f.Types...)
		s.Annotations = append(s.Annotations, f.Annotations...)
	}
	return s
}

// detail is one delivery with everything there is to see.
type detail struct {
	summary
	Host     string      `json:"host,omitempty"`
	Headers  http.Header `json:"headers"`
	TLS      *TLSFacts   `json:"tls"`
	Body     []byte      `json:"body"`
	Attempts []int64     `json:"attempts"`
	Curl     string      `json:"curl"`
}

// mask stands for what may be a secret.
const mask = "•••"

// masked returns the headers without the values of those that may hold a
// secret. Any header that is not known to hold none may be the subscription's
// own credential.
func masked(headers http.Header) http.Header {
	shown := http.Header{}
	for name, values := range headers {
		switch name {
		case "Accept-Encoding", "Content-Encoding", "Content-Length", "Content-Type", "Transfer-Encoding", "User-Agent":
			shown[name] = values
		default:
			shown[name] = []string{mask}
		}
	}
	return shown
}
