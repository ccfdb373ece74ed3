package auditlog

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"time"
)

// Activities yields the environment's events with from ≤ recordedAt ≤ to, in the
// order they were appended, without anything of `source`. A zero time is no
// bound. It ends after the first error.
func (l *Log) Activities(ctx context.Context, environment string, from, to time.Time) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		if err := l.caughtUp(ctx); err != nil {
			yield(nil, err)
			return
		}
		for sequence := uint64(1); ; {
			chunk, err := l.Next(ctx, environment, sequence)
			if errors.Is(err, ErrEnd) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for _, r := range chunk.Records {
				if r.RecordedAt.Before(from) || !to.IsZero() && r.RecordedAt.After(to) {
					continue
				}
				if !yield(json.RawMessage(r.JSON(false, false)), nil) {
					return
				}
			}
			sequence = chunk.Sequence + 1
		}
	}
}
