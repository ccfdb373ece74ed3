package hookproof_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/embedded"
)

// faults are those of the embedded references, of these names if there are any.
func faults(names ...string) []hookproof.Fault {
	var list []hookproof.Fault
	for _, f := range embedded.Faults() {
		if len(names) == 0 || slices.Contains(names, f.Name) {
			list = append(list, hookproof.Fault{
				Name: f.Name, Sentence: f.Sentence, Rules: f.Rules, Target: embedded.New(embedded.Options{Role: f.Role, Faults: []string{f.Name}}),
			})
		}
	}
	return list
}

// Every fault of the references must be noticed by every rule that it names,
// and every observed MUST and SHOULD be named by a fault.
func TestEveryFaultIsNoticedByItsRules(t *testing.T) {
	t.Parallel()
	all := faults()
	of := map[targets.Role]int{}
	for _, f := range all {
		of[f.Target.Info().Role]++
	}
	for role, least := range map[targets.Role]int{targets.RoleEmitter: 150, targets.RoleReceiver: 25} {
		if of[role] < least {
			t.Errorf("there are only %d faults of the role %s, fewer than %d", of[role], role, least)
		}
	}
	o := hookproof.MatrixOptions{Faults: all}
	if raced {
		// All of them would take many minutes under the race detector. Which
		// are left out, the command runs.
		o.Shard = hookproof.Shard{Index: rand.IntN(20) + 1, Count: 20}
		t.Logf("with the race detector only shard %s", o.Shard)
	}
	m, err := hookproof.KillMatrix(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range m.Faults {
		for _, c := range f.Cells {
			if c.Kill != reports.Killed {
				t.Errorf("%s at rule %s: %s, although %s %s", f.Name, c.Rule, c.Kill, f.Sentence, f.Error)
			}
		}
	}
	if none := m.Tally().Unproven; len(none) > 0 {
		t.Errorf("no fault proves %s", strings.Join(none, ", "))
	}
	if code := m.ExitCode(); code != reports.ExitConformant && !t.Failed() {
		t.Errorf("the matrix ends with %d", code)
	}
}

// A target that does what no fault says lets every cell survive, and a fault
// that says the wrong rule is killed by another only.
func TestTheMatrixTellsSurvivorsFromTheKilled(t *testing.T) {
	t.Parallel()
	sound := embedded.New(embedded.Options{})
	forbidding := embedded.New(embedded.Options{Faults: []string{"limit-400"}})
	m, err := hookproof.KillMatrix(t.Context(), hookproof.MatrixOptions{
		Seed: 1, Sample: 1,
		Faults: []hookproof.Fault{
			{Name: "none", Rules: []string{"SUB-LIMIT-051"}, Target: sound},
			{Name: "other", Rules: []string{"SUB-LIMIT-053", "SUB-LIMIT-051"}, Target: forbidding},
		},
		Liberties: []hookproof.Liberty{{Name: "sound", Target: sound}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := []reports.Kill{m.Faults[0].Cells[0].Kill, m.Faults[1].Cells[0].Kill, m.Faults[1].Cells[1].Kill}; !slices.Equal(got, []reports.Kill{reports.Survived, reports.KilledByAnother, reports.Killed}) {
		t.Errorf("the cells are %v", got)
	}
	if alarms := m.Liberties[0].FalseAlarms; len(alarms) > 0 || m.Liberties[0].Scenarios != 1 {
		t.Errorf("a sound target is taken for a faulty one, or was not looked at: %+v", m.Liberties[0])
	}
	unproven := m.Tally().Unproven
	if m.ExitCode() != reports.ExitNonConformant || slices.Contains(unproven, "SUB-LIMIT-051") || !slices.Contains(unproven, "DLV-012") {
		t.Errorf("it ends with %d; unproven are %v", m.ExitCode(), unproven)
	}
}

// A liberty that is none is a false alarm, and ends the matrix with 1.
func TestTheMatrixTellsFalseAlarms(t *testing.T) {
	t.Parallel()
	m, err := hookproof.KillMatrix(t.Context(), hookproof.MatrixOptions{
		Names: []string{"no-liberty"}, Seed: 1, Sample: 15,
		Liberties: []hookproof.Liberty{{Name: "no-liberty", Target: embedded.New(embedded.Options{Faults: []string{"ip-leaked"}})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if m.ExitCode() != reports.ExitNonConformant || len(m.Liberties[0].FalseAlarms) == 0 {
		t.Errorf("it ends with %d: %+v", m.ExitCode(), m.Liberties)
	}
}

// moody is a target that is the first one when it is started first, and then the
// second.
type moody struct {
	targets.Target
	then   targets.Target
	starts *atomic.Int64
}

func (m moody) Start(ctx context.Context) (*targets.System, error) {
	if m.starts.Add(1) == 1 {
		return m.Target.Start(ctx)
	}
	return m.then.Start(ctx)
}

// A second run is made of what needs one, and both are told of.
func TestWhatIsRunASecondTimeShowsBothRuns(t *testing.T) {
	t.Parallel()
	sound, faulty := embedded.New(embedded.Options{}), embedded.New(embedded.Options{Faults: []string{"limit-51"}})
	o := hookproof.MatrixOptions{
		Seed: 1, Sample: 1, Again: true, Names: []string{"moody", "steady", "liberty"},
		Faults: []hookproof.Fault{
			{Name: "moody", Rules: []string{"SUB-LIMIT-051"}, Target: moody{sound, faulty, new(atomic.Int64)}},
			{Name: "steady", Rules: []string{"SUB-LIMIT-051"}, Target: faulty},
		},
		Liberties: []hookproof.Liberty{{Name: "liberty", Target: sound}},
	}
	m, err := hookproof.KillMatrix(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	again := m.Faults[0]
	if again.Cells[0].Kill != reports.Killed || again.First == nil || again.First.Cells[0].Kill != reports.Survived || again.First.First != nil {
		t.Errorf("the moody one is %+v, at first %+v", again, again.First)
	}
	if m.Faults[1].First != nil || m.Liberties[0].First != nil || m.ExitCode() != reports.ExitConformant {
		t.Errorf("it ends with %d: %+v", m.ExitCode(), m)
	}
	if all := m.Tally().Again; len(all) != 1 || all[0] != "moody (SUB-LIMIT-051 SURVIVED)" {
		t.Errorf("run a second time: %v", all)
	}
	// What survives twice does survive.
	o.Faults, o.Names = []hookproof.Fault{{Name: "none", Rules: []string{"SUB-LIMIT-051"}, Target: sound}}, []string{"none"}
	if m, err = hookproof.KillMatrix(t.Context(), o); err != nil || m.ExitCode() != reports.ExitNonConformant || m.Faults[0].First == nil {
		t.Errorf("it ends with %d: %+v, %v", m.ExitCode(), m.Faults, err)
	}
}

func TestShardsDivideTheMatrix(t *testing.T) {
	t.Parallel()
	var all []string
	for i := 1; i <= 2; i++ {
		m, err := hookproof.KillMatrix(t.Context(), hookproof.MatrixOptions{
			Faults: faults("create-200", "delete-200", "put-202"), Shard: hookproof.Shard{Index: i, Count: 2},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range m.Faults {
			all = append(all, f.Name)
		}
	}
	if slices.Sort(all); !slices.Equal(all, []string{"create-200", "delete-200", "put-202"}) {
		t.Errorf("the shards ran %v", all)
	}
}

func TestWhatTheMatrixIsNotMadeOf(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]hookproof.MatrixOptions{
		"an unknown fault":   {Faults: faults("limit-51"), Names: []string{"limit-52"}},
		"an unknown rule":    {Faults: faults("limit-51"), Rules: []string{"NOSUCH"}},
		"a rule of no fault": {Faults: faults("limit-51"), Rules: []string{"DLV-012"}},
		"a shard too many":   {Faults: faults("limit-51"), Shard: hookproof.Shard{Index: 3, Count: 2}},
		"nothing":            {},
	} {
		_, err := hookproof.KillMatrix(t.Context(), o)
		if usage := (*hookproof.UsageError)(nil); !errors.As(err, &usage) {
			t.Errorf("%s: want a usage error, got %v", name, err)
		}
	}
	_, err := hookproof.KillMatrix(t.Context(), hookproof.MatrixOptions{Faults: []hookproof.Fault{{Name: "x", Rules: []string{"RTY-010"}}}})
	if usage := (*hookproof.UsageError)(nil); err == nil || errors.As(err, &usage) {
		t.Errorf("a fault of an unobserved rule: %v", err)
	}
}

// The suite must not mind any liberty. Every run of the tests tries another
// seed; the subtest's name tells it, and `hookproof run --hostile=SEED` tries it
// again.
func TestLibertiesAreNoFaults(t *testing.T) {
	t.Parallel()
	seed := rand.Int64N(1_000_000) + 1
	t.Logf("liberties are taken with seed %d", seed)
	options := []hookproof.Option{hookproof.Wait(unhurried())}
	if raced {
		// All of it would take minutes under the race detector.
		shard := hookproof.Shard{Index: rand.IntN(6) + 1, Count: 6}
		t.Logf("with the race detector only shard %s", shard)
		options = append(options, hookproof.Select(hookproof.Selection{Shard: shard}))
	}
	hookproof.Run(t, embedded.New(embedded.Options{Hostile: embedded.Hostile{Seed: seed}}), options...)
}
