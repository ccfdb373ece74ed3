package nearest

import (
	"strings"
	"testing"
)

func TestAHintNamesWhatWasMeant(t *testing.T) {
	t.Parallel()
	rules := []string{"DLV-001", "DLV-012", "SUB-LIMIT-050", "SUB-LIMIT-051"}
	for name, c := range map[string]struct{ name, want string }{
		"a missing zero":  {"SUB-LIMIT-51", "did you mean SUB-LIMIT-051? there are: DLV-001, "},
		"another case":    {"sub-limit-051", "did you mean SUB-LIMIT-051? "},
		"a short name":    {"DLV-12", "did you mean DLV-012? "},
		"nothing near":    {"NOTHING", "there are: "},
		"nothing":         {"", "there are: "},
		"longer than all": {strings.Repeat("x", 100), "there are: "},
	} {
		if got := Hint(c.name, rules, "list"); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if got := Hint("runn", []string{"run", "report"}, "list"); !strings.HasPrefix(got, "did you mean run? ") {
		t.Errorf("a letter too many in a short name: got %q", got)
	}
	if got := Hint("rnu", []string{"run", "report"}, "list"); !strings.HasPrefix(got, "did you mean run? ") {
		t.Errorf("two letters exchanged: got %q", got)
	}
	many := strings.Split(strings.Repeat("far-away ", shortList)+"limit-51", " ")
	if got := Hint("limit51", many, "list"); got != "did you mean limit-51? «list» lists all" {
		t.Errorf("got %q", got)
	}
}
