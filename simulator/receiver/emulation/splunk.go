package emulation

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// collector is a Splunk HTTP Event Collector. Paths, codes and texts are those
// of Splunk's «Troubleshoot HTTP Event Collector», «Format events for HTTP
// Event Collector» and «About HTTP Event Collector Indexer Acknowledgment»
// (help.splunk.com).
//
// The documents speak of events one after the other. A JSON array of them is
// taken too, as compatible collectors do.
type collector struct {
	options Options

	mu           sync.Mutex
	acknowledged map[string]int64 // by channel: how many ids were given out
}

// maxChannels bounds the channels that are remembered.
const maxChannels = 10_000

// reply is the body of every answer of the collector.
type reply struct {
	Text  string `json:"text"`
	Code  int    `json:"code"`
	Event *int   `json:"invalid-event-number,omitempty"`
	AckID *int64 `json:"ackId,omitempty"`
}

func says(status, code int, text string) Answer {
	return answer(status, reply{Text: text, Code: code})
}

func (c *collector) Answer(r Request) Answer {
	path := strings.TrimSuffix(strings.TrimSuffix(r.Path, "/"), "/1.0")
	if path == "/services/collector/health" {
		return says(http.StatusOK, 17, "HEC is healthy")
	}
	if refused, ok := c.authorise(r); !ok {
		return refused
	}
	if r.Method != http.MethodPost {
		return says(http.StatusMethodNotAllowed, http.StatusMethodNotAllowed, "The method is not allowed")
	}
	switch path {
	case "", "/services/collector", "/services/collector/event":
		return c.take(r, checkEvents)
	case "/services/collector/raw":
		return c.take(r, func([]byte) (Answer, bool) { return Answer{}, true })
	case "/services/collector/ack":
		return c.acks(r)
	}
	return says(http.StatusNotFound, http.StatusNotFound, "The requested URL was not found on this server.")
}

func (c *collector) Error(status int) []byte {
	switch status {
	case http.StatusInternalServerError:
		return says(status, 8, "Internal server error").Body
	case http.StatusServiceUnavailable:
		return says(status, 9, "Server is busy").Body
	}
	return nil
}

// authorise looks for the token: after the word Splunk, or as the password of
// Basic authentication.
func (c *collector) authorise(r Request) (Answer, bool) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return says(http.StatusUnauthorized, 2, "Token is required"), false
	}
	scheme, token, _ := strings.Cut(header, " ")
	switch {
	case strings.EqualFold(scheme, "Basic"):
		_, token, _ = (&http.Request{Header: r.Header}).BasicAuth()
	case !strings.EqualFold(scheme, "Splunk"):
		token = ""
	}
	if token = strings.TrimSpace(token); token == "" {
		return says(http.StatusUnauthorized, 3, "Invalid authorization"), false
	}
	if !c.options.accepts(token) {
		return says(http.StatusForbidden, 4, "Invalid token"), false
	}
	return Answer{}, true
}

// take answers a request with events.
func (c *collector) take(r Request, check func([]byte) (Answer, bool)) Answer {
	channel, refused, ok := c.channel(r)
	if !ok {
		return refused
	}
	body, err := r.unpacked()
	if err != nil {
		return says(http.StatusBadRequest, 6, "Invalid data format")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return says(http.StatusBadRequest, 5, "No data")
	}
	if refused, ok := check(body); !ok {
		return refused
	}
	success := reply{Text: "Success"}
	if c.options.Acknowledge {
		id, ok := c.issue(channel)
		if !ok {
			return says(http.StatusServiceUnavailable, 9, "Server is busy")
		}
		success.AckID = &id
	}
	return answer(http.StatusOK, success)
}

var guid = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// channel is the request's channel, which is needed with acknowledgment only.
func (c *collector) channel(r Request) (string, Answer, bool) {
	channel := r.Header.Get("X-Splunk-Request-Channel")
	if channel == "" {
		channel = r.Query.Get("channel")
	}
	switch {
	case !c.options.Acknowledge:
	case channel == "":
		return "", says(http.StatusBadRequest, 10, "Data channel is missing"), false
	case !guid.MatchString(channel):
		return "", says(http.StatusBadRequest, 11, "Invalid data channel"), false
	}
	return strings.ToLower(channel), Answer{}, true
}

// issue gives out the channel's next id, counted from 0.
func (c *collector) issue(channel string) (int64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.acknowledged[channel]; !known && len(c.acknowledged) >= maxChannels {
		return 0, false
	}
	id := c.acknowledged[channel]
	c.acknowledged[channel] = id + 1
	return id, true
}

// acks says which of the asked ids were given out: what is taken counts as
// indexed at once.
func (c *collector) acks(r Request) Answer {
	if !c.options.Acknowledge {
		return says(http.StatusBadRequest, 14, "ACK is disabled")
	}
	channel, refused, ok := c.channel(r)
	if !ok {
		return refused
	}
	var asked struct {
		Acks []int64 `json:"acks"`
	}
	if err := json.Unmarshal(r.Body, &asked); err != nil {
		return says(http.StatusBadRequest, 6, "Invalid data format")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	states := map[string]bool{}
	for _, id := range asked.Acks {
		states[strconv.FormatInt(id, 10)] = id >= 0 && id < c.acknowledged[channel]
	}
	return answer(http.StatusOK, map[string]any{"acks": states})
}

// checkEvents looks for what is wrong with a sequence of events.
func checkEvents(body []byte) (Answer, bool) {
	invalid := func(n, code int, text string) (Answer, bool) {
		return answer(http.StatusBadRequest, reply{Text: text, Code: code, Event: &n}), false
	}
	type envelope struct {
		Event json.RawMessage `json:"event"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		if !json.Valid(body) {
			return invalid(0, 6, "Invalid data format")
		}
		_, _ = decoder.Token() // the bracket
	}
	for n := 0; decoder.More(); n++ {
		var e envelope
		if err := decoder.Decode(&e); err != nil {
			return invalid(n, 6, "Invalid data format")
		}
		switch string(e.Event) {
		case "":
			return invalid(n, 12, "Event field is required")
		case `""`, "null":
			return invalid(n, 13, "Event field cannot be blank")
		}
	}
	if _, err := decoder.Token(); err != nil && !errors.Is(err, io.EOF) {
		return invalid(0, 6, "Invalid data format")
	}
	return Answer{}, true
}
