package judge_test

import (
	"testing"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/judge"
)

func TestEveryEventJudgesTheScenariosOwn(t *testing.T) {
	t.Parallel()
	text := judge.Text("name")
	own := func(s *sink) judge.Outcome {
		return judge.EveryEvent(&s.posted("a", `{"id":"a"}`).posted("b", `{"id":"b"}`).Transcript, "sink", text)
	}
	all := func(s *sink) judge.Outcome { return judge.EveryArrival(&s.Transcript, "sink", text) }
	good, other := new(sink).got(200, `{"id":"a","name":"x"}`, `{"id":"b","name":""}`), new(sink).got(200, `{"id":"a","name":"x"}`, `{"id":"z"}`)
	bad := new(sink).got(200, `{"id":"a","name":"x"}`, `{"id":"b","name":7}`)
	verdicts(t, map[string]judge.Outcome{
		"own, all have it":            own(good),
		"own, somebody else's lacks":  own(other),
		"all, all have it":            all(good),
		"not: own, one lacks it":      own(bad),
		"not: own, none arrived":      own(new(sink)),
		"not: own, an empty body":     own(new(sink).got(200)),
		"not: own, only others":       own(new(sink).got(200, `{"id":"z","name":"x"}`)),
		"not: all, somebody else's":   all(other),
		"not: all, none arrived":      all(new(sink)),
		"not: all, in a second later": all(new(sink).got(200, `{"name":"x"}`).got(200, `{"name":null}`)),
	})
}

func TestDistinctIDs(t *testing.T) {
	t.Parallel()
	judged := func(s *sink) judge.Outcome { return judge.DistinctIDs(&s.Transcript, "sink") }
	two := func() *sink { return new(sink).caused("Ada", "a").caused("Bob", "b") }
	verdicts(t, map[string]judge.Outcome{
		"each its own":                    judged(two().got(200, about("1", "a"), about("2", "b"))),
		"the same again when sent again":  judged(two().got(500, about("1", "a")).got(200, about("1", "a"), about("2", "b"))),
		"not: both the same, at once":     judged(two().got(200, about("1", "a"), about("1", "b"))),
		"not: both the same, one by one":  judged(two().got(200, about("1", "a")).got(200, about("1", "b"))),
		"not: an empty id":                judged(two().got(200, about("", "a"))),
		"not: no id":                      judged(two().got(200, `{"resources":[{"id":"a"}]}`)),
		"not: a number":                   judged(two().got(200, `{"id":7}`)),
		"not: an event twice in one body": judged(two().got(200, about("1", "a"), about("1", "a"))),
	})
}

func TestRecordedAt(t *testing.T) {
	t.Parallel()
	each(t, judge.RecordedAt, map[string]string{
		"whole seconds":        `{"recordedAt":"2026-03-04T09:21:00Z"}`,
		"milliseconds":         `{"recordedAt":"2026-03-04T09:21:00.123Z"}`,
		"nanoseconds":          `{"recordedAt":"2026-08-09T02:24:24.507594727Z"}`,
		"lower case":           `{"recordedAt":"2026-08-09t02:24:24z"}`,
		"an offset of nothing": `{"recordedAt":"2026-08-09T02:24:24+00:00"}`,
		"not: ten digits":      `{"recordedAt":"2026-08-09T02:24:24.5075947271Z"}`,
		"not: a local time":    `{"recordedAt":"2026-08-09T04:24:24+02:00"}`,
		"not: no offset":       `{"recordedAt":"2026-08-09T02:24:24"}`,
		"not: a dot only":      `{"recordedAt":"2026-08-09T02:24:24.Z"}`,
		"not: a blank":         `{"recordedAt":"2026-08-09 02:24:24Z"}`,
		"not: no such day":     `{"recordedAt":"2026-02-30T02:24:24Z"}`,
		"not: a number":        `{"recordedAt":1788229464}`,
		"not: null":            `{"recordedAt":null}`,
		"not: absent":          `{}`,
	})
}

func TestOfTypes(t *testing.T) {
	t.Parallel()
	each(t, judge.OfTypes("USER.CREATED", "USER.DELETED"), map[string]string{
		"the first":        `{"action":{"type":"USER.CREATED"}}`,
		"the second":       `{"action":{"type":"USER.DELETED","description":"x"}}`,
		"not: another":     `{"action":{"type":"USER.UPDATED"}}`,
		"not: longer":      `{"action":{"type":"USER.CREATED_X"}}`,
		"not: lower case":  `{"action":{"type":"user.created"}}`,
		"not: an array":    `{"action":{"type":["USER.CREATED"]}}`,
		"not: no action":   `{"type":"USER.CREATED"}`,
		"not: a flat name": `{"action.type":"USER.CREATED"}`,
	})
}

func TestText(t *testing.T) {
	t.Parallel()
	each(t, judge.Text("action.description"), map[string]string{
		"a text":      `{"action":{"description":"User Created"}}`,
		"not: null":   `{"action":{"description":null}}`,
		"not: true":   `{"action":{"description":true}}`,
		"not: absent": `{"action":{}}`,
	})
}

func TestSucceeded(t *testing.T) {
	t.Parallel()
	each(t, judge.Succeeded, map[string]string{
		"success":         `{"result":{"status":"SUCCESS","description":"Created"}}`,
		"not: failed":     `{"result":{"status":"FAILED"}}`,
		"not: lower case": `{"result":{"status":"success"}}`,
		"not: absent":     `{"result":{"description":"Created"}}`,
		"not: no result":  `{}`,
	})
}

