package receiver

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

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
		{"receiver-refuses-resources", "Events about more than two resources are refused.", []string{"RCV-002"},
			dislikes(anyEvent(func(e gjson.Result) bool { return len(e.Get("resources").Array()) > 2 }))},
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
		{"receiver-mixed-409", "A delivery is answered 409 if some of its events were taken before, and others not.", []string{"RCV-009"}, func(p *pieces) {
			var seen sync.Map // the events that came, by their ids
			refused(http.StatusConflict, func(_ *http.Request, body []byte) bool {
				known, all := 0, gjson.GetBytes(body, "#.id").Array()
				for _, id := range all {
					if _, again := seen.LoadOrStore(id.Str, true); again {
						known++
					}
				}
				return known > 0 && known < len(all)
			})(p)
		}},
		{"receiver-lines-409", "A redelivery in NDJSON is answered 409.", []string{"RCV-009"},
			refusedAgain(func(body []byte) bool { return bytes.HasPrefix(body, []byte("{")) })},
		{"receiver-pretty-409", "A redelivery of a pretty-printed array is answered 409.", []string{"RCV-009"},
			refusedAgain(func(body []byte) bool { return bytes.HasPrefix(body, []byte("[\n")) })},
		{"receiver-many-409", "A redelivery of more than 10 events is answered 409.", []string{"RCV-009"},
			refusedAgain(func(body []byte) bool { return len(eventsOf(body)) > 10 })},
		{"receiver-late-409", "A delivery is answered 409 if events that were taken before follow one that was not.", []string{"RCV-009"}, func(p *pieces) {
			var seen sync.Map // the events that came, by their ids
			refused(http.StatusConflict, func(_ *http.Request, body []byte) bool {
				fresh, late := false, false
				for _, id := range gjson.GetBytes(body, "#.id").Array() {
					_, again := seen.LoadOrStore(id.Str, true)
					fresh, late = fresh || !again, late || fresh && again
				}
				return late
			})(p)
		}},
		{"receiver-chunked-411", "Deliveries without a Content-Length are refused.", []string{"RCV-002"},
			refused(http.StatusLengthRequired, func(r *http.Request, _ []byte) bool { return r.ContentLength < 0 })},
		{"receiver-credentials-unchecked", "Credentials are not checked.", []string{"RCV-011"}, answering(http.StatusUnauthorized, http.StatusOK)},
		{"receiver-lines-unchecked", "The credentials of NDJSON are not checked.", []string{"RCV-011"},
			unchecked(func(_ *http.Request, body []byte) bool { return bytes.HasPrefix(body, []byte("{")) })},
		{"receiver-chunked-unchecked", "The credentials of deliveries without a Content-Length are not checked.", []string{"RCV-011"},
			unchecked(func(r *http.Request, _ []byte) bool { return r.ContentLength < 0 })},
		{"receiver-pretty-unchecked", "The credentials of pretty-printed arrays are not checked.", []string{"RCV-011"},
			unchecked(func(_ *http.Request, body []byte) bool { return bytes.HasPrefix(body, []byte("[\n")) })},
		{"receiver-long-unchecked", "The credentials of deliveries of more than 3 KB are not checked.", []string{"RCV-011"},
			unchecked(func(_ *http.Request, body []byte) bool { return len(body) > 3<<10 })},
		{"receiver-any-credentials", "Any credentials will do.", []string{"RCV-011"}, handled(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" {
				w = translated{w, http.StatusUnauthorized, http.StatusOK}
			}
			next.ServeHTTP(w, r)
		})},
		{"receiver-credentials-400", "Wrong credentials are answered 400.", []string{"RCV-011"}, answering(http.StatusUnauthorized, http.StatusBadRequest)},
		{"receiver-credentials-any-case", "Credentials are compared without regard to case.", []string{"RCV-011"}, alike(strings.EqualFold)},
		{"receiver-credentials-begun", "The beginning of the credentials will do.", []string{"RCV-011"},
			alike(func(given, right string) bool { return strings.HasPrefix(right, given) })},
		{"receiver-credentials-once", "Credentials are checked once for each connection.", []string{"RCV-011"}, func(p *pieces) {
			var checked sync.Map
			granting(func(r *http.Request) bool {
				_, ok := checked.Load(r.RemoteAddr)
				return ok
			}, func(r *http.Request) { checked.Store(r.RemoteAddr, true) })(p)
		}},
		{"receiver-credentials-once-for-all", "Once one delivery had the credentials, no other from its address needs them.", []string{"RCV-011"}, func(p *pieces) {
			var checked sync.Map
			host := func(r *http.Request) string { host, _, _ := net.SplitHostPort(r.RemoteAddr); return host }
			granting(func(r *http.Request) bool {
				_, ok := checked.Load(host(r))
				return ok
			}, func(r *http.Request) { checked.Store(host(r), true) })(p)
		}},
		{"receiver-redelivery-unchecked", "The credentials of a redelivery are not checked.", []string{"RCV-011"}, func(p *pieces) {
			var taken sync.Map // the first event of what was answered 200
			handled(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				body, _ := read(r)
				first := gjson.GetBytes(body, "0.id").Str
				next.ServeHTTP(decided{w, func(status int) int {
					_, again := taken.Load(first)
					switch {
					case status == http.StatusOK && first != "":
						taken.Store(first, true)
					case status == http.StatusUnauthorized && again:
						return http.StatusOK
					}
					return status
				}}, r)
			})(p)
		}},
	}
}

// unchecked takes deliveries without their credentials that it is about.
func unchecked(about func(r *http.Request, body []byte) bool) func(*pieces) {
	return handled(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if body, err := read(r); err == io.EOF && about(r, body) {
			w = translated{w, http.StatusUnauthorized, http.StatusOK}
		}
		next.ServeHTTP(w, r)
	})
}

// refusedAgain answers 409 to a body that came before, if it is about such.
func refusedAgain(about func(body []byte) bool) func(*pieces) {
	return func(p *pieces) {
		var seen sync.Map // the bodies that came
		refused(http.StatusConflict, func(_ *http.Request, body []byte) bool {
			if !about(body) {
				return false
			}
			_, again := seen.LoadOrStore(sha256.Sum256(body), true)
			return again
		})(p)
	}
}

// alike takes credentials that are like the right ones, which are those of the
// first delivery that is taken; whoever comes before it waits a while.
func alike(like func(given, right string) bool) func(*pieces) {
	var once sync.Once
	known, right := make(chan struct{}), ""
	return granting(func(r *http.Request) bool {
		given := r.Header.Get("Authorization")
		if given == "" {
			return false
		}
		select {
		case <-known:
			return like(given, right)
		case <-time.After(5 * time.Second):
		case <-r.Context().Done():
		}
		return false
	}, func(r *http.Request) {
		once.Do(func() {
			right = r.Header.Get("Authorization")
			close(known)
		})
	})
}

// granting answers 200 in place of 401 to whom it is granted, and notes whom
// it was answered anyway.
func granting(grant func(*http.Request) bool, note func(*http.Request)) func(*pieces) {
	return handled(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(decided{w, func(status int) int {
			switch {
			case r.Method != http.MethodPost:
			case status == http.StatusOK:
				note(r)
			case status == http.StatusUnauthorized && grant(r):
				return http.StatusOK
			}
			return status
		}}, r)
	})
}

// decided answers with the status that is decided in place of another.
type decided struct {
	http.ResponseWriter
	decide func(int) int
}

func (d decided) WriteHeader(status int) { d.ResponseWriter.WriteHeader(d.decide(status)) }

func (d decided) Unwrap() http.ResponseWriter { return d.ResponseWriter }

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
