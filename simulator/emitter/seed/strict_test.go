package seed_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The API keeps members that it does not know, and shows them. They are
// exported, and no seed with them is refused, even beside a name that is near.
func TestWhatTheAPIKeepsIsKeptOfASeed(t *testing.T) {
	t.Parallel()
	const free = `
environments:
  - name: Staging
    type: SANDBOX
    types: x
    region: EU
    description: for rehearsals
    colour: red
    populations:
      - {name: Default, default: true, colour: red, alternativeIdentifiers: [a]}
    applications:
      - {name: A, enabled: true, protocol: SAML, type: X, colour: red, homePageUrl: 'https://a.example', icon: {id: x}}
    users:
      - {username: ann, usernam: ann, email: ann@example.com, colour: {shade: red}, name: {given: Ann}}
`
	d := open(t, &journal{}, nil)
	if _, err := load(t, d, free, nil); err != nil {
		t.Fatal(err)
	}
	text := write(t, d, true)
	for member, times := range map[string]int{"colour: red": 3, "shade: red": 1, "types: x": 1, "usernam: ann": 1} {
		if got := strings.Count(text, member); got != times {
			t.Errorf("%s stands %d times in:\n%s", member, got, text)
		}
	}
	again := open(t, &journal{}, nil)
	if _, err := load(t, again, text, nil); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	if diff := cmp.Diff(text, write(t, again, true)); diff != "" {
		t.Error(diff)
	}
}
