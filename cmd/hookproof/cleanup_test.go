package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/reports"
)

func TestACleanUpOfARunThatLeftNothingNamesThoseThatDid(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	s.call(t, http.MethodPost, "/populations", `{"name":"Staff hookproof-6c0510a8-population-00000001"}`)
	for _, c := range []struct {
		run  string
		code int
		want string
	}{
		{"nope", reports.ExitIncomplete, `Nothing is left of a run "nope"; --run takes one of: 6c0510a8`},
		{"6c0510a8", reports.ExitConformant, "1 removed, 0 left."},
		{"6c0510a8", reports.ExitConformant, "0 removed, 0 left."},
	} {
		code, text := run(t, append([]string{"cleanup", "--run", c.run}, s.flags()...)...)
		if code != c.code || !strings.Contains(text, c.want) {
			t.Errorf("%s: code %d: %s", c.run, code, text)
		}
	}
}
