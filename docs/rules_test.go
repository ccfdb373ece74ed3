package docs_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookproof/hookproof/features"
)

var update = flag.Bool("update", false, "write docs/rules.md anew")

// TestTheRuleMatrixIsThatOfTheCatalogue compares docs/rules.md with what the
// catalogue and the features make of it.
func TestTheRuleMatrixIsThatOfTheCatalogue(t *testing.T) {
	t.Parallel()
	want := ruleMatrix(t)
	if *update {
		if err := os.WriteFile("rules.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("rules.md")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("docs/rules.md is not what the catalogue makes of it; «go test ./docs -run RuleMatrix -update» writes it anew:\n%s", d)
	}
}

// ruleMatrix is the page of all rules.
func ruleMatrix(t *testing.T) string {
	t.Helper()
	c, err := features.Load()
	if err != nil {
		t.Fatal(err)
	}
	scenarios, err := features.Scenarios(c, features.FS)
	if err != nil {
		t.Fatal(err)
	}
	unobserved, err := features.LoadUnobserved(c)
	if err != nil {
		t.Fatal(err)
	}
	judged := map[string]int{}
	for _, s := range scenarios {
		for _, id := range s.Rules {
			judged[id]++
		}
	}
	why := map[string]string{}
	for _, u := range unobserved {
		why[u.Rule] = u.Reason
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- Written by «go test ./docs -run RuleMatrix -update»; do not edit. -->\n\n# Rules\n\n")
	fmt.Fprintf(&b, "Revision %s of the catalogue: %d rules, of which %d are judged, by %d scenarios. Of the others stands why not.\n",
		c.Revision, len(c.Rules), len(judged), len(scenarios))
	b.WriteString("What keys of sources mean is [below](#sources); `hookproof explain RULE` says more of each.\n")
	for _, area := range c.Areas {
		fmt.Fprintf(&b, "\n## %s: %s\n\n| rule | level | what it says | sources | needs | scenarios |\n| --- | --- | --- | --- | --- | --- |\n", strings.ToUpper(area.Role[:1])+area.Role[1:], area.Name)
		for _, r := range c.Rules {
			if r.Area != area.Name || r.Role != area.Role {
				continue
			}
			by := fmt.Sprint(judged[r.ID])
			if judged[r.ID] == 0 {
				by = "not observed. " + why[r.ID]
			}
			sources := strings.Join(r.Sources, ", ")
			if r.Inferred {
				sources = strings.Trim(sources+", inferred", ", ")
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", r.ID, r.Level, cell(r.Statement), sources, strings.Join(r.Needs, ", "), cell(by))
		}
	}
	b.WriteString("\n## Sources\n\n| key | document | kind |\n| --- | --- | --- |\n")
	for _, d := range c.Documents {
		if !slices.ContainsFunc(c.Rules, func(r features.Rule) bool { return slices.Contains(r.Sources, d.Key) }) {
			continue
		}
		title := cell(d.Title)
		if d.Address != "" {
			title = "[" + title + "](" + d.Address + ")"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", d.Key, title, d.Kind)
	}
	return b.String()
}

// cell is a text as a cell of a table can have it.
func cell(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "|", `\|`), "\n", " ")
}

// TestTheLibraryPageShowsCodeThatIsTested compares the code of
// docs/library.md with the examples that are compiled and run.
func TestTheLibraryPageShowsCodeThatIsTested(t *testing.T) {
	t.Parallel()
	var tested strings.Builder
	for _, name := range []string{"example_test.go", "examples/emitter/conformance_test.go", "examples/receiver/conformance_test.go"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		tested.Write(text)
	}
	found := 0
	for _, b := range read(t, filepath.Join(root, "docs", "library.md")).blocks {
		if b.language != "go" {
			continue
		}
		found++
		if !strings.Contains(tested.String(), b.text) {
			t.Errorf("%s: no example has this code as it stands here:\n%s", b, b.text)
		}
	}
	if found == 0 {
		t.Error("docs/library.md shows no code")
	}
}
