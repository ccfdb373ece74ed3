package judge

import (
	"time"

	"github.com/hookproof/hookproof/steps/transcript"
)

// Since is what was observed from at on: the exchanges and events, and the
// deliveries and connections that began not before. It lets a judge of all
// deliveries look only at those after a change. A zero time gives everything.
func Since(t *transcript.Transcript, at time.Time) *transcript.Transcript {
	if at.IsZero() {
		return t
	}
	later := *t
	later.Entries = nil
	for _, e := range t.Entries {
		switch {
		case e.Watch != nil:
			e.Watch = watchSince(*e.Watch, at)
		case e.Exchange != nil && e.Exchange.End.Before(at), e.Caused != nil && e.Caused.At.Before(at):
			continue
		}
		later.Entries = append(later.Entries, e)
	}
	return &later
}

func watchSince(w transcript.Watch, at time.Time) *transcript.Watch {
	deliveries, connections := w.Deliveries, w.Connections
	w.Deliveries, w.Connections = nil, nil
	for _, d := range deliveries {
		if !d.FirstByteAt.Before(at) {
			w.Deliveries = append(w.Deliveries, d)
		}
	}
	for _, c := range connections {
		if !c.At.Before(at) {
			w.Connections = append(w.Connections, c)
		}
	}
	return &w
}
