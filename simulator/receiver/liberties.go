package receiver

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Hostile is a choice of liberties: what no rule forbids a receiver, and a
// careless emitter may not expect. What an endpoint's script says stands.
type Hostile struct {
	// Seed decides every choice, from 1; 0 takes no liberty.
	Seed int64
	// Knobs are the names of the liberties that are taken; none: all.
	Knobs []string
}

// A Knob is one liberty.
type Knob struct {
	Name     string // lower case, words joined by hyphens
	Sentence string // what the receiver does another way

	before func(context.Context, http.Header, *dice)
}

// Knobs lists every liberty there is.
func Knobs() []Knob {
	return []Knob{
		{"receiver-delays", "The receiver takes up to 40 ms before it reads a delivery.", func(ctx context.Context, _ http.Header, d *dice) {
			sleepUntil(ctx, time.Now().Add(time.Duration(d.n(40))*time.Millisecond), nil)
		}},
		{"receiver-headers", "Answers of the receiver have headers that mean nothing to an emitter.", func(_ context.Context, h http.Header, d *dice) {
			h["x-powered-by"] = []string{"café", strings.Repeat("a", d.n(4000))}
			h.Set("Set-Cookie", "session=1; Path=/")
			h.Set("Cache-Control", "no-store")
		}},
		{"receiver-connections", "The receiver ends some connections after its answer.", func(_ context.Context, h http.Header, d *dice) {
			if d.n(3) == 0 {
				h.Set("Connection", "close")
			}
		}},
	}
}

func (h Hostile) chosen() ([]Knob, error) {
	all := Knobs()
	switch {
	case h.Seed == 0 && len(h.Knobs) > 0, h.Seed < 0:
		return nil, fmt.Errorf("the liberties have the seed %d; give one from 1", h.Seed)
	case h.Seed == 0:
		return nil, nil
	case len(h.Knobs) == 0:
		return all, nil
	}
	var chosen []Knob
	for _, name := range h.Knobs {
		at := slices.IndexFunc(all, func(k Knob) bool { return k.Name == name })
		if at < 0 {
			return nil, fmt.Errorf("no liberty of a receiver is named %q", name)
		}
		chosen = append(chosen, all[at])
	}
	return chosen, nil
}

// take wraps the hooks in the chosen liberties.
func (h Hostile) take(hooks http.Handler) (http.Handler, error) {
	knobs, err := h.chosen()
	if err != nil || len(knobs) == 0 {
		return hooks, err
	}
	d := &dice{r: rand.New(rand.NewPCG(uint64(h.Seed), 1))}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, k := range knobs {
			k.before(r.Context(), w.Header(), d)
		}
		hooks.ServeHTTP(w, r)
	}), nil
}

// dice make the choices of a receiver that takes liberties; safe for concurrent
// use.
type dice struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (d *dice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.IntN(n)
}
