package reports

import (
	"strings"
	"testing"

	"github.com/hookproof/hookproof/features"
)

func TestEveryRuleOfTheCatalogueFitsIntoTheReport(t *testing.T) {
	t.Parallel()
	c, err := features.Load()
	if err != nil {
		t.Fatal(err)
	}
	r := planned()
	for _, rule := range c.Rules {
		r.Rules = append(r.Rules, RuleOf(c, rule))
	}
	if r = r.Derive(); len(r.Rules) == 0 {
		t.Fatal("the catalogue is empty")
	}
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	for _, rule := range r.Rules {
		if len(rule.Sources) == 0 {
			t.Errorf("%s has no source", rule.ID)
		}
		for _, s := range rule.Sources {
			if s.Title == s.Key {
				t.Errorf("%s: source %s has no title", rule.ID, s.Key)
			}
			if s.URL != "" && !strings.HasPrefix(s.URL, "https://") {
				t.Errorf("%s: source %s is at %q", rule.ID, s.Key, s.URL)
			}
		}
	}
	if got := summary(t, Console{}, r); strings.Contains(got, "…") {
		t.Errorf("an area's name does not fit into 80 columns:\n%s", got)
	}
}
