package driver

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/hookproof/hookproof/steps/transcript"
)

// A NearMiss is a way in which credentials are almost the right ones.
type NearMiss int

// The near misses. Each is about the secret part: of Basic credentials the
// password, of others what follows the scheme, or where there is none the
// whole value.
const (
	OtherCase  NearMiss = iota // capital letters for small ones, and the other way about
	OtherByte                  // one byte is another, near the end
	CutShort                   // the end is missing
	Lengthened                 // something follows
	Surrounded                 // something comes before and follows
	Schemeless                 // Authorization without its scheme
)

// NearMiss is the mark of a value that is almost the one agreed for the
// header. It stands for that value in the bodies of later calls.
func (d *Driver) NearMiss(header string, how NearMiss) (mark string, err error) {
	err = d.Fact(fmt.Sprintf("near miss %d of header %s", how, header), &mark, func() (any, error) {
		live, ok := d.backend.(*Live)
		if !ok {
			return nil, errors.New("the credentials are not known")
		}
		return live.nearMiss(header, how), nil
	})
	return mark, err
}

// nearMiss makes the value, as secret as the right one: it is marked wherever
// it appears.
func (l *Live) nearMiss(header string, how NearMiss) (mark string) {
	value := missed(header, l.client.system.Hook.Headers[header], how)
	l.learn(value)
	if _, credentials, ok := strings.Cut(value, " "); ok {
		l.learn(credentials)
	}
	mark = transcript.NewRedactor(l.salt).Mark(value)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hook[mark] = value
	return mark
}

// missed is a value that is almost the right one. Where the way makes no
// difference, one byte is another: credentials in hexadecimal digits may be
// compared in any case, and those of other headers than Authorization have no
// scheme to be left out.
func missed(header, value string, how NearMiss) string {
	scheme, credentials, ok := strings.Cut(value, " ")
	if !ok {
		scheme, credentials = "", value
	}
	if how == Schemeless {
		if ok && strings.EqualFold(header, "Authorization") {
			return credentials
		}
		how = OtherByte
	}
	if user, password, basic := basicCredentials(scheme, credentials); basic {
		return scheme + " " + base64.StdEncoding.EncodeToString([]byte(user+":"+vary(password, how)))
	}
	return strings.TrimLeft(scheme+" "+vary(credentials, how), " ")
}

func basicCredentials(scheme, credentials string) (user, password string, ok bool) {
	decoded, err := base64.StdEncoding.DecodeString(credentials)
	if err != nil || !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	return strings.Cut(string(decoded), ":")
}

// hexadecimal is what may stand for the same bytes in either case.
var hexadecimal = regexp.MustCompile(`^[0-9a-fA-F-]*$`)

// quantum is how many letters of Base64 stand for three bytes. The first of
// them counts as a whole, where the last may have bits that nobody looks at.
const quantum = 4

func vary(secret string, how NearMiss) string {
	const more = "7AAA"
	last := max(len(secret)-quantum, len(secret)/2)
	switch how {
	case OtherCase:
		if other := strings.Map(otherCase, secret); other != secret && !hexadecimal.MatchString(secret) {
			return other
		}
	case CutShort:
		if secret != "" {
			return secret[:last]
		}
	case Lengthened:
		return secret + more
	case Surrounded:
		return more + secret + more
	}
	if secret == "" {
		return more
	}
	other := byte('7')
	if secret[last] == other {
		other = '3'
	}
	return secret[:last] + string(other) + secret[last+1:]
}

func otherCase(r rune) rune {
	if unicode.IsUpper(r) {
		return unicode.ToLower(r)
	}
	return unicode.ToUpper(r)
}
