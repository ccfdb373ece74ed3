package receiver

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Fault is a named, deliberate defect of the receiver, to prove that whoever
// tests receivers notices. It breaks the rules it names.
type Fault struct {
	Name     string   // lower case, words joined by hyphens
	Sentence string   // what the receiver does wrong
	Rules    []string // of the catalogue

	apply func(*pieces)
}

// pieces is the composition of what a receiver presents to those who deliver.
// A fault replaces or wraps a member; no piece knows of faults.
type pieces struct {
	// take handles the requests to hooks.
	take func(http.Handler) http.Handler
	// shows is the mode whose certificate a listener of the given mode shows.
	shows func(Mode) Mode
	// secure is what a listener does in a handshake; nil: it speaks no TLS.
	secure func(*tls.Config) *tls.Config
}

// compose returns the pieces of a receiver with these faults.
func compose(faults []string) (pieces, error) {
	p := pieces{
		take:   func(h http.Handler) http.Handler { return h },
		shows:  func(m Mode) Mode { return m },
		secure: func(c *tls.Config) *tls.Config { return c },
	}
	all := Faults()
	for _, name := range faults {
		if !slices.ContainsFunc(all, func(f Fault) bool { return f.Name == name }) {
			known := make([]string, len(all))
			for i, f := range all {
				known[i] = f.Name
			}
			return p, fmt.Errorf("no fault is named %q; there are: %s", name, strings.Join(known, ", "))
		}
	}
	for _, f := range all {
		if slices.Contains(faults, f.Name) {
			f.apply(&p)
		}
	}
	return p, nil
}

// Faults lists every fault there is. Several can be active together; they are
// applied in this order.
func Faults() []Fault {
	return slices.Concat(storingFaults(), toleranceFaults(), sizeFaults(), answerFaults(), spoilingFaults(), handshakeFaults())
}
