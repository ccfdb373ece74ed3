package judge

import (
	"testing"
	"time"

	"github.com/hookproof/hookproof/steps/transcript"
)

func TestTimesAreReadInUTCOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"2021-03-15T22:30:48.958Z":        true,
		"2021-03-15T22:30:48Z":            true,
		"2021-03-15t22:30:48.958123456z":  true,
		"2021-03-15T22:30:48.9+00:00":     true,
		"2021-03-15T22:30:48-00:00":       true,
		"2021-03-15T23:30:48.958+01:00":   false,
		"2021-03-15T22:30:48.958":         false,
		"2021-03-15 22:30:48Z":            false,
		"2021-03-15T22:30:48.Z":           false,
		"2021-03-15T22:30:48.1234567890Z": false,
		"2021-02-30T22:30:48Z":            false,
		"2021-03-15":                      false,
		"1615847448958":                   false,
		"":                                false,
	} {
		if _, err := Time(text); (err == nil) != want {
			t.Errorf("%q: %v, want it read: %t", text, err, want)
		}
	}
}

func TestATimeIsThatOfTheRequest(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	x := transcript.Exchange{End: end}
	tell(t, AtTimeOf("at", x),
		reply{"the same", `{"at":"2026-11-22T18:00:00.000Z"}`, true}, reply{"a little before", `{"at":"2026-11-22T17:59:30Z"}`, true},
		reply{"a minute after", `{"at":"2026-11-22T18:01:00Z"}`, true}, reply{"more than a minute after", `{"at":"2026-11-22T18:01:00.001Z"}`, false},
		reply{"a little after", `{"at":"2026-11-22T18:00:59Z"}`, true}, reply{"long before", `{"at":"2026-11-22T17:58:00Z"}`, false},
		reply{"an hour after", `{"at":"2026-11-22T19:00:00Z"}`, false}, reply{"with an offset", `{"at":"2026-11-22T19:00:00+01:00"}`, false},
		reply{"a number", `{"at":1795370400}`, false}, reply{"missing", `{}`, false})
	dated := jsonAnswer(`{"at":"2026-11-22T20:00:01Z"}`)
	dated.Response.Headers["Date"] = []string{"Sun, 22 Nov 2026 20:00:00 GMT"}
	if o := Response(dated, AtTimeOf("at", x)); o.Failed() {
		t.Errorf("the clock of the target's own Date is not taken: %+v", o)
	}
	dated.Response.Headers["Date"] = []string{"Sun, 22 Nov 2026 22:00:00 GMT"}
	if o := Response(dated, AtTimeOf("at", x)); !o.Failed() {
		t.Error("a time of neither clock is taken")
	}
}

func TestATimeIsAsBefore(t *testing.T) {
	t.Parallel()
	tell(t, SameTime([]byte(`{"at":"2026-11-22T18:00:00.123Z"}`), "at"),
		reply{"the same", `{"at":"2026-11-22T18:00:00.123Z"}`, true}, reply{"with more digits", `{"at":"2026-11-22T18:00:00.1239Z"}`, true},
		reply{"written otherwise", `{"at":"2026-11-22T18:00:00.123+00:00"}`, true}, reply{"a millisecond later", `{"at":"2026-11-22T18:00:00.124Z"}`, false},
		reply{"earlier", `{"at":"2026-11-22T17:00:00.123Z"}`, false}, reply{"gone", `{}`, false})
	tell(t, SameTime([]byte(`{}`), "at"), reply{"nothing to compare with", `{"at":"2026-11-22T18:00:00Z"}`, true})
	tell(t, SameTime([]byte(`{"at":"yesterday"}`), "at"), reply{"no time before", `{"at":"2026-11-22T18:00:00Z"}`, false})
}

func TestTimesAreInOrder(t *testing.T) {
	t.Parallel()
	tell(t, NotBefore("u", "c"),
		reply{"later", `{"c":"2026-11-22T18:00:00.1Z","u":"2026-11-22T18:00:00.2Z"}`, true},
		reply{"equal", `{"c":"2026-11-22T18:00:00.1Z","u":"2026-11-22T18:00:00.100Z"}`, true},
		reply{"earlier", `{"c":"2026-11-22T18:00:00.1Z","u":"2026-11-22T18:00:00.099Z"}`, false},
		reply{"in whole seconds", `{"c":"2026-11-22T18:00:00.1Z","u":"2026-11-22T18:00:00Z"}`, true},
		reply{"a second earlier", `{"c":"2026-11-22T18:00:01Z","u":"2026-11-22T18:00:00Z"}`, false},
		reply{"missing", `{"c":"2026-11-22T18:00:00.1Z"}`, false}, reply{"nothing to compare with", `{"u":"2026-11-22T18:00:00.1Z"}`, false},
		reply{"no time", `{"c":"2026-11-22T18:00:00.1Z","u":"later"}`, false})
}
