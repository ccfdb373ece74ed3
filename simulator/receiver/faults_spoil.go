package receiver

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/tidwall/gjson"
)

// spoilingFaults are those of requests that are no good delivery, and of what
// comes after them.
func spoilingFaults() []Fault {
	return []Fault{
		{"receiver-breaks-after-head", "After a HEAD request deliveries are answered 500.", []string{"RCV-018"},
			spoiled(func(r *http.Request, _ []byte, _ error) bool { return r.Method == http.MethodHead })},
		{"receiver-takes-anything", "A body that is no JSON is answered 200.", []string{"RCV-019"},
			handled(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if body, err := read(r); r.Method == http.MethodPost && err == io.EOF && !isJSON(body) {
					return
				}
				next.ServeHTTP(w, r)
			})},
		{"receiver-fails-on-garbage", "A body that is no JSON is answered 500.", []string{"RCV-019"},
			refused(http.StatusInternalServerError, func(_ *http.Request, body []byte) bool { return !isJSON(body) })},
		{"receiver-breaks-after-garbage", "After a body that is no JSON deliveries are answered 500.", []string{"RCV-019"},
			spoiled(func(r *http.Request, body []byte, err error) bool {
				return r.Method == http.MethodPost && err == io.EOF && !isJSON(body)
			})},
		{"receiver-breaks-after-cut", "After a delivery that was cut off deliveries are answered 500.", []string{"RCV-020"},
			spoiled(func(_ *http.Request, _ []byte, err error) bool { return err != io.EOF })},
		{"receiver-keeps-halves", "Of a delivery that was cut off, the events that came are stored.", []string{"RCV-020"},
			handled(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if body, err := read(r); err != io.EOF {
					end := strings.LastIndex(string(body), `},{"id"`)
					if end < 0 {
						return
					}
					put(r, append(body[:end+1:end+1], ']'), io.EOF)
					r.ContentLength = int64(end + 2)
				}
				next.ServeHTTP(w, r)
			})},
	}
}

// spoiled answers 500 to every delivery after one that spoils it: with others
// beside it, the very next may be anybody's.
func spoiled(spoils func(r *http.Request, body []byte, err error) bool) func(*pieces) {
	var broken atomic.Bool
	return handled(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		body, err := read(r)
		switch {
		case spoils(r, body, err):
			broken.Store(true)
		case broken.Load():
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isJSON tells whether a body is a JSON value, or several.
func isJSON(body []byte) bool {
	return gjson.ValidBytes(body) || json.NewDecoder(strings.NewReader(string(body))).Decode(new(any)) == nil
}

// handshakeFaults are those of what the receiver is before any delivery.
func handshakeFaults() []Fault {
	list := []Fault{
		{"receiver-plain-http", "The endpoint speaks no TLS.", []string{"RCV-001"}, secured(func(*tls.Config) *tls.Config { return nil })},
		{"receiver-no-intermediate", "The certificate comes without the intermediate that leads to its root.", []string{"RCV-012"},
			secured(func(c *tls.Config) *tls.Config {
				leaf := c.Certificates[0]
				leaf.Certificate = leaf.Certificate[:1]
				c.Certificates = []tls.Certificate{leaf}
				return c
			})},
		{"receiver-old-tls", "TLS 1.0 and 1.1 are spoken.", []string{"RCV-013"}, secured(func(c *tls.Config) *tls.Config {
			c.MinVersion = tls.VersionTLS10
			return c
		})},
		{"receiver-no-client-certificate", "Client certificates are not asked for.", []string{"RCV-014"}, authenticated(tls.NoClientCert)},
		{"receiver-client-optional", "A client certificate is checked only if there is one.", []string{"RCV-014"}, authenticated(tls.VerifyClientCertIfGiven)},
		{"receiver-any-client", "A client certificate of any authority will do.", []string{"RCV-014"}, authenticated(tls.RequireAnyClientCert)},
	}
	for _, c := range []struct {
		name, sentence string
		shown          Mode
	}{
		{"receiver-expired", "The certificate has expired.", Expired},
		{"receiver-not-yet-valid", "The certificate is not valid yet.", NotYetValid},
		{"receiver-wrong-host", "The certificate is made out to another host.", WrongHost},
		{"receiver-self-signed", "The certificate is its own issuer.", SelfSigned},
		{"receiver-unknown-authority", "The certificate is of an authority that nobody knows.", UnknownCA},
	} {
		list = append(list, Fault{c.name, c.sentence, []string{"RCV-012"}, func(p *pieces) {
			p.shows = func(Mode) Mode { return c.shown }
		}})
	}
	return list
}

func secured(alter func(*tls.Config) *tls.Config) func(*pieces) {
	return func(p *pieces) {
		previous := p.secure
		p.secure = func(c *tls.Config) *tls.Config { return alter(previous(c)) }
	}
}

func authenticated(how tls.ClientAuthType) func(*pieces) {
	return secured(func(c *tls.Config) *tls.Config {
		c.ClientAuth = how
		return c
	})
}
