package emulation

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
)

// logAPI is New Relic's Log API: its headers, its limit of 10^6 bytes a POST
// and the 202 are those of «Send your logging data with our Log API»
// (docs.newrelic.com). The bodies of its errors are not documented; these are
// empty objects. The real API validates the records later and says so in an
// event of its own, so that only what is no JSON at all is refused here.
type logAPI struct{ options Options }

// maxPostBytes is the longest body of one POST, as sent.
const maxPostBytes = 1_000_000

func (l logAPI) Answer(r Request) Answer {
	switch {
	case !l.authorised(r):
		return answer(http.StatusForbidden, struct{}{})
	case r.Method != http.MethodPost:
		return answer(http.StatusMethodNotAllowed, struct{}{})
	case len(r.Body) > maxPostBytes:
		return answer(http.StatusRequestEntityTooLarge, struct{}{})
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil:
		return answer(http.StatusUnsupportedMediaType, struct{}{})
	case kind != "application/json" && kind != "json" && kind != "application/gzip" && kind != "gzip":
		return answer(http.StatusUnsupportedMediaType, struct{}{})
	}
	body, err := r.unpacked()
	if err != nil || !json.Valid(body) {
		return answer(http.StatusBadRequest, struct{}{})
	}
	return answer(http.StatusAccepted, map[string]string{"requestId": requestID()})
}

func (l logAPI) Error(int) []byte { return []byte("{}") }

// authorised looks for the key where the API takes it.
func (l logAPI) authorised(r Request) bool {
	for _, name := range []string{"Api-Key", "License-Key", "X-License-Key", "X-Insert-Key"} {
		for _, given := range []string{r.Header.Get(name), r.Query.Get(name)} {
			if given != "" {
				return l.options.accepts(given)
			}
		}
	}
	return false
}

// requestID is a random UUID.
func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
