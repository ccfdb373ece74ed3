// Package secrets knows the forms in which a peer may repeat a secret that it
// was sent, and which secrets are long enough to be looked for in any text.
// It holds no secret, makes no mark, and imports nothing of this module.
package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf16"
)

const (
	// MinLength is the least number of bytes of a secret that is looked for in
	// texts. A shorter one would be found by chance: six hex digits stand
	// somewhere in the UUIDs of one run in five, eight in less than one in a
	// thousand.
	MinLength = 8
	// AnyLength is the number of bytes from which on a secret may be a mere
	// word or number: shorter ones are found in names and times.
	AnyLength = 12
)

// Findable tells whether a secret can be looked for in any text without being
// found where it is not meant: it has at least [AnyLength] bytes, or at least
// [MinLength] with a letter and a digit among them.
func Findable(secret string) bool {
	return len(secret) >= AnyLength ||
		len(secret) >= MinLength && strings.ContainsAny(secret, "0123456789") && strings.IndexFunc(secret, letter) >= 0
}

func letter(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' || r >= 0x80 }

// Check refuses a secret that is not [Findable], as it could not be kept out of a
// report where a target repeats it. The error begins with what the secret is; an
// empty secret is none.
func Check(what, secret string) error {
	if secret == "" || Findable(secret) {
		return nil
	}
	return fmt.Errorf("%s is too short, or too plain a word or number, to be kept out of the report: names and times hold such by chance; "+
		"agree on one of %d bytes or more with letters and digits, or on any of %d", what, MinLength, AnyLength)
}

// carrier matches names of headers whose values are credentials; one of another
// name may have any value, such as the name of an environment.
var carrier = regexp.MustCompile(`(?i)auth|key|token|secret|passw|signature`)

// OfHeader are the credentials that a header carries, without their scheme;
// empty if it carries none, as its name tells.
func OfHeader(name, value string) string {
	if !carrier.MatchString(name) {
		return ""
	}
	return value[strings.LastIndexByte(value, ' ')+1:]
}

// Form is a secret as a peer may repeat it.
type Form struct {
	// Text is what to look for.
	Text string
	// Quoted tells that Text is the secret itself, as it stands within a JSON
	// string.
	Quoted bool
}

// Forms are the forms of a secret other than itself: within a JSON string,
// escaped in a URL or a form, and in base64, whatever stands before and after
// it there. Of the latter the first and last character may be missing, which
// other bytes share. No form is the secret itself, none comes twice, and none
// is shorter than the secret.
func Forms(secret string) []Form {
	var list []Form
	seen := map[string]bool{secret: true}
	add := func(text string, quoted bool) {
		if len(text) >= len(secret) && !seen[text] {
			seen[text] = true
			list = append(list, Form{text, quoted})
		}
	}
	for _, text := range quoted(secret) {
		add(text, true)
	}
	for _, text := range []string{url.QueryEscape(secret), url.PathEscape(secret), strings.ReplaceAll(url.QueryEscape(secret), "+", "%20")} {
		add(text, false)
		add(escape.ReplaceAllStringFunc(text, strings.ToLower), false)
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		add(encoding.EncodeToString([]byte(secret)), false)
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			add(within(encoding, before, secret), false)
		}
	}
	return list
}

var escape = regexp.MustCompile(`%[0-9A-F]{2}`)

// quoted are ways to write a text within a JSON string: as Go does, with and
// without care for HTML, as PHP does, which escapes slashes, and in ASCII.
func quoted(text string) []string {
	html, err := json.Marshal(text)
	if err != nil {
		return nil // a string always marshals
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		return nil
	}
	bare := strings.TrimSuffix(b.String(), "\n")
	list := []string{string(html), bare, strings.ReplaceAll(bare, "/", `\/`)}
	for _, form := range list {
		list = append(list, ascii(form))
	}
	for i, form := range list {
		list[i] = form[1 : len(form)-1]
	}
	return list
}

// within is what of a secret shows in base64 with so many bytes before it: the
// characters that no other byte has a part in.
func within(encoding *base64.Encoding, before int, secret string) string {
	text := encoding.EncodeToString(append(make([]byte, before), secret...))
	const bits = 6 // of a character
	return text[(8*before+bits-1)/bits : 8*(before+len(secret))/bits]
}

// ascii escapes what is not ASCII in JSON.
func ascii(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < 0x80 {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}
