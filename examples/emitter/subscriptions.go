package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// spec is what a client asks for; pointers tell what was left out.
type spec struct {
	Name     *string `json:"name"`
	Enabled  *bool   `json:"enabled"`
	Protocol *string `json:"protocol"`
	Format   *string `json:"format"`
	Verify   *bool   `json:"verifyTlsCertificates"`
	Endpoint *struct {
		URL     *string           `json:"url"`
		Headers map[string]string `json:"headers"`
	} `json:"httpEndpoint"`
	Connection *struct {
		URL *string `json:"url"`
	} `json:"connectionDetails"`
	Key *struct {
		ID string `json:"id"`
	} `json:"tlsClientAuthKeyPair"`
	Filter *struct {
		Types        []string   `json:"includedActionTypes"`
		Applications []identity `json:"includedApplications"`
		Populations  []identity `json:"includedPopulations"`
		Tags         []string   `json:"includedTags"`
		Address      bool       `json:"ipAddressExposed"`
		Agent        bool       `json:"userAgentExposed"`
	} `json:"filterOptions"`
	Payload struct {
		Limit *struct {
			Type string `json:"type"`
			Size int    `json:"size"`
		} `json:"maximumPayloadLimit"`
		Format struct {
			HTTPS struct {
				Format string `json:"format"`
				Pretty bool   `json:"prettyPrint"`
			} `json:"https"`
			TCP *struct{} `json:"tcp"`
		} `json:"payloadFormat"`
	} `json:"payloadOptions"`
}

type identity struct {
	ID string `json:"id"`
}

// parse reads a subscription; a refusal has a status that is not 0.
func (e *Emitter) parse(r *http.Request) (s spec, sent map[string]any, status int, refusal any) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		status, refusal = fail(http.StatusUnsupportedMediaType, "INVALID_REQUEST", "The body must be application/json.")
		return s, nil, status, refusal
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 1<<20))
	if err != nil || json.Unmarshal(body, &sent) != nil {
		status, refusal = fail(http.StatusBadRequest, "INVALID_REQUEST", "The body is not a JSON object.")
		return s, nil, status, refusal
	}
	var wrong *json.UnmarshalTypeError
	if err := json.Unmarshal(body, &s); errors.As(err, &wrong) {
		status, refusal = invalid(detail{"INVALID_VALUE", wrong.Field, "must not be a " + wrong.Value})
		return s, nil, status, refusal
	}
	if details := s.check(e.options.MaxEvents); len(details) > 0 {
		status, refusal = invalid(details...)
	}
	return s, sent, status, refusal
}

// check tells what no subscription can be.
func (s spec) check(maxEvents int) (found []detail) {
	bad := func(when bool, code, target, message string) {
		if when {
			found = append(found, detail{code, target, message})
		}
	}
	oneOf := func(value *string, target string, known ...string) {
		bad(value != nil && !slices.Contains(known, *value), "INVALID_VALUE", target, fmt.Sprintf("must be one of %v", known))
	}
	bad(s.Name == nil, "REQUIRED_VALUE", "name", "is required")
	bad(s.Name != nil && *s.Name == "", "EMPTY_VALUE", "name", "must not be empty")
	bad(s.Enabled == nil, "REQUIRED_VALUE", "enabled", "is required")
	bad(s.Verify == nil, "REQUIRED_VALUE", "verifyTlsCertificates", "is required")
	oneOf(s.Protocol, "protocol", "HTTPS")
	oneOf(s.Format, "format", "ACTIVITY", "SPLUNK", "NEWRELIC")
	bad(s.Key != nil, "INVALID_VALUE", "tlsClientAuthKeyPair", "there are no keys here")
	s.checkEndpoint(bad)
	s.checkFilter(bad)
	s.checkPayload(maxEvents, bad, oneOf)
	return found
}

func (s spec) checkEndpoint(bad func(bool, string, string, string)) {
	if s.Endpoint == nil || s.Endpoint.URL == nil {
		bad(true, "REQUIRED_VALUE", "httpEndpoint.url", "is required")
		return
	}
	u, err := url.Parse(*s.Endpoint.URL)
	bad(err != nil || u.Scheme != "https" || u.Hostname() == "", "INVALID_VALUE", "httpEndpoint.url", "must be an https URL")
	bad(s.Connection != nil && s.Connection.URL != nil && *s.Connection.URL != *s.Endpoint.URL,
		"INVALID_VALUE", "connectionDetails.url", "contradicts httpEndpoint.url")
}

func (s spec) checkFilter(bad func(bool, string, string, string)) {
	if s.Filter == nil || len(s.Filter.Types) == 0 {
		bad(true, "REQUIRED_VALUE", "filterOptions.includedActionTypes", "must name at least one type")
		return
	}
	bad(slices.Contains(s.Filter.Types, ""), "EMPTY_VALUE", "filterOptions.includedActionTypes", "must not hold empty names")
	bad(len(s.Filter.Applications) > 10, "SIZE_LIMIT_EXCEEDED", "filterOptions.includedApplications", "at most 10")
	bad(len(s.Filter.Populations) > 10, "SIZE_LIMIT_EXCEEDED", "filterOptions.includedPopulations", "at most 10")
	bad(slices.ContainsFunc(s.Filter.Tags, func(t string) bool { return t != "adminIdentityEvent" }),
		"INVALID_VALUE", "filterOptions.includedTags", "the one known tag is adminIdentityEvent")
}

