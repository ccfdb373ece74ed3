package api

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

const (
	maxBody  = 1 << 20 // bytes of a request's body; the largest documented request is far smaller
	maxParts = 20      // of a multipart body

	transactionHeader = "X-Ping-External-Transaction-ID"
	sessionHeader     = "X-Ping-External-Session-ID"
	maxExternalID     = 100 // characters (G1)
)

// externalID returns the client's id for a request or a session in the allowed characters (G1), or a new one.
func externalID(sent string) string {
	if sent == "" {
		return uuid.NewString()
	}
	runes := []rune(sent)
	if len(runes) > maxExternalID {
		runes = runes[:maxExternalID]
	}
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-/@=#+", r) ||
			r == unicode.ReplacementChar {
			runes[i] = '_'
		}
	}
	return string(runes)
}

func address(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return host
}

// json reads the body as one JSON object. Beside application/json it takes the given media types.
func (r *request) json(also ...string) (body.Object, error) {
	if _, err := r.media(append([]string{"application/json"}, also...)...); err != nil {
		return body.Object{}, err
	}
	return r.object()
}

// media returns which of the given media types the body has; another one, or another character set than UTF-8, is
// refused.
func (r *request) media(known ...string) (string, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, media) })
	if charset := params["charset"]; err != nil || i < 0 || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return "", unsupportedMedia(strings.Join(known, " or "))
	}
	return known[i], nil
}

func (r *request) object() (body.Object, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(r.writer, r.Body, maxBody))
	if err != nil {
		return body.Object{}, readFailure(err)
	}
	object, err := body.Parse(raw)
	var syntax *body.SyntaxError
	if errors.As(err, &syntax) {
		return body.Object{}, malformed(syntax.Error())
	}
	return object, err
}

func readFailure(err error) Failure {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return tooLarge(maxBody)
	}
	return malformed("the body is cut off or not as announced")
}

// upload reads a multipart form that brings a file.
func (r *request) upload() (directory.Upload, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" {
		return directory.Upload{}, unsupportedMedia("multipart/form-data")
	}
	if params["boundary"] == "" {
		return directory.Upload{}, malformed("the multipart body has no boundary")
	}
	parts := multipart.NewReader(http.MaxBytesReader(r.writer, r.Body, maxBody), params["boundary"])
	var u directory.Upload
	seen := map[string]bool{}
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if err == io.EOF { // a body that is cut off gives a wrapped EOF
			return u, nil
		}
		if err != nil {
			return directory.Upload{}, readFailure(err)
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return directory.Upload{}, readFailure(err)
		}
		name := part.FormName()
		if n >= maxParts || seen[name] {
			return directory.Upload{}, malformed("the multipart body has a field twice or too many fields")
		}
		seen[name] = true
		switch name {
		case "usageType":
			u.UsageType = string(value)
		case "password":
			u.Password = string(value)
		case "file":
			u.File = value
		}
	}
}
