package emitter

import (
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

const tangled = `{"a":[{"b":1,"c":null},{}],"\u00e9":"x\"y","n":1.50,"d":{"e":{"f":[1,[2,{"g":true}]]}}}`

// Another order of members is the same value, and another text.
func TestMembersAreShuffledAndNothingElse(t *testing.T) {
	t.Parallel()
	d := newDice(1)
	differs := false
	for range 20 {
		text := rewritten(tangled, shuffledMembers(d.of("x")))
		d.seed++
		var was, is any
		if err := json.Unmarshal([]byte(tangled), &was); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(text), &is); err != nil || !reflect.DeepEqual(was, is) {
			t.Fatalf("%s is not %s (%v)", text, tangled, err)
		}
		if !strings.Contains(text, "1.50") || !strings.Contains(text, `\u00e9`) {
			t.Errorf("%s is not written as it was", text)
		}
		differs = differs || text != tangled
	}
	if !differs {
		t.Error("the order is always the same")
	}
}

// An escaped letter is the same letter, and every string has one.
func TestLettersAreEscapedAndNothingElse(t *testing.T) {
	t.Parallel()
	const text = `{"a":"xyz","b":{"c":"\u00e9\\\"\nA\ud83d\ude00 b"},"n":1.50,"t":true,"e":"","d":"12"}`
	for seed := range int64(20) {
		got := rewritten(text, escapedLetters(newDice(seed).of("x")))
		var was, is any
		if err := json.Unmarshal([]byte(text), &was); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(got), &is); err != nil || !reflect.DeepEqual(was, is) {
			t.Fatalf("%s is not %s (%v)", got, text, err)
		}
		if !strings.Contains(got, `"\u0078`) || !strings.Contains(got, `\u0041`) || !strings.Contains(got, "1.50") {
			t.Errorf("%s: a string has no letter that is escaped, or a number has changed", got)
		}
	}
}

// Whatever the seed, a knob that is turned alone turns something: a framing is
// never as it was.
func TestBodiesAreLaidOutAnotherWay(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]subscription.Subscription{
		"array": {}, "pretty": {PrettyPrint: true}, "lines": {PayloadFormat: subscription.NDJSON},
	} {
		for seed := range int64(20) {
			was := pipeline.FramingOf(s)
			is := laidOut(s, was, newDice(seed).of("x"))
			join := func(f pipeline.Framing) string { return f.Open + `{"a":1}` + f.Between + `{"a":2}` + f.Close }
			var values [2][]any
			for i, text := range []string{join(was), join(is)} {
				for d := json.NewDecoder(strings.NewReader(text)); ; {
					var v any
					if err := d.Decode(&v); err == io.EOF {
						break
					} else if err != nil {
						t.Fatalf("%s: %q: %v", name, text, err)
					}
					values[i] = append(values[i], v)
				}
			}
			if was == is || !reflect.DeepEqual(values[0], values[1]) {
				t.Errorf("%s: %q is laid out as %q", name, join(was), join(is))
			}
		}
	}
	if tcp := (subscription.Subscription{Protocol: subscription.TCPIP}); laidOut(tcp, pipeline.FramingOf(tcp), newDice(1).of("x")) != pipeline.FramingOf(tcp) {
		t.Error("the frames of a stream have changed")
	}
}

func TestMembersAreAddedTheSameWayEachTime(t *testing.T) {
	t.Parallel()
	d := newDice(3)
	more := func() string { return rewritten(`{"a":{"b":{}},"c":{},"d":{}}`, moreMembers(d.of("x"))) }
	first := more()
	if !gjson.Valid(first) || len(first) <= len(`{"a":{"b":{}},"c":{},"d":{}}`) || more() != first {
		t.Errorf("%s and then %s", first, more())
	}
}

func TestTimesHaveTheDigitsAskedFor(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 19, 0, 1, 120_000_000, time.FixedZone("", 3600))
	for digits, want := range map[int]string{0: "2026-11-22T18:00:01Z", 1: "2026-11-22T18:00:01.1Z", 9: "2026-11-22T18:00:01.120000000Z"} {
		if got := fraction(at, digits); got != want {
			t.Errorf("%d digits: %s, want %s", digits, got, want)
		}
	}
}

func TestLibertiesAreChosenByNameAndSeed(t *testing.T) {
	t.Parallel()
	if all, err := (Hostile{Seed: 1}).chosen(); err != nil || len(all) != len(Knobs()) {
		t.Errorf("%d liberties, %v", len(all), err)
	}
	if one, err := (Hostile{Seed: 1, Knobs: []string{"event-order"}}).chosen(); err != nil || len(one) != 1 {
		t.Errorf("%d liberties, %v", len(one), err)
	}
	if none, err := (Hostile{}).chosen(); err != nil || len(none) != 0 {
		t.Errorf("%d liberties, %v", len(none), err)
	}
	for _, wrong := range []Hostile{{Seed: 1, Knobs: []string{"nosuch"}}, {Knobs: []string{"event-order"}}, {Seed: -1}} {
		if err := (Options{Hostile: wrong}).Check(); err == nil {
			t.Errorf("%+v is accepted", wrong)
		}
	}
}
