package receiver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
	"github.com/hookproof/hookproof/simulator/receiver/emulation"
)

// refusal is an error that knows its HTTP status.
type refusal struct {
	status int
	reason string
}

func (r refusal) Error() string { return r.reason }

func badRequest(format string, args ...any) error {
	return refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func (r *Receiver) listEndpoints(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"endpoints": r.Endpoints()})
}

func (r *Receiver) postEndpoint(w http.ResponseWriter, req *http.Request) {
	data, err := readRequest(w, req)
	if err != nil {
		writeFailure(w, err)
		return
	}
	request, err := parseEndpointRequest(data)
	if err != nil {
		writeFailure(w, err)
		return
	}
	info, err := r.CreateEndpoint(request)
	if err != nil {
		writeFailure(w, err)
		return
	}
	w.Header().Set("Location", "/inspect/endpoints/"+info.ID)
	writeJSON(w, http.StatusCreated, info)
}

func (r *Receiver) getEndpoint(w http.ResponseWriter, req *http.Request) {
	if e := r.pathEndpoint(w, req); e != nil {
		writeJSON(w, http.StatusOK, r.describe(e))
	}
}

func (r *Receiver) deleteEndpoint(w http.ResponseWriter, req *http.Request) {
	e, err := r.endpoints.remove(req.PathValue("id"))
	if err != nil {
		writeFailure(w, err)
		return
	}
	if r.store != nil {
		err = r.store.DeleteGroup(e.id)
	}
	e.close()
	r.readers.tell(streamed{event: "endpoints"})
	if err != nil {
		writeFailure(w, fmt.Errorf("the endpoint is gone, but comes back with a restart: %w", err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r *Receiver) putBehaviour(w http.ResponseWriter, req *http.Request) {
	if r.pathEndpoint(w, req) == nil {
		return
	}
	data, err := readRequest(w, req)
	if err != nil {
		writeFailure(w, err)
		return
	}
	parse := behaviour.Parse
	if kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type")); err == nil && strings.HasSuffix(kind, "yaml") {
		parse = behaviour.ParseYAML
	}
	b, err := parse(data)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	if err := r.SetBehaviour(req.PathValue("id"), b); err != nil {
		writeFailure(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r *Receiver) putListener(w http.ResponseWriter, req *http.Request) {
	e := r.pathEndpoint(w, req)
	if e == nil {
		return
	}
	data, err := readRequest(w, req)
	if err != nil {
		writeFailure(w, err)
		return
	}
	var wish struct {
		Open  *bool `json:"open"`
		Shows Mode  `json:"shows"`
	}
	if err := decodeStrict(data, &wish); err != nil {
		writeFailure(w, err)
		return
	}
	if wish.Open == nil && wish.Shows == "" {
		writeFailure(w, badRequest("open: must be given, true or false, unless shows is"))
		return
	}
	if wish.Shows != "" {
		if err := r.show(e, wish.Shows); err != nil {
			writeFailure(w, err)
			return
		}
	}
	if wish.Open != nil {
		if err := e.setOpen(*wish.Open); err != nil {
			writeFailure(w, err)
			return
		}
	}
	if err := r.changed(e.id); err != nil {
		writeFailure(w, err)
		return
	}
	writeJSON(w, http.StatusOK, r.describe(e).Dedicated)
}

// parseEndpointRequest reads the body of a request for an endpoint. An empty
// body asks for one that answers 200.
func parseEndpointRequest(data []byte) (EndpointRequest, error) {
	var wire struct {
		Name      string             `json:"name"`
		Behaviour json.RawMessage    `json:"behaviour"`
		Emulation *emulation.Options `json:"emulation"`
		Listener  *listenerRequest   `json:"listener"`
	}
	var request EndpointRequest
	if len(bytes.TrimSpace(data)) == 0 {
		return request, nil
	}
	if err := decodeStrict(data, &wire); err != nil {
		return request, err
	}
	if len(wire.Name) > maxNameBytes {
		return request, badRequest("name: %d bytes are too many, at most %d", len(wire.Name), maxNameBytes)
	}
	request.Name = wire.Name
	if len(wire.Behaviour) > 0 {
		b, err := behaviour.Parse(wire.Behaviour)
		if err != nil {
			return request, badRequest("behaviour: %v", err)
		}
		request.Behaviour, request.behaviourBytes = b, int64(len(wire.Behaviour))
	}
	if wire.Emulation != nil {
		if err := wire.Emulation.Check(); err != nil {
			return request, badRequest("emulation.%v", err)
		}
		request.Emulation = wire.Emulation
	}
	if wire.Listener != nil {
		return request, wire.Listener.apply(&request)
	}
	return request, nil
}

// listenerRequest asks for a dedicated listener.
type listenerRequest struct {
	Mode        Mode      `json:"mode"`
	Dedicated   *bool     `json:"dedicated"`
	Open        *bool     `json:"open"`
	TLS         TLSChoice `json:"tls"`
	ServerNames []string  `json:"serverNames"`
	Subject     string    `json:"subject"`
}

// maxSubject is the longest subject, in bytes. A common name has at most 64
// (X.520, ub-common-name), and « Intermediate» comes behind this one.
const maxSubject = 64 - len(" Intermediate")

func (l *listenerRequest) apply(request *EndpointRequest) error {
	switch {
	case !l.Mode.valid():
		return badRequest("listener.mode: %q is none of %v", l.Mode, DedicatedModes())
	case l.Dedicated == nil || !*l.Dedicated:
		return badRequest("listener.dedicated: must be true; every endpoint is on the shared listeners anyway")
	case len(l.ServerNames) > maxServerNames:
		return badRequest("listener.serverNames: %d are too many, at most %d", len(l.ServerNames), maxServerNames)
	}
	if _, _, err := l.TLS.versions(); err != nil {
		return badRequest("listener.tls.%v", err)
	}
	for i, name := range l.ServerNames {
		if len(name) == 0 || len(name) > 253 || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' }) {
			return badRequest("listener.serverNames[%d]: %.253q is not a name", i, name)
		}
	}
	request.Dedicated, request.Closed = l.Mode, l.Open != nil && !*l.Open
	request.TLS = l.TLS
	if len(l.Subject) > maxSubject || strings.ContainsFunc(l.Subject, func(c rune) bool { return c < ' ' || c > '~' }) {
		return badRequest("listener.subject: %.64q is no name of up to %d printable ASCII characters", l.Subject, maxSubject)
	}
	request.TLS.ServerNames, request.TLS.Subject = l.ServerNames, l.Subject
	return nil
}

// decodeStrict reads exactly one JSON object into target. Errors name the
// member.
func decodeStrict(data []byte, target any) error {
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] != '{' && json.Valid(trimmed) {
		return badRequest("the body must be a JSON object")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(target)
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mistyped):
		return badRequest("%s: must be a %v, not a %s", mistyped.Field, mistyped.Type, mistyped.Value)
	case err != nil:
		return badRequest("the body is not what is expected here: %v", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return badRequest("the body holds more than one JSON value")
	}
	return nil
}

// readRequest reads the body of an inspection request within its bounds.
func readRequest(w http.ResponseWriter, req *http.Request) ([]byte, error) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(inspectBodyLimit))
	defer func() { _ = control.SetReadDeadline(time.Time{}) }()
	data, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxInspectBytes))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return nil, refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is longer than %d bytes", maxInspectBytes)}
	case err != nil:
		return nil, badRequest("read the body: %v", err)
	}
	return data, nil
}

// logQuery is what ?after=&limit=&wait= ask for.
type logQuery struct {
	after int64
	limit int
	wait  time.Duration
}

func parseLogQuery(req *http.Request) (logQuery, error) {
	q := logQuery{limit: defaultPage}
	values, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return q, badRequest("the query cannot be read: %v", err)
	}
	for name := range values {
		text := values.Get(name)
		switch name {
		case "after":
			if q.after, err = strconv.ParseInt(text, 10, 64); err != nil || q.after < 0 {
				return q, badRequest("after: %q is not a sequence number", text)
			}
		case "limit":
			if q.limit, err = strconv.Atoi(text); err != nil || q.limit < 1 || q.limit > maxPage {
				return q, badRequest("limit: %q is not a number from 1 to %d", text, maxPage)
			}
		case "wait":
			if q.wait, err = time.ParseDuration(text); err != nil || q.wait < 0 || q.wait > maxWait {
				return q, badRequest("wait: %q is not a duration from 0s to %v", text, maxWait)
			}
		default:
			return q, badRequest("%s: unknown parameter; there are after, limit and wait", name)
		}
	}
	return q, nil
}
