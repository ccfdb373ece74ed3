package embedded

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/receiver"
	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
	"github.com/hookproof/hookproof/targets"
)

// startHook starts a receiver simulator as a receiver under test, and the
// reference emitter that delivers to it. It claims everything that a receiver
// can: a client certificate and a token are needed, what is no JSON is
// refused, and what was taken can be read back.
func startHook(ctx context.Context, faults []string, hostile Hostile) (hook targets.Hook, close func() error, err error) {
	authority, err := pki.NewAuthority("hookproof clients")
	if err != nil {
		return hook, nil, err
	}
	client, err := authority.Issue(pki.Leaf{Name: "hookproof sender", Client: true})
	if err != nil {
		return hook, nil, err
	}
	hook.ClientCertificate = client.ChainPEM()
	if hook.ClientKey, err = client.KeyPEM(); err != nil {
		return hook, nil, err
	}
	token := "Bearer " + rand.Text()
	hook.Headers = map[string]string{"Authorization": token}

	liberties, ofReceiver := hostile.divide()
	r, err := receiver.Start(ctx, receiver.Options{ClientCAs: authority.PEM(), Faults: faults, Hostile: ofReceiver})
	if err != nil {
		return hook, nil, fmt.Errorf("start the receiver simulator as target: %w", err)
	}
	endpoint, err := r.CreateEndpoint(receiver.EndpointRequest{Name: "under test", Behaviour: behaviour.Behaviour{Rules: []behaviour.Rule{
		{When: behaviour.When{UnlessHeader: hook.Headers}, Do: behaviour.Action{Status: http.StatusUnauthorized}},
		{When: behaviour.When{Method: http.MethodPost, UnlessJSON: true}, Do: behaviour.Action{Status: http.StatusBadRequest}},
	}}})
	if err != nil {
		return hook, nil, errors.Join(err, r.Close())
	}
	hook.URL, hook.CA = endpoint.URLs[receiver.MTLSVerified], r.RootPEM()
	hook.ReadBack = &inspection{url: r.InspectURL() + "/inspect/endpoints/" + endpoint.ID + "/deliveries", stored: map[string][]place{}}
	var closeSender func() error
	if hook.Sender, closeSender, err = startSender(ctx, hook.CA, ofSender(liberties)); err != nil {
		return hook, nil, errors.Join(err, r.Close())
	}
	return hook, func() error { return errors.Join(closeSender(), r.Close()) }, nil
}

// inspection reads back what a receiver simulator has taken: the events of
// the deliveries that it answered with 200, as its inspection API tells them.
type inspection struct {
	url string

	mu     sync.Mutex
	last   int64 // delivery read
	count  int   // events read
	stored map[string][]place
}

// place is where an event stands among all.
type place struct {
	number int
	event  json.RawMessage
}

// Events gives the stored events that have one of the ids.
func (i *inspection) Events(ctx context.Context, ids []string) ([]json.RawMessage, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for more := true; more; {
		var err error
		if more, err = i.read(ctx); err != nil {
			return nil, fmt.Errorf("read the deliveries of the receiver simulator: %w", err)
		}
	}
	return i.among(ids), nil
}

// among are the events of these ids in their order.
func (i *inspection) among(ids []string) []json.RawMessage {
	var found []place
	for _, id := range ids {
		found = append(found, i.stored[id]...)
	}
	slices.SortFunc(found, func(a, b place) int { return a.number - b.number })
	events := make([]json.RawMessage, len(found))
	for n, p := range found {
		events[n] = p.event
	}
	return events
}

// read reads the deliveries that are new, and tells whether there were any.
func (i *inspection) read(ctx context.Context) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s?after=%d", i.url, i.last), nil)
	if err != nil {
		return false, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("status %d", resp.StatusCode)
	}
	var answer struct{ Deliveries []receiver.Delivery }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return false, err
	}
	for _, d := range answer.Deliveries {
		i.last = d.Seq
		if d.Complete && d.Answer.Status == http.StatusOK {
			i.store(d.Body)
		}
	}
	return len(answer.Deliveries) > 0, nil
}

// store takes the events out of a body: an array of them or lines, bare or
// each in the envelope of a format.
func (i *inspection) store(body []byte) {
	gjson.ForEachLine(string(body), func(line gjson.Result) bool {
		records := []gjson.Result{line}
		if line.IsArray() {
			records = line.Array()
		}
		for _, record := range records {
			event := record
			if inner := record.Get("event"); inner.IsObject() {
				event = inner
			}
			id := event.Get("id").String()
			i.count++
			i.stored[id] = append(i.stored[id], place{i.count, json.RawMessage(event.Raw)})
		}
		return true
	})
}
