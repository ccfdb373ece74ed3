package bench

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/limits"
)

const (
	// eventBytes is the length of every event: about that of the platform's
	// samples.
	eventBytes = 1200
	// ringEvents is how many different events there are; they come in turn, over
	// and over. A multiple of a full payload, so that prebuilt payloads are as
	// well.
	ringEvents = 10 * limits.EventsPerPayload

	// An event's number is the end of its id.
	numberStart = len(`{"id":"00000000-0000-4000-8000-`)
	numberEnd   = numberStart + 12
)

// template is an audit event like the fixtures': what differs from event to
// event are the ids, the names and the time.
const template = `{"id":"%[1]s%012[2]d","recordedAt":"2026-03-01T12:%02[3]d:%02[4]d.%03[5]dZ","correlationId":"%[6]s",` +
	`"actors":{"client":{"id":"%[7]s","name":"Web shop","environment":{"id":"42216153-36db-4729-b9f6-a722dd95909b"},` +
	`"href":"https://api.pingone.eu/v1/environments/42216153-36db-4729-b9f6-a722dd95909b/applications/%[7]s","type":"CLIENT"},` +
	`"user":{"id":"%[8]s","name":"customer.%[2]d","environment":{"id":"42216153-36db-4729-b9f6-a722dd95909b"},"type":"USER"}},` +
	`"action":{"type":"USER.CREATED","description":"User Created"},"resources":[{"type":"USER","id":"%[8]s","name":"customer.%[2]d",` +
	`"environment":{"id":"42216153-36db-4729-b9f6-a722dd95909b"},"population":{"id":"d449c920-69c1-4cc2-830f-c9a921e4fe21"},` +
	`"href":"https://api.pingone.eu/v1/environments/42216153-36db-4729-b9f6-a722dd95909b/users/%[8]s"}],` +
	`"result":{"status":"SUCCESS","description":"Created User customer.%[2]d"},"_embedded":{"reference":"`

// ring makes the events, the same ones in every run. They are filled up to
// their length with letters at random, which no compression shortens much.
func ring() ([]event.Record, error) {
	random := rand.New(rand.NewPCG(1, 2))
	id := func() string {
		return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", random.Uint32(), random.IntN(1<<16), random.IntN(1<<12), random.IntN(1<<12), random.Uint64N(1<<48))
	}
	clients := []string{id(), id(), id()}
	records := make([]event.Record, ringEvents)
	for n := range records {
		text := fmt.Appendf(nil, template, id()[:24], n, random.IntN(60), random.IntN(60), random.IntN(1000), id(), clients[random.IntN(len(clients))], id())
		for len(text) < eventBytes-len(`"}}`) {
			text = append(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[random.IntN(64)])
		}
		record, err := event.Parse(append(text, `"}}`...), time.Time{})
		if err != nil {
			return nil, fmt.Errorf("make an event: %w", err)
		}
		records[n] = record
	}
	return records, nil
}

// payloads are the ring as arrays of full payloads.
func payloads(records []event.Record) [][]byte {
	var list [][]byte
	for start := 0; start < len(records); start += limits.EventsPerPayload {
		body := []byte{'['}
		for i, r := range records[start : start+limits.EventsPerPayload] {
			if i > 0 {
				body = append(body, ',')
			}
			body = append(body, r.Body...)
		}
		list = append(list, append(body, ']'))
	}
	return list
}

// counted reads how many events a payload has and the numbers of its first and
// last; they all have the same length.
func counted(body []byte) (events, first, last int, err error) {
	events = (len(body) - 1) / (eventBytes + 1)
	if events < 1 || len(body) != events*(eventBytes+1)+1 {
		return 0, 0, 0, fmt.Errorf("a payload of %d bytes holds no whole number of events", len(body))
	}
	if first, err = number(body, 0); err != nil {
		return 0, 0, 0, err
	}
	last, err = number(body, events-1)
	return events, first, last, err
}

func number(body []byte, i int) (int, error) {
	at := body[1+i*(eventBytes+1):]
	n, err := strconv.Atoi(string(at[numberStart:numberEnd]))
	if err != nil {
		return 0, fmt.Errorf("a payload's event %d has no number: %w", i, err)
	}
	return n, nil
}
