package receiver_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/simulator/receiver"
)

func TestFaultsAreWellFormed(t *testing.T) {
	t.Parallel()
	name, rule := regexp.MustCompile(`^receiver-[a-z0-9-]+$`), regexp.MustCompile(`^RCV-\d{3}$`)
	seen := map[string]bool{}
	for _, f := range receiver.Faults() {
		if !name.MatchString(f.Name) || seen[f.Name] || !strings.HasSuffix(f.Sentence, ".") || len(f.Rules) == 0 {
			t.Errorf("fault %+v", f)
		}
		seen[f.Name] = true
		for _, r := range f.Rules {
			if !rule.MatchString(r) {
				t.Errorf("fault %s names the rule %q", f.Name, r)
			}
		}
	}
}

func TestAnUnknownFaultIsRefused(t *testing.T) {
	t.Parallel()
	r, err := receiver.Start(t.Context(), receiver.Options{Faults: []string{"receiver-nosuch"}})
	if err == nil {
		_ = r.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "receiver-answers-202") {
		t.Errorf("error %v, want one that lists the faults", err)
	}
}
