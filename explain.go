package hookproof

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/internal/nearest"
	"github.com/hookproof/hookproof/reports"
)

// Explain writes what a rule promises, who says so, and what judges it; of a
// scenario, its text, and that of every rule that it judges. An unknown id is a UsageError.
func Explain(w io.Writer, id string) error {
	catalogue, err := features.Load()
	if err != nil {
		return fmt.Errorf("load the catalogue: %w", err)
	}
	all, err := features.Scenarios(catalogue, features.FS)
	if err != nil {
		return fmt.Errorf("read the features: %w", err)
	}
	unobserved, err := features.LoadUnobserved(catalogue)
	if err != nil {
		return err
	}
	rules := []string{strings.ToUpper(id)}
	if at := slices.Index(ids(all), id); at >= 0 {
		s := all[at]
		rules = s.Rules
		if _, err := fmt.Fprintf(w, "Scenario: %s\n  %s\n\n", s.Name, strings.Join(s.Text, "\n  ")); err != nil {
			return err
		}
	} else if strings.Contains(id, "/") {
		return usage("there is no scenario %q; %s", id, nearest.Hint(id, ids(all), "hookproof plan"))
	}
	for i, id := range rules {
		rule, ok := catalogue.Rule(id)
		if !ok {
			return noSuchRule(catalogue, id)
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := explainRule(w, catalogue, rule, all, unobserved); err != nil {
			return err
		}
	}
	return nil
}

func explainRule(w io.Writer, catalogue *features.Catalogue, rule features.Rule, all []features.Scenario, unobserved []features.Unobserved) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s %s, area %s, profile %s\n\n  %s\n", rule.ID, rule.Level, rule.Role, rule.Area, rule.Profile, rule.Statement)
	if rule.Reason != "" {
		fmt.Fprintf(&b, "  Why so: %s\n", rule.Reason)
	}
	b.WriteString("\nSources\n")
	for _, key := range rule.Sources {
		d, _ := catalogue.Document(key)
		fmt.Fprintf(&b, "  %-3s %s (%s)\n", d.Key, d.Title, d.Kind)
		if d.Address != "" {
			fmt.Fprintf(&b, "      %s\n", d.Address)
		}
	}
	if len(rule.Sources) == 0 {
		b.WriteString("  none says it in words; it is inferred\n")
	}
	fmt.Fprintf(&b, "\nObserved by: %s\n", rule.Observe)
	if len(rule.Needs) > 0 {
		fmt.Fprintf(&b, "Applies to targets that claim: %s\n", strings.Join(rule.Needs, ", "))
	}
	b.WriteString("\nScenarios\n")
	found := false
	for _, s := range all {
		if slices.Contains(s.Rules, rule.ID) {
			found = true
			fmt.Fprintf(&b, "  %s\n      features/%s\n", s.ID, s.Location())
		}
	}
	for _, u := range unobserved {
		if u.Rule == rule.ID {
			fmt.Fprintf(&b, "  none: %s\n", u.Reason)
		}
	}
	if found {
		fmt.Fprintf(&b, "\nRun them: «hookproof run --rule %s»\n", rule.ID)
		fmt.Fprintf(&b, "They are also among those of: --profile %s; --level %s\n", strings.Join(profilesOf(catalogue, rule), ", "), strings.ToLower(string(rule.Level)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// profilesOf are the profiles that select a rule.
func profilesOf(c *features.Catalogue, rule features.Rule) []string {
	as := features.Scenario{Profile: rule.Profile, Area: rule.Area}
	return slices.DeleteFunc(profiles(c), func(p string) bool { return !inProfile(as, p) })
}

// WriteScenarios lists the selected scenarios, one a line, with the rules
// they judge, their level and, where one does not apply, the reason.
func (p *Plan) WriteScenarios(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	apply := 0
	for _, s := range p.Scenarios {
		note := "runs"
		if s.NotApplicable == "" {
			apply++
		} else {
			note = "not applicable: " + s.NotApplicable
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", s.ID, strings.Join(s.Rules, " "), levelOf(p.Catalogue, s.Rules), note)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d of %d scenarios would run\n", apply, len(p.Scenarios))
	return err
}

// WriteProfiles lists the profiles, one a line, with what each has of the
// catalogue's rules and of the plan's scenarios.
func (p *Plan) WriteProfiles(w io.Writer) error {
	meaning := map[string]string{
		features.Core: "the MUST rules of what is generally available",
		features.Full: "core, and the other rules of what is generally available",
		features.Beta: "full, and the rules of what the vendor calls beta",
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, name := range profiles(p.Catalogue) {
		rules, scenarios := 0, 0
		for _, r := range p.Catalogue.Rules {
			if p.hasRole(r.Role) && slices.Contains(profilesOf(p.Catalogue, r), name) {
				rules++
			}
		}
		for _, s := range p.Scenarios {
			if inProfile(s.Scenario, name) {
				scenarios++
			}
		}
		words, ok := meaning[name]
		if !ok {
			words = "the area " + name
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", name, reports.Plural(rules, "rule"), reports.Plural(scenarios, "scenario"), words)
	}
	return table.Flush()
}

// WriteRules lists the rules that a run of the plan would speak about, one a
// line, with how many scenarios judge each, or why none does.
func (p *Plan) WriteRules(w io.Writer) error {
	rules, err := p.rules()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	judged := 0
	for _, r := range rules {
		n := 0
		for _, s := range p.Scenarios {
			if slices.Contains(s.Rules, r.ID) {
				n++
			}
		}
		note := r.Reason
		if n > 0 {
			judged++
			note = reports.Plural(n, "scenario")
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.ID, r.Role, r.Area, r.Level, note)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%d of %d rules have a scenario\n", judged, len(rules))
	return err
}
