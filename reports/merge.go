package reports

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
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
		if what, a, b := differs(first, r); what != "" {
			return Results{}, fmt.Errorf("merge reports: shard %d has another %s than shard %d: %s, and not %s",
				r.Selection.Shard.Index, what, first.Selection.Shard.Index, oneLine(b), oneLine(a))
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
// what it is in each.
func differs(a, b Results) (what, inA, inB string) {
	for _, c := range []struct {
		name string
		of   func(Results) string
	}{
		{"suite", func(r Results) string { return r.Suite.Version + ", revision " + r.Suite.Revision }},
		{"target", func(r Results) string {
			t := r.Target
			return fmt.Sprintf("%s (%s, %s) at %q, version %q, which claims %q", t.Name, t.Role, t.Kind, t.URL, t.Version, t.Capabilities)
		}},
		{"selection", func(r Results) string {
			s := r.Selection
			s.Shard = nil
			return fmt.Sprintf("%s in %s", s.Flags(), Plural(r.Selection.Shard.Count, "shard"))
		}},
		{"seed", func(r Results) string { return fmt.Sprint(r.Seed) }},
		{"number of repetitions", func(r Results) string { return fmt.Sprint(max(r.Repeat, 1)) }},
	} {
		if inA, inB := c.of(a), c.of(b); inA != inB {
			return c.name, inA, inB
		}
	}
	if inA, inB := listed(a, b), listed(b, a); inA != inB {
		return "baseline", inA, inB
	}
	return "", "", ""
}

// listed says which baseline r was told of, and what is in it that is not so in
// the other report's.
func listed(r, other Results) string {
	if r.BaselineSHA256 == "" && len(r.Baseline) == 0 {
		return "none"
	}
	text := "one with " + Plural(len(r.Baseline), "known failure")
	for _, k := range r.Baseline {
		if !slices.ContainsFunc(other.Baseline, func(o Known) bool { o.State = k.State; return o == k }) {
			text += fmt.Sprintf(", among them %s until %s as %q (%s)", k.ID, k.Expires, k.Message, k.Reason)
		}
	}
	return text
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
	var wrong []string
	if len(twice) > 0 {
		wrong = append(wrong, "there are two reports of shard "+strings.Join(twice, ", "))
	}
	if len(missing) > 0 {
		wrong = append(wrong, fmt.Sprintf("of %d shards, the report of %s is missing", count, strings.Join(missing, ", ")))
	}
	if len(wrong) > 0 {
		return fmt.Errorf("merge reports: %s", strings.Join(wrong, "; "))
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
