package hookproof

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/internal/nearest"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets"
)

// A Fault is a deliberate defect that a target can be given, to prove that the
// suite notices.
type Fault struct {
	Name     string
	Sentence string   // what the target then does wrong
	Rules    []string // of the catalogue, all of which must notice

	// Target is the target with the fault.
	Target targets.Target
}

// A Liberty is what a target can do another way and no rule forbids: the suite
// must not mind.
type Liberty struct {
	Name     string
	Sentence string // what the target then does another way

	// Target is the target that takes the liberty.
	Target targets.Target
}

// MatrixOptions say what a kill matrix is made of.
type MatrixOptions struct {
	Faults    []Fault
	Liberties []Liberty

	// Names, if any, are the faults and liberties to run; Rules, if any, the
	// rules to look at.
	Names, Rules []string
	// Shard is the part of the rows to run; the zero value is all.
	Shard Shard
	// Seed decides the order of the scenarios and the sample, 1 to 2^53-1; 0
	// draws one.
	Seed int64
	// Sample is how many scenarios of the whole suite are run beside those of a
	// fault's rules, as long as these have not noticed, and with each
	// liberty; 0 is DefaultSample for faults and DefaultLibertySample for liberties.
	Sample int
	// Parallel is how many faults are run at once; 0 is DefaultParallel.
	Parallel int

	// Again runs each fault that a rule did not notice, and each liberty that
	// was taken for a fault, a second time, when all have been run and one at a
	// time: on a machine in trouble a deadline can hide a fault. The matrix
	// tells of both runs, and the second counts.
	Again bool

	// Observe is told how many rows there will be, and of each as it ends, one
	// at a time; nil is nobody.
	Observe MatrixObserver
}

// A MatrixObserver is told how a kill matrix grows.
type MatrixObserver interface {
	Begun(rows int, seed int64)
	// Again is told which rows are run a second time; none follows without.
	Again(names []string)
	Fault(reports.FaultRow)
	Liberty(reports.LibertyRow)
}

const (
	// DefaultSample is how many further scenarios a fault is run against.
	DefaultSample = 5
	// DefaultLibertySample is how many scenarios a liberty is run against.
	DefaultLibertySample = 60
)

// DefaultParallel is how many faults run at once where nothing else is said:
// most of the time is waiting for what a fault keeps from coming.
func DefaultParallel() int { return 3 * runtime.GOMAXPROCS(0) }

// KillMatrix runs every fault against the scenarios of the rules that must notice
// it, until each has, and every liberty against a sample of the suite. The
// error is a *UsageError for names that do not exist, or ctx's.
func KillMatrix(ctx context.Context, o MatrixOptions) (reports.Matrix, error) {
	m, err := newMatrix(o)
	if err != nil {
		return reports.Matrix{}, err
	}
	begun := time.Now()
	m.result.StartedAt = begun.UTC()
	m.observe().Begun(len(m.faults)+len(m.liberties), m.seed)
	var g errgroup.Group
	g.SetLimit(m.parallel())
	for i := range m.liberties {
		g.Go(func() error { return m.take(ctx, i) })
	}
	for i := range m.faults {
		g.Go(func() error { return m.kill(ctx, i) })
	}
	if err := g.Wait(); err != nil {
		return reports.Matrix{}, err
	}
	if o.Again {
		if err := m.again(ctx); err != nil {
			return reports.Matrix{}, err
		}
	}
	m.result.DurationMs = time.Since(begun).Milliseconds()
	return m.result, nil
}

// matrix is a kill matrix in the making.
type matrix struct {
	MatrixOptions
	seed      int64
	catalogue *features.Catalogue
	scenarios []features.Scenario
	faults    []Fault
	liberties []Liberty

	mu     sync.Mutex // one row at a time
	result reports.Matrix
}

