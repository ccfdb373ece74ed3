package transcript

// index tells in one pass over a text whether any of many literals is in it:
// hardly any text that is recorded holds one, and a run has dozens of them, in
// all their forms.
//
// It knows the first windows of every literal, at as many offsets as windows
// are apart in a text: wherever a literal stands, one of them is met.
type index struct {
	// filter has a bit for the hash of every window, to pass over most places
	// of a text without a look into the map.
	filter  [1 << (hashBits - 6)]uint64
	windows map[uint32][]place
}

// place is where in a literal a window is.
type place struct {
	text   string
	offset int
}

const (
	// windowBytes is such that all windows of a literal of secrets.MinLength
	// are within it: 2*windowBytes-1 bytes are needed.
	windowBytes = 4
	hashBits    = 16
)

func newIndex(literals []literal) *index {
	x := &index{windows: map[uint32][]place{}}
	for _, l := range literals {
		for offset := range windowBytes {
			w := window(l.text, offset)
			x.filter[hash(w)>>6] |= 1 << (hash(w) & 63)
			x.windows[w] = append(x.windows[w], place{l.text, offset})
		}
	}
	return x
}

// window is the bytes at i as a number.
func window[T string | []byte](text T, i int) uint32 {
	return uint32(text[i]) | uint32(text[i+1])<<8 | uint32(text[i+2])<<16 | uint32(text[i+3])<<24
}

// hash spreads windows over hashBits (Knuth's multiplicative hashing).
func hash(window uint32) uint32 { return window * 2654435761 >> (32 - hashBits) }

// holds tells whether a text has any of the literals.
func holds[T string | []byte](x *index, text T) bool {
	if x == nil {
		return false
	}
	for i := 0; i+windowBytes <= len(text); i += windowBytes {
		w := window(text, i)
		if h := hash(w); x.filter[h>>6]>>(h&63)&1 == 0 {
			continue
		}
		for _, p := range x.windows[w] {
			if from := i - p.offset; from >= 0 && len(text)-from >= len(p.text) && string(text[from:from+len(p.text)]) == p.text {
				return true
			}
		}
	}
	return false
}
