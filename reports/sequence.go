package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// Bounds of one diagram. What is left out is counted, and stands in the
// transcript's file.
const (
	maxRows    = 300      // rows, half of them at the beginning
	maxBody    = 4 << 10  // bytes shown of one body
	maxPretty  = 64 << 10 // bytes of a body that is laid out anew to be read
	maxHeader  = 500      // bytes shown of one header's values
	maxHeaders = 40       // headers shown of one message
	// foldFrom is how many rows that look alike are folded into one.
	foldFrom = 4
)

// The lanes of a diagram, from left to right.
const (
	laneSuite = iota + 1
	laneEmitter
	laneReceiver
)

// row is one line of a sequence diagram.
type seqRow struct {
	// Kind is "step", "message", "event", "note", "gap" or "fold".
	Kind string
	// At is the time since the scenario began, such as "1.203 s".
	At string
	// From and To are lanes; of a message both, of the others From at most.
	From, To int
	Text     string
	// Reply goes back from To to From; empty where nothing came.
	Reply string
	// Tone is "good", "bad" or "", of the reply.
	Tone string
	// Failed marks the step that the scenario failed at.
	Failed bool
	Parts  []seqPart
	// Table are the cells of a step's data table, row by row.
	Table [][]string
	// Rows are those that a fold holds.
	Rows []seqRow

	at        time.Time
	eventType string
}

// seqPart is what a row opens to: a head, a body, or both.
type seqPart struct {
	Title string
	Lines []string
	Body  string
	// Note says what of the body is not shown.
	Note string
}

// sequence makes a diagram of a transcript, in the order of time; failed is
// the text of the step that failed, if any.
func sequence(e *evidence, failed string) []seqRow {
	var rows []seqRow
	last := -1
	for _, entry := range e.Entries {
		switch {
		case entry.Step != "":
			if entry.Step == failed {
				last = len(rows)
			}
			rows = append(rows, seqRow{Kind: "step", at: entry.At, Text: oneLine(entry.Step), Table: shownCells(entry.Table)})
		case entry.Exchange != nil:
			rows = append(rows, callRow(entry.At, entry.Exchange))
			for _, a := range attemptsIn(entry.Exchange) {
				rows = append(rows, attemptRow(a))
			}
		case entry.Caused != nil:
			rows = append(rows, seqRow{Kind: "event", at: entry.At, From: laneEmitter, eventType: entry.Caused.Type,
				Text: oneLine(fmt.Sprintf("event «%s» %s", entry.Caused.Name, entry.Caused.Type))})
		case entry.Watch != nil:
			for _, c := range entry.Watch.Connections {
				if c.Handshake != "ok" {
					rows = append(rows, seqRow{Kind: "message", at: c.At, From: laneEmitter, To: laneReceiver, Tone: "bad",
						Text: "connection", Reply: oneLine(cut("handshake: "+c.Handshake+" "+c.Error, 120))})
				}
			}
			for _, d := range entry.Watch.Deliveries {
				rows = append(rows, deliveryRow(d))
			}
			if entry.Watch.Over {
				rows = append(rows, seqRow{Kind: "note", at: entry.At, From: laneReceiver, Text: "the wait was over"})
			}
		}
	}
	if last >= 0 {
		rows[last].Failed = true
	}
	slices.SortStableFunc(rows, func(a, b seqRow) int { return a.at.Compare(b.at) })
	for i := range rows {
		rows[i].At = fmt.Sprintf("%.3f s", rows[i].at.Sub(rows[0].at).Seconds())
	}
	return bounded(folded(rows))
}

// shownCells are the cells of a table as the diagram shows them.
func shownCells(table [][]string) (rows [][]string) {
	for _, cells := range table[:min(len(table), maxStoryLines)] {
		var row []string
		for _, cell := range cells {
			row = append(row, oneLine(cut(cell, 120)))
		}
		rows = append(rows, row)
	}
	return rows
}

// bounded leaves out the middle of a long diagram.
func bounded(rows []seqRow) []seqRow {
	if len(rows) <= maxRows {
		return rows
	}
	left := len(rows) - maxRows
	gap := seqRow{Kind: "gap", Text: Plural(left, "row") + " left out here; the transcript's file has them all"}
	return slices.Concat(rows[:maxRows/2], []seqRow{gap}, rows[len(rows)-maxRows/2:])
}

// folded puts rows that look alike, but for the first, into one that opens.
func folded(rows []seqRow) []seqRow {
	var out []seqRow
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].looks() != "" && rows[n].looks() == rows[0].looks() {
			n++
		}
		out = append(out, rows[0])
		if n > foldFrom {
			out = append(out, seqRow{Kind: "fold", At: rows[1].At, Text: fmt.Sprintf("%d more like this", n-1), Rows: bounded(rows[1:n])})
			rows = rows[n:]
			continue
		}
		rows = rows[1:]
	}
	return out
}

// looks is what makes two rows alike; empty for one that is like no other.
func (r seqRow) looks() string {
	switch r.Kind {
	case "message":
		status, _, _ := strings.Cut(r.Reply, " ·")
		return fmt.Sprintf("%d %d %s %s", r.From, r.To, r.Text, status)
	case "event":
		return r.eventType
	}
	return ""
}

