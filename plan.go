package hookproof

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/internal/nearest"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/steps"
	"github.com/hookproof/hookproof/targets"
)

// A Selection narrows what runs. The zero value selects everything that the
// target's role has; each member that is set narrows further.
type Selection struct {
	// Role is "emitter", "receiver" or "both"; empty is both.
	Role string
	// Profiles are those of the catalogue ("core", "full", "beta") or names
	// of areas; a scenario of any of them is selected.
	Profiles []string
	// Levels are "MUST", "SHOULD" and "MAY", in capitals or not; a scenario
	// whose rules have any of them is selected.
	Levels []string
	// Rules and Scenarios are ids, rules in capitals or not; a scenario that judges any of the rules,
	// or has any of the ids, is selected.
	Rules, Scenarios []string
	// Shard is the part of all that which is run.
	Shard Shard
}

// narrowed tells whether it is by more than the role.
func (s Selection) narrowed() bool {
	return len(s.Profiles)+len(s.Levels)+len(s.Rules)+len(s.Scenarios) > 0 || s.Shard.Count > 0
}

// recorded is the selection as a report keeps it; the role is the target's.
func (s Selection) recorded() reports.Selection {
	r := reports.Selection{Profiles: s.Profiles, Levels: s.Levels, Rules: s.Rules, Scenarios: s.Scenarios}
	if s.Shard.Count > 0 {
		r.Shard = &reports.Shard{Index: s.Shard.Index, Count: s.Shard.Count}
	}
	return r
}

// UsageError says that a run was asked for that cannot be: nothing has run,
// and the exit code is 2.
type UsageError struct{ Reason string }

func (e *UsageError) Error() string { return e.Reason }

func usage(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }

// A Plan is what would run against a target, and what would not, and why.
type Plan struct {
	Catalogue *features.Catalogue
	// Scenarios are the selected ones, in the order of the features.
	Scenarios []Planned
	// Role is what is tested of the target: "emitter", "receiver" or "both".
	Role string
	// Selection is what was asked for.
	Selection Selection

	all []features.Scenario
}

// Planned is one selected scenario.
type Planned struct {
	features.Scenario
	// NotApplicable says why the scenario does not apply to the target;
	// empty where it does.
	NotApplicable string
	// Alone tells that no other scenario may run meanwhile: it needs the
	// whole target, or the only environment that there is.
	Alone bool
}

// NewPlan selects the scenarios for a target. An unknown name in the
// selection, or a selection that is empty, is a UsageError; an inconsistent
// catalogue or feature is the suite's own error.
func NewPlan(target targets.Info, selection Selection) (*Plan, error) {
	catalogue, err := features.Load()
	if err != nil {
		return nil, fmt.Errorf("load the catalogue: %w", err)
	}
	all, err := features.Scenarios(catalogue, features.FS)
	if err != nil {
		return nil, fmt.Errorf("read the features: %w", err)
	}
	if err := selection.checkLevels(); err != nil {
		return nil, err // before they are written as the catalogue does
	}
	selection = selection.normal()
	if err := selection.check(catalogue, all); err != nil {
		return nil, err
	}
	if selection.Role, err = roleOf(target, selection.role()); err != nil {
		return nil, err
	}
	p := &Plan{Catalogue: catalogue, Role: selection.Role, Selection: selection, all: all}
	for _, s := range all {
		if selection.has(catalogue, s) {
			p.Scenarios = append(p.Scenarios, Planned{Scenario: s, NotApplicable: notApplicable(target, s), Alone: alone(target, s)})
		}
	}
	if idle := selection.idle(catalogue, p.Scenarios); idle != "" {
		return nil, usage("%s selects no scenario of role %s; «hookproof plan --rules» shows which rules have one", idle, selection.role())
	}
	p.Scenarios, err = selection.Shard.of(p.Scenarios)
	return p, err
}

// normal is the selection with its levels and rules as the catalogue writes
// them.
func (s Selection) normal() Selection {
	s.Levels = slices.Clone(s.Levels)
	for i, level := range s.Levels {
		s.Levels[i] = strings.ToUpper(level)
	}
	s.Rules = slices.Clone(s.Rules)
	for i, id := range s.Rules {
		s.Rules[i] = strings.ToUpper(id)
	}
	return s
}

