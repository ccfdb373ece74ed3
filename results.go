package hookproof

import (
	"runtime/debug"
	"slices"
	"time"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets"
)

// blank is the report of a run that has not begun: the rules of its role and
// the scenarios that were planned.
func (p *Plan) blank(info targets.Info, o options) (reports.Results, error) {
	rules, err := p.rules()
	if err != nil {
		return reports.Results{}, err
	}
	r := reports.Results{
		Schema:         reports.SchemaID,
		Suite:          reports.Suite{Version: Version(), Revision: p.Catalogue.Revision},
		Target:         reports.Target{Role: p.Role, Kind: info.Kind, Name: info.Name, Version: info.Version, URL: info.URL, Capabilities: []string{}},
		Selection:      p.Selection.recorded(),
		BaselineSHA256: o.baselineDigest,
		Command:        o.command, Seed: o.seed, StartedAt: time.Now().UTC(), Verdict: reports.Incomplete, Rules: rules,
	}
	if o.repeat > 1 {
		r.Repeat = o.repeat
	}
	for _, k := range o.baseline {
		k.State = reports.Open
		if !p.exists(k.ID) {
			k.State = reports.Unmatched
		}
		r.Baseline = append(r.Baseline, k)
	}
	for _, c := range info.Claims {
		r.Target.Capabilities = append(r.Target.Capabilities, string(c))
	}
	slices.Sort(r.Target.Capabilities)
	for _, s := range p.Scenarios {
		r.Scenarios = append(r.Scenarios, planned(s, o.rerun))
	}
	return r, nil
}

// rules are those the run speaks about: of every rule that the selected
// scenarios judge, and, where nothing narrows the selection, of every rule
// of the role, with the reason why some are declared and not observed.
func (p *Plan) rules() ([]reports.Rule, error) {
	unobserved, err := features.LoadUnobserved(p.Catalogue)
	if err != nil {
		return nil, err
	}
	reason := map[string]string{}
	for _, u := range unobserved {
		reason[u.Rule] = u.Reason
	}
	var rules []reports.Rule
	for _, rule := range p.Catalogue.Rules {
		judged := slices.ContainsFunc(p.Scenarios, func(s Planned) bool { return slices.Contains(s.Rules, rule.ID) })
		if !judged && (p.Selection.narrowed() || !p.hasRole(rule.Role)) {
			continue
		}
		r := reports.RuleOf(p.Catalogue, rule)
		if !judged {
			r.Reason = reason[rule.ID]
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// spoken are the rules that the report of a run of the plan has in the end: a
// run also speaks of rules that a scenario of others found broken.
func (p *Plan) spoken(scenarios []reports.Scenario) ([]reports.Rule, error) {
	rules, err := p.rules()
	if err != nil {
		return nil, err
	}
	for _, s := range scenarios {
		for _, id := range s.AllBrokenRules() {
			rule, ok := p.Catalogue.Rule(id)
			if ok && !slices.ContainsFunc(rules, func(r reports.Rule) bool { return r.ID == id }) {
				rules = append(rules, reports.RuleOf(p.Catalogue, rule))
			}
		}
	}
	return rules, nil
}

// exists tells whether the suite has a scenario of that id, selected or not.
func (p *Plan) exists(id string) bool {
	return slices.ContainsFunc(p.all, func(s features.Scenario) bool { return s.ID == id })
}

// Version is the version of the suite: that of the module it was built as.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(devel)"
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == "github.com/hookproof/hookproof" && m.Version != "" {
			return m.Version
		}
	}
	return "(devel)"
}
