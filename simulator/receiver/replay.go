package receiver

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"
)

// Bounds of sending again.
const (
	resendTimeout = 30 * time.Second
	resendAnswer  = 64 << 10 // bytes of the answer that are shown
	maxCurlBody   = 64 << 10 // bytes of a body that stand in the command itself
)

// notResent are the headers that belong to the connection or the framing.
func notResent(name string) bool {
	switch name {
	case "Connection", "Content-Length", "Host", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// urlOf returns where the delivery was sent to.
func (r *Receiver) urlOf(k *kept) string {
	if k.Listener.sink() {
		if l := k.endpoint.dedicated; l != nil {
			return l.URL()
		}
		return string(k.Listener) + ":"
	}
	if u, err := url.Parse(k.Target); err == nil && u.IsAbs() {
		return k.Target
	}
	return k.Listener.scheme() + "://" + k.Host + k.Target
}

// curl returns a command for a shell that sends the delivery again. A body that
// is long or no text is fetched from the inspection API first.
func (r *Receiver) curl(k *kept, mask bool) string {
	var b strings.Builder
	inline := len(k.Body) <= maxCurlBody && utf8.Valid(k.Body) && bytes.IndexByte(k.Body, 0) < 0
	if !inline {
		b.WriteString("curl -sS ")
		if r.options.InspectToken != "" {
			b.WriteString(`-H "Authorization: Bearer $HOOKPROOF_INSPECT_TOKEN" `)
		}
		b.WriteString(quoted(r.InspectURL()+"/inspect/deliveries/"+strconv.FormatInt(k.number, 10)+"/body") + " | ")
	}
	if k.Listener.sink() {
		return b.String() + r.netcat(k, inline)
	}
	b.WriteString("curl -sS -i")
	if k.TLS != nil {
		b.WriteString(" -k")
	}
	b.WriteString(" -X " + quoted(k.Method))
	headers := k.Headers
	if mask {
		headers = masked(headers)
	}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		for _, value := range headers[name] {
			if !notResent(name) {
				b.WriteString(" -H " + quoted(name+": "+value))
			}
		}
	}
	switch {
	case !inline:
		b.WriteString(" --data-binary @-")
	case len(k.Body) > 0:
		b.WriteString(" --data-raw " + quoted(string(k.Body)))
	}
	return b.String() + " " + quoted(r.urlOf(k))
}

// netcat is the end of a command that sends a line again.
func (r *Receiver) netcat(k *kept, inline bool) string {
	address := strings.TrimPrefix(strings.TrimPrefix(r.urlOf(k), "tcp://"), "tls://")
	host, port, _ := net.SplitHostPort(address)
	to := "nc " + quoted(host) + " " + quoted(port)
	if k.Listener == TLSTCP {
		to = "openssl s_client -quiet -connect " + quoted(address)
	}
	if inline {
		return `printf '%s\n' ` + quoted(string(k.Body)) + " | " + to
	}
	return "{ cat; echo; } | " + to
}

// quoted is text as one word of a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// resend sends a delivery to another address.
func (r *Receiver) resend(w http.ResponseWriter, req *http.Request) {
	k := r.pathDelivery(w, req)
	if k == nil {
		return
	}
	data, err := readRequest(w, req)
	if err != nil {
		writeFailure(w, err)
		return
	}
	var wish struct {
		URL      string `json:"url"`
		Insecure bool   `json:"insecure"`
	}
	if err := decodeStrict(data, &wish); err != nil {
		writeFailure(w, err)
		return
	}
	to, err := url.Parse(wish.URL)
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		writeFailure(w, badRequest("url: must be an http or https URL"))
		return
	}
	answer, err := send(req.Context(), k, wish.URL, wish.Insecure)
	if err != nil {
		writeError(w, http.StatusBadGateway, "resend: "+err.Error())
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// resent is the answer to what was sent again.
type resent struct {
	Status     int         `json:"status"`
	Headers    http.Header `json:"headers"`
	Body       string      `json:"body"`
	DurationMs int64       `json:"durationMs"`
}

func send(ctx context.Context, k *kept, to string, insecure bool) (resent, error) {
	ctx, cancel := context.WithTimeout(ctx, resendTimeout)
	defer cancel()
	method := k.Method
	if method == "" {
		method = http.MethodPost // of a line
	}
	request, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(k.Body))
	if err != nil {
		return resent{}, err
	}
	for name, values := range k.Headers {
		if !notResent(name) {
			request.Header[name] = values
		}
	}
	dialer := net.Dialer{Control: refuseLinkLocal}
	transport := &http.Transport{
		DialContext: dialer.DialContext, DisableKeepAlives: true, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: insecure},
	}
	defer transport.CloseIdleConnections()
	started := time.Now()
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return resent{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, resendAnswer))
	if err != nil {
		return resent{}, err
	}
	return resent{response.StatusCode, response.Header, strings.ToValidUTF8(string(body), "\uFFFD"), time.Since(started).Milliseconds()}, nil
}

// refuseLinkLocal keeps deliveries away from link-local addresses, where clouds
// serve credentials to the machine itself.
func refuseLinkLocal(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsLinkLocalUnicast() {
		return errors.New("link-local addresses are not served")
	}
	return nil
}
