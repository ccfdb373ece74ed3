package api

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFilterIsReadTermByTerm(t *testing.T) {
	t.Parallel()
	for filter, want := range map[string][]term{
		`name eq "a"`:                               {{"name", "eq", "a"}},
		`  population.id EQ "x y"  `:                {{"population.id", "eq", "x y"}},
		`a eq "and" AND b sw "\"q\"" and c eq true`: {{"a", "eq", "and"}, {"b", "sw", `"q"`}, {"c", "eq", "true"}},
	} {
		got, err := parseFilter(filter, "eq", "sw")
		if err != nil {
			t.Errorf("%s: %v", filter, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(term{})); diff != "" {
			t.Errorf("%s: %s", filter, diff)
		}
	}
}

// FuzzSearch holds for every filter: it is read, or refused as a bad request.
func FuzzSearch(f *testing.F) {
	f.Add(`recordedAt gt "2020-01-01T00:00:00Z" and recordedAt lt "2020-01-02T00:00:00.5Z" and action.type eq "USER.CREATED"`)
	f.Add(`createdAt ge "x" or a eq "\u00e9\x"`)
	f.Add(`recordedAt le "9999-12-31T23:59:59Z" and tags eq "adminIdentityEvent"`)
	f.Fuzz(func(t *testing.T, filter string) {
		s, err := parseSearch(filter)
		var refused Failure
		if err != nil {
			if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest || len(refused.Details) != 1 {
				t.Fatalf("%q: %v", filter, err)
			}
			return
		}
		s.matches([]byte(`{"recordedAt":"2020-01-01T12:00:00Z","action":{"type":"USER.CREATED"},"resources":[{"id":"r"}]}`))
	})
}