// idle is a member of the selection that no selected scenario is owed to, in
// words: what somebody named must not silently be left out.
func (s Selection) idle(c *features.Catalogue, selected []Planned) string {
	none := func(has func(Planned) bool) bool { return !slices.ContainsFunc(selected, has) }
	for _, id := range s.Rules {
		if none(func(p Planned) bool { return slices.Contains(p.Rules, id) }) {
			return "rule " + id + s.among()
		}
	}
	for _, id := range s.Scenarios {
		if none(func(p Planned) bool { return p.ID == id }) {
			return "scenario " + id + s.among()
		}
	}
	for _, profile := range s.Profiles {
		if none(func(p Planned) bool { return inProfile(p.Scenario, profile) }) {
			return "profile " + profile + Selection{Levels: s.Levels}.among()
		}
	}
	for _, level := range s.Levels {
		if none(func(p Planned) bool { return string(levelOf(c, p.Rules)) == level }) {
			return "level " + strings.ToLower(level) + Selection{Profiles: s.Profiles}.among()
		}
	}
	if len(selected) == 0 {
		return "the selection"
	}
	return ""
}

// among names the profiles and levels that a rule or a scenario would have to
// be of.
func (s Selection) among() string {
	var within []string
	if len(s.Profiles) > 0 {
		within = append(within, "profile "+strings.Join(s.Profiles, ", "))
	}
	if len(s.Levels) > 0 {
		within = append(within, "level "+strings.Join(s.Levels, ", "))
	}
	if len(within) == 0 {
		return ""
	}
	return ", within " + strings.Join(within, " and ") + ","
}

// alone tells whether the scenario needs more of the target than it can have
// beside others.
func alone(target targets.Info, s features.Scenario) bool {
	return s.WholeTarget || s.Exclusive && !target.Has(targets.Environments)
}

func notApplicable(target targets.Info, s features.Scenario) string {
	var missing []string
	for _, need := range s.Needs {
		if !target.Has(targets.Capability(need)) {
			missing = append(missing, need)
		}
	}
	if len(missing) > 0 {
		return "the target does not claim " + strings.Join(missing, ", ")
	}
	return ""
}

func (s Selection) role() string {
	if s.Role == "" {
		return "both"
	}
	return s.Role
}

func (s Selection) has(c *features.Catalogue, x features.Scenario) bool {
	if r := s.role(); r != "both" && r != x.Role {
		return false
	}
	if len(s.Profiles) > 0 && !slices.ContainsFunc(s.Profiles, func(p string) bool { return inProfile(x, p) }) {
		return false
	}
	if len(s.Levels) > 0 && !slices.Contains(s.Levels, string(levelOf(c, x.Rules))) {
		return false
	}
	if len(s.Rules)+len(s.Scenarios) == 0 {
		return true
	}
	return slices.Contains(s.Scenarios, x.ID) || slices.ContainsFunc(s.Rules, func(r string) bool { return slices.Contains(x.Rules, r) })
}

// inProfile tells whether a profile's name selects the scenario: "core" has
// the core scenarios, "full" those and the full ones, "beta" all; an area's
// name has that area's.
func inProfile(x features.Scenario, profile string) bool {
	order := []string{features.Core, features.Full, features.Beta}
	if at := slices.Index(order, profile); at >= 0 {
		return slices.Index(order, x.Profile) <= at
	}
	return x.Area == profile
}

// check finds names that do not exist: a misspelt rule must never look like
// one that holds.
func (s Selection) check(c *features.Catalogue, all []features.Scenario) error {
	if err := CheckRole(s.Role); err != nil {
		return err
	}
	for _, id := range s.Rules {
		if _, ok := c.Rule(id); !ok {
			return noSuchRule(c, id)
		}
		if !slices.ContainsFunc(all, func(x features.Scenario) bool { return slices.Contains(x.Rules, id) }) {
			return usage("rule %s has no scenario; «hookproof explain %s» says why", id, id)
		}
	}
	for _, id := range s.Scenarios {
		if !slices.ContainsFunc(all, func(x features.Scenario) bool { return x.ID == id }) {
			return usage("there is no scenario %q; %s", id, nearest.Hint(id, ids(all), "hookproof plan"))
		}
	}
	for _, p := range s.Profiles {
		if known := profiles(c); !slices.Contains(known, p) {
			return usage("there is no profile %q; %s", p, nearest.Hint(p, known, "hookproof plan --profiles"))
		}
	}
	return s.Shard.check()
}