func newMatrix(o MatrixOptions) (*matrix, error) {
	m := &matrix{MatrixOptions: o, seed: o.Seed}
	if m.seed == 0 {
		m.seed = rand.Int64N(maxSeed) + 1
	}
	var err error
	if m.catalogue, err = features.Load(); err != nil {
		return nil, fmt.Errorf("load the catalogue: %w", err)
	}
	if m.scenarios, err = features.Scenarios(m.catalogue, features.FS); err != nil {
		return nil, fmt.Errorf("read the features: %w", err)
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	m.choose()
	if len(m.faults)+len(m.liberties) == 0 {
		return nil, usage("no fault is selected; «hookproof plan --faults» lists all, with their rules")
	}
	m.result = reports.Matrix{
		Schema: reports.MatrixSchemaID, Suite: reports.Suite{Version: Version(), Revision: m.catalogue.Revision}, Seed: m.seed, Rules: m.rules(),
		Faults: make([]reports.FaultRow, len(m.faults)), Liberties: make([]reports.LibertyRow, len(m.liberties)),
	}
	if m.Shard.Count > 0 {
		m.result.Shard = m.Shard.String()
	}
	return m, nil
}

// check finds names that do not exist, and faults that name no observed rule.
func (m *matrix) check() error {
	if m.Seed < 0 || m.Seed > maxSeed {
		return usage("seed %d is not between 1 and %d", m.Seed, int64(maxSeed))
	}
	if err := m.Shard.check(); err != nil {
		return err
	}
	var known []string
	for _, f := range m.Faults {
		known = append(known, f.Name)
		for _, id := range f.Rules {
			if !m.observed(id) {
				return fmt.Errorf("fault %s names rule %s, which no scenario observes; correct the fault", f.Name, id)
			}
		}
	}
	for _, l := range m.Liberties {
		known = append(known, l.Name)
	}
	for _, name := range m.Names {
		if !slices.Contains(known, name) {
			return usage("there is no fault %q; %s", name, nearest.Hint(name, known, "hookproof plan --faults"))
		}
	}
	selected := Selection{Rules: m.Rules}.normal()
	m.Rules = selected.Rules
	return selected.check(m.catalogue, m.scenarios)
}

func (m *matrix) observed(rule string) bool {
	return slices.ContainsFunc(m.scenarios, func(s features.Scenario) bool { return slices.Contains(s.Rules, rule) })
}

// choose narrows what is run to the names, rules and shard asked for.
func (m *matrix) choose() {
	row := 0
	mine := func(name string) bool {
		if len(m.Names) > 0 && !slices.Contains(m.Names, name) {
			return false
		}
		row++
		return m.Shard.Count == 0 || row%m.Shard.Count == m.Shard.Index%m.Shard.Count
	}
	for _, f := range m.Faults {
		if len(m.Rules) > 0 {
			f.Rules = slices.DeleteFunc(slices.Clone(f.Rules), func(r string) bool { return !slices.Contains(m.Rules, r) })
		}
		if len(f.Rules) > 0 && mine(f.Name) {
			m.faults = append(m.faults, f)
		}
	}
	for _, l := range m.Liberties {
		if len(m.Rules) == 0 && mine(l.Name) {
			m.liberties = append(m.liberties, l)
		}
	}
}

// rules are those that must have a fault to prove them: all that are observed
// and more than a MAY, or of these what the choice of names and rules is about.
func (m *matrix) rules() []reports.KilledRule {
	var rules []reports.KilledRule
	for _, r := range m.catalogue.Rules {
		if r.Level == features.May || !m.observed(r.ID) || !m.about(r.ID) {
			continue
		}
		k := reports.KilledRule{ID: r.ID, Role: r.Role, Area: r.Area, Level: string(r.Level), Statement: r.Statement, Faults: []string{}}
		for _, f := range m.Faults {
			if slices.Contains(f.Rules, r.ID) {
				k.Faults = append(k.Faults, f.Name)
			}
		}
		rules = append(rules, k)
	}
	return rules
}

func (m *matrix) about(rule string) bool {
	switch {
	case len(m.Rules) > 0:
		return slices.Contains(m.Rules, rule)
	case len(m.Names) > 0:
		return slices.ContainsFunc(m.faults, func(f Fault) bool { return slices.Contains(f.Rules, rule) })
	}
	return true
}

func (m *matrix) parallel() int {
	if m.Parallel > 0 {
		return m.Parallel
	}
	return DefaultParallel()
}

func (m *matrix) observe() MatrixObserver {
	if m.Observe == nil {
		return silent{}
	}
	return m.Observe
}

type silent struct{}

func (silent) Begun(int, int64)           {}
func (silent) Again([]string)             {}
func (silent) Fault(reports.FaultRow)     {}
func (silent) Liberty(reports.LibertyRow) {}
