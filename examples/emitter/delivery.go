package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// event is what happened, as the audit log tells it.
type event struct {
	resource                resource // as it is delivered, without its source
	kind, population, actor string
	address, agent          string
	at                      time.Time
}

// happened tells every subscription that wants to know. The caller holds e.mu.
func (e *Emitter) happened(r *http.Request, c *collection, verb string, what resource) {
	target := map[string]any{
		"type": c.kind, "id": what["id"], "name": what[c.label], "environment": e.self(),
	}
	population := ""
	if c.kind == "USER" {
		target["population"] = what["population"]
		population, _ = what["population"].(map[string]any)["id"].(string)
	}
	client := map[string]any{"id": e.options.ClientID, "name": "client", "type": "CLIENT"}
	now := time.Now()
	address, _, _ := net.SplitHostPort(r.RemoteAddr)
	ev := event{
		kind: c.kind + "." + verb, population: population, actor: e.options.ClientID,
		address: address, agent: r.UserAgent(), at: now,
		resource: resource{
			"id": uuid(), "recordedAt": stamp(now), "correlationId": uuid(),
			"action": map[string]any{"type": c.kind + "." + verb, "description": describeAction(c.kind, verb)}, "actors": map[string]any{"client": client},
			"resources": []any{target}, "result": map[string]any{"status": "SUCCESS", "description": verb},
		},
	}
	for _, s := range e.subscriptions {
		s.offer(ev)
	}
}

// describeAction says what was done, to people: "User Created".
func describeAction(kind, verb string) string {
	word := func(s string) string { return s[:1] + strings.ToLower(s[1:]) }
	return word(kind) + " " + word(verb)
}

// matches tells whether a subscription wants an event: any match within one
// filter, and all filters.
func (s spec) matches(ev event) bool {
	listed := func(list []identity, ids ...string) bool {
		return list == nil || slices.ContainsFunc(list, func(i identity) bool { return slices.Contains(ids, i.ID) })
	}
	target, _ := ev.resource["resources"].([]any)[0].(map[string]any)
	application := ""
	if target["type"] == "APPLICATION" {
		application, _ = target["id"].(string)
	}
	return slices.Contains(s.Filter.Types, ev.kind) && listed(s.Filter.Populations, ev.population) &&
		listed(s.Filter.Applications, ev.actor, application) && s.Filter.Tags == nil
}

// record is the event as one element of a payload.
func (s spec) record(ev event) []byte {
	shown := resource{}
	for name, value := range ev.resource {
		shown[name] = value
	}
	source := map[string]any{}
	if s.Filter.Address {
		source["ipAddress"] = ev.address
	}
	if s.Filter.Agent {
		source["userAgent"] = ev.agent
	}
	if len(source) > 0 {
		shown["source"] = source
	}
	var record any = shown
	if s.Format != nil {
		switch *s.Format {
		case "SPLUNK":
			record = map[string]any{"event": shown, "host": "example.com", "source": "example", "time": ev.at.UnixMilli()}
		case "NEWRELIC":
			record = map[string]any{"timestamp": ev.at.UnixMilli(), "message": ev.kind, "source": "example", "attributes": shown}
		}
	}
	data, err := json.Marshal(record)
	if err != nil {
		panic(err) // of maps and texts that came from JSON: cannot be
	}
	return data
}

// payload takes as many events as the limit allows, at least one, and tells
// how many it took.
func (s spec) payload(events []event) (body []byte, n int) {
	count, size := 500, 1<<62
	if limit := s.Payload.Limit; limit != nil && limit.Type == "KB_PER_PAYLOAD" {
		size = limit.Size * 1000
	} else if limit != nil {
		count = limit.Size
	}
	var records [][]byte
	for _, ev := range events[:min(count, len(events))] {
		records = append(records, s.record(ev))
		longer := s.join(records)
		if len(longer) > size && len(records) > 1 {
			break
		}
		body, n = longer, len(records)
	}
	return body, n
}

func (s spec) join(records [][]byte) []byte {
	form := s.Payload.Format.HTTPS
	if form.Format == "ND_JSON" {
		return append(bytes.Join(records, []byte("\n")), '\n')
	}
	array := slices.Concat([]byte("["), bytes.Join(records, []byte(",")), []byte("]"))
	if !form.Pretty {
		return array
	}
	var pretty bytes.Buffer
	_ = json.Indent(&pretty, array, "", "  ") // of valid JSON: cannot fail
	return pretty.Bytes()
}

// subscription queues events and delivers them, one payload at a time.
type subscription struct {
	shown  resource // guarded by the emitter's lock
	client *http.Client
	retry  time.Duration
	ctx    context.Context
	stop   context.CancelFunc
	wake   chan struct{} // holds one: there may be something to do

	mu      sync.Mutex
	spec    spec
	changed bool // since the last delivery
	queue   []event

	sending []event // what was sent last and not yet accepted; only work touches it
}

func (e *Emitter) subscribe(spec spec) *subscription {
	ctx, stop := context.WithCancel(context.Background())
	s := &subscription{spec: spec, retry: e.options.Retry, ctx: ctx, stop: stop, wake: make(chan struct{}, 1)}
	s.client = &http.Client{
		Timeout: 5 * time.Second,
		Transport: &http.Transport{DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			s.mu.Lock()
			insecure := !*s.spec.Verify
			s.mu.Unlock()
			d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: insecure}}
			return d.DialContext(ctx, network, address)
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	e.workers.Go(func() { s.work(e.done) })
	return s
}

func (s *subscription) offer(ev event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spec.matches(ev) {
		s.queue = append(s.queue, ev)
		s.poke()
	}
}

func (s *subscription) change(spec spec) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spec, s.changed = spec, true
	s.poke()
}

func (s *subscription) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *subscription) work(done <-chan struct{}) {
	defer s.client.CloseIdleConnections()
	stopped := context.AfterFunc(s.ctx, s.poke)
	defer stopped()
	for {
		again := time.NewTimer(time.Hour)
		if !s.deliver() {
			again.Reset(s.retry)
		}
		select {
		case <-done:
			s.stop()
			return
		case <-s.ctx.Done():
			return
		case <-s.wake:
		case <-again.C:
		}
	}
}

// deliver sends what is queued until there is nothing left (true) or a
// delivery fails (false). What failed is sent again as it was: later events
// wait for its 200.
func (s *subscription) deliver() bool {
	for {
		s.mu.Lock()
		spec, waiting, changed := s.spec, s.sending, s.changed
		s.changed = false
		if len(waiting) == 0 {
			waiting = slices.Clone(s.queue[:min(500, len(s.queue))])
		}
		s.mu.Unlock()
		if changed {
			// They were made under the old settings. To close them while a
			// delivery is answered could lose the answer.
			s.client.CloseIdleConnections()
		}
		if len(waiting) == 0 || !*spec.Enabled {
			return true
		}
		body, n := spec.payload(waiting)
		s.sending = waiting[:n]
		if !s.post(spec, body) {
			return false
		}
		s.mu.Lock()
		s.queue, s.sending = s.queue[n:], nil
		s.mu.Unlock()
	}
}

func (s *subscription) post(spec spec, body []byte) bool {
	r, err := http.NewRequestWithContext(s.ctx, http.MethodPost, *spec.Endpoint.URL, bytes.NewReader(body))
	if err != nil {
		return false
	}
	r.Header.Set("Content-Type", "application/json")
	if spec.Payload.Format.HTTPS.Format == "ND_JSON" {
		r.Header.Set("Content-Type", "application/x-ndjson")
	}
	for name, value := range spec.Endpoint.Headers {
		r.Header.Set(name, value)
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