func TestResources(t *testing.T) {
	t.Parallel()
	each(t, judge.Resources, map[string]string{
		"one":                   `{"resources":[{"type":"USER","id":"1"}]}`,
		"several, with more":    `{"resources":[{"type":"USER","id":"1","name":"x"},{"id":"2","type":"GROUP"}]}`,
		"not: empty":            `{"resources":[]}`,
		"not: an object":        `{"resources":{"type":"USER","id":"1"}}`,
		"not: absent":           `{}`,
		"not: no id":            `{"resources":[{"type":"USER"}]}`,
		"not: no type":          `{"resources":[{"id":"1"}]}`,
		"not: an empty type":    `{"resources":[{"type":"","id":"1"}]}`,
		"not: the second lacks": `{"resources":[{"type":"USER","id":"1"},{"type":"USER","id":null}]}`,
	})
}

func TestAbout(t *testing.T) {
	t.Parallel()
	judged := func(e gjson.Result) judge.Outcome { return judge.About(e, "1", "ada", "p") }
	each(t, judged, map[string]string{
		"the user":                `{"resources":[{"type":"USER","id":"1","name":"ada","population":{"id":"p"}}]}`,
		"beside another":          `{"resources":[{"type":"GROUP","id":"9"},{"type":"USER","id":"1","name":"ada","population":{"id":"p"}}]}`,
		"not: another id":         `{"resources":[{"type":"USER","id":"2","name":"ada","population":{"id":"p"}}]}`,
		"not: another type":       `{"resources":[{"type":"GROUP","id":"1","name":"ada","population":{"id":"p"}}]}`,
		"not: another name":       `{"resources":[{"type":"USER","id":"1","name":"bob","population":{"id":"p"}}]}`,
		"not: no name":            `{"resources":[{"type":"USER","id":"1","population":{"id":"p"}}]}`,
		"not: another population": `{"resources":[{"type":"USER","id":"1","name":"ada","population":{"id":"q"}}]}`,
		"not: population {}":      `{"resources":[{"type":"USER","id":"1","name":"ada","population":{}}]}`,
		"not: the acting user":    `{"actors":{"user":{"type":"USER","id":"1","name":"ada","population":{"id":"p"}}},"resources":[]}`,
	})
	each(t, func(e gjson.Result) judge.Outcome { return judge.About(e, "1", "ada", "") }, map[string]string{
		"a population that the API did not tell": `{"resources":[{"type":"USER","id":"1","name":"ada","population":{"id":"p"}}]}`,
		"none, which the API did not tell":       `{"resources":[{"type":"USER","id":"1","name":"ada"}]}`,
		"not: nobody's":                          `{"resources":[{"type":"USER","id":"2","name":"ada"}]}`,
	})
}

func TestInEnvironment(t *testing.T) {
	t.Parallel()
	each(t, judge.InEnvironment("e"), map[string]string{
		"the right one":        `{"resources":[{"type":"USER","id":"1","environment":{"id":"e"}}]}`,
		"not: another":         `{"resources":[{"type":"USER","id":"1","environment":{"id":"f"}}]}`,
		"not: one of two":      `{"resources":[{"type":"A","id":"1","environment":{"id":"e"}},{"type":"A","id":"2","environment":{"id":"f"}}]}`,
		"not: absent":          `{"resources":[{"type":"USER","id":"1"}]}`,
		"not: on the outside":  `{"environment":{"id":"e"},"resources":[{"type":"USER","id":"1"}]}`,
		"not: nothing to have": `{"resources":[]}`,
	})
}

func TestByClient(t *testing.T) {
	t.Parallel()
	each(t, judge.ByClient("c"), map[string]string{
		"the client":       `{"actors":{"client":{"id":"c","name":"suite","type":"CLIENT","href":"x"}}}`,
		"not: another":     `{"actors":{"client":{"id":"d","name":"suite","type":"CLIENT"}}}`,
		"not: no name":     `{"actors":{"client":{"id":"c","type":"CLIENT"}}}`,
		"not: an empty id": `{"actors":{"client":{"id":"","name":"suite","type":"CLIENT"}}}`,
		"not: no type":     `{"actors":{"client":{"id":"c","name":"suite"}}}`,
		"not: a user":      `{"actors":{"user":{"id":"c","name":"suite","type":"CLIENT"}}}`,
		"not: no actors":   `{}`,
	})
	each(t, judge.ByClient(""), map[string]string{
		"any client":       `{"actors":{"client":{"id":"d","name":"suite","type":"CLIENT"}}}`,
		"not: an empty id": `{"actors":{"client":{"id":"","name":"suite","type":"CLIENT"}}}`,
	})
}

func TestTagged(t *testing.T) {
	t.Parallel()
	each(t, func(e gjson.Result) judge.Outcome { return judge.Tagged(e, true) }, map[string]string{
		"tagged":            `{"tags":["adminIdentityEvent"]}`,
		"among others":      `{"tags":["x","adminIdentityEvent"]}`,
		"not: another tag":  `{"tags":["admin"]}`,
		"not: a string":     `{"tags":"adminIdentityEvent"}`,
		"not: a member":     `{"tags":{"adminIdentityEvent":true}}`,
		"not: an empty one": `{"tags":[]}`,
		"not: absent":       `{}`,
	})
	each(t, func(e gjson.Result) judge.Outcome { return judge.Tagged(e, false) }, map[string]string{
		"absent":        `{}`,
		"empty":         `{"tags":[]}`,
		"null":          `{"tags":null}`,
		"another tag":   `{"tags":["x"]}`,
		"not: tagged":   `{"tags":["adminIdentityEvent"]}`,
		"not: a string": `{"tags":"adminIdentityEvent"}`,
	})
}
