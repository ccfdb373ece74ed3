package main

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// resource is what was sent of it, and what the server adds.
type resource map[string]any

func (r resource) text(member string) string {
	s, _ := r[member].(string)
	return s
}

// collection holds the resources of one kind, in the order of their creation.
type collection struct {
	kind  string // as events call it
	label string // the member that names a resource to people
	items []resource
}

func (c *collection) add(r resource) { c.items = append(c.items, r) }

func (c *collection) find(id string) (resource, bool) {
	i := slices.IndexFunc(c.items, func(r resource) bool { return r.text("id") == id })
	if i < 0 {
		return nil, false
	}
	return c.items[i], true
}

func (e *Emitter) list(r *http.Request) (int, any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := r.PathValue("collection")
	c, ok := e.collections[name]
	if !ok {
		return notFound()
	}
	return http.StatusOK, page(r, name, slices.Clone(c.items))
}

// page is a list as the platform wraps it; one page holds everything.
func page[T any](r *http.Request, name string, items []T) map[string]any {
	if items == nil {
		items = []T{}
	}
	return map[string]any{
		"_links":    map[string]any{"self": link(base(r) + r.URL.RequestURI())},
		"_embedded": map[string]any{name: items}, "count": len(items), "size": len(items),
	}
}

func (e *Emitter) create(r *http.Request) (int, any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, ok := e.collections[r.PathValue("collection")]
	if !ok {
		return notFound()
	}
	var sent resource
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		return fail(http.StatusBadRequest, "INVALID_REQUEST", "The body is not JSON.")
	}
	if sent.text(c.label) == "" {
		return invalid(detail{"REQUIRED_VALUE", c.label, "must not be empty"})
	}
	now := stamp(time.Now())
	made := maps.Clone(sent)
	maps.Copy(made, resource{"id": uuid(), "createdAt": now, "updatedAt": now, "environment": e.self()})
	switch c.kind {
	case "USER":
		if made["population"] == nil {
			made["population"] = map[string]any{"id": e.collections["populations"].items[0].text("id")}
		}
	case "APPLICATION":
		e.secrets[made.text("id")] = rand.Text()
	}
	c.add(made)
	e.happened(r, c, "CREATED", made)
	return http.StatusCreated, made
}

func (e *Emitter) read(r *http.Request) (int, any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c, ok := e.collections[r.PathValue("collection")]; ok {
		if found, ok := c.find(r.PathValue("id")); ok {
			return http.StatusOK, found
		}
	}
	return notFound()
}

func (e *Emitter) remove(r *http.Request) (int, any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, ok := e.collections[r.PathValue("collection")]
	if !ok {
		return notFound()
	}
	gone, ok := c.find(r.PathValue("id"))
	if !ok {
		return notFound()
	}
	c.items = slices.DeleteFunc(c.items, func(r resource) bool { return r.text("id") == gone.text("id") })
	delete(e.secrets, gone.text("id"))
	e.happened(r, c, "DELETED", gone)
	return http.StatusNoContent, nil
}

func (e *Emitter) readSecret(r *http.Request) (int, any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	secret, ok := e.secrets[r.PathValue("id")]
	if !ok {
		return notFound()
	}
	return http.StatusOK, map[string]string{"secret": secret}
}

func (e *Emitter) self() map[string]any { return map[string]any{"id": e.options.Environment} }

func base(r *http.Request) string { return "http://" + r.Host }

func link(href string) map[string]any { return map[string]any{"href": href} }

func invalid(details ...detail) (int, any) {
	fields := make([]string, len(details))
	for i, d := range details {
		fields[i] = d.Target
	}
	return fail(http.StatusBadRequest, "INVALID_DATA", "These members are not valid: "+strings.Join(fields, ", "), details...)
}
