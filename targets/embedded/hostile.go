package embedded

import (
	"slices"

	"github.com/hookproof/hookproof/simulator/emitter"
	"github.com/hookproof/hookproof/simulator/receiver"
)

// Hostile is a choice of liberties that no rule forbids.
type Hostile struct {
	// Seed decides every choice, from 1; 0 takes no liberty.
	Seed int64
	// Knobs are names of liberties that are taken; none: all.
	Knobs []string
}

// A Liberty is something that a reference can do another way without breaking a
// rule.
type Liberty struct{ Name, Sentence string }

// Liberties lists those that Hostile.Knobs may name: the reference emitter's,
// then the receiver simulator's.
func Liberties() []Liberty {
	var all []Liberty
	for _, k := range emitter.Knobs() {
		all = append(all, Liberty{k.Name, k.Sentence})
	}
	for _, k := range receiver.Knobs() {
		all = append(all, Liberty{k.Name, k.Sentence})
	}
	return all
}

// divide gives the liberties of either end. A name that neither knows is left to
// the emitter, which refuses it.
func (h Hostile) divide() (emitter.Hostile, receiver.Hostile) {
	if len(h.Knobs) == 0 {
		return emitter.Hostile{Seed: h.Seed}, receiver.Hostile{Seed: h.Seed}
	}
	var e emitter.Hostile
	var r receiver.Hostile
	known := receiver.Knobs()
	for _, name := range h.Knobs {
		if slices.ContainsFunc(known, func(k receiver.Knob) bool { return k.Name == name }) {
			r.Seed, r.Knobs = h.Seed, append(r.Knobs, name)
		} else {
			e.Seed, e.Knobs = h.Seed, append(e.Knobs, name)
		}
	}
	return e, r
}

// ofSender are the liberties of the emitter that delivers to a receiver under
// test: all but those by which scenarios would not get deliveries of as many
// events, or of as many bytes, as they ask for.
func ofSender(h emitter.Hostile) emitter.Hostile {
	resizing := []string{"delivery-batches", "event-members", "event-nulls", "event-escapes"}
	if h.Seed != 0 && len(h.Knobs) == 0 {
		for _, k := range emitter.Knobs() {
			h.Knobs = append(h.Knobs, k.Name)
		}
	}
	h.Knobs = slices.DeleteFunc(slices.Clone(h.Knobs), func(name string) bool { return slices.Contains(resizing, name) })
	if len(h.Knobs) == 0 {
		return emitter.Hostile{}
	}
	return h
}
