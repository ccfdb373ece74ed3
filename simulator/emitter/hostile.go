package emitter

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
)

// Hostile is a choice of liberties: everything that no rule forbids and that a
// careless client or suite may not expect. An emitter that takes them is as
// conformant as one that does not.
type Hostile struct {
	// Seed decides every choice, from 1; as far as the order in which requests
	// and events arrive is the same, so are the choices. 0 takes no liberty.
	Seed int64
	// Knobs are the names of the liberties that are taken; none: all.
	Knobs []string
}

// A Knob is one liberty.
type Knob struct {
	Name     string // lower case, words joined by hyphens
	Sentence string // what the emitter does another way

	apply func(*Pieces, *dice)
}

// Knobs lists every liberty there is.
func Knobs() []Knob { return slices.Concat(answerKnobs(), eventKnobs(), deliveryKnobs()) }

// chosen returns the knobs that are to be turned.
func (h Hostile) chosen() ([]Knob, error) {
	all := Knobs()
	switch {
	case h.Seed == 0 && len(h.Knobs) > 0:
		return nil, fmt.Errorf("liberties %s have no seed; give one from 1", strings.Join(h.Knobs, ", "))
	case h.Seed < 0:
		return nil, fmt.Errorf("the seed of the liberties is negative: %d; give one from 1", h.Seed)
	case h.Seed == 0:
		return nil, nil
	case len(h.Knobs) == 0:
		return all, nil
	}
	var chosen []Knob
	for _, name := range h.Knobs {
		at := slices.IndexFunc(all, func(k Knob) bool { return k.Name == name })
		if at < 0 {
			known := make([]string, len(all))
			for i, k := range all {
				known[i] = k.Name
			}
			return nil, fmt.Errorf("no liberty is named %q; there are: %s", name, strings.Join(known, ", "))
		}
		chosen = append(chosen, all[at])
	}
	return chosen, nil
}

// take turns the chosen knobs of a composition.
func (h Hostile) take(p *Pieces) error {
	knobs, err := h.chosen()
	if err != nil {
		return err
	}
	d := newDice(h.Seed)
	for _, k := range knobs {
		k.apply(p, d)
	}
	return nil
}

// dice make the choices of an emitter that takes liberties. They are safe for
// concurrent use.
type dice struct {
	seed uint64
	mu   sync.Mutex
	r    *rand.Rand
}

func newDice(seed int64) *dice {
	return &dice{seed: uint64(seed), r: rand.New(rand.NewPCG(uint64(seed), 0))}
}

// n is a number from 0 to n-1.
func (d *dice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.IntN(n)
}

func (d *dice) once(in int) bool { return d.n(in) == 0 }

// of makes the choices about one thing, the same whenever it is asked: what is
// sent again must be as it was.
func (d *dice) of(thing string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(thing)) // never fails
	return rand.New(rand.NewPCG(d.seed, h.Sum64()))
}
