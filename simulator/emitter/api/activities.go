package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

// searchable maps the attributes of an activity filter (V7) to where they stand in an event.
var searchable = map[string]string{
	"correlationid":           "correlationId",
	"action.type":             "action.type",
	"resources.id":            "resources.#.id",
	"resources.type":          "resources.#.type",
	"resources.population.id": "resources.#.population.id",
	"actors.client.id":        "actors.client.id",
	"actors.user.id":          "actors.user.id",
	"tags":                    "tags",
}

// search is a filter of activities: a range of time and values that must all occur.
type search struct {
	from, to         time.Time // inclusive; zero: no bound
	after, before    time.Time // exclusive; zero: no bound
	paths, mustOccur []string
}

// parseSearch reads a filter, which must have a date range on recordedAt or createdAt (V7).
func parseSearch(filter string) (search, error) {
	terms, err := parseFilter(filter, "eq", "gt", "ge", "lt", "le")
	if err != nil {
		return search{}, err
	}
	var s search
	dated := false
	for _, t := range terms {
		name := strings.ToLower(t.attribute)
		if name == "recordedat" || name == "createdat" {
			dated = true
			err = s.bound(t)
		} else {
			err = s.value(name, t)
		}
		if err != nil {
			return search{}, err
		}
	}
	if !dated {
		return search{}, invalidFilter("The filter must have a date range on recordedAt or createdAt.")
	}
	return s, nil
}

func (s *search) bound(t term) error {
	at, err := time.Parse(time.RFC3339Nano, t.value)
	if err != nil {
		return invalidFilter(fmt.Sprintf("The value of %s must be an RFC 3339 time.", t.attribute))
	}
	switch t.operator {
	case "gt":
		s.after = later(s.after, at)
	case "ge":
		s.from = later(s.from, at)
	case "lt":
		s.before = earlier(s.before, at)
	case "le":
		s.to = earlier(s.to, at)
	default:
		return invalidFilter("The operator " + t.operator + " is not supported for a time.")
	}
	return nil
}

func (s *search) value(name string, t term) error {
	path, ok := searchable[name]
	if !ok {
		return invalidFilter("The attribute " + t.attribute + " cannot be filtered by.")
	}
	if t.operator != "eq" {
		return invalidFilter("The operator " + t.operator + " is not supported for " + t.attribute + ".")
	}
	s.paths, s.mustOccur = append(s.paths, path), append(s.mustOccur, t.value)
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

func (s search) matches(event []byte) bool {
	at, err := time.Parse(time.RFC3339Nano, gjson.GetBytes(event, "recordedAt").Str)
	if err != nil || at.Before(s.from) || !s.after.IsZero() && !at.After(s.after) ||
		!s.to.IsZero() && at.After(s.to) || !s.before.IsZero() && !at.Before(s.before) {
		return false
	}
	for i, path := range s.paths {
		found := gjson.GetBytes(event, path)
		occurs := slices.ContainsFunc(found.Array(), func(v gjson.Result) bool { return v.Str == s.mustOccur[i] })
		if !occurs {
			return false
		}
	}
	return true
}

func (a *API) listActivities(r *request) (response, error) {
	s, err := parseSearch(r.URL.Query().Get("filter"))
	if err != nil {
		return response{}, err
	}
	limit, err := r.limit()
	if err != nil {
		return response{}, err
	}
	found, err := a.activities(r, s, limit, s.matches)
	if err != nil {
		return response{}, err
	}
	envelope := collection(r.self(), "activities", nil, len(found))
	envelope["_embedded"], envelope["size"] = object{"activities": found}, len(found)
	return response{http.StatusOK, envelope}, nil
}

func (a *API) getActivity(r *request) (response, error) {
	found, err := a.activities(r, search{}, 1, func(event []byte) bool {
		return gjson.GetBytes(event, "id").Str == r.id
	})
	if err != nil {
		return response{}, err
	}
	if len(found) == 0 {
		return response{}, directory.ErrNotFound
	}
	return response{http.StatusOK, found[0]}, nil
}

// activities collects events that are wanted, in the order of the log.
func (a *API) activities(r *request, s search, limit int, wanted func([]byte) bool) ([]json.RawMessage, error) {
	found := []json.RawMessage{}
	if a.opts.Activities == nil {
		return found, nil
	}
	from, to := later(s.from, s.after), s.to
	if !s.before.IsZero() {
		to = earlier(s.to, s.before)
	}
	for event, err := range a.opts.Activities.Activities(r.Context(), r.env, from, to) {
		if err != nil {
			return nil, fmt.Errorf("read activities of %s: %w", r.env, err)
		}
		if !wanted(event) {
			continue
		}
		shown, err := r.activity(event)
		if err != nil {
			return nil, err
		}
		if found = append(found, shown); len(found) == limit {
			break
		}
	}
	return found, nil
}

// activity is a stored event with what only the API shows, and without its source (E1).
func (r *request) activity(event []byte) (json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(event, &members); err != nil {
		return nil, fmt.Errorf("decode stored event: %w", err)
	}
	delete(members, "source")
	links, err := json.Marshal(object{"self": href(r.environmentLink("activities", gjson.GetBytes(event, "id").Str))})
	if err != nil {
		return nil, err
	}
	members["_links"] = links
	if _, ok := members["createdAt"]; !ok {
		members["createdAt"] = members["recordedAt"]
	}
	return json.Marshal(members)
}
