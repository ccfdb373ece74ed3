package emitter

import (
	"context"

	"github.com/hookproof/hookproof/simulator/emitter/auditlog"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// stretch is a part of an environment's log: from the first event up to, and
// without, the last; a zero until means the end of the log.
type stretch struct {
	environment string
	from, until auditlog.Position
}

// gather makes a body of what the filter lets through of a stretch of the log,
// as much as one payload takes; nil if it is nothing.
func gather(ctx context.Context, log pipeline.Log, p pipeline.Pieces, s subscription.Subscription, f pipeline.Filter, of stretch) []byte {
	batch := pipeline.Batch{Limits: p.Limits(s), Framing: p.Framing(s)}
	for at := of.from; of.until == (auditlog.Position{}) || at.Before(of.until); {
		chunk, err := log.Next(ctx, of.environment, at.Sequence)
		if err != nil {
			break // the end of the log
		}
		if chunk.Sequence > at.Sequence {
			at = auditlog.Position{Sequence: chunk.Sequence}
		}
		for i := at.Index; i < len(chunk.Records); i++ {
			here := auditlog.Position{Sequence: chunk.Sequence, Index: i}
			if of.until != (auditlog.Position{}) && !here.Before(of.until) {
				break
			}
			if p.Match(f, chunk.Records[i]) {
				batch.Add(p.Shape(nil, s, chunk.Records[i]))
			}
		}
		at = auditlog.Position{Sequence: chunk.Sequence + 1}
	}
	if batch.Len() == 0 {
		return nil
	}
	return p.Join(&batch)
}
