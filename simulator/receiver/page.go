package receiver

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

//go:embed page.html
var pageSource string

// What the page shows at most; the inspection API has the rest.
const (
	pageEndpoints  = 100
	pageDeliveries = 20
)

type pageEndpoint struct {
	Name, Token, Dedicated string
	Count, Evicted         int64
	Deliveries             []pageDelivery
}

type pageDelivery struct {
	Seq                       int64
	At, Method, Proto, Answer string
	Listener                  Mode
	Headers                   []string
	Bytes                     int
}

// showPage serves the newest endpoints and deliveries for people to read. It
// shows no bodies, no tokens and no header values that could be secrets.
func (r *Receiver) showPage(w http.ResponseWriter, _ *http.Request) {
	type listening struct {
		Mode Mode
		URL  string
	}
	var content struct {
		Listeners []listening
		Endpoints []pageEndpoint
	}
	for _, mode := range Modes() {
		content.Listeners = append(content.Listeners, listening{mode, r.URL(mode)})
	}
	all := r.endpoints.all()
	slices.Reverse(all)
	for _, e := range all[:min(len(all), pageEndpoints)] {
		content.Endpoints = append(content.Endpoints, pageOf(e))
	}
	var out bytes.Buffer
	page, err := template.New("page").Parse(pageSource)
	if err == nil {
		err = page.Execute(&out, content)
	}
	if err != nil {
		writeError(w, http.StatusInternalServerError, fmt.Sprintf("show the page: %v", err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	_, _ = w.Write(out.Bytes())
}

func pageOf(e *endpoint) pageEndpoint {
	newest := e.deliveries.Newest(pageDeliveries)
	shown := pageEndpoint{Name: e.name, Token: e.token[:4] + "…", Count: newest.Last, Evicted: newest.Evicted}
	if shown.Name == "" {
		shown.Name = e.id
	}
	if l := e.dedicated; l != nil {
		state := "closed"
		if l.IsOpen() {
			state = "open"
		}
		shown.Dedicated = fmt.Sprintf("%s (%s), %s", l.URL(), l.mode, state)
	}
	for _, d := range slices.Backward(newest.Entries) {
		line := pageDelivery{
			Seq: d.Seq, At: d.LastByteAt.Format(time.RFC3339Nano), Method: d.Method, Proto: d.Proto,
			Listener: d.Listener, Headers: maskedHeaders(d.Headers), Bytes: len(d.Body), Answer: d.Answer.Action,
		}
		if d.Answer.Status != 0 {
			line.Answer = fmt.Sprintf("%d", d.Answer.Status)
		}
		shown.Deliveries = append(shown.Deliveries, line)
	}
	return shown
}

// maskedHeaders lists the headers, with the values of those that are known to
// hold no secret. Any other header may be the subscription's own credential.
func maskedHeaders(headers http.Header) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		switch name {
		case "Accept-Encoding", "Content-Length", "Content-Type", "Transfer-Encoding", "User-Agent":
			lines = append(lines, name+": "+strings.Join(headers[name], ", "))
		default:
			lines = append(lines, name+": •••")
		}
	}
	return lines
}
