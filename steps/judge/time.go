package judge

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// ClockSkew is how far the target's clock and that of the suite's machine may
// be apart where a time is judged that the target tells.
const ClockSkew = time.Minute

// Time reads a date and time of RFC 3339 in UTC: "Z" or an offset of zero,
// and 0 to 9 digits of a fraction.
func Time(s string) (time.Time, error) {
	form := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]00:00)$`)
	upper := strings.ToUpper(s) // RFC 3339 section 5.6 allows "t" and "z"
	if !form.MatchString(upper) {
		return time.Time{}, fmt.Errorf("%q is no date and time of RFC 3339 in UTC", s)
	}
	return time.Parse(time.RFC3339Nano, upper)
}

// grain is how much a time that is written like this may be later than written,
// for want of fraction digits: a second with none, a millisecond at least.
func grain(written string) time.Duration {
	g := time.Second
	if _, fraction, found := strings.Cut(written, "."); found {
		for _, digit := range fraction {
			if digit < '0' || digit > '9' {
				break
			}
			g /= 10
		}
	}
	return max(g, time.Millisecond)
}

// timeAt is the time at the path of a body.
func timeAt(body []byte, path string) (time.Time, Outcome) {
	got := gjson.GetBytes(body, path)
	t, err := Time(got.Str)
	if got.Type != gjson.String || err != nil {
		return t, Fail("%s is a date and time of RFC 3339 in UTC", path).Got("%s", cut(describe(got)))
	}
	return t, Pass
}

// AtTimeOf expects the time of the exchange at the path, by the suite's clock
// or by the one in the answer's Date header, give or take ClockSkew.
// Rule SUB-CRUD-004.
func AtTimeOf(path string, x transcript.Exchange) Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		got, o := timeAt(r.Body, path)
		if o.failed {
			return o
		}
		clocks := []time.Time{x.End}
		if values := r.Headers["Date"]; len(values) > 0 {
			if date, err := http.ParseTime(values[0]); err == nil {
				clocks = append(clocks, date)
			}
		}
		for _, clock := range clocks {
			if got.Sub(clock).Abs() <= ClockSkew {
				return Pass
			}
		}
		return Fail("%s within %v of %s", path, ClockSkew, x.End.UTC().Format(time.RFC3339)).Got("%s", got.Format(time.RFC3339Nano))
	}}
}

// SameTime expects the time of an earlier answer at the path. Digits beyond
// the millisecond, and the way the time is written, may differ. An earlier
// answer without a time promises nothing.
// Rule SUB-CRUD-015.
func SameTime(earlier []byte, path string) Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		if got := gjson.GetBytes(earlier, path); !got.Exists() || got.Type == gjson.Null {
			return Pass
		}
		was, o := timeAt(earlier, path)
		if o.failed {
			return o
		}
		is, o := timeAt(r.Body, path)
		if o.failed {
			return o
		}
		if is.Sub(was).Abs() >= time.Millisecond {
			return Fail("%s = %s, as before", path, was.Format(time.RFC3339Nano)).Got("%s", is.Format(time.RFC3339Nano))
		}
		return Pass
	}}
}

// NotBefore expects a time at the path that is not earlier than the one at
// the other path, as far as its fraction digits tell. Rule SUB-CRUD-016.
func NotBefore(path, other string) Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		later, o := timeAt(r.Body, path)
		if o.failed {
			return o
		}
		earlier, o := timeAt(r.Body, other)
		if o.failed {
			return o
		}
		if earlier.Sub(later) >= grain(gjson.GetBytes(r.Body, path).Str) {
			return Fail("%s not before %s, %s", path, other, earlier.Format(time.RFC3339Nano)).Got("%s", later.Format(time.RFC3339Nano))
		}
		return Pass
	}}
}

// IsDateTime tells whether s is a date and time of RFC 3339, in any zone.
func IsDateTime(s string) bool {
	form := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$`)
	upper := strings.ToUpper(s) // section 5.6 allows "t" and "z"
	_, err := time.Parse(time.RFC3339Nano, upper)
	return err == nil && form.MatchString(upper)
}
