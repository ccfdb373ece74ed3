package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

// searchable maps the attributes of an activity filter (V7, R5), in lower case, to where they stand in an event.
var searchable = map[string]string{
	"correlationid":             "correlationId",
	"action.type":               "action.type",
	"resources.id":              "resources.#.id",
	"resources.type":            "resources.#.type",
	"resources.population.id":   "resources.#.population.id",
	"actors.client.id":          "actors.client.id",
	"actor.client.id":           "actors.client.id",
	"actors.user.id":            "actors.user.id",
	"actor.user.id":             "actors.user.id",
	"actors.user.name":          "actors.user.name",
	"actors.user.population.id": "actors.user.population.id",
	"tags":                      "tags",
	"environment.id":            "",
	"org.id":                    "",
}

// activityGrammar compares times by order and everything else for equality; only the action type takes a list (V7).
var activityGrammar = func() grammar {
	order := []string{"gt", "ge", "lt", "le"}
	g := grammar{or: true, attributes: map[string][]string{"recordedat": order, "createdat": order}}
	for name := range searchable {
		g.attributes[name] = identical
	}
	g.attributes["action.type"] = []string{"eq", "in"}
	return g
}()

// search is a filter of activities with the range of time that it asks for.
type search struct {
	condition condition
	from, to  time.Time // inclusive, perhaps too wide; zero: no bound
}

// parseSearch reads a filter, which must have a date range on recordedAt or createdAt (V7) that nothing widens.
func parseSearch(filter string) (search, error) {
	if filter == "" {
		return search{}, rangeMissing()
	}
	c, err := parseFilter(filter, activityGrammar)
	if err != nil {
		return search{}, err
	}
	for _, t := range c.terms() {
		if dated(t) && moment(t).IsZero() {
			return search{}, invalidFilter("The value of "+t.attribute+" must be an RFC 3339 time.", nil)
		}
	}
	s := search{condition: c}
	found := false
	for _, part := range c.conjuncts() {
		if part.all == nil && part.any == nil && dated(part.term) {
			found = true
			s.bound(part.term)
		}
	}
	if !found {
		return search{}, rangeMissing()
	}
	return s, nil
}

func rangeMissing() error {
	return invalidFilter("The filter must have a date range on recordedAt or createdAt.", nil)
}

func dated(t term) bool { return t.attribute == "recordedat" || t.attribute == "createdat" }

// moment is the time a term names; zero if it names none.
func moment(t term) time.Time {
	at, err := time.Parse(time.RFC3339Nano, t.values[0])
	if err != nil {
		return time.Time{}
	}
	return at
}

func (s *search) bound(t term) {
	at := moment(t)
	switch t.operator {
	case "gt", "ge":
		if at.After(s.from) {
			s.from = at
		}
	default:
		if s.to.IsZero() || at.Before(s.to) {
			s.to = at
		}
	}
}

// matches says whether an event of the environment is wanted.
func (s search) matches(environment string, event []byte) bool {
	at, err := time.Parse(time.RFC3339Nano, gjson.GetBytes(event, "recordedAt").Str)
	return err == nil && s.condition.holds(func(t term) bool {
		switch t.attribute {
		case "recordedat", "createdat":
			return inOrder(at, t.operator, moment(t))
		case "environment.id":
			return t.values[0] == environment
		case "org.id":
			return t.values[0] == directory.OrganizationID
		}
		found := gjson.GetBytes(event, searchable[t.attribute])
		return slices.ContainsFunc(found.Array(), func(v gjson.Result) bool {
			return v.Type == gjson.String && slices.Contains(t.values, v.Str)
		})
	})
}

func inOrder(a time.Time, operator string, b time.Time) bool {
	switch operator {
	case "gt":
		return a.After(b)
	case "ge":
		return !a.Before(b)
	case "lt":
		return a.Before(b)
	default:
		return !a.After(b)
	}
}

func (a *API) listActivities(r *request) (response, error) {
	limit, err := r.limit()
	if err != nil {
		return response{}, err
	}
	query := r.URL.Query()
	return a.findActivities(r, query.Get("filter"), limit, query.Get("cursor"))
}

// searchActivities takes the filter in the body, which keeps personal data out of URLs (V7). The next page is asked
// for by the same body, at the link or with the link's cursor as its offset.
func (a *API) searchActivities(r *request) (response, error) {
	limit, err := r.limit()
	if err != nil {
		return response{}, err
	}
	o, err := r.json()
	if err != nil {
		return response{}, err
	}
	filter, offset := o.String("filter"), o.String("offset")
	o.Required("filter")
	if o.Sent("limit") {
		if limit = o.Int("limit"); limit < 1 || limit > maxPageSize {
			lowest, highest := 1, maxPageSize
			o.Report(body.Problem{
				Code: body.OutOfRange, Target: "limit", Message: fmt.Sprintf("The limit must be between 1 and %d.", maxPageSize),
				Inner: &body.Inner{RangeMinimumValue: &lowest, RangeMaximumValue: &highest},
			})
		}
	}
	if found := o.Problems(); len(found) > 0 {
		return response{}, invalidData(found...)
	}
	if offset == "" {
		offset = r.URL.Query().Get("cursor")
	}
	return a.findActivities(r, filter, limit, offset)
}

func (a *API) findActivities(r *request, filter string, limit int, cursor string) (response, error) {
	s, err := parseSearch(filter)
	if err != nil {
		return response{}, err
	}
	skip, err := position(cursor)
	if err != nil {
		return response{}, err
	}
	wanted := func(event []byte) bool { return s.matches(r.env, event) }
	found, more, err := a.activities(r, s, skip, limit, wanted)
	if err != nil {
		return response{}, err
	}
	envelope := collection(r.self(), "activities", nil, len(found))
	envelope["_embedded"], envelope["size"] = object{"activities": found}, len(found)
	if more {
		query := r.URL.Query()
		query.Set("cursor", positionToken(skip+len(found)))
		envelope["_links"].(object)["next"] = href(r.environmentLink("activities") + "?" + query.Encode())
	}
	return response{http.StatusOK, envelope}, nil
}

// positionToken names a place in the events that a filter finds: the log only grows at its end, so it stays.
func positionToken(n int) string {
	return base64.RawURLEncoding.EncodeToString([]byte("after " + strconv.Itoa(n)))
}

func position(cursor string) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	decoded, err := base64.RawURLEncoding.DecodeString(cursor)
	text, ours := strings.CutPrefix(string(decoded), "after ")
	n, numberErr := strconv.Atoi(text)
	if err != nil || numberErr != nil || !ours || n < 0 {
		return 0, invalidParameter(body.InvalidParameter, "cursor", "The cursor is not one of this API.")
	}
	return n, nil
}

func (a *API) getActivity(r *request) (response, error) {
	found, _, err := a.activities(r, search{}, 0, 1, func(event []byte) bool {
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

// activities collects up to limit events that are wanted after skipping some, in the order of the log, and says
// whether there are more.
func (a *API) activities(r *request, s search, skip, limit int, wanted func([]byte) bool) ([]json.RawMessage, bool, error) {
	found := []json.RawMessage{}
	if a.opts.Activities == nil {
		return found, false, nil
	}
	for event, err := range a.opts.Activities.Activities(r.Context(), r.env, s.from, s.to) {
		if err != nil {
			return nil, false, fmt.Errorf("read activities of %s: %w", r.env, err)
		}
		if !wanted(event) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if len(found) == limit {
			return found, true, nil
		}
		shown, err := r.activity(event)
		if err != nil {
			return nil, false, err
		}
		found = append(found, shown)
	}
	return found, false, nil
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
