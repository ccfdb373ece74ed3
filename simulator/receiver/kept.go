package receiver

import (
	"sync/atomic"

	"github.com/hookproof/hookproof/simulator/receiver/examine"
)

// kept is a delivery in the record of its endpoint.
type kept struct {
	Delivery // not changed once it is in the record
	number   int64
	endpoint *endpoint
	facts    atomic.Pointer[examine.Facts] // nil until it was examined
	refused  atomic.Pointer[Answer]        // the answer after all, if the disk failed
}

// delivery returns what is told of it.
func (k *kept) delivery() Delivery {
	d := k.Delivery
	if a := k.refused.Load(); a != nil {
		d.Answer = *a
	}
	return d
}

// leave is told that a delivery left the record of its endpoint. It is called
// with the budget locked.
func (r *Receiver) leave(k *kept) {
	r.index.Remove(k.number)
	if r.store != nil && !r.ending.Load() {
		r.store.Remove(k.number)
	}
	r.readers.nudge()
}

// keep puts the delivery into the record of its endpoint. choose is called when
// its turn has come, to complete it; it must be quick. The channel, if not nil,
// tells when the delivery is on disk. The error is that the endpoint was
// deleted.
func (r *Receiver) keep(e *endpoint, k *kept, choose func(seq int64)) (<-chan error, error) {
	var stored <-chan error
	err := e.deliveries.Append(k.size(), func(seq int64) *kept {
		choose(seq)
		k.Seq, k.endpoint = seq, e
		r.index.Add(func(number int64) *kept {
			k.number = number
			return k
		})
		if r.store != nil {
			stored = r.store.Put(entryOf(k))
		}
		r.readers.nudge()
		return k
	})
	if err == nil {
		r.examiner.wake()
	}
	return stored, err
}
