package pipeline_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// logline is a message of RFC 5424, read back.
type logline struct {
	at, host, app, kind string
	attributes          map[string][]string
	text                string
}

var logHeader = regexp.MustCompile(`^<(\d+)>1 (\S+) (\S+) (\S+) - (\S+) `)

// readLogline reads a message by the grammar of RFC 5424, section 6.
func readLogline(message string) (logline, error) {
	var l logline
	h := logHeader.FindStringSubmatch(message)
	if h == nil || h[1] != "110" || len(h[5]) > 32 {
		return l, fmt.Errorf("no header: %s", message)
	}
	l.at, l.host, l.app, l.kind = h[2], h[3], h[4], h[5]
	rest := message[len(h[0]):]
	if text, none := strings.CutPrefix(rest, "- "); none {
		l.text = text
		return l, nil
	}
	rest, ok := strings.CutPrefix(rest, "[pingone@32473")
	if !ok {
		return l, fmt.Errorf("no structured data: %s", rest)
	}
	l.attributes = map[string][]string{}
	for strings.HasPrefix(rest, " ") {
		name, value, found := strings.Cut(rest[1:], `="`)
		if !found || name == "" || len(name) > 32 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`="]`, r) }) {
			return l, fmt.Errorf("no parameter: %s", rest)
		}
		var b strings.Builder
		i := 0
		for ; i < len(value) && value[i] != '"'; i++ {
			switch value[i] {
			case ']':
				return l, fmt.Errorf("a bracket without a backslash: %s", rest)
			case '\\':
				i++
			}
			b.WriteByte(value[i])
		}
		l.attributes[name] = append(l.attributes[name], b.String())
		rest = value[i+1:]
	}
	if l.text, ok = strings.CutPrefix(rest, "] "); !ok {
		return l, fmt.Errorf("structured data does not end: %s", rest)
	}
	return l, nil
}

// frames cuts a stream of log lines by their lengths.
func frames(stream string) (list []string, err error) {
	for stream != "" {
		length, rest, _ := strings.Cut(stream, " ")
		n, err := strconv.Atoi(length)
		if err != nil || n > len(rest) || length[0] == '0' {
			return list, fmt.Errorf("no frame: %.100s", stream)
		}
		list, stream = append(list, rest[:n]), rest[n:]
	}
	return list, nil
}

func loglines(attributes map[string]string) subscription.Subscription {
	return subscription.Subscription{Protocol: subscription.TCPIP, TCPFormat: subscription.RFCLogline, TCPAttributes: attributes}
}

func TestALogLine(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 6, 7, 8, 9_000_000, time.FixedZone("", 3600))
	r := event.Event{ID: "x", Type: "USER.CREATED", RecordedAt: at}.Record()
	body := string(r.JSON(false, false))
	for name, c := range map[string]struct {
		s    subscription.Subscription
		want string
	}{
		"plain":      {loglines(nil), `<110>1 2026-11-22T05:07:08.009Z pingidentity.com pingone - USER.CREATED - ` + body},
		"empty":      {loglines(map[string]string{}), `<110>1 2026-11-22T05:07:08.009Z pingidentity.com pingone - USER.CREATED - ` + body},
		"attributes": {loglines(map[string]string{"b": `a"b\c]d`, "a": "é"}), `<110>1 2026-11-22T05:07:08.009Z pingidentity.com pingone - USER.CREATED [pingone@32473 a="é" b="a\"b\\c\]d"] ` + body},
		"names":      {loglines(map[string]string{`my key="]` + strings.Repeat("x", 40): "", "": "é"}), `<110>1 2026-11-22T05:07:08.009Z pingidentity.com pingone - USER.CREATED [pingone@32473 _="é" my_key___` + strings.Repeat("x", 23) + `=""] ` + body},
	} {
		want := strconv.Itoa(len(c.want)) + " " + c.want
		if diff := cmp.Diff("x"+want, string(pipeline.Shape([]byte("x"), c.s, r))); diff != "" {
			t.Error(name, diff)
		}
	}
	long := event.Event{ID: "x", Type: "DEVICE.PAIRING_FAILED_COMPROMISED", RecordedAt: at}.Record()
	if line := string(pipeline.Shape(nil, loglines(nil), long)); !strings.Contains(line, " DEVICE.PAIRING_FAILED_COMPROMISE - {") {
		t.Errorf("a type of 33 characters: %s", line)
	}
}

// Whatever the attributes and events, a stream of log lines can be cut by the
// lengths and read by RFC 5424, and every value and event is in it unchanged.
func TestLogLinesCanBeRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfDistinct(rapid.StringMatching(`[!#-<>-\\^-~]{1,32}`), func(s string) string { return s }).Draw(t, "names")
		attributes, want := map[string]string{}, map[string][]string{}
		for _, name := range names {
			value := strings.ToValidUTF8(rapid.String().Draw(t, "value"), "?")
			attributes[name], want[name] = value, []string{value}
		}
		s := loglines(attributes)
		batch := pipeline.Batch{Limits: pipeline.LimitsOf(s), Framing: pipeline.FramingOf(s)}
		var bodies []string
		for i := range rapid.IntRange(1, 5).Draw(t, "events") {
			r := event.Event{ID: fmt.Sprint(i), Type: "USER.CREATED", Description: rapid.String().Draw(t, "description")}.Record()
			bodies = append(bodies, string(r.JSON(false, false)))
			batch.Add(pipeline.Shape(nil, s, r))
		}
		list, err := frames(string(batch.Body()))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, frame := range list {
			l, err := readLogline(frame)
			if err != nil {
				t.Fatal(err)
			}
			if len(want) > 0 && !cmp.Equal(want, l.attributes) {
				t.Fatal(cmp.Diff(want, l.attributes))
			}
			got = append(got, l.text)
		}
		if diff := cmp.Diff(bodies, got); diff != "" {
			t.Fatal(diff)
		}
	})
}
