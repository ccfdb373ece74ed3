package receiver

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hookproof/hookproof/simulator/receiver/page"
	"github.com/hookproof/hookproof/simulator/receiver/record"
)

// Bounds of the inspection API.
const (
	maxInspectBytes  = 4 << 20 // of a request's body
	defaultPage      = 1000    // entries of a page
	maxPage          = 10_000
	maxPageBytes     = 32 << 20 // recorded bytes of a page, unless one entry alone is longer
	maxWait          = time.Minute
	inspectBodyLimit = 30 * time.Second // for reading a request's body
)

// inspectionHandler serves the inspection API, the page and /healthz.
func (r *Receiver) inspectionHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/healthz", methods{http.MethodGet: func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	}})
	for path, m := range r.routes() {
		mux.Handle(path, r.authorised(m))
	}
	mux.Handle("/{$}", r.authorised(page.Handler()))
	mux.Handle("/assets/", r.authorised(page.Handler()))
	mux.Handle("/", r.authorised(methods{}))
	// A page of foreign origin in somebody's browser can reach loopback too.
	return http.NewCrossOriginProtection().Handler(mux)
}

// routes are the paths of the inspection API. The OpenAPI document describes
// each of them.
func (r *Receiver) routes() map[string]methods {
	return map[string]methods{
		"/inspect":                             {http.MethodGet: r.showReceiver},
		"/inspect/endpoints":                   {http.MethodGet: r.listEndpoints, http.MethodPost: r.postEndpoint},
		"/inspect/endpoints/{id}":              {http.MethodGet: r.getEndpoint, http.MethodDelete: r.deleteEndpoint},
		"/inspect/endpoints/{id}/behaviour":    {http.MethodPut: r.putBehaviour},
		"/inspect/endpoints/{id}/listener":     {http.MethodPut: r.putListener},
		"/inspect/endpoints/{id}/deliveries":   {http.MethodGet: r.getDeliveries},
		"/inspect/endpoints/{id}/connections":  {http.MethodGet: r.getConnections},
		"/inspect/endpoints/{id}/subscription": {http.MethodGet: r.getSubscription},
		"/inspect/deliveries":                  {http.MethodGet: r.listDeliveries, http.MethodDelete: r.clearDeliveries},
		"/inspect/deliveries/{number}":         {http.MethodGet: r.getDelivery},
		"/inspect/deliveries/{number}/body":    {http.MethodGet: r.getBody},
		"/inspect/deliveries/{number}/curl":    {http.MethodGet: r.getCurl},
		"/inspect/deliveries/{number}/resend":  {http.MethodPost: r.resend},
		"/inspect/export.har":                  {http.MethodGet: r.exportHAR},
		"/inspect/export.ndjson":               {http.MethodGet: r.exportNDJSON},
		"/inspect/timeline":                    {http.MethodGet: r.getTimeline},
		"/inspect/stream":                      {http.MethodGet: r.getStream},
		"/inspect/behaviours":                  {http.MethodGet: listBehaviours},
		"/inspect/ca.pem":                      {http.MethodGet: r.getCA},
		"/inspect/client-certificates":         {http.MethodPost: r.postClientCertificate},
		"/inspect/openapi.json":                {http.MethodGet: getOpenAPI},
	}
}

// methods serves a path by method, with errors in JSON.
type methods map[string]http.HandlerFunc

func (m methods) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	method := req.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if serve, ok := m[method]; ok {
		serve(w, req)
		return
	}
	if len(m) == 0 {
		writeError(w, http.StatusNotFound, "nothing is served at "+strconv.Quote(req.URL.Path))
		return
	}
	for allowed := range m {
		w.Header().Add("Allow", allowed)
	}
	writeError(w, http.StatusMethodNotAllowed, req.Method+" is not served here")
}

