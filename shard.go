package hookproof

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
)

// A Shard is one of several runs that together run a selection, such as the
// jobs of a pipeline. The zero value is the whole.
type Shard struct {
	// Index counts from 1 to Count.
	Index, Count int
}

// ParseShard reads «i/n». An error is a *UsageError.
func ParseShard(text string) (Shard, error) {
	index, count, found := strings.Cut(text, "/")
	i, err := strconv.Atoi(index)
	n, err2 := strconv.Atoi(count)
	if !found || err != nil || err2 != nil || n < 1 {
		return Shard{}, usage("shard %q is not of the form i/n, such as 2/4", text)
	}
	s := Shard{i, n}
	return s, s.check()
}

// String is "2/3" for the second of three; empty where nothing is divided.
func (s Shard) String() string {
	if s == (Shard{}) {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Count)
}

// check refuses a shard that there cannot be.
func (s Shard) check() error {
	if s != (Shard{}) && (s.Index < 1 || s.Index > s.Count) {
		return usage("there is no shard %s: the first number goes from 1 to the second", s)
	}
	return nil
}

// of gives the scenarios of the shard, in their order. Fewer scenarios than
// shards is a *UsageError: a job that has nothing to do would look like one that
// found nothing.
func (s Shard) of(all []Planned) ([]Planned, error) {
	if s.Count == 0 {
		return all, nil
	}
	if len(all) < s.Count {
		return nil, usage("%d scenarios are selected, too few for %d shards; use at most %d, or select more", len(all), s.Count, len(all))
	}
	place := deal(all, s.Count)
	var mine []Planned
	for _, p := range all {
		if place[p.ID] == s.Index {
			mine = append(mine, p)
		}
	}
	return mine, nil
}

// deal gives each scenario its shard, by its id alone: where others come or go,
// nearly all stay where they are. Scenarios of a kind (slow, quick, not
// applicable) are spread evenly, so that no shard is left with most of the
// waiting, or with nothing to judge.
func deal(all []Planned, count int) map[string]int {
	kinds := [3][]string{}
	for _, p := range all {
		kind := 1
		switch {
		case p.NotApplicable != "":
			kind = 2
		case p.Slow || p.WholeTarget:
			kind = 0
		}
		kinds[kind] = append(kinds[kind], p.ID)
	}
	place := map[string]int{}
	dealt := 0 // of all kinds; what does not divide evenly goes on round
	for _, ids := range kinds {
		room := make([]int, count)
		for i := range ids {
			room[(dealt+i)%count]++
		}
		dealt += len(ids)
		slices.SortFunc(ids, func(a, b string) int { return cmp.Or(cmp.Compare(hash(a), hash(b)), cmp.Compare(a, b)) })
		for _, id := range ids {
			at := int(hash(id) % uint64(count))
			for room[at] == 0 {
				at = (at + 1) % count
			}
			room[at]--
			place[id] = at + 1
		}
	}
	return place
}

func hash(id string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return h.Sum64()
}
