package record_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/hookproof/hookproof/simulator/receiver/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var everything = record.Bounds{Entries: 1 << 30, Bytes: 1 << 60}

// now reads what is there without waiting.
func now(t interface{ Fatal(...any) }, log *record.Log[int64], after int64, bounds record.Bounds) record.Page[int64] {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	page, err := log.Read(ctx, after, bounds)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func itself(seq int64) int64 { return seq }

// Whatever is appended to whichever log: the logs keep the newest entries over
// all, in order and without a gap, within the budget, and count what left.
func TestBudgetKeepsTheNewest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		maxBytes := rapid.Int64Range(1, 200).Draw(t, "maxBytes")
		maxEntries := rapid.IntRange(1, 20).Draw(t, "maxEntries")
		budget := record.NewBudget(maxBytes, maxEntries)
		logs := make([]*record.Log[int64], 3)
		appended := make([]int64, len(logs))
		for i := range logs {
			logs[i] = record.NewLog[int64](budget)
		}
		type item struct {
			log  int
			seq  int64
			size int64
		}
		var model []item
		for range rapid.IntRange(0, 60).Draw(t, "appends") {
			i, size := rapid.IntRange(0, 2).Draw(t, "log"), rapid.Int64Range(0, 50).Draw(t, "size")
			if err := logs[i].Append(size, itself); err != nil {
				t.Fatal(err)
			}
			appended[i]++
			model = append(model, item{i, appended[i], size})
			sum := int64(0)
			for _, m := range model {
				sum += m.size
			}
			for len(model) > 1 && (sum > maxBytes || len(model) > maxEntries) {
				sum -= model[0].size
				model = model[1:]
			}
			if bytes, entries := budget.Used(); bytes != sum || entries != len(model) {
				t.Fatalf("holds %d bytes in %d entries, want %d in %d", bytes, entries, sum, len(model))
			}
		}
		for i, log := range logs {
			var want []int64
			for _, m := range model {
				if m.log == i {
					want = append(want, m.seq)
				}
			}
			page := now(t, log, 0, everything)
			if diff := cmp.Diff(want, page.Entries); diff != "" {
				t.Errorf("log %d: %s", i, diff)
			}
			if got, want := page.Evicted, appended[i]-int64(len(want)); got != want {
				t.Errorf("log %d: %d evicted, want %d", i, got, want)
			}
		}
	})
}

// Reading on from Last, whatever the limits, returns every entry once.
func TestReadingOnFromLastMissesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		log := record.NewLog[int64](record.NewBudget(1<<30, rapid.IntRange(1, 50).Draw(t, "kept")))
		count := rapid.IntRange(0, 40).Draw(t, "count")
		for range count {
			if err := log.Append(rapid.Int64Range(0, 9).Draw(t, "size"), itself); err != nil {
				t.Fatal(err)
			}
		}
		bounds := record.Bounds{Entries: rapid.IntRange(0, 5).Draw(t, "limit"), Bytes: rapid.Int64Range(0, 20).Draw(t, "bytes")}
		want := now(t, log, 0, everything).Entries
		var got []int64
		for after := int64(0); ; {
			page := now(t, log, after, bounds)
			if len(page.Entries) == 0 {
				break
			}
			got, after = append(got, page.Entries...), page.Last
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestReadWaitsForTheNextEntry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := record.NewLog[int64](record.NewBudget(100, 100))
		if err := log.Append(1, itself); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		pages := make(chan record.Page[int64], 1)
		go func() {
			page, err := log.Read(ctx, 1, everything)
			if err != nil {
				t.Error(err)
			}
			pages <- page
		}()
		synctest.Wait()
		select {
		case page := <-pages:
			t.Fatalf("returned %v before there was anything", page)
		default:
		}
		if err := log.Append(1, itself); err != nil {
			t.Fatal(err)
		}
		if page := <-pages; len(page.Entries) != 1 || page.Entries[0] != 2 || page.Last != 2 {
			t.Errorf("got %+v, want entry 2", page)
		}
		started := time.Now()
		page, err := log.Read(ctx, 2, everything)
		if err != nil || len(page.Entries) != 0 || page.Last != 2 || time.Since(started) != time.Minute {
			t.Errorf("after %v: %+v, %v; want nothing after a minute", time.Since(started), page, err)
		}
	})
}

func TestDiscardFreesTheBudgetAndWakesReaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		budget := record.NewBudget(100, 100)
		log, other := record.NewLog[int64](budget), record.NewLog[int64](budget)
		for _, l := range []*record.Log[int64]{log, other, log} {
			if err := l.Append(10, itself); err != nil {
				t.Fatal(err)
			}
		}
		read := make(chan error, 1)
		go func() {
			_, err := log.Read(t.Context(), 2, everything)
			read <- err
		}()
		synctest.Wait()
		log.Discard()
		log.Discard() // harmless
		if err := <-read; !errors.Is(err, record.ErrDiscarded) {
			t.Errorf("reader got %v", err)
		}
		if err := log.Append(1, itself); !errors.Is(err, record.ErrDiscarded) {
			t.Errorf("append got %v", err)
		}
		if bytes, entries := budget.Used(); bytes != 10 || entries != 1 {
			t.Errorf("%d bytes in %d entries are held, want the other log's 10 in 1", bytes, entries)
		}
	})
}

func TestNewestReturnsTheEnd(t *testing.T) {
	t.Parallel()
	log := record.NewLog[int64](record.NewBudget(100, 3))
	for range 5 {
		if err := log.Append(1, itself); err != nil {
			t.Fatal(err)
		}
	}
	for count, want := range map[int]string{0: "[]", 2: "[4 5]", 9: "[3 4 5]"} {
		page := log.Newest(count)
		if got := fmt.Sprint(page.Entries); got != want || page.Last != 5 || page.Evicted != 2 {
			t.Errorf("newest %d: %s, last %d, evicted %d; want %s, 5, 2", count, got, page.Last, page.Evicted, want)
		}
	}
}
