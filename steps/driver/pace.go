package driver

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/hookproof/hookproof/steps/transcript"
)

const (
	// pauseAtMost bounds what one call waits in all because the target says
	// that it gets too many: the vendor's own client gives up after ten tries
	// with at most 30 s between them (G1).
	pauseAtMost = 5 * time.Minute
	// pauseFirst is the pause after a refusal that names none; it doubles
	// with each up to pauseMost, as the vendor's own client does it (G1).
	pauseFirst = time.Second
	pauseMost  = 30 * time.Second
)

// pace keeps the run's calls to a target within its rate limit: a limit that
// is known, and pauses that it asks for. All scenarios share it.
type pace struct {
	limiter *rate.Limiter // nil: no limit is known

	mu    sync.Mutex
	until time.Time // nobody calls before
}

// newPace keeps to so many calls a second; 0 is no limit. Calls are spread
// evenly: a burst may already be too much.
func newPace(perSecond float64) *pace {
	p := &pace{}
	if perSecond > 0 {
		p.limiter = rate.NewLimiter(rate.Limit(perSecond), 1)
	}
	return p
}

// wait returns when a call may be made.
func (p *pace) wait(ctx context.Context) error {
	for {
		p.mu.Lock()
		left := time.Until(p.until)
		p.mu.Unlock()
		if left <= 0 {
			break
		}
		timer := time.NewTimer(left)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
	if p.limiter == nil {
		return ctx.Err()
	}
	return p.limiter.Wait(ctx)
}

// rest keeps everybody from calling for a while.
func (p *pace) rest(pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(pause); until.After(p.until) {
		p.until = until
	}
}

// pauseAfter is how long a refusal for the rate, the nth of a call from 0,
// asks to wait: Retry-After in seconds or as a date (RFC 9110 section 10.2.3).
func pauseAfter(header http.Header, n int, now time.Time) time.Duration {
	after := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.Atoi(after); err == nil && seconds >= 0 {
		return min(time.Duration(min(seconds, 1<<20))*time.Second, pauseAtMost+time.Second)
	}
	if date, err := http.ParseTime(after); err == nil {
		return max(date.Sub(now), 0)
	}
	return min(pauseFirst<<min(n, 10), pauseMost)
}

// keep makes a call within the pace, and again as long as the target refuses
// it with 429 and not too much has been waited for; any other answer is final.
// It returns the refusals before the last. An error means that ctx ended
// before the call was made at all, or while it waited to be made again.
func (p *pace) keep(ctx context.Context, once func() (status int, header http.Header)) ([]transcript.Refusal, error) {
	var refused []transcript.Refusal
	waited := time.Duration(0)
	for {
		if err := p.wait(ctx); err != nil {
			return refused, err
		}
		status, header := once()
		if status != http.StatusTooManyRequests {
			return refused, nil
		}
		now := time.Now()
		pause := pauseAfter(header, len(refused), now)
		if waited += pause; waited > pauseAtMost {
			return refused, nil
		}
		refused = append(refused, transcript.Refusal{At: now.UTC(), PauseMs: pause.Milliseconds()})
		p.rest(pause)
	}
}
