package judge_test

import (
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

func TestHeldAtMostLooksAtNamedEventsOnly(t *testing.T) {
	t.Parallel()
	late := func(x *transcript.Delivery) { x.FirstByteAt = sceneStart.Add(time.Minute) }
	s := sceneOf("a", "b").body("["+sizedEvent("b", 0)+"]").body("["+sizedEvent("a", 0)+"]", late).transcript()
	for name, want := range map[string]bool{"a": true, "b": false, "nobody": true} {
		if o := judge.HeldAtMost(s, "r", 2*time.Second, 400*time.Millisecond, name); o.Failed() != want {
			t.Errorf("%s: failed %t, want %t", name, o.Failed(), want)
		}
	}
}

func TestFirstWithinAsksForNoContent(t *testing.T) {
	t.Parallel()
	after := func(d time.Duration) func(*transcript.Delivery) {
		return func(x *transcript.Delivery) { x.FirstByteAt = sceneStart.Add(d) }
	}
	checkScenes(t, func(t *transcript.Transcript) judge.Outcome {
		return judge.FirstWithin(t, "r", 2*time.Second, 400*time.Millisecond)
	}, []sceneCase{
		{"at once", sceneOf("a").body("{}", after(0)), ""},
		{"before the API answered", sceneOf("a").body("{}", after(-time.Second)), ""},
		{"at the limit and the tolerance", sceneOf("a").body("{}", after(2400*time.Millisecond)), ""},
		{"just above", sceneOf("a").body("{}", after(2401*time.Millisecond)), "2.401s for event a"},
		{"once more, later", sceneOf("a").body("{}", after(0)).body("{}", after(time.Minute)), ""},
		{"nothing came", sceneOf("a"), "0 deliveries"},
	})
}
