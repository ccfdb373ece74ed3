package transcript

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/internal/secrets"
)

// Redactor replaces secrets by marks. Equal secrets get equal marks within a
// run, so that a judge can still compare them; the secret cannot be read
// back from the mark.
type Redactor struct {
	salt string
	// literals are secrets that are marked wherever they appear, whoever
	// repeats them, and in whatever form.
	literals []literal
	index    *index
}

// literal is a secret, or a form of one, with its mark, which is made once: it
// is looked for in everything that is recorded.
type literal struct{ text, mark string }

// NewRedactor makes marks that are keyed with the salt. The literals are
// secrets known beforehand; they are marked wherever they appear.
func NewRedactor(salt string, literals ...string) Redactor {
	return Redactor{salt: salt}.Knowing(literals...)
}

// Knowing is r with more secrets that are marked wherever they appear, as they
// are and in every form of [secrets.Forms]: one that would be found by chance
// ([secrets.Findable]) is not looked for. A secret within a JSON string has
// the secret's own mark, as the string means the same; in another form it has
// that of the form.
func (r Redactor) Knowing(literals ...string) Redactor {
	before := len(r.literals)
	r.literals = slices.Clone(r.literals)
	known := map[string]bool{}
	for _, l := range r.literals {
		known[l.text] = true
	}
	add := func(text, mark string) {
		if !known[text] {
			known[text] = true
			r.literals = append(r.literals, literal{text, mark})
		}
	}
	// All that are given before all of their forms: a secret has its own mark
	// also where it is a form of another.
	usable := func(l string) bool { return secrets.Findable(l) && !isMark(l) }
	for _, l := range literals {
		if usable(l) {
			add(l, r.Mark(l))
		}
	}
	for _, l := range literals {
		if !usable(l) {
			continue
		}
		for _, f := range secrets.Forms(l) {
			if f.Quoted {
				add(f.Text, r.Mark(l))
			} else {
				add(f.Text, r.Mark(f.Text))
			}
		}
	}
	if len(r.literals) == before {
		return r
	}
	// The longest first, as one may hold another.
	slices.SortStableFunc(r.literals, func(a, b literal) int { return len(b.text) - len(a.text) })
	r.index = newIndex(r.literals)
	return r
}

// Text marks the known secrets in any text.
func (r Redactor) Text(text string) string {
	if !holds(r.index, text) {
		return text
	}
	for _, l := range r.literals {
		text = strings.ReplaceAll(text, l.text, l.mark)
	}
	return text
}

// Bytes marks the known secrets in any bytes, which come back as they are
// where there is none.
func (r Redactor) Bytes(b []byte) []byte {
	if !holds(r.index, b) {
		return b
	}
	for _, l := range r.literals {
		if secret := []byte(l.text); bytes.Contains(b, secret) {
			b = bytes.ReplaceAll(b, secret, []byte(l.mark))
		}
	}
	return b
}

// Mark stands for the secret: its length and a keyed digest.
func (r Redactor) Mark(secret string) string {
	if isMark(secret) {
		return secret
	}
	mac := hmac.New(sha256.New, []byte(r.salt))
	mac.Write([]byte(secret))
	return fmt.Sprintf("[redacted %d bytes %s]", len(secret), hex.EncodeToString(mac.Sum(nil)[:12]))
}

func isMark(s string) bool { return markForm.MatchString(s) }

var (
	markWithin = regexp.MustCompile(`\[redacted [0-9]+ bytes [0-9a-f]{24}\]`)
	markForm   = regexp.MustCompile(`^` + markWithin.String() + `$`)
)

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
		marked := make([]string, len(values))
		for i, v := range values {
			switch {
			case name == "Location":
				marked[i] = r.address(v)
			case plain[name]:
				marked[i] = r.Text(v)
			default:
				marked[i] = r.Mark(v)
			}
		}
		out[name] = marked
	}
	return out
}

// address is where something is, with what it carries there marked: query and
// fragment, in which tokens travel.
func (r Redactor) address(text string) string {
	if i := strings.IndexAny(text, "?#"); i >= 0 && i+1 < len(text) {
		return r.Text(text[:i+1]) + r.Mark(text[i+1:])
	}
	return r.Text(text)
}

// secretMembers are JSON members whose string values are secrets wherever
// they stand.
var secretMembers = map[string]bool{
	"access_token": true, "client_secret": true, "secret": true, "password": true, "token": true, "refresh_token": true, "id_token": true,
}

// JSON marks the secrets in a JSON body: members known to be secret, every
// string of a "headers" object, and known secrets wherever they appear. All
// other bytes stay as they are; in a body that is no JSON, only the known
// secrets are marked.
func (r Redactor) JSON(body []byte) []byte {
	if len(body) == 0 || !gjson.ValidBytes(body) {
		return r.Bytes(body)
	}
	var out []byte
	end := 0
	for _, secret := range secretsIn(gjson.ParseBytes(body)) {
		out = append(out, body[end:secret.Index]...)
		out = append(out, '"')
		out = append(out, r.Mark(secret.Str)...) // a mark needs no escaping
		out = append(out, '"')
		end = secret.Index + len(secret.Raw)
	}
	return r.Bytes(append(out, body[end:]...))
}

// Secrets are the secrets that JSON marks in the body, by their marks.
func (r Redactor) Secrets(body []byte) map[string]string {
	if len(body) == 0 || !gjson.ValidBytes(body) {
		return nil
	}
	found := map[string]string{}
	for _, secret := range secretsIn(gjson.ParseBytes(body)) {
		if !isMark(secret.Str) {
			found[r.Mark(secret.Str)] = secret.Str
		}
	}
	return found
}

// Unmark puts secrets, known by their marks, in the place of the marks in a
// text; a mark of another secret stays.
func Unmark(text string, known map[string]string) string {
	return markWithin.ReplaceAllStringFunc(text, func(mark string) string {
		if secret, ok := known[mark]; ok {
			return secret
		}
		return mark
	})
}

// secretsIn are the secret strings below v, in the order they stand.
func secretsIn(v gjson.Result) []gjson.Result {
	var found []gjson.Result
	if !v.IsObject() && !v.IsArray() {
		return nil // ForEach would give v itself
	}
	v.ForEach(func(key, value gjson.Result) bool {
		switch {
		case value.Type == gjson.String:
			if v.IsObject() && secretMembers[key.Str] {
				found = append(found, value)
			}
		case v.IsObject() && key.Str == "headers" && value.IsObject():
			value.ForEach(func(_, content gjson.Result) bool {
				if content.Type == gjson.String {
					found = append(found, content)
				} else {
					found = append(found, secretsIn(content)...)
				}
				return true
			})
		default:
			found = append(found, secretsIn(value)...)
		}
		return true
	})
	return found
}
