package api

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFilterIsReadTermByTerm(t *testing.T) {
	t.Parallel()
	g := grammar{or: true, attributes: map[string][]string{"a": {"eq", "in"}, "population.id": {"eq"}, "b": {"sw"}, "c": {"eq"}}}
	one := func(attribute, operator string, values ...string) condition {
		return condition{term: term{attribute, operator, values}}
	}
	for filter, want := range map[string]condition{
		`a eq "x"`:                   one("a", "eq", "x"),
		`  Population.ID EQ "x y"  `: one("population.id", "eq", "x y"),
		`a in ["x", "y"]`:            one("a", "in", "x", "y"),
		`a IN ("x","y")`:             one("a", "in", "x", "y"),
		`((a eq "x"))`:               one("a", "eq", "x"),
		`a eq "and" AND b sw "\"q\"" and c eq true`: {all: []condition{one("a", "eq", "and"), one("b", "sw", `"q"`), one("c", "eq", "true")}},
		`a eq "1" or a eq "2" and c eq "3"`:         {any: []condition{one("a", "eq", "1"), {all: []condition{one("a", "eq", "2"), one("c", "eq", "3")}}}},
		`(a eq "1" or a eq "2") and(c eq "3")`:      {all: []condition{{any: []condition{one("a", "eq", "1"), one("a", "eq", "2")}}, one("c", "eq", "3")}},
	} {
		got, err := parseFilter(filter, g)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(term{}, condition{})); diff != "" {
			t.Errorf("%s: %s", filter, diff)
		}
	}
	for _, filter := range []string{
		``, `a`, `a eq`, `a eq x`, `a eq 'x'`, `a eq "x`, `a eq "\z"`, `a co "x"`, `d eq "x"`, `a eq "x" and`, `a eq "x" xor c eq "y"`, `(a eq "x"`,
		`a eq "x")`, `a in "x"`, `a in []`, `a in ["x"`, `a in ["x",]`, `a in ["x" "y"]`, `not a eq "x"`, `a eq "x" c eq "y"`, `a eq truely`,
	} {
		if got, err := parseFilter(filter, g); err == nil {
			t.Errorf("%s is read as %+v", filter, got)
		}
	}
}

// FuzzSearch holds for every filter: it is read, or refused as a bad request.
func FuzzSearch(f *testing.F) {
	f.Add(`recordedAt gt "2020-01-01T00:00:00Z" and recordedAt lt "2020-01-02T00:00:00.5Z" and action.type eq "USER.CREATED"`)
	f.Add(`recordedAt gt "2020-01-01T00:00:00Z" and (action.type in ["A","B"] or environment.id eq "e")`)
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
		s.matches("e", []byte(`{"recordedAt":"2020-01-01T12:00:00Z","action":{"type":"USER.CREATED"},"resources":[{"id":"r"}]}`))
	})
}
