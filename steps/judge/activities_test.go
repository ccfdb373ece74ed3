package judge

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

const anActivity = `{"_links":{"self":{"href":"https://api.example/v1/environments/e/activities/a"}},"id":"a","correlationId":"c",` +
	`"recordedAt":"2022-07-13T19:32:54.079Z","createdAt":"2022-07-13T19:32:54.101Z"}`

func activitiesOf(list ...string) string {
	return `{"_embedded":{"activities":[` + strings.Join(list, ",") + `]}}`
}

// other is the activity with one thing changed.
func other(old, by string) string { return strings.Replace(anActivity, old, by, 1) }

func TestActivitiesAreJudged(t *testing.T) {
	t.Parallel()
	tell(t, Activities(),
		reply{"one", activitiesOf(anActivity), true},
		reply{"two", activitiesOf(anActivity, anActivity), true},
		reply{"another zone", activitiesOf(other("54.101Z", "54+02:00")), true},
		reply{"none", activitiesOf(), false},
		reply{"no list", `{"_embedded":{}}`, false},
		reply{"an object", `{"_embedded":{"activities":` + anActivity + `}}`, false},
		reply{"another name", strings.Replace(activitiesOf(anActivity), "activities", "events", 1), false},
		reply{"no link", activitiesOf(other("_links", "links")), false},
		reply{"no link in the second", activitiesOf(anActivity, other("_links", "links")), false},
		reply{"a link elsewhere", activitiesOf(other("self", "next")), false},
		reply{"a relative link", activitiesOf(other("https://api.example", "")), false},
		reply{"not created", activitiesOf(other("createdAt", "made")), false},
		reply{"not recorded", activitiesOf(other("recordedAt", "at")), false},
		reply{"created in seconds", activitiesOf(other(`"2022-07-13T19:32:54.101Z"`, "1657740774")), false},
		reply{"created without a zone", activitiesOf(other("54.101Z", "54.101")), false},
		reply{"created on a day that is none", activitiesOf(other("2022-07-13T19:32:54.101Z", "2022-02-30T19:32:54.101Z")), false},
		reply{"text", `none`, false},
		reply{"nothing", ``, false})
}

func TestAnEventIsFoundAmongActivities(t *testing.T) {
	t.Parallel()
	tell(t, ListsEvent(gjson.Parse(`{"id":"a","correlationId":"c"}`)),
		reply{"by its id", activitiesOf(other(`"c"`, `"d"`)), true},
		reply{"by its correlation id", activitiesOf(other(`"id":"a"`, `"id":"b"`)), true},
		reply{"as the second", activitiesOf(`{}`, anActivity), true},
		reply{"another", activitiesOf(`{"id":"b","correlationId":"d"}`), false},
		reply{"none", activitiesOf(), false})
	tell(t, ListsEvent(gjson.Parse(`{}`)), reply{"nothing to find", activitiesOf(`{}`, anActivity), false})
}

func TestDatesAndTimesAreTold(t *testing.T) {
	t.Parallel()
	for text, is := range map[string]bool{
		"2026-08-09T02:24:24Z": true, "2026-08-09T02:24:24.507594727Z": true, "2026-08-09t02:24:24.5z": true,
		"2026-08-09T02:24:24+02:00": true, "2026-08-09T02:24:24-00:00": true, "2024-02-29T00:00:00Z": true,
		"2026-08-09T02:24:24": false, "2026-08-09 02:24:24Z": false, "2026-08-09": false, "2026-8-9T2:24:24Z": false,
		"2026-08-09T25:24:24Z": false, "2026-02-29T00:00:00Z": false, "2026-08-09T02:24:24,5Z": false, "1786242264": false, "": false,
	} {
		if IsDateTime(text) != is {
			t.Errorf("%q: %t, want %t", text, !is, is)
		}
	}
}
