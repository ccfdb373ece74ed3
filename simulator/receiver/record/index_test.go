package record_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hookproof/hookproof/simulator/receiver/record"
)

// Whatever is added and removed: the index has what is left, in order, from
// either end, and its numbers are never used again.
func TestIndexKeepsTheOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Int64Range(0, 5).Draw(t, "start")
		index := record.ContinueIndex[int64](start)
		var model []int64
		last := start
		removed := int64(0)
		for range rapid.IntRange(0, 200).Draw(t, "changes") {
			if len(model) > 0 && rapid.Bool().Draw(t, "remove") {
				i := rapid.IntRange(0, len(model)-1).Draw(t, "which")
				index.Remove(model[i])
				index.Remove(model[i])
				if _, ok := index.Get(model[i]); ok {
					t.Fatalf("%d is still there", model[i])
				}
				model = slices.Delete(model, i, i+1)
				removed++
				continue
			}
			last++
			if got := index.Add(func(number int64) int64 { return number }); got != last {
				t.Fatalf("number %d, want %d", got, last)
			}
			model = append(model, last)
		}
		from := rapid.Int64Range(0, last+2).Draw(t, "from")
		count := rapid.IntRange(1, 300).Draw(t, "count")
		var after, before []int64
		for _, n := range model {
			if n > from && len(after) < count {
				after = append(after, n)
			}
		}
		for _, n := range slices.Backward(model) {
			if n < from && len(before) < count {
				before = append(before, n)
			}
		}
		if diff := cmp.Diff(after, index.After(from, count)); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(before, index.Before(from, count)); diff != "" {
			t.Fatal(diff)
		}
		want := record.Extent{Kept: len(model), Removed: removed, Oldest: last + 1, Last: last}
		if len(model) > 0 {
			want.Oldest = model[0]
		}
		if diff := cmp.Diff(want, index.Extent()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// An old entry at the front must not make the index keep what left behind it.
func TestIndexForgetsWhatLeftInItsMiddle(t *testing.T) {
	t.Parallel()
	index := record.ContinueIndex[int64](0)
	itself := func(number int64) int64 { return number }
	index.Add(itself)
	for range 10_000 {
		index.Remove(index.Add(itself))
	}
	if got := index.After(0, math.MaxInt); !slices.Equal(got, []int64{1}) {
		t.Errorf("there is %v", got)
	}
	if !index.Restore(20_000, 20_000) || index.Restore(20_000, 1) {
		t.Error("numbers may only rise")
	}
	if got := index.Add(itself); got != 20_001 {
		t.Errorf("the next number is %d", got)
	}
}

// Clearing empties a log, tells of what left, and lets its numbers go on.
func TestClearedLogGoesOn(t *testing.T) {
	t.Parallel()
	budget := record.NewBudget(1000, 1000)
	var left []int64
	log := record.ContinueLog(budget, 7, func(seq int64) { left = append(left, seq) })
	for range 3 {
		if err := log.Append(10, itself); err != nil {
			t.Fatal(err)
		}
	}
	log.Clear()
	if err := log.Append(10, itself); err != nil {
		t.Fatal(err)
	}
	page := now(t, log, 0, everything)
	if !slices.Equal(left, []int64{8, 9, 10}) || !slices.Equal(page.Entries, []int64{11}) || page.Evicted != 10 {
		t.Errorf("left %v, there is %+v", left, page)
	}
	if bytes, entries := budget.Used(); bytes != 10 || entries != 1 {
		t.Errorf("%d bytes of %d entries are held", bytes, entries)
	}
}
