package api

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
)

// term is one comparison of a filter; a filter is terms joined with "and".
type term struct {
	attribute string
	operator  string // lower case
	value     string
}

const (
	maxFilter = 8192 // characters
	maxTerms  = 20
)

// comparison is `attribute operator "value"` or, for booleans, a bare true or false.
var comparison = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9_.]*)\s+([A-Za-z]+)\s+("(?:[^"\\]|\\.)*"|true|false)\s*`)

var conjunction = regexp.MustCompile(`^(?i:and)\s`)

// parseFilter reads a filter with the given operators. Its error is a 400 with the detail INVALID_FILTER.
func parseFilter(filter string, operators ...string) ([]term, error) {
	if len(filter) > maxFilter {
		return nil, invalidFilter(fmt.Sprintf("The filter must have at most %d characters.", maxFilter))
	}
	var terms []term
	for rest := filter; ; {
		found := comparison.FindStringSubmatch(rest)
		if found == nil || len(terms) == maxTerms {
			return nil, invalidFilter(`The filter must be comparisons like name eq "value", joined with and.`)
		}
		t := term{attribute: found[1], operator: strings.ToLower(found[2]), value: found[3]}
		if !slices.Contains(operators, t.operator) {
			return nil, invalidFilter("The operator " + t.operator + " is not supported.")
		}
		if strings.HasPrefix(t.value, `"`) {
			value, err := strconv.Unquote(t.value)
			if err != nil {
				return nil, invalidFilter("A value has an escape that is not known.")
			}
			t.value = value
		}
		terms = append(terms, t)
		rest = rest[len(found[0]):]
		if rest == "" {
			return terms, nil
		}
		and := conjunction.FindString(rest)
		if and == "" {
			return nil, invalidFilter("Comparisons can only be joined with and.")
		}
		rest = rest[len(and):]
	}
}

func invalidFilter(message string) Failure {
	return invalidParameter(body.InvalidFilter, "filter", message)
}
