package receiver

import (
	"bytes"
	"io"
	"net/http"
	"sync"

	"github.com/tidwall/gjson"
)

// answerFaults are those of what is answered, whatever was delivered.
func answerFaults() []Fault {
	return []Fault{
		{"receiver-answers-202", "What is taken is answered 202.", []string{"RCV-002", "RCV-008"}, answering(http.StatusOK, http.StatusAccepted)},
		{"receiver-answers-204", "What is taken is answered 204.", []string{"RCV-002", "RCV-008"}, answering(http.StatusOK, http.StatusNoContent)},
		{"receiver-answers-500", "What is taken is answered 500.", []string{"RCV-002"}, answering(http.StatusOK, http.StatusInternalServerError)},
		{"receiver-redirects", "Every delivery is redirected.", []string{"RCV-002", "RCV-010"},
			refused(http.StatusTemporaryRedirect, func(*http.Request, []byte) bool { return true })},
		{"receiver-closes", "The connection is closed instead of an answer.", []string{"RCV-001", "RCV-002"},
			handled(func(http.Handler, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })},
		{"receiver-long-202", "Deliveries of more than 100 KB are answered 202.", []string{"RCV-005", "RCV-008"},
			refused(http.StatusAccepted, func(_ *http.Request, body []byte) bool { return len(body) > 100<<10 })},
		{"receiver-splunk-202", "Deliveries in the format of Splunk are answered 202.", []string{"RCV-008"},
			refused(http.StatusAccepted, func(_ *http.Request, body []byte) bool { return gjson.GetBytes(body, "0.time").Exists() })},
		{"receiver-redelivery-409", "A delivery that was taken before is answered 409.", []string{"RCV-009"}, func(p *pieces) {
			var mu sync.Mutex
			seen := map[string]bool{}
			refused(http.StatusConflict, func(_ *http.Request, body []byte) bool {
				id := gjson.GetBytes(body, "0.id").Str
				mu.Lock()
				defer mu.Unlock()
				again := seen[id] && id != ""
				seen[id] = true
				return again
			})(p)
		}},
		{"receiver-chunked-411", "Deliveries without a Content-Length are refused.", []string{"RCV-002"},
			refused(http.StatusLengthRequired, func(r *http.Request, _ []byte) bool { return r.ContentLength < 0 })},
		{"receiver-credentials-unchecked", "Credentials are not checked.", []string{"RCV-011"}, answering(http.StatusUnauthorized, http.StatusOK)},
		{"receiver-any-credentials", "Any credentials will do.", []string{"RCV-011"}, handled(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" {
				w = translated{w, http.StatusUnauthorized, http.StatusOK}
			}
			next.ServeHTTP(w, r)
		})},
		{"receiver-credentials-400", "Wrong credentials are answered 400.", []string{"RCV-011"}, answering(http.StatusUnauthorized, http.StatusBadRequest)},
	}
}

// handled has something else handle the requests, which may hand them on.
func handled(handle func(next http.Handler, w http.ResponseWriter, r *http.Request)) func(*pieces) {
	return func(p *pieces) {
		previous := p.take
		p.take = func(inner http.Handler) http.Handler {
			next := previous(inner)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(next, w, r) })
		}
	}
}

// translated answers with one status instead of another.
type translated struct {
	http.ResponseWriter
	from, to int
}

func (t translated) WriteHeader(status int) {
	if status == t.from {
		status = t.to
	}
	t.ResponseWriter.WriteHeader(status)
}

func (t translated) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// answering answers with one status instead of another.
func answering(from, to int) func(*pieces) {
	return handled(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(translated{w, from, to}, r)
	})
}

// rest is what follows a body that was read: its end, or the error that
// reading it ended with.
type rest struct{ err error }

func (r rest) Read([]byte) (int, error) { return 0, r.err }

// read reads the body of a request and puts it back; err is io.EOF if it is
// whole.
func read(r *http.Request) (body []byte, err error) {
	body, err = io.ReadAll(r.Body)
	if err == nil {
		err = io.EOF
	}
	put(r, body, err)
	return body, err
}

func put(r *http.Request, body []byte, err error) {
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), rest{err}))
	if r.ContentLength >= 0 && err == io.EOF {
		r.ContentLength = int64(len(body))
	}
}

// refused answers POSTs with the status, without taking them, if their body
// or something else about them is not liked.
func refused(status int, disliked func(r *http.Request, body []byte) bool) func(*pieces) {
	return handled(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if body, err := read(r); err == io.EOF && disliked(r, body) {
				w.Header().Set("Location", r.URL.Path)
				w.WriteHeader(status)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// altered takes another body than was delivered.
func altered(change func([]byte) []byte) func(*pieces) {
	return handled(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if body, err := read(r); err == io.EOF && len(body) > 0 {
			put(r, change(body), err)
		}
		next.ServeHTTP(w, r)
	})
}
