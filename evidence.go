package hookproof

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/steps/transcript"
)

// sameRun tells what in a transcript's header shows that it is of another
// run than the report: all transcripts of a run share salt and addresses, and
// the report names the seed and the claims.
func (e *evidence) sameRun(of *part, t *transcript.Transcript, nth int) []string {
	var found []string
	switch seed := strings.SplitN(t.Seed, "/", 2)[0]; {
	case seed != fmt.Sprint(e.results.Seed):
		found = append(found, fmt.Sprintf("its transcript is of a run with seed %s, the report's is %d", seed, e.results.Seed))
	case t.Seed != seedOf(e.results.Seed, t.Salt, nth):
		found = append(found, fmt.Sprintf("its transcript is not of repetition %d", nth))
	}
	if t.Shard != of.shard {
		found = append(found, fmt.Sprintf("its transcript is of %s, the report has it in %s", shardWords(t.Shard), shardWords(of.shard)))
	}
	if max(t.Repeat, 1) != max(e.results.Repeat, 1) {
		found = append(found, fmt.Sprintf("its transcript is of a run that repeats each scenario %d times, the report's repeats it %d times", max(t.Repeat, 1), max(e.results.Repeat, 1)))
	}
	claims := slices.Sorted(slices.Values(t.Claims))
	if !slices.Equal(claims, e.results.Target.Capabilities) {
		found = append(found, fmt.Sprintf("its transcript is of a target that claims %v, the report's claims %v", claims, e.results.Target.Capabilities))
	}
	at := t.API
	if t.Hook != nil {
		at = t.Hook.Address
	}
	if url := e.results.Target.URL; url != "" && at != url {
		found = append(found, fmt.Sprintf("its transcript is of a target at %s, the report's is at %s", at, url))
	}
	// The transcripts of receivers are of another pair than those of emitters.
	f := of.first[t.Hook != nil]
	if f == nil {
		f = t
		if of.first == nil {
			of.first = map[bool]*transcript.Transcript{}
		}
		of.first[t.Hook != nil] = t
	}
	if t.Salt != f.Salt || t.API != f.API || t.Auth != f.Auth || t.Environment != f.Environment || t.Client != f.Client || t.Trigger != f.Trigger || !cmp.Equal(t.Hook, f.Hook) {
		found = append(found, "its transcript is of another run than that of "+f.Scenario)
	}
	return found
}

func shardWords(shard string) string {
	if shard == "" {
		return "a run that was not divided"
	}
	return "shard " + shard
}

// clockSlack is how far the times of a transcript may lie outside the run:
// times of a run are those of one machine, whose clock may be set meanwhile.
const clockSlack = time.Minute

// plausible tells what in a transcript cannot have been observed: times
// outside the run or in the wrong order, deliveries that are missing from the
// receiver's count, bodies that are not as long as was announced.
func plausible(t *transcript.Transcript, r reports.Part) []string {
	from, to := r.StartedAt.Add(-clockSlack), r.StartedAt.Add(time.Duration(r.DurationMs)*time.Millisecond+clockSlack)
	outside := func(at time.Time) bool { return at.Before(from) || at.After(to) }
	var found []string
	say := func(format string, args ...any) {
		found = append(found, fmt.Sprintf("its transcript is not plausible: "+format, args...))
	}
	seen := map[string]int{}
	for i, entry := range t.Entries {
		if outside(entry.At) {
			say("entry %d is of %s, the run was not", i+1, entry.At.Format(time.RFC3339))
			return found
		}
		if entry.Exchange != nil && entry.Exchange.End.Before(entry.At) {
			say("the exchange of entry %d ended before it began", i+1)
		}
		if entry.Watch == nil {
			continue
		}
		for _, d := range entry.Watch.Deliveries {
			if outside(d.FirstByteAt) || d.LastByteAt.Before(d.FirstByteAt) {
				say("delivery %d to %q came at %s and was whole at %s", d.Seq, d.Endpoint, d.FirstByteAt.Format(time.RFC3339Nano), d.LastByteAt.Format(time.RFC3339Nano))
			}
			if d.Seq != seen[d.Endpoint]+1 {
				say("delivery %d to %q follows delivery %d", d.Seq, d.Endpoint, seen[d.Endpoint])
			}
			seen[d.Endpoint] = d.Seq
			if announced := announcedLength(d); d.Complete && announced >= 0 && announced != len(d.Body) && !strings.Contains(string(d.Body), "[redacted ") {
				say("delivery %d to %q announced %d bytes and has %d", d.Seq, d.Endpoint, announced, len(d.Body))
			}
		}
	}
	return found
}

// announcedLength is a delivery's Content-Length, or -1 without one.
func announcedLength(d transcript.Delivery) int {
	values := d.Headers["Content-Length"]
	if len(values) != 1 {
		return -1
	}
	n, err := strconv.Atoi(values[0])
	if err != nil {
		return -1
	}
	return n
}

// regenerated tells whether the replayed scenario has made the same steps and
// the same events as the stored transcript names.
func regenerated(stored, replayed *transcript.Transcript) bool {
	made := func(t *transcript.Transcript) (steps []transcript.Entry, caused []transcript.Caused) {
		for _, e := range t.Entries {
			if e.Step != "" {
				steps = append(steps, e)
			}
		}
		return steps, t.Caused()
	}
	if replayed == nil {
		return false
	}
	steps, caused := made(stored)
	again, causedAgain := made(replayed)
	return slices.EqualFunc(steps, again, func(a, b transcript.Entry) bool {
		// Evidence of suites that did not record tables has none.
		return a.Step == b.Step && (a.Table == nil || slices.EqualFunc(a.Table, b.Table, slices.Equal))
	}) && slices.EqualFunc(caused, causedAgain, func(a, b transcript.Caused) bool {
		return a.Name == b.Name && a.EventID == b.EventID && a.Type == b.Type && a.Resource == b.Resource && a.At.Equal(b.At)
	})
}
