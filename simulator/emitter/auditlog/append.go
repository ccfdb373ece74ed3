package auditlog

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

const (
	// groupBytes is how much is gathered from concurrent calls before it is
	// published.
	groupBytes = 8 << 20
	// unacknowledged is how many chunks are under way to the server at a time.
	unacknowledged = 32
)

var errClosed = errors.New("the audit log is closed")

// request is one call of Append on its way through the committer.
type request struct {
	environment string
	subject     string
	records     []event.Record
	err         error
	done        chan struct{}
}

// Append puts the records behind everything appended to the environment before
// and returns when JetStream has acknowledged them. Concurrent calls are
// committed together. After an error some of the records may have been stored.
func (l *Log) Append(ctx context.Context, environment string, records ...event.Record) error {
	if len(records) == 0 {
		return nil
	}
	subject, err := subjectOf(environment)
	if err != nil {
		return err
	}
	// Readers need to know where the environment's log ended before this.
	if _, err := l.end(ctx, environment); err != nil {
		return err
	}
	r := &request{environment: environment, subject: subject, records: records, done: make(chan struct{})}
	select {
	case <-l.closing:
		return errClosed
	default:
	}
	select {
	case l.requests <- r:
	case <-l.closing:
		return errClosed
	case <-ctx.Done():
		return fmt.Errorf("append %d events: %w", len(records), context.Cause(ctx))
	}
	select {
	case <-r.done:
	case <-l.done: // closed; the request may or may not have been taken
		select {
		case <-r.done:
		default:
			return errClosed
		}
	}
	if r.err != nil {
		return fmt.Errorf("append %d events: %w", len(records), r.err)
	}
	return nil
}

// commit owns all publishing: what waits is put into chunks together, so that a
// thousand callers with one event each cost a few messages.
func (l *Log) commit() {
	defer close(l.done)
	for {
		select {
		case r := <-l.requests:
			l.commitGroup(l.gather(r))
		case <-l.closing:
			for {
				select {
				case r := <-l.requests:
					l.commitGroup(l.gather(r))
				default:
					return
				}
			}
		}
	}
}

func (l *Log) gather(first *request) []*request {
	group, size := []*request{first}, sizeOf(first.records)
	for size < groupBytes {
		select {
		case r := <-l.requests:
			group, size = append(group, r), size+sizeOf(r.records)
		default:
			return group
		}
	}
	return group
}

func sizeOf(records []event.Record) int {
	size := 0
	for _, r := range records {
		size += r.Size()
	}
	return size
}

// pending is a chunk being filled, then published.
type pending struct {
	environment string
	subject     string
	records     []event.Record
	size        int
	requests    []*request
	part        bool // one of the requests is in other chunks, too
	chunk       Chunk
	ack         jetstream.PubAckFuture
}

// chunked distributes the group's records over chunks: of one environment only,
// in the order of the calls, at most chunkBytes unless one record is larger.
func chunked(group []*request) []*pending {
	var chunks []*pending
	open := map[string]*pending{}
	for _, r := range group {
		p := open[r.environment]
		for i, record := range r.records {
			size := record.Size()
			if p == nil || p.size > 0 && p.size+size > chunkBytes {
				continued := i > 0
				if continued {
					p.part = true
				}
				p = &pending{environment: r.environment, subject: r.subject, part: continued}
				p.records = make([]event.Record, 0, min(len(r.records)-i, chunkBytes/max(size, 1)+1))
				open[r.environment] = p
				chunks = append(chunks, p)
			}
			p.records = append(p.records, record)
			p.size += size
			if n := len(p.requests); n == 0 || p.requests[n-1] != r {
				p.requests = append(p.requests, r)
			}
		}
	}
	return chunks
}

func (l *Log) commitGroup(group []*request) {
	accepted := l.now()
	var flight []*pending
	for _, p := range chunked(group) {
		p.chunk = Chunk{Accepted: accepted, Records: p.records}
		if err := p.spoiled(flight); err != nil {
			p.fail(err)
			continue
		}
		l.publish(p)
		if flight = append(flight, p); len(flight) == unacknowledged {
			l.settle(flight[0])
			flight = flight[1:]
		}
	}
	for _, p := range flight {
		l.settle(p)
	}
	for _, r := range group {
		close(r.done)
	}
}

func (l *Log) publish(p *pending) {
	data, err := l.encoder.encode(p.chunk)
	if err != nil {
		p.fail(err)
		return
	}
	msg := nats.NewMsg(p.subject)
	msg.Data = data
	var options []jetstream.PublishOpt
	if p.part { // tried again, it would come behind the next
		options = append(options, jetstream.WithRetryAttempts(0))
	}
	ack, err := l.js.PublishMsgAsync(msg, options...)
	if err != nil {
		p.fail(err)
		return
	}
	p.ack = ack
}

// settle waits for the server's answer and makes the chunk readable.
func (l *Log) settle(p *pending) {
	if p.ack == nil {
		return
	}
	select {
	case ack := <-p.ack.Ok():
		if l.shared {
			return // it comes back in its place among those of others
		}
		p.chunk.Sequence = ack.Sequence
		l.mu.Lock()
		l.recent.add(p.environment, p.chunk, p.size)
		l.mu.Unlock()
		l.appended(p.environment)
	case err := <-p.ack.Err():
		p.fail(storage.Refused(err))
	}
}

// spoiled says why the chunk must not be published any more: an earlier one of
// the same request failed, as far as is known.
func (p *pending) spoiled(flight []*pending) error {
	if !p.part {
		return nil
	}
	for _, earlier := range flight {
		earlier.look()
	}
	for _, r := range p.requests {
		if r.err != nil {
			return r.err
		}
	}
	return nil
}

// look notes a failure that is known already.
func (p *pending) look() {
	if p.ack == nil {
		return
	}
	select {
	case err := <-p.ack.Err():
		p.ack = nil
		p.fail(err)
	default:
	}
}

func (p *pending) fail(err error) {
	for _, r := range p.requests {
		r.err = err
	}
}
