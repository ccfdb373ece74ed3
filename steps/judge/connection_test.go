package judge_test

import (
	"testing"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

func TestConnectionTestsAreJudged(t *testing.T) {
	t.Parallel()
	const event = `{"id":"1","action":{"type":"EVENT_DELIVERY_TEST"}}`
	by := func(method string) func(*transcript.Delivery) {
		return func(d *transcript.Delivery) { d.Method = method }
	}
	checkScenes(t, at(judge.Tested), []sceneCase{
		{"an array", sceneOf().body("[" + event + "]"), ""},
		{"a line", sceneOf().body(event + "\n"), ""},
		{"after a HEAD", sceneOf().body("", by("HEAD")).body("[" + event + "]"), ""},
		{"among others", sceneOf().body(`[{"action":{"type":"USER.CREATED"}},` + event + `]`), ""},
		{"nothing", sceneOf(), "nothing arrived"},
		{"only a HEAD", sceneOf().body("", by("HEAD")), "HEAD"},
		{"a PUT", sceneOf().body("["+event+"]", by("PUT")), "PUT"},
		{"another event", sceneOf().body(`[{"action":{"type":"USER.CREATED"}}]`), "USER.CREATED"},
		{"the type elsewhere", sceneOf().body(`[{"type":"EVENT_DELIVERY_TEST"}]`), "1 delivery"},
		{"an empty array", sceneOf().body(`[]`), "1 delivery"},
		{"cut off", sceneOf().body("["+event+"]", func(d *transcript.Delivery) { d.Complete = false }), "1 delivery"},
	})
}
