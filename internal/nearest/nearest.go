// Package nearest says which name was probably meant by one that does not
// exist. It knows nothing of what the names are of.
package nearest

import "strings"

// shortList is how many names an error lists at most: what fits into a few
// lines of a terminal.
const shortList = 40

// Hint is what an error about an unknown name ends with: the known name that is
// nearest, if one is near, and all of them, or, where they are many, that all
// stand in what the command prints.
func Hint(name string, known []string, command string) string {
	hint := ""
	if near := To(name, known); near != "" {
		hint = "did you mean " + near + "? "
	}
	if len(known) > shortList {
		return hint + "«" + command + "» lists all"
	}
	return hint + "there are: " + strings.Join(known, ", ")
}

// To is the known name that takes the fewest edits, in whatever case, if they
// are at most a third of its length; else empty.
func To(name string, known []string) string {
	best, least := "", len(name)+1
	for _, k := range known {
		if d := edits(strings.ToLower(name), strings.ToLower(k)); d < least && 3*d <= len(k) {
			best, least = k, d
		}
	}
	return best
}

// edits is how many bytes must be put in, left out, changed or exchanged with the
// next to make a into b (the distance of Damerau and Levenshtein, in its form of
// optimal alignment).
func edits(a, b string) int {
	var last, before []int // the rows of the two bytes of a that come before
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last, before = before, row
		row = make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			change := before[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(before[j+1]+1, row[j]+1, change)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], last[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
