package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

// Failure is the platform's error body with its status (V6, O1).
type Failure struct {
	Status  int            `json:"-"`
	ID      string         `json:"id"`
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Details []body.Problem `json:"details,omitempty"`
}

func (f Failure) Error() string { return fmt.Sprintf("%d %s: %s", f.Status, f.Code, f.Message) }

func failed(status int, code, message string, details ...body.Problem) Failure {
	return Failure{Status: status, ID: uuid.NewString(), Code: code, Message: message, Details: details}
}

func notFound() Failure {
	return failed(http.StatusNotFound, "NOT_FOUND", "The requested resource was not found.")
}

func methodNotAllowed() Failure {
	return failed(http.StatusMethodNotAllowed, "INVALID_REQUEST", "The method is not allowed here.")
}

func malformed(reason string) Failure {
	return failed(http.StatusBadRequest, "INVALID_REQUEST", "The request could not be read: "+reason+".")
}

func unsupportedMedia(want string) Failure {
	return failed(http.StatusUnsupportedMediaType, "INVALID_REQUEST", "The content type must be "+want+".")
}

func tooLarge(limit int) Failure {
	return failed(http.StatusRequestEntityTooLarge, "INVALID_REQUEST", "The request body is too large.", body.Problem{
		Code: body.SizeLimitExceeded, Target: "$", Message: fmt.Sprintf("At most %d bytes are allowed.", limit),
		Inner: &body.Inner{MaximumValue: &limit},
	})
}

func invalidData(problems ...body.Problem) Failure {
	return failed(http.StatusBadRequest, "INVALID_DATA", "The request was refused because some of its values are not valid.", problems...)
}

func invalidParameter(code, name, message string) Failure {
	return failed(http.StatusBadRequest, "INVALID_REQUEST", "The request was refused because a parameter is not valid.",
		body.Problem{Code: code, Target: name, Message: message})
}

func invalidToken(message string) Failure {
	return failed(http.StatusUnauthorized, "ACCESS_FAILED", "The request needs a valid access token.",
		body.Problem{Code: "INVALID_TOKEN", Message: message})
}

func forbidden() Failure {
	return failed(http.StatusForbidden, "ACCESS_FAILED", "The request could not be completed: the client has no access to this resource.",
		body.Problem{Code: "INSUFFICIENT_PERMISSIONS", Message: "The client has no permission in this environment."})
}

// limitReached must not begin with the words of a missing permission, which a client retries for minutes (T1).
func limitReached(limit int) Failure {
	return failed(http.StatusForbidden, "ACCESS_FAILED", fmt.Sprintf("The request could not be completed: the environment has its %d subscriptions.", limit),
		body.Problem{
			Code: "LICENSE_EXCEEDED", Target: "subscriptions", Message: fmt.Sprintf("The maximum of %d subscriptions is reached.", limit),
			Inner: &body.Inner{QuotaLimit: &limit},
		})
}

// constraint has the reason in the message too: clients look for it there (T1).
func constraint(c *directory.Conflict) Failure {
	return failed(http.StatusBadRequest, "INVALID_DATA", c.Message,
		body.Problem{Code: body.ConstraintViolation, Target: c.Target, Message: c.Message})
}

// requestFailed refuses what the state of a resource does not allow (O1).
func requestFailed(code, message string) Failure {
	return failed(http.StatusBadRequest, "REQUEST_FAILED", "The request could not be completed.", body.Problem{Code: code, Message: message})
}

func unexpected() Failure {
	return failed(http.StatusInternalServerError, "UNEXPECTED_ERROR", "The request failed for a reason on the server's side.")
}

func (a *API) fail(w http.ResponseWriter, f Failure) {
	f = a.pieces.Load().Failed(f)
	if f.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="management"`)
	}
	response{status: f.Status, body: f}.write(w)
}

// response is what answers a request; body nil is no body.
type response struct {
	status int
	body   any
}

func (r response) write(w http.ResponseWriter) {
	if r.body == nil {
		w.WriteHeader(r.status)
		return
	}
	if file, ok := r.body.(content); ok {
		w.Header().Set("Content-Type", file.media)
		w.WriteHeader(r.status)
		_, _ = w.Write(file.bytes)
		return
	}
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r.body); err != nil {
		panic(fmt.Sprintf("encode answer: %v", err)) // answers are built from what was decoded from JSON
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	// A client that went away is nobody to tell.
	_, _ = w.Write(encoded.Bytes())
}
