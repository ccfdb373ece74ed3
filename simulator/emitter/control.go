package emitter

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

// Bounds of one injection.
const (
	injectBytes = 64 << 20
	injectLines = 100_000
	clockBytes  = 4 << 10
)

func (e *Emitter) controlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /control/environments/{environment}/events", e.injectEvents)
	mux.HandleFunc("GET /control/subscriptions/{subscription}/attempts", e.listAttempts)
	mux.HandleFunc("GET /control/clock", func(w http.ResponseWriter, _ *http.Request) { e.showClock(w) })
	mux.HandleFunc("POST /control/clock", e.advanceClock)
	mux.HandleFunc("GET /control/faults", e.showFaults)
	mux.HandleFunc("PUT /control/faults/{name}", func(w http.ResponseWriter, r *http.Request) { e.putFault(w, r, true) })
	mux.HandleFunc("DELETE /control/faults/{name}", func(w http.ResponseWriter, r *http.Request) { e.putFault(w, r, false) })
	return e.authorized(platformErrors(mux))
}

// authorized lets nobody through without the control token.
func (e *Emitter) authorized(next http.Handler) http.Handler {
	want := sha256.Sum256([]byte("Bearer " + e.options.ControlToken))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := sha256.Sum256([]byte(r.Header.Get("Authorization")))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, "ACCESS_FAILED", "The control token is missing or wrong.",
				detail{Code: "INVALID_TOKEN", Message: "The control API needs its bearer token."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// platformErrors gives requests that no route takes the platform's error body.
func platformErrors(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		var allowed []string
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
			probe := r.Clone(r.Context())
			probe.Method = method
			if _, pattern := mux.Handler(probe); pattern != "" {
				allowed = append(allowed, method)
			}
		}
		if len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			refuse(w, http.StatusMethodNotAllowed, "INVALID_REQUEST", "The method is not allowed here.")
			return
		}
		refuse(w, http.StatusNotFound, "NOT_FOUND", "There is nothing here.")
	})
}

// injectEvents appends posted events, one a line, all or none.
func (e *Emitter) injectEvents(w http.ResponseWriter, r *http.Request) {
	environment := r.PathValue("environment")
	if !slices.Contains(e.directory.Environments(), environment) {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "The environment does not exist.")
		return
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-ndjson" {
		refuse(w, http.StatusUnsupportedMediaType, "INVALID_REQUEST", "Events are posted as application/x-ndjson.")
		return
	}
	records, problems, err := e.readEvents(http.MaxBytesReader(w, r.Body, injectBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "INVALID_REQUEST", fmt.Sprintf("At most %d bytes are taken at a time.", injectBytes))
		return
	case err != nil:
		refuse(w, http.StatusBadRequest, "INVALID_REQUEST", "The events could not be read.")
		return
	case len(problems) > 0:
		refuse(w, http.StatusBadRequest, "INVALID_DATA", "The request could not be completed. One or more events are not valid.", problems...)
		return
	}
	if err := e.append(r.Context(), environment, records); errors.Is(err, storage.ErrFull) {
		e.options.Log.Error("events were refused", "error", err)
		refuse(w, http.StatusInsufficientStorage, "UNEXPECTED_ERROR", "There is no room for events: the storage is full.")
		return
	} else if err != nil {
		e.options.Log.Error("events could not be appended", "error", err)
		refuse(w, http.StatusInternalServerError, "UNEXPECTED_ERROR", "The events could not be stored.")
		return
	}
	answer(w, http.StatusAccepted, map[string]int{"accepted": len(records)})
}

// reportedLines bounds the details of one answer.
const reportedLines = 100

func (e *Emitter) readEvents(body io.Reader) (records []event.Record, problems []detail, err error) {
	now := e.clock.Now()
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 64<<10), event.MaxBytes+2) // a line feed, and a byte to see that it is too long
	number := 0
	for lines.Scan() {
		number++
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		record, invalid := event.Parse(text, now)
		switch {
		case len(records) == injectLines:
			return nil, []detail{{
				Code: "SIZE_LIMIT_EXCEEDED", Target: fmt.Sprintf("line %d", number),
				Message: fmt.Sprintf("At most %d events are taken at a time.", injectLines),
			}}, nil
		case invalid == nil:
			records = append(records, record)
		case len(problems) < reportedLines:
			problems = append(problems, detail{
				Code: "INVALID_VALUE", Target: fmt.Sprintf("line %d", number), Message: invalid.Error(),
			})
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, []detail{{
			Code: "SIZE_LIMIT_EXCEEDED", Target: fmt.Sprintf("line %d", number+1),
			Message: fmt.Sprintf("An event has at most %d bytes.", event.MaxBytes),
		}}, nil
	} else if err != nil {
		return nil, nil, err
	}
	if len(records) == 0 && len(problems) == 0 {
		problems = []detail{{Code: "EMPTY_VALUE", Target: "$", Message: "There is no event in the body."}}
	}
	return records, problems, nil
}

func (e *Emitter) showClock(w http.ResponseWriter) {
	answer(w, http.StatusOK, map[string]string{
		"now": e.clock.Now().UTC().Format(time.RFC3339Nano), "offset": e.clock.Offset().String(),
	})
}

func (e *Emitter) advanceClock(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Advance string `json:"advance"`
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, clockBytes))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil {
		refuse(w, http.StatusBadRequest, "INVALID_REQUEST", `The body is not of the form {"advance":"168h"}.`)
		return
	}
	by, err := time.ParseDuration(body.Advance)
	if err == nil {
		err = e.clock.Advance(r.Context(), by)
	}
	if errors.Is(err, errClockNotKept) {
		e.options.Log.Error("the clock could not be advanced", "error", err)
		refuse(w, http.StatusInternalServerError, "UNEXPECTED_ERROR", "The clock could not be stored.")
		return
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "INVALID_DATA", "The clock was not advanced.",
			detail{Code: "INVALID_VALUE", Target: "advance", Message: err.Error()})
		return
	}
	e.showClock(w)
}

func (e *Emitter) showFaults(w http.ResponseWriter, _ *http.Request) {
	type shown struct {
		Name     string   `json:"name"`
		Sentence string   `json:"sentence"`
		Rules    []string `json:"rules"`
		Active   bool     `json:"active"`
	}
	now := e.activeFaults()
	list := []shown{}
	for _, f := range Faults() {
		list = append(list, shown{f.Name, f.Sentence, f.Rules, slices.Contains(now, f.Name)})
	}
	answer(w, http.StatusOK, map[string]any{"faults": list})
}

func (e *Emitter) putFault(w http.ResponseWriter, r *http.Request, on bool) {
	name := r.PathValue("name")
	if !slices.ContainsFunc(Faults(), func(f Fault) bool { return f.Name == name }) {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "There is no fault of this name.")
		return
	}
	if err := e.setFault(name, on); err != nil {
		refuse(w, http.StatusInternalServerError, "UNEXPECTED_ERROR", err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// detail is an entry of the platform's error body (O1).
type detail struct {
	Code    string `json:"code"`
	Target  string `json:"target,omitempty"`
	Message string `json:"message"`
}

func refuse(w http.ResponseWriter, status int, code, message string, details ...detail) {
	body := map[string]any{"id": uuid.NewString(), "code": code, "message": message}
	if len(details) > 0 {
		body["details"] = details
	}
	answer(w, status, body)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that went away cannot be told
}
