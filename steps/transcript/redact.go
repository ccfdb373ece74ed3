package transcript

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

// Redactor replaces secrets by marks. Equal secrets get equal marks within a
// run, so that a judge can still compare them; the secret cannot be read
// back from the mark.
type Redactor struct{ salt string }

// NewRedactor makes marks that are keyed with the salt.
func NewRedactor(salt string) Redactor { return Redactor{salt} }

// Mark stands for the secret: its length and a keyed digest.
func (r Redactor) Mark(secret string) string {
	if isMark(secret) {
		return secret
	}
	mac := hmac.New(sha256.New, []byte(r.salt))
	mac.Write([]byte(secret))
	return fmt.Sprintf("[redacted %d bytes %s]", len(secret), hex.EncodeToString(mac.Sum(nil)[:12]))
}

func isMark(s string) bool { return strings.HasPrefix(s, "[redacted ") && strings.HasSuffix(s, "]") }

// plain are the headers whose values are no secrets; every other header may
// be one that somebody configured to carry a credential, and is marked.
var plain = map[string]bool{
	"Accept": true, "Accept-Encoding": true, "Allow": true, "Connection": true, "Content-Encoding": true, "Content-Length": true,
	"Content-Type": true, "Date": true, "Host": true, "Location": true, "Retry-After": true, "Transfer-Encoding": true,
	"User-Agent": true, "Www-Authenticate": true, "X-Ping-External-Transaction-Id": true,
}

// Headers marks the values of all headers but those known to carry no secret.
func (r Redactor) Headers(headers map[string][]string) map[string][]string {
	if headers == nil {
		return nil
	}
	out := maps.Clone(headers)
	for name, values := range out {
		if plain[name] {
			continue
		}
		marked := make([]string, len(values))
		for i, v := range values {
			marked[i] = r.Mark(v)
		}
		out[name] = marked
	}
	return out
}

// secretMembers are JSON members whose string values are secrets wherever
// they stand.
var secretMembers = map[string]bool{
	"access_token": true, "client_secret": true, "secret": true, "password": true, "token": true, "refresh_token": true, "id_token": true,
}

// JSON marks the secrets in a JSON body: members known to be secret, and
// every value of a "headers" object. A body that is no JSON comes back as
// it is.
func (r Redactor) JSON(body []byte) []byte {
	if len(body) == 0 || !gjson.ValidBytes(body) {
		return body
	}
	out := body
	for _, path := range secretPaths(gjson.ParseBytes(body), "") {
		marked, err := sjson.SetBytes(out, path, r.Mark(gjson.GetBytes(out, path).String()))
		if err != nil {
			return []byte(r.Mark(string(body)))
		}
		out = marked
	}
	return out
}

// secretPaths are the paths of all secret strings below v.
func secretPaths(v gjson.Result, at string) []string {
	var found []string
	i := 0
	v.ForEach(func(key, value gjson.Result) bool {
		name := key.String()
		if v.IsArray() {
			name = fmt.Sprint(i)
			i++
		}
		path := gjson.Escape(name)
		if at != "" {
			path = at + "." + path
		}
		switch {
		case v.IsObject() && name == "headers" && value.IsObject():
			value.ForEach(func(header, content gjson.Result) bool {
				if content.Type == gjson.String {
					found = append(found, path+"."+gjson.Escape(header.String()))
				}
				return true
			})
		case v.IsObject() && secretMembers[name] && value.Type == gjson.String:
			found = append(found, path)
		case value.IsObject() || value.IsArray():
			found = append(found, secretPaths(value, path)...)
		}
		return true
	})
	return found
}
