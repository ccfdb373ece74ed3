package judge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

func TestHeldAtMostMeasuresTheFirstDelivery(t *testing.T) {
	t.Parallel()
	after := func(d time.Duration) func(*transcript.Delivery) {
		return func(x *transcript.Delivery) { x.FirstByteAt = sceneStart.Add(d) }
	}
	one := "[" + sizedEvent("a", 0) + "]"
	both := "[" + sizedEvent("a", 0) + "," + sizedEvent("b", 0) + "]"
	late := sceneOf("a", "b").body(both, after(3*time.Second))
	late.caused[1].At = sceneStart.Add(2900 * time.Millisecond)
	checkScenes(t, func(t *transcript.Transcript) judge.Outcome {
		return judge.HeldAtMost(t, "r", 2*time.Second, 400*time.Millisecond)
	}, []sceneCase{
		{"at once", sceneOf("a").body(one, after(0)), ""},
		{"before the API answered", sceneOf("a").body(one, after(-time.Second)), ""},
		{"at the limit and the tolerance", sceneOf("a").body(one, after(2400*time.Millisecond)), ""},
		{"just above", sceneOf("a").body(one, after(2401*time.Millisecond)), "2.401s for event a"},
		{"late because of those that followed", late, "3s for event a"},
		{"a late redelivery is no matter", sceneOf("a").body(one, after(time.Second)).body(one, after(time.Minute)), ""},
		{"missing", sceneOf("a", "b").body(one, after(0)), "missing"},
	})
}

func TestDataHeldAtMostLooksForTheEventsInText(t *testing.T) {
	t.Parallel()
	after := func(d time.Duration) func(*transcript.Delivery) {
		return func(x *transcript.Delivery) { x.FirstByteAt = sceneStart.Add(d) }
	}
	unended := func(x *transcript.Delivery) { x.Complete, x.Proto = false, "TCP" }
	cut := func(x *transcript.Delivery) { x.Complete, x.Proto = false, "HTTP/1.1" }
	line := "<110>1 - - - - - - one of event-a"
	for _, c := range []struct {
		name  string
		scene scene
		found bool
		wrong string
	}{
		{"at once", sceneOf("event-a").body(line, after(0)), true, ""},
		{"at the limit and the tolerance", sceneOf("event-a").body(line, after(2400*time.Millisecond)), true, ""},
		{"just above", sceneOf("event-a").body(line, after(2401*time.Millisecond)), true, "2.401s for event event-a"},
		{"once more, later", sceneOf("event-a").body(line, after(0)).body(line, after(time.Minute)), true, ""},
		{"a stream without an end", sceneOf("event-a").body(line, after(3*time.Second), unended), true, "3s"},
		{"a request that was cut off", sceneOf("event-a").body(line, after(0), cut), false, ""},
		{"one of two is not found", sceneOf("event-a", "event-b").body(line, after(3*time.Second)), false, ""},
		{"nothing came", sceneOf("event-a"), false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, found := judge.DataHeldAtMost(c.scene.transcript(), "r", 2*time.Second, 400*time.Millisecond)
			if found != c.found || o.Failed() != (c.wrong != "") || !strings.Contains(o.Actual, c.wrong) {
				t.Errorf("found %t, failed %t, actual %q", found, o.Failed(), o.Actual)
			}
		})
	}
}