// CheckRole gives a *UsageError for a role that does not exist: there are emitter,
// receiver and both, which an empty one stands for.
func CheckRole(role string) error {
	known := []string{features.Emitter, features.Receiver, "both"}
	if role == "" || slices.Contains(known, role) {
		return nil
	}
	return usage("there is no role %q; %s", role, nearest.Hint(role, known, ""))
}

// checkLevels finds levels that do not exist, in capitals or not.
func (s Selection) checkLevels() error {
	known := []string{"must", "should", "may"}
	for _, level := range s.Levels {
		if !slices.Contains(known, strings.ToLower(level)) {
			return usage("--level: there is no level %q; %s", level, nearest.Hint(level, known, ""))
		}
	}
	return nil
}

func noSuchRule(c *features.Catalogue, id string) error {
	known := make([]string, len(c.Rules))
	for i, r := range c.Rules {
		known[i] = r.ID
	}
	if profile := strings.ToLower(id); slices.Contains(profiles(c), profile) {
		return usage("there is no rule %q; it is a profile: «hookproof plan --profile %s» lists its scenarios", id, profile)
	}
	return usage("there is no rule %q; %s", id, nearest.Hint(id, known, "hookproof plan --rules"))
}

func ids(all []features.Scenario) []string {
	list := make([]string, len(all))
	for i, s := range all {
		list[i] = s.ID
	}
	return list
}

// profiles are the names that select by profile: those of the catalogue, and
// each area's.
func profiles(c *features.Catalogue) []string {
	known := []string{features.Core, features.Full, features.Beta}
	for _, a := range c.Areas {
		if !slices.Contains(known, a.Name) {
			known = append(known, a.Name)
		}
	}
	return known
}

// levelOf is the level of rules that a scenario judges, or found broken
// together, which is one.
func levelOf(c *features.Catalogue, rules []string) features.Level {
	rule, _ := c.Rule(rules[0])
	return rule.Level
}

// order is the one in which a seed lets the scenarios run, by their places in
// the plan. Those that need the whole target come last: what they do to it,
// such as advancing its clock, no other scenario meets. Before them come those
// that fill the target's only environment. Slow ones come first.
func (p *Plan) order(seed int64) []int {
	all := rand.New(rand.NewPCG(uint64(seed), 0)).Perm(len(p.Scenarios))
	slices.SortStableFunc(all, func(a, b int) int {
		return weight(p.Scenarios[a]) - weight(p.Scenarios[b])
	})
	return all
}

func weight(s Planned) int {
	switch {
	case s.WholeTarget:
		return 2
	case s.Alone:
		return 1
	case s.Slow:
		return -1
	}
	return 0
}

// others are the lines of all other scenarios in the file of s, and of the
// other rows of its outline.
func (p *Plan) others(s features.Scenario) (lines []steps.Lines) {
	for _, x := range p.all {
		switch {
		case x.File != s.File:
		case x.Line != s.Line:
			lines = append(lines, steps.Lines{First: x.First, Last: x.Last})
		case x.RowLine != s.RowLine:
			lines = append(lines, steps.Lines{First: x.RowLine, Last: x.RowLine})
		}
	}
	return lines
}

func (p *Plan) hasRole(role string) bool { return p.Role == "both" || p.Role == role }

// roleOf is what of a selected role the target has.
func roleOf(target targets.Info, selected string) (string, error) {
	switch has := string(target.Role); {
	case has == "both" || has == selected:
		return selected, nil
	case selected == "both":
		return has, nil
	default:
		return "", usage("role %s cannot be tested of %s, whose role is %s", selected, target.Name, has)
	}
}
