package hookproof

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/steps"
	"github.com/hookproof/hookproof/targets"
)

// again runs what did not end as it should a second time, one row at a time.
func (m *matrix) again(ctx context.Context) error {
	var names []string
	var runs []func() error
	for i, l := range m.result.Liberties {
		if !l.Sound() {
			names = append(names, l.Name)
			runs = append(runs, func() error {
				err := m.take(ctx, i)
				m.result.Liberties[i].First = &l
				return err
			})
		}
	}
	for i, f := range m.result.Faults {
		if f.Worst() != reports.Killed {
			names = append(names, f.Name)
			runs = append(runs, func() error {
				err := m.kill(ctx, i)
				m.result.Faults[i].First = &f
				return err
			})
		}
	}
	if len(names) == 0 {
		return nil
	}
	m.observe().Again(names)
	for _, run := range runs {
		if err := run(); err != nil {
			return err
		}
	}
	return nil
}

// kill runs one fault until all its rules have noticed it.
func (m *matrix) kill(ctx context.Context, at int) error {
	f := m.faults[at]
	row := reports.FaultRow{Name: f.Name, Sentence: f.Sentence}
	for _, id := range f.Rules {
		row.Cells = append(row.Cells, reports.MatrixCell{Rule: id, Kill: reports.Survived})
	}
	enough, stop := context.WithCancel(ctx)
	defer stop()
	begun := time.Now()
	_, err := Execute(enough, f.Target, Seed(m.seed), Wait(impatient()),
		Select(Selection{Rules: f.Rules, Scenarios: m.sample(f.Name, f.Target, m.sized(DefaultSample))}),
		Observe(func(reports.Results) {}, func(s reports.Scenario) {
			// What was cut off after every rule had noticed tells nothing.
			if enough.Err() == nil && note(&row, s) {
				stop()
			}
		}))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		row.Error = err.Error()
	}
	row.DurationMs = time.Since(begun).Milliseconds()
	conclude(&row)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.result.Faults[at] = row
	m.observe().Fault(row)
	return nil
}

// note enters what a scenario found; it says whether every rule has noticed.
func note(row *reports.FaultRow, s reports.Scenario) (all bool) {
	if s.Outcome == reports.Error {
		row.Error = fmt.Sprintf("scenario %s: %s", s.ID, s.Reason)
	}
	if s.Outcome.Judged() {
		row.Scenarios++
	}
	if s.Outcome != reports.Fail && s.Outcome != reports.Warn {
		return false
	}
	for _, id := range s.BrokenRules() {
		at := slices.IndexFunc(row.Cells, func(c reports.MatrixCell) bool { return c.Rule == id })
		switch {
		case at >= 0 && slices.Contains(s.Rules, id): // the rule's own scenario
			row.Cells[at].Kill = reports.Killed
			row.Cells[at].By = append(row.Cells[at].By, s.ID)
		case !slices.Contains(row.Also, id):
			row.Also = append(row.Also, id)
		}
	}
	return !slices.ContainsFunc(row.Cells, func(c reports.MatrixCell) bool { return c.Kill != reports.Killed })
}

// conclude decides the cells of rules that did not notice.
func conclude(row *reports.FaultRow) {
	noticed := len(row.Also) > 0
	for _, c := range row.Cells {
		noticed = noticed || c.Kill == reports.Killed
	}
	for i, c := range row.Cells {
		switch {
		case c.Kill == reports.Killed:
			slices.Sort(row.Cells[i].By)
		case row.Error != "":
			row.Cells[i].Kill = reports.Unknown
		case noticed:
			row.Cells[i].Kill = reports.KilledByAnother
		}
	}
	slices.Sort(row.Also)
}

// take runs one liberty against a sample of the suite.
func (m *matrix) take(ctx context.Context, at int) error {
	l := m.liberties[at]
	row := reports.LibertyRow{Name: l.Name, Sentence: l.Sentence}
	begun := time.Now()
	results, err := Execute(ctx, l.Target, Seed(m.seed), Select(Selection{Scenarios: m.sample(l.Name, l.Target, m.sized(DefaultLibertySample))}))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		row.Error = err.Error()
	}
	for _, s := range results.Scenarios {
		if s.Outcome == reports.NotApplicable {
			continue
		}
		row.Scenarios++
		if s.Outcome != reports.Pass {
			alarm := reports.FalseAlarm{Scenario: s.ID, Outcome: s.Outcome, Rules: s.BrokenRules(), Reason: s.Reason}
			if s.Failure != nil {
				alarm.Expected, alarm.Actual = s.Failure.Expected, s.Failure.Actual
			}
			row.FalseAlarms = append(row.FalseAlarms, alarm)
		}
	}
	row.DurationMs = time.Since(begun).Milliseconds()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.result.Liberties[at] = row
	m.observe().Liberty(row)
	return nil
}

func (m *matrix) sized(otherwise int) int {
	if m.Sample > 0 {
		return m.Sample
	}
	return otherwise
}

// sample is a choice of the scenarios for a target's role that depends on the
// seed and the name alone.
func (m *matrix) sample(name string, target targets.Target, size int) []string {
	var ids []string
	role := target.Info().Role
	for _, i := range rand.New(rand.NewPCG(uint64(m.seed), hash(name))).Perm(len(m.scenarios)) {
		if len(ids) == size {
			break
		}
		// One that needs the whole target would wait for all others.
		if s := m.scenarios[i]; !s.WholeTarget && (role == targets.RoleBoth || s.Role == string(role)) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// impatient are deadlines for runs that are expected to end by one: long
// enough for the embedded pair on a busy machine.
func impatient() steps.Deadlines {
	d := steps.DefaultDeadlines()
	d.Call, d.Delivery, d.Retry = 10*time.Second, 6*time.Second, 6*time.Second
	return d
}
