package receiver

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookproof/hookproof/simulator/receiver/examine"
)

// While deliveries are being taken, examining them yields: for each stretch of
// work the examiner rests so many times as long, unless somebody waits for it.
// Receiving then keeps nine tenths of one processor that it would share.
const (
	restFactor = 9
	restUnit   = time.Millisecond // the shortest rest
)

// examiner examines the deliveries in their order, beside the answering.
// Deliveries that leave the record before it comes to them are not examined.
type examiner struct {
	receiver *Receiver
	seen     *examine.Examiner
	nudged   chan struct{} // holds one token when there may be something to do
	hurry    chan struct{} // likewise when somebody waits
	waiting  atomic.Int32  // readers who wait
	stop     chan struct{}
	ended    chan struct{}
	newest   int64 // the newest delivery at the last rest; of run alone

	mu         sync.Mutex
	done       int64         // no delivery up to this number is left to examine
	progressed chan struct{} // closed when done grows
}

func newExaminer(r *Receiver) *examiner {
	x := &examiner{
		receiver: r, seen: examine.New(),
		nudged: make(chan struct{}, 1), hurry: make(chan struct{}, 1),
		stop: make(chan struct{}), ended: make(chan struct{}), progressed: make(chan struct{}),
	}
	go x.run()
	x.wake() // for what was restored
	return x
}

// wake says that there is something to examine.
func (x *examiner) wake() { offer(x.nudged) }

// close ends the examiner and waits for it. It may be nil.
func (x *examiner) close() {
	if x == nil {
		return
	}
	close(x.stop)
	<-x.ended
}

// catchUp waits until every delivery up to the number was examined, or ctx is
// done.
func (x *examiner) catchUp(ctx context.Context, number int64) {
	x.waiting.Add(1)
	defer x.waiting.Add(-1)
	offer(x.hurry)
	for {
		x.mu.Lock()
		done, progressed := x.done, x.progressed
		x.mu.Unlock()
		if done >= number {
			return
		}
		select {
		case <-progressed:
		case <-x.ended:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (x *examiner) run() {
	defer close(x.ended)
	// One at a time: who holds more keeps bodies alive that left the record.
	const batch = 1
	var spent time.Duration
	for number := int64(0); ; {
		last := x.receiver.index.Extent().Last
		next := x.receiver.index.After(number, batch)
		if len(next) == 0 {
			number = last
			x.progress(number)
			select {
			case <-x.nudged:
				continue
			case <-x.stop:
				return
			}
		}
		for _, k := range next {
			started := time.Now()
			x.examine(k)
			number = k.number
			x.progress(number)
			if spent += time.Since(started); !x.rest(&spent) {
				return
			}
		}
	}
}

// examine examines one delivery and tells the readers.
func (x *examiner) examine(k *kept) {
	k.facts.Store(x.seen.Examine(examine.Delivery{Endpoint: k.endpoint.id, Body: k.Body, ArrivedAt: k.FirstByteAt}))
	if x.receiver.readers.count.Load() > 0 {
		told := summaryOf(k)
		x.receiver.readers.tell(streamed{event: "delivery", delivery: &told})
	}
}

func (x *examiner) progress(number int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if number > x.done {
		x.done = number
		close(x.progressed)
		x.progressed = make(chan struct{})
	}
}

// rest rests as long as the work that was spent asks for. It says whether to
// go on.
func (x *examiner) rest(spent *time.Duration) bool {
	select {
	case <-x.stop:
		return false
	default:
	}
	rest := restFactor * *spent
	if rest < restUnit {
		return true
	}
	*spent = 0
	last := x.receiver.index.Extent().Last
	quiet := last == x.newest && x.receiver.working.Load() == 0
	if x.newest = last; quiet || x.waiting.Load() > 0 {
		return true
	}
	timer := time.NewTimer(rest)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-x.hurry:
	case <-x.stop:
		return false
	}
	return true
}

// offer puts a token into a channel of capacity one, if it is empty.
func offer(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
