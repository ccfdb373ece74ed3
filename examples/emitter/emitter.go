// Command emitter is a small emitter of PingOne webhooks: one environment, in
// memory, with the standard library alone. It stands for the implementation
// of somebody else, shares no code with hookproof, and claims nothing beyond
// the core; its test shows how such an implementation is verified.
package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// maxSubscriptions is how many subscriptions there can be, says PingOne.
const maxSubscriptions = 50

// Options say who may use the emitter, and how it delivers.
type Options struct {
	Environment            string // a UUID
	ClientID, ClientSecret string
	MaxEvents              int           // the most that can be asked for in one payload: 500, says PingOne
	Retry                  time.Duration // how long to wait after a delivery that failed
}

// Emitter is an http.Handler for the management API and the token endpoint.
// Close ends its deliveries.
type Emitter struct {
	options Options
	routes  *http.ServeMux
	created time.Time
	done    chan struct{}
	workers sync.WaitGroup

	mu            sync.Mutex
	tokens        map[string]bool
	secrets       map[string]string // of clients, by their id
	collections   map[string]*collection
	subscriptions []*subscription
}

// New makes an emitter with an empty environment.
func New(o Options) *Emitter {
	e := &Emitter{
		options: o, routes: http.NewServeMux(), created: time.Now(), done: make(chan struct{}),
		tokens: map[string]bool{}, secrets: map[string]string{o.ClientID: o.ClientSecret},
		collections: map[string]*collection{
			"populations":  {kind: "POPULATION", label: "name"},
			"applications": {kind: "APPLICATION", label: "name"},
			"users":        {kind: "USER", label: "username"},
		},
	}
	e.collections["populations"].add(resource{"id": uuid(), "name": "Default", "default": true})
	e.route()
	return e
}

// Close ends the deliveries and waits for those under way.
func (e *Emitter) Close() {
	close(e.done)
	e.workers.Wait()
}

func (e *Emitter) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.routes.ServeHTTP(w, r) }

func (e *Emitter) route() {
	const home = "/v1/environments/{environment}"
	e.routes.HandleFunc("POST /{environment}/as/token", e.token)
	e.handle("GET "+home, e.readEnvironment)
	e.handle("GET "+home+"/{collection}", e.list)
	e.handle("POST "+home+"/{collection}", e.create)
	e.handle("GET "+home+"/{collection}/{id}", e.read)
	e.handle("DELETE "+home+"/{collection}/{id}", e.remove)
	e.handle("GET "+home+"/applications/{id}/secret", e.readSecret)
	e.handle("GET "+home+"/subscriptions", e.listSubscriptions)
	e.handle("POST "+home+"/subscriptions", e.createSubscription)
	e.handle("GET "+home+"/subscriptions/{id}", e.readSubscription)
	e.handle("PUT "+home+"/subscriptions/{id}", e.replaceSubscription)
	e.handle("DELETE "+home+"/subscriptions/{id}", e.deleteSubscription)
	e.handle("/", func(*http.Request) (int, any) {
		return fail(http.StatusNotFound, "NOT_FOUND", "There is nothing here.")
	})
}

// handle serves what handler answers, to those who have a token.
func (e *Emitter) handle(pattern string, handler func(*http.Request) (int, any)) {
	e.routes.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		status, body := fail(http.StatusUnauthorized, "ACCESS_FAILED", "The access token is missing or not valid.")
		switch environment := r.PathValue("environment"); {
		case !e.authorized(r):
		case environment != "" && environment != e.options.Environment:
			status, body = notFound()
		default:
			status, body = handler(r)
		}
		answer(w, status, body)
	})
}

func (e *Emitter) authorized(r *http.Request) bool {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tokens[token]
}

// token yields an access token for client credentials (RFC 6749, section 4.4).
func (e *Emitter) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	known, ok := e.secrets[id]
	if !ok || known != secret || r.PathValue("environment") != e.options.Environment {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	token := rand.Text()
	e.tokens[token] = true
	answer(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3600})
}

func (e *Emitter) readEnvironment(*http.Request) (int, any) {
	return http.StatusOK, map[string]any{"id": e.options.Environment, "name": "Example", "createdAt": stamp(e.created)}
}

// apiError is the body of every refusal.
type apiError struct {
	ID      string   `json:"id"`
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Details []detail `json:"details,omitempty"`
}

type detail struct {
	Code    string `json:"code"`
	Target  string `json:"target"`
	Message string `json:"message"`
}

func fail(status int, code, message string, details ...detail) (int, any) {
	return status, apiError{ID: uuid(), Code: code, Message: message, Details: details}
}

func notFound() (int, any) {
	return fail(http.StatusNotFound, "NOT_FOUND", "The requested resource object cannot be found.")
}

func answer(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that has gone needs no answer
}

// stamp is a time as the API writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// uuid is a random UUID (RFC 9562, version 4).
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
