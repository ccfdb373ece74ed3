package judge

import (
	"bytes"
	"iter"
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// Origin is where an event came from, as far as the suite knows.
type Origin struct {
	// Address is the IP address, empty where only the target knows it: what
	// it sees of an API call may be the address of a proxy.
	Address string
	// UserAgent is exactly what was sent.
	UserAgent string
}

// OriginOf tells where a caused event came from: the `source` it was posted
// with, or the User-Agent of the call that caused it.
func OriginOf(t *transcript.Transcript, c transcript.Caused) Origin {
	if c.EventID != "" {
		source := Posted(t, c.EventID).Get("source")
		return Origin{source.Get("ipAddress").String(), source.Get("userAgent").String()}
	}
	for _, x := range t.Exchanges("emitter") {
		if x.Response == nil || !x.End.Equal(c.At) {
			continue
		}
		if agent := x.Request.Headers["User-Agent"]; len(agent) == 1 {
			return Origin{UserAgent: agent[0]}
		}
	}
	return Origin{}
}

// Posted is the event with that id as it was posted.
func Posted(t *transcript.Transcript, id string) gjson.Result {
	for _, x := range t.Exchanges("") {
		for event := range postedIn(x) {
			if gjson.GetBytes(event, "id").String() == id {
				return gjson.ParseBytes(event)
			}
		}
	}
	return gjson.Result{}
}

// postedIn are the events that an exchange made happen: lines that were posted
// to the control API, or the array that the implementer's own address was asked
// for.
func postedIn(x transcript.Exchange) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		switch {
		case x.Request.Method != http.MethodPost:
		case x.Peer == "trigger":
			gjson.GetBytes(x.Request.Body, "events").ForEach(func(_, event gjson.Result) bool { return yield([]byte(event.Raw)) })
		case x.Peer == "control" && strings.HasSuffix(x.Request.Path, "/events"):
			for line := range bytes.Lines(x.Request.Body) {
				if !yield(bytes.TrimSpace(line)) {
					return
				}
			}
		}
	}
}

// ShowsUserAgent fails unless `source` of the event holds the user agent
// exactly as it was sent, whatever the member's name. Rule EVT-014.
func ShowsUserAgent(event gjson.Result, o Origin) Outcome {
	if o.UserAgent == "" {
		return unrecorded("the user agent of an event")
	}
	found := false
	eachText(event.Get("source"), func(text string) { found = found || text == o.UserAgent })
	if !found {
		return Fail("the user agent %q in source", o.UserAgent).Got("%s", cut(describe(event.Get("source"))))
	}
	return Pass
}

// HidesUserAgent fails if the user agent occurs anywhere in the event, even
// in part of a text, in other case or cut after its product. Rule EVT-013.
func HidesUserAgent(event gjson.Result, o Origin) Outcome {
	product := productOf(o.UserAgent)
	if product == "" {
		return unrecorded("the user agent of an event")
	}
	leak := ""
	eachText(event, func(text string) {
		if leak == "" && strings.Contains(strings.ToLower(text), product) {
			leak = text
		}
	})
	if leak != "" {
		return Fail("nothing of the user agent %q in the event", o.UserAgent).Got("%q", cut(leak))
	}
	return Pass
}

// ShowsAddress fails unless `source` of the event holds the IP address, or
// some IP address where only the target knows which. Rule EVT-015.
func ShowsAddress(event gjson.Result, o Origin) Outcome {
	found := false
	eachText(event.Get("source"), func(text string) {
		addr, err := netip.ParseAddr(text)
		found = found || err == nil && (o.Address == "" || addr.String() == o.Address)
	})
	if !found {
		want := o.Address
		if want == "" {
			want = "of the caller"
		}
		return Fail("the IP address %s in source", want).Got("%s", cut(describe(event.Get("source"))))
	}
	return Pass
}

// HidesAddress fails if an IP address occurs anywhere in the event but in a
// URL, whose host may be one. Rule EVT-012.
func HidesAddress(event gjson.Result, o Origin) Outcome {
	leak := ""
	eachText(event, func(text string) {
		if leak == "" && (o.Address != "" && strings.Contains(text, o.Address) || holdsAddress(text)) {
			leak = text
		}
	})
	if leak != "" {
		return Fail("no IP address in the event").Got("%q", cut(leak))
	}
	return Pass
}

var (
	urls = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>]*`)
	// breaks are what stands around an address in a text. The colon is not
	// among them: it is part of an address.
	breaks = ",;()[]{}<>\"'=|"
)

// holdsAddress tells whether a word of the text is an IP address, with or
// without a port.
func holdsAddress(text string) bool {
	text = urls.ReplaceAllString(text, " ")
	words := strings.FieldsFunc(text, func(r rune) bool {
		return r == ' ' || r == '\t' || r == '\n' || r == '\r' || strings.ContainsRune(breaks, r)
	})
	for _, word := range words {
		if isAddress(strings.Trim(word, "./")) || isAddress(strings.TrimSuffix(word, ":")) {
			return true
		}
	}
	return false
}

// isAddress tells whether s is an IP address, with or without a port. "::"
// is none that anybody calls from.
func isAddress(s string) bool {
	if addr, err := netip.ParseAddr(s); err == nil {
		return !addr.IsUnspecified()
	}
	_, err := netip.ParseAddrPort(s)
	return err == nil
}

// eachText calls f with every string of v, the names of its members
// included, numbers as they are written.
func eachText(v gjson.Result, f func(string)) {
	switch {
	case v.IsObject():
		v.ForEach(func(name, value gjson.Result) bool {
			f(name.Str)
			eachText(value, f)
			return true
		})
	case v.IsArray():
		for _, e := range v.Array() {
			eachText(e, f)
		}
	case v.Type == gjson.String:
		f(v.Str)
	case v.Type == gjson.Number:
		f(v.Raw)
	}
}
