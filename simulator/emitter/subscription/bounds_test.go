package subscription_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// TestSizesAreAcceptedExactlyWithinTheirRange holds for every size of either type.
func TestSizesAreAcceptedExactlyWithinTheirRange(t *testing.T) {
	t.Parallel()
	most := map[string]int{subscription.EventsPerPayload: 500, subscription.KBPerPayload: 4096}
	rapid.Check(t, func(r *rapid.T) {
		kind := rapid.SampledFrom([]string{subscription.EventsPerPayload, subscription.KBPerPayload}).Draw(r, "type")
		size := rapid.OneOf(rapid.IntRange(-2, most[kind]+2), rapid.IntRange(-1<<31, 1<<31-1),
			rapid.SampledFrom([]int{0, 1, most[kind], most[kind] + 1})).Draw(r, "size")
		limit := fmt.Sprintf(`{"type":%q,"size":%d}`, kind, size)
		s, problems := subscription.Parse([]byte(with(t, minimal, "payloadOptions.maximumPayloadLimit", limit)))
		accepted := len(problems) == 0
		if accepted != (1 <= size && size <= most[kind]) {
			r.Fatalf("%s: %v", limit, problems)
		}
		if accepted && (s.LimitType != kind || s.LimitSize != size) {
			r.Fatalf("%s is read as %d %s", limit, s.LimitSize, s.LimitType)
		}
	})
}

// TestIDsAreAcceptedUpToTenInTheOrderSent holds for every list of ids of either filter.
func TestIDsAreAcceptedUpToTenInTheOrderSent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		filter := rapid.SampledFrom([]string{"includedApplications", "includedPopulations"}).Draw(r, "filter")
		ids := rapid.SliceOfN(rapid.StringMatching(`[a-f0-9]{1,4}`), 0, 13).Draw(r, "ids")
		var list []string
		for _, id := range ids {
			list = append(list, fmt.Sprintf(`{"id":%q}`, id))
		}
		body := with(t, minimal, "filterOptions."+filter, "["+strings.Join(list, ",")+"]")
		s, problems := subscription.Parse([]byte(body))
		if accepted := len(problems) == 0; accepted != (len(ids) <= 10) {
			r.Fatalf("%d ids: %v", len(ids), problems)
		}
		if len(problems) > 0 {
			if p := problems[0]; p.Inner == nil || *p.Inner.MaximumValue != 10 {
				r.Fatalf("%+v", p)
			}
			return
		}
		got := s.ApplicationIDs
		if filter == "includedPopulations" {
			got = s.PopulationIDs
		}
		if !slices.Equal(got, ids) {
			r.Fatalf("%v is read as %v", ids, got)
		}
	})
}
