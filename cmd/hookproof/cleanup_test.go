package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

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

func TestACleanUpThatOnlyListsEndsWithTheCommandThatRemoves(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	list := append([]string{"cleanup"}, s.flags()...)
	same := program() + " cleanup --client-id=suite --environment=" + sharedEnvironment + " --target=" + s.url
	secret := `  HOOKPROOF_CLIENT_SECRET="${HOOKPROOF_CLIENT_SECRET:?set it}" `
	if code, text := run(t, list...); code != reports.ExitConformant || text != "0 removed, 0 left.\n" {
		t.Errorf("with nothing there: code %d: %s", code, text)
	}
	for _, name := range []string{"Staff hookproof-6c0510a8-population-00000001", "Staff hookproof-6c0510a8-population-00000002"} {
		s.call(t, http.MethodPost, "/populations", `{"name":"`+name+`"}`)
	}
	s.call(t, http.MethodPost, "/users", `{"username":"ada.hookproof-6c0510a8-user-00000001","email":"hookproof-6c0510a8-user-00000001@hookproof.example"}`)
	one := secret + same + " --run 6c0510a8    # populations: 2, users: 1\n"
	if code, text := run(t, list...); code != reports.ExitIncomplete || !strings.HasSuffix(text, "0 removed, 3 left. What removes them, once their run has ended:\n"+one) {
		t.Errorf("of one run: code %d: %s", code, text)
	}
	s.call(t, http.MethodPost, "/populations", `{"name":"Staff hookproof-7d0510a8-population-00000001"}`)
	both := one + secret + same + " --run 7d0510a8    # populations: 1\n" + secret + same + " --all\n"
	if code, text := run(t, list...); code != reports.ExitIncomplete || !strings.HasSuffix(text, ":\n"+both) {
		t.Errorf("of two runs: code %d: %s", code, text)
	}
	if code, text := run(t, append(list, "--all")...); code != reports.ExitConformant || !strings.HasSuffix(text, "\n4 removed, 0 left.\n") {
		t.Errorf("removing: code %d: %s", code, text)
	}
}

// A target may refuse to list one thing: all the others are found and removed,
// by the command and by the reaper, and what could not be looked for is told.
func TestWhatATargetRefusesToListKeepsNothingElseThere(t *testing.T) {
	t.Parallel()
	refuses := func(path string, status int, when func(*http.Request) bool) func(*http.Request) int {
		return func(r *http.Request) int {
			if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, path) && when(r) {
				return status
			}
			return 0
		}
	}
	always := func(*http.Request) bool { return true }
	filtered := func(r *http.Request) bool { return r.URL.Query().Has("filter") }
	for name, c := range map[string]struct {
		refuse func(*http.Request) int
		claims string
		untold string // what could not be looked for; empty: nothing
		left   int
	}{
		"environments, forbidden and not claimed":    {refuses("/environments", 403, always), "", "", 0},
		"environments, unauthorized and not claimed": {refuses("/environments", 401, always), "", "", 0},
		"environments, forbidden and claimed":        {refuses("/environments", 403, always), "environments", "among the environments", 0},
		"users by a filter":                          {refuses("/users", 400, filtered), "", "", 0},
		"users":                                      {refuses("/users", 403, always), "", "among the users", 1},
		"the first collection, by a fault":           {refuses("/users", 500, always), "", "among the users", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShared(t)
			before := s.holds(t)
			flags := append(s.flags(), "--claim", c.claims)
			if c.claims == "" {
				flags = s.flags()
			}
			wantCode, wantText := reports.ExitConformant, ""
			if c.untold != "" {
				wantCode, wantText = reports.ExitIncomplete, c.untold
			}
			for door, clean := range map[string]func() (int, string){
				"cleanup": func() (int, string) { return run(t, append([]string{"cleanup", "--all"}, flags...)...) },
				"reaper":  func() (int, string) { return reapAs(t, "6c0510a8", flags) },
			} {
				s.call(t, http.MethodPost, "/users", `{"username":"ada.hookproof-6c0510a8-user-00000001","email":"hookproof-6c0510a8-user-00000001@hookproof.example"}`)
				s.call(t, http.MethodPost, "/populations", `{"name":"Staff hookproof-6c0510a8-population-00000001"}`)
				s.call(t, http.MethodPost, "/subscriptions", `{"name":"hookproof-6c0510a8-subscription-00000001","enabled":false,"protocol":"HTTPS","format":"ACTIVITY","verifyTlsCertificates":true,
					"httpEndpoint":{"url":"https://hookproof.example/hooks"},"filterOptions":{"includedActionTypes":["USER.CREATED"]}}`)
				s.refuse.Store(&c.refuse)
				code, text := clean()
				s.refuse.Store(nil)
				if code != wantCode || !strings.Contains(text, wantText) {
					t.Errorf("%s: code %d, want %d and %q: %s", door, code, wantCode, wantText, text)
				}
				if left := len(s.holds(t)) - len(before); left != c.left {
					t.Errorf("%s: %d things are left, want %d: %s", door, left, c.left, text)
				}
				if code, text := run(t, append([]string{"cleanup", "--all"}, s.flags()...)...); code != reports.ExitConformant {
					t.Errorf("once nothing is refused: code %d: %s", code, text)
				}
			}
		})
	}
}

// reapAs does what a reaper does whose run is gone, in less time.
func reapAs(t *testing.T, run string, flags []string) (int, string) {
	t.Helper()
	var target targetFlags
	set := pflag.NewFlagSet("target", pflag.ContinueOnError)
	target.add(set)
	if err := set.Parse(flags); err != nil {
		t.Fatal(err)
	}
	removed, err := target.reap(t.Context(), run, []time.Duration{0, time.Millisecond})
	if err != nil {
		return reports.ExitIncomplete, err.Error()
	}
	return reports.ExitConformant, fmt.Sprintf("%d removed", removed)
}
