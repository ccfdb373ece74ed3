package steps

import (
	"errors"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/judge"
)

// What the suite has not recorded is no failure of the target's.
func TestWhatWasNotRecordedIsTheSuitesOwnError(t *testing.T) {
	t.Parallel()
	event := gjson.Parse(`{"source":{"userAgent":"an agent"}}`)
	for name, c := range map[string]struct {
		from   judge.Origin
		broken bool
	}{
		"known, and delivered":   {judge.Origin{UserAgent: "an agent"}, true},
		"nobody has recorded it": {judge.Origin{}, false},
	} {
		err := new(World).judged(judge.HidesUserAgent(event, c.from))
		if failure := (*Failure)(nil); err == nil || errors.As(err, &failure) != c.broken {
			t.Errorf("%s: %v", name, err)
		}
	}
}
