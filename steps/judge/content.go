package judge

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// AsPosted fails unless the event with that id arrived with everything that
// was posted, apart from its source. Members that were added, their order, and
// null or empty members left out are no difference. Rules EVT-001 to EVT-006.
func AsPosted(t *transcript.Transcript, endpoint string, c transcript.Caused) Outcome {
	a, ok := Find(t, endpoint, c)
	if !ok {
		return Fail("event %s at receiver %q", c.Name, endpoint).Got("%s", Arrived(t, endpoint))
	}
	sent := Posted(t, c.EventID)
	if !sent.IsObject() {
		return unrecorded("event " + c.Name + " among those posted")
	}
	o := Pass
	sent.ForEach(func(name, value gjson.Result) bool {
		if name.Str != "source" {
			o = holds(name.Str, a.Event.Get(gjson.Escape(name.Str)), value)
		}
		return !o.failed
	})
	return o
}

// holds fails unless got has everything that want has.
func holds(path string, got, want gjson.Result) Outcome {
	differ := Fail("%s is %s", path, cut(want.Raw)).Got("%s", cut(describe(got)))
	switch {
	case empty(want) && (!got.Exists() || got.Type == gjson.Null):
		return Pass
	case want.IsObject():
		if !got.IsObject() {
			return differ
		}
		o := Pass
		want.ForEach(func(name, value gjson.Result) bool {
			o = holds(path+"."+name.Str, got.Get(gjson.Escape(name.Str)), value)
			return !o.failed
		})
		return o
	case want.IsArray():
		g, w := got.Array(), want.Array()
		if !got.IsArray() || len(g) != len(w) {
			return differ
		}
		for i := range w {
			if o := holds(fmt.Sprintf("%s[%d]", path, i), g[i], w[i]); o.failed {
				return o
			}
		}
		return Pass
	case path == "recordedAt" && sameTime(got.Str, want.Str):
		return Pass
	case !cmp.Equal(got.Value(), want.Value()):
		return differ
	}
	return Pass
}

// empty tells whether v says nothing: null, {} or [].
func empty(v gjson.Result) bool {
	return v.Type == gjson.Null || v.IsObject() && len(v.Map()) == 0 || v.IsArray() && len(v.Array()) == 0
}

// sameTime tells whether two times are the same as far as both tell: how many
// fraction digits an event has is left open, and beyond the millisecond nothing
// is asked of anybody.
func sameTime(a, b string) bool {
	x, errX := time.Parse(time.RFC3339Nano, strings.ToUpper(a))
	y, errY := time.Parse(time.RFC3339Nano, strings.ToUpper(b))
	return errX == nil && errY == nil && x.Sub(y).Abs() < max(grain(a), grain(b))
}

// SameEachTime fails unless every caused event that reached the endpoint
// several times had the same id and the same content each time, and fails if
// none came twice. Rule RTY-012.
func SameEachTime(t *transcript.Transcript, endpoint string) Outcome {
	first := map[string]Arrival{}
	repeated := false
	arrivals := Arrivals(t, endpoint)
	for _, c := range t.Caused() {
		for _, a := range arrivals {
			if !Is(a.Event, c) {
				continue
			}
			f, again := first[c.Name]
			if !again {
				first[c.Name] = a
				continue
			}
			repeated = true
			if f.ID() != a.ID() {
				return Fail("event %s with id %s in every delivery", c.Name, f.ID()).Got("id %s in delivery %d", a.ID(), a.Delivery.Seq)
			}
			if diff := cmp.Diff(f.Event.Value(), a.Event.Value()); diff != "" {
				return Fail("event %s with the same content in every delivery", c.Name).
					Got("in delivery %d, - as before, + as now: %s", a.Delivery.Seq, cut(diff))
			}
		}
	}
	if !repeated {
		return Fail("an event that arrives more than once at receiver %q", endpoint).Got("%s", Arrived(t, endpoint))
	}
	return Pass
}