func callRow(at time.Time, x *exchange) seqRow {
	row := seqRow{
		Kind: "message", at: at, From: laneSuite, To: laneEmitter,
		Text:  oneLine(cut(x.Request.Method+" "+shortPath(x.Request.Path), 160)),
		Parts: []seqPart{part(x.Request.Method+" "+x.Request.Path, x.Request.message)},
	}
	if ofReceiver(x.Peer) {
		row.To = laneReceiver
	}
	if x.Response == nil {
		row.Reply, row.Tone = oneLine(cut("no answer: "+x.Error, 160)), "bad"
		return row
	}
	row.Reply = status(x.Response.Status) + " · " + elapsed(x.End.Sub(at))
	row.Tone = tone(x.Response.Status)
	row.Parts = append(row.Parts, part(status(x.Response.Status), x.Response.message))
	return row
}

// ofReceiver tells whether a call to a peer goes to the receiver's side: the
// simulator's inspection, the receiver under test itself, or what it has stored.
func ofReceiver(peer string) bool {
	return peer == "receiver" || peer == "hook" || peer == "read-back"
}

// load says what a delivery carries: its events, where they can be counted, and
// its length.
func load(body []byte) string {
	if n := events(body); n > 0 {
		return Plural(n, "event") + ", " + size(len(body))
	}
	return size(len(body))
}

// attemptRow is a delivery of the reference emitter to the receiver under test,
// of which no more is known than the emitter told.
func attemptRow(a attempt) seqRow {
	row := seqRow{
		Kind: "message", at: a.At, From: laneEmitter, To: laneReceiver,
		Text: "POST " + load([]byte(a.Body)), Reply: oneLine(cut("no answer: "+a.Error, 160)), Tone: "bad",
		Parts: []seqPart{{Title: fmt.Sprintf("delivery %d, as the emitter tells of it", a.Seq)},
			part("POST", message{Headers: map[string][]string{"Content-Type": {a.ContentType}}, Body: rawBody(a.Body)})},
	}
	if a.Status != 0 {
		row.Reply, row.Tone = status(a.Status)+" · "+elapsed(a.End.Sub(a.At)), tone(a.Status)
	}
	return row
}

func deliveryRow(d delivery) seqRow {
	what := load(d.Body)
	if !d.Complete {
		what += ", cut off"
	}
	row := seqRow{
		Kind: "message", at: d.FirstByteAt, From: laneEmitter, To: laneReceiver,
		Text:  oneLine(cut(fmt.Sprintf("%s %s", d.Method, what), 160)),
		Reply: d.Answer.Action, Tone: "bad",
	}
	if d.Answer.Action == "respond" {
		row.Reply, row.Tone = status(d.Answer.Status)+" · "+elapsed(d.Answer.At.Sub(d.FirstByteAt)), tone(d.Answer.Status)
	}
	p := part(strings.TrimSpace(d.Method+" "+d.Target+" "+d.Proto), d.message)
	facts := []string{fmt.Sprintf("delivery %d, listener %s", d.Seq, d.Listener)}
	if d.TLS != nil {
		facts = append(facts, d.TLS.Version+", client certificates: "+fmt.Sprint(len(d.TLS.ClientCertificates)))
	}
	row.Parts = []seqPart{{Title: oneLine(strings.Join(facts, ", "))}, p}
	return row
}

func part(title string, m message) seqPart {
	p := seqPart{Title: oneLine(cut(title, maxHeader))}
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		p.Lines = append(p.Lines, oneLine(cut(name+": "+strings.Join(m.Headers[name], ", "), maxHeader)))
	}
	p.Lines = cutLines(p.Lines, maxHeaders)
	p.Body, p.Note = shown(m.Body)
	return p
}

// shown is a body to be read: JSON laid out, cut at maxBody, controls visible.
func shown(body []byte) (text, note string) {
	whole := size(len(body))
	if len(body) <= maxPretty && json.Valid(body) {
		var b bytes.Buffer
		if json.Indent(&b, body, "", "  ") == nil {
			body = b.Bytes()
		}
	}
	if !utf8.Valid(body) && len(body) > 0 {
		note = "not UTF-8; "
	}
	if len(body) > maxBody {
		end := maxBody
		for end > 0 && !utf8.RuneStart(body[end]) {
			end--
		}
		body = body[:end]
		note += "cut here; the whole body has " + whole
	}
	return printable(string(body)), strings.TrimSuffix(note, "; ")
}

var uuidForm = regexp.MustCompile(`([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// environmentForm is the beginning of a path that goes on in an environment.
var environmentForm = regexp.MustCompile(`^/v1/environments/([0-9a-f]{8}…)/`)

// shortPath is a path that fits a lane: its ids are shortened, and so is what
// nearly all begin with. The whole stands in the part.
func shortPath(path string) string {
	return environmentForm.ReplaceAllString(uuidForm.ReplaceAllString(path, "$1…"), "/v1/…/$1/")
}

func status(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}

func tone(code int) string {
	if code >= 400 {
		return "bad"
	}
	return "good"
}

func elapsed(d time.Duration) string {
	switch {
	case d < 0:
		return "at once"
	case d < time.Second:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// size is a length for people; 1 kB is 1000 bytes.
func size(n int) string {
	switch {
	case n < 1000:
		return Plural(n, "byte")
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1000/1000)
}

// events is how many events a delivery holds, 0 where that cannot be told.
func events(body []byte) int {
	text := bytes.TrimSpace(body)
	switch {
	case len(text) == 0:
		return 0
	case text[0] == '[' && gjson.ValidBytes(text):
		return int(gjson.ParseBytes(text).Get("#").Int())
	case text[0] == '{' && gjson.ValidBytes(text):
		return 1
	case text[0] == '{':
		n := 0
		for line := range bytes.Lines(text) {
			if !gjson.ValidBytes(line) {
				return 0
			}
			n++
		}
		return n
	}
	return 0
}
