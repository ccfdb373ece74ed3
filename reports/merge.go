package reports

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Merge joins the reports of all shards of one selection into the report that
// one run of the whole would have given. Its scenarios come shard after shard;
// its rules are those that any shard speaks about, in the order in which they
// are met first. It begins when the first shard began and ends when the last
// one ended; its command is empty. It is unfinished if one of them is.
//
// Reports that do not belong together are an error that names what differs:
// another suite, target, selection, seed, number of repetitions or baseline,
// a shard that is missing or there twice, a report that is of no shard.
func Merge(shards []Results) (Results, error) {
	if len(shards) == 0 {
		return Results{}, errors.New("merge reports: there is none")
	}
	shards = slices.Clone(shards)
	for i, r := range shards {
		if r.Selection.Shard == nil {
			return Results{}, fmt.Errorf("merge reports: report %d is not of a shard; run with --shard i/n", i+1)
		}
	}
	slices.SortStableFunc(shards, func(a, b Results) int { return a.Selection.Shard.Index - b.Selection.Shard.Index })
	first := shards[0]
	for _, r := range shards[1:] {
		if what, diff := differs(first, r); what != "" {
			return Results{}, fmt.Errorf("merge reports: shard %d has another %s than shard %d (- shard %d, + shard %d):\n%s",
				r.Selection.Shard.Index, what, first.Selection.Shard.Index, first.Selection.Shard.Index, r.Selection.Shard.Index, diff)
		}
	}
	if err := complete(shards); err != nil {
		return Results{}, err
	}
	merged := first
	merged.Selection.Shard, merged.Command, merged.Rules, merged.Scenarios = nil, "", nil, nil
	end, finished := first.StartedAt, true
	for _, r := range shards {
		part := Part{Index: r.Selection.Shard.Index, Command: r.Command, StartedAt: r.StartedAt, DurationMs: r.DurationMs}
		merged.Shards = append(merged.Shards, part)
		merged.Scenarios = append(merged.Scenarios, r.Scenarios...)
		for _, rule := range r.Rules {
			if !slices.ContainsFunc(merged.Rules, func(known Rule) bool { return known.ID == rule.ID }) {
				merged.Rules = append(merged.Rules, rule)
			}
		}
		if r.StartedAt.Before(merged.StartedAt) {
			merged.StartedAt = r.StartedAt
		}
		if e := part.end(); e.After(end) {
			end = e
		}
		finished = finished && (r.Verdict != Incomplete || VerdictOf(r) == Incomplete)
	}
	merged.DurationMs = end.Sub(merged.StartedAt).Milliseconds()
	merged = merged.Derive()
	if !finished {
		merged.Verdict = Incomplete
	}
	return merged, nil
}

// end is when the shard's run ended.
func (p Part) end() time.Time { return p.StartedAt.Add(time.Duration(p.DurationMs) * time.Millisecond) }

// differs names the first thing by which two reports cannot be of one run, and
// how they differ in it.
func differs(a, b Results) (what, diff string) {
	listed := func(r Results) []Known {
		list := slices.Clone(r.Baseline)
		for i := range list {
			list[i].State = ""
		}
		return list
	}
	selection := func(r Results) Selection {
		s := r.Selection
		s.Shard = &Shard{Count: s.Shard.Count}
		return s
	}
	for _, c := range []struct {
		name string
		a, b any
	}{
		{"suite", a.Suite, b.Suite},
		{"target", a.Target, b.Target},
		{"selection", selection(a), selection(b)},
		{"seed", a.Seed, b.Seed},
		{"number of repetitions", a.Repeat, b.Repeat},
		{"baseline", listed(a), listed(b)},
		{"baseline", a.BaselineSHA256, b.BaselineSHA256}, // an empty one, and none
	} {
		if diff := cmp.Diff(c.a, c.b, cmpopts.EquateEmpty()); diff != "" {
			return c.name, diff
		}
	}
	return "", ""
}

// complete tells what is missing of the shards, which are sorted, or there
// twice.
func complete(shards []Results) error {
	count := shards[0].Selection.Shard.Count
	at := make(map[int]int)
	for _, r := range shards {
		at[r.Selection.Shard.Index]++
	}
	var missing, twice []string
	for i := 1; i <= count; i++ {
		switch {
		case at[i] == 0:
			missing = append(missing, fmt.Sprint(i))
		case at[i] > 1:
			twice = append(twice, fmt.Sprint(i))
		}
	}
	switch {
	case len(missing) > 0:
		return fmt.Errorf("merge reports: of %d shards, the report of %s is missing", count, strings.Join(missing, ", "))
	case len(twice) > 0:
		return fmt.Errorf("merge reports: there are two reports of shard %s", strings.Join(twice, ", "))
	}
	return nil
}

// checkShards reports a shard that there cannot be, and parts of a merged
// report that are not the shards 1, 2, 3….
func (r Results) checkShards() error {
	if s := r.Selection.Shard; s != nil && s.Index > s.Count {
		return fmt.Errorf("shard %d of %d: there is none", s.Index, s.Count)
	}
	if r.Selection.Shard != nil && len(r.Shards) > 0 {
		return errors.New("the report is of a shard, and of several")
	}
	for i, p := range r.Shards {
		if p.Index != i+1 {
			return fmt.Errorf("shards: number %d stands where %d is wanted", p.Index, i+1)
		}
	}
	return nil
}
