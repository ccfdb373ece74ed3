package emitter

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is a named, deliberate defect, to prove that whoever tests the emitter
// notices. It breaks the rules it names.
type Fault struct {
	Name     string   // lower case, words joined by hyphens
	Sentence string   // what the emitter does wrong
	Rules    []string // of the catalogue

	apply func(*Pieces)
}

// Faults lists every fault there is. Several can be active together; they are
// applied in this order, so that those that replace a whole attempt wrap those
// that change a part of it.
func Faults() []Fault {
	return slices.Concat(configurationFaults(), subscriptionFaults(), requestFaults(), limitFaults(), apiFaults(), filterFaults(), eventFaults(), tlsFaults(), deliveryFaults(), retryFaults(),
		probeFaults(), formatFaults(), waitingFaults(), aftermathFaults(), combinedFaults(), tcpFaults(), laterFaults())
}

// active returns the named faults in the order of the list.
func active(names []string) ([]Fault, error) {
	all := Faults()
	var chosen []Fault
	for _, f := range all {
		if slices.Contains(names, f.Name) {
			chosen = append(chosen, f)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(f Fault) bool { return f.Name == name }) {
			known := make([]string, len(all))
			for i, f := range all {
				known[i] = f.Name
			}
			return nil, fmt.Errorf("no fault is named %q; there are: %s", name, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}
