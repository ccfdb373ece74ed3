// Command receiver is a small receiver of PingOne webhooks: it checks an API
// key and keeps events in memory, with the standard library alone. It stands
// for the implementation of somebody else, and shares no code with hookproof;
// its test shows how such an implementation is verified.
package main

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"
)

// Options say who may deliver, and what is answered.
type Options struct {
	Key      string // the value of X-Api-Key that deliveries must have
	Accepted int    // the status of a delivery that is taken: 200, says PingOne
	// Store is written every event that is taken, one a line; nil keeps them
	// in memory only.
	Store io.Writer
}

// Receiver is an http.Handler that takes deliveries at /hook.
type Receiver struct {
	options Options
	routes  *http.ServeMux

	mu     sync.Mutex
	known  map[string]bool
	events []stored
}

type stored struct {
	id   string
	data json.RawMessage // as it came
}

// New makes a receiver that has stored nothing.
func New(o Options) *Receiver {
	r := &Receiver{options: o, routes: http.NewServeMux(), known: map[string]bool{}}
	r.routes.HandleFunc("POST /hook", r.take)
	r.routes.HandleFunc("HEAD /hook", func(http.ResponseWriter, *http.Request) {})
	return r
}

func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.routes.ServeHTTP(w, req) }

// maxBody is how long a delivery may be: PingOne's largest limit is 4096 KB,
// and a single event may be larger than the limit.
const maxBody = 16 << 20

// take stores the events of a delivery, each once; of one that cannot be
// stored as a whole, the rest is stored when it is sent again.
func (r *Receiver) take(w http.ResponseWriter, req *http.Request) {
	if subtle.ConstantTimeCompare([]byte(req.Header.Get("X-Api-Key")), []byte(r.options.Key)) != 1 {
		http.Error(w, "the key is missing or wrong", http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	events, err := parse(body)
	if err != nil {
		http.Error(w, "the body is neither an array of JSON nor lines of it", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range events {
		if e.id == "" || !r.known[e.id] { // sent again is no news
			if err := r.write(e); err != nil {
				http.Error(w, "the events cannot be stored", http.StatusServiceUnavailable)
				return
			}
			r.known[e.id] = true
			r.events = append(r.events, e)
		}
	}
	w.WriteHeader(r.options.Accepted)
}

// write stores an event on a line of its own.
func (r *Receiver) write(e stored) error {
	if r.options.Store == nil {
		return nil
	}
	lines := json.NewEncoder(r.options.Store)
	lines.SetEscapeHTML(false)
	return lines.Encode(e.data)
}

// ReadBack tells the suite what is stored: it is asked with {"ids":[…]}, and
// answers the events with these ids, one a line, in the order of storing.
func (r *Receiver) ReadBack(w http.ResponseWriter, req *http.Request) {
	var asked struct {
		IDs []string `json:"ids"`
	}
	if err := json.NewDecoder(req.Body).Decode(&asked); err != nil {
		http.Error(w, "the body must be {\"ids\":[…]}", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := json.NewEncoder(w) // puts every event on a line of its own
	lines.SetEscapeHTML(false)
	for _, e := range r.events {
		if slices.Contains(asked.IDs, e.id) {
			_ = lines.Encode(e.data) // a client that has gone needs no answer
		}
	}
}

// parse reads an array of events, or one event after the other.
func parse(body []byte) ([]stored, error) {
	var list []json.RawMessage
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		if err := json.Unmarshal(body, &list); err != nil {
			return nil, err
		}
	} else {
		for d := json.NewDecoder(bytes.NewReader(body)); ; {
			var one json.RawMessage
			if err := d.Decode(&one); err == io.EOF {
				break
			} else if err != nil {
				return nil, err
			}
			list = append(list, one)
		}
	}
	events := make([]stored, len(list))
	for i, data := range list {
		var e struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(data, &e); err != nil {
			return nil, err
		}
		events[i] = stored{e.ID, data}
	}
	return events, nil
}
