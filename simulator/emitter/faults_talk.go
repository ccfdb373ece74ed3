package emitter

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

// talk is one request to the management API and the answer it is about to get,
// which a fault may change; it can also ask something else.
type talk struct {
	request *http.Request
	sent    []byte // the request's body
	answer  captured

	inner  http.Handler
	pieces *Pieces
}

// heard bounds, in bytes, the body of a request that faults can see; the API
// refuses what is longer than 1 MiB.
const heard = 2 << 20

// talking lets a fault change answers of the management API.
func talking(alter func(*talk)) func(*Pieces) {
	return func(p *Pieces) {
		previous := p.Serve
		p.Serve = func(h http.Handler) http.Handler {
			inner := previous(h)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				sent, _ := io.ReadAll(io.LimitReader(r.Body, heard)) // what is missing, the API misses as well
				k := &talk{request: r, sent: sent, inner: inner, pieces: p}
				k.ask(r.Clone(r.Context()), sent)
				alter(k)
				maps.Copy(w.Header(), k.answer.header)
				w.WriteHeader(k.answer.status)
				_, _ = w.Write(k.answer.body.Bytes()) // a client that went away is nobody to tell
			})
		}
	}
}

// ask puts the API's answer to a request in the place of the one there was.
func (k *talk) ask(r *http.Request, body []byte) {
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	k.answer = captured{header: http.Header{}, status: http.StatusOK}
	k.inner.ServeHTTP(&k.answer, r)
}

// askAgain asks the same as the client that may do everything, after the
// request was changed.
func (k *talk) askAgain(change func(*http.Request)) {
	r := k.request.Clone(k.request.Context())
	r.Header.Set("Authorization", "Bearer "+k.token())
	change(r)
	k.ask(r, k.sent)
}

// token asks for an access token of the client that may do everything.
func (k *talk) token() string {
	client := k.pieces.Bootstrap
	form := strings.NewReader("grant_type=client_credentials")
	r, err := http.NewRequestWithContext(context.WithoutCancel(k.request.Context()), http.MethodPost, "/"+client.EnvironmentID+"/as/token", form)
	if err != nil {
		return ""
	}
	r.Host = k.request.Host
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(client.ID), url.QueryEscape(client.Secret))
	answer := captured{header: http.Header{}, status: http.StatusOK}
	k.inner.ServeHTTP(&answer, r)
	return gjson.GetBytes(answer.body.Bytes(), "access_token").Str
}

func (k *talk) managed() bool   { return strings.HasPrefix(k.request.URL.Path, "/v1/") }
func (k *talk) anonymous() bool { return k.request.Header.Get("Authorization") == "" }

// refused says whether the management API answered with this status.
func (k *talk) refused(status int) bool { return k.managed() && k.answer.status == status }

// lacks says whether a right was missing, and not a licence.
func (k *talk) lacks() bool {
	return k.refused(http.StatusForbidden) && k.get("details.0.code").Str == "INSUFFICIENT_PERMISSIONS"
}

// to says whether the request is of this method to a path with this end.
func (k *talk) to(method, end string) bool {
	return k.managed() && k.request.Method == method && strings.HasSuffix(strings.TrimSuffix(k.request.URL.Path, "/"), end)
}

func (k *talk) get(path string) gjson.Result { return gjson.GetBytes(k.answer.body.Bytes(), path) }

func (k *talk) set(path string, value any) {
	k.body(sjson.SetBytes(k.answer.body.Bytes(), path, value))
}

func (k *talk) drop(path string) {
	k.body(sjson.DeleteBytes(k.answer.body.Bytes(), path))
}

// body puts a new body in the answer, unless there was none to change.
func (k *talk) body(changed []byte, err error) {
	if err == nil {
		k.answer.body.Reset()
		k.answer.body.Write(changed)
	}
}

// captured is an http.ResponseWriter that keeps the answer.
type captured struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (c *captured) Header() http.Header         { return c.header }
func (c *captured) WriteHeader(status int)      { c.status = status }
func (c *captured) Write(p []byte) (int, error) { return c.body.Write(p) }
