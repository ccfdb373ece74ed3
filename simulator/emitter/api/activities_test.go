package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

const sinceLongAgo = `recordedAt gt "2020-01-01T00:00:00Z"`

func TestActivitiesAreSearchedByTheWholeGrammar(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	user := w.must(201, "POST", env+"/users", `{"username":"u","email":"u@example.com"}`)
	w.must(201, "POST", env+"/users/"+user.get("id").Str+"/roleAssignments", assignmentOf("Environment Admin", "ENVIRONMENT", id(env)))
	for filter, want := range map[string]int64{
		``: 4,
		`action.type in ["USER.CREATED","POPULATION.CREATED"]`:                          2,
		`(action.type eq "USER.CREATED" or resources.type eq "POPULATION")`:             2,
		`action.type eq "USER.CREATED" and resources.type eq "POPULATION"`:              0,
		`resources.population.id eq "` + user.get("population.id").Str + `"`:            2,
		`tags eq "adminIdentityEvent"`:                                                  1,
		`environment.id eq "` + id(env) + `"`:                                           4,
		`environment.id eq "` + rootEnvironment + `"`:                                   0,
		`org.id eq "` + directory.OrganizationID + `"`:                                  4,
		`actor.client.id eq "` + rootClient + `"`:                                       4,
		`actors.user.id eq "x"`:                                                         0,
		`(createdAt ge "2020-01-01T00:00:00Z" or recordedAt le "2020-01-01T00:00:00Z")`: 4,
	} {
		whole := sinceLongAgo
		if filter != "" {
			whole += " AND " + filter
		}
		got := w.must(200, "GET", env+"/activities?filter="+url.QueryEscape(whole), "")
		body, _ := sjson.Set(`{}`, "filter", whole)
		posted := w.must(200, "POST", env+"/activities", body)
		if got.get("_embedded.activities.#").Int() != want || posted.get("_embedded").Raw != got.get("_embedded").Raw {
			t.Errorf("%s finds %s; posted %s", whole, got.body, posted.body)
		}
	}
}

func TestActivitiesComePageByPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	for i := range 6 {
		w.must(201, "POST", env+"/users", fmt.Sprintf(`{"username":"u%d","email":"u@example.com"}`, i))
	}
	var want []string
	for _, e := range w.journal.of(id(env)) {
		want = append(want, e.CorrelationID+e.Type)
	}
	name := func(event gjson.Result) string { return event.Get("correlationId").Str + event.Get("action.type").Str }
	read := func(ask func(next string) answer) []string {
		var got []string
		for next := ""; ; {
			page := ask(next)
			for _, event := range page.get("_embedded.activities").Array() {
				got = append(got, name(event))
			}
			if next = page.get("_links.next.href").Str; next == "" {
				return got
			}
			if len(got)%3 != 0 || len(got) > len(want) {
				t.Fatalf("%d events with a next page", len(got))
			}
		}
	}
	body := fmt.Sprintf(`{"filter":%q,"limit":3}`, sinceLongAgo)
	for how, ask := range map[string]func(string) answer{
		"GET": func(next string) answer {
			if next == "" {
				next = w.url + env + "/activities?limit=3&filter=" + url.QueryEscape(sinceLongAgo)
			}
			return w.must(200, "GET", strings.TrimPrefix(next, w.url), "")
		},
		"POST to the link": func(next string) answer {
			if next == "" {
				next = w.url + env + "/activities"
			}
			return w.must(200, "POST", strings.TrimPrefix(next, w.url), body)
		},
		"POST with the offset": func(next string) answer {
			at, err := url.Parse(next)
			if err != nil {
				t.Fatal(err)
			}
			with, _ := sjson.Set(body, "offset", at.Query().Get("cursor"))
			return w.must(200, "POST", env+"/activities", with)
		},
	} {
		if diff := cmp.Diff(want, read(ask)); diff != "" {
			t.Errorf("%s: %s", how, diff)
		}
	}
}

// TestActivityIsTheStoredEventApartFromTheDocumentedDifferences compares with what webhooks deliver, which is the
// stored event as far as its source is exposed.
func TestActivityIsTheStoredEventApartFromTheDocumentedDifferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	user := env + "/users/" + w.must(201, "POST", env+"/users", `{"username":"u","email":"u@example.com"}`).get("id").Str
	w.must(201, "POST", user+"/roleAssignments", assignmentOf("Environment Admin", "ENVIRONMENT", id(env)))
	w.must(200, "PUT", user+"/password", `{"value":"x"}`, "Content-Type", "application/vnd.pingidentity.password.set+json")
	w.must(201, "POST", env+"/keys", generateBody)
	w.must(204, "DELETE", user, "")
	shown := w.must(200, "GET", env+"/activities?filter="+url.QueryEscape(sinceLongAgo), "").get("_embedded.activities").Array()
	delivered := w.journal.raw(id(env))
	if len(shown) != len(delivered) {
		t.Fatalf("%d activities, %d events", len(shown), len(delivered))
	}
	for i, event := range delivered {
		want, _ := sjson.Delete(string(event), "source")
		got, _ := sjson.Delete(shown[i].Raw, "_links")
		got, _ = sjson.Delete(got, "createdAt")
		if diff := cmp.Diff(gjson.Parse(want).Value(), gjson.Parse(got).Value()); diff != "" {
			t.Error(diff)
		}
		if shown[i].Get("createdAt").Str == "" || shown[i].Get("_links.self.href").Str != w.url+env+"/activities/"+shown[i].Get("id").Str {
			t.Error(shown[i].Raw)
		}
	}
	if !slices.ContainsFunc(shown, func(e gjson.Result) bool { return e.Get("tags.0").Str == "adminIdentityEvent" }) {
		t.Error("no event is tagged")
	}
}