// authorised lets through who presents the token: as a bearer token, or as the
// password of Basic authentication, which a browser can do. Without a token
// the receiver is on loopback, where the name by which it was called must be
// one of loopback too, or a foreign page could reach it under its own name.
func (r *Receiver) authorised(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.options.InspectToken == "" {
			host := req.Host
			if name, _, err := net.SplitHostPort(host); err == nil {
				host = name
			}
			if !loopback(strings.Trim(host, "[]")) {
				writeError(w, http.StatusForbidden, "without a token only loopback names are served")
				return
			}
		} else if !r.tokenMatches(req) {
			w.Header().Add("WWW-Authenticate", `Bearer realm="hookproof receiver"`)
			if req.URL.Path == "/" || strings.HasPrefix(req.URL.Path, "/assets/") {
				w.Header().Add("WWW-Authenticate", `Basic realm="hookproof receiver: the token is the password"`)
			}
			writeError(w, http.StatusUnauthorized, "the inspection token is missing or wrong")
			return
		}
		next.ServeHTTP(w, req)
	})
}

func (r *Receiver) tokenMatches(req *http.Request) bool {
	scheme, given, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		_, given, _ = req.BasicAuth()
	}
	// Hashes have equal length, so the comparison tells nothing about it.
	got, want := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(r.options.InspectToken))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// showReceiver says where the listeners are.
func (r *Receiver) showReceiver(w http.ResponseWriter, _ *http.Request) {
	type shown struct {
		URL         string `json:"url"`
		Certificate string `json:"certificate,omitempty"`
	}
	listeners := map[Mode]shown{}
	for mode, l := range r.listeners {
		listeners[mode] = shown{URL: l.URL(), Certificate: l.Certificate()}
	}
	bytes, _ := r.budget.Used()
	extent := r.index.Extent()
	writeJSON(w, http.StatusOK, map[string]any{
		"listeners": listeners, "now": time.Now().UTC(),
		"bounds": map[string]int64{
			"maxBytes": r.options.MaxBytes, "maxDeliveries": int64(r.options.MaxDeliveries),
			"bytes": bytes, "deliveries": int64(extent.Kept), "evicted": extent.Removed,
		},
		"token": r.options.InspectToken != "", "persistent": r.store != nil,
	})
}

func (r *Receiver) getDeliveries(w http.ResponseWriter, req *http.Request) {
	if e := r.pathEndpoint(w, req); e != nil {
		writeLog(w, req, "deliveries", e.deliveries, (*kept).delivery)
	}
}

func (r *Receiver) getConnections(w http.ResponseWriter, req *http.Request) {
	e := r.pathEndpoint(w, req)
	switch {
	case e == nil:
	case e.connections == nil:
		writeFailure(w, errNotDedicated)
	default:
		writeLog(w, req, "connections", e.connections, func(c Connection) Connection { return c })
	}
}

// writeLog answers with the part of the log that the query asks for, as show
// shows it, waiting for it if the query says so.
func writeLog[T, S any](w http.ResponseWriter, req *http.Request, name string, log *record.Log[T], show func(T) S) {
	query, err := parseLogQuery(req)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	ctx, cancel := context.WithTimeout(req.Context(), query.wait)
	defer cancel()
	page, err := log.Read(ctx, query.after, record.Bounds{Entries: query.limit, Bytes: maxPageBytes})
	if err != nil {
		writeFailure(w, errNoEndpoint)
		return
	}
	shown := make([]S, 0, len(page.Entries))
	for _, entry := range page.Entries {
		shown = append(shown, show(entry))
	}
	writeJSON(w, http.StatusOK, map[string]any{name: shown, "last": page.Last, "evicted": page.Evicted})
}

// pathEndpoint returns the endpoint in the path, or answers that there is none.
func (r *Receiver) pathEndpoint(w http.ResponseWriter, req *http.Request) *endpoint {
	e, err := r.endpoints.withID(req.PathValue("id"))
	if err != nil {
		writeFailure(w, err)
		return nil
	}
	return e
}

// writeFailure answers with the status that fits the error.
func writeFailure(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var refused refusal
	switch {
	case errors.As(err, &refused):
		status = refused.status
	case errors.Is(err, errNoEndpoint):
		status = http.StatusNotFound
	case errors.Is(err, errNotDedicated):
		status = http.StatusConflict
	case errors.Is(err, errTooMany):
		status = http.StatusTooManyRequests
	case errors.Is(err, errListenerNotReady):
		status = http.StatusServiceUnavailable
	}
	writeError(w, status, err.Error())
}

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"error": message})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	encoded, err := json.Marshal(value)
	if err != nil {
		status, encoded = http.StatusInternalServerError, fmt.Appendf(nil, `{"error":%q}`, "encode the answer: "+err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(encoded, '\n'))
}
