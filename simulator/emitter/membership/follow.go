package membership

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// pullExpiry and pullHeartbeat bound for how long it is not noticed that the
	// server from which a bucket is followed is gone: twice the heartbeat.
	pullExpiry    = 5 * time.Second
	pullHeartbeat = time.Second
	// listWithin bounds asking for a list. A server that dies, or a stream that
	// has no leader, answers nothing.
	listWithin = 2 * time.Second
	// followRetry is the wait before a bucket is listed anew.
	followRetry = 250 * time.Millisecond
	// forgottenAfter is when the servers forget who no longer follows.
	forgottenAfter = 30 * time.Second
)

// entry is what a bucket says of a key.
type entry struct {
	key, value string
	revision   uint64
	put        bool // it is there, and not only the marker that it was
}

// part is one bucket of the view.
type part struct {
	bucket string
	learn  func(entry)
	// list begins a list. What it returns is called at its end, with the keys that
	// are there: what was known when the list began, and is not in it, is gone.
	list func() (ended func(there map[string]bool))
}

// follow keeps a part of the view up to date until ctx ends: it lists the
// bucket, then hears of every change. Whenever something may have been missed,
// it lists anew, as the servers do not show for ever that an entry is gone.
// What it returns is closed at the end of the first list.
func (m *Members) follow(ctx context.Context, js jetstream.JetStream, p part) <-chan struct{} {
	known := make(chan struct{})
	listed := sync.OnceFunc(func() { close(known) })
	m.done.Go(func() {
		for ctx.Err() == nil {
			if err := p.follow(ctx, js, listed); err != nil && ctx.Err() == nil {
				m.Log.Debug("listing the emitters anew", "bucket", p.bucket, "because", err)
			}
			select {
			case <-time.After(followRetry):
			case <-ctx.Done():
			}
		}
	})
	return known
}

var errMissed = errors.New("changes were missed")

func (p part) follow(ctx context.Context, js jetstream.JetStream, listed func()) error {
	prefix := "$KV." + p.bucket + "."
	ended := p.list()
	asked, cancel := context.WithTimeout(ctx, listWithin)
	defer cancel()
	consumer, err := js.CreateConsumer(asked, "KV_"+p.bucket, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy, FilterSubject: prefix + ">", AckPolicy: jetstream.AckNonePolicy,
		InactiveThreshold: forgottenAfter, Replicas: 1, MemoryStorage: true,
	})
	if err != nil {
		return fmt.Errorf("list %s: %w", p.bucket, err)
	}
	messages, err := consumer.Messages(jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return fmt.Errorf("follow %s: %w", p.bucket, err)
	}
	defer messages.Stop()
	there := map[string]bool{}
	for n, pending := uint64(1), consumer.CachedInfo().NumPending; ; n++ {
		if pending == 0 && there != nil {
			ended(there)
			there = nil
			listed()
		}
		message, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("follow %s: %w", p.bucket, err)
		}
		meta, err := message.Metadata()
		if err != nil {
			return fmt.Errorf("follow %s: %w", p.bucket, err)
		}
		if meta.Sequence.Consumer != n {
			return fmt.Errorf("follow %s: %w", p.bucket, errMissed)
		}
		e := read(message, strings.TrimPrefix(message.Subject(), prefix), meta)
		if p.learn(e); there != nil && e.put {
			there[e.key] = true
		}
		pending = meta.NumPending
	}
}

// operation is the header by which the client library marks what is no value.
const operation = "KV-Operation"

func read(message jetstream.Msg, key string, meta *jetstream.MsgMetadata) entry {
	h := message.Headers()
	return entry{
		key: key, value: string(message.Data()), revision: meta.Sequence.Stream,
		put: h.Get(operation) == "" && h.Get(jetstream.MarkerReasonHeader) == "",
	}
}

// members is the part of the view that says who is alive.
func (m *Members) members() part {
	return part{bucket: membersBucket, learn: m.member, list: func() func(map[string]bool) {
		return func(there map[string]bool) {
			m.lost(func(id string, _ other) bool { return !there[id] })
		}
	}}
}

// member notes that a process is alive, or no longer.
func (m *Members) member(e entry) {
	switch {
	case e.key == m.id:
		// Two refreshes of its own in a row show that what others stored meanwhile
		// has been heard, too. That does not wait for the markers: they are gone soon.
		now := time.Now()
		if now.Sub(m.echoed) < 2*m.Expiry/beats {
			silent := now.Add(-m.Expiry - m.Expiry/beats)
			m.lost(func(_ string, o other) bool { return o.heard.Before(silent) })
		}
		m.echoed = now
	case !e.put:
		m.lost(func(id string, _ other) bool { return id == e.key })
	default:
		m.heard(e.key, e.value == working)
	}
}

// heard notes that a process is alive.
func (m *Members) heard(id string, wants bool) {
	m.mu.Lock()
	was, known := m.others[id]
	m.others[id] = other{wants: wants, heard: time.Now()}
	changed := m.changed
	if known && was.wants == wants { // it only was refreshed
		m.mu.Unlock()
		return
	}
	m.wake()
	m.mu.Unlock()
	m.Log.Info("emitters changed", "member", id, "alive", true, "works", wants)
	changed()
}

// lost notes which of the others are no longer alive.
func (m *Members) lost(dead func(id string, o other) bool) {
	m.mu.Lock()
	var gone []string
	for id, o := range m.others {
		if dead(id, o) {
			gone = append(gone, id)
			delete(m.others, id)
		}
	}
	changed := m.changed
	if len(gone) > 0 {
		m.wake()
	}
	m.mu.Unlock()
	for _, id := range gone {
		m.Log.Info("emitters changed", "member", id, "alive", false, "works", false)
	}
	if len(gone) > 0 {
		changed()
	}
}

// works is the part of the view that says who works what.
func (m *Members) works() part {
	return part{bucket: claimsBucket, learn: m.worked, list: func() func(map[string]bool) {
		m.mu.Lock()
		defer m.mu.Unlock()
		before := maps.Clone(m.claims)
		return func(there map[string]bool) {
			m.mu.Lock()
			defer m.mu.Unlock()
			for key, c := range before {
				if !there[key] && m.claims[key] == c {
					m.learn(key, claim{revision: c.revision})
				}
			}
		}
	}}
}

// worked notes who works what.
func (m *Members) worked(e entry) {
	c := claim{revision: e.revision}
	if e.put {
		c.owner = e.value
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.learn(e.key, c)
}
