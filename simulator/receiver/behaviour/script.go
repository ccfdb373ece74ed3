package behaviour

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxBodiesCounted is how many different bodies a script remembers to count
// attempts, before it begins to forget the oldest.
const maxBodiesCounted = 1 << 14

// Request is what a script may look at.
type Request struct {
	Method string
	Header http.Header
	Body   []byte
}

// Look is a request as one script sees it: what can be said of the request
// alone, before its turn comes.
type Look struct {
	request Request
	script  *Script
	met     []bool // by rule: the conditions that look at the request alone
	digest  [sha256.Size]byte
}

// Script hands out the actions of a behaviour one by one. It may be used from
// several goroutines at once.
type Script struct {
	behaviour Behaviour
	counts    bool // whether attempts are counted
	replaced  chan struct{}
	retire    sync.Once

	mu             sync.Mutex
	next           int
	random         *rand.Rand
	limits         []*rate.Limiter // by rule
	seen, seenLast map[[sha256.Size]byte]int
}

// NewScript returns a script at its first step.
func NewScript(b Behaviour) *Script {
	s := &Script{
		behaviour: b, replaced: make(chan struct{}),
		random: rand.New(rand.NewPCG(uint64(b.Seed), 0)),
		counts: slices.ContainsFunc(b.Rules, func(r Rule) bool { return r.When.Attempt != nil }),
		limits: make([]*rate.Limiter, len(b.Rules)),
	}
	for i, rule := range b.Rules {
		if r := rule.When.OverRate; r != nil {
			perSecond := float64(r.Requests) / time.Duration(r.Per).Seconds()
			s.limits[i] = rate.NewLimiter(rate.Limit(perSecond), r.Requests)
		}
	}
	return s
}

// Behaviour returns the behaviour that the script follows.
func (s *Script) Behaviour() Behaviour { return s.behaviour }

// Look reads what the script needs off the request. It may take a while for a
// long body, and changes nothing.
func (s *Script) Look(r Request) Look {
	look := Look{request: r, script: s}
	if len(s.behaviour.Rules) == 0 {
		return look
	}
	look.met = make([]bool, len(s.behaviour.Rules))
	for i, rule := range s.behaviour.Rules {
		look.met[i] = rule.When.met(r)
	}
	if s.counts {
		look.digest = sha256.Sum256(r.Body)
	}
	return look
}

// met says whether the conditions hold that look at the request alone.
func (w When) met(r Request) bool {
	if w.LargerThan != nil && int64(len(r.Body)) <= *w.LargerThan ||
		w.Method != "" && w.Method != r.Method ||
		w.BodyContains != "" && !bytes.Contains(r.Body, []byte(w.BodyContains)) ||
		w.UnlessJSON && isJSON(r.Body) {
		return false
	}
	if len(w.UnlessHeader) == 0 {
		return true
	}
	for name, value := range w.UnlessHeader {
		if !slices.Contains(r.Header.Values(name), value) {
			return true
		}
	}
	return false
}

// isJSON says whether the body is one JSON value or more.
func isJSON(body []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(body))
	for n := 0; ; n++ {
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return n > 0 && errors.Is(err, io.EOF)
		}
	}
}

// Next returns the action for the request whose turn it is. A look taken by
// another script is taken again.
func (s *Script) Next(look Look) Action {
	if look.script != s {
		look = s.Look(look.request)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	action := s.choose(look)
	if spread := action.DelayMax - action.Delay; spread > 0 {
		action.Delay += Duration(s.random.Int64N(int64(spread) + 1))
	}
	return action
}

func (s *Script) choose(look Look) Action {
	attempt := 0
	if s.counts {
		attempt = s.count(look.digest)
	}
	now := time.Now()
	for i, rule := range s.behaviour.Rules {
		if look.met[i] && s.due(rule.When, s.limits[i], attempt, now) {
			return rule.Do
		}
	}
	if s.next >= len(s.behaviour.Steps) {
		return s.behaviour.Then
	}
	action := s.behaviour.Steps[s.next]
	s.next++
	return action
}

// due says whether the conditions hold that depend on what came before.
func (s *Script) due(w When, limit *rate.Limiter, attempt int, now time.Time) bool {
	if r := w.Attempt; r != nil && (attempt < r.From || r.To > 0 && attempt > r.To) {
		return false
	}
	if limit != nil && limit.AllowN(now, 1) {
		return false
	}
	return w.Chance == 0 || s.random.Float64() < w.Chance
}

// count counts the requests with the same body, this one included.
func (s *Script) count(digest [sha256.Size]byte) int {
	n, ok := s.seen[digest]
	if !ok {
		n = s.seenLast[digest]
	}
	if s.seen == nil || len(s.seen) >= maxBodiesCounted/2 {
		s.seen, s.seenLast = map[[sha256.Size]byte]int{}, s.seen
	}
	s.seen[digest] = n + 1
	return n + 1
}

// Retire says that the script no longer governs, which releases the requests
// that hang by it.
func (s *Script) Retire() { s.retire.Do(func() { close(s.replaced) }) }

// Retired is closed once the script no longer governs.
func (s *Script) Retired() <-chan struct{} { return s.replaced }
