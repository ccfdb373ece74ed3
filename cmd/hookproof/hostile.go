package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/hookproof/hookproof/internal/nearest"
)

// hostileFlags let a reference take liberties.
type hostileFlags struct {
	seed  string
	knobs []string
	known []string
}

// drawn is what --hostile without a seed stands for.
const drawn = "drawn"

// add adds the flags; names are the liberties there are.
func (h *hostileFlags) add(flags *pflag.FlagSet, names []string) {
	h.known = names
	flags.StringVar(&h.seed, "hostile", "", "take every liberty that no rule forbids, each choice made by this `seed`, as in --hostile=17; --hostile alone draws one and prints it")
	flags.Lookup("hostile").NoOptDefVal = drawn
	flags.StringSliceVar(&h.knobs, "hostile-knob", nil, "take only the liberty of this `name`; repeatable; an unknown name lists all")
}

// knobs are the names of liberties, or of faults.
func knobs[K any](all []K, name func(K) string) []string {
	names := make([]string, len(all))
	for i, k := range all {
		names[i] = name(k)
	}
	return names
}

// announce tells the seed, if there is one, by which liberties are taken.
func (h *hostileFlags) announce(out io.Writer) {
	if h.seed != "" {
		fmt.Fprintf(out, "taking liberties with seed %s\n", h.seed)
	}
}

// choose is the seed and the knobs that were asked for; without any, 0. A seed
// that is drawn is put into the flag, so that the command can be repeated.
func (h *hostileFlags) choose(flags *pflag.FlagSet) (seed int64, knobs []string, err error) {
	if flags.Changed("hostile-knob") && (len(h.knobs) == 0 || slices.Contains(h.knobs, "")) {
		return 0, nil, usageError("--hostile-knob names nothing")
	}
	for _, name := range h.knobs {
		if !slices.Contains(h.known, name) {
			return 0, nil, usageError("--hostile-knob: there is no liberty %q; %s", name, nearest.Hint(name, h.known, "hookproof faults"))
		}
	}
	switch {
	case h.seed == "" && len(h.knobs) == 0:
		return 0, nil, nil
	case h.seed == "" || h.seed == drawn:
		seed = rand.Int64N(1_000_000) + 1
		if err := flags.Set("hostile", strconv.FormatInt(seed, 10)); err != nil {
			return 0, nil, err
		}
	default:
		if seed, err = strconv.ParseInt(h.seed, 10, 64); err != nil || seed < 1 {
			return 0, nil, usageError("--hostile: %q is no whole number from 1", h.seed)
		}
	}
	return seed, h.knobs, nil
}
