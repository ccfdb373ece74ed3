package receiver

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
	"github.com/hookproof/hookproof/simulator/receiver/emulation"
	"github.com/hookproof/hookproof/simulator/receiver/record"
	"github.com/hookproof/hookproof/simulator/receiver/store"
)

// endpointOnDisk is what describes an endpoint on disk.
type endpointOnDisk struct {
	Token     string             `json:"token"`
	Name      string             `json:"name"`
	CreatedAt time.Time          `json:"createdAt"`
	Behaviour json.RawMessage    `json:"behaviour"`
	Emulation *emulation.Options `json:"emulation,omitempty"`
	Dedicated *dedicatedOnDisk   `json:"dedicated,omitempty"`
}

type dedicatedOnDisk struct {
	Mode        Mode      `json:"mode"`
	Port        int       `json:"port"`
	Open        bool      `json:"open"`
	TLS         TLSChoice `json:"tls"`
	ServerNames []string  `json:"serverNames,omitempty"`
	Subject     string    `json:"subject,omitempty"`
}

// deliveryOnDisk is a delivery on disk; its body stands beside it.
type deliveryOnDisk struct {
	Endpoint string   `json:"endpoint"`
	Delivery Delivery `json:"delivery"`
}

// entryOf returns what is written of a delivery.
func entryOf(k *kept) store.Entry {
	head := deliveryOnDisk{k.endpoint.id, k.Delivery}
	head.Delivery.Body = nil
	encoded, err := json.Marshal(head)
	if err != nil {
		encoded = nil // not possible: every member of a delivery is plain data
	}
	return store.Entry{Number: k.number, Group: k.endpoint.id, Seq: k.Seq, Head: encoded, Body: k.Body}
}

// saveEndpoint keeps what describes the endpoint, if there is a disk to keep
// it on.
func (r *Receiver) saveEndpoint(e *endpoint) error {
	if r.store == nil {
		return nil
	}
	script, err := json.Marshal(e.current().Behaviour())
	if err != nil {
		return err
	}
	d := endpointOnDisk{Token: e.token, Name: e.name, CreatedAt: e.created, Behaviour: script, Emulation: e.emulation}
	if l := e.dedicated; l != nil {
		d.Dedicated = &dedicatedOnDisk{l.mode, l.Port(), l.IsOpen(), e.choice, e.choice.ServerNames, e.choice.Subject}
	}
	encoded, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if err := r.store.PutGroup(e.id, encoded); err != nil {
		return fmt.Errorf("keep endpoint %s on disk: %w", e.id, err)
	}
	return nil
}

// restore opens the disk, if there is to be one, and takes up what is on it.
func (r *Receiver) restore() error {
	if r.options.Data == "" {
		return nil
	}
	s, err := store.Open(r.options.Data)
	if err != nil {
		return err
	}
	r.store = s
	last, err := s.Last()
	if err != nil {
		return fmt.Errorf("read the data: %w", err)
	}
	r.index = record.ContinueIndex[*kept](last)
	saved := map[string]endpointOnDisk{}
	lasts := map[string]int64{}
	err = s.Groups(func(id string, description []byte, last int64) error {
		var d endpointOnDisk
		if err := json.Unmarshal(description, &d); err != nil {
			return fmt.Errorf("endpoint %s: %w", id, err)
		}
		saved[id], lasts[id] = d, last
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the data: %w", err)
	}
	endpoints, err := r.restoreDeliveries(saved, lasts)
	if err != nil {
		return fmt.Errorf("read the data: %w", err)
	}
	for id, d := range saved {
		if err := r.restoreEndpoint(endpoints, id, d, lasts[id]); err != nil {
			return fmt.Errorf("take up endpoint %s: %w", id, err)
		}
	}
	return nil
}

// restoreDeliveries takes up what was recorded. It returns the endpoints whose
// deliveries there are; nobody can reach them yet.
func (r *Receiver) restoreDeliveries(saved map[string]endpointOnDisk, lasts map[string]int64) (map[string]*endpoint, error) {
	endpoints := map[string]*endpoint{}
	err := r.store.Entries(func(entry store.Entry) error {
		var d deliveryOnDisk
		if err := json.Unmarshal(entry.Head, &d); err != nil {
			return fmt.Errorf("delivery %d: %w", entry.Number, err)
		}
		description, ok := saved[d.Endpoint]
		if !ok { // its endpoint was deleted
			r.store.Remove(entry.Number)
			return nil
		}
		e := endpoints[d.Endpoint]
		if e == nil {
			e = &endpoint{id: d.Endpoint, token: description.Token, created: description.CreatedAt}
			if err := r.restoreScript(e, description, d.Delivery.Seq-1); err != nil {
				return err
			}
			endpoints[d.Endpoint] = e
		}
		k := &kept{Delivery: d.Delivery, number: entry.Number, endpoint: e}
		k.Body = entry.Body
		return e.deliveries.Append(k.size(), func(seq int64) *kept {
			k.Seq = seq
			r.index.Restore(k.number, k)
			return k
		})
	})
	return endpoints, err
}

func (r *Receiver) restoreScript(e *endpoint, d endpointOnDisk, after int64) error {
	b, err := behaviour.Parse(d.Behaviour)
	if err != nil {
		return fmt.Errorf("behaviour: %w", err)
	}
	request := EndpointRequest{Name: d.Name, Behaviour: b, Emulation: d.Emulation, behaviourBytes: int64(len(d.Behaviour))}
	if d.Dedicated != nil {
		request.TLS = d.Dedicated.TLS
		request.TLS.ServerNames, request.TLS.Subject = d.Dedicated.ServerNames, d.Dedicated.Subject
	}
	return r.equip(e, request, after)
}

// restoreEndpoint makes an endpoint reachable again. A dedicated listener
// whose port somebody else has taken stays closed.
func (r *Receiver) restoreEndpoint(endpoints map[string]*endpoint, id string, d endpointOnDisk, last int64) error {
	e := endpoints[id]
	if e == nil {
		e = &endpoint{id: id, token: d.Token, created: d.CreatedAt}
		if err := r.restoreScript(e, d, last); err != nil {
			return err
		}
	}
	if d.Dedicated != nil {
		l, err := r.dedicatedListener(e, d.Dedicated.Mode)
		if err != nil {
			return err
		}
		l.port = d.Dedicated.Port
		e.dedicated = l
		if d.Dedicated.Open {
			if err := l.Open(); err != nil {
				r.errorLog.Printf("the listener of endpoint %s stays closed: %v", id, err)
			}
		}
	}
	if err := r.endpoints.add(e); err != nil {
		e.close()
		return err
	}
	return nil
}
