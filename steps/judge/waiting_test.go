package judge_test

import (
	"testing"

	"github.com/hookproof/hookproof/steps/judge"
)

func TestQuietSince(t *testing.T) {
	t.Parallel()
	judged := func(s *sink) judge.Outcome { return judge.QuietSince(&s.Transcript, "sink", "Bob", "beside") }
	both := func() *sink { return new(sink).caused("Ada", "a").caused("Bob", "b").got(500, about("1", "a")) }
	bob := about("2", "b")
	atOnce := both().got(200, bob).besides()
	atOnce.seq--
	verdicts(t, map[string]judge.Outcome{
		"at that very moment":       judged(atOnce.got(500, about("1", "a"))),
		"quiet":                     judged(both().got(200, bob).besides()),
		"until then":                judged(both().got(500, about("1", "a")).got(200, bob).besides()),
		"others go on":              judged(both().got(200, bob).besides().got(200, about("3", "c")).besides()),
		"not: tried again":          judged(both().got(200, bob).besides().got(500, about("1", "a"))),
		"not: anything at all":      judged(both().got(200, bob).besides().got(200, bob)),
		"not: the witness is blind": judged(both().got(200, about("3", "c")).besides()),
		"not: caused by nobody":     judged(new(sink).got(200, bob).besides()),
	})
}

func TestArrivedWithout(t *testing.T) {
	t.Parallel()
	judged := func(s *sink) judge.Outcome { return judge.ArrivedWithout(&s.Transcript, "sink", "Bob", "Ada") }
	both := func() *sink { return new(sink).caused("Ada", "a").caused("Bob", "b") }
	ada, bob := about("1", "a"), about("2", "b")
	verdicts(t, map[string]judge.Outcome{
		"one after the other":   judged(both().got(500, ada).got(500, bob)),
		"only the second":       judged(both().got(500, bob).got(200, bob)),
		"not: together":         judged(both().got(500, ada, bob)),
		"not: together later":   judged(both().got(500, bob).got(500, bob, ada)),
		"not: never":            judged(both().got(500, ada).got(500, ada)),
		"not: elsewhere":        judged(both().got(500, bob).besides()),
		"not: caused by nobody": judged(new(sink).caused("Bob", "b").got(500, bob)),
	})
}

func TestNeverAcknowledged(t *testing.T) {
	t.Parallel()
	judged := func(s *sink) judge.Outcome { return judge.NeverAcknowledged(&s.Transcript, "sink", "Ada") }
	ada, bob := about("1", "a"), about("2", "b")
	caused := func() *sink { return new(sink).caused("Ada", "a") }
	verdicts(t, map[string]judge.Outcome{
		"never sent":            judged(caused().got(200, bob)),
		"only failures":         judged(caused().got(500, ada).got(0, ada).got(201, ada)),
		"not: in the end":       judged(caused().got(500, ada).got(200, bob, ada)),
		"not: caused by nobody": judged(new(sink).got(500, ada)),
	})
}