func (s spec) checkPayload(maxEvents int, bad func(bool, string, string, string), oneOf func(*string, string, ...string)) {
	if limit := s.Payload.Limit; limit != nil {
		highest := map[string]int{"EVENTS_PER_PAYLOAD": maxEvents, "KB_PER_PAYLOAD": 4096}
		oneOf(&limit.Type, "payloadOptions.maximumPayloadLimit.type", slices.Collect(maps.Keys(highest))...)
		bad(limit.Size < 1 || limit.Size > highest[limit.Type], "OUT_OF_RANGE", "payloadOptions.maximumPayloadLimit.size",
			fmt.Sprintf("must be 1 to %d", highest[limit.Type]))
	}
	form := s.Payload.Format.HTTPS
	if form.Format != "" {
		oneOf(&form.Format, "payloadOptions.payloadFormat.https.format", "JSON_ARRAY", "ND_JSON")
	}
	bad(form.Pretty && form.Format != "JSON_ARRAY", "INVALID_VALUE", "payloadOptions.payloadFormat.https.prettyPrint", "needs JSON_ARRAY")
	bad(s.Payload.Format.TCP != nil, "INVALID_VALUE", "payloadOptions.payloadFormat.tcp", "is not for HTTPS")
}

func (e *Emitter) listSubscriptions(r *http.Request) (int, any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var shown []resource
	for _, s := range e.subscriptions {
		shown = append(shown, s.show(r))
	}
	return http.StatusOK, page(r, "subscriptions", shown)
}

func (e *Emitter) createSubscription(r *http.Request) (int, any) {
	spec, sent, status, refusal := e.parse(r)
	if status != 0 {
		return status, refusal
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.subscriptions) >= maxSubscriptions {
		return fail(http.StatusForbidden, "ACCESS_FAILED", fmt.Sprintf("There are %d subscriptions, and there cannot be more.", len(e.subscriptions)))
	}
	s := e.subscribe(spec)
	now := stamp(time.Now())
	s.shown = describe(spec, sent, resource{"id": uuid(), "createdAt": now, "updatedAt": now, "environment": e.self()})
	e.subscriptions = append(e.subscriptions, s)
	return http.StatusCreated, s.show(r)
}

func (e *Emitter) readSubscription(r *http.Request) (int, any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.subscription(r)
	if !ok {
		return notFound()
	}
	return http.StatusOK, s.show(r)
}

func (e *Emitter) replaceSubscription(r *http.Request) (int, any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.subscription(r)
	if !ok {
		return notFound()
	}
	spec, sent, status, refusal := e.parse(r)
	if status != 0 {
		return status, refusal
	}
	s.shown = describe(spec, sent, resource{
		"id": s.shown["id"], "createdAt": s.shown["createdAt"], "updatedAt": stamp(time.Now()), "environment": e.self(),
	})
	s.change(spec)
	return http.StatusOK, s.show(r)
}

func (e *Emitter) deleteSubscription(r *http.Request) (int, any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.subscription(r)
	if !ok {
		return notFound()
	}
	e.subscriptions = slices.DeleteFunc(e.subscriptions, func(x *subscription) bool { return x == s })
	s.stop()
	return http.StatusNoContent, nil
}

func (e *Emitter) subscription(r *http.Request) (*subscription, bool) {
	i := slices.IndexFunc(e.subscriptions, func(s *subscription) bool { return s.shown.text("id") == r.PathValue("id") })
	if i < 0 {
		return nil, false
	}
	return e.subscriptions[i], true
}

// describe is what was sent, with what the server says itself, and nothing
// that neither said.
func describe(s spec, sent map[string]any, own resource) resource {
	shown := resource{}
	for name, value := range sent {
		if value != nil {
			shown[name] = value
		}
	}
	maps.Copy(shown, own)
	shown["protocol"] = "HTTPS"
	connection := map[string]any{"url": s.Endpoint.URL}
	if s.Endpoint.Headers != nil {
		connection["headers"] = s.Endpoint.Headers
	}
	shown["connectionDetails"] = connection
	filter := maps.Clone(sent["filterOptions"].(map[string]any))
	filter["ipAddressExposed"], filter["userAgentExposed"] = s.Filter.Address, s.Filter.Agent
	shown["filterOptions"] = filter
	return shown
}

func (s *subscription) show(r *http.Request) resource {
	shown := maps.Clone(s.shown)
	home := base(r) + "/v1/environments/" + r.PathValue("environment")
	shown["_links"] = map[string]any{"self": link(home + "/subscriptions/" + s.shown.text("id")), "environment": link(home)}
	return shown
}
